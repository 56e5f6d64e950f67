"""Rows of several maps as an answer: a detector's list of boxes."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import golden.network
from hwgen import api
from hwgen.cli import BAD_INPUT, main
from hwgen.errors import FormatError
from hwgen.importers.integer import lower
from hwgen.importers.tflite import read_integer_graph
from hwgen.importers.tflite.runtime import runtime_of
from hwgen.network.file import load_network, save_network
from tests.importers.tflite.test_refusals import sentences
from tests.tflite_files import Writer, pool_options

DETECTOR = Path(__file__).parent / "cases" / "detector_one_list.tflite"
IMAGES = 4
AXIS = {"FusedActivationFunction": 0}


def reshaped(writer: Writer, source: int, output: int) -> int:
    shape = writer.constant(np.array(writer.tensors[output].shape, np.int32))
    writer.operator("RESHAPE", (source, shape), output, ("ReshapeOptions", {}))
    return output


def joined(writer: Writer, parts: tuple[int, ...], output: int, axis: int) -> int:
    writer.operator(
        "CONCATENATION", parts, output, ("ConcatenationOptions", {"Axis": axis, **AXIS})
    )
    return output


def two_maps(writer: Writer, scales: tuple[float, float] = (0.05, 0.05)) -> tuple[int, int]:
    """Add maps of 4 x 4 and 2 x 2 pixels of 6 channels."""
    x = writer.map(4, 4, 6, scale=0.05, zero_point=-3)
    large, small = (
        writer.map(side, side, 6, scale=scale, zero_point=-3)
        for side, scale in zip((4, 2), scales, strict=True)
    )
    writer.operator("RELU", (x,), large)
    writer.operator("MAX_POOL_2D", (x,), small, pool_options(kernel=(2, 2), stride=(2, 2)))
    return large, small


def rows(writer: Writer, part: int, count: int, scale: float = 0.05) -> int:
    """Add a map as rows of three elements."""
    return reshaped(writer, part, writer.map(count, 3, scale=scale, zero_point=-3))


def plain() -> Writer:
    """Two maps, whose rows follow one another."""
    writer = Writer()
    large, small = two_maps(writer)
    parts = rows(writer, large, 32), rows(writer, small, 8)
    joined(writer, parts, writer.map(40, 3, scale=0.05, zero_point=-3), 1)
    return writer


def turned() -> Writer:
    """A transposition in front of the list, and one and a reshaping behind it."""
    writer = Writer()
    large, small = two_maps(writer)
    order = writer.constant(np.array([0, 3, 1, 2], np.int32))
    planes = writer.map(6, 4, 4, scale=0.05, zero_point=-3)
    writer.operator("TRANSPOSE", (large, order), planes, ("TransposeOptions", {}))
    parts = rows(writer, planes, 32), rows(writer, small, 8)
    listed = joined(writer, parts, writer.map(40, 3, scale=0.05, zero_point=-3), 1)
    swap = writer.constant(np.array([0, 2, 1], np.int32))
    columns = writer.map(3, 40, scale=0.05, zero_point=-3)
    writer.operator("TRANSPOSE", (listed, swap), columns, ("TransposeOptions", {}))
    reshaped(writer, columns, writer.map(120, scale=0.05, zero_point=-3))
    return writer


def repeated() -> Writer:
    """The rows of one map stand twice."""
    writer = Writer()
    large, small = two_maps(writer)
    first = rows(writer, small, 8)
    parts = first, rows(writer, large, 32), first
    joined(writer, parts, writer.map(48, 3, scale=0.05, zero_point=-3), 1)
    return writer


def with_sigmoid() -> Writer:
    """A function of one part."""
    writer = Writer()
    x = writer.map(4, 4, 6, scale=0.05, zero_point=-3)
    pooled = writer.map(2, 2, 6, scale=0.05, zero_point=-3)
    writer.operator("MAX_POOL_2D", (x,), pooled, pool_options(kernel=(2, 2), stride=(2, 2)))
    grid = {"scale": 1 / 256, "zero_point": -128}
    large, small = writer.map(4, 4, 6, **grid), writer.map(2, 2, 6, **grid)
    writer.operator("LOGISTIC", (x,), large)
    writer.operator("QUANTIZE", (pooled,), small, ("QuantizeOptions", {}))
    parts = tuple(
        reshaped(writer, part, writer.map(count, 3, **grid))
        for part, count in ((large, 32), (small, 8))
    )
    joined(writer, parts, writer.map(40, 3, **grid), 1)
    return writer


def part(writer: Writer, source: int, first: int, count: int) -> int:
    """Add some elements of each row, of 40 rows of three."""
    bounds = [np.array(each, np.int32) for each in ([0, 0, first], [1, 40, count])]
    output = writer.map(40, count, scale=0.05, zero_point=-3)
    inputs = (source, *(writer.constant(each) for each in bounds))
    return writer.operator("SLICE", inputs, output, ("SliceOptions", {}))


def sigmoid_of_a_part() -> Writer:
    """As Keras ends a detector: boxes as they are, scores through a sigmoid, in one list again."""
    writer = plain()
    grid = {"scale": 1 / 256, "zero_point": -128}
    (listed,) = writer.outputs
    boxes, scores = part(writer, listed, 0, 2), part(writer, listed, 2, 1)
    made = writer.map(40, 2, **grid), writer.map(40, 1, **grid)
    writer.operator("QUANTIZE", (boxes,), made[0], ("QuantizeOptions", {}))
    writer.operator("LOGISTIC", (scores,), made[1])
    joined(writer, made, writer.map(40, 3, **grid), 2)
    return writer


def real() -> Writer:
    """The list leaves the file as real numbers."""
    writer = plain()
    (listed,) = writer.outputs
    writer.operator("DEQUANTIZE", (listed,), writer.map(40, 3, scale=None, type="float32"))
    return writer


LISTS = {
    "plain": plain,
    "turned": turned,
    "repeated": repeated,
    "sigmoid": with_sigmoid,
    "sigmoid of a part": sigmoid_of_a_part,
    "real": real,
}


@pytest.mark.promise(
    "a list of rows of several maps, as detectors end, is the places of the answer in these maps"
)
@pytest.mark.parametrize("name", LISTS)
def test_golden_answers_as_the_runtime_does(name: str, tmp_path: Path) -> None:
    file = LISTS[name]().save(tmp_path / "net.tflite")
    graph = read_integer_graph(file)
    network = lower(graph).network
    save_network(network, tmp_path / "net.npz")
    network = load_network(tmp_path / "net.npz")
    count = 4 if name == "sigmoid of a part" else 2
    assert len(network.graph.outputs) == len(network.answer_parts) == count
    shape = (IMAGES, *network.graph.input.shape)
    images = np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)
    wanted = runtime_of(file, graph).run(images, []).integers
    assert wanted is not None and len(np.unique(wanted)) > 3
    found = network.file_answer(golden.network.infer(network, images))
    steps = np.abs(found.reshape(IMAGES, -1).astype(int) - wanted)
    assert steps.max() <= (1 if "sigmoid" in name else 0)
    given = api.infer(network_file := tmp_path / "net.npz", images)
    assert network_file.exists() and np.array_equal(given.answers, found)
    assert list(given.outputs) == list(network.graph.outputs)


def test_a_detector_is_equal_in_every_element(tmp_path: Path) -> None:
    made, report = tmp_path / "network.npz", tmp_path / "report.json"
    assert main(["import", str(DETECTOR), "--out", str(made)]) == 0
    network = load_network(made)
    assert [network.map_of(name).shape for name in network.answer_parts] == [
        (8, 8, 21), (4, 4, 21)
    ]  # fmt: skip
    chosen = ["--images", "4", "--json", str(report)]
    assert main(["compare", str(made), "--against", str(DETECTOR), *chosen]) == 0
    found = json.loads(report.read_text())["output"]
    assert (found["elements"], found["equal"]) == (4 * 240 * 7, 1.0)


def second() -> Writer:
    """A map, then a list."""
    writer = plain()
    writer.outputs = (1, *writer.outputs)
    return writer


def two_lists() -> Writer:
    writer = plain()
    (listed,) = writer.outputs
    writer.outputs = part(writer, listed, 0, 2), part(writer, listed, 2, 1)
    return writer


def decoded() -> Writer:
    """Operators of real numbers behind the list."""
    writer = real()
    (listed,) = writer.outputs
    made = writer.map(40, 3, scale=None, type="float32")
    writer.operator("EXP", (listed,), made)
    total = writer.map(40, 3, scale=None, type="float32")
    writer.operator("ADD", (made, listed), total, ("AddOptions", AXIS))
    return writer


FURTHER: dict[str, tuple[Callable[[], Writer], tuple[str, ...]]] = {
    "second": (second, ("lists elements of the maps",)),
    "two lists": (two_lists, ("lists elements of the maps", "and golden has their order")),
    "decoded": (decoded, ("EXP (exp_6), ADD (add_7), which compute map_", "ends before them")),
}


@pytest.mark.parametrize("name", FURTHER)
def test_lists_that_are_not_the_only_answer(
    name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    build, told = FURTHER[name]
    file, out = build().save(tmp_path / "net.tflite"), tmp_path / "net.npz"
    assert main(["import", str(file), "--out", str(out)]) == 0
    line = " ".join(capfd.readouterr().out.split())
    assert all(each in line for each in told)
    assert len(load_network(out).graph.outputs) == 2
    report = tmp_path / "report.json"
    chosen = ["--images", "4", "--json", str(report)]
    assert main(["compare", str(out), "--against", str(file), *chosen]) == 0
    assert json.loads(report.read_text())["output"]["equal"] == 1.0


def test_a_wrong_place_is_found(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    made, report = tmp_path / "network.npz", tmp_path / "report.json"
    assert main(["import", str(DETECTOR), "--out", str(made)]) == 0
    network = load_network(made)
    second = network.graph.outputs[1]
    given = network.parameters[second]
    changed = network.parameters | {second: replace(given, bias=given.bias + 5000)}
    save_network(replace(network, parameters=changed), made)
    chosen = ["--images", "2", "--json", str(report)]
    assert main(["compare", str(made), "--against", str(DETECTOR), *chosen]) == 1
    first = json.loads(report.read_text())["first"]
    assert first["layer"] == second


def list_of_the_image() -> Writer:
    writer = Writer()
    x, y, z = writer.map(4, 4, 3), writer.map(4, 4, 3), writer.map(8, 4, 3)
    writer.operator("RELU", (x,), y)
    joined(writer, (x, y), z, 1)
    return writer


def read_on() -> Writer:
    writer = plain()
    weights = writer.constant(np.ones((4, 120), np.int8), scales=0.01)
    output = writer.map(4, scale=0.05)
    options = ("FullyConnectedOptions", {"FusedActivationFunction": 0})
    writer.operator("FULLY_CONNECTED", (writer.outputs[0], weights), output, options)
    return writer


def of_two_scales() -> Writer:
    writer = Writer()
    large, small = two_maps(writer, (0.05, 0.06))
    parts = rows(writer, large, 32), rows(writer, small, 8, 0.06)
    joined(writer, parts, writer.map(40, 3, scale=0.05, zero_point=-3), 1)
    return writer


REFUSED: dict[str, tuple[Callable[[], Writer], str]] = {
    "image": (list_of_the_image, "its inputs must be of layers, where it lists rows, got the im"),
    "read": (read_on, "its input must be a map: rows of several maps end a network, got such rows"),
    "scales": (of_two_scales, "its inputs must be of the scale of its output"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_one_sentence_says_why_not(name: str, tmp_path: Path) -> None:
    build, wanted = REFUSED[name]
    (sentence,) = sentences(build(), tmp_path)
    assert wanted in sentence


def test_maps_of_a_list_with_a_real_zero_have_one_scale(tmp_path: Path) -> None:
    network = lower(read_integer_graph(plain().save(tmp_path / "net.tflite"))).network
    layers = list(network.layers)
    (numbers,) = layers[0].output.quantization
    other = replace(layers[0].output, quantization=(replace(numbers, scale=0.06),))
    layers[0] = replace(layers[0], output=other)
    unlike = replace(network, graph=replace(network.graph, layers=layers))
    save_network(unlike, tmp_path / "net.npz")
    assert network.answer_places is not None
    places = network.answer_places.copy()
    places[0] = -1
    with pytest.raises(FormatError, match="maps of answer_places must be of the same bits, scale"):
        save_network(replace(unlike, answer_places=places), tmp_path / "net.npz")
    save_network(replace(network, answer_places=places), tmp_path / "net.npz")


def test_such_a_list_is_not_exported(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    made = tmp_path / "net.npz"
    save_network(lower(read_integer_graph(plain().save(tmp_path / "net.tflite"))).network, made)
    assert main(["export-onnx", str(made), "--out", str(tmp_path / "net.onnx")]) == BAD_INPUT
    (sentence,) = capfd.readouterr().err.splitlines()
    assert "the answer must be of one map, got a list of relu_0, max_pool_2d_1" in sentence
