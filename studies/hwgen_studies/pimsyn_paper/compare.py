"""`hwgen paper`: the published tables and figures beside ours."""

from collections.abc import Iterator

from hwgen.commands.context import Context
from hwgen.crossbar.facts.components import load_components
from hwgen.crossbar.facts.rules import name_of
from hwgen.crossbar.pages.problem import check_power
from hwgen.errors import ConfigError
from hwgen.files.digests import versions
from hwgen.files.shipped import shown
from hwgen.report.types import Source
from hwgen_studies.comparison import PaperRow
from hwgen_studies.pimsyn_paper.chips import code_rows, isaac_rows, peak_rows
from hwgen_studies.pimsyn_paper.gains import compare, gain_rows, search_rows
from hwgen_studies.pimsyn_paper.images import image_rows
from hwgen_studies.pimsyn_paper.parameters import parameter_rows, space_rows
from hwgen_studies.pimsyn_paper.published import CIFAR, IMAGENET
from hwgen_studies.pimsyn_paper.report import PaperReport
from hwgen_studies.pimsyn_paper.reuse import reuse_rows
from hwgen_studies.pimsyn_paper.searches import Request, Searches, searches

__all__ = ["Request", "pimsyn_paper"]


def pimsyn_paper(context: Context, request: Request) -> PaperReport:
    """Return PIMSYN's tables and figures beside ours; finished searches are cached."""
    check_power(request.power_w)
    check_networks(request.networks)
    components = load_components(request.components)
    with searches(context, request, components) as each:
        rows = list(rows_of(each))
        compared = each.compared
    return PaperReport(
        format="hwgen.report.paper",
        version=1,
        paper="PIMSYN",
        components=Source(
            name=components.name, file=shown(request.components), digest=components.digest
        ),
        networks=list(request.networks),
        rules=name_of(request.rules),
        power_budget_w=float(request.power_w),
        seed=request.seed,
        evaluations=request.evaluations,
        compared_evaluations=compared,
        rows=rows,
        versions=versions(),
    )


def check_networks(names: tuple[str, ...]) -> None:
    """Refuse a network that the paper does not have."""
    known = (*IMAGENET, *CIFAR)
    for name in names or ("",):
        if name not in known:
            raise ConfigError(
                field="--networks",
                allowed=f"some of {','.join(known)}, with commas between",
                given=name or "nothing",
                source="command line",
            )


def rows_of(each: Searches) -> Iterator[PaperRow]:
    """Yield all rows, in the order of the paper."""
    request = each.request
    names = tuple(name for name in IMAGENET if name in request.networks)
    small = tuple(name for name in CIFAR if name in request.networks)
    best = {
        name: each.bounded(name, request.power_w, evaluations=request.evaluations) for name in names
    }
    yield from space_rows(each, names)
    yield from reuse_rows(each, best)
    yield from parameter_rows(each)
    if names:
        yield from peak_rows(each, best)
        yield from isaac_rows(each, names)
    yield from image_rows(each, small)
    if names:
        found = compare(each, names)
        yield from gain_rows(each, names, found)
        yield from code_rows(each, best)
        yield from search_rows(each, names, found)
