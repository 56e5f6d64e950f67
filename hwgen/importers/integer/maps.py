"""Quantized maps as a file stores them: signed or unsigned integers, one scale, one zero point.

Tests: `tests/importers/integer/test_lower.py`.
"""

import math
from dataclasses import dataclass, replace

from hwgen.network import FeatureMap, MapQuantization, one_mode_map
from hwgen.network.maps import RAW_BITS

Shape = tuple[int, int, int]
"""Height, width, channels."""


@dataclass(frozen=True, kw_only=True)
class QuantizedMap:
    """A map in NHWC order without its batch: real = scale * (integer - zero_point).

    shape: height, width, channels; a vector is 1 x 1 x C, a sequence L x 1 x C
    bits: 1 to 16; 32 or 64: raw sums of a layer with weights, zero point 0
    signed: integers from -2^(bits-1) to 2^(bits-1)-1, else from 0 to 2^bits-1
    low, high: smallest and largest integer after the fused activation, in the file's signedness
    """

    shape: Shape
    bits: int
    signed: bool
    scale: float
    zero_point: int
    low: int
    high: int

    @property
    def raw(self) -> bool:
        """Whether the map holds sums that were not requantized."""
        return self.bits in RAW_BITS

    @property
    def offset(self) -> int:
        """Added to an integer of the file to make it unsigned; 0 for raw sums."""
        return 1 << (self.bits - 1) if self.signed and not self.raw else 0

    @property
    def reach(self) -> int:
        """Largest distance of an integer from the zero point."""
        return max(self.high - self.zero_point, self.zero_point - self.low)

    @property
    def real_range(self) -> tuple[float, float]:
        """Smallest and largest real value."""
        return self.scale * (self.low - self.zero_point), self.scale * (self.high - self.zero_point)

    @property
    def unsigned(self) -> "QuantizedMap":
        """The map with its offset added; raw sums stay as they are."""
        if not self.offset:
            return self
        return replace(
            self,
            signed=False,
            zero_point=self.zero_point + self.offset,
            low=self.low + self.offset,
            high=self.high + self.offset,
        )

    @property
    def same_numbers(self) -> tuple[int, float, int]:
        """Maps that agree in this hold equal real values at equal integers + offset."""
        return self.bits, self.scale, self.zero_point + self.offset

    @property
    def span(self) -> tuple[int, int]:
        """Smallest and largest integer + offset."""
        return self.low + self.offset, self.high + self.offset

    def holds(self, other: "QuantizedMap") -> bool:
        """Return whether the integers of another map are integers of this one."""
        (low, high), (least, most) = self.span, other.span
        return self.same_numbers == other.same_numbers and low <= least and high >= most

    def within(self, other: "QuantizedMap") -> "QuantizedMap":
        """Return the map with the range of another one where both hold the same numbers."""
        if self.same_numbers != other.same_numbers or self.signed != other.signed:
            return self
        return replace(self, low=max(self.low, other.low), high=min(self.high, other.high))

    @property
    def whole(self) -> bool:
        """Whether every integer of its bits may occur."""
        return self.span == (0, (1 << self.bits) - 1)

    def clipped(self, low: float | None, high: float | None) -> "QuantizedMap":
        """Return the map with a fused activation: real values from `low` to `high`, None: any."""
        lowest, highest = self.low, self.high
        if low is not None:
            lowest = max(lowest, self.integer(low))
        if high is not None:
            highest = min(highest, self.integer(high))
        return replace(self, low=min(lowest, highest), high=highest)

    def integer(self, real: float) -> int:
        """Return the integer nearest to a real value, within the range of the map."""
        steps = real / self.scale
        nearest = math.floor(abs(steps) + 0.5) * (1 if steps >= 0 else -1)
        return min(max(self.zero_point + nearest, self.low), self.high)

    def reshaped(self, shape: Shape) -> "QuantizedMap":
        """Return the map with another shape."""
        return replace(self, shape=shape)

    def feature_map(self) -> FeatureMap:
        """Return the map of a network file: unsigned by an offset of 2^(bits-1), exactly."""
        low, high = (0, 0) if self.raw else (self.low + self.offset, self.high + self.offset)
        return one_mode_map(
            self.shape,
            self.bits,
            MapQuantization(
                scale=self.scale, zero_point=self.zero_point + self.offset, low=low, high=high
            ),
        )


def quantized_map(
    shape: Shape, *, bits: int = 8, signed: bool, scale: float, zero_point: int
) -> QuantizedMap:
    """Return a map that uses every integer of its type."""
    low = -(1 << (bits - 1)) if signed else 0
    return QuantizedMap(
        shape=shape,
        bits=bits,
        signed=signed,
        scale=scale,
        zero_point=zero_point,
        low=low,
        high=low + (1 << bits) - 1,
    )


def raw_sums(shape: Shape, *, scale: float, bits: int = 32) -> QuantizedMap:
    """Return a map of raw sums; scale: that of the input times that of the weights."""
    return quantized_map(shape, bits=bits, signed=True, scale=scale, zero_point=0)
