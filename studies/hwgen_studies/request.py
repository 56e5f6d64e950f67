"""Base of the requests of `hwgen paper`: published figures beside ours."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from hwgen.commands.families import architectures
from hwgen.commands.fields import Count, File, names
from hwgen.commands.request import CACHE, INPUT, OUTPUT_FILE, Says, Working
from hwgen.files.earlier import PAGES
from hwgen.files.folder import add_files
from hwgen.files.output import write_text
from hwgen_studies import in_texts
from hwgen_studies.numbers import Ours, beside, numbers_of, titles_of

Names = Annotated[
    tuple[str, ...] | None,
    Says(
        "some of the networks, separated by commas [default: all]",
        metavar="NAMES",
        typed=list[str],
        read=names,
    ),
]
Page = Annotated[
    File | None,
    Says(
        "write one page with all tables and pictures",
        metavar="FILE",
        use=OUTPUT_FILE,
        replaces=PAGES,
    ),
]
PaperArch = Annotated[
    File | None,
    Says(
        "an architecture that runs the networks (.yaml, or the name of one that ships)"
        " [default: the paper's]",
        metavar="ARCH",
        argument=True,
        complete=architectures,
    ),
]
PaperImages = Annotated[
    str | None,
    Says("images of the networks [default: random inputs]", metavar="FOLDER", use=INPUT),
]
InputCount = Annotated[Count | None, Says("inputs of a run", metavar="N")]
Simulated = Annotated[Literal["rtl", "model"], Says("rtl simulates and compares; needs Verilator")]


@dataclass(frozen=True)
class Paper(Working):
    """Base of a paper: a report, and the files that show it."""

    _: KW_ONLY
    out: Annotated[
        File | None,
        Says("also write page, pictures and JSON there", metavar="FOLDER", use=CACHE),
    ] = None

    def measured(self) -> Any:
        """Return the report."""
        raise NotImplementedError

    def files(self, report: Any) -> Mapping[str, str]:
        """Return page, pictures and JSON by name."""
        raise NotImplementedError

    def run(self) -> Any:
        """Measure, and write the files: all or none of them stand in `out` afterwards."""
        report = self.measured()
        if self.out is not None:

            def fill(fresh: Path) -> None:
                for name, text in self.files(report).items():
                    (fresh / name).write_text(text, encoding="utf-8")

            add_files(Path(self.out), fill)
        return report

    def agrees(self, report: Any) -> bool:
        """Return whether no run differs."""
        return bool(getattr(report, "sound", True))


@dataclass(frozen=True)
class DocumentPaper(Paper):
    """Base of a paper whose printed numbers are in `published.yaml`: a page has ours beside each.

    named: the command; title: of the page
    """

    _: KW_ONLY
    page: Page = None
    documents: Annotated[
        File | None,
        Says(
            "texts of the documents, such as 001_NAME.txt: look for each printed number in them",
            metavar="FOLDER",
            use=INPUT,
        ),
    ] = None
    named: ClassVar[str]
    title: ClassVar[str]

    def beside(self, report: Any) -> Mapping[str, Ours]:
        """Return what stands beside printed numbers by the name of its row."""
        raise NotImplementedError

    def more(self, report: Any) -> Mapping[str, Any]:
        """Return what the page has below the numbers, by name."""
        return {}

    def verdicts(self) -> dict[str, str]:
        """Return whether each number stands in its document, by id; refuse a folder of others."""
        if self.documents is None:
            return {}
        ids = {each.id for each in numbers_of(self.named)}
        found = in_texts.verdicts(Path(self.documents))
        if not ids & found.keys():
            texts = ", ".join(f"{name}_NAME.txt" for name in titles_of(self.named))
            raise self.refusal("documents", f"a folder with {texts}", self.documents)
        return {name: told for name, told in found.items() if name in ids}

    def html(self, report: Any) -> str:
        """Return the page."""
        from hwgen_studies.numbers_page import paper_page

        return paper_page(
            self.title,
            beside(numbers_of(self.named), self.beside(report)),
            documents=titles_of(self.named),
            verdicts=self.verdicts(),
            command=f"hwgen paper {self.named}",
            **self.more(report),
        )

    def run(self) -> Any:
        """Measure, and write files and page."""
        self.verdicts()
        report = super().run()
        if self.page is not None:
            write_text(Path(self.page), self.html(report), what="page")
        return report

    def agrees(self, report: Any) -> bool:
        """Return whether no run differs, and each number stands where it is said to."""
        return super().agrees(report) and in_texts.WRONG not in self.verdicts().values()
