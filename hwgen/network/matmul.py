"""Product of two maps: a convolution of 1 x 1 whose filters are the pixels of a map.

Tests: `tests/network/test_check_arrays.py`.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.network.layer import Requantized, Surroundings, one_mode_complaints
from hwgen.network.maps import Complaint, FeatureMap, Shape, Size


@dataclass(frozen=True, kw_only=True, config=EXACT)
class MatMul(Requantized):
    """clip(round(sum of (a - za) * (b - zb), M, s) + zero point), for each group (a head).

    Pixels are tokens, in the order of rows and columns; map b has B of them. Group g has the
    channels from g * channels / groups on, of a and of the output:

        transposed      out[p, g * B + j] = sum over c of a[p, g * K + c] * b[j, g * K + c]
        not transposed  out[p, g * C + c] = sum over j of a[p, g * B + j] * b[j, g * C + c]

    groups: heads; transposed: whether channels of b are summed (scores) or its pixels (values)
    """

    op: Literal["matmul"]
    groups: Size
    transposed: bool

    INPUT_COUNT: ClassVar[tuple[int, int]] = (2, 2)

    def output_shape(self, sources: Sequence[FeatureMap]) -> Shape:
        """Return the pixels of a with the scores of each pixel of b, or with the channels of b."""
        a, b = sources
        channels = self.groups * b.height * b.width if self.transposed else b.channels
        return a.height, a.width, channels

    def complaints(self, around: Surroundings) -> Iterator[Complaint]:
        """Check that groups divide the channels, and both maps have what is summed."""
        yield from one_mode_complaints(self.name, around)
        a, b = around.sources
        if a.channels % self.groups or b.channels % self.groups:
            allowed = f"a divisor of the channels of its inputs ({a.channels} and {b.channels})"
            yield f"{self.name}.groups", allowed, self.groups
            return
        summed = b.channels if self.transposed else self.groups * b.height * b.width
        if a.channels != summed:
            what = (
                "as the second has"
                if self.transposed
                else "one for each pixel of the second and each group"
            )
            yield f"the channels of the first input of {self.name}", f"{summed}, {what}", a.channels
        yield from self.factor_complaints(around)
