"""The numbers of a Quant of QONNX, and why one has no pair of Q and DQ nodes.

Tests: `tests/importers/onnx/test_qonnx.py`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from hwgen.importers.integer.refused import RefusedError
from hwgen.importers.onnx.qdq.constants import attributes_of

QUANT = frozenset({"IntQuant", "Quant"})
CURES = {
    "BipolarQuant": "Quant of 2 bits or more, of which a weight is -1, 0 or 1",
    "Trunc": "a Quant behind an AveragePool: Brevitas' TruncAvgPool2d is nn.AvgPool2d and"
    " QuantIdentity",
}
"""What stands for other operators of QONNX."""
MAP_BITS, BIAS_BITS = 8, 32
FINEST = 127
"""The largest weight of a byte."""
EVEN = frozenset({"HALF_EVEN", "ROUND"})
"""Names of rounding to the nearest, halves to even, as QuantizeLinear does."""

Arrays = Sequence[NDArray[Any] | None]
Reals = NDArray[np.float32]

ROUNDINGS: dict[str, Callable[[Reals], Reals]] = {
    **dict.fromkeys(EVEN, np.rint),
    "CEIL": np.ceil,
    "FLOOR": np.floor,
    "UP": lambda values: np.sign(values) * np.ceil(np.abs(values)),
    "DOWN": np.trunc,
    "HALF_UP": lambda values: np.sign(values) * np.floor(np.abs(values) + np.float32(0.5)),
    "HALF_DOWN": lambda values: np.sign(values) * np.ceil(np.abs(values) - np.float32(0.5)),
}
"""What each name of rounding does, as far as constants go: up is away from zero."""


@dataclass(frozen=True, kw_only=True)
class Quant:
    """The numbers of a Quant.

    scales, zeros: float32, as the file has them, which broadcast to the input
    low, high: of its integers
    rounding: of `ROUNDINGS`
    """

    scales: Reals
    zeros: Reals
    bits: int
    signed: bool
    low: int
    high: int
    rounding: str

    def steps(self, values: Reals) -> NDArray[np.float64]:
        """Return the integers of real numbers, in float32 up to the clip as QONNX computes."""
        with np.errstate(over="ignore"):
            steps = ROUNDINGS[self.rounding](values / self.scales + self.zeros)
        return steps.astype(np.float64).clip(self.low, self.high)

    @property
    def type(self) -> np.dtype[Any]:
        """The type of bytes that holds the integers."""
        return np.dtype(np.int8 if self.signed else np.uint8)

    @property
    def whole(self) -> bool:
        """Whether the integers are all bytes of their type."""
        limits = np.iinfo(self.type)
        return (self.low, self.high) == (limits.min, limits.max)

    @property
    def byte_zeros(self) -> NDArray[Any]:
        """Zero points as bytes; RefusedError where they are none."""
        limits = np.iinfo(self.type)
        if ((self.zeros < limits.min) | (self.zeros > limits.max)).any():
            allowed = f"from {limits.min} to {limits.max}"
            raise RefusedError("its zero point", allowed, f"{self.zeros.reshape(-1)[0]:.6g}")
        return self.zeros.astype(self.type)


def refusal_of(node: onnx.NodeProto, arrays: Arrays) -> RefusedError:
    """Return why a node of QONNX has no pair; arrays: its inputs, None where an image is read."""
    try:
        for bias in (True, False):
            quant = quant_of(node, arrays, bias=bias)
            if arrays[0] is not None:
                parts_of(quant, arrays[0], bias=bias)
    except RefusedError as error:
        return error
    return RefusedError("its numbers", "such that bytes hold them, or int32 for a bias", "others")


def quant_of(node: onnx.NodeProto, arrays: Arrays, *, bias: bool) -> Quant:
    """Return the numbers of a Quant; RefusedError for one without a pair.

    arrays: its inputs, None where one depends on the image; bias: whether it is added
    """
    if node.op_type not in QUANT:
        allowed = CURES.get(node.op_type, "Quant of 2 to 8 bits, which integers stand for")
        raise RefusedError("the operator", allowed, f"{node.domain}.{node.op_type}")
    if len(arrays) != 4 or len(node.output) != 1 or not node.output[0]:
        count = f"{len(arrays)} inputs and {len(node.output)} outputs"
        raise RefusedError("a Quant", "of four inputs and one output", count)
    given, attributes = arrays[0], attributes_of(node)
    mode = attributes.get("rounding_mode", b"ROUND")
    mode = mode.decode(errors="replace") if isinstance(mode, bytes) else str(mode)
    if given is None and mode.upper() not in EVEN:
        raise RefusedError("its rounding_mode", "ROUND on a map: halves to even", mode)
    if mode.upper() not in ROUNDINGS:
        raise RefusedError("its rounding_mode", f"one of {', '.join(sorted(ROUNDINGS))}", mode)
    scales, zeros, counts = (
        constant(array, what, one=given is None or what == "its bitwidth")
        for array, what in zip(
            arrays[1:], ("its scale", "its zero point", "its bitwidth"), strict=True
        )
    )
    wrong = scales[~(np.isfinite(scales) & (scales > 0))]
    if wrong.size:
        raise RefusedError("its scale", "a positive number", f"{wrong[0]:.6g}")
    odd = zeros[~np.isfinite(zeros) | (zeros != np.rint(zeros))]
    if odd.size:
        raise RefusedError("its zero point", "a whole number", f"{odd[0]:.6g}")
    bits, signed = float(counts.reshape(())), bool(attributes.get("signed", 1))
    most = BIAS_BITS if bias and given is not None else MAP_BITS
    if not (bits.is_integer() and 2 <= bits <= most):
        whose = "" if given is None else ", of a bias to 32"
        raise RefusedError("its bitwidth", f"from 2 to {MAP_BITS}{whose}", f"{bits:.6g}")
    low, high = ends_of(int(bits), signed=signed, narrow=bool(attributes.get("narrow", 0)))
    quant = Quant(
        scales=scales,
        zeros=zeros,
        bits=int(bits),
        signed=signed,
        low=low,
        high=high,
        rounding=mode.upper(),
    )
    if given is None:
        _ = quant.byte_zeros
    elif given.dtype.kind != "f" or not np.isfinite(given).all():
        raise RefusedError("its input", "of finite real numbers", "others")
    return quant


def parts_of(
    quant: Quant, given: NDArray[Any], *, bias: bool, finest: bool = False
) -> tuple[dict[str, NDArray[Any]], int | None]:
    """Return what a DequantizeLinear reads for a constant, and the axis of scales; None: one.

    bias: int32 without zero points, else bytes
    finest: times the largest power of two that bytes hold, with as much smaller scales: the same
        real numbers
    """
    steps = quant.steps(given.astype(np.float32))
    scales, axis = along_one_axis(quant.scales, steps.shape, "its scale")
    zeros, other = along_one_axis(quant.zeros, steps.shape, "its zero point")
    if axis is not None and other is not None and axis != other:
        raise RefusedError("its scale and its zero point", "along one axis", "two")
    axis = other if axis is None else axis
    parts: dict[str, NDArray[Any]] = {"integers": steps, "scale": scales}
    if bias:
        centred = steps - quant.zeros
        most = np.abs(centred).max(initial=0)
        if most > np.iinfo(np.int32).max:
            raise RefusedError("its integers", "of 32 bits", f"{most:.0f}")
        parts["integers"] = centred.astype(np.int32)
    elif finest and (gain := finest_gain(steps - quant.zeros)) > 1:
        parts["integers"] = ((steps - quant.zeros) * gain).astype(np.int8)
        parts["scale"] = scales / np.float32(gain)
        parts["zero_point"] = np.zeros_like(zeros, np.int8)
    else:
        parts["integers"] = steps.astype(quant.type)
        parts["zero_point"] = quant.byte_zeros.reshape(zeros.shape)
    if axis is None:
        return parts, None
    side = steps.shape[axis]
    return {
        part: array if part == "integers" else np.broadcast_to(array, side)
        for part, array in parts.items()
    }, axis


def finest_gain(centred: NDArray[np.float64]) -> int:
    """Return the largest power of two by which integers stay within bytes, at least 1."""
    room = FINEST // max(int(np.abs(centred).max(initial=1)), 1)
    return 1 << max(room.bit_length() - 1, 0)


def along_one_axis(values: Reals, shape: tuple[int, ...], what: str) -> tuple[Reals, int | None]:
    """Return values that broadcast to a shape as one, or as a vector along one axis of it."""
    if values.size == 1:
        return values.reshape(()), None
    sides = (1,) * (len(shape) - values.ndim) + values.shape
    wide = [axis for axis, side in enumerate(sides) if side != 1]
    if len(sides) != len(shape) or len(wide) != 1 or sides[wide[0]] != shape[wide[0]]:
        allowed = f"one, or one for each entry of an axis of {list(shape)}"
        raise RefusedError(what, allowed, list(values.shape))
    return values.reshape(-1), wide[0]


def ends_of(bits: int, *, signed: bool, narrow: bool) -> tuple[int, int]:
    """Return the smallest and the largest integer of a Quant; narrow: without one of them."""
    if signed:
        return -(1 << (bits - 1)) + narrow, (1 << (bits - 1)) - 1
    return 0, (1 << bits) - 1 - narrow


def constant(array: NDArray[Any] | None, what: str, *, one: bool) -> Reals:
    """Return an input of a Quant that does not depend on the image; one: must it be a number."""
    if array is None:
        raise RefusedError(what, "a constant", "what is computed of the image")
    if one and array.size != 1:
        raise RefusedError(what, "one number", f"{array.size} of them")
    if array.dtype.kind not in "fiu":
        raise RefusedError(what, "of real numbers", array.dtype.name)
    return array.astype(np.float32)
