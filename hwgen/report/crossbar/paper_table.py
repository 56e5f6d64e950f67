"""What `hwgen paper` tells a person."""

from itertools import groupby

from rich.console import Group, RenderableType
from rich.table import Table

from hwgen.report.crossbar.paper import PaperReport, PaperRow
from hwgen.report.tables import NOTHING, table

COLUMNS = ["figure", "what", "network", "published", "ours", "unit", "deviation"]


def paper_table(report: PaperReport) -> RenderableType:
    """Return a row for each figure, and below them each reason once."""
    reasons = list(dict.fromkeys(row.reason for row in report.rows))
    return Group(
        f"{report.paper}: published and ours, {report.rules} rules,"
        f" {report.power_budget_w:g} W unless a row says otherwise",
        "",
        figure_table(report.rows, reasons),
        "",
        *(f"[{place}] {reason}" for place, reason in enumerate(reasons, 1)),
    )


def figure_table(rows: list[PaperRow], reasons: list[str]) -> Table:
    """Return the rows, those of one figure together, each with the number of its reason."""
    shown = table([*COLUMNS, "why"], left=3)
    shown.columns[1].no_wrap = False
    for _, group in groupby(rows, key=lambda row: row.figure):
        shown.add_section()
        for row in group:
            shown.add_row(
                row.figure,
                row.what,
                row.network or "",
                figure(row.published),
                figure(row.ours),
                row.unit,
                NOTHING if row.deviation_percent is None else f"{row.deviation_percent:+.1f}%",
                f"\\[{reasons.index(row.reason) + 1}]",
            )
    return shown


def figure(value: float | None) -> str:
    """Return a figure with four digits, or a dash."""
    return NOTHING if value is None else f"{value:,.4g}"
