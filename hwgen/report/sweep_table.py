"""A sweep as a table for the terminal.

Tests: `tests/cli/test_grid.py`.
"""

from collections.abc import Iterator

from rich.console import Group, RenderableType

from hwgen.report.sweep import SweepPoint, SweepReport
from hwgen.report.tables import NOTHING, number, percent, table

COLUMNS = [
    *("cycles", "load stalls", "us an image", "utilization", "uJ an image", "uJ with memory"),
    "mm2",
]


def sweep_table(report: SweepReport) -> RenderableType:
    """Return a row for each combination, and below them each reason for a refusal once."""
    reasons = list(dict.fromkeys(point.refused for point in report.points if point.refused))
    rows = table([*report.keys, *COLUMNS, ""], left=0)
    for point in report.points:
        why = f"refused [{reasons.index(point.refused) + 1}]" if point.refused else ""
        rows.add_row(*map(shown, point.values.values()), *cells(point), why)
    setting = report.setting
    images = f"{report.images} image{'s' if report.images > 1 else ''}"
    title = f"{setting.network.name} on {setting.architecture.name}: cycles of {images}"
    lines = (f"[{place}] {reason}" for place, reason in enumerate(reasons, 1))
    return Group(title, "", rows, *([""] if reasons else []), *lines)


def shown(value: object) -> str:
    """Return a value as YAML writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def cells(point: SweepPoint) -> Iterator[str]:
    """Yield the figures of a row."""
    yield number(point.cycles_model)
    yield number(point.load_cycles_model)
    yield figure(point.time_us)
    yield percent(point.utilization)
    yield figure(point.energy_uj)
    yield figure(point.with_outside_uj)
    yield figure(point.area_mm2)


def figure(value: float | None) -> str:
    """Return a figure with four digits, or a dash."""
    return NOTHING if value is None else f"{value:,.4g}"
