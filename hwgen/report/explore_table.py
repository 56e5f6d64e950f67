"""What a search for chips found, as a table for the terminal.

Tests: `tests/report/test_explore.py`.
"""

from collections.abc import Callable, Iterator

from rich.console import Group, RenderableType

from hwgen.report.explore import ExploredChip, ExploredRun, ExploreReport
from hwgen.report.sweep_table import figure, shown
from hwgen.report.tables import NOTHING, number, table

UNITS = {"latency": "cycles", "energy": "uJ", "edp": "uJ cycles"}
"""Of an objective."""
FIGURES: dict[str, Callable[[ExploredRun], str]] = {
    "  cycles": lambda run: number(run.cycles_model),
    "  us": lambda run: figure(run.time_us),
    "  uJ": lambda run: figure(run.energy_uj),
    "  uJ with memory": lambda run: figure(run.with_outside_uj),
}
"""Of a network on a chip."""


def explore_table(report: ExploreReport) -> RenderableType:
    """Return a column for the chip that the search began with, and for each of the front.

    A key that has one value in all of them stands below.
    """
    chips = [report.chips[0], *front_of(report)]
    varying = [key for key in report.keys if len({told(chip, key) for chip in chips}) > 1]
    rows = table(["", "start", *map(str, range(1, len(chips)))], left=1)
    rows.add_row("mm2", *(figure(chip.area_mm2) for chip in chips))
    if len(report.networks) > 1:
        name = f"mean {UNITS[report.objective]}"
        rows.add_row(name, *(figure(chip.objective) for chip in chips))
    for place, each in enumerate(report.networks):
        rows.add_section()
        rows.add_row(each.network.name)
        for name, tell in FIGURES.items():
            rows.add_row(name, *(of_run(chip, place, tell) for chip in chips))
    rows.add_section()
    for key in varying:
        rows.add_row(key, *(told(chip, key) for chip in chips))
    return Group(title(report), "", rows, "", *notes(report, varying))


def front_of(report: ExploreReport) -> list[ExploredChip]:
    """Return the chips of the front, the smallest first."""
    return sorted((chip for chip in report.chips if chip.front), key=lambda chip: chip.area_mm2)


def told(chip: ExploredChip, key: str) -> str:
    """Return a value of a chip, or a dash where the chip leaves the key out."""
    return shown(chip.values[key]) if key in chip.values else NOTHING


def of_run(chip: ExploredChip, place: int, tell: Callable[[ExploredRun], str]) -> str:
    """Return a figure of a network, or a dash where the chip refuses one."""
    return tell(chip.runs[place]) if chip.runs else NOTHING


def title(report: ExploreReport) -> str:
    """Return what the table shows."""
    names = ", ".join(each.network.name for each in report.networks)
    return (
        f"{names}: chips of at most {report.area_mm2:g} mm2 with the least {report.objective}"
        f" at their area, from {report.start.name}"
    )


def notes(report: ExploreReport, varying: list[str]) -> Iterator[str]:
    """Yield what is equal in all rows, what was searched, and how fast."""
    equal = [f"{key}={told(report.best, key)}" for key in report.keys if key not in varying]
    if equal:
        yield f"in all columns: {', '.join(equal)}"
    refused = sum(chip.refused is not None for chip in report.chips)
    yield (
        f"{report.drawn:,} chips drawn: {len(report.chips):,} predicted,"
        f" {report.too_large:,} larger, {report.too_small:,} smaller than"
        f" {report.smallest_mm2:.4g} mm2, {report.illegal:,} illegal; others were drawn before"
    )
    if refused:
        yield f"{refused:,} of the predicted chips refuse a network"
    rate = 60 * report.computed / report.seconds if report.seconds else 0
    yield (
        f"{report.computed:,} predictions in {report.seconds:,.0f} s, {rate:,.0f} a minute;"
        " others were there from an earlier run"
    )
