"""ADCs that two layers share: what it delays, and how many are saved (Fig. 5)."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hwgen_studies.comparison import PaperRow, row
from hwgen_studies.pimsyn_paper.rows import mean
from hwgen_studies.pimsyn_paper.searches import Searches

if TYPE_CHECKING:
    from hwgen.crossbar.synthesis.result import Candidate, SearchResult
    from hwgen_studies.pimsyn_paper.adc_reuse import Reuse

NEAR, FAR = "neighbours", "far apart"


def reuse_rows(searches: Searches, found: dict[str, "SearchResult | None"]) -> Iterator[PaperRow]:
    """Yield Fig. 5: pairs of convolutions next to each other, and far apart."""
    for name, result in found.items():
        pairs = pairs_of(searches, name, result.best) if result else []
        groups = {
            NEAR: [each for each in pairs if each.distance == 1],
            FAR: [each for each in pairs if 2 * each.distance >= each.span > 1],
        }
        for where, group in groups.items():
            delays = [each.delay for each in group]
            adcs = [each.adcs for each in group]
            for figure, what, ours in (
                ("delay of an image", "(a)", mean(delays)),
                ("ADCs of the chip", "(b)", mean(adcs)),
            ):
                yield row(
                    "Fig. 5",
                    f"{figure}, ADCs shared / not, {where} {what}",
                    name,
                    published=None,
                    ours=ours,
                    unit="x",
                    reason=reason_for(where, len(group)),
                )


def pairs_of(searches: Searches, name: str, best: "Candidate") -> list["Reuse"]:
    """Return what each pair of convolutions costs and saves in the best design of a network."""
    from hwgen.crossbar.model.record import design_of
    from hwgen.crossbar.model.tables import make_tables
    from hwgen_studies.pimsyn_paper.adc_reuse import reuse

    request = searches.request
    tables = make_tables(
        searches.network(name), searches.components, best.point, best.budget_w, request.rules
    )
    design = design_of(**best.chosen.as_json())
    return reuse(tables, design, best.memory, best.step_ns)


def reason_for(where: str, pairs: int) -> str:
    """Return what was measured, and why there is nothing to compare it with."""
    if not pairs:
        return "The search found no design with such a pair of convolutions."
    apart = "at least half the network apart" if where == FAR else "next to each other"
    return (
        "The plots carry no numbers and are of an example that is not named; ours is the design of "
        f"the best efficiency, its own pairs parted, with its step and scratchpads: the mean over "
        f"{pairs} pairs of convolutions {apart}, each alone."
    )
