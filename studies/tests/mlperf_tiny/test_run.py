"""`hwgen paper mlperf-tiny`: a made-up network with labels, and the four where they are at hand."""

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hwgen_studies.mlperf_tiny import run as flow
from hwgen_studies.mlperf_tiny.command import MlperfTiny
from hwgen_studies.mlperf_tiny.images import ANSWERS, INPUTS, Inputs, write_inputs
from hwgen_studies.mlperf_tiny.page import mlperf_tiny_files, mlperf_tiny_page
from hwgen_studies.mlperf_tiny.report import MlperfTinyReport, TinyNetwork

from hwgen.cli import main
from hwgen.commands.context import Context
from hwgen.commands.imports import ImportNetwork
from hwgen.data.dataset import Dataset
from hwgen.errors import ConfigError
from hwgen.network import QuantizedNetwork
from hwgen.network.file import load_network
from hwgen.report.agreement import FirstElement
from hwgen.report.files import report_text
from tests.cli.given import ROOT
from tests.schemas import follows
from tests.tflite_files import (
    RELU,
    Writer,
    activation_options,
    conv_options,
    convolution,
    pool_options,
    random_bias,
    random_weights,
)

SMALL = ROOT / "configs/dbpim/small.yaml"
PUBLISHED = Path(os.environ.get("HWGEN_SHARED", ROOT.parent / "shared/data"))
IMAGES = 230
"""More than are compared layer by layer."""


def color(path: Path, side: int = 32, classes: int = 10) -> Path:
    """Write a network of color images: a convolution, a mean, a matrix."""
    grid = {"scale": 0.05, "zero_point": -128}
    net = Writer()
    x = net.map(side, side, 3, scale=1 / 255, zero_point=-128)
    first = net.map(side // 4, side // 4, 8, **grid)
    options = conv_options(stride=(4, 4), activation=RELU)
    convolution(net, x, first, random_weights(8, 4, 4, 3), options, scales=np.full(8, 0.004))
    mean = net.map(1, 1, 8, **grid)
    window = (side // 4, side // 4)
    net.operator("AVERAGE_POOL_2D", (first,), mean, pool_options(kernel=window, stride=window))
    answer = net.map(classes, scale=0.01, zero_point=3)
    parts = (
        net.constant(random_weights(classes, 8), scales=0.004),
        net.constant(random_bias(classes), scales=0.05 * 0.004),
    )
    options = activation_options("FullyConnectedOptions")
    net.operator("FULLY_CONNECTED", (mean, *parts), answer, options)
    return net.save(path)


def dataset() -> Dataset:
    """Return made-up images in the place of CIFAR-10."""
    rng = np.random.default_rng(4)
    images = rng.integers(0, 256, (IMAGES, 32, 32, 3), dtype=np.uint8)
    labels = rng.integers(0, 10, IMAGES)
    names = tuple("0123456789")
    return Dataset(
        name="cifar10",
        train_images=images[:0],
        train_labels=labels[:0],
        test_images=images,
        test_labels=labels,
        class_names=names,
        preprocessing="",
        split="made up",
    )


@pytest.fixture(scope="module")
def request_of(tmp_path_factory: pytest.TempPathFactory, work: Path) -> MlperfTiny:
    """A request for a folder with one file."""
    folder = tmp_path_factory.mktemp("files")
    color(folder / "color.tflite")
    return MlperfTiny(
        workers=1,
        architecture=SMALL,
        published=folder,
        data=str(folder),
        engine="model",
        context=Context(work=work, console=None),
    )


@pytest.fixture(autouse=True)
def images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hwgen.data.load_dataset", lambda *_: dataset())


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("work")


@pytest.fixture
def report(request_of: MlperfTiny, work: Path, images: None) -> MlperfTinyReport:
    """The report; the first test that asks for it makes it."""
    made = flow.mlperf_tiny(request_of)
    assert isinstance(made, MlperfTinyReport)
    return made


@pytest.mark.promise(
    "published int8 networks run dense, as published with digits off and on, and fitted, beside"
    " their agreement with LiteRT, layer by layer"
)
def test_each_network_runs_dense_published_and_fitted(report: MlperfTinyReport) -> None:
    (network,) = report.networks
    runs = [(run.weights, run.row.case.sparsity) for run in network.runs]
    assert runs == [
        ("published", "none"),
        ("published", "weight_values,input_bits"),
        ("published", "all"),
        ("fitted", "all"),
    ]
    measured = [run.row.measured for run in network.runs]
    dense, off, on, fitted = (found.cycles_model for found in measured if found is not None)
    speedups = [run.speedup for run in network.runs]
    assert speedups == [None, dense / off, dense / on, dense / fitted]
    assert fitted < on < 0.9 * off
    digests = [run.row.case.network_digest for run in network.runs]
    assert digests == [network.fit.network.digest] * 3 + [network.fit.fitted.digest]
    assert all(run.row.case.images == flow.RUN_IMAGES for run in network.runs)


def test_layers_on_some_inputs_and_answers_on_all(report: MlperfTinyReport) -> None:
    (network,) = report.networks
    assert network.agreement.data.images == INPUTS
    assert [layer.kind for layer in network.agreement.layers] == ["conv", "average_pool", "linear"]
    assert network.agreement.exact and network.agreement.first is None
    assert network.agreement.largest_step == 0
    assert network.answers.data.images == IMAGES
    assert network.answers.exact and network.answers.first is None
    assert [layer.kind for layer in network.answers.layers] == ["linear"]
    assert network.answers.accuracy_golden is not None
    assert network.fit.judged_images == IMAGES - flow.CALIBRATION
    assert network.fit.accuracy_after is not None


def test_no_path_of_a_machine_is_in_the_report(
    report: MlperfTinyReport, request_of: MlperfTiny, work: Path
) -> None:
    written = report_text(report)
    follows(json.loads(written), "paper_mlperf_tiny")
    for content in (written, mlperf_tiny_page(report)):
        assert str(work) not in content and str(request_of.published) not in content


@pytest.mark.promise(
    "what was measured of a published network is cached, and a network file that was replaced"
    " is fitted again"
)
def test_what_was_measured_is_not_measured_again(
    report: MlperfTinyReport,
    request_of: MlperfTiny,
    work: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("Compare", "Fit"):
        unused = SimpleNamespace(run=lambda: pytest.fail("measured again"))
        monkeypatch.setattr(flow, name, lambda *_, unused=unused, **__: unused)
    monkeypatch.setattr(
        "hwgen_studies.networks.run.started_process",
        lambda each: pytest.fail("runs again"),
    )
    again = flow.mlperf_tiny(request_of)
    assert again == report


def test_a_fitted_network_that_was_replaced_is_fitted_again(
    report: MlperfTinyReport, request_of: MlperfTiny, work: Path
) -> None:
    folder = work / "mlperf-tiny/color"
    fitted, published = folder / "color-fit.npz", folder / "color.npz"
    fitted.write_bytes(published.read_bytes())
    again = flow.mlperf_tiny(request_of)
    assert again == report
    assert load_network(fitted).digest == report.networks[0].fit.fitted.digest


def test_the_page_shows_every_run_layer_and_file(report: MlperfTinyReport) -> None:
    files = mlperf_tiny_files(report)
    page = files["mlperf-tiny.md"]
    assert json.loads(files["mlperf-tiny.json"])["seed"] == 1
    (network,) = report.networks
    assert "| color | as published, digits on | all |" in page
    for run in network.runs:
        assert run.row.measured is not None
        assert f"| {run.row.measured.cycles_model:,} |" in page
    assert f"| {network.runs[3].speedup:.2f}x |" in page
    assert f"{network.fit.accuracy_after:.2%} of {network.fit.judged_images}" in page
    layers = [each for each in page.splitlines() if each.startswith("| color |") and "000%" in each]
    counts = [re.search(r"to \S+, (\d+) \|", each) for each in layers]
    assert sum(int(each[1]) if each else 1 for each in counts) == len(network.agreement.layers)
    assert f"| color | {network.agreement.layers[0].name}" in page
    assert network.file.digest in page


@pytest.mark.promise(
    "a published network that differs ends the command with exit code 1, a missing file is one"
    " sentence"
)
@pytest.mark.parametrize("what", ["values differ", "agreement", "answers"])
def test_a_difference_is_not_sound(report: MlperfTinyReport, what: str) -> None:
    assert report.sound
    (network,) = report.networks
    if what != "values differ":
        worse = different(network, what)
    else:
        row = network.runs[3].row
        assert row.measured is not None
        case = replace(row.case, engine="rtl")
        measured = replace(row.measured, mismatches=1, cycles_rtl=1)
        bad = replace(row, case=case, measured=measured, outcome="values differ")
        worse = replace(network, runs=[*network.runs[:3], replace(network.runs[3], row=bad)])
    assert not replace(report, networks=[worse]).sound


def different(network: TinyNetwork, what: str) -> TinyNetwork:
    """Return a network with an element that differs from the runtime."""
    first = FirstElement(layer="head", image=0, y=0, x=0, channel=0, golden=1, runtime=0)
    changed: Any = {what: replace(getattr(network, what), first=first)}
    return replace(network, **changed)


def test_the_command_ends_with_1_where_a_run_differs(
    report: MlperfTinyReport, request_of: MlperfTiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    (network,) = report.networks
    worse = different(network, "answers")
    for given, code in ((report, 0), (replace(report, networks=[worse]), 1)):
        monkeypatch.setattr(flow, "mlperf_tiny", lambda *_, given=given: given)
        assert main(["paper", "mlperf-tiny"]) == code


def test_what_is_missing_is_one_sentence(request_of: MlperfTiny, work: Path) -> None:
    for change, word in (
        ({"published": None}, "--published"),
        ({"architecture": None}, "ARCH"),
        ({"networks": ("color", "sound")}, "got sound"),
        ({"networks": ()}, "got nothing"),
        ({"published": work / "nowhere"}, "no names"),
    ):
        asked: Any = replace(request_of, **change)  # type: ignore[arg-type]
        with pytest.raises(ConfigError, match=word):
            flow.mlperf_tiny(asked)


def network_of(path: Path, **given: int) -> QuantizedNetwork:
    """Return an imported network."""
    ImportNetwork(color(path.with_suffix(".tflite"), **given), path).run()
    return load_network(path)


def inputs_of(network: QuantizedNetwork, asked: MlperfTiny, folder: Path) -> Inputs:
    """Return the inputs that a request writes."""
    return write_inputs(network, folder, data=asked.data, seed=asked.seed)


def test_images_are_enlarged_pixel_by_pixel(request_of: MlperfTiny, tmp_path: Path) -> None:
    inputs = inputs_of(network_of(tmp_path / "net.npz", side=96), request_of, tmp_path)
    for file, count in ((inputs.layers, INPUTS), (inputs.answers, IMAGES)):
        found = np.load(file)
        assert set(found.files) == {"images"} and not inputs.labelled
        assert found["images"].shape == (count, 96, 96, 3)
        for shift in range(3):
            small = found["images"][:, shift::3, shift::3]
            assert np.array_equal(small, dataset().test_images[:count])


def test_without_images_inputs_are_random_and_use_the_whole_range(
    request_of: MlperfTiny, tmp_path: Path
) -> None:
    network = network_of(tmp_path / "net.npz")
    asked = replace(request_of, data=None)
    inputs = inputs_of(network, asked, tmp_path)
    first, answers = (np.load(file)["images"] for file in (inputs.layers, inputs.answers))
    assert (first.min(), first.max(), first.shape) == (0, 255, (INPUTS, 32, 32, 3))
    assert len(answers) == ANSWERS and np.array_equal(answers[:INPUTS], first)
    other = np.load(inputs_of(network, replace(asked, seed=2), tmp_path).layers)["images"]
    assert not np.array_equal(first, other)


def test_labels_count_for_ten_classes_alone(request_of: MlperfTiny, tmp_path: Path) -> None:
    inputs = inputs_of(network_of(tmp_path / "net.npz", classes=7), request_of, tmp_path)
    assert not inputs.labelled and "labels" not in np.load(inputs.answers).files


@pytest.mark.long
@pytest.mark.skipif(not (PUBLISHED / "mlperf_tiny").is_dir(), reason="the files are not here")
def test_the_published_networks_run_whole_in_rtl(
    monkeypatch: pytest.MonkeyPatch, request_of: MlperfTiny, tmp_path: Path
) -> None:
    monkeypatch.undo()
    asked = replace(
        request_of,
        architecture=ROOT / "configs/dbpim/paper_float32.yaml",
        published=PUBLISHED / "mlperf_tiny",
        data=str(PUBLISHED / "cifar10"),
        engine="rtl",
        context=Context(work=tmp_path, console=None),
    )
    report = flow.mlperf_tiny(asked)
    assert report.sound and len(report.networks) == 4
    rows = [run.row for network in report.networks for run in network.runs]
    assert all(row.outcome == "equal" and row.case.images >= 2 for row in rows)
    assert all(network.answers.data.images >= ANSWERS for network in report.networks)
    (accuracies,) = {
        (network.answers.accuracy_golden, network.answers.accuracy_runtime)
        for network in report.networks
        if network.answers.accuracy_golden is not None
    }
    assert accuracies[0] == accuracies[1]
