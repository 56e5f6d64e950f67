"""Norms over the channels of a map that a file writes out are one node, and one layer."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from hwgen.importers.integer import lower
from hwgen.importers.onnx.calibrate import quantized_model
from hwgen.importers.onnx.layer_norms import norm_at
from hwgen.importers.onnx.quantized import read_integer_graph
from hwgen.importers.onnx.rms_norm import Edges
from tests.quantized_onnx import Model, differing, saved

CHANNELS, SIDE = 8, 4


def normed(model: Model, source: str, axis: int, *, form: str) -> str:
    """Append a norm over an axis; form: how its square and its quotient are written."""
    axes, two = model.constant([axis], np.int64), model.constant(2.0)
    centred = model.node("Sub", source, model.node("ReduceMean", source, axes))
    square = (
        model.node("Pow", centred, two) if form == "Div" else model.node("Mul", centred, centred)
    )
    variance = model.node("ReduceMean", square, axes)
    root = model.node("Sqrt", model.node("Add", variance, model.constant(1e-6)))
    if form == "Div":
        found = model.node("Div", centred, root)
    else:
        found = model.node("Mul", model.node("Reciprocal", root), centred)
    sides = [CHANNELS, 1, 1] if axis == 1 else [CHANNELS]
    gamma, beta = (model.constant(model.rng.normal(size=sides) / 4 + n) for n in (1, 0))
    return model.node("Add", model.node("Mul", gamma, found), beta)


def made(axis: int, form: str) -> onnx.ModelProto:
    """Return a convolution, a norm and a convolution."""
    model = Model((1, 3, SIDE, SIDE), opset=18)
    first = model.constant(model.rng.normal(size=(CHANNELS, 3, 1, 1)))
    now = model.node("Conv", "x", first)
    if axis == 1:
        now = normed(model, now, 1, form=form)
    else:
        rows = model.node("Transpose", now, perm=[0, 2, 3, 1])
        now = model.node("Transpose", normed(model, rows, -1, form=form), perm=[0, 3, 1, 2])
    last = model.constant(model.rng.normal(size=(4, CHANNELS, 1, 1)) / 4)
    return model.build(model.node("Conv", now, last))


@pytest.mark.promise(
    "a norm over the channels of a map that a float file writes out is one layer norm, and golden"
    " gives what onnxruntime gives"
)
@pytest.mark.parametrize(("axis", "form"), [(1, "Div"), (1, "Mul"), (-1, "Div")])
def test_a_norm_that_is_written_out(axis: int, form: str, tmp_path: Path) -> None:
    images = np.random.default_rng(2).normal(size=(16, SIDE, SIDE, 3)).astype(np.float32)
    path = saved(quantized_model(saved(made(axis, form), tmp_path), images), tmp_path)
    network = lower(read_integer_graph(path), kernels="onnxruntime").network
    assert [layer.op for layer in network.layers] == ["conv", "layer_norm", "conv"]
    assert differing(path) == 0


@pytest.mark.parametrize("axis", [1, -3])
def test_the_shape_of_what_is_normed_is_enough(axis: int) -> None:
    """That of its squares may be unknown; without its own the axis is."""
    model = Model((1, CHANNELS, SIDE, SIDE), opset=18)
    graph = model.build(normed(model, "x", axis, form="Div")).graph
    (end,) = (node for node in graph.node if node.op_type == "Div")
    found = norm_at(end, Edges.of(graph, {"x": (1, CHANNELS, SIDE, SIDE)}))
    assert found is not None and found.axis == 1
    assert norm_at(end, Edges.of(graph, {})) is None
