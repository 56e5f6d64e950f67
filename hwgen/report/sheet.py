"""A table of text: as Markdown for a page, and for the terminal."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.table import Table

from hwgen.report.tables import table


@dataclass(frozen=True)
class Sheet:
    """Columns and rows of cells; every page of Markdown has its tables from here.

    rows: a cell for each column; what is no text is written by `str`
    left: of a terminal, so many first columns are text, the others numbers
    """

    columns: Sequence[str]
    rows: Iterable[Iterable[object]]
    left: int = 1

    def markdown(self) -> Iterator[str]:
        """Yield the lines of the table; a bar in a cell is escaped."""
        yield line(self.columns)
        yield line(["---"] * len(self.columns))
        yield from map(line, self.rows)

    def rich(self) -> Table:
        """Return the table for a terminal."""
        shown = table(self.columns, left=self.left)
        for row in self.rows:
            shown.add_row(*map(str, row))
        return shown


def line(cells: Iterable[object]) -> str:
    """Return a line of a table in Markdown."""
    told = (str(cell).replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(told)} |"
