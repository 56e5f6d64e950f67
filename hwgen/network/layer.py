"""The common part of all layers: name, inputs, output, and the checks between them.

Tests: `tests/network/test_check_arrays.py`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass as plain_dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.network.maps import (
    BYTE_BITS,
    Complaint,
    FeatureMap,
    Pair,
    Shape,
    Sides,
)
from hwgen.network.quantization import (
    ANY_SUMS,
    FACTORS,
    HALF_UP,
    MOST_MULTIPLIER,
    MOST_SHIFT,
    SHIFT_LOW,
    Factors,
    Rounding,
)

Arrays = dict[str, NDArray[Any]]
"""The arrays of one layer by key."""


@plain_dataclass(frozen=True, kw_only=True)
class Surroundings:
    """The context in which a layer is checked.

    sources: maps of its inputs, in order
    modes: of the network
    arrays: of the layer, by key, such as `weights`; empty for a kind without any
    """

    sources: Sequence[FeatureMap]
    modes: int
    arrays: Arrays

    @property
    def wide(self) -> bool:
        """Whether a map has more than a byte an element, so that its sums may leave 32 bits."""
        return max(source.bits for source in self.sources) > BYTE_BITS


@dataclass(frozen=True, kw_only=True, config=EXACT)
class LayerBase:
    """A layer of any kind; each kind adds `op`, keys and checks.

    name: unique; letters, digits, `_`, `.` and `-`
    inputs: names of the maps that it reads, `input` or layers before it
    output: its map
    source: its name in the file that the network was imported from; empty if there is none
    """

    name: str
    inputs: tuple[str, ...]
    output: FeatureMap
    source: str

    INPUT_COUNT: ClassVar[tuple[int, int]] = (1, 1)
    """Least and largest number of inputs."""
    ARRAY_TYPES: ClassVar[dict[str, tuple[Any, ...]]] = {}
    """Key of each array -> types that it may have."""
    WRITES_RAW: ClassVar[bool] = False
    """Whether the output may be raw sums."""

    def output_shape(self, sources: Sequence[FeatureMap]) -> Shape | None:
        """Return height, width and channels that follow from the inputs; None if none do."""
        return sources[0].shape

    def complaints(self, around: Surroundings) -> Iterator[Complaint]:
        """Yield contradictions to the rules of the kind, other than shapes."""
        yield from ()


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Requantization:
    """Integers of one mode: clip(round(sum, multiplier, shift) + zero_point, low, high)."""

    multipliers: tuple[Annotated[int, Field(ge=0, le=MOST_MULTIPLIER)], ...]
    shift: Annotated[int, Field(ge=SHIFT_LOW, le=MOST_SHIFT)]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Requantized(LayerBase):
    """A layer without weights whose sums become elements of a map.

    requantization: of each mode; rounding: how sums become elements
    """

    requantization: tuple[Requantization, ...]
    rounding: Rounding

    def factor_complaints(
        self, around: Surroundings, *, count: int = 1, ranges: Factors | None = None
    ) -> Iterator[Complaint]:
        """Check that each mode has `count` multipliers, the largest of them normalized.

        ranges: in place of those of the rounding
        """
        yield from rounding_complaints(self.name, self.rounding, wide=around.wide)
        given = self.requantization
        allowed = ranges or factors_of(self.rounding, wide=around.wide)
        if len(given) != around.modes:
            wanted = f"one entry for each of {around.modes} modes"
            yield f"{self.name}.requantization", wanted, len(given)
        for mode, entry in enumerate(given):
            where = f"{self.name}.requantization.{mode}"
            if len(entry.multipliers) != count:
                yield f"{where}.multipliers", f"{count} long", list(entry.multipliers)
                continue
            low, high, *shifts = allowed
            if not low <= max(entry.multipliers) <= high:
                wanted = f"such that the largest is from {low} to {high}"
                yield f"{where}.multipliers", wanted, list(entry.multipliers)
            if not shifts[0] <= entry.shift <= shifts[1]:
                yield f"{where}.shift", f"from {shifts[0]} to {shifts[1]}", entry.shift


def factors_of(rounding: Rounding, *, wide: bool) -> Factors:
    """Return what multipliers and shifts may be; wide: the sums may leave 32 bits."""
    return ANY_SUMS if wide else FACTORS[rounding]


def rounding_complaints(name: str, rounding: Rounding, *, wide: bool) -> Iterator[Complaint]:
    """Check that sums beyond 32 bits round as every width does."""
    if wide and rounding != HALF_UP:
        yield f"{name}.rounding", f"{HALF_UP} where maps or weights have over 8 bits", rounding


def one_mode_complaints(name: str, around: Surroundings) -> Iterator[Complaint]:
    """Check that a layer that moves channels stands in a network of one mode."""
    if around.modes != 1:
        yield f"{name}", "in a network of one mode (prefixes break)", around.modes


def window_shape(
    before: FeatureMap, channels: int, *, kernel: Pair, stride: Pair, padding: Sides
) -> Shape | None:
    """Return the output shape of a window over a map; None if the window is larger than the map."""
    top, left, bottom, right = padding
    height = before.height + top + bottom - kernel[0]
    width = before.width + left + right - kernel[1]
    if min(height, width) < 0:
        return None
    return height // stride[0] + 1, width // stride[1] + 1, channels


def padding_complaints(name: str, *, kernel: Pair, padding: Sides) -> Iterator[Complaint]:
    """Check that each padding is below its kernel, so that every window overlaps the map."""
    top, left, bottom, right = padding
    if max(top, bottom) >= kernel[0] or max(left, right) >= kernel[1]:
        allowed = f"below its kernel {list(kernel)} on every side"
        yield f"{name}.padding", allowed, list(padding)


def array_type_complaints(
    name: str, key: str, array: NDArray[Any], types: Sequence[Any]
) -> Iterator[Complaint]:
    """Check that an array has one of the types of its key."""
    if array.dtype not in [np.dtype(each) for each in types]:
        yield f"{name}.{key}", " or ".join(str(np.dtype(each)) for each in types), array.dtype


def array_shape_complaints(
    name: str, key: str, array: NDArray[Any], shape: tuple[int, ...]
) -> Iterator[Complaint]:
    """Check that an array has the shape that follows from the graph."""
    if array.shape != shape:
        yield f"{name}.{key}", f"of shape {shape}", array.shape
