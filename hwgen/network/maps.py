"""Feature maps: shape, bits and quantization of what layers read and write.

Tests: `tests/network/test_check.py`.
"""

from collections.abc import Iterator
from typing import Annotated, Any

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT

MAP_BITS = 16
"""Bits of an element at most; wider maps hold raw sums."""
RAW_BITS = (32, 64)
"""Bits of the raw sums of `conv` and `linear`."""
BYTE_BITS = 8
"""Elements of at most this many bits are stored as uint8, wider ones as uint16."""

Size = Annotated[int, Field(ge=1, le=65535)]
Count = Annotated[int, Field(ge=0, le=65535)]
Pair = tuple[Size, Size]
"""Vertical, horizontal."""
Sides = tuple[Count, Count, Count, Count]
"""Top, left, bottom, right."""
Shape = tuple[int, int, int]
"""Height, width, channels."""
Complaint = tuple[str, object, object]
"""Field, what is allowed, what was given."""


@dataclass(frozen=True, kw_only=True, config=EXACT)
class MapQuantization:
    """The quantization of a map in one mode: real = scale * (integer - zero_point).

    low, high: smallest and largest integer of the map; low = zero_point is a ReLU
    """

    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    zero_point: Count
    low: Count
    high: Count


@dataclass(frozen=True, kw_only=True, config=EXACT)
class FeatureMap:
    """A map of unsigned integers in NHWC order; a sequence has width 1.

    channels: of the widest mode
    mode_channels: channels of each mode; empty exactly if every mode has all of them
    bits: 1 to 16, unsigned; 32 or 64: raw two's complement sums
    quantization: of each mode; padding has the zero point
    """

    height: Size
    width: Size
    channels: Size
    mode_channels: tuple[Size, ...]
    bits: int
    quantization: tuple[MapQuantization, ...]

    @property
    def shape(self) -> Shape:
        """Height, width, channels of the widest mode."""
        return self.height, self.width, self.channels

    @property
    def raw(self) -> bool:
        """Whether the map holds sums that were not requantized."""
        return self.bits in RAW_BITS

    @property
    def dtype(self) -> type[np.integer[Any]]:
        """Type of an element: uint8, uint16, or int32 and int64 of a raw map."""
        if self.raw:
            return np.int32 if self.bits == RAW_BITS[0] else np.int64
        return np.uint8 if self.bits <= BYTE_BITS else np.uint16

    def channels_in(self, mode: int) -> int:
        """Return the channels of a mode: the first ones."""
        return self.mode_channels[mode] if self.mode_channels else self.channels


def byte_map(shape: Shape, *, scale: float, zero_point: int, low: int, high: int) -> FeatureMap:
    """Return a map of bytes with one mode; shape: height, width, channels."""
    return one_mode_map(
        shape, 8, MapQuantization(scale=scale, zero_point=zero_point, low=low, high=high)
    )


def raw_map(shape: Shape, *, scale: float, bits: int = 32) -> FeatureMap:
    """Return a map of raw sums with one mode; `scale` is that of a sum."""
    return one_mode_map(shape, bits, MapQuantization(scale=scale, zero_point=0, low=0, high=0))


def one_mode_map(shape: Shape, bits: int, quantization: MapQuantization) -> FeatureMap:
    """Return a map with one mode; shape: height, width, channels."""
    height, width, channels = shape
    return FeatureMap(
        height=height,
        width=width,
        channels=channels,
        mode_channels=(),
        bits=bits,
        quantization=(quantization,),
    )


def map_complaints(name: str, feature: FeatureMap, modes: int) -> Iterator[Complaint]:
    """Check that bits are valid, each mode has an entry, and every range fits the bits."""
    if not (1 <= feature.bits <= MAP_BITS or feature.raw):
        yield f"{name}.bits", f"from 1 to {MAP_BITS}, 32 or 64", feature.bits
        return
    yield from mode_complaints(name, feature, modes)
    for mode, values in enumerate(feature.quantization):
        largest = 0 if feature.raw else (1 << feature.bits) - 1
        where = f"{name}.quantization.{mode}"
        for key in ("zero_point", "low", "high"):
            if getattr(values, key) > largest:
                yield f"{where}.{key}", f"at most {largest}", getattr(values, key)
        if values.low > values.high:
            yield f"{where}.low", f"at most {where}.high ({values.high})", values.low


def mode_complaints(name: str, feature: FeatureMap, modes: int) -> Iterator[Complaint]:
    """Check that lists have an entry for each mode, the widest first."""
    if len(feature.quantization) != modes:
        given = f"{len(feature.quantization)} entries"
        yield f"{name}.quantization", f"one entry for each of {modes} modes", given
    channels = feature.mode_channels
    if not channels:
        return
    if len(channels) != modes or channels[0] != feature.channels or max(channels) > channels[0]:
        allowed = f"{modes} entries, the first and largest channels ({feature.channels})"
        yield f"{name}.mode_channels", allowed, list(channels)
    elif min(channels) == feature.channels:
        yield f"{name}.mode_channels", "empty where every mode has all channels", list(channels)


def same_values_complaints(name: str, before: FeatureMap, after: FeatureMap) -> Iterator[Complaint]:
    """Check that a layer that moves values unchanged has one quantization and clips nothing."""
    if before.bits != after.bits:
        yield f"{name}.output.bits", f"those of its input ({before.bits})", after.bits
    for mode, (old, new) in enumerate(zip(before.quantization, after.quantization, strict=True)):
        where = f"{name}.output.quantization.{mode}"
        if (old.scale, old.zero_point) != (new.scale, new.zero_point):
            yield where, "with scale and zero point of its input", "others"
        if new.low > old.low or new.high < old.high:
            allowed = f"at least as wide as its input's, {old.low} to {old.high}"
            yield f"{where} range", allowed, f"{new.low} to {new.high}"


def same_channels_complaints(
    name: str, before: FeatureMap, after: FeatureMap
) -> Iterator[Complaint]:
    """Check that a channel-wise layer has the channels of its input in every mode."""
    if before.mode_channels != after.mode_channels:
        allowed = f"those of its input ({list(before.mode_channels)})"
        yield f"{name}.output.mode_channels", allowed, list(after.mode_channels)
