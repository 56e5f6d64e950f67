"""Small images: energy, latency and their product (Table V)."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from hwgen_studies.comparison import PaperRow, row
from hwgen_studies.pimsyn_paper.published import GIBBON, GIBBON_100, PIMSYN, PIMSYN_100
from hwgen_studies.pimsyn_paper.published_chips import Image
from hwgen_studies.pimsyn_paper.searches import Searches

if TYPE_CHECKING:
    from hwgen.crossbar.model.evaluate import Cost
    from hwgen.crossbar.synthesis.result import Candidate, SearchResult

UNITS = {"edp_ms_mj": "ms mJ", "energy_mj": "mJ", "latency_ms": "ms"}
WORDS = {"edp_ms_mj": "EDP", "energy_mj": "energy", "latency_ms": "latency"}

DIGITS = 3

HUNDRED = 100
"""Classes of CIFAR-100."""

ENOUGH = 1.25
"""A budget of so many times the least leaves something to choose."""


def image_rows(searches: Searches, names: tuple[str, ...]) -> Iterator[PaperRow]:
    """Yield Table V at the paper's mean power, a little above the least, and at the budget."""
    for name in names:
        mean_w = float(f"{PIMSYN[name].mean_w:.{DIGITS}g}")
        from hwgen.crossbar.model.least import least_power_w

        least = least_power_w(searches.network(name), searches.components, searches.request.rules)
        budgets = [mean_w, searches.request.power_w]
        if least is not None and least > mean_w:
            budgets.insert(1, float(f"{ENOUGH * least:.{DIGITS}g}"))
        for power_w in budgets:
            evaluations = searches.request.evaluations
            result = searches.bounded(name, power_w, evaluations=evaluations)
            best = least_edp(result) if result else None
            ours = image_of(best) if best else None
            for who, published in (("PIMSYN", PIMSYN[name]), ("Gibbon", GIBBON[name])):
                reason = reason_for(who, mean_w, power_w, ours, least)
                yield from rows_of(name, f"{who}; ours at {power_w:.3g} W", published, ours, reason)
            hundred = with_classes(searches, name, power_w, best) if best else None
            for who, published in (("PIMSYN", PIMSYN_100[name]), ("Gibbon", GIBBON_100[name])):
                what = f"{who}, CIFAR-100; ours at {power_w:.3g} W"
                reason = reason_for(who, mean_w, power_w, hundred or ours, least)
                reason = reason_of_hundred(reason, ours, hundred)
                yield from rows_of(name, what, published, hundred, reason)


def rows_of(
    name: str, who: str, published: Image, ours: Image | None, reason: str
) -> Iterator[PaperRow]:
    """Yield the three figures of an image."""
    for key, unit in UNITS.items():
        yield row(
            "Table V",
            f"{WORDS[key]}, {who}",
            name,
            published=getattr(published, key),
            ours=None if ours is None else getattr(ours, key),
            unit=unit,
            reason=reason,
        )


def least_edp(result: "SearchResult") -> "Candidate":
    """Return the confirmed design with the least energy-delay product."""
    return min(result.candidates, key=lambda each: image_of(each).edp_ms_mj)


def image_of(judged: "Candidate | Cost") -> Image:
    """Return what an image costs a design."""
    latency = float(judged.steps * judged.step_ns) / 1e6
    energy = float(judged.energy_nj) / 1e6
    return Image(edp_ms_mj=latency * energy, energy_mj=energy, latency_ms=latency)


def with_classes(searches: Searches, name: str, power_w: float, best: "Candidate") -> Image | None:
    """Return what an image of CIFAR-100 costs the design that was found for CIFAR-10.

    Only the last layer differs: it has 100 outputs. None: the budget does not hold them.
    """
    from hwgen.crossbar.model.evaluate import evaluate
    from hwgen.crossbar.model.least import is_within
    from hwgen.crossbar.model.record import design_of
    from hwgen.crossbar.model.tables import make_tables

    network = searches.network(name)
    last = replace(network.layers[-1], out_channels=HUNDRED)
    given = replace(network, layers=(*network.layers[:-1], last)), searches.components
    tables = make_tables(*given, best.point, best.budget_w, searches.request.rules)
    design = design_of(**best.chosen.as_json())
    cost: Cost = evaluate(tables, design, True)
    fits = is_within(cost, power_w)
    return image_of(cost) if fits else None


def reason_of_hundred(reason: str, ten: Image | None, hundred: Image | None) -> str:
    """Return a reason for CIFAR-100 from that for CIFAR-10."""
    if ten is None:
        return reason
    if hundred is None:
        return "The design that was found for 10 classes does not hold 100 within the budget."
    return f"{reason[:-1]}; it is the design found for 10 classes, with 100 in its last layer."


def reason_for(
    who: str, mean_w: float, power_w: float, ours: Image | None, least: float | None
) -> str:
    """Return why our figures differ, or why there are none."""
    if ours is None and (least is None or power_w >= least):
        return f"The search found no design within {power_w:.3g} W with its evaluations."
    if ours is None:
        return (
            f"No design has a peak of {power_w:.3g} W or less: one copy of all 16-bit weights "
            f"needs {least:.3g} W, and the figures in the paper are means of power."
        )
    used = f"ours use {ours.energy_mj / ours.latency_ms:.3g} W on the mean"
    if who == "Gibbon":
        return (
            "Gibbon's chip has constants and networks of its own, and no stated power budget; "
            f"{used}."
        )
    if power_w == mean_w:
        return f"The paper's own mean power is taken for a peak here, which is harder; {used}."
    return (
        f"The paper's figures mean {mean_w:.3g} W, their peak is not stated; Gibbon's trained "
        f"networks are not public, ours are the usual ones; {used}."
    )
