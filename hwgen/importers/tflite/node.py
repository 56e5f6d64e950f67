"""What the readers of operators share: maps, constants and options of one operator.

Tests: `tests/importers/tflite/test_operators.py`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tflite
from numpy.typing import NDArray

from hwgen.importers.integer.constants import Operand, Results
from hwgen.importers.integer.maps import QuantizedMap, Shape, quantized_map
from hwgen.importers.integer.nodes import Pair, Sides
from hwgen.importers.integer.refused import RefusedError
from hwgen.importers.tflite.file import OperatorFacts, TensorFacts, TFLiteFile

MAP_BITS = {"int8": (8, True), "uint8": (8, False), "int16": (16, True)}
"""Types of maps: bits, signed."""
RANKS = (1, 2, 3, 4)

ACTIVATIONS: Mapping[int, tuple[float | None, float | None]] = {
    tflite.ActivationFunctionType.NONE: (None, None),
    tflite.ActivationFunctionType.RELU: (0.0, None),
    tflite.ActivationFunctionType.RELU_N1_TO_1: (-1.0, 1.0),
    tflite.ActivationFunctionType.RELU6: (0.0, 6.0),
}
"""Real limits of each fused activation."""


def map_of(tensor: TensorFacts) -> QuantizedMap | None:
    """Return a tensor as a map; None if it is not one: no scale, several scales, another batch."""
    shape = map_shape(tensor.shape)
    if tensor.type not in MAP_BITS or len(tensor.scales) != 1 or shape is None:
        return None
    bits, signed = MAP_BITS[tensor.type]
    return quantized_map(
        shape,
        bits=bits,
        signed=signed,
        scale=float(tensor.scales[0]),
        zero_point=int(tensor.zero_points[0]),
    )


def check_scale(scale: float, what: str) -> None:
    """Refuse a scale by which nothing can be divided."""
    if not (math.isfinite(scale) and scale > 0):
        raise RefusedError(what, "a positive number", scale)


def map_shape(shape: tuple[int, ...]) -> Shape | None:
    """Return height, width, channels of a tensor with a batch of one; None for another tensor."""
    if len(shape) not in RANKS or min(shape) < 1 or (len(shape) > 1 and shape[0] != 1):
        return None
    sides = shape[1:] if len(shape) > 1 else shape
    if len(sides) == 1:
        return 1, 1, sides[0]
    return (sides[0], 1, sides[1]) if len(sides) == 2 else (sides[0], sides[1], sides[2])


EACH = frozenset(
    {"ELU", "GELU", "HARD_SWISH", "LEAKY_RELU", "LOGISTIC", "QUANTIZE", "RELU", "RELU6",
     "RELU_0_TO_1", "RELU_N1_TO_1", "TANH"}
)  # fmt: skip
"""Functions of one element."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One operator with its tensors.

    name: of its node; computed: numbers of tensors that depend on the image
    """

    name: str
    file: TFLiteFile
    operator: OperatorFacts
    computed: frozenset[int] | set[int]

    def tensor(self, place: int) -> TensorFacts:
        """Return the input at a place."""
        number = self.number(place)
        if number is None:
            raise RefusedError("its inputs", f"at least {place + 1}", len(self.operator.inputs))
        return self.file.tensors[number]

    def number(self, place: int) -> int | None:
        """Return the number of an input tensor; None if it is absent."""
        inputs = self.operator.inputs
        return inputs[place] if place < len(inputs) and inputs[place] >= 0 else None

    def is_computed(self, place: int) -> bool:
        """Return whether an input depends on the image."""
        return self.number(place) in self.computed

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs that depend on the image."""
        return tuple(
            self.file.tensors[number].name
            for number in self.operator.inputs
            if number in self.computed
        )

    @property
    def outputs(self) -> tuple[TensorFacts, ...]:
        """The tensors that the operator writes."""
        return tuple(self.file.tensors[number] for number in self.operator.outputs if number >= 0)

    @property
    def output(self) -> str:
        """Name of the first output."""
        return self.outputs[0].name

    def base(self) -> dict[str, Any]:
        """Return what every node has."""
        return {
            "name": self.name,
            "operator": self.operator.operator,
            "inputs": self.inputs,
            "output": self.output,
        }

    def map(self, place: int) -> QuantizedMap:
        """Return an input that is a map."""
        return self._map(self.tensor(place), f"input {place}")

    def written(self, place: int = 0) -> QuantizedMap:
        """Return an output."""
        return self._map(self.outputs[place], f"output {place}")

    def _map(self, tensor: TensorFacts, what: str) -> QuantizedMap:
        """Return a tensor as a map, or say why it is none."""
        found = map_of(tensor)
        if found is not None:
            check_scale(found.scale, f"the scale of its {what}")
            return found
        if map_shape(tensor.shape) is None:
            shape = " x ".join(map(str, tensor.shape)) or "no shape"
            raise RefusedError(f"its {what}", "one image of known shape, up to 4 dimensions", shape)
        given = tensor.type if len(tensor.scales) == 1 else f"{tensor.type} without a scale"
        if len(tensor.scales) > 1:
            given = f"{tensor.type} with {len(tensor.scales)} scales"
        raise RefusedError(f"its {what}", "int8, uint8 or int16 with one scale", given)

    def constant(self, place: int, what: str) -> NDArray[Any]:
        """Return the values of a constant input."""
        data = self.tensor(place).data
        if data is None:
            raise RefusedError(what, "constant", "computed, sparse or of another type")
        return data

    def integers(self, place: int, what: str) -> NDArray[np.int64]:
        """Return a constant input of integers."""
        data = self.constant(place, what)
        if data.dtype not in (np.dtype(np.int32), np.dtype(np.int64)):
            raise RefusedError(what, "of type int32 or int64", data.dtype)
        return data.astype(np.int64)

    def real(self, place: int) -> NDArray[np.float64]:
        """Return the real values of a quantized constant."""
        tensor, data = self.tensor(place), self.constant(place, f"input {place}")
        if len(tensor.scales) != 1:
            raise RefusedError(f"the constant input {place}", "with one scale", len(tensor.scales))
        check_scale(float(tensor.scales[0]), f"the scale of its constant input {place}")
        real: NDArray[np.float64] = tensor.scales[0] * (
            data.astype(np.float64) - tensor.zero_points
        )
        return real

    def operand(self, place: int, results: Results) -> Operand:
        """Return a quantized constant as XNNPACK computes with it; its real values are read."""
        tensor, data = self.tensor(place), self.constant(place, f"input {place}")
        centred = data.astype(np.int64).reshape(-1) - int(tensor.zero_points[0])
        return Operand(centred=centred, scale=float(tensor.scales[0]), results=results)

    def option(self, getter: str, default: Any = None) -> Any:
        """Return an option; without any options the default, if there is one."""
        if self.operator.options is None or not hasattr(self.operator.options, getter):
            if default is not None:
                return default
            raise RefusedError("its options", "present", "none")
        return getattr(self.operator.options, getter)()

    def activated(self, values: QuantizedMap) -> QuantizedMap:
        """Return the output with the fused activation as its range."""
        function = self.option("FusedActivationFunction", tflite.ActivationFunctionType.NONE)
        if function not in ACTIVATIONS:
            names = {n: k for k, n in vars(tflite.ActivationFunctionType).items() if k.isupper()}
            given = names.get(function, function)
            raise RefusedError("its activation", "RELU, RELU6 or RELU_N1_TO_1", given)
        return values.clipped(*ACTIVATIONS[function])

    def padding(self, kernel: Pair, stride: Pair) -> Sides:
        """Return top, left, bottom, right of SAME or VALID; SAME has the odd one behind."""
        mode = self.option("Padding")
        if mode == tflite.Padding.VALID:
            return 0, 0, 0, 0
        if mode != tflite.Padding.SAME:
            raise RefusedError("its padding", "SAME or VALID", mode)
        height, width, _ = self.map(0).shape
        top, bottom = same_padding(height, kernel[0], stride[0])
        left, right = same_padding(width, kernel[1], stride[1])
        return top, left, bottom, right

    def stride(self) -> Pair:
        """Return the strides."""
        stride = int(self.option("StrideH")), int(self.option("StrideW"))
        if min(stride) < 1:
            raise RefusedError("its stride", "at least 1", list(stride))
        return stride


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Return the padding before and behind that gives ceil(size / stride) outputs."""
    outputs = math.ceil(size / stride)
    both = max((outputs - 1) * stride + kernel - size, 0)
    return both // 2, both - both // 2
