"""Softmax over the channels of each group of a pixel, in float32 operations of one order.

Tests: `tests/network/test_check_arrays.py`.
"""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.network import layer
from hwgen.network.maps import BYTE_BITS, Complaint, Size
from hwgen.network.quantization import SIGNIFICANT_BITS
from hwgen.network.table import ENTRIES

GREATEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Softmax(layer.LayerBase):
    """The exponential of each channel over the sum of those of its group.

    With f(x) the nearest float32, m the largest byte of a group of N, E the array:

        S = E[m - x0];  S = f(S + E[m - xi]) for i = 1 .. N - 1, in this order
        y = clip(rne(f(f(E[m - xi] * factor) / S)) + zero point, low, high)

    Array `exponentials` uint32 (256): bits of float32, of exp(-d * scale) times one constant.

    groups: heads; factor: whole steps of the output in 1
    """

    op: Literal["softmax"]
    groups: Size
    factor: Annotated[int, Field(ge=1, lt=1 << SIGNIFICANT_BITS)]

    ARRAY_TYPES: ClassVar[dict[str, tuple[Any, ...]]] = {"exponentials": (np.uint32,)}

    def complaints(self, around: layer.Surroundings) -> Iterator[Complaint]:
        """Check groups, bytes of both maps, that entries do not rise, and no number overflows."""
        yield from layer.one_mode_complaints(self.name, around)
        source, table = around.sources[0], around.arrays["exponentials"]
        if source.channels % self.groups:
            allowed = f"a divisor of its channels ({source.channels})"
            yield f"{self.name}.groups", allowed, self.groups
        yield from byte_complaints(self.name, (source.bits, self.output.bits))
        mistakes = [
            *layer.array_type_complaints(self.name, "exponentials", table, (np.uint32,)),
            *layer.array_shape_complaints(self.name, "exponentials", table, (ENTRIES,)),
        ]
        yield from mistakes
        if not mistakes:
            values = table.view(np.float32)
            falling = np.isfinite(values).all() and (np.diff(values) <= 0).all()
            if not falling or values[0] <= 0 or values[-1] < 0:
                allowed = "bits of finite float32 from above 0 down, none negative"
                yield f"{self.name}.exponentials", allowed, "others"
                return
            largest = float(values[0])
            # Each step of a sum may round up; a factor of two is more than all of them.
            for what, times, most in (
                ("factor", self.factor, GREATEST),
                ("channels of a group", source.channels // self.groups, GREATEST / 2),
            ):
                if largest * times > most:
                    where = f"{self.name}: E[0] x {what} in float32"
                    yield where, f"at most {most:.2e}", f"{largest * times:.2e}"


def byte_complaints(name: str, bits: tuple[int, int]) -> Iterator[Complaint]:
    """Check that input and output of a layer have up to 8 bits."""
    for where, given in zip((f"the input of {name}", name), bits, strict=True):
        if given > BYTE_BITS:
            yield f"{where}.bits", f"at most {BYTE_BITS}", given
