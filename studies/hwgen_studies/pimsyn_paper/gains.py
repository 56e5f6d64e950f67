"""What each part of the search is worth (Figs. 7 to 9), and ours against the published search."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hwgen_studies.comparison import PaperRow, row
from hwgen_studies.pimsyn_paper.chips import throughput_of
from hwgen_studies.pimsyn_paper.published import GAINS, IMAGENET, Gain
from hwgen_studies.pimsyn_paper.rows import mean, over, ratio
from hwgen_studies.pimsyn_paper.searches import Reached, Searches

if TYPE_CHECKING:
    from hwgen.crossbar.synthesis.result import SearchResult

Found = dict[tuple[str, str], Reached | None]
"""By network and method."""

OURS, OURS_UNSHARED = "bounded", "bounded_unshared"

WITH = {"text": GAINS, OURS: {OURS_UNSHARED: GAINS["unshared"]}}
"""By whole search: its ablations."""

SEARCH = {
    "text": "our implementation of the paper's text",
    OURS: "the default search",
}

EFFORT = {
    "text": "{:,} evaluations of the whole search, spread evenly over points and weight "
    "duplications, and as many for each weight duplication of an ablation",
    OURS: "{:,} evaluations each",
}
"""What each search of a comparison may spend."""

WHY = {
    "proportional": "annealed copies are chosen by Eq. 4, which knows nothing of macros, ADCs and "
    "the power that they take",
    "none": "the paper only says `tens of times lower`; a design without copies that leaves the "
    "budget unspent saves energy, which efficiency counts and throughput does not",
    "identical": "here the raised counts keep to the power budget, which the public code breaks",
    "unshared": "of its evaluations few meet a pair that gains, since the layers of a pair wait "
    "for each other",
    OURS_UNSHARED: "the default search finds good designs without sharing, too",
}


def compare(searches: Searches, names: tuple[str, ...]) -> Found:
    """Return what all methods reach with equal evaluations."""
    found: Found = dict(searches.published(names))
    for name in names:
        for method, sharing in ((OURS, True), (OURS_UNSHARED, False)):
            result = searches.bounded(
                name, searches.request.power_w, evaluations=searches.compared, sharing=sharing
            )
            found[name, method] = from_result(searches, name, result)
    return found


def from_result(searches: Searches, name: str, result: "SearchResult | None") -> Reached | None:
    """Return the figures of the best design of the default search."""
    if result is None:
        return None
    return Reached(
        efficiency_gops_per_w=result.best.efficiency_gops_per_w,
        throughput_gops=throughput_of(searches, name, result.best),
        peak_w=result.best.peak_w,
    )


def gain_rows(searches: Searches, names: tuple[str, ...], found: Found) -> Iterator[PaperRow]:
    """Yield Figs. 7 to 9."""
    for whole, ablations in WITH.items():
        for without, gain in ablations.items():
            for what in ("efficiency", "throughput"):
                yield from rows_of(searches, names, found, (whole, without, gain, what))


def rows_of(
    searches: Searches,
    names: tuple[str, ...],
    found: Found,
    subject: tuple[str, str, Gain, str],
) -> Iterator[PaperRow]:
    """Yield each network, and their mean."""
    whole, without, gain, what = subject
    said = f"{what}, {gain.feature} ({whole})"
    effort = f"{SEARCH[whole]}, {EFFORT[whole].format(searches.compared)}"
    values: list[float | None] = []
    for name in names:
        one, other = found[name, whole], found[name, without]
        value = ratio(figure(one, what), figure(other, what))
        values.append(value)
        reason = f"The bars carry no numbers; ours is {effort}."
        if value is None:
            reason = f"One of the two finds no design within the budget; ours is {effort}."
        yield row(gain.figure, said, name, published=None, ours=value, unit="x", reason=reason)
    yield row(
        gain.figure,
        f"{said}, mean",
        None,
        published=getattr(gain, what),
        ours=mean(values),
        unit="x",
        reason=f"Over {over(names, IMAGENET)}, {effort}: {WHY[without]}.",
    )


def figure(reached: Reached | None, what: str) -> float | None:
    """Return efficiency or throughput; None where nothing was found."""
    if reached is None:
        return None
    efficiency = what == "efficiency"
    return reached.efficiency_gops_per_w if efficiency else reached.throughput_gops


def search_rows(searches: Searches, names: tuple[str, ...], found: Found) -> Iterator[PaperRow]:
    """Yield ours against our implementation of the published search."""
    said = {
        OURS: f"The default search; {searches.compared:,} evaluations, its bounds come on top.",
        "text": "Our implementation of what the paper's text says, with the same evaluations, for "
        "which the paper gives no figure.",
        "code": "Our implementation of what the public code does, defects included, with the same "
        "evaluations and an audited budget.",
    }
    for name in names:
        for method, reason in said.items():
            reached = found[name, method]
            yield row(
                "search",
                f"efficiency, {method} search",
                name,
                published=None,
                ours=figure(reached, "efficiency"),
                unit="GOPS/W",
                reason=reason if reached else f"Nothing fits. {reason}",
            )
