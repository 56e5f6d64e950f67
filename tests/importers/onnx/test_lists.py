"""Rows of several maps at the end of an ONNX network: a detector's list of boxes."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from hwgen import api
from hwgen.cli import BAD_INPUT, main
from hwgen.commands.layer_counts import Counters
from hwgen.errors import RefusedNetworkError
from hwgen.importers.integer import lower
from hwgen.importers.onnx.quantized import read_integer_graph
from hwgen.importers.onnx.runtime import runtime_of
from hwgen.network.file import load_network, save_network
from tests.importers.onnx.test_host import session_answers
from tests.quantized_onnx import IMAGES, Model, kinds, saved

GRID = (0.05, 120)
FILE_GRID: dict[str, tuple[float, int]] = {"GRID": GRID}
COUNT = 6


def heads(model: Model, channels: int = 10, *, grids: Any = (GRID, GRID)) -> list[str]:
    """Append two heads, of 6 x 6 and 3 x 3 pixels: quantized maps."""
    body = model.quantized(model.conv(model.image(), 8, 3, 3, 3, pads=[1, 1, 1, 1]), 0.06, 0)
    small = model.node("MaxPool", body, kernel_shape=[2, 2], strides=[2, 2])
    sums = [model.conv(each, channels, 8, 1, 1) for each in (body, model.quantized(small, 0.06, 0))]
    return [model.quantized(each, *grid) for each, grid in zip(sums, grids, strict=True)]


def rows(model: Model, tensor: str, last: int = 5) -> str:
    """Append rows of `last` elements of a map: of each pixel one for each anchor."""
    moved = model.node("Transpose", tensor, perm=[0, 2, 3, 1])
    return model.node("Reshape", moved, model.constant([1, -1, last], np.int64))


def planes(model: Model, tensor: str, channels: int = 10) -> str:
    """Append (1, channels, pixels) of a map."""
    return model.node("Reshape", tensor, model.constant([1, channels, -1], np.int64))


def part(model: Model, tensor: str, first: int, end: int, axis: int = 2) -> str:
    bounds = (first, end, axis)
    return model.node("Slice", tensor, *(model.constant([each], np.int64) for each in bounds))


def by_rows(model: Model) -> list[str]:
    return [model.node("Concat", *(rows(model, each) for each in heads(model)), axis=1)]


def by_planes(model: Model) -> list[str]:
    """A list with its elements in front, turned behind: as YOLO's exporters write it."""
    listed = model.node("Concat", *(planes(model, each) for each in heads(model)), axis=2)
    return [model.node("Transpose", listed, perm=[0, 2, 1])]


def quantized_rows(model: Model) -> list[str]:
    """The list has a scale of its own, and so has each head."""
    made = heads(model, grids=((0.05, 120), (0.031, 100)))
    listed = model.node("Concat", *(rows(model, each) for each in made), axis=1)
    return [model.quantized(listed, 0.045, 110)]


def of_two_scales(model: Model) -> list[str]:
    made = heads(model, grids=((0.05, 120), (0.031, 100)))
    return [model.node("Concat", *(rows(model, each) for each in made), axis=1)]


def sigmoid_of_a_part(model: Model) -> list[str]:
    """Boxes as they are, scores through a sigmoid, in one list again."""
    listed = model.quantized(by_rows(model)[0], *GRID)
    scores = model.node("Sigmoid", part(model, listed, 4, 5))
    both = (part(model, listed, 0, 4), model.quantized(scores, 1 / 256, 0))
    return [model.quantized(model.node("Concat", *both, axis=2), 0.04, 100)]


def two_lists(model: Model) -> list[str]:
    """Boxes and scores of the same maps, each an output."""
    (listed,) = by_rows(model)
    return [part(model, listed, 0, 4), part(model, listed, 4, 5)]


def list_and_map(model: Model) -> list[str]:
    made = heads(model)
    listed = model.node("Concat", *(rows(model, each) for each in made), axis=1)
    return [made[1], listed]


LISTS: dict[str, Callable[[Model], list[str]]] = {
    "rows": by_rows,
    "planes": by_planes,
    "quantized": quantized_rows,
    "two scales": of_two_scales,
    "sigmoid of a part": sigmoid_of_a_part,
    "two lists": two_lists,
    "list and map": list_and_map,
}


def imported(outputs: Callable[[Model], list[str]], folder: Path) -> tuple[Path, Path]:
    """Return a file and the network that it becomes."""
    model = Model()
    path, out = saved(model.build(*outputs(model)), folder), folder / "net.npz"
    assert main(["import", str(path), "--out", str(out)]) == 0
    return path, out


def compared(path: Path, out: Path) -> tuple[int, Any]:
    """Return the exit code and the report of a comparison with a default session."""
    report = out.with_suffix(".json")
    chosen = ["--images", str(COUNT), "--json", str(report)]
    code = main(["compare", str(out), "--against", str(path), *chosen])
    return code, json.loads(report.read_text())


@pytest.mark.promise(
    "lists of rows of several maps in ONNX files are places of the maps; functions of a part and"
    " scales of parts are done to the maps"
)
@pytest.mark.parametrize("name", LISTS)
def test_golden_answers_as_a_default_session(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = imported(LISTS[name], tmp_path)
    line = "".join(capsys.readouterr().out.split("\n"))
    assert "lists elements of the maps" in line and "left out" not in line
    code, report = compared(path, out)
    assert code == 0 and report["output"]["equal"] == 1.0
    network = load_network(out)
    further = set(network.graph.outputs) - set(network.answer_parts)
    assert further <= {layer["name"] for layer in report["layers"]}
    if name == "rows":
        images = np.random.default_rng(3).normal(size=(IMAGES, 6, 6, 3)).astype(np.float32)
        found = api.infer(out, images).answers
        wanted = session_answers(path, images.transpose(0, 3, 1, 2))
        assert found.shape == wanted.shape == (IMAGES, 90, 5)
        assert np.array_equal(found, np.rint(wanted / GRID[0]) + GRID[1])


@pytest.mark.parametrize("name", ["rows", "two lists", "list and map"])
def test_a_wrong_map_of_a_list_is_found(name: str, tmp_path: Path) -> None:
    path, out = imported(LISTS[name], tmp_path)
    network = load_network(out)
    for layer in network.graph.outputs:
        given = network.parameters[layer]
        wrong = network.parameters | {layer: replace(given, bias=given.bias + 5000)}
        save_network(replace(network, parameters=wrong), out)
        code, report = compared(path, out)
        assert code == 1 and report["first"]["layer"] == layer


def detector(model: Model) -> list[str]:
    """Decode boxes and drop double ones behind the list, in real numbers."""
    listed = model.quantized(by_rows(model)[0], *GRID)
    scores = model.node(
        "Transpose", model.node("Sigmoid", part(model, listed, 4, 5)), perm=[0, 2, 1]
    )
    anchors = model.constant(np.arange(90 * 4).reshape(90, 4) / 90)
    boxes = model.node("Add", model.node("Exp", part(model, listed, 0, 4)), anchors)
    most = model.constant([10], np.int64)
    return [boxes, model.node("NonMaxSuppression", boxes, scores, most)]


@pytest.mark.promise("what a file computes of a list of boxes is left to the host and named")
def test_what_stands_behind_a_list_is_the_hosts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = imported(detector, tmp_path)
    line = " ".join(capsys.readouterr().out.split())
    for name in ("Exp (", "Add (", "NonMaxSuppression (", "the network ends before them"):
        assert name in line
    code, report = compared(path, out)
    assert code == 0
    assert (report["output"]["elements"], report["output"]["equal"]) == (COUNT * 90 * 4, 1.0)
    assert {layer["end_to_end"]["elements"] for layer in report["layers"]} == {
        COUNT * 36 * 10, COUNT * 9 * 10,
    }  # fmt: skip


def test_a_real_sigmoid_of_the_parts_is_the_hosts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The maps are compared where they are shown: functions hide them in the answer."""

    def outputs(model: Model) -> list[str]:
        made = [model.node("Sigmoid", rows(model, each)) for each in heads(model)]
        return [model.node("Concat", *made, axis=1)]

    path, out = imported(outputs, tmp_path)
    assert "Sigmoid (sigmoid_" in " ".join(capsys.readouterr().out.split())
    code, report = compared(path, out)
    assert code == 0 and report["output"]["elements"] == COUNT * 36 * 10
    assert {layer["name"] for layer in report["layers"]} >= set(load_network(out).graph.outputs)


def read_on(model: Model) -> list[str]:
    return [model.conv(by_planes(model)[0], 4, 90, 3)]


def test_one_sentence_says_why_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = Model()
    path = saved(model.build(*read_on(model)), tmp_path)
    given = ["import", str(path), "--kernels", "half_up", "--out", str(tmp_path / "net.npz")]
    assert main(given) == BAD_INPUT
    assert "axis must be that of the channels" in " ".join(capsys.readouterr().err.split())


def test_a_list_of_the_image_is_refused(tmp_path: Path) -> None:
    model = Model()
    image = model.image()
    made = [
        rows(model, each, 3) for each in (image, model.quantized(model.conv(image, 3, 3, 3, 3)))
    ]
    path = saved(model.build(model.node("Concat", *made, axis=1)), tmp_path)
    graph = read_integer_graph(path)
    assert main(["import", str(path), "--out", str(tmp_path / "net.npz")]) == BAD_INPUT
    assert graph.answer_places is None


def test_a_concatenation_by_channels_stays_a_layer(tmp_path: Path) -> None:
    model = Model()
    image = model.image()
    made = [model.quantized(model.conv(image, 4, 3, 1, 1), *GRID) for _ in range(2)]
    joined = model.quantized(model.node("Concat", *made, axis=1), *GRID)
    graph = read_integer_graph(saved(model.build(joined), tmp_path))
    assert len(graph.outputs) == 1 and graph.answer_places is None


def test_an_operator_of_no_runtime_behind_a_list_is_the_hosts(tmp_path: Path) -> None:
    """Such as the boxes of TensorRT: the file is compared up to the list."""
    model = Model()
    listed = by_rows(model)[0]
    boxes = helper.make_node("EfficientNMS", [listed], ["boxes"], "nms", domain="TRT")
    whole = model.build(listed)
    whole.graph.node.append(boxes)
    whole.opset_import.append(helper.make_opsetid("TRT", 1))
    whole.graph.output[0].CopyFrom(
        helper.make_tensor_value_info("boxes", TensorProto.FLOAT, [1, 10, 4])
    )
    path, out = saved(whole, tmp_path), tmp_path / "net.npz"
    assert onnx.load(path).graph.output[0].name == "boxes"
    assert main(["import", str(path), "--out", str(out)]) == 0
    code, report = compared(path, out)
    assert code == 0 and report["output"]["equal"] == 1.0


def decoded(bins: int) -> onnx.ModelProto:
    """Return the head of YOLOv8: boxes of two maps are means over bins, classes are sigmoids."""
    model = Model((1, 3, 8, 8))
    image, flat = model.image(), []
    for side, stride in ((4, 2), (2, 4)):
        conv = model.conv(image, 4 * bins + 2, 3, stride, stride, strides=[stride, stride])
        sides = model.constant([1, 4 * bins + 2, side * side], np.int64)
        flat.append(model.node("Reshape", model.quantized(conv), sides))
    rows = model.quantized(model.node("Concat", *flat, axis=2))
    sizes = model.constant([4 * bins, 2], np.int64)
    boxes, classes = model.node("Split", rows, sizes, axis=1, outputs=2).split()
    apart = model.node("Reshape", boxes, model.constant([1, 4, bins, 20], np.int64))
    turned = model.quantized(model.node("Transpose", apart, perm=[0, 2, 1, 3]))
    shares = model.quantized(model.node("Softmax", turned, axis=1), 1 / 255, 0)
    means = model.node("Conv", shares, model.weights(1, bins, 1, 1))
    sides = model.quantized(model.node("Reshape", means, model.constant([1, 4, 20], np.int64)))
    sure = model.quantized(model.node("Sigmoid", model.quantized(classes)), 1 / 255, 0)
    return model.build(model.quantized(model.node("Concat", sides, sure, axis=1)))


@pytest.mark.promise("YOLOv8's boxes are the host's by name: the network ends at the raw maps")
def test_boxes_of_bins_are_the_hosts(tmp_path: Path) -> None:
    path = saved(decoded(8), tmp_path)
    graph = read_integer_graph(path)
    network = lower(graph, kernels="onnxruntime").network
    assert set(kinds(network)) <= {"conv", "table", "rescale"}
    (rest,) = [each for each in graph.behind if "the network ends before them" in each]
    assert "Softmax (softmax" in rest and "Conv (conv" in rest
    images = np.random.default_rng(1).integers(0, 256, (8, 8, 8, 3), np.uint8)
    counters = Counters()
    counters.add(network, runtime_of(path, graph, default=True).run(images, []))
    assert counters.output is not None and counters.output.elements > 0
    assert counters.output.largest == 0


def test_layers_with_weights_behind_a_list_are_not_left(tmp_path: Path) -> None:
    with pytest.raises(RefusedNetworkError, match="axis must be that of the channels"):
        lower(read_integer_graph(saved(decoded(80), tmp_path)))
