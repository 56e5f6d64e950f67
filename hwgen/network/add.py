"""Sum of two maps."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.network.layer import Requantized, Surroundings
from hwgen.network.maps import Complaint, same_channels_complaints
from hwgen.network.quantization import FACTORS, HALF_UP

OPERAND_SHIFT = 20
"""Places by which `tflite` shifts operands to the left before they are scaled."""


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Add(Requantized):
    """clip(round((a - za) * Ma + (b - zb) * Mb, s) + zero point), one shift and one rounding.

    Rounded as `tflite` it scales three times: both operands times 2**20, then their sum, each with
    a multiplier of its own; multipliers are those of a, of b and of the sum.

    operand_shifts: of a and b, a mode; empty unless `rounding` is `tflite`
    """

    op: Literal["add"]
    operand_shifts: tuple[tuple[int, int], ...]

    INPUT_COUNT: ClassVar[tuple[int, int]] = (2, 2)

    def complaints(self, around: Surroundings) -> Iterator[Complaint]:
        """Check that both maps have one shape in every mode."""
        a, b = around.sources
        if a.shape != b.shape:
            yield f"{self.name} inputs", "of one shape", f"{a.shape} and {b.shape}"
        elif a.mode_channels != b.mode_channels:
            given = f"{list(a.mode_channels)} and {list(b.mode_channels)}"
            yield f"{self.name} inputs", "of equal mode_channels", given
        thrice = self.rounding == "tflite"
        if thrice:
            yield from self.factor_complaints(around, count=3)
        else:
            # A sum is not multiplied again: its factors are those of any width.
            ranges = None if around.wide else FACTORS[HALF_UP]
            yield from self.factor_complaints(around, count=2, ranges=ranges)
        _, _, least, most = FACTORS["tflite"]
        wanted = around.modes if thrice else 0
        shifts = [shift for pair in self.operand_shifts for shift in pair]
        if len(self.operand_shifts) != wanted:
            allowed = f"{wanted} pairs, of a and b"
            yield f"{self.name}.operand_shifts", allowed, len(self.operand_shifts)
        elif any(not least <= shift <= most for shift in shifts):
            yield f"{self.name}.operand_shifts", f"from {least} to {most}", shifts
        yield from same_channels_complaints(self.name, a, self.output)
