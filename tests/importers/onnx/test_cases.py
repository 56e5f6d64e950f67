"""Small files of other tools: what becomes of each, against the file in a default session.

`cases` has them as the tools wrote them: torch, onnxruntime's quantization, Brevitas.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

import golden.network
from hwgen.cli import main
from hwgen.commands.described import describe_import
from hwgen.commands.exchange import calibrated_graph
from hwgen.importers.integer import lower
from hwgen.importers.onnx.quantized import read_integer_graph
from hwgen.importers.onnx.runtime import runtime_of
from hwgen.network.file import load_network
from hwgen.network.weights import Weighted
from tests.quantized_onnx import Model, differing, judged_on, saved

CASES = Path(__file__).parent / "cases"
EXACT = {
    "add_a_map_of_one_channel": (16, 16, 3),
    "add_a_value_per_channel": (16, 16, 3),
    "add_quantized_one_as_in_gelu": (1, 1, 256),
    "gate_by_a_map_of_one_channel": (16, 16, 3),
    "padding_of_4_on_3x3": (8, 8, 3),
    "batch_norm_rank_3": (1, 1, 20),
    "bias_of_another_scale": (1, 1, 20),
    "brevitas_mlp_qcdq": (1, 1, 20),
    "brevitas_mlp_qonnx": (1, 1, 20),
    "brevitas_residual_4bit_qcdq": (32, 32, 3),
    "linear_behind_slice_uint8_weights": (1, 1, 3),
    "lstm_written_out": (8, 1, 4),
    "mobilevit_block": (32, 32, 3),
    "mul_quantized_constant_on_halves": (1, 1, 256),
    "negative_factor": (1, 1, 256),
    "pad_by_infinity_max_pool": (32, 32, 3),
    "pad_by_minimum_max_pool": (32, 32, 3),
    "requantized_twice": (16, 16, 3),
}
"""Files that golden answers as a default session does, with the shapes of their images."""
REFUSED = {
    "negative_weight_scale": "its scale must be a positive number, got -0.00385",
}
"""Files that are refused, each in one sentence."""
BREVITAS = ("brevitas_mlp_qcdq", "brevitas_residual_4bit_qcdq")


@pytest.mark.promise(
    "a head of sums with a scale a channel is held exactly, and the host's factors decide its"
    " class; what --calibrate finds quantized stays"
)
def test_every_case_is_listed() -> None:
    named = {"lstm_static", "mean_without_padding", "vit_class_token"}
    assert {path.stem for path in CASES.iterdir()} == {*EXACT, *REFUSED, *named}


@pytest.mark.parametrize("name", EXACT)
def test_every_element_is_equal(name: str) -> None:
    assert differing(CASES / f"{name}.onnx") == 0


@pytest.mark.parametrize(
    ("name", "bits"),
    [
        ("brevitas_mlp_qcdq", {8}),
        ("brevitas_mlp_qonnx", {4}),
        ("brevitas_residual_4bit_qcdq", {4}),
    ],
)
def test_weights_of_brevitas_keep_their_bits(name: str, bits: set[int]) -> None:
    layers = lower(read_integer_graph(CASES / f"{name}.onnx"), kernels="onnxruntime").network.layers
    assert {layer.weight_bits for layer in layers if isinstance(layer, Weighted)} == bits


@pytest.mark.parametrize("name", REFUSED)
def test_one_sentence_says_why_not(name: str) -> None:
    (found,) = describe_import(CASES / f"{name}.onnx").refused
    assert REFUSED[name] in found.reason


def concatenated(name: str, result: str, model: onnx.ModelProto) -> onnx.NodeProto:
    """Return a node that makes eight channels of one."""
    return onnx.helper.make_node("Concat", [name] * 8, [result], axis=1)


def resized(name: str, result: str, model: onnx.ModelProto) -> onnx.NodeProto:
    """Return a node that makes 16 x 16 pixels of one."""
    scales = onnx.numpy_helper.from_array(np.array([1, 1, 16, 16], np.float32), "growth")
    model.graph.initializer.append(scales)
    how = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    inputs = [name, "", "growth"]
    return onnx.helper.make_node("Resize", inputs, [result], mode="nearest", **how)


@pytest.mark.parametrize(
    ("name", "operator", "grow"),
    [
        ("add_a_map_of_one_channel", "Add", concatenated),
        ("add_a_value_per_channel", "Add", resized),
        ("gate_by_a_map_of_one_channel", "Mul", concatenated),
    ],
)
def test_maps_that_are_made_of_one_shape_are_imported(
    name: str,
    operator: str,
    grow: Callable[[str, str, onnx.ModelProto], onnx.NodeProto],
    tmp_path: Path,
) -> None:
    model = onnx.load(CASES / f"{name}.onnx")
    node = next(each for each in model.graph.node if each.op_type == operator)
    given, place = node.input[1], [*model.graph.node].index(node)
    (pair,) = (each for each in model.graph.node if given in each.output)
    grown = [
        grow(given, "grown", model),
        onnx.helper.make_node("QuantizeLinear", ["grown", *pair.input[1:]], ["q"]),
        onnx.helper.make_node("DequantizeLinear", ["q", *pair.input[1:]], ["real"]),
    ]
    node.input[1] = "real"
    for behind, each in enumerate(grown):
        model.graph.node.insert(place + behind, each)
    onnx.save(model, tmp_path / "grown.onnx")
    assert describe_import(tmp_path / "grown.onnx").refused == []


def test_a_mean_that_leaves_padding_out_differs_by_the_step_that_is_said() -> None:
    path = CASES / "mean_without_padding.onnx"
    (line,) = describe_import(path).differences
    assert (line.operator, line.steps) == ("AveragePool", 1)
    assert differing(path) <= 1


def test_tokens_behind_a_class_token_are_those_of_the_file() -> None:
    """17 tokens, of which the answer reads the first; one sum is near a half in three pairs."""
    path = CASES / "vit_class_token.onnx"
    found = describe_import(path)
    assert [each.kind for each in found.layers].count("stack") == 1
    assert not any(each.kind == "reshape" for each in found.layers)
    assert all(not each.families["dbpim"].startswith("no") for each in found.layers)
    (pairs,) = (line for line in found.differences if line.operator == "Add")
    assert "node_add_1, in 3 of all 65,536 pairs" in pairs.what
    graph = read_integer_graph(path)
    network = lower(graph, kernels="onnxruntime").network
    first, head = network.layers[-2:]
    assert (first.op, network.parameters[head.name].weights.shape) == ("shortcut", (10, 32))
    images = np.random.default_rng(5).integers(0, 256, (10, 32, 32, 3)).astype(np.uint8)
    names = [layer.source for layer in network.layers if layer.op == "stack"]
    outcome = runtime_of(path, graph, default=True).run(images, names)
    given = golden.network.infer(network, images)
    for layer in network.layers:
        if layer.source in names:
            np.testing.assert_array_equal(given[layer.name], outcome.maps[layer.source])
    assert differing(path) <= 2


def test_padding_before_a_window_takes_the_rest(tmp_path: Path) -> None:
    """What the sentence says to do: the answers are those of the file that is refused."""
    file, cured = (onnx.load(CASES / "padding_of_4_on_3x3.onnx") for _ in range(2))
    conv = next(node for node in cured.graph.node if node.op_type == "Conv")
    sides = next(each for each in conv.attribute if each.name == "pads")
    sides.ints[:] = [2, 2, 2, 2]
    rest = onnx.numpy_helper.from_array(np.array([0, 0, 2, 2, 0, 0, 2, 2]), "rest")
    cured.graph.initializer.append(rest)
    grid = next(node for node in cured.graph.node if conv.input[0] in node.output).input[1:]
    made = (
        onnx.helper.make_node("Pad", [conv.input[0], "rest"], ["wide"], "wide"),
        onnx.helper.make_node("QuantizeLinear", ["wide", *grid], ["integers"], "integers"),
        onnx.helper.make_node("DequantizeLinear", ["integers", *grid], ["reals"], "reals"),
    )
    conv.input[0] = "reals"
    place = list(cured.graph.node).index(conv)
    for count, node in enumerate(made):
        cured.graph.node.insert(place + count, node)
    assert differing(saved(cured, tmp_path)) == 0
    image = np.random.default_rng(0).uniform(-2, 2, shape_of(file)).astype(np.float32)
    assert np.array_equal(*(answer_of(model, image) for model in (file, cured)))


def shape_of(model: onnx.ModelProto) -> list[int]:
    return [side.dim_value for side in model.graph.input[0].type.tensor_type.shape.dim]


def answer_of(model: onnx.ModelProto, image: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    answer: np.ndarray = session.run(None, {model.graph.input[0].name: image})[0]
    return answer


def test_the_largest_of_sums_with_a_scale_each_is_the_class(tmp_path: Path) -> None:
    """Of the sums as they are it is another one for some images."""
    model = Model((1, 20))
    path = saved(
        model.build(model.node("Gemm", model.image(), model.weights(6, 20), transB=1)), tmp_path
    )
    graph = read_integer_graph(path)
    network = lower(graph, kernels="onnxruntime").network
    images = np.random.default_rng(2).integers(0, 256, (60, 1, 1, 20)).astype(np.uint8)
    classes = judged_on(path, network, images)[2].argmax(axis=1)
    assert (golden.network.predict(network, images) == classes).all()
    assert (golden.network.answer(network, images).argmax(axis=3) != classes).any()
    assert differing(path) == 0


def test_such_a_head_is_exported_and_imported_again(tmp_path: Path) -> None:
    network, model, again = (tmp_path / name for name in ("a.npz", "a.onnx", "b.npz"))
    path = CASES / "brevitas_mlp_qcdq.onnx"
    assert main(["import", str(path), "--kernels", "half_up", "--out", str(network)]) == 0
    assert main(["export-onnx", str(network), "--out", str(model)]) == 0
    assert main(["import", str(model), "--out", str(again)]) == 0
    first, second = (load_network(path) for path in (network, again))
    assert [layer.output for layer in first.layers] == [layer.output for layer in second.layers]
    for layer_name, arrays in first.parameters.items():
        for key, array in arrays.arrays().items():
            assert np.array_equal(array, second.parameters[layer_name].arrays()[key])


@pytest.mark.parametrize("name", BREVITAS)
def test_calibration_leaves_the_pairs_of_a_file(name: str, tmp_path: Path) -> None:
    images, qdq = tmp_path / "images.npz", tmp_path / "qdq.onnx"
    drawn = np.random.default_rng(1).uniform(-2, 2, (20, *EXACT[name])).astype(np.float32)
    np.savez(images, images=drawn)
    given, _ = calibrated_graph(CASES / f"{name}.onnx", images, qdq)
    assert differing(qdq) == 0
    before, after = (
        lower(each, kernels="onnxruntime").network
        for each in (read_integer_graph(CASES / f"{name}.onnx"), given)
    )
    kept = {layer.name: layer for layer in after.layers}
    assert len(kept) == len(before.layers)
    for layer in before.layers[:-1]:
        numbers, same = (each.output.quantization[0] for each in (layer, kept[layer.name]))
        assert (numbers.scale, numbers.zero_point) == (same.scale, same.zero_point)
    for layer_name, weighted in before.parameters.items():
        assert np.array_equal(weighted.weights, after.parameters[layer_name].weights)
        assert np.array_equal(weighted.bias, after.parameters[layer_name].bias)
