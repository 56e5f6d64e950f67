"""Small quantized ONNX models for the tests, and their comparison with onnxruntime."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

import golden.network
from hwgen.commands.files import read_graph
from hwgen.commands.judged import Imported, verdict_of
from hwgen.commands.layer_counts import Counters
from hwgen.importers.integer import Lowered, lower
from hwgen.importers.integer.arithmetic import Kernels
from hwgen.importers.integer.runtime import Outcome
from hwgen.importers.judge import Outputs
from hwgen.importers.onnx.quantized import read_integer_graph
from hwgen.importers.onnx.runtime import pairs_saturate, runtime_of
from hwgen.importers.onnx.session_graph import made_precise, options_of, session_of
from hwgen.network import QuantizedNetwork
from hwgen.network.verdict import Verdict

IMAGES = 5
ONE_STEP = 1


class Model:
    """A model that grows node by node; every method returns the name of a tensor of real numbers.

    image: shape of the input `x`, batch first; kind: type of maps; opset: of the model
    image_type: of the elements of the input
    answer: name of the output, for tests that need it later
    """

    def __init__(
        self,
        image: tuple[int | str, ...] = (1, 3, 6, 6),
        *,
        kind: Any = np.uint8,
        opset: int = 17,
        seed: int = 0,
        image_type: int = TensorProto.FLOAT,
    ) -> None:
        self.rng = np.random.default_rng(seed)
        self.kind = kind
        self._image, self._image_type, self._opset = image, image_type, opset
        self._nodes: list[onnx.NodeProto] = []
        self._stored: list[onnx.TensorProto] = []
        self._count = 0
        self.answer = ""

    def node(self, operator: str, *inputs: str, outputs: int = 1, **attributes: Any) -> str:
        """Append a node; with several outputs, return them separated by blanks."""
        name = self._name(operator.lower())
        names = [name] + [f"{name}_{place}" for place in range(1, outputs)]
        self._nodes.append(helper.make_node(operator, inputs, names, name, **attributes))
        return " ".join(names)

    def constant(self, values: Any, kind: Any = np.float32) -> str:
        """Store a constant."""
        name = self._name("constant")
        self._stored.append(numpy_helper.from_array(np.asarray(values, kind), name))
        return name

    def quantized(
        self, tensor: str, scale: float = 0.04, zero: int = 3, *, kind: Any = None
    ) -> str:
        """Quantize and dequantize a tensor."""
        grid = [self.constant(scale), self.constant(zero, kind or self.kind)]
        integers = self.node("QuantizeLinear", tensor, *grid)
        return self.node("DequantizeLinear", integers, *grid)

    def image(self, **grid: Any) -> str:
        """Quantize the image."""
        return self.quantized("x", **grid)

    def weights(self, *shape: int, axis: int | None = 0, kind: Any = np.int8, zero: int = 0) -> str:
        """Store integers and dequantize them; axis: of the scales, None: one scale."""
        limits = np.iinfo(kind)
        integers = self.rng.integers(limits.min, limits.max + 1, shape).astype(kind)
        count = 1 if axis is None else shape[axis]
        scales = self.rng.uniform(0.001, 0.004, count).astype(np.float32)
        zeros = np.full(count, zero, kind)
        if axis is None:
            scales, zeros = scales[0], zeros[0]
        parts = [self.constant(integers, kind), self.constant(scales), self.constant(zeros, kind)]
        return self.node("DequantizeLinear", *parts, **({} if axis is None else {"axis": axis}))

    def conv(self, tensor: str, *shape: int, bias: bool = True, **attributes: Any) -> str:
        """Append a convolution with weights of a shape (out, in, rows, columns)."""
        inputs = [tensor, self.weights(*shape)]
        if bias:
            inputs.append(self.constant(self.rng.normal(size=shape[0])))
        return self.node("Conv", *inputs, **attributes)

    def build(self, *outputs: str) -> onnx.ModelProto:
        """Return the model with these outputs."""
        graph = helper.make_graph(
            self._nodes,
            "graph",
            [helper.make_tensor_value_info("x", self._image_type, self._image)],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
            self._stored,
        )
        opsets = [helper.make_opsetid("", self._opset)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)

    def _name(self, base: str) -> str:
        self._count += 1
        return f"{base}_{self._count}"


def float_conv(model: Model, tensor: str, *shape: int, **attributes: Any) -> str:
    """Append a convolution of real weights."""
    weights = model.constant(model.rng.normal(size=shape) / 4)
    bias = model.constant(model.rng.normal(size=shape[0]))
    return model.node("Conv", tensor, weights, bias, **attributes)


def small_float() -> onnx.ModelProto:
    """Return a float model of 6 x 6 images: convolutions, a sum, a mean, a matrix."""
    model = Model(("n", 3, 6, 6))
    now = model.node("Relu", float_conv(model, "x", 8, 3, 3, 3, pads=[1, 1, 1, 1]))
    now = model.node("Add", now, float_conv(model, now, 8, 8, 1, 1))
    pooled = model.node("GlobalAveragePool", now)
    weights = model.constant(model.rng.normal(size=(8, 5)))
    return model.build(model.node("Gemm", model.node("Flatten", pooled), weights))


def saved(model: onnx.ModelProto, folder: Path) -> Path:
    """Write a model to a file."""
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString(deterministic=True))
    return path


def imported(model: onnx.ModelProto, folder: Path) -> QuantizedNetwork:
    """Return the network that a model becomes."""
    return lower(read_integer_graph(saved(model, folder))).network


def compared(model: onnx.ModelProto, folder: Path) -> tuple[Lowered, Counters]:
    """Return what a model becomes, and how it differs from onnxruntime on drawn images."""
    path = saved(model, folder)
    graph = read_integer_graph(path)
    lowered = lower(graph)
    counters = Counters()
    images = drawn(lowered.network)
    names = [layer.source for layer in lowered.network.layers if layer.source]
    counters.add(lowered.network, runtime_of(path, graph).run(images, names))
    return lowered, counters


def judged_on(
    path: Path, network: QuantizedNetwork, images: NDArray[Any], kernels: Kernels = "onnxruntime"
) -> tuple[Verdict, NDArray[Any], NDArray[Any]]:
    """Return what a file says of a network on its images, and the first output of each.

    Golden's, then the runtime's: (images, elements).
    """
    rows: tuple[list[Any], list[Any]] = [], []

    def heard(wanted: Outputs, found: Outputs) -> None:
        name = next(iter(wanted))
        for listed, array in zip(rows, (found[name], wanted[name]), strict=True):
            listed.append(array.reshape(len(array), -1))

    about = Imported(file=path, network=network, graph=read_graph(path), kernels=kernels)
    verdict = verdict_of(about, images, seconds=math.inf, heard=heard)
    found, wanted = (np.concatenate(each)[-len(images) :] for each in rows)
    return verdict, found, wanted


def differing(path: Path, images: int = 40) -> int:
    """Return the largest difference of golden's outputs from those of a default session."""
    network = lower(read_integer_graph(path), kernels="onnxruntime").network
    values = network.graph.input
    shape = (images, *values.shape)
    given = np.random.default_rng(4).integers(0, 1 << values.bits, shape).astype(values.dtype)
    return judged_on(path, network, given)[0].steps


def drawn(network: QuantizedNetwork) -> NDArray[Any]:
    """Return images over the whole range of a network's input."""
    values = network.graph.input
    chance = np.random.default_rng(1)
    shape = (IMAGES, *values.shape)
    return chance.integers(0, 1 << values.bits, shape).astype(values.dtype)


def agreeing(model: onnx.ModelProto, folder: Path, *, shown: int | None = None) -> QuantizedNetwork:
    """Return the network of a model; each layer agrees with onnxruntime within one step.

    A step more or less beside a tie is right: golden rounds ties up, onnxruntime to even, and
    float32 moves a value across. Behind many layers such steps add up and may turn a class where
    two lead together, so the classes are those of the answer's layer on the runtime's maps: its
    sums are exact in golden, and float32 moves them by millionths of the largest.

    shown: layers that the runtime must show; None: all
    """
    path = saved(model, folder)
    graph = read_integer_graph(path)
    network = lower(graph).network
    names = [layer.source for layer in network.layers if layer.source]
    images = drawn(network)
    counters = Counters()
    outcome = runtime_of(path, graph).run(images, names)
    counters.add(network, outcome)
    found = counters.same_inputs
    assert len(found) == (len(network.layers) if shown is None else shown)
    assert network.answer in found
    for name, counter in found.items():
        assert counter.largest <= ONE_STEP, name
        assert counter.one_step <= 0.1 * counter.elements, name
    if network.map_of(network.answer).raw:
        classes = answers_of(network, images, outcome).reshape(IMAGES, -1).argmax(axis=1)
        _, _, wanted = judged_on(path, network, images)
        assert np.array_equal(classes, wanted.argmax(axis=1))
    return network


def answers_of(network: QuantizedNetwork, images: NDArray[Any], outcome: Outcome) -> NDArray[Any]:
    """Return golden's answers on the last maps that the runtime shows."""
    maps = {"input": images}
    for layer in network.layers:
        result = golden.network.infer_layer(network, layer, [maps[name] for name in layer.inputs])
        shown = None if layer.name == network.answer else outcome.maps.get(layer.source)
        maps[layer.name] = result if shown is None else shown.reshape(result.shape)
    return maps[network.answer]


def kinds(network: QuantizedNetwork) -> list[str]:
    """Return the kinds of the layers."""
    return [layer.op for layer in network.layers]


def exact_session(model: onnx.ModelProto) -> Any:
    """Open a quantized model with exact sums: two products saturate on x86 without VNNI."""
    options = options_of("all")
    if pairs_saturate():
        model = made_precise(model, options)
    return session_of(model, options, "the model")
