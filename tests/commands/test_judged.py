"""`hwgen import` runs the user's file in its runtime, and says what it found."""

import json
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from hwgen.cli import main
from hwgen.commands import judged as judging
from hwgen.commands.described import describe_import
from hwgen.commands.judged import Imported, judged
from hwgen.errors import MissingToolError
from hwgen.importers.integer import lower
from hwgen.importers.integer.nodes import Convolution
from hwgen.importers.onnx.quantized import read_integer_graph
from tests.fuzz.sessions import same_answers
from tests.importers.tflite.test_constants import HARD_SEED, drawn
from tests.quantized_onnx import Model, saved, small_float

FILES = Path("tests/importers/files")
Said = pytest.CaptureFixture[str]


def small(folder: Path, *behind: str) -> Path:
    """Write a file of one convolution, with functions behind it."""
    model = Model((1, 3, 6, 6))
    now = model.quantized(model.conv(model.image(), 4, 3, 3, 3), 0.05, 60)
    for each in behind:
        now = model.node(each, now, axis=1)
    return saved(model.build(now), folder)


def told(capsys: Said, *arguments: object) -> tuple[int, str]:
    """Run `hwgen import`; return its exit code, and what it prints without breaks."""
    code = main(["import", *map(str, arguments)])
    return code, " ".join(capsys.readouterr().out.split())


@pytest.mark.promise(
    "an import runs the file in its runtime and says in how many elements it differs"
)
@pytest.mark.parametrize("head", [(), ("Softmax",), ("LogSoftmax",)])
def test_equal_to_the_whole_file(head: tuple[str, ...], tmp_path: Path, capsys: Said) -> None:
    path = small(tmp_path, *head)
    code, text = told(capsys, path, "--out", tmp_path / "net.npz")
    assert code == 0 and "every number of the file is held exactly" in text
    assert "equal in all 512 elements of 8 images, by onnxruntime" in text


@pytest.mark.promise(
    "an import names a Softmax of one value each, for which onnxruntime stores zero"
)
def test_shares_of_one_value_are_named(tmp_path: Path, capsys: Said) -> None:
    model = Model((1, 3, 6, 6))
    now = model.quantized(model.conv(model.image(), 1, 3, 3, 3), 0.05, 60)
    now = model.quantized(model.node("Softmax", now, axis=1), 1 / 256, 0)
    code, text = told(capsys, saved(model.build(now), tmp_path), "--out", tmp_path / "net.npz")
    assert "differs in 128 of 128 elements" in text and "at most 255 steps" in text
    assert code == 0 and "stores zero for the share of a value that stands alone" in text


def test_shares_of_a_whole_picture_are_judged(tmp_path: Path, capsys: Said) -> None:
    """Softmax of opset 11 runs over all that lies behind its axis."""
    model = Model((1, 1, 5, 5), opset=11)
    grid = [model.constant(0.04), model.constant(3, np.uint8)]
    integers = model.node("QuantizeLinear", model.node("Relu", model.image()), *grid)
    shares = model.node("Softmax", model.node("DequantizeLinear", integers, *grid), axis=1)
    code, text = told(capsys, saved(model.build(shares), tmp_path), "--out", tmp_path / "net.npz")
    assert code == 0 and "equal in all 200 elements of 8 images" in text


def test_a_step_of_a_hidden_map_is_several_of_a_finer_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A convolution in float32, of which the session shows the maximum alone, on a finer grid."""
    monkeypatch.chdir(tmp_path)
    assert same_answers("rewritten", Random("session rewritten 0.1193293316167292")) == 0


def test_without_the_check_nothing_is_promised(tmp_path: Path, capsys: Said) -> None:
    code, text = told(capsys, small(tmp_path), "--out", tmp_path / "net.npz", "--no-check")
    assert code == 0 and "judged" not in text and "exactly" not in text


def test_without_the_runtime_nothing_is_judged(
    tmp_path: Path, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object) -> None:
        raise MissingToolError("the package onnxruntime is needed for this")

    monkeypatch.setattr(judging, "verdict_of", missing)
    code, text = told(capsys, small(tmp_path), "--out", tmp_path / "net.npz")
    assert code == 0 and "exactly" not in text
    assert "not judged by model.onnx: the package onnxruntime is needed" in text


def test_half_up_tells_its_difference_and_ends_in_order(tmp_path: Path, capsys: Said) -> None:
    path = FILES / "resnet-script-calibrated.onnx"
    code, text = told(capsys, path, "--out", tmp_path / "net.npz", "--kernels", "half_up")
    assert code == 0 and "differs in" in text and "not foreseen" not in text


@pytest.mark.parametrize("kernels", ["default", "reference"])
def test_litert_judges_by_the_kernels_that_are_asked_for(
    kernels: str, tmp_path: Path, capsys: Said
) -> None:
    given = [FILES / "gated.tflite", "--out", tmp_path / "net.npz", "--kernels", kernels]
    code, text = told(capsys, *given)
    assert code == 0 and "equal in all 40 elements of 8 images, by LiteRT" in text
    assert f", {kernels} kernels" in text


def test_a_qonnx_file_is_judged_as_it_is_rewritten(tmp_path: Path, capsys: Said) -> None:
    path = Path("tests/importers/onnx/cases/brevitas_mlp_qonnx.onnx")
    code, text = told(capsys, path, "--out", tmp_path / "net.npz")
    assert code == 0 and "equal in all 24 elements" in text
    assert "of QONNX as QuantizeLinear, Clip and DequantizeLinear" in text


def wrong(path: Path) -> tuple[Any, Any]:
    """Return the graph of a file in which a convolution has wrong weights, and its network."""
    graph = read_integer_graph(path)
    session = graph.in_session
    assert session is not None
    nodes = [
        replace(node, weights=replace(node.weights, integers=node.weights.integers[::-1]))
        if isinstance(node, Convolution)
        else node
        for node in session.nodes
    ]
    graph = replace(graph, in_session=replace(session, nodes=tuple(nodes)))
    return graph, lower(graph, kernels="onnxruntime").network


@pytest.mark.promise(
    "a layer that differs where no line names it is told, and ends with exit code 1"
)
def test_a_wrong_layer_is_not_foreseen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = small(tmp_path, "Softmax")
    graph, network = wrong(path)
    about = Imported(
        file=path,
        network=network,
        graph=graph,
        kernels="onnxruntime",
        content=describe_import(path),
    )
    found = judged(about)
    assert found.different > 100 and found.first.startswith("conv")
    (said,) = found.unforeseen
    assert said.startswith("node conv") and said.endswith("no line names it")
    monkeypatch.setattr("hwgen.commands.imports.read_graph", lambda _: graph)
    out = tmp_path / "net.npz"
    assert main(["import", str(path), "--out", str(out)]) == 1 and out.is_file()


def test_a_difference_of_litert_that_a_line_names_is_foreseen(tmp_path: Path) -> None:
    path = drawn("SUB", 16, HARD_SEED, first=True).save(tmp_path / "net.tflite")
    found = describe_import(path, judge=judged).judged
    assert found is not None and found.different and found.foreseen and found.first == "sub_0"


def test_a_difference_that_a_line_names_is_foreseen() -> None:
    found = describe_import(FILES / "densenet-QOperator.onnx", judge=judged).judged
    assert found is not None and found.different and found.foreseen
    assert "BatchNormalization" in found.first or "AveragePool" in found.first


@pytest.mark.promise(
    "an import with --calibrate is judged by the quantized file and by the float one"
)
def test_a_float_file_has_both_on_one_line(tmp_path: Path, capsys: Said) -> None:
    images = np.random.default_rng(0).normal(size=(12, 6, 6, 3)).astype(np.float32)
    np.savez(tmp_path / "images.npz", images=images)
    given = [saved(small_float(), tmp_path), "--calibrate", tmp_path / "images.npz"]
    code, text = told(capsys, *given, "--out", tmp_path / "net.npz")
    assert code == 0
    assert "judged by the quantized file (--qdq): equal in all 40 elements of 8 images" in text
    assert "dB from the float file (quantized file:" in text


def cell(folder: Path) -> Path:
    """Write a float file whose second output is its second input of the next call."""
    model = Model((1, 5), seed=3)
    both = model.node("Concat", "x", "h", axis=1)
    weights = model.constant(model.rng.normal(size=(11, 6)) / 3)
    after = model.node("Tanh", model.node("MatMul", both, weights))
    answer = model.node("MatMul", after, model.constant(model.rng.normal(size=(6, 3))))
    made = model.build(answer, after)
    made.graph.input.append(helper.make_tensor_value_info("h", TensorProto.FLOAT, (1, 6)))
    path = saved(made, folder)
    images = model.rng.normal(size=(24, 1, 1, 11)).astype(np.float32)
    np.savez(folder / "images.npz", images=images)
    model.answer = after
    np.savez(folder / "calls.npz", images=images[..., :5])
    return path


@pytest.mark.promise("a network with states is judged and compared call by call")
def test_calls_are_judged_in_order(tmp_path: Path, capsys: Said) -> None:
    path, out, qdq = cell(tmp_path), tmp_path / "net.npz", tmp_path / "q.onnx"
    state = f"h={onnx.load(path).graph.output[1].name}"
    given = ["--calibrate", tmp_path / "images.npz", "--state", state, "--qdq", qdq]
    code, text = told(capsys, path, "--out", out, *given)
    assert code == 0 and "equal in all 24 elements of 8 images" in text
    report = tmp_path / "report.json"
    compare = ["compare", str(out), "--against", str(qdq), "--data", str(tmp_path / "calls.npz")]
    assert main([*compare, "--json", str(report)]) == 0
    found = json.loads(report.read_text())["judged"]
    assert (found["images"], found["elements"], found["different"]) == (24, 72, 0)


def test_info_judges_a_file_once(tmp_path: Path, capsys: Said, monkeypatch: Any) -> None:
    path, work = small(tmp_path), str(tmp_path / "work")
    for _ in range(2):
        assert main(["info", str(path), "--work", work]) == 0
        assert "equal in all 512 elements" in capsys.readouterr().out
        monkeypatch.setattr(judging, "judged", None)
