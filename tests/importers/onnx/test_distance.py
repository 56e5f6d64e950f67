"""How far a quantized file is from the float file that it was made of."""

import json
from pathlib import Path

import numpy as np
import pytest

from hwgen.cli import main
from hwgen.importers.onnx.calibrate import distance_from_float, quantized_model
from hwgen.importers.onnx.distance import Distance, Sums
from hwgen.report.import_tables import distance_line
from hwgen.report.imports import FloatDistance
from tests.quantized_onnx import Model, float_conv, saved, small_float

IMAGES = np.random.default_rng(0).normal(size=(12, 6, 6, 3)).astype(np.float32)


def report(path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[str, list[dict]]:
    """Return what an import prints, and what its JSON says of the distance."""
    given, out = folder / "images.npz", folder / "network.npz"
    np.savez(given, images=IMAGES)
    argv = ["import", str(path), "--out", str(out), "--calibrate", str(given)]
    argv += ["--json", str(folder / "report.json")]
    assert main(argv) == 0
    printed = " ".join(capsys.readouterr().out.split())
    return printed, json.loads((folder / "report.json").read_text())["from_float"]


@pytest.mark.promise("an import with --calibrate says how far it is from the float network")
def test_an_import_says_its_distance(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    printed, (found,) = report(saved(small_float(), tmp_path), tmp_path, capsys)
    assert found["images"] == 12 and 20 < found["decibels"] < 60
    assert 0 <= found["classes"] <= 1
    said = f"on 12 calibration images: output {found['output']} {found['decibels']:.1f} dB"
    assert said in printed and "equal classes in" in printed


def test_each_output_has_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = Model((1, 3, 6, 6))
    now = float_conv(model, "x", 8, 3, 3, 3)
    path = saved(model.build(model.node("Relu", now), float_conv(model, now, 2, 8, 1, 1)), tmp_path)
    _, found = report(path, tmp_path, capsys)
    assert len(found) == 2 and all(each["classes"] is None for each in found)
    assert found[0]["decibels"] != found[1]["decibels"]


ACTIVATIONS = {
    "relu": lambda model, now: model.node("Relu", now),
    "clip": lambda model, now: model.node("Clip", now, model.constant(0.0), model.constant(1.5)),
    "reshaped": lambda model, now: model.node("Relu", model.node("Flatten", now)),
    "identity": lambda model, now: model.node("Relu", model.node("Identity", now)),
    "leaky": lambda model, now: model.node("LeakyRelu", now, alpha=0.1),
}


@pytest.mark.promise("an output that an activation reads keeps its sign under --calibrate")
@pytest.mark.parametrize("kind", ACTIVATIONS)
def test_an_output_keeps_its_sign_before_an_activation(kind: str, tmp_path: Path) -> None:
    model = Model((1, 3, 6, 6))
    now = float_conv(model, "x", 8, 3, 3, 3)
    read = ACTIVATIONS[kind](model, now)
    path = saved(model.build(model.node("Neg", read), now), tmp_path)
    made = quantized_model(path, IMAGES)
    found = distance_from_float(path, made, IMAGES)
    assert all(each.decibels is not None and each.decibels > 15 for each in found), found


def test_an_output_that_is_far_warns() -> None:
    far, near = (
        FloatDistance(output="y", images=12, decibels=decibels, classes=None)
        for decibels in (9.9, 10.1)
    )
    assert "output y 9.9 dB; warning: below 10 dB" in distance_line(far)
    assert "warning" not in distance_line(near)


def test_a_distance_is_that_of_the_numbers() -> None:
    real = np.array([[3.0, 4.0], [0.0, 5.0]], np.float32)
    given = np.array([[3.0, 3.5], [0.5, 0.0]], np.float32)
    sums = Sums()
    sums.add(real, given)
    found = sums.distance("y", 2)
    assert found.decibels == pytest.approx(10 * np.log10(50 / 25.5)) and found.classes == 0.5
    equal = Sums()
    equal.add(np.array([[1, 2, 3, 4]]), np.array([[1, 2, 0, 4]]))
    assert equal.distance("y", 1) == Distance(output="y", images=1, decibels=None, classes=0.75)
