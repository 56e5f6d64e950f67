"""Float files whose weights stand on a grid keep the integers, and say so."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from hwgen.importers.onnx.calibrate import quantized_model
from hwgen.importers.onnx.quantized import integer_graph_of

IMAGES = np.random.default_rng(1).normal(size=(4, 6, 6, 3)).astype(np.float32)
TOLD = "weights of 2 layers are whole multiples of a step of their filter: they keep these integers"


def written(file: Path, convolution: np.ndarray, matrix: np.ndarray) -> Path:
    """Write a convolution with a batch norm, a mean, and a matrix."""
    random = np.random.default_rng(2)
    norm = {name: random.uniform(0.5, 2, 16) for name in ("mean", "variance", "bias")}
    norm["gain"] = random.uniform(0.5, 2, 16) * random.choice([-1, 1], 16)
    arrays = {"w": convolution, "m": matrix, **norm}
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], "conv"),
        helper.make_node("BatchNormalization", ["c", "gain", "bias", "mean", "variance"], ["n"]),
        helper.make_node("Relu", ["n"], ["r"]),
        helper.make_node("GlobalAveragePool", ["r"], ["p"]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("MatMul", ["f", "m"], ["y"], "head"),
    ]
    tensors = [numpy_helper.from_array(a.astype(np.float32), n) for n, a in arrays.items()]
    image = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, (1, 3, 6, 6))
    answer = helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, (1, 10))
    graph = helper.make_graph(nodes, "net", [image], [answer], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, file)
    return file


def integers_in(model: onnx.ModelProto) -> list[np.ndarray]:
    """Return the weights of a quantized model, the convolution first."""
    arrays = [numpy_helper.to_array(each) for each in model.graph.initializer]
    return sorted((a for a in arrays if a.dtype == np.int8 and a.ndim > 1), key=lambda a: -a.ndim)


@pytest.mark.promise(
    "float weights that are whole multiples of a step of their filter keep these integers, behind a"
    " batch norm too, and an import says so"
)
def test_weights_on_a_grid_keep_their_integers(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    powers = [1, 2, 4, 8, 16, 32, 64, -64, -8]
    one = random.choice(powers, (16, 3, 3, 3))
    one[:, 0, 0, :2] = 64, 1
    two = random.choice([96, 127, 24, 3, 0, -120], (16, 10))
    two[:2] = [[127], [1]]
    steps = random.uniform(0.001, 0.1, 16)[:, None, None, None]
    model = quantized_model(written(tmp_path / "n.onnx", one * steps, two * 0.003), IMAGES)
    found, matrix = integers_in(model)
    signs = np.sign(found[:, :1, :1, :1])
    assert np.array_equal(found * signs, one) and np.array_equal(matrix, two)
    assert {-1, 1} == set(signs.flatten())
    graph = integer_graph_of(model, name="n", source="n.onnx")
    assert [each for each in graph.remarks if TOLD in each and "at most 2 signed" in each]
    assert graph.in_session is not None and graph.in_session.remarks == graph.remarks


def test_other_weights_have_the_largest_at_127(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    drawn = random.normal(size=(16, 3, 3, 3)), random.normal(size=(16, 10))
    model = quantized_model(written(tmp_path / "n.onnx", *drawn), IMAGES)
    for weights in integers_in(model):
        axes = (1, 2, 3) if weights.ndim == 4 else 0
        assert (np.abs(weights).max(axes) == 127).all()
    assert not integer_graph_of(model, name="n", source="n.onnx").remarks
