"""Norms without a mean: the node of opset 23, and what exporters write out of other nodes."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from hwgen.importers.integer import lower
from hwgen.importers.onnx.calibrate import quantized_model
from hwgen.importers.onnx.quantized import read_integer_graph
from hwgen.importers.onnx.rms_norm import Edges, norms
from hwgen.network import LayerNorm, QuantizedNetwork
from tests.importers.onnx.test_transformers import has_avx2
from tests.quantized_onnx import Model, differing, saved

WIDTH, TOKENS = 24, 5
FORMS = ("Pow, Div", "Mul, Reciprocal", "Mul, 1 / root", "Pow -0.5", "no gains")


def written_out(model: Model, source: str, form: str, *, axis: int = -1) -> str:
    """Append a norm without a mean; axis: over which the mean runs."""
    if form.startswith("Pow"):
        squares = model.node("Pow", source, model.constant(2.0))
    else:
        squares = model.node("Mul", source, source)
    mean = model.node("ReduceMean", squares, axes=[axis], keepdims=1)
    inside = model.node("Add", mean, model.constant(1e-6))
    if form == "Pow -0.5":
        normal = model.node("Mul", source, model.node("Pow", inside, model.constant(-0.5)))
    elif form in ("Pow, Div", "no gains"):
        normal = model.node("Div", source, model.node("Sqrt", inside))
    elif form == "Mul, Reciprocal":
        normal = model.node("Mul", model.node("Reciprocal", model.node("Sqrt", inside)), source)
    else:
        inverse = model.node("Div", model.constant(1.0), model.node("Sqrt", inside))
        normal = model.node("Mul", source, inverse)
    if form == "no gains":
        return normal
    return model.node("Mul", model.constant(model.rng.uniform(0.5, 1.5, WIDTH)), normal)


def float_network(form: str, *, axis: int = -1) -> onnx.ModelProto:
    """Return a norm of real numbers between matrices; tokens are pixels of the image."""
    model = Model((1, WIDTH, 1, TOKENS), opset=23 if form == "one node" else 17)
    shape = model.constant([1, WIDTH, TOKENS], np.int64)
    rows = model.node("Transpose", model.node("Reshape", "x", shape), perm=[0, 2, 1])
    matrices = [model.constant(model.rng.normal(size=(WIDTH, WIDTH)) / 5) for _ in range(2)]
    now = model.node("MatMul", rows, matrices[0])
    if form == "one node":
        gains = model.constant(model.rng.uniform(0.5, 1.5, WIDTH))
        now = model.node("RMSNormalization", now, gains, axis=-1, epsilon=1e-6)
    else:
        now = written_out(model, now, form, axis=axis)
    return model.build(model.node("MatMul", now, matrices[1]))


def imported(model: onnx.ModelProto, folder: Path) -> tuple[Path, QuantizedNetwork]:
    """Return the quantized file of a float network, and what it becomes."""
    images = np.random.default_rng(3).normal(size=(16, 1, TOKENS, WIDTH)).astype(np.float32)
    path = saved(quantized_model(saved(model, folder), images), folder)
    return path, lower(read_integer_graph(path), kernels="onnxruntime").network


@pytest.mark.promise(
    "a norm without a mean is one layer, whether a file has the node of opset 23 or writes it"
    " out, and with --calibrate golden gives what onnxruntime gives"
)
@has_avx2
@pytest.mark.parametrize("form", ["one node", *FORMS])
def test_a_norm_is_one_layer(form: str, tmp_path: Path) -> None:
    path, network = imported(float_network(form), tmp_path)
    assert [layer.op for layer in network.layers] == ["conv", "layer_norm", "conv"]
    norm = network.layers[1]
    assert isinstance(norm, LayerNorm) and norm.order == "rms"
    eps = network.held[norm.name]["constants"].view(np.float32)[0]
    assert eps == np.float32(1e-6)
    assert differing(path) == 0


def test_a_quantized_file_may_write_it_out(tmp_path: Path) -> None:
    """Between two quantizations, each reader with a pair of its own as some tools write it."""
    model = Model((1, WIDTH, TOKENS))
    rows = model.node("Transpose", model.image(), perm=[0, 2, 1])
    product = model.node("MatMul", rows, model.weights(WIDTH, WIDTH, axis=None))
    scale, zero = model.constant(0.3), model.constant(120, np.uint8)
    integers = model.node("QuantizeLinear", product, scale, zero)
    one, other = (model.node("DequantizeLinear", integers, scale, zero) for _ in range(2))
    mean = model.node("ReduceMean", model.node("Mul", one, one), axes=[2], keepdims=1)
    root = model.node("Sqrt", model.node("Add", mean, model.constant(1e-5)))
    normal = model.quantized(model.node("Div", other, root), 0.03, 128)
    last = model.node("MatMul", normal, model.weights(WIDTH, 8, axis=None))
    path = saved(model.build(model.quantized(last)), tmp_path)
    network = lower(read_integer_graph(path), kernels="onnxruntime").network
    assert "layer_norm" in [layer.op for layer in network.layers]
    assert differing(path) <= 1


@pytest.mark.parametrize("form", FORMS[:2])
def test_a_mean_over_tokens_is_no_norm(form: str, tmp_path: Path) -> None:
    model = float_network(form, axis=1)
    ready = quantized_model(
        saved(model, tmp_path),
        np.random.default_rng(3).normal(size=(4, 1, TOKENS, WIDTH)).astype(np.float32),
    )
    assert "RMSNormalization" not in {node.op_type for node in ready.graph.node}


@pytest.mark.parametrize(("axis", "count"), [(-1, 1), (2, 1), (1, 0), (-2, 0)])
def test_the_shape_of_what_is_normed_is_enough(axis: int, count: int) -> None:
    """That of its squares may be unknown; without its own the last axis is."""
    model = Model((1, TOKENS, WIDTH))
    graph = model.build(written_out(model, "x", "no gains", axis=axis)).graph
    known = Edges.of(graph, {"x": (1, TOKENS, WIDTH)})
    assert len(list(norms(graph, known))) == count
    assert not list(norms(graph, Edges.of(graph, {})))
