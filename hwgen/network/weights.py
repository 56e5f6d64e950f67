"""The common part of `conv` and `linear`: weights, bias and requantization by output channel.

Tests: `tests/network/test_check_arrays.py`.
"""

from collections.abc import Iterator
from dataclasses import fields
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.network import layer
from hwgen.network.maps import Complaint, FeatureMap
from hwgen.network.quantization import HALF_UP, Rounding

INT8_BITS = 8
ODD_BITS = 7
"""Weight bits of the odd grid at most: its largest weight is 2**bits - 1."""
NARROW_BITS = 17
"""Input bits plus weight bits up to which sums stay within 32 bits."""
NARROW_SUM_BITS, WIDE_SUM_BITS = 31, 47
"""Sums are below 2**31, and below 2**47 where inputs or weights are wider."""


@dataclass(frozen=True, kw_only=True, config=ConfigDict(arbitrary_types_allowed=True))
class Parameters:
    """Integers of one `conv` or `linear` layer; entries past a mode's channels are 0.

    weights: (out, kernel_height, kernel_width, in / groups) or (out, height * width * in), of the
        widest mode, int8, int16 above 8 bits
    bias: int64, (modes, out), in units of the sum; holds minus the zero point of the input times
        the sum of the weights that are active in the mode
    multiplier: uint32, shift: uint8, (modes, out); (modes, 0) if the output is raw
    weight_scale: float32, (out,); real weight = weight_scale * weight; no arithmetic of a chip
        uses it
    """

    weights: NDArray[Any]
    bias: NDArray[np.int64]
    multiplier: NDArray[np.uint32]
    shift: NDArray[np.uint8]
    weight_scale: NDArray[np.float32]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays by key."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


PARAMETER_TYPES: dict[str, tuple[Any, ...]] = {
    "weights": (np.int8, np.int16),
    "bias": (np.int64,),
    "multiplier": (np.uint32,),
    "shift": (np.uint8,),
    "weight_scale": (np.float32,),
}


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Weighted(layer.LayerBase):
    """A layer with weights.

    weight_bits: b; weight_grid: `integer` from -2**(b-1) to 2**(b-1) - 1, b from 2 to 16; `odd`
        (DoReFa) the odd numbers from -(2**b - 1) to 2**b - 1, b from 1 to 7
    rounding: how sums become elements; `half_up` of a raw output, which has no rounding
    """

    weight_bits: Annotated[int, Field(ge=1, le=16)]
    weight_grid: Literal["integer", "odd"]
    rounding: Rounding

    ARRAY_TYPES: ClassVar[dict[str, tuple[Any, ...]]] = PARAMETER_TYPES
    WRITES_RAW: ClassVar[bool] = True

    def weights_shape(self, source: FeatureMap) -> tuple[int, ...]:
        """Return the shape of the weights over an input map."""
        raise TypeError(f"{type(self).__name__} has no weights")

    def active(self, weights: NDArray[Any], source: FeatureMap, mode: int) -> NDArray[Any]:
        """Return (outputs, inputs) of one mode from the weights of the widest."""
        raise TypeError(f"{type(self).__name__} has no weights")

    def complaints(self, around: layer.Surroundings) -> Iterator[Complaint]:
        """Check types, shapes and ranges of the arrays, and that no sum overflows."""
        mistakes = list(self.array_complaints(around))
        yield from mistakes
        if mistakes:
            return
        parameters = Parameters(**around.arrays)
        yield from self.grid_complaints(parameters.weights)
        yield from self.mode_value_complaints(parameters, around)
        yield from self.raw_complaints(parameters, around.sources[0])
        for mode in range(around.modes):
            yield from self.sum_complaints(parameters, around.sources[0], mode)

    def array_complaints(self, around: layer.Surroundings) -> Iterator[Complaint]:
        """Check types and shapes."""
        outputs = self.output.channels
        scaled = 0 if self.output.raw else outputs
        wide = self.weight_grid == "integer" and self.weight_bits > INT8_BITS
        types = {**PARAMETER_TYPES, "weights": (np.int16 if wide else np.int8,)}
        shapes = {
            "weights": self.weights_shape(around.sources[0]),
            "bias": (around.modes, outputs),
            "multiplier": (around.modes, scaled),
            "shift": (around.modes, scaled),
            "weight_scale": (outputs,),
        }
        for key, array in around.arrays.items():
            yield from layer.array_type_complaints(self.name, key, array, types[key])
            yield from layer.array_shape_complaints(self.name, key, array, shapes[key])

    def grid_complaints(self, weights: NDArray[Any]) -> Iterator[Complaint]:
        """Check that weights lie on their grid."""
        bits = self.weight_bits
        if self.weight_grid == "odd":
            if bits > ODD_BITS:
                yield f"{self.name}.weight_bits", f"from 1 to {ODD_BITS} of an odd grid", bits
                return
            highest = (1 << bits) - 1
            low, high, kind = -highest, highest, "odd and "
            outside = weights[(weights % 2 == 0) | (weights < low) | (weights > high)]
        else:
            if bits < 2:
                yield f"{self.name}.weight_bits", "from 2 to 16 of an integer grid", bits
                return
            low, high, kind = -(1 << bits - 1), (1 << bits - 1) - 1, ""
            outside = weights[(weights < low) | (weights > high)]
        if outside.size:
            yield f"{self.name}.weights", f"{kind}from {low} to {high}", outside[0]

    def mode_value_complaints(
        self, parameters: Parameters, around: layer.Surroundings
    ) -> Iterator[Complaint]:
        """Check that multipliers and shifts of a mode's channels are in range, all others 0."""
        wide = self.sum_bits(around.sources[0]) != NARROW_SUM_BITS
        yield from layer.rounding_complaints(self.name, self.rounding, wide=wide)
        if self.output.raw and self.rounding != HALF_UP:
            yield f"{self.name}.rounding", f"{HALF_UP}, as of every raw output", self.rounding
        factors = layer.factors_of(self.rounding, wide=wide)
        ranges = {"multiplier": factors[:2], "shift": factors[2:]}
        for mode in range(around.modes):
            channels = self.output.channels_in(mode)
            for key, (low, high) in ranges.items():
                values = getattr(parameters, key)[mode, :channels]
                outside = values[(values < low) | (values > high)]
                if outside.size:
                    yield f"{self.name}.{key}", f"from {low} to {high}", outside[0]
            for key in ("bias", *ranges):
                if getattr(parameters, key)[mode, channels:].any():
                    yield f"{self.name}.{key}", f"0 past the channels of mode {mode}", "others"

    def raw_complaints(self, parameters: Parameters, source: FeatureMap) -> Iterator[Complaint]:
        """Check that a raw output is as wide as its sums, and its channels are comparable.

        They are if their scales are equal, or positive factors of the host.
        """
        if not self.output.raw:
            return
        bits = 32 if self.sum_bits(source) == NARROW_SUM_BITS else 64
        if self.output.bits != bits:
            yield f"{self.name}.output.bits", f"{bits}, as its sums", self.output.bits
        scales = parameters.weight_scale
        if (scales != scales[0]).any() and not ((scales > 0) & np.isfinite(scales)).all():
            allowed = "positive, or the same for all channels, of raw sums"
            yield f"{self.name}.weight_scale", allowed, "others"

    def sum_bits(self, source: FeatureMap) -> int:
        """Return b of the limit 2**b that sums of a layer over `source` stay below."""
        narrow = source.bits + self.weight_bits <= NARROW_BITS
        return NARROW_SUM_BITS if narrow else WIDE_SUM_BITS

    def sum_complaints(
        self, parameters: Parameters, source: FeatureMap, mode: int
    ) -> Iterator[Complaint]:
        """Check that no sum can overflow its bits, for any inputs."""
        weights = self.active(parameters.weights, source, mode).astype(np.int64)
        bias = parameters.bias[mode, : len(weights)]
        largest = (1 << source.bits) - 1
        highest = bias + largest * np.where(weights > 0, weights, 0).sum(axis=1)
        lowest = bias + largest * np.where(weights < 0, weights, 0).sum(axis=1)
        limit = 1 << self.sum_bits(source)
        if highest.max() >= limit or lowest.min() < -limit:
            channel = int(np.argmax(np.maximum(highest, -lowest)))
            allowed = f"within int{self.sum_bits(source) + 1}"
            yield f"{self.name} accumulator", allowed, f"an overflow in output channel {channel}"
