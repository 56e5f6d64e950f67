"""Whole chips: peak efficiency (Table IV), against ISAAC (Fig. 6), the public code's figures."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hwgen.crossbar.facts.rules import PUBLISHED
from hwgen_studies.comparison import PaperRow, row
from hwgen_studies.pimsyn_paper.published import (
    CODE_GOPS_PER_W,
    CODE_POWER_W,
    IMAGENET,
    OVER_ISAAC,
    SYNTHESIS_HOURS,
)
from hwgen_studies.pimsyn_paper.published_chips import PEAK_TOPS_PER_W
from hwgen_studies.pimsyn_paper.rows import mean, over
from hwgen_studies.pimsyn_paper.searches import Searches

if TYPE_CHECKING:
    from hwgen.crossbar.model.record import Confirmed
    from hwgen.crossbar.synthesis.result import Candidate, SearchResult
    from hwgen_studies.pimsyn_paper.isaac import Isaac

EFFICIENCY, STREAM, SINGLE = "efficiency", "throughput, stream,", "throughput, one image,"
MEASURES = {EFFICIENCY: "efficiency", STREAM: "throughput", SINGLE: "throughput"}
"""What ours is compared with ISAAC by, and what the paper calls it."""

NOT_MODELLED = ("PipeLayer", "PRIME", "PUMA", "Atomlayer")
"""Chips of Table IV."""


def peak_rows(searches: Searches, found: dict[str, "SearchResult | None"]) -> Iterator[PaperRow]:
    """Yield Table IV."""
    from hwgen_studies.pimsyn_paper import isaac
    from hwgen_studies.pimsyn_paper.ceiling import peak_ceiling

    rules = searches.request.rules
    ceiling = peak_ceiling(searches.components, rules) / 1e3
    for name, result in found.items():
        ours = peak_of(searches, name, result) if result else None
        yield row(
            "Table IV",
            "peak efficiency, PIMSYN",
            name,
            published=PEAK_TOPS_PER_W["PIMSYN"],
            ours=ours,
            unit="TOPS/W",
            reason=peak_reason(searches, ceiling),
        )
    more = (
        ", and strict rules hold accesses to the eDRAM in the peak"
        if rules.static_plus_dynamic
        else ""
    )
    yield row(
        "Table IV",
        "peak efficiency, ISAAC",
        None,
        published=PEAK_TOPS_PER_W["ISAAC"],
        ours=isaac.peak_efficiency(searches.components, rules) / 1e3,
        unit="TOPS/W",
        reason="A chip of 168 full tiles with PIMSYN's constants instead of ISAAC's own: no "
        "registers, sample-and-hold or links between chips, and ADCs of 1 sample a ns, not 1.28"
        f"{more}.",
    )
    for name in NOT_MODELLED:
        yield row(
            "Table IV",
            f"peak efficiency, {name}",
            None,
            published=PEAK_TOPS_PER_W[name],
            ours=None,
            unit="TOPS/W",
            reason="Not modelled: neither PIMSYN nor its code gives the parts of this chip, their "
            "counts and powers, and without them a peak made of PIMSYN's constants would be that "
            "of ISAAC again.",
        )


def peak_reason(searches: Searches, ceiling: float) -> str:
    """Return why our peak efficiency differs."""
    cut = ""
    if searches.request.rules == PUBLISHED:
        cut = ", except that published rules do not charge fully connected layers for their ADCs"
    return (
        "The paper names neither network, power nor design; with the public code's constants a "
        f"crossbar with its ADCs and DACs reaches at most {ceiling:.3g} TOPS/W{cut}, and our chip "
        "is made for the efficiency of a network, with an audited peak power."
    )


def peak_of(searches: Searches, name: str, result: "SearchResult") -> float:
    """Return the peak efficiency of the best design in TOPS/W."""
    from hwgen.crossbar.model.audit import audit
    from hwgen.crossbar.model.breakdown import peak_gops_per_w
    from hwgen.crossbar.model.record import make_arch
    from hwgen.crossbar.synthesis.result import confirm

    found = confirm(searches.network(name), searches.components, result, result.best)
    arch = make_arch(found, name)
    items = audit(arch, searches.components)
    peak = peak_gops_per_w(found, arch, items)
    return float(peak) / 1e3


def isaac_rows(searches: Searches, names: tuple[str, ...]) -> Iterator[PaperRow]:
    """Yield Fig. 6: each network, then least, mean and most of all of them."""
    ratios: dict[str, list[float]] = {what: [] for what in MEASURES}
    for name in names:
        from hwgen.crossbar.synthesis.result import confirm
        from hwgen_studies.pimsyn_paper.isaac import best_isaac

        chip: Isaac = best_isaac(
            searches.network(name),
            searches.components,
            power_w=searches.request.power_w,
            rules=searches.request.rules,
        )
        watts = float(chip.cost.peak_w)
        result = searches.bounded(name, watts, evaluations=searches.request.evaluations)
        ours = {}
        if result:
            best = confirm(searches.network(name), searches.components, result, result.best)
            ours = over_isaac(best, chip)
        used = f"ours needs {result.best.peak_w:.4g} W of them" if result else "ours finds none"
        for what in MEASURES:
            ratios[what] += [ours[what]] if what in ours else []
            yield row(
                "Fig. 6",
                f"{what} over ISAAC",
                name,
                published=None,
                ours=ours.get(what),
                unit="x",
                reason="The bars carry no numbers; ours, the design of the best efficiency, and an "
                f"ISAAC of {chip.tiles} tiles ({chip.cost.efficiency:.4g} GOPS/W, "
                f"{chip.throughput_gops:.4g} GOPS) have the same {watts:.4g} W, {used}.",
            )
    for what, values in ratios.items():
        yield from isaac_summary(what, values, over(names, IMAGENET))


def over_isaac(ours: "Confirmed", chip: "Isaac") -> dict[str, float]:
    """Return how many times better ours is than an ISAAC; its stream is as fast as its layers."""
    return {
        EFFICIENCY: float(ours.cost.efficiency / chip.cost.efficiency),
        STREAM: ours.throughput_gops / chip.throughput_gops,
        SINGLE: float(chip.cost.steps * chip.cost.step_ns)
        / float(ours.cost.steps * ours.cost.step_ns),
    }


def isaac_summary(what: str, values: list[float], networks: str) -> Iterator[PaperRow]:
    """Yield least, mean and most of one measure."""
    said = OVER_ISAAC[MEASURES[what]]
    for kind, published, ours in (
        ("least", said.least, min(values, default=None)),
        ("mean", said.mean, mean(values)),
        ("most", said.most, max(values, default=None)),
    ):
        yield row(
            "Fig. 6",
            f"{what} over ISAAC, {kind}",
            None,
            published=published,
            ours=ours,
            unit="x",
            reason="ISAAC has the same constants, rules and watts, and as many tiles as make it "
            "best, where the paper says neither its chips nor its watts, nor whether throughput is "
            "that of a stream or of single images; our stream is simulated, that of ISAAC is as "
            f"fast as its slowest layer; over {networks}.",
        )


def throughput_of(searches: Searches, name: str, candidate: "Candidate") -> float:
    """Return GOPS in a steady stream of images, as layers and shared ADCs allow at most."""
    return searches.operations(name) / (candidate.interval_steps * candidate.step_ns)


def code_rows(searches: Searches, found: dict[str, "SearchResult | None"]) -> Iterator[PaperRow]:
    """Yield what the public code reaches, and how long the paper says that it takes."""
    request = searches.request
    reason = (
        "The default search, with shared macros and a proven bound, keeps an audited budget, which "
        "the shipped AlexNet does not (78.1 W of 49 W)"
    )
    if request.rules != PUBLISHED:
        reason += "; strict rules charge what the code leaves out, most of all the ADCs of fully"
        reason += " connected layers"
    if request.evaluations is not None:
        reason += f", here with {request.evaluations:,} evaluations only"
    if request.power_w != CODE_POWER_W:
        reason += f"; the code's budget is {CODE_POWER_W:g} W"
    for name, result in found.items():
        for what, published in CODE_GOPS_PER_W.get(name, ()):
            yield row(
                "public code",
                f"efficiency, {what}",
                name,
                published=published,
                ours=result.best.efficiency_gops_per_w if result else None,
                unit="GOPS/W",
                reason=f"{reason}.",
            )
    yield row(
        "Section V",
        "time of a synthesis",
        None,
        published=SYNTHESIS_HOURS,
        ours=None,
        unit="h",
        reason="Left out, so that the same command writes the same report on any machine; "
        "`hwgen synthesize` counts evaluations and is meant to take a minute.",
    )
