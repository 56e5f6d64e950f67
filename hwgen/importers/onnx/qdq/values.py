"""What a reader knows of each tensor of an ONNX graph.

An element of a tensor is followed by its place: the number of the element, in (batch, row, column,
channel) order, of the integer map that it comes from. Reshapes, transposes, slices, splits and
shuffles only rearrange places, so that any chain of them needs no rule of its own.

Tests: `tests/importers/onnx/test_casts.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hwgen.importers.integer import QuantizedMap
from hwgen.importers.integer.constants import Operand
from hwgen.importers.integer.moves import Places
from hwgen.importers.integer.refused import RefusedError
from hwgen.network.host import ImageStep

Reals = NDArray[np.float64]
Function = Callable[[Reals], Reals]
Layout = Literal["planes", "rows", "tokens"]
"""Of an image behind its batch: channels, rows, columns; rows, columns, channels; or tokens,
channels."""


@dataclass(frozen=True, kw_only=True)
class Grid:
    """The integers behind a dequantized constant, each array of its shape.

    bits, signed: of their type
    """

    integers: NDArray[Any]
    scales: Reals
    zero_points: NDArray[np.int64]
    bits: int
    signed: bool


@dataclass(frozen=True, kw_only=True)
class Constant:
    """A tensor that does not depend on the image.

    grid: if it is dequantized; bits: of integers in the range of a Clip; None: those of the type
    """

    array: NDArray[Any]
    grid: Grid | None = None
    bits: int | None = None


@dataclass(frozen=True, kw_only=True)
class Unknown:
    """A tensor that could not be read; error: of a constant, which its readers say."""

    error: RefusedError | None = None


@dataclass(frozen=True, kw_only=True)
class Image:
    """The image before its quantization.

    places: in the image as rows, columns, channels; steps: what was done to it
    half: whether its real numbers are those of float16
    """

    places: Places
    integer: bool = False
    half: bool = False
    steps: tuple[ImageStep, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Step:
    """A node that was passed: its name, its operator, and whether it only rearranges.

    operand: the constant of a sum or product that onnxruntime computes with integers; None: another
    """

    name: str
    operator: str
    moves: bool
    operand: Operand | None = None


@dataclass(frozen=True, kw_only=True)
class Operation:
    """An operation whose output is not quantized yet.

    kind: class of the node that it becomes; keys: what that class needs besides
    tensor: name of its output in the file; shape: rows, columns, channels of its output
    sequences: inputs of each sequence that it is computed of apart from the others; empty: of all
    order: of these, pixel of the output for each (sequence, token); None: one behind the other
    """

    kind: type[Any]
    name: str
    operator: str
    inputs: tuple[str, ...]
    tensor: str
    shape: tuple[int, int, int]
    keys: dict[str, Any] = field(default_factory=dict)
    sequences: tuple[tuple[str, ...], ...] = ()
    order: Places | None = None


@dataclass(frozen=True, kw_only=True)
class Real:
    """Elements of an integer map, or results of an operation, and what is done to them.

    places: in the map, or in the output of the operation
    factor, offset: of each channel of the base, (channels,), applied first
    low, high: then the range
    function: instead of factor, offset and range
    integer: whether the tensor holds integers, not the real numbers that they stand for
    """

    base: str | Operation
    places: Places
    factor: Reals | None = None
    offset: Reals | None = None
    low: float | None = None
    high: float | None = None
    function: Function | None = None
    integer: bool = False
    trail: tuple[Step, ...] = ()

    @property
    def plain(self) -> bool:
        """Whether nothing but rearranging is done to the base."""
        done = (self.factor, self.offset, self.low, self.high, self.function)
        return all(each is None for each in done)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the tensor, batch first."""
        return self.places.shape


Value = Constant | Unknown | Image | Real


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """Bits, sign, scale and zero point of a QuantizeLinear, as the file has them."""

    bits: int
    signed: bool
    scale: float
    zero_point: int

    def map(self, shape: tuple[int, int, int]) -> QuantizedMap:
        """Return a map of a shape that uses all integers."""
        low = -(1 << (self.bits - 1)) if self.signed else 0
        return QuantizedMap(
            shape=shape,
            bits=self.bits,
            signed=self.signed,
            scale=self.scale,
            zero_point=self.zero_point,
            low=low,
            high=low + (1 << self.bits) - 1,
        )


@dataclass(kw_only=True)
class ImageParts:
    """How the parts of an image are quantized; found in a first reading of the file.

    quantized: each part with its numbers, in order of reading; numbers: of each channel, then
    """

    quantized: list[tuple[Image, Numbers]] = field(default_factory=list)
    numbers: tuple[Numbers, ...] = ()

    @property
    def apart(self) -> bool:
        """Whether each channel is quantized in one way, alike in bits, sign and steps before."""
        return bool(self.numbers)

    def settle(self, channels: int) -> bool:
        """Find the numbers of each channel; return whether channels have unlike ones, each one."""
        images = [image for image, _ in self.quantized]
        kinds = {(each.bits, each.signed) for _, each in self.quantized}
        if len(kinds) != 1 or len({(each.integer, each.steps) for each in images}) != 1:
            return False
        found: list[Numbers | None] = [None] * channels
        for image, numbers in self.quantized:
            for channel in np.unique(image.places % channels):
                if found[channel] not in (None, numbers):
                    return False
                found[channel] = numbers
        known = tuple(each for each in found if each is not None)
        if len(known) == channels and len(set(known)) > 1:
            self.numbers = known
        return self.apart
