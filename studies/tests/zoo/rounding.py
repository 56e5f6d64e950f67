"""Golden and onnxruntime beside exact arithmetic: who rounds an element in which direction.

Both round the same real value r of an element, in steps of its map: golden ties up, onnxruntime
ties to even. Neither holds r itself.

- onnxruntime computes in float32, whose unit roundoff is u = 2**-24. A product passes at most
  n + 12 roundings on its way to r: those of its two factors, of itself, of the n sums of its
  element, of a batch norm and of the division by the step. So the error is at most
  c / (1 - c) with c = (n + 12) * u, times the sum of the absolute values of all terms
  (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1), whatever the order
  of the sums and whatever the instructions.
- golden multiplies integer sums by M / 2**s. M is rounded, and at least 2**15: a part in 2**16.
  An element that is not clipped lies less than 256 steps from its zero point: 2**-8 steps. Its
  bias is rounded to an integer of the sums: M / 2**s / 2 steps. Other layers than convolutions
  and fully connected ones have factors alone, with the effect that `hwgen import` names.

So each side lies within half a step and its error of r, clipped to the range of the map. Where the
two differ, r lies within the larger error of a tie; as both errors are below half a step, they
differ by one step.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

import golden.network
from hwgen.importers.integer import folded, lower
from hwgen.importers.onnx.quantized import read_integer_graph
from hwgen.importers.onnx.runtime import runtime_of
from hwgen.network import Conv, Layer, Linear, QuantizedNetwork

UNIT = 2.0**-24
"""Unit roundoff of float32."""
OTHER_ROUNDINGS = 12
"""Of a product, besides those of the sums."""
FACTOR_ERROR = 2.0**-8
"""Of a 16-bit multiplier, in steps of an element that is not clipped."""

Maps = dict[str, NDArray[Any]]


def check_rounding(qdq: Path, images: NDArray[np.uint8]) -> dict[str, float]:
    """Hold every element of every map against exact arithmetic, with the runtime's maps as inputs.

    qdq: a quantized ONNX file whose runtime shows the maps of all layers; images: (images, rows,
        columns, channels). Returns the share of elements that differ, by layer.
    """
    graph = read_integer_graph(qdq)
    lowered = lower(graph)
    network, model = lowered.network, onnx.load(qdq)
    names = [layer.source for layer in network.layers]
    shown = runtime_of(qdq, graph).run(images, names).maps
    assert sorted(shown) == sorted(names)
    maps = {graph.input: images, **shown}
    exact, sizes = real_maps(model, maps)
    roundings = (terms_of(model) + OTHER_ROUNDINGS) * UNIT
    given = {"input": images} | {layer.name: shown[layer.source] for layer in network.layers}
    nodes = folded(graph).writers
    different = {}
    for layer in network.layers:
        inputs = [given[name] for name in layer.inputs]
        ours = golden.network.infer_layer(network, layer, inputs)
        notes = [note.steps for note in lowered.notes if note.node == nodes[layer.source].name]
        golden_error = error_of_golden(network, layer, sum(notes))
        runtime_error = roundings / (1 - roundings) * sizes[layer.source]
        real = exact[layer.source].clip(0, 255)
        theirs = shown[layer.source]
        for values, error in ((ours, golden_error), (theirs, runtime_error)):
            assert (error < 0.5).all(), layer.name
            assert (np.abs(values - real) <= 0.5 + error).all(), layer.name
        steps = np.abs(ours.astype(int) - theirs)
        assert steps.max() <= 1, layer.name
        different[layer.name] = float(np.mean(steps > 0))
    return different


def error_of_golden(network: QuantizedNetwork, layer: Layer, noted: float) -> Any:
    """Return the largest error of a layer before rounding, in steps, perhaps by channel."""
    if not isinstance(layer, Conv | Linear):
        return np.array(noted)
    parameters = network.parameters[layer.name]
    step_of_sums = parameters.multiplier[0] / 2.0 ** parameters.shift[0]
    return FACTOR_ERROR + step_of_sums / 2


def terms_of(model: onnx.ModelProto) -> int:
    """Return the largest number of products in a sum of a model, from the shapes of its weights."""
    shapes = [tensor.dims for tensor in model.graph.initializer if len(tensor.dims) > 1]
    return max(max(shape) if len(shape) == 2 else int(np.prod(shape[1:])) for shape in shapes)


def real_maps(model: onnx.ModelProto, maps: Maps) -> tuple[Maps, Maps]:
    """Return the real values that a model quantizes, in steps, and the sums of absolute terms.

    Computed in float64, each from the integers of `maps` before it, by the name of the quantized
    map: (images, rows, columns, channels).
    """
    doubles = onnx.ModelProto()
    doubles.CopyFrom(model)
    for tensor in doubles.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT:
            values = numpy_helper.to_array(tensor).astype(np.float64)
            tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    image = model.graph.input[0]
    shape = [each.dim_value for each in image.type.tensor_type.shape.dim]
    now: Maps = {}
    parts: tuple[Maps, Maps] = ({}, {})
    evaluators = [
        ReferenceEvaluator(doubles, new_ops=operators_of(now, found, absolute=absolute))
        for found, absolute in zip(parts, (False, True), strict=True)
    ]
    rows: tuple[list[Maps], list[Maps]] = ([], [])
    for place in range(len(maps[next(iter(maps))])):
        now.clear()
        now.update({name: values[place : place + 1] for name, values in maps.items()})
        for evaluator, found, row in zip(evaluators, parts, rows, strict=True):
            evaluator.run(None, {image.name: np.zeros(shape)})
            row.append(dict(found))
    exact, sizes = (
        {name: np.concatenate([each[name] for each in row]) for name in row[0]} for row in rows
    )
    return exact, sizes


def operators_of(maps: Maps, found: Maps, *, absolute: bool) -> list[type[OpRun]]:
    """Return the operators that differ from the standard's, for the reference of onnx."""

    def quantize(node: OpRun, x: Any, scale: Any, zero_point: Any, **_: Any) -> tuple[Any]:
        name = node.onnx_node.output[0]
        steps = (x / scale).reshape((*x.shape, 1, 1)[:4]).transpose(0, 2, 3, 1)
        found[name] = steps if absolute else steps + float(zero_point)
        # No map has this name: the integers of another one, moved.
        maps.setdefault(name, np.rint(found[name]).astype(zero_point.dtype))
        return (maps[name].transpose(0, 3, 1, 2).reshape(x.shape),)

    def dequantize(
        _: OpRun, x: Any, scale: Any, zero_point: Any, axis: int = 1, **__: Any
    ) -> tuple[Any]:
        sides = [-1 if place == axis and scale.size > 1 else 1 for place in range(x.ndim)]
        real = (x.astype(np.float64) - zero_point.reshape(sides)) * scale.reshape(sides)
        return (np.abs(real) if absolute else real,)

    def normalize(_: OpRun, x: Any, *parts: Any, epsilon: float, **__: Any) -> tuple[Any]:
        sides = (-1, *[1] * (x.ndim - 2))
        gain, offset, mean, variance = (each.reshape(sides) for each in parts)
        if absolute:
            gain, offset, mean = np.abs(gain), np.abs(offset), -np.abs(mean)
        return ((x - mean) / np.sqrt(variance + epsilon) * gain + offset,)

    def clip(_: OpRun, x: Any, *limits: Any, **__: Any) -> tuple[Any]:
        return (x if absolute else np.clip(x, *limits),)

    return [
        operator("QuantizeLinear", quantize),
        operator("DequantizeLinear", dequantize),
        operator("BatchNormalization", normalize),
        operator("Clip", clip),
    ]


def operator(name: str, run: Callable[..., tuple[Any]]) -> type[OpRun]:
    """Return an operator of the reference of onnx."""
    return type(name, (OpRun,), {"op_domain": "", "_run": run})
