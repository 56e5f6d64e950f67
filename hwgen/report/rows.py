"""A table for the terminal that cuts no cell.

Tests: `tests/report/test_rows.py`.
"""

from collections.abc import Iterator
from copy import copy
from dataclasses import replace

from rich.console import Console, ConsoleOptions
from rich.measure import Measurement
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

ANY_WIDTH = 1 << 16
"""Columns of a terminal in which every row fits."""


class Rows(Table):
    """Rows without a frame; no line ends with blanks.

    Where the terminal is too narrow, a last column of `bars` goes first. Then texts wrap between
    words, the last column first, then headings of numbers, then numbers with their units. A row
    that is still too wide is printed as it is, for the terminal to wrap.
    """

    bars = False

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        """Yield the lines."""
        free, widths, steps = options.update(width=ANY_WIDTH), [], []
        for place, column in enumerate(self.columns):
            cells = [column.header, *column.cells]
            head, *found = (Measurement.get(console, free, cell) for cell in cells)
            word = max(each.minimum for each in (head, *found))
            whole = max(head.minimum, *(each.maximum for each in found), 1)
            widths.append(max(head.maximum, whole))
            text = column.justify == "left"
            steps += [(0, -place, word)] if text else [(1, -place, whole), (2, -place, word)]
        if self.bars and sum(widths) + len(widths) - 1 > options.max_width:
            widths.pop()
        for _, place, least in sorted(steps):
            if -place < len(widths):
                over = sum(widths) + len(widths) - 1 - options.max_width
                widths[-place] = max(least, widths[-place] - max(0, over))
        shown = copy(self)
        columns = zip(self.columns, widths, strict=False)  # fewer widths without bars
        shown.columns = [replace(column, width=width) for column, width in columns]
        made = Table.__rich_console__(shown, console, free)
        for line in Segment.split_lines(each for each in made if isinstance(each, Segment)):
            parts = ((each.text, each.style or "") for each in line)
            row = Text.assemble(*parts, no_wrap=True, overflow="ignore")
            row.rstrip()
            yield row
