"""Published figures beside ours, with the deviation and the reason: rows and their table."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from pydantic.dataclasses import dataclass
from rich.console import Group, RenderableType
from rich.table import Table

from hwgen.files.load import EXACT
from hwgen.report.tables import NOTHING, table

COLUMNS = ["figure", "what", "network", "published", "ours", "unit", "deviation"]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class PaperRow:
    """One figure.

    figure: table or figure of the paper, or where else it was published; what: in words
    network: null for what is of no single network
    published, ours: null for what cannot be had; `reason` then says why
    deviation_percent: of ours from published, null if one of them is
    """

    figure: str
    what: str
    network: str | None
    published: float | None
    ours: float | None
    unit: str
    deviation_percent: float | None
    reason: str


def row(
    figure: str,
    what: str,
    network: str | None,
    *,
    published: float | None,
    ours: float | None,
    unit: str,
    reason: str,
) -> PaperRow:
    """Return a row with its deviation."""
    deviation = None
    if published is not None and ours is not None:
        deviation = 100 * (ours / published - 1)
    return PaperRow(
        figure=figure,
        what=what,
        network=network,
        published=None if published is None else float(published),
        ours=None if ours is None else float(ours),
        unit=unit,
        deviation_percent=deviation,
        reason=reason,
    )


def rows_table(rows: Sequence[PaperRow]) -> RenderableType:
    """Return a row for each figure, and below them each reason once."""
    reasons = reasons_of(rows)
    lines = (f"[{place}] {reason}" for place, reason in enumerate(reasons, 1))
    return Group(figure_table(rows, reasons), "", *lines)


def reasons_of(rows: Sequence[PaperRow]) -> list[str]:
    """Return every reason once, in the order of the rows."""
    return list(dict.fromkeys(row.reason for row in rows))


def figure_table(rows: Sequence[PaperRow], reasons: list[str]) -> Table:
    """Return the rows, those of one figure together, each with the number of its reason."""
    shown = table([*COLUMNS, "why"], left=3)
    shown.columns[1].no_wrap = False
    for _, group in groupby(rows, key=lambda row: row.figure):
        shown.add_section()
        for row in group:
            shown.add_row(*cells(row), f"\\{why(row, reasons)}")
    return shown


def cells(row: PaperRow) -> Iterator[str]:
    """Yield the cells of a row but for the last one."""
    yield row.figure
    yield row.what
    yield row.network or ""
    yield figure(row.published)
    yield figure(row.ours)
    yield row.unit
    yield NOTHING if row.deviation_percent is None else f"{row.deviation_percent:+.1f}%"


def why(row: PaperRow, reasons: list[str]) -> str:
    """Return the number of the reason of a row."""
    return f"[{reasons.index(row.reason) + 1}]"


def figure(value: float | None) -> str:
    """Return a figure with four digits, or a dash."""
    return NOTHING if value is None else f"{value:,.4g}"
