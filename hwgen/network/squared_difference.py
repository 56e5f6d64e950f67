"""Square of the difference of two maps.

Tests: `tests/network/test_check_arrays.py`.
"""

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.network.layer import Requantized, Surroundings, one_mode_complaints
from hwgen.network.maps import BYTE_BITS, Complaint, same_channels_complaints
from hwgen.network.quantization import FACTORS

FINER = 7
"""Places by which operands are shifted to the left before they are scaled."""


@dataclass(frozen=True, kw_only=True, config=EXACT)
class SquaredDifference(Requantized):
    """clip(t(d * d, M, s) + zero point, low, high), d * d below 2**31.

        d = t((a - za) * 2**7, Ma, sa) - t((b - zb) * 2**7, Mb, sb)

    t: the rounding `tflite`, which `rounding` says; multipliers are Ma, Mb and M

    operand_shifts: sa and sb
    """

    op: Literal["squared_difference"]
    operand_shifts: tuple[int, int]

    INPUT_COUNT: ClassVar[tuple[int, int]] = (2, 2)

    def complaints(self, around: Surroundings) -> Iterator[Complaint]:
        """Check that both maps are of bytes and one shape, and the factors."""
        yield from one_mode_complaints(self.name, around)
        a, b = around.sources
        if a.shape != b.shape:
            yield f"{self.name} inputs", "of one shape", f"{a.shape} and {b.shape}"
        bits = max(each.bits for each in (a, b, self.output))
        if bits > BYTE_BITS:
            yield f"{self.name}: the bits of its maps", f"at most {BYTE_BITS}", bits
        if self.rounding != "tflite":
            yield f"{self.name}.rounding", "tflite", self.rounding
            return
        yield from self.factor_complaints(around, count=3)
        _, _, least, most = FACTORS["tflite"]
        if any(not least <= shift <= most for shift in self.operand_shifts):
            allowed = f"from {least} to {most}"
            yield f"{self.name}.operand_shifts", allowed, list(self.operand_shifts)
        low, high = FACTORS["tflite"][:2]
        for multipliers in (each.multipliers for each in self.requantization):
            if any(not low <= each <= high for each in multipliers):
                allowed = f"each from {low} to {high}"
                yield f"{self.name}.multipliers", allowed, list(multipliers)
        yield from same_channels_complaints(self.name, a, self.output)
