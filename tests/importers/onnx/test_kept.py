"""What an import says of operators that onnxruntime computes in float32, beside its answers."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hwgen.cli import main
from hwgen.commands.described import describe_import
from hwgen.importers.onnx.external import read_whole_model
from hwgen.importers.onnx.session_graph import optimized
from tests.importers.onnx.test_quantized import CASES
from tests.quantized_onnx import Model, differing, saved

Write = Callable[[Model, str], str]
EXACT = "every number of the file is held exactly"
PAIR_ALONE = "another scale"
"""Of the image: a session joins both pairs, and no layer is left."""
FILES = Path(__file__).parents[1] / "files"


def normalized(model: Model, image: str) -> str:
    parts = [model.constant([0.5, 0.7, 0.9]) for _ in range(4)]
    return model.quantized(model.node("BatchNormalization", image, *parts), 0.03, 9)


def transposed(model: Model, image: str) -> str:
    weights = model.weights(3, 4, 2, 2, axis=1)
    return model.quantized(model.node("ConvTranspose", image, weights, strides=[2, 2]), 0.05, 9)


KEPT: dict[str, tuple[Write, dict[str, int]]] = {
    "a slope a channel": (CASES["a slope a channel"][0], {"PRelu": 1}),
    "hard swish": (CASES["hard swish"][0], {"HardSwish": 1}),
    "transposed": (transposed, {"ConvTranspose": 1}),
    "a mean over windows": (
        lambda m, x: m.quantized(m.node("AveragePool", x, kernel_shape=[3, 3]), 0.03, 9),
        {"AveragePool": 1},
    ),
    "batch normalization": (normalized, {"BatchNormalization": 1}),
    "mean over axes": (
        lambda m, x: m.quantized(m.node("ReduceMean", x, axes=[2, 3]), 0.01, 9),
        {"ReduceMean": 1},
    ),
    "difference": (CASES["difference"][0], {"Sub": 1}),
    "gelu by erf": (CASES["gelu by erf"][0], {"Add": 1, "Div": 1, "Erf": 1, "Mul": 2}),
    "selu": (CASES["selu"][0], {"Selu": 1}),
}


def file_of(write: Write, folder: Path) -> Path:
    model = Model()
    return saved(model.build(write(model, model.image())), folder)


@pytest.mark.promise(
    "an import has a line for each operator that onnxruntime computes in float32, with the"
    " steps by which it may differ; what has none differs nowhere"
)
@pytest.mark.parametrize("name", KEPT)
def test_each_operator_in_float32_is_a_line(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write, expected = KEPT[name]
    path = file_of(write, tmp_path)
    assert main(["import", str(path), "--out", str(tmp_path / "net.npz")]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert EXACT not in text
    for operator, nodes in expected.items():
        count = f"{nodes} node{'s' if nodes > 1 else ''}"
        line = f"{operator} ({count}): onnxruntime computes it in float32"
        said = f"a layer may differ by 1 step from the runtime, and the answer by more: {line}"
        assert said in text
    assert text.count("may differ by") == len(expected)
    assert differing(path, 200) <= 1


@pytest.mark.parametrize("name", sorted(CASES.keys() - {PAIR_ALONE}))
def test_an_answer_differs_no_further_than_said(name: str, tmp_path: Path) -> None:
    """Also not at all where nothing is said."""
    path = file_of(CASES[name][0], tmp_path)
    info = describe_import(path)
    assert not info.unknown
    assert differing(path, 200) <= max((each.steps for each in info.differences), default=0)


def test_nodes_of_a_whole_file_are_counted() -> None:
    found = describe_import(FILES / "densenet-QOperator.onnx").differences
    kept = {each.operator: each.nodes for each in found}
    assert kept == {"AveragePool": 1, "BatchNormalization": 6}
    assert not describe_import(FILES / "yolo_neck-QOperator.onnx").differences


def test_what_onnxruntime_adds_for_its_own_order_is_no_operator(tmp_path: Path) -> None:
    """The channels of the maximum, which stays in float32, are taken in blocks."""
    model = Model((1, 16, 8, 8), kind=np.int8)
    window = {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}
    sums = model.conv(model.quantized("x", 0.04, 0), 32, 16, 3, 3, pads=[1, 1, 1, 1])
    pooled = model.node("MaxPool", model.quantized(sums, 0.05, 0), **window)
    pooled = model.quantized(pooled, 0.05, 0)
    sums = model.quantized(model.conv(pooled, 32, 32, 3, 3, pads=[1, 1, 1, 1]), 0.05, 0)
    path = saved(model.build(model.quantized(model.node("Add", sums, pooled), 0.06, 0)), tmp_path)
    optimal = optimized(read_whole_model(path), str(path), "all").graph
    assert "ReorderInput" in {node.op_type for node in optimal.node}
    found = describe_import(path).differences
    assert {each.operator for each in found} <= {"Add", "Conv"}


def test_inputs_that_are_quantized_anew_are_a_line(tmp_path: Path) -> None:
    """Those of a head behind a Flatten, where onnxruntime has no integers any more."""
    model = Model()
    flat = model.node("Flatten", model.image())
    path = saved(model.build(model.node("Gemm", flat, model.weights(108, 5, axis=1))), tmp_path)
    graph = optimized(read_whole_model(path), str(path), "all").graph
    assert "MatMulNBits" in {node.op_type for node in graph.node}
    (line,) = describe_import(path).differences
    assert "whose inputs onnxruntime quantizes anew" in line.what
    assert 1 <= differing(path, 200) <= line.steps


def test_without_onnxruntime_it_is_said_that_nobody_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("kept", "session_graph"):
        monkeypatch.delitem(sys.modules, f"hwgen.importers.onnx.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    path = file_of(CASES["conv"][0], tmp_path)
    assert main(["import", str(path), "--out", str(tmp_path / "net.npz")]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert EXACT not in text
    assert "computes in float32 is not known: the package onnxruntime is needed" in text


def test_the_arithmetic_of_every_chip_is_not_held_against_the_runtime(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = file_of(CASES["a slope a channel"][0], tmp_path)
    given = ["import", str(path), "--kernels", "half_up", "--out", str(tmp_path / "net.npz")]
    assert main(given) == 0
    assert "may differ" not in capsys.readouterr().out
