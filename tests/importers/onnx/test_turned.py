"""Rotary embeddings: turned halves are a convolution, and nothing of a turn is rounded."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from golden.network import infer
from hwgen.importers.integer import lower
from hwgen.importers.onnx.calibrate import quantized_model
from hwgen.importers.onnx.quantized import read_integer_graph
from hwgen.importers.onnx.turned_halves import MIDDLE, turns_of
from hwgen.network import QuantizedNetwork
from tests.quantized_onnx import Model, differing, saved

HEADS, CHANNELS, TOKENS = 2, 8, 6
WIDTH, HALF = HEADS * CHANNELS, CHANNELS // 2


def part(model: Model, tensor: str, first: int, end: int) -> str:
    """Append a Slice of the last dimension."""
    sides = [model.constant([each], np.int64) for each in (first, end, -1)]
    return model.node("Slice", tensor, *sides)


def turned(model: Model, heads: str, function: str, *, pairs: bool) -> str:
    """Append (-x2, x1) of the halves of each head, or of its pairs of neighbours."""
    if not pairs:
        second = model.node(function, part(model, heads, HALF, CHANNELS))
        return model.node("Concat", second, part(model, heads, 0, HALF), axis=-1)
    sides = model.constant([1, HEADS, TOKENS, HALF, 2], np.int64)
    apart = model.node("Reshape", heads, sides)
    second = model.node(function, part(model, apart, 1, 2))
    joined = model.node("Concat", second, part(model, apart, 0, 1), axis=-1)
    back = model.constant([1, HEADS, TOKENS, CHANNELS], np.int64)
    return model.node("Reshape", joined, back)


def halves_apart(model: Model, heads: str, angles: np.ndarray, *, split: bool) -> str:
    """Append (x1 cos - x2 sin, x1 sin + x2 cos); split: the halves are of one node."""
    one, two = part(model, heads, 0, HALF), part(model, heads, HALF, CHANNELS)
    if split:
        one, two = model.node("Split", heads, outputs=2, axis=-1).split()
    cos, sin = (model.constant(each(angles[:, :HALF])) for each in (np.cos, np.sin))
    first = model.node("Sub", model.node("Mul", one, cos), model.node("Mul", two, sin))
    second = model.node("Add", model.node("Mul", cos, two), model.node("Mul", one, sin))
    return model.node("Concat", first, second, axis=-1)


def rotary(function: str = "Neg", *, pairs: bool = False, apart: str = "") -> onnx.ModelProto:
    """Return a matrix whose heads are turned by the places of their tokens, and a matrix.

    apart: halves are computed apart, made by this operator
    """
    model = Model((1, WIDTH, 1, TOKENS))
    rows = model.node("Reshape", "x", model.constant([1, WIDTH, TOKENS], np.int64))
    rows = model.node("Transpose", rows, perm=[0, 2, 1])
    matrix = model.constant(model.rng.normal(size=(WIDTH, WIDTH)) / 4)
    heads = model.constant([1, TOKENS, HEADS, CHANNELS], np.int64)
    now = model.node("Reshape", model.node("MatMul", rows, matrix), heads)
    now = model.node("Transpose", now, perm=[0, 2, 1, 3])
    angles = np.tile(np.outer(np.arange(TOKENS), 0.5 ** np.arange(HALF)), 2)
    if apart:
        now = halves_apart(model, now, angles, split=apart == "Split")
    else:
        other = turned(model, now, function, pairs=pairs)
        one = model.node("Mul", now, model.constant(np.cos(angles)))
        other = model.node("Mul", other, model.constant(np.sin(angles)))
        now = model.node("Add", one, other)
    back = model.node("Transpose", now, perm=[0, 2, 1, 3])
    rows = model.node("Reshape", back, model.constant([1, TOKENS, WIDTH], np.int64))
    last = model.constant(model.rng.normal(size=(WIDTH, 8)) / 4)
    return model.build(model.node("MatMul", rows, last))


def quantized(model: onnx.ModelProto, folder: Path) -> Path:
    images = np.random.default_rng(2).normal(size=(16, 1, TOKENS, WIDTH)).astype(np.float32)
    return saved(quantized_model(saved(model, folder), images), folder)


def network_of(path: Path) -> QuantizedNetwork:
    return lower(read_integer_graph(path), kernels="onnxruntime").network


@pytest.mark.promise(
    "a rotary embedding is products by constant maps and a convolution of weights 1 and -1, which"
    " rounds nothing, and golden gives what onnxruntime gives"
)
@pytest.mark.parametrize("pairs", [False, True], ids=["halves", "pairs"])
def test_turned_halves_are_a_convolution(pairs: bool, tmp_path: Path) -> None:
    path = quantized(rotary(pairs=pairs), tmp_path)
    network = network_of(path)
    kinds = [layer.op for layer in network.layers]
    assert kinds.count("conv") == 3 and kinds.count("multiply") == 2 and "reshape" not in kinds
    turn = next(layer for layer in network.layers if "concat" in layer.name)
    source = network.map_of(turn.inputs[0]).quantization
    assert source == turn.output.quantization and source[0].zero_point == MIDDLE
    weights = network.parameters[turn.name].weights.reshape(WIDTH, WIDTH)
    order = np.arange(CHANNELS).reshape(HALF, 2).T if pairs else np.arange(CHANNELS).reshape(2, -1)
    wanted = np.zeros((CHANNELS, CHANNELS), np.int8)
    wanted[order[0], order[1]] = -1
    wanted[order[1], order[0]] = 1
    np.testing.assert_array_equal(weights, np.kron(np.eye(HEADS, dtype=np.int8), wanted))
    assert differing(path) == 0


@pytest.mark.promise("a rotary embedding whose halves are computed apart is one that turns them")
@pytest.mark.parametrize("apart", ["Slice", "Split"])
def test_halves_apart_are_turned_halves(apart: str, tmp_path: Path) -> None:
    path = quantized(rotary(apart=apart), tmp_path)
    network = network_of(path)
    assert differing(path) == 0
    same = network_of(quantized(rotary(), tmp_path))
    assert [layer.op for layer in network.layers] == [layer.op for layer in same.layers]
    images = np.random.default_rng(4).integers(0, 256, (4, *network.graph.input.shape), np.uint8)
    found, wanted = (infer(each, images)[each.answer].astype(int) for each in (network, same))
    np.testing.assert_array_equal(found, wanted)


def test_a_turn_that_rounds_is_named(tmp_path: Path) -> None:
    """A file of others may give the turned map another scale."""
    path = quantized(rotary(), tmp_path)
    assert not lower(read_integer_graph(path), kernels="onnxruntime").notes
    model = onnx.load(path)
    for node in model.graph.node:
        if node.op_type == "QuantizeLinear" and "concat" in node.input[0]:
            (scale,) = (each for each in model.graph.initializer if each.name == node.input[1])
            wider = 1.25 * onnx.numpy_helper.to_array(scale)
            scale.CopyFrom(onnx.numpy_helper.from_array(wider.astype(np.float32), scale.name))
    made = lower(read_integer_graph(saved(model, tmp_path)), kernels="onnxruntime")
    assert any("another scale in front" in each.what for each in made.notes)


def test_a_turn_of_the_lowest_byte_is_cut(tmp_path: Path) -> None:
    """128 steps below the middle have no counterpart above it: 127 are left."""
    network = network_of(quantized(rotary(), tmp_path))
    turn = next(layer for layer in network.layers if "concat" in layer.name)
    images = np.random.default_rng(3).integers(0, 2, (4, *network.graph.input.shape))
    images = images.astype(np.uint8) * 255
    maps = infer(network, images)
    source, found = (maps[name].astype(int) - MIDDLE for name in (turn.inputs[0], turn.name))
    heads = source.reshape(-1, HEADS, 2, HALF)
    wanted = np.stack([-heads[:, :, 1], heads[:, :, 0]], axis=2).clip(-128, 127)
    np.testing.assert_array_equal(found.reshape(wanted.shape), wanted)


def test_another_function_is_no_turn() -> None:
    assert not turns_of(rotary("Abs").graph) and len(turns_of(rotary().graph)) == 1
