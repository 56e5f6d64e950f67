"""Float ONNX models with images: quantized by onnxruntime, then imported."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from hwgen.commands.described import describe_import
from hwgen.errors import DataError, FormatError
from hwgen.importers.integer import lower
from hwgen.importers.onnx.calibrate import quantized_model
from hwgen.importers.onnx.quantized import integer_graph_of, read_integer_graph
from hwgen.importers.onnx.step_numbers import with_pairs_equal
from hwgen.network import QuantizedNetwork
from tests.quantized_onnx import Model, agreeing, differing, float_conv, kinds, saved, small_float

RNG = np.random.default_rng(0)


def network(model: onnx.ModelProto, images: np.ndarray, folder: Path) -> QuantizedNetwork:
    made = quantized_model(saved(model, folder), images)
    return agreeing(made, folder)


@pytest.mark.promise("a float ONNX model is quantized with images and imported")
def test_images_of_real_numbers(tmp_path: Path) -> None:
    images = RNG.normal(size=(12, 6, 6, 3)).astype(np.float32)
    found = network(small_float(), images, tmp_path)
    assert kinds(found) == ["conv", "conv", "add", "average_pool", "linear"]
    assert found.layers[0].output.quantization[0].low == 0


def test_bytes_are_the_integers_of_the_input(tmp_path: Path) -> None:
    images = RNG.integers(40, 200, (12, 6, 6, 3)).astype(np.uint8)
    values = network(small_float(), images, tmp_path).graph.input.quantization[0]
    assert values.scale == pytest.approx(1 / 255) and values.zero_point == 0


@pytest.mark.parametrize("function", ["silu", "gelu"])
def test_a_function_of_several_nodes_is_one_table(function: str, tmp_path: Path) -> None:
    model = Model(("n", 3, 6, 6))
    now = float_conv(model, "x", 4, 3, 1, 1)
    if function == "silu":
        now = model.node("Mul", now, model.node("Sigmoid", now))
    else:
        bent = model.node("Erf", model.node("Div", now, model.constant(1.4142135)))
        whole = model.node("Mul", now, model.node("Add", bent, model.constant(1.0)))
        now = model.node("Mul", whole, model.constant(0.5))
    images = RNG.normal(size=(12, 6, 6, 3)).astype(np.float32)
    found = network(model.build(float_conv(model, now, 2, 4, 1, 1)), images, tmp_path)
    assert kinds(found) == ["conv", "table", "conv"]


def test_channels_last(tmp_path: Path) -> None:
    model = Model((1, 6, 5, 3))
    planes = model.node("Transpose", "x", perm=[0, 3, 1, 2])
    made = model.build(float_conv(model, planes, 4, 3, 3, 3))
    images = RNG.normal(size=(8, 6, 5, 3)).astype(np.float32)
    assert network(made, images, tmp_path).graph.input.shape == (6, 5, 3)


def test_images_of_another_shape_are_one_sentence(tmp_path: Path) -> None:
    path = saved(small_float(), tmp_path)
    with pytest.raises(DataError, match=r"of shape \(6, 6, 3\), at least 1, got 4 of float32"):
        quantized_model(path, np.zeros((4, 3, 6, 6), np.float32))


def test_another_input_type_is_one_sentence(tmp_path: Path) -> None:
    made = small_float()
    made.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.DOUBLE
    with pytest.raises(
        FormatError, match=r"input x must be float32, got DOUBLE|must be valid ONNX"
    ):
        quantized_model(saved(made, tmp_path), np.zeros((4, 6, 6, 3), np.float32))


def test_the_file_of_the_user_is_not_changed(tmp_path: Path) -> None:
    path = saved(small_float(), tmp_path)
    before = path.read_bytes()
    made = quantized_model(path, RNG.normal(size=(4, 6, 6, 3)).astype(np.float32))
    assert path.read_bytes() == before and [*tmp_path.iterdir()] == [path]
    assert lower(integer_graph_of(made, name="small", source="x")).network.graph.name == "small"


@pytest.mark.promise(
    "what --calibrate writes its own reader takes, a function before a pooling too"
)
@pytest.mark.parametrize("function", ["LeakyRelu", "Sigmoid", "Tanh"])
@pytest.mark.parametrize("pool", ["MaxPool", "AveragePool"])
def test_the_last_function_of_a_chain_is_quantized(
    function: str, pool: str, tmp_path: Path
) -> None:
    """Poolings have their input quantized only if its writer is."""
    model = Model(("n", 3, 6, 6))
    now = model.node(function, float_conv(model, "x", 4, 3, 1, 1))
    now = model.node(pool, now, kernel_shape=[3, 3], strides=[3, 3])
    images = RNG.normal(size=(12, 6, 6, 3)).astype(np.float32)
    found = network(model.build(float_conv(model, now, 2, 4, 1, 1)), images, tmp_path)
    expected = "max_pool" if pool == "MaxPool" else "average_pool"
    assert kinds(found) == ["conv", "table", expected, "conv"]


def test_a_runtime_that_warns_is_silent(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A runtime warns of each initializer that is an input, too, and says why it stops."""
    model = small_float()
    for tensor in model.graph.initializer:
        kind, sides = tensor.data_type, list(tensor.dims)
        model.graph.input.append(onnx.helper.make_tensor_value_info(tensor.name, kind, sides))
    quantized_model(saved(model, tmp_path), np.zeros((8, 6, 6, 3), np.float32))
    shown = capfd.readouterr()
    assert (shown.out, shown.err) == ("", "")


@pytest.mark.promise(
    "a Gemm that adds a map is a product and a sum, as written by preparation and as read"
)
def test_a_sum_behind_a_product_is_one_of_two_maps(tmp_path: Path) -> None:
    """Preparation joins a MatMul and an Add to a Gemm, also where a map is added: an LSTM's."""
    model = Model(("n", 6))
    weights = [model.constant(model.rng.normal(size=shape)) for shape in ((6, 6), (6, 4), (6, 4))]
    hidden = model.node("Tanh", model.node("MatMul", "x", weights[0]))
    one, other = (model.node("MatMul", x, w) for x, w in ((hidden, weights[1]), ("x", weights[2])))
    images = RNG.normal(size=(40, 1, 1, 6)).astype(np.float32)
    made = quantized_model(saved(model.build(model.node("Add", one, other)), tmp_path), images)
    assert sorted(kinds(agreeing(made, tmp_path))) == ["add", *["linear"] * 3, "table"]
    assert differing(saved(made, tmp_path)) <= 1


def test_a_gemm_that_adds_a_map_is_one_layer(tmp_path: Path) -> None:
    model = Model((1, 20))
    image = model.image()
    other = model.quantized(model.node("Gemm", image, model.weights(20, 8, axis=1)), 0.5, 120)
    sums = model.node("Gemm", image, model.weights(20, 8, axis=1), other)
    path = saved(model.build(model.quantized(sums, 0.5, 100)), tmp_path)
    steps = sum(each.steps for each in describe_import(path).differences)
    assert differing(path) <= steps == 1


def test_the_scale_of_a_sum_moves_until_no_pair_differs(tmp_path: Path) -> None:
    """Of scales in small whole ratios, in whose halves float32 scatters."""
    model = Model((1, 3, 6, 6))
    one, other = (
        model.quantized(model.conv(model.image(), 4, 3, 1, 1), scale, 128) for scale in (0.05, 0.04)
    )
    made = model.build(model.quantized(model.node("Add", one, other), 0.06, 128))
    (before,) = describe_import(saved(made, tmp_path)).differences
    assert "65,536 pairs" in before.what
    with_pairs_equal(made)
    path = saved(made, tmp_path)
    assert describe_import(path).differences == []
    assert differing(path) == 0
    scale = lower(read_integer_graph(path), kernels="onnxruntime").network.layers[-1].output
    assert 0 < abs(scale.quantization[0].scale / 0.06 - 1) < 1e-3
