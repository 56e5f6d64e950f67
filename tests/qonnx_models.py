"""Small networks of QONNX for the tests, and their evaluation by the definition of its nodes.

The definition is that of github.com/fastmachinelearning/qonnx, docs/qonnx-custom-ops: the class
`Quant` below says it in numpy, onnx's own evaluator computes all other nodes.
"""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

from tests.quantized_onnx import Model

DOMAIN = "qonnx.custom_op.general"
OPSET = 19
"""The oldest whose pairs onnx's evaluator knows."""


class Quant(OpRun):
    """The definition."""

    op_domain = DOMAIN

    def _run(self, x: NDArray[Any], *numbers: NDArray[Any], **about: Any) -> tuple[NDArray[Any]]:
        scale, zero, bits = numbers[0], numbers[1], int(numbers[2])
        assert about["rounding_mode"] == "ROUND"
        if about["signed"]:
            low, high = -(2 ** (bits - 1)) + about["narrow"], 2 ** (bits - 1) - 1
        else:
            low, high = 0, 2**bits - 1 - about["narrow"]
        steps = np.clip(np.round(x / scale + zero), low, high)
        return (((steps - zero) * scale).astype(np.float32),)


class Quantized(Model):
    """A model of QONNX that grows node by node.

    bits, signed, narrow: of maps and weights; per_channel: of weights; zero: of unsigned maps
    even: all scales are powers of two, so that float32 computes every sum exactly
    """

    def __init__(
        self,
        image: tuple[int | str, ...],
        *,
        bits: int = 8,
        signed: bool = False,
        narrow: bool = False,
        per_channel: bool = True,
        zero: int = 0,
        even: bool = False,
        **others: Any,
    ) -> None:
        super().__init__(image, opset=OPSET, **others)
        self.bits, self.signed, self.narrow = bits, signed, narrow
        self.per_channel, self.zero, self.even = per_channel, zero, even
        self.scales: dict[str, NDArray[np.float32]] = {}

    def scale(self, about: float, shape: tuple[int, ...] = ()) -> NDArray[np.float32]:
        """Draw scales near a number."""
        drawn = about * self.rng.uniform(0.6, 1.6, shape)
        return np.asarray(2.0 ** np.rint(np.log2(drawn)) if self.even else drawn, np.float32)

    def quant(
        self,
        tensor: str,
        scale: Any,
        *,
        zero: Any = 0,
        bits: Any = 8,
        signed: bool = True,
        narrow: bool = False,
        operator: str = "Quant",
        mode: str = "ROUND",
    ) -> str:
        """Append a Quant; a scale that is a name is that of a tensor."""
        numbers = [each if isinstance(each, str) else self.constant(each) for each in
                   (scale, zero, bits)]  # fmt: skip
        about: dict[str, Any] = {"signed": int(signed), "narrow": int(narrow)}
        name = self.node(operator, tensor, *numbers, domain=DOMAIN, rounding_mode=mode, **about)
        if not isinstance(scale, str):
            self.scales[name] = np.asarray(scale, np.float32)
        return name

    def image(self, **_: Any) -> str:
        """Quantize the image by 8 bits with a sign."""
        return self.quant("x", self.scale(1 / 64))

    def map(self, tensor: str, about: float = 0.0) -> str:
        """Quantize a map so that it uses its integers."""
        scale = self.scale(about or 4 / (1 << self.bits))
        zero = 0 if self.signed else self.zero
        return self.quant(
            tensor, scale, zero=zero, bits=self.bits, signed=self.signed, narrow=self.narrow
        )

    def filters(self, *shape: int) -> str:
        """Draw real weights and quantize them."""
        real = self.rng.normal(size=shape) / np.sqrt(np.prod(shape[1:]))
        sides = (shape[0], *(1,) * (len(shape) - 1)) if self.per_channel else ()
        scale = self.scale(4 / np.sqrt(np.prod(shape[1:])) / (1 << self.bits), sides)
        return self.quant(self.constant(real), scale, bits=self.bits, narrow=self.narrow)

    def layer(self, operator: str, tensor: str, *shape: int, **attributes: Any) -> str:
        """Append a Conv or a Gemm whose bias has the steps of its sums."""
        weights, before = self.filters(*shape), self.scales[tensor]
        steps = self.scales[weights].reshape(-1) * before
        real = self.constant(self.rng.normal(size=shape[0]) / 4)
        bias = self.quant(real, steps if steps.size > 1 else steps[0], bits=32)
        return self.node(operator, tensor, weights, bias, **attributes)

    def moved(self, operator: str, tensor: str, *inputs: str, **attributes: Any) -> str:
        """Append a node that keeps the scale of its map."""
        name = self.node(operator, tensor, *inputs, **attributes)
        self.scales[name] = self.scales[tensor]
        return name

    def build(self, *outputs: str) -> onnx.ModelProto:
        """Return the model, whose stored tensors are declared as inputs, as Brevitas does it."""
        made = super().build(*outputs)
        made.opset_import.append(onnx.helper.make_opsetid(DOMAIN, 1))
        for tensor in made.graph.initializer:
            kind, sides = tensor.data_type, list(tensor.dims)
            made.graph.input.append(onnx.helper.make_tensor_value_info(tensor.name, kind, sides))
        return made


def mlp(**numbers: Any) -> onnx.ModelProto:
    """Return two matrices, the second without a quantization behind it."""
    model = Quantized((1, 12), **numbers)
    now = model.map(model.node("Relu", model.layer("Gemm", model.image(), 16, 12, transB=1)))
    return model.build(model.layer("Gemm", now, 5, 16, transB=1))


def convolutions(**numbers: Any) -> onnx.ModelProto:
    """Return two convolutions and a pooling."""
    model = Quantized((1, 3, 6, 6), **numbers)
    first = model.layer("Conv", model.image(), 8, 3, 3, 3, pads=[1, 1, 1, 1])
    now = model.moved("MaxPool", model.map(first), kernel_shape=[2, 2], strides=[2, 2])
    return model.build(model.map(model.layer("Conv", now, 6, 8, 3, 3, pads=[1, 1, 1, 1])))


def residual(**numbers: Any) -> onnx.ModelProto:
    """Return a sum of two branches, each quantized."""
    model = Quantized((1, 3, 6, 6), **numbers)
    now = model.map(model.layer("Conv", model.image(), 8, 3, 3, 3, pads=[1, 1, 1, 1]))
    one = model.map(model.layer("Conv", now, 8, 8, 3, 3, pads=[1, 1, 1, 1]))
    return model.build(model.map(model.node("Add", one, now), 8 / (1 << model.bits)))


def sequence(**numbers: Any) -> onnx.ModelProto:
    """Return convolutions along one axis and a matrix."""
    model = Quantized((1, 3, 16), **numbers)
    now = model.map(model.layer("Conv", model.image(), 8, 3, 5, pads=[2, 2], strides=[2]))
    flat = model.moved("Flatten", now)
    return model.build(model.layer("Gemm", flat, 5, 64, transB=1))


def growing(**numbers: Any) -> onnx.ModelProto:
    """Return a convolution, twice the pixels, a convolution."""
    model = Quantized((1, 3, 6, 6), **numbers)
    now = model.map(model.layer("Conv", model.image(), 8, 3, 3, 3, strides=[2, 2]))
    factors = model.constant([1, 1, 2, 2])
    how = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    grown = model.moved("Resize", now, "", factors, mode="nearest", **how)
    return model.build(model.map(model.layer("Conv", grown, 4, 8, 3, 3, pads=[1, 1, 1, 1])))


NETWORKS = {
    "mlp": mlp,
    "convolutions": convolutions,
    "residual": residual,
    "sequence": sequence,
    "growing": growing,
}


def evaluated(model: onnx.ModelProto, image: NDArray[Any]) -> NDArray[Any]:
    """Return the answer of a model by the definition of its nodes."""
    evaluator = ReferenceEvaluator(model, new_ops=[Quant])
    answer: NDArray[Any] = evaluator.run(None, {"x": image.astype(np.float32)})[0]
    return answer
