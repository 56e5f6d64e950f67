"""What an import leaves: equal after all, or refused in the words that docs/import.md has."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

from hwgen.cli import main
from hwgen.importers.onnx.calibrate import quantized_model
from tests.importers.onnx.test_recurrent import differing, recurrent
from tests.quantized_onnx import Model, saved
from tests.tflite_files import Writer

PAGE = Path(__file__).parents[3] / "docs/import.md"
RNG = np.random.default_rng(3)


def two_heads(ending: str) -> onnx.ModelProto:
    """Return six tokens of 8, of which two have a head each; ending: what becomes of both."""
    model = Model((1, 6, 8))
    tokens = model.node("Relu", model.node("MatMul", "x", model.constant(RNG.normal(size=(8, 8)))))
    heads = []
    for place in range(2):
        token = model.node("Gather", tokens, model.constant(np.array(place), np.int64), axis=1)
        heads.append(model.node("MatMul", token, model.constant(RNG.normal(size=(8, 3)))))
    if ending == "Concat":
        return model.build(model.node("Concat", *heads, axis=1))
    return model.build(model.node("Add", *heads))


@pytest.mark.promise("heads of two class tokens are read, added or side by side, and equal")
@pytest.mark.parametrize("ending", ["Add", "Concat"])
def test_heads_of_two_class_tokens(ending: str, tmp_path: Path) -> None:
    images = RNG.normal(size=(32, 6, 1, 8)).astype(np.float32)
    made = quantized_model(saved(two_heads(ending), tmp_path), images)
    assert differing(saved(made, tmp_path)) == 0


@pytest.mark.promise("a head for each step of a cell of one value is equal")
@pytest.mark.parametrize(("operator", "directions"), [("LSTM", 1), ("GRU", 2)])
def test_a_head_for_each_step_of_one_value(operator: str, directions: int, tmp_path: Path) -> None:
    images = RNG.normal(size=(16, 4, 1, 3)).astype(np.float32)
    model = recurrent(operator, hidden=1, output="every", steps=3, inputs=4, directions=directions)
    assert differing(saved(quantized_model(saved(model, tmp_path), images), tmp_path)) == 0


def real_transposed(folder: Path) -> list[str]:
    """A ConvTranspose with real weights between pairs, as quantize_static leaves it."""
    model = Model((1, 3, 6, 6))
    now = model.quantized(model.conv(model.image(), 4, 3, 3, 3))
    weights = model.constant(RNG.normal(size=(4, 3, 2, 2)))
    grown = model.quantized(model.node("ConvTranspose", now, weights, strides=[2, 2]))
    model_file = saved(model.build(model.quantized(model.conv(grown, 3, 3, 1, 1))), folder)
    return [str(model_file), "--kernels", "half_up"]


def real_sigmoid(folder: Path) -> list[str]:
    """Pairs in front of convolutions alone, as pt2e writes them for x86."""
    model = Model()
    sums = model.conv(model.image(), 4, 3, 3, 3)
    gate = model.node("Mul", sums, model.node("HardSigmoid", sums))
    end = model.conv(model.quantized(gate), 5, 4, 1, 1)
    return [str(saved(model.build(model.quantized(end)), folder)), "--kernels", "half_up"]


def mean_of_14(folder: Path) -> list[str]:
    writer = Writer()
    x = writer.map(14, 1, 3, scale=0.05, zero_point=7, type="uint8")
    y = writer.map(1, 1, 3, scale=0.05, zero_point=7, type="uint8")
    axes = writer.constant(np.array([1, 2], np.int32))
    writer.operator("MEAN", (x, axes), y, ("ReducerOptions", {"KeepDims": True}))
    return [str(writer.save(folder / "mean.tflite")), "--kernels", "half_up"]


LEFT = {
    real_transposed: (
        2,
        "its weights must be integers behind a DequantizeLinear, got real numbers",
    ),
    real_sigmoid: (
        2,
        "must be quantized (a QuantizeLinear and a DequantizeLinear before it), got real numbers of"
        " node",
    ),
    mean_of_14: (
        0,
        "not exact: its factor is rounded; largest effect 0.0009 steps before rounding",
    ),
}


@pytest.mark.promise("what an import leaves stands in docs/import.md in the words of the command")
@pytest.mark.parametrize("case", LEFT)
def test_what_is_left_is_told_as_the_page_says(
    case: Callable[[Path], list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, words = LEFT[case]
    assert main(["import", *case(tmp_path), "--out", str(tmp_path / "net.npz")]) == code
    printed = "".join(capsys.readouterr())
    assert words in printed
    assert words in " ".join(PAGE.read_text(encoding="utf-8").split())
    assert (tmp_path / "net.npz").exists() == (code == 0)
