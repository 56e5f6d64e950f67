"""The position vectors of a step in their order, and the bands into which cores divide them.

Tests: `tests/dbpim/compiler/test_content.py`.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from hwgen.dbpim.compiler.ops import Window
from hwgen.dbpim.facts.arch import Arch

UNEVEN = 9 / 8
"""A split at whole rows may give the busiest core so many times the vectors of an even split."""

Rows = tuple[int, int]
"""First stored row, and the row after the last one."""
NO_ROWS: Rows = (0, 0)


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Output positions of a step: columns first_column .. width - 1 of rows first .. end - 1.

    number: of the first image in the placements; images: how many follow each other
    vector: rows and columns of a position vector
    """

    width: int
    first_column: int
    first_row: int
    end_row: int
    number: int
    images: int
    vector: tuple[int, int]

    @property
    def row_vectors(self) -> int:
        """Position vectors beside each other."""
        return -(-(self.width - self.first_column) // self.vector[1])

    @property
    def image_units(self) -> int:
        """Rows of position vectors in an image."""
        return -(-(self.end_row - self.first_row) // self.vector[0])

    @property
    def vectors(self) -> int:
        """Position vectors of all images."""
        return self.row_vectors * self.image_units * self.images

    @property
    def positions(self) -> int:
        """Output positions of all images."""
        rows = self.end_row - self.first_row
        return (self.width - self.first_column) * rows * self.images

    def start(self, vector: int) -> tuple[int, int, int]:
        """Return image, row and column of the first position of a vector."""
        image, rest = divmod(vector, self.row_vectors * self.image_units)
        unit, place = divmod(rest, self.row_vectors)
        return (
            self.number + image,
            self.first_row + unit * self.vector[0],
            self.first_column + place * self.vector[1],
        )

    def read_rows(self, span: Rows, window: Window, height: int, image_rows: int) -> Rows:
        """Return the stored input rows that the vectors of a span read."""
        if span[0] >= span[1]:
            return NO_ROWS
        first_image, first, _ = self.start(span[0])
        last_image, last, _ = self.start(span[1] - 1)
        top, _ = window.rows(first, first + 1, height)
        end = min(last + self.vector[0], self.end_row)
        _, bottom = window.rows(end - 1, end, height)
        rows = first_image * image_rows + top, last_image * image_rows + bottom
        return rows if rows[0] < rows[1] else NO_ROWS

    def bands(self, count: int) -> list[Rows]:
        """Return the vectors of each of `count` cores: at whole rows if that is nearly even."""
        units, width = self.image_units * self.images, self.row_vectors
        even = -(-self.vectors // count)
        if units >= count and -(-units // count) * width <= UNEVEN * even:
            borders = [units * part // count * width for part in range(count + 1)]
        else:
            borders = [self.vectors * part // count for part in range(count + 1)]
        return list(pairwise(borders))


@lru_cache(maxsize=1 << 16)
def rows_read(
    grid: Grid, spans: tuple[Rows, ...], window: Window, height: int, image_rows: int
) -> tuple[Rows, ...]:
    """Return the stored input rows that each core reads for its vectors."""
    return tuple(grid.read_rows(span, window, height, image_rows) for span in spans)


def vector_shape(arch: Arch, *, width: int, rows: int) -> tuple[int, int]:
    """Return rows and columns of a position vector: a patch where the map is narrow."""
    size = arch.macros_per_core
    if size > 1 and width <= size // 2 and rows > 1:
        return 2, size // 2
    return 1, size


def hull(one: Rows, other: Rows) -> Rows:
    """Return the rows from the first to the last of both."""
    if NO_ROWS in (one, other):
        return other if one == NO_ROWS else one
    return min(one[0], other[0]), max(one[1], other[1])
