"""`hwgen run` on chips of a synthesis: maps, cycles, events, and the starts of its schedule."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwgen.cli import main
from hwgen.crossbar.facts.schedule import load_schedule, save_schedule
from hwgen.network.file import save_network
from tests.synthesis import COMPONENTS_FILE
from tests.verif.crossbar.whole import (
    answers_design,
    answers_network,
    design,
    plain_network,
    write_chip,
)
from verif.common.drawing import draw_images

ROOT = Path(__file__).parents[3]
DIGITS = ROOT / "configs/networks/digits_small_cnn.npz"
RESNET20 = ROOT / "configs/networks/cifar10_resnet20_50.npz"


def run(folder: Path, network: Path, chip: Path, *options: object) -> dict[str, Any]:
    """Run images on the RTL, or the engine that is asked for; return the report."""
    given = [str(each) for each in (network, chip, "--engine", "rtl", *options)]
    code = main(["run", *given, "--work", str(folder / "work"), "--json", str(folder / "r.json")])
    assert code in (0, 1)
    report: dict[str, Any] = json.loads((folder / "r.json").read_text(encoding="utf-8"))
    assert code == 0, report["first_difference"]
    return report


def exact(report: dict[str, Any]) -> None:
    """Hold maps and starts to golden and to the schedule."""
    assert (report["equal"], report["mismatches"], report["starts_different"]) == (True, 0, 0)


def in_time(report: dict[str, Any], *, by: str, images: int) -> None:
    """Hold maps, cycles, events and starts to what was promised."""
    exact(report)
    assert report["cycles_rtl"] == report["cycles_model"]
    assert report["starts_promised_by"] == by
    assert report["held_clocks"] == 0
    for each in report["runs"]:
        assert each["events_rtl"] == each["events_model"]
        assert min(each["events_rtl"].values()) > 0
    lags: dict[str, int] = {}
    for each in report["operations"]:
        assert lags.setdefault(each["operation"], each["lag_clocks"]) == each["lag_clocks"]
    constants = {each["name"]: each["clocks"] for each in report["constants"]}
    assert {f"lag of {name}": lag for name, lag in lags.items()}.items() <= constants.items()
    assert len(report["images"]) == images
    assert report["starts_checked"] == sum(each["starts"] for each in report["operations"]) > 0


def plain_files(folder: Path) -> tuple[Path, Path, list[str]]:
    """Write a network of three layers and its chip; return both, and the option for images."""
    plain, network = plain_network(), folder / "network.npz"
    save_network(plain, network)
    np.savez(folder / "images.npz", images=draw_images(plain, 3, seed=3))
    found = design(plain, copies=[1, 1, 1], macros=[1, 1, 1], clocks=[1, 1, 4])
    return network, write_chip(found, "plain", folder), ["--data", str(folder / "images.npz")]


@pytest.mark.dear
@pytest.mark.promise(
    "a chip computes a network whole, a stream of images, with all starts and cycles as promised"
)
@pytest.mark.promise("late images hold steps, and change no answer and no start")
@pytest.mark.promise(
    "each strobe comes in the step of the schedule, a constant for its operation behind it"
)
def test_a_small_chip(tmp_path: Path) -> None:
    """Images one by one keep the schedule, a stream the conductor's; a slow memory holds ticks."""
    network, chip, data = plain_files(tmp_path)
    alone = run(tmp_path, network, chip, *data, "--images", 2)
    in_time(alone, by="schedule", images=2)
    model = run(tmp_path, network, chip, *data, "--images", 2, "--engine", "model")
    assert model["constants"] == alone["constants"]
    stream = [*data, "--images", 3, "--batch", 3]
    plot = tmp_path / "run.svg"
    in_time(run(tmp_path, network, chip, *stream, "--plot", plot), by="model", images=3)
    assert "macro 2: " in plot.read_text(encoding="utf-8")
    slow = run(tmp_path, network, chip, *stream, "--latency", 30_000)
    exact(slow)
    assert slow["held_clocks"] > 0
    assert slow["memory"]["more_cycles"] > slow["held_clocks"]
    assert slow["in_time"] is None


@pytest.mark.dear("damaged")
@pytest.mark.promise("a schedule that is damaged or another's is refused before a simulation")
@pytest.mark.parametrize("spoil", ["damaged", "foreign", "other operations"])
def test_a_schedule_that_is_none_is_refused_before_a_simulation(
    spoil: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    network, chip, data = plain_files(tmp_path)
    file = tmp_path / "schedule.npz"
    schedule = load_schedule(file)
    facts = schedule.facts
    if spoil == "damaged":
        file.write_bytes(file.read_bytes()[:-100])
    elif spoil == "foreign":
        save_schedule(replace(schedule, facts=replace(facts, architecture="0" * 64)), file)
    else:
        left = replace(facts, operations=facts.operations[:-1])
        start = schedule.start[: facts.operations[-1].first]
        save_schedule(replace(schedule, facts=left, start=start), file)
    monkeypatch.setattr("hwgen.commands.run.simulate", lambda *_, **__: pytest.fail("simulated"))
    given = ["run", str(network), str(chip), *data, "--work", str(tmp_path / "work")]
    assert main([*given, "--engine", "rtl"]) == 2
    sentence = {
        "damaged": "the schedule must be a whole hwgen.crossbar.schedule file (.npz), got a",
        "foreign": "the schedule must be made for the architecture plain (",
        "other operations": "the operations of the schedule must be those of the architecture",
    }[spoil]
    assert f"hwgen: {sentence}" in capsys.readouterr().err
    assert not (tmp_path / "work").exists()


@pytest.mark.long
def test_every_answer_leaves_the_chip(tmp_path: Path) -> None:
    """A concatenation, and a map that is read as well: equal in memory, alone and in a stream."""
    made, network = answers_network(), tmp_path / "network.npz"
    save_network(made, network)
    np.savez(tmp_path / "images.npz", images=draw_images(made, 3, seed=3))
    chip = write_chip(answers_design(), "answers", tmp_path)
    data = ["--data", str(tmp_path / "images.npz"), "--images", 3]
    alone = run(tmp_path, network, chip, *data)
    in_time(alone, by="schedule", images=3)
    names = ["input", "conv_0", "conv_1", "concatenate_2", "conv_0.answer", "end"]
    assert [each["name"] for each in alone["layers"]] == names
    assert [each["mismatches"] for each in alone["layers"]] == [None, 0, 0, 0, None, None]
    in_time(run(tmp_path, network, chip, *data, "--batch", 3), by="model", images=3)


def synthesize(network: Path, watts: str, folder: Path, *more: str) -> None:
    """Find a chip, and write it to the folder S."""
    given = ["--power-w", watts, "--seed", "1", "--evaluations", "2000", *more]
    given += ["--out", str(folder / "S"), "--work", str(folder / "work")]
    assert main(["synthesize", str(network), *given]) == 0


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The digits chip of 0.6 W, as `hwgen synthesize --then-run` writes it: the whole road."""
    folder = tmp_path_factory.mktemp("digits")
    synthesize(DIGITS, "0.6", folder, "--then-run")
    report = json.loads((folder / "S/run.json").read_text(encoding="utf-8"))
    in_time(report, by="schedule", images=4)
    assert "<svg" in (folder / "S/run.svg").read_text(encoding="utf-8")
    return folder / "S/architecture.yaml"


@pytest.mark.long
def test_digits_as_synthesized(digits: Path, tmp_path: Path) -> None:
    in_time(run(tmp_path, DIGITS, digits, "--images", 16), by="schedule", images=16)


@pytest.mark.long
def test_a_folder_without_python(tmp_path: Path) -> None:
    network, chip, data = plain_files(tmp_path)
    folder = tmp_path / "by-hand"
    given = ["export", str(network), str(chip), *data, "--images", "2", "--out", str(folder)]
    assert main([*given, "--work", str(tmp_path / "work")]) == 0
    done = subprocess.run([folder / "run.sh"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "every answer is as expected" in done.stdout


@pytest.mark.long
def test_a_stream_of_digits(digits: Path, tmp_path: Path) -> None:
    """At the interval that the architecture names; behind a slow memory steps and answers stay."""
    stream = ["--images", 12, "--batch", 12]
    in_time(run(tmp_path, DIGITS, digits, *stream), by="model", images=12)
    slow = run(tmp_path, DIGITS, digits, *stream, "--latency", 6_000)
    exact(slow)
    assert slow["held_clocks"] > 0


@pytest.mark.long
@pytest.mark.parametrize(
    ("network", "watts", "more"),
    [
        (DIGITS.with_name("bits") / "cadnn_digits_16_16.npz", "2", ()),
        (
            DIGITS,
            "0.6",
            ("--components", str(COMPONENTS_FILE.with_name("components_netlist.yaml"))),
        ),
        *((DIGITS, "0.6", ("--objective", each)) for each in ("throughput", "latency")),
    ],
    ids=["16_bits", "clock_of_the_netlist", "throughput", "latency"],
)
def test_wide_data_another_clock_and_other_objectives(
    network: Path, watts: str, more: tuple[str, ...], tmp_path: Path
) -> None:
    """Maps of 16 bits; all times at a netlist's clock; most images a second; the shortest image."""
    synthesize(network, watts, tmp_path, *more)
    chip = tmp_path / "S/architecture.yaml"
    in_time(run(tmp_path, network, chip, "--images", 2), by="schedule", images=2)


@pytest.mark.long
def test_resnet20_as_synthesized(tmp_path: Path) -> None:
    """Mates, gathers, up to 24 copies, ADCs slower than the clock."""
    synthesize(RESNET20, "3", tmp_path)
    chip = tmp_path / "S/architecture.yaml"
    in_time(run(tmp_path, RESNET20, chip, "--images", 1), by="schedule", images=1)
