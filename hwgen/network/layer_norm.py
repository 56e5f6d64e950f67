"""Layer normalization over channels of a pixel, in float32 operations of one order.

Tests: `tests/network/test_check_arrays.py`.
"""

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.network import layer
from hwgen.network.maps import BYTE_BITS, Complaint
from hwgen.network.softmax import byte_complaints

SUMS = 8
"""Sums that run beside each other in the order `eight`."""
MOST_CHANNELS = 4096
"""Sums of so many float32 of a byte fit 53 bits."""
GREATEST_VALUE = 2.0**50
"""Values of a layer norm up to it have no sum of squares beyond the largest number."""
MOST_SPAN = 25
"""Powers of two between the values of a layer norm, whose sums are exact."""


@dataclass(frozen=True, kw_only=True, config=EXACT)
class LayerNorm(layer.LayerBase):
    """(x - mean) / sqrt(variance + eps) * gamma + beta over the N channels of a pixel.

    Where `gamma` and `beta` have fewer entries than a pixel channels, over each N channels, a head.

    With f(x) the nearest float32, fma(a, b, c) = f(a * b + c):

        v[i] = values[x[i]];  mean = f(sum of v / N), the sum exact;  d[i] = f(v[i] - mean)
        q[k] = fma(d[k + 8 t], d[k + 8 t], q[k]) for t = 0 .. N / 8 - 1, each k from 0 to 7
        q = ((q0 + q4) + (q2 + q6)) + ((q1 + q5) + (q3 + q7)), each sum rounded
        inv = f(1 / f(sqrt(f(f(q / N) + eps))))
        y = clip(rne(f(fma(f(d[i] * inv), gamma[i], beta[i]) / scale)) + zero point, low, high)

    What is beyond the largest float32 is an end of the clip, that of its sign.

    order: of the sums, that of a runtime's kernel. `eight` as above; `rms`: no mean, d[i] = v[i].
    Arrays hold bits of float32: `values` (256) of each byte, `gamma` and `beta` (N), `constants`
    (2): eps, scale of the output
    """

    op: Literal["layer_norm"]
    order: Literal["eight", "rms"]

    ARRAY_TYPES: ClassVar[dict[str, tuple[Any, ...]]] = {
        "values": (np.uint32,),
        "gamma": (np.uint32,),
        "beta": (np.uint32,),
        "constants": (np.uint32,),
    }

    def complaints(self, around: layer.Surroundings) -> Iterator[Complaint]:
        """Check widths, that both maps are bytes, and that the arrays hold real numbers."""
        yield from layer.one_mode_complaints(self.name, around)
        source = around.sources[0]
        width = around.arrays["gamma"].size
        if width % SUMS or not 0 < width <= MOST_CHANNELS or source.channels % width:
            allowed = f"a multiple of {SUMS} up to {MOST_CHANNELS}"
            if width != source.channels:
                allowed += f" that divides its {source.channels} channels"
            yield f"the channels that {self.name} norms", allowed, width
            return
        yield from byte_complaints(self.name, (source.bits, self.output.bits))
        lengths = {
            "values": 1 << BYTE_BITS,
            "gamma": width,
            "beta": width,
            "constants": 2,
        }
        for key, length in lengths.items():
            array = around.arrays[key]
            mistakes = [
                *layer.array_type_complaints(self.name, key, array, (np.uint32,)),
                *layer.array_shape_complaints(self.name, key, array, (length,)),
            ]
            yield from mistakes
            if not mistakes and not np.isfinite(array.view(np.float32)).all():
                yield f"{self.name}.{key}", "bits of finite float32", "others"
                mistakes = [(key, "", "")]
            if not mistakes and key == "constants" and (array.view(np.float32) <= 0).any():
                given = array.view(np.float32).tolist()
                yield f"{self.name}.{key}", "eps and scale above 0", given
            if not mistakes and key == "values":
                yield from value_complaints(f"{self.name}.{key}", np.abs(array.view(np.float32)))


def value_complaints(where: str, sizes: NDArray[np.float32]) -> Iterator[Complaint]:
    """Check that sums of values are exact, and squares finite; sizes: without their signs."""
    least, most = sizes[sizes > 0].min(initial=np.inf), sizes.max()
    if most > GREATEST_VALUE or most >= least * 2.0**MOST_SPAN:
        allowed = f"zero, or up to {GREATEST_VALUE:.2e} and within a factor of 2^{MOST_SPAN}"
        yield where, allowed, f"{least:.2e} to {most:.2e}"
