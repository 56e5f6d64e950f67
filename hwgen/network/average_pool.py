"""Mean over a window.

Tests: `tests/network/test_check.py`.
"""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.network.layer import Requantized, Surroundings
from hwgen.network.maps import Complaint
from hwgen.network.pool import Pool
from hwgen.network.quantization import FACTORS, HALF_UP, SIGNED_BITS

Center = Annotated[int, Field(ge=0, le=65535)]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class AveragePool(Pool, Requantized):
    """clip(round(sum of (x - zero point), M, s) + zero point); 1 / n is part of M.

    divisor: `window`: n is the whole window, padding counts as a real zero; `inside`: n counts the
        pixels inside the map, and the multipliers are those of the counts that occur, ascending
    center: stands in place of both zero points; None: the zero points. A mean of raw integers that
        rounds away from their zero needs it
    """

    op: Literal["average_pool"]
    divisor: Literal["window", "inside"]
    center: Center | None

    def complaints(self, around: Surroundings) -> Iterator[Complaint]:
        """Check the window, and that each mode has its multipliers."""
        yield from Pool.complaints(self, around)
        inside = self.divisor == "inside"
        source = around.sources[0]
        counts = self.counts(source.height, source.width) if inside else [0]
        fits = self.kernel[0] * self.kernel[1] << source.bits <= 1 << SIGNED_BITS
        # Sums of a window within 31 bits have the factors of bytes, whatever the bits of the map.
        ranges = FACTORS[HALF_UP] if fits and self.rounding == HALF_UP else None
        yield from self.factor_complaints(around, count=len(counts), ranges=ranges)
        if self.center is None:
            return
        if any(self.padding) and not inside:
            yield f"{self.name}.center", "null where padding counts", self.center
        if self.center >= 1 << min(source.bits, self.output.bits):
            yield f"{self.name}.center", "an integer of both maps", self.center

    def counts(self, height: int, width: int) -> list[int]:
        """Return the numbers of pixels inside a map that windows have, ascending."""
        sides = []
        for size, axis in ((height, 0), (width, 1)):
            before = self.padding[axis]
            windows = (self.output.height, self.output.width)[axis]
            firsts = [place * self.stride[axis] - before for place in range(windows)]
            ends = [min(size, first + self.kernel[axis]) for first in firsts]
            sides.append({end - max(0, first) for first, end in zip(firsts, ends, strict=True)})
        return sorted({rows * columns for rows in sides[0] for columns in sides[1]})
