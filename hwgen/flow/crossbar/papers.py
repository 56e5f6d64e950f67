"""The papers that this family compares itself with: what `hwgen paper` finds of it."""

from collections.abc import Mapping
from typing import Any

from rich.console import RenderableType

from hwgen.flow.context import Context
from hwgen.flow.crossbar.paper import Request, pimsyn_paper
from hwgen.flow.crossbar.synthesize import COMPONENTS
from hwgen.flow.pages import Paper, PaperRequest
from hwgen.report.crossbar.paper_table import paper_files, paper_table
from hwgen.spec.crossbar.published import CIFAR, CODE_POWER_W, IMAGENET
from hwgen.spec.crossbar.rules import rules_of


class Pimsyn:
    """PIMSYN's tables IV and V and figures 6 to 9; up to an hour for all networks."""

    OPTIONS = (*("networks", "power_w", "components", "rules", "seed", "evaluations", "workers"),)

    def compare(self, context: Context, request: PaperRequest) -> Any:
        asked = Request(
            networks=(*IMAGENET, *CIFAR) if request.networks is None else request.networks,
            power_w=CODE_POWER_W if request.power_w is None else request.power_w,
            components=request.components or COMPONENTS,
            rules=rules_of(request.rules),
            seed=request.seed,
            evaluations=request.evaluations,
            workers=request.workers,
        )
        return pimsyn_paper(context, asked)

    def table(self, report: Any) -> RenderableType:
        return paper_table(report)

    def files(self, report: Any) -> Mapping[str, str]:
        return paper_files(report)


PAPERS: dict[str, Paper] = {"pimsyn": Pimsyn()}
