"""`hwgen paper pimsyn` and `hwgen paper pimsyn-search`."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from rich.console import RenderableType

from hwgen.chip.synthesis_request import OtherSearch
from hwgen.cli.from_requests import add_command
from hwgen.commands.fields import Real, Seed, Workers
from hwgen.commands.request import Says
from hwgen.commands.synthesis import Components, Evaluations, Rules, Synthesize
from hwgen_studies.numbers import Ours
from hwgen_studies.papers import papers
from hwgen_studies.request import DocumentPaper, Names


@dataclass(frozen=True)
class PimsynPaper(
    DocumentPaper, command="paper pimsyn", example="--networks alexnet,cifar_alexnet"
):
    """PIMSYN: tables IV and V and figures 6 to 9; up to an hour for all networks."""

    named = "pimsyn"
    title = "PIMSYN"

    _: KW_ONLY
    networks: Names = None
    power_w: Annotated[
        Real | None,
        Says("peak power, unless a row says otherwise [default: the paper's]", metavar="W"),
    ] = None
    components: Components = None
    rules: Rules = "strict"
    seed: Seed = 1
    evaluations: Evaluations = None
    workers: Workers = 2

    def measured(self) -> Any:
        """Search for every row."""
        from hwgen.crossbar.facts.rules import rules_of
        from hwgen.crossbar.pages.problem import COMPONENTS
        from hwgen_studies.pimsyn_paper.compare import Request, pimsyn_paper
        from hwgen_studies.pimsyn_paper.published import CIFAR, CODE_POWER_W, IMAGENET

        request = Request(
            networks=(*IMAGENET, *CIFAR) if self.networks is None else self.networks,
            power_w=CODE_POWER_W if self.power_w is None else self.power_w,
            components=Path(self.components or COMPONENTS),
            rules=rules_of(self.rules),
            seed=self.seed,
            evaluations=self.evaluations,
            workers=self.workers,
        )
        return pimsyn_paper(self.quiet, request)

    def beside(self, report: Any) -> Mapping[str, Ours]:
        """Return rows of the report, and what shapes and constants say."""
        from hwgen_studies.pimsyn_paper.numbers import ours

        return ours(report)

    def files(self, report: Any) -> Mapping[str, str]:
        """Return page, pictures and JSON."""
        from hwgen_studies.pimsyn_paper.table import paper_files

        return paper_files(report)

    def table(self, report: Any) -> RenderableType:
        """Return the tables."""
        from hwgen_studies.pimsyn_paper.table import paper_table

        return paper_table(report)


@dataclass(frozen=True)
class PimsynSearch(
    Synthesize,
    command="paper pimsyn-search",
    example="vgg16 --power-w 49 --method text --out build/vgg16",
):
    """Find an accelerator as the published search does; its design stands beside our bound.

    Writes what `hwgen synthesize` writes.
    """

    _: KW_ONLY
    method: Annotated[
        Literal["text", "code"],
        Says("the published search, as the paper describes it or as its authors shipped it"),
    ] = "text"

    def check(self) -> None:
        """Refuse streams, and identical macros by the public code, whose own break the budget."""
        super().check()
        if self.objective != "image":
            raise self.refusal(
                "objective", "image: the published search knows no other", self.objective
            )
        if self.cells != "offset":
            raise self.refusal("cells", "offset: the published search knows no others", self.cells)
        if self.identical and self.method == "code":
            allowed = (
                "used with --method text, since identical macros of the public code exceed the"
                " power budget"
            )
            raise self.refusal("identical", allowed, "--method code")

    def other_search(self) -> OtherSearch:
        """Return the published search."""
        from hwgen_studies.pimsyn_paper.methods import METHODS

        return OtherSearch(
            name=self.method, package="hwgen_studies.pimsyn_paper", stage=METHODS[self.method]
        )


add_command(PimsynPaper, papers)
add_command(PimsynSearch, papers)
