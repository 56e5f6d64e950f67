"""Accuracy under effects as a table for the terminal.

Tests: `tests/commands/test_effects.py`.
"""

from rich.console import Group, RenderableType

from hwgen.report.effects import EffectsReport
from hwgen.report.sweep_table import shown
from hwgen.report.tables import NOTHING, table


def effects_table(report: EffectsReport) -> RenderableType:
    """Return a row for each combination of values: mean, least and most over the seeds."""
    by_layer = any(point.layer is not None for point in report.points)
    first = ["what errs"] if by_layer else []
    supplied = any(point.cell_energy is not None for point in report.points)
    last = ["energy of cells"] if supplied else []
    rows = table([*first, *report.keys, "mean", "least", "most", *last], left=len(first))
    for point in report.points:
        figures = (point.mean, point.least, point.most)
        rows.add_row(
            *([point.layer or "all layers"] if by_layer else []),
            *map(shown, point.values.values()),
            *(f"{100 * each:.1f} %" for each in figures),
            *([NOTHING if point.cell_energy is None else f"{point.cell_energy:.2f}"] * supplied),
        )
    setting = report.setting
    title = (
        f"{setting.network.name} on {setting.architecture.name}, devices of {report.effects.name}:"
        f" accuracy of {report.images} images over {len(report.seeds)} seeds"
    )
    exact = (
        f"without effects {100 * report.exact:.1f} %; the choice of the images alone moves an"
        f" accuracy by {100 * report.deviation:.1f} points (one deviation)"
    )
    return Group(title, "", rows, "", exact)
