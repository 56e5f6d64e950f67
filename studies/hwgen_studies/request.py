"""Base of the requests of `hwgen paper`: published figures beside ours."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from hwgen.commands.families import architectures
from hwgen.commands.fields import Count, File, names
from hwgen.commands.request import CACHE, INPUT, OUTPUT_FILE, Says, Working
from hwgen.files.earlier import PAGES
from hwgen.files.folder import add_files

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
