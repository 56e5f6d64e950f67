"""Models that cannot be imported: one sentence for each node, all at once, before computation."""

import os
import pickle
import random
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import pytest

from hwgen.cli import BAD_INPUT, main
from hwgen.errors import HwgenError
from hwgen.importers.integer import RefusedNetworkError
from hwgen.importers.onnx.qdq.export import model_of_network
from hwgen.network.file import load_network
from tests.quantized_onnx import Model, imported, saved

NETWORK = Path(__file__).parents[3] / "configs/networks/digits_small_cnn.npz"
Change = Callable[[onnx.ModelProto], None]


def refused(model: onnx.ModelProto, folder: Path) -> str:
    with pytest.raises(HwgenError) as caught:
        imported(model, folder)
    return str(caught.value)


def unquantized_weights(model: Model, image: str) -> str:
    real = model.constant(model.rng.normal(size=(4, 3, 1, 1)))
    return model.quantized(model.node("Conv", image, real))


def unquantized_between(model: Model, image: str) -> str:
    return model.quantized(model.conv(model.conv(image, 3, 3, 1, 1), 3, 3, 1, 1))


def scales_of_inputs(model: Model, image: str) -> str:
    return model.quantized(model.node("Conv", image, model.weights(4, 3, 1, 1, axis=1)))


def upside_down(model: Model, image: str) -> str:
    steps = [model.constant(each, np.int64) for each in ([5], [-7], [2], [-1])]
    return model.quantized(model.conv(model.node("Slice", image, *steps), 3, 3, 1, 1))


def weights_of_scale(scale: float, model: Model, image: str) -> str:
    """Two layers read the same weights, whose scale is refused once."""
    integers = model.constant(np.ones((3, 3, 1, 1), np.int8), np.int8)
    weights = model.node("DequantizeLinear", integers, model.constant(scale))
    one = model.quantized(model.node("Conv", image, weights))
    other = model.quantized(model.node("Conv", image, weights))
    return model.quantized(model.node("Add", one, other))


REFUSED: dict[str, tuple[Callable[[Model, str], str], str]] = {
    "weights that are real": (unquantized_weights, "its weights must be integers behind a"),
    "a map that is real": (unquantized_between, "must be quantized .* got real numbers of node"),
    "a scale for each input": (scales_of_inputs, "the scales of its weights must be one, or"),
    "rows in another order": (upside_down, "what it selects must be from the first to the last"),
    "transposed convolution, a scale an input": (
        lambda m, x: m.quantized(m.node("ConvTranspose", x, m.weights(3, 3, 2, 2))),
        "the scales of its weights must be one, or one a filter",
    ),
    "an enlargement between pixels": (
        lambda m, x: m.quantized(
            m.node("Resize", x, "", m.constant([1.0, 1.0, 2.0, 2.0]), mode="cubic")
        ),
        "its mode must be nearest or linear, got cubic",
    ),
    "rows taken unlike often": (
        lambda m, x: m.quantized(m.node("Resize", x, "", m.constant([1.0, 1.0, 1.5, 1.5]))),
        r"node resize_\d+ \(Resize\): what it selects must be",
    ),
    "a negative scale of weights": (
        partial(weights_of_scale, -0.125),
        r"node dequantizelinear_\d+ \(DequantizeLinear\): its scale must be .* got -0.125 \(",
    ),
    "a scale of weights that is 0": (
        partial(weights_of_scale, 0.0),
        r"node dequantizelinear_\d+ \(DequantizeLinear\): its scale must be .* got 0 \(",
    ),
    "a constant of another function": (
        lambda m, x: m.quantized(m.node("Mul", x, m.node("Sin", m.constant(1.0)))),
        r"node sin_\d+ \(Sin\): a constant must be stored, or of simple arithmetic, got Sin",
    ),
    "channels that do not match": (
        lambda m, x: m.quantized(m.node("Conv", x, m.weights(4, 2, 1, 1))),
        "must be|Incompatible|mismatch",
    ),
    "padding of another value": (
        lambda m, x: m.quantized(
            m.conv(
                m.node("Pad", x, m.constant([0, 0, 1, 1] * 2, np.int64), m.constant(2.0)),
                3,
                3,
                1,
                1,
            )
        ),
        r"its value must be 0, or the lowest number of the map \(-0.12\) before a max pool",
    ),
    "the lowest number before a convolution": (
        lambda m, x: m.quantized(
            m.conv(
                m.node("Pad", x, m.constant([0, 0, 1, 1, 0, 0, 1, 1], np.int64), m.constant(-0.2)),
                *(4, 3, 3, 3),
            )
        ),
        "its value must be 0, or the lowest number before max pools alone",
    ),
    "an image quantized in two ways": (
        lambda m, x: m.quantized(m.node("Add", x, m.quantized("x", 0.05, 7))),
        "the image must be quantized in one way, as import --calibrate does with the float file,",
    ),
    "an answer that is no sum": (
        lambda m, x: m.node("GlobalAveragePool", x),
        "an output must be quantized, or sums",
    ),
}


@pytest.mark.promise(
    "an ONNX model that is damaged or not supported is refused with exit code 2, every node at once"
)
@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_one_sentence(case: str, tmp_path: Path) -> None:
    write, expected = REFUSED[case]
    model = Model()
    sentence = refused(model.build(write(model, model.image())), tmp_path)
    assert "\n" not in sentence
    assert sentence.endswith(f"({tmp_path / 'model.onnx'})")
    assert re.search(expected, sentence), sentence


def test_all_nodes_are_listed_at_once(tmp_path: Path) -> None:
    model = Model()
    image = model.image()
    one = model.quantized(model.node("Sin", image))
    other = model.quantized(model.node("Cos", image))
    behind = model.quantized(model.node("Relu", model.node("Add", one, other)))
    with pytest.raises(RefusedNetworkError) as caught:
        imported(model.build(behind), tmp_path)
    assert [each.operator for each in caught.value.refusals] == ["Sin", "Cos"]


def test_nodes_that_no_output_needs_do_not_matter(tmp_path: Path) -> None:
    model = Model()
    image = model.image()
    model.node("Sin", image)
    assert imported(model.build(model.quantized(model.conv(image, 3, 3, 1, 1))), tmp_path)


def test_a_float_model_says_what_to_do(tmp_path: Path) -> None:
    model = Model()
    made = model.build(model.node("Relu", "x"))
    assert "imported with --calibrate, got float ONNX" in refused(made, tmp_path)


def test_an_old_opset(tmp_path: Path) -> None:
    model = Model(opset=5)
    made = model.build(model.quantized("x"))
    assert "the opset must be 10 or newer, got 5" in refused(made, tmp_path)


def good() -> onnx.ModelProto:
    model: onnx.ModelProto = model_of_network(load_network(NETWORK))
    return model


def external(model: onnx.ModelProto) -> None:
    tensor = next(each for each in model.graph.initializer if "weights/quantized" in each.name)
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"


def shorter(model: onnx.ModelProto) -> None:
    tensor = next(each for each in model.graph.initializer if "weights/quantized" in each.name)
    tensor.raw_data = tensor.raw_data[:-3]


def cyclic(model: onnx.ModelProto) -> None:
    model.graph.node[0].input[0] = model.graph.node[-1].output[0]


def huge_image(model: onnx.ModelProto) -> None:
    for side in model.graph.input[0].type.tensor_type.shape.dim[2:]:
        side.dim_value = 1 << 40


def flat_image(model: onnx.ModelProto) -> None:
    del model.graph.input[0].type.tensor_type.shape.dim[3:]


def huge_pads(model: onnx.ModelProto) -> None:
    conv = next(node for node in model.graph.node if node.op_type == "Conv")
    next(each for each in conv.attribute if each.name == "pads").ints[:] = [1 << 30] * 4


def negative_stride(model: onnx.ModelProto) -> None:
    conv = next(node for node in model.graph.node if node.op_type == "Conv")
    next(each for each in conv.attribute if each.name == "strides").ints[:] = [0, -1]


def one_stride(model: onnx.ModelProto) -> None:
    conv = next(node for node in model.graph.node if node.op_type == "Conv")
    del next(each for each in conv.attribute if each.name == "strides").ints[1:]


def scale_of_nothing(model: onnx.ModelProto) -> None:
    tensor = next(each for each in model.graph.initializer if each.name == "conv2/scale")
    tensor.raw_data = np.array(np.nan, np.float32).tobytes()


DAMAGED: list[Change] = [
    external, shorter, cyclic, huge_image, flat_image, huge_pads, negative_stride, one_stride,
    scale_of_nothing,
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGED)
def test_damaged_models_are_refused(
    damage: Change, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = good()
    damage(model)
    path, out = saved(model, tmp_path), tmp_path / "network.npz"
    assert main(["import", str(path), "--out", str(out)]) == BAD_INPUT
    error = capsys.readouterr().err
    assert error.startswith("hwgen: ") and str(path) in error
    assert not out.exists()


def test_truncated_files_are_refused(tmp_path: Path) -> None:
    content = good().SerializeToString(deterministic=True)
    path = tmp_path / "cut.onnx"
    for length in range(0, len(content) - 2000, 1777):
        path.write_bytes(content[:length])
        out = tmp_path / "network.npz"
        assert main(["import", str(path), "--out", str(out)]) == BAD_INPUT, length
        assert not out.exists()


def test_a_pickle_runs_nothing(tmp_path: Path) -> None:
    class Shell:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.system, (f"touch {tmp_path / 'ran'}",)

    path = tmp_path / "renamed.onnx"
    path.write_bytes(pickle.dumps(Shell()))
    assert main(["import", str(path), "--out", str(tmp_path / "network.npz")]) == BAD_INPUT
    assert not (tmp_path / "ran").exists()


@pytest.mark.dear
def test_altered_files_are_imported_or_refused(tmp_path: Path) -> None:
    content = good().SerializeToString(deterministic=True)
    path, out = tmp_path / "altered.onnx", tmp_path / "network.npz"
    chance = random.Random(1)
    for _ in range(60):
        changed = bytearray(content)
        for _ in range(chance.choice((1, 2, 8))):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        path.write_bytes(changed)
        assert main(["import", str(path), "--out", str(out)]) in (0, BAD_INPUT)


def without_scales(model: Model) -> onnx.ModelProto:
    model.node("DynamicQuantizeLinear", "x")
    return model.build(model.node("Relu", "x"))


def branching(model: Model) -> onnx.ModelProto:
    image = model.image()
    outputs = [onnx.helper.make_tensor_value_info("branch", 1, None)]
    proto = onnx.helper.make_node("Identity", [image], ["branch"])
    graph = onnx.helper.make_graph([proto], "graph", [], outputs)
    condition = model.constant(np.array(True), np.bool_)
    chosen = model.node("If", condition, then_branch=graph, else_branch=graph)
    return model.build(model.quantized(chosen))


def standing_still(model: Model) -> onnx.ModelProto:
    return model.build(model.quantized(model.conv(model.image(), 4, 3, 3, 3, strides=[0, 1])))


def chain(operator: str, *, quantized: bool) -> Callable[[Model], onnx.ModelProto]:
    def build(model: Model) -> onnx.ModelProto:
        now = model.image()
        for _ in range(1000):
            now = model.node(operator, now)
            now = model.quantized(now) if quantized else now
        return model.build(model.quantized(now))

    return build


MESSAGES: dict[str, tuple[Callable[[Model], onnx.ModelProto], str]] = {
    "dynamic": (without_scales, "the quantization must be static, .* --calibrate images.npz"),
    "a branch": (branching, "without branches or loops: export the part that runs"),
    "stride 0": (standing_still, r"its strides must be at least 1, got \[0, 1\]"),
    "1,000 unknown nodes": (chain("Sin", quantized=False), "got Sin as node 3 of 1004"),
    "1,000 unknown layers": (chain("Sin", quantized=True), "got Sin as node 3 of 3004"),
    "1,000 functions": (chain("Tanh", quantized=False), "must be at most 200 nodes, got 201"),
}


@pytest.mark.promise(
    "files that nobody can import are one sentence and exit code 2, within five seconds"
)
@pytest.mark.parametrize("case", MESSAGES)
def test_a_message_says_what_to_do(case: str, tmp_path: Path) -> None:
    build, expected = MESSAGES[case]
    sentence = refused(build(Model()), tmp_path)
    assert "\n" not in sentence
    assert re.search(expected, sentence), sentence
