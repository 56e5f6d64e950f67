"""Small images: energy, latency and their product (Table V)."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hwgen.commands.load import load
from hwgen.crossbar.pages.published import GIBBON, PIMSYN, Image
from hwgen.report.paper import PaperRow, row
from hwgen.studies.pimsyn_paper.searches import Searches

if TYPE_CHECKING:
    from hwgen.crossbar.synthesis.result import SearchResult

UNITS = {"edp_ms_mj": "ms mJ", "energy_mj": "mJ", "latency_ms": "ms"}
WORDS = {"edp_ms_mj": "EDP", "energy_mj": "energy", "latency_ms": "latency"}

DIGITS = 3

ENOUGH = 1.25
"""A budget of so many times the least leaves something to choose."""


def image_rows(searches: Searches, names: tuple[str, ...]) -> Iterator[PaperRow]:
    """Yield Table V at the paper's mean power, a little above the least, and at the budget."""
    for name in names:
        mean_w = float(f"{PIMSYN[name].mean_w:.{DIGITS}g}")
        least = load("hwgen.crossbar.model.least").least_power_w(
            searches.network(name), searches.components, searches.request.rules
        )
        budgets = [mean_w, searches.request.power_w]
        if least is not None and least > mean_w:
            budgets.insert(1, float(f"{ENOUGH * least:.{DIGITS}g}"))
        for power_w in budgets:
            evaluations = searches.request.evaluations
            result = searches.bounded(name, power_w, evaluations=evaluations)
            ours = least_edp(result) if result else None
            for who, published in (("PIMSYN", PIMSYN[name]), ("Gibbon", GIBBON[name])):
                reason = reason_for(who, mean_w, power_w, ours, least)
                yield from rows_of(name, f"{who}; ours at {power_w:.3g} W", published, ours, reason)


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


def least_edp(result: "SearchResult") -> Image:
    """Return the figures of the confirmed design with the least energy-delay product."""
    images = []
    for candidate in result.candidates:
        latency = candidate.steps * candidate.step_ns / 1e6
        energy = candidate.energy_nj / 1e6
        images.append(Image(edp_ms_mj=latency * energy, energy_mj=energy, latency_ms=latency))
    return min(images, key=lambda image: image.edp_ms_mj)


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
