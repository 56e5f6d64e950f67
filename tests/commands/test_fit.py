"""`hwgen fit` and `hwgen export-onnx` from end to end."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hwgen.cli import BAD_INPUT, EQUAL, main
from hwgen.commands.fitting import filters_of_digits
from hwgen.fit.digits import digits_of
from hwgen.network import Parameters, QuantizedNetwork
from hwgen.network.file import load_network, save_network
from tests.golden.drawn import draw_every_operation
from tests.quantized_onnx import small_float
from tests.schemas import follows

ROOT = Path(__file__).parents[2]
NETWORK = ROOT / "configs/networks/digits_small_cnn.npz"


def unfitted(folder: Path) -> Path:
    """A copy of a shipped network with weights of more digits, nearly the same."""
    network = load_network(NETWORK)
    rng = np.random.default_rng(0)
    parameters: dict[str, Parameters] = {}
    for name, given in network.parameters.items():
        noise = rng.integers(-3, 4, given.weights.shape) * (given.weights != 0)
        weights = (given.weights + noise).clip(-128, 127).astype(np.int8)
        parameters[name] = replace(given, weights=weights)
    path = folder / "unfitted.npz"
    save_network(replace(network, parameters=parameters), path)
    return path


def fitted(source: Path, folder: Path, *options: str) -> tuple[QuantizedNetwork, dict[str, object]]:
    out, report = folder / "fitted.npz", folder / "report.json"
    given = ["fit", str(source), "--data", "digits", "--out", str(out), "--json", str(report)]
    assert main([*given, *options]) == EQUAL
    plain = json.loads(report.read_text())
    follows(plain, "fit")
    return load_network(out), plain


@pytest.mark.promise(
    "weights get few signed digits without training, by the rule of the seed or with less loss"
    " by measurement"
)
def test_every_weight_has_two_digits_and_accuracy_stays(tmp_path: Path) -> None:
    network, report = fitted(unfitted(tmp_path), tmp_path)
    for parameters in network.parameters.values():
        assert digits_of(parameters.weights).max() <= 2
    before, after = report["accuracy_before"], report["accuracy_after"]
    assert isinstance(before, float) and isinstance(after, float)
    assert before > 0.9 and after > before - 0.02
    assert report["judged_images"] == 359 - 64


def test_a_network_of_few_digits_is_unchanged(tmp_path: Path) -> None:
    network, report = fitted(NETWORK, tmp_path)
    given = load_network(NETWORK)
    for name, parameters in given.parameters.items():
        assert np.array_equal(network.parameters[name].weights, parameters.weights)
        assert np.array_equal(network.parameters[name].multiplier, parameters.multiplier)
    assert report["accuracy_before"] == report["accuracy_after"]


@pytest.mark.dear
def test_pruning_shows_its_loss(tmp_path: Path) -> None:
    source = unfitted(tmp_path)
    _, unpruned = fitted(source, tmp_path)
    network, report = fitted(source, tmp_path, "--prune", "0.7")
    for name, parameters in network.parameters.items():
        assert np.mean(parameters.weights == 0) > 0.6, name
    for one, other in zip(unpruned["layers"], report["layers"], strict=True):  # type: ignore[call-overload]
        assert other["relative_loss"] > one["relative_loss"]


def test_the_rule_of_the_seed_by_option(tmp_path: Path) -> None:
    _, report = fitted(unfitted(tmp_path), tmp_path, "--rule", "text")
    assert report["rule"] == "text"
    assert all(layer["finer_filters"] == 0 for layer in report["layers"])  # type: ignore[attr-defined]


def test_networks_that_cannot_be_fitted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = tmp_path / "modes.npz", tmp_path / "fitted.npz"
    save_network(draw_every_operation(1), path)
    assert main(["fit", str(path), "--data", "digits", "--out", str(out)]) == BAD_INPUT
    sentence = capsys.readouterr().err
    assert "the modes of a network to fit must be one, got 3 (1.0x, 0.6x, 0.3x)" in sentence
    assert not out.exists()


@pytest.mark.promise(
    "every network that rounds half up is written as an ONNX QDQ model that onnxruntime runs"
    " and that reads back equal"
)
def test_export_and_import_give_the_same_network(tmp_path: Path) -> None:
    model, back = tmp_path / "network.onnx", tmp_path / "back.npz"
    assert main(["export-onnx", str(NETWORK), "--out", str(model)]) == EQUAL
    assert main(["import", str(model), "--out", str(back)]) == EQUAL
    one, other = load_network(NETWORK), load_network(back)
    layers = [replace(layer, source="") for layer in other.layers]
    assert replace(other.graph, layers=layers) == one.graph
    assert all(np.array_equal(other.arrays()[key], array) for key, array in one.arrays().items())
    assert main(["compare", str(back), "--against", str(model), "--images", "4"]) == EQUAL


@pytest.mark.promise("a float ONNX model is quantized with images and imported")
def test_a_float_model_is_calibrated_and_compared(tmp_path: Path) -> None:
    model = tmp_path / "small.onnx"
    model.write_bytes(small_float().SerializeToString())
    images = tmp_path / "images.npz"
    np.savez(images, images=np.random.default_rng(0).normal(size=(9, 6, 6, 3)).astype(np.float32))
    out, qdq = tmp_path / "small.npz", tmp_path / "small_qdq.onnx"
    given = ["import", str(model), "--calibrate", str(images), "--out", str(out)]
    assert main([*given, "--qdq", str(qdq)]) == EQUAL
    assert main(["compare", str(out), "--against", str(qdq), "--data", str(images)]) == EQUAL


@pytest.mark.dear
@pytest.mark.promise(
    "groups of filters that bear it get one digit or none, the cheapest by measured loss first,"
    " within a budget of accuracy"
)
def test_groups_get_fewer_digits_within_a_budget(tmp_path: Path) -> None:
    """What is allowed decides how many; the head stays, and weights are of exactly phi digits."""
    few = fitted(NETWORK, tmp_path, "--rule", "lowered", "--budget", "0")[1]
    network, report = fitted(NETWORK, tmp_path, "--rule", "lowered", "--budget", "40")
    counts, more = few["filters_of_digits"], report["filters_of_digits"]
    assert isinstance(counts, list) and isinstance(more, list)
    first = filters_of_digits(load_network(NETWORK))
    assert sum(first) == sum(counts) == sum(more)
    assert first[2] > counts[2] >= more[2] and counts[0] < more[0] and more[3] == 0
    assert report["accuracy_after"] >= report["accuracy_before"] - 0.5  # type: ignore[operator]
    assert report["deciding_images"] == (359 - 64) // 2
    assert report["budget_percent"] == 40
    head = load_network(NETWORK).answer
    given = load_network(NETWORK).parameters
    assert np.array_equal(network.parameters[head].weights, given[head].weights)
    for name, parameters in network.parameters.items():
        old, new = given[name].weights, parameters.weights
        assert ((new != 0) <= (old != 0)).all(), name


def test_lowering_wants_images_to_decide_and_few_digits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "out.npz")
    given = ["--data", "digits", "--rule", "lowered", "--out", out]
    assert main(["fit", str(NETWORK), *given, "--images", "65"]) == BAD_INPUT
    assert "the images must be at least 66: 64 measure" in capsys.readouterr().err
    assert main(["fit", str(unfitted(tmp_path)), *given]) == BAD_INPUT
    assert "the rule lowered must be of at most 2 signed digits" in capsys.readouterr().err
