"""A stream of images under a schedule: every image in its mode, and the cost of a switch."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from golden.network import answer, infer
from hwgen.commands.context import Context
from hwgen.commands.engines import expected_answers, expected_maps
from hwgen.commands.modes import choose_stream, cycles_of_images, switch_cycles_max
from hwgen.commands.run import run_network
from hwgen.commands.subject import Subject, load_subject, program_of
from hwgen.errors import DataError, FamilyError
from hwgen.mram.model import CycleModel
from tests.commands.made_up import chip_with_modes

ROOT = Path(__file__).parents[2]
NETWORKS = ROOT / "configs/networks"
ADAPTIVE, SMALL = NETWORKS / "cadnn_digits.npz", ROOT / "configs/mram/small.yaml"
MODES = ["1.0x", "0.25x", "0.5x"]
QUIET = Context(console=None)


@pytest.fixture(scope="module")
def subject() -> Subject:
    return load_subject(ADAPTIVE, SMALL)


@pytest.mark.promise(
    "a stream of images runs under a schedule of modes, each image in its mode, with a row for"
    " each; modes that are not there are one sentence"
)
@pytest.mark.parametrize(
    ("given", "size", "modes"),
    [
        ({}, 1, (0,)),
        ({"images": 3}, 1, (0, 0, 0)),
        ({"batch": 2}, 2, (0, 0)),
        ({"modes": []}, 1, (0,)),
        ({"modes": ["0.5x"]}, 1, (2,)),
        ({"modes": ["0.5x"], "images": 2}, 1, (2, 2)),
        ({"modes": MODES}, 3, (0, 3, 2)),
        ({"modes": MODES, "images": 5}, 5, (0, 3, 2, 0, 3)),
        ({"modes": MODES, "images": 2}, 2, (0, 3)),
        ({"modes": MODES, "batch": 1}, 1, (0, 3, 2)),
        ({"modes": MODES, "batch": 4}, 4, (0, 3, 2, 0)),
        ({"modes": MODES, "images": 6, "batch": 2}, 2, (0, 3, 2, 0, 3, 2)),
    ],
)
def test_a_schedule_begins_again_after_its_last_mode(
    subject: Subject, given: dict[str, Any], size: int, modes: tuple[int, ...]
) -> None:
    options = {"images": None, "batch": None, "modes": None, **given}
    chosen, batch = choose_stream(subject, None, **options)
    assert (chosen.run_images, batch.modes, len(batch.images)) == (size, modes, len(modes))


def test_other_modes_networks_and_families_are_refused(subject: Subject) -> None:
    def refused(where: Subject, *names: str) -> None:
        choose_stream(where, None, images=None, batch=None, modes=names)

    allowed = "a mode must be one of 1.0x, 0.75x, 0.5x, 0.25x, got"
    with pytest.raises(DataError, match=f"{allowed} 0.3x"):
        refused(subject, "1.0x", "0.3x")
    with pytest.raises(DataError, match=f"{allowed} nothing"):
        refused(subject, "")
    plain = load_subject(NETWORKS / "digits_small_cnn.npz", SMALL)
    with pytest.raises(DataError, match=r"must have several modes, got .* with 1\.0x alone"):
        refused(plain, "1.0x")
    other = load_subject(ADAPTIVE, ROOT / "configs/dbpim/small.yaml")
    with pytest.raises(FamilyError, match="dbpim cannot switch between modes"):
        refused(other, "1.0x")


def stream(subject: Subject, names: Sequence[str], **given: Any) -> Any:
    options: dict[str, Any] = {"images": None, "batch": None, **given}
    return choose_stream(subject, None, modes=names, **options)


def test_golden_computes_each_image_in_its_mode(subject: Subject) -> None:
    _, batch = stream(subject, MODES, images=4)
    maps = expected_maps(QUIET, subject, batch)
    answers = expected_answers(QUIET, subject, batch)
    for index, mode in enumerate((0, 3, 2, 0)):
        image = batch.images[index : index + 1]
        alone = infer(subject.network, image, mode=mode)
        for name, found in alone.items():
            np.testing.assert_array_equal(maps[name][index], found[0])
        np.testing.assert_array_equal(answers[index], answer(subject.network, image, mode=mode)[0])
    assert maps["conv1"][1].shape[2] < maps["conv1"][0].shape[2]


BASE, START, SWITCH = (90, 70, 40), 5, {(0, 1): 2, (2, 0): 1}
"""Made-up cycles of an image by its mode, of the start of a run, of some switches."""


def chip(modes: Sequence[int], size: int) -> list[SimpleNamespace]:
    """Return the runs of a made-up chip, `size` images each, whose switches cost cycles."""
    runs = []
    for first in range(0, len(modes), size):
        images = range(first, min(first + size, len(modes)))
        cycles = [
            BASE[modes[at]]
            + at  # the place in memory costs something as well
            + (START if at == first else 0)
            + (SWITCH.get((modes[at - 1], modes[at]), 0) if at else 0)
            for at in images
        ]
        runs.append(SimpleNamespace(images=images, image_cycles=cycles, cycles=sum(cycles)))
    return runs


@pytest.mark.promise(
    "the cost of a switch of the mode is measured in RTL, against the same images without a switch"
)
@pytest.mark.parametrize("size", [1, 2, 6])
@pytest.mark.parametrize(
    ("modes", "most", "simulations"),
    [
        ((0, 0, 0), None, 0),
        ((0,), None, 0),
        ((0, 1, 1, 1), 2, 1),
        ((1, 1, 0, 0), 0, 1),
        ((1, 0, 2, 0, 0, 1), 2, 2),
        ((1, 0, 2, 0), 1, 2),
    ],
)
def test_the_most_expensive_switch_is_measured(
    modes: tuple[int, ...], most: int | None, simulations: int, size: int
) -> None:
    asked: list[tuple[int, ...]] = []

    def simulate(others: Sequence[int]) -> Any:
        asked.append(tuple(others))
        return chip(others, size)

    runs: Any = chip(modes, size)
    assert switch_cycles_max(modes, runs, simulate) == most
    assert len(asked) == simulations


def test_cycles_of_an_image_are_known_where_a_run_has_one() -> None:
    one: Any = SimpleNamespace(cycles=8, image_cycles=())
    assert cycles_of_images([(one, [3])]) == {3: 8}
    assert cycles_of_images([(one, [3, 4])]) == {}
    several: Any = SimpleNamespace(cycles=8, image_cycles=(5, 3))
    assert cycles_of_images([(several, [3, 4])]) == {3: 5, 4: 3}


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch, subject: Subject) -> dict[str, int]:
    """Put a faultless chip in the place of the simulation; the entries are its faults."""
    return chip_with_modes(monkeypatch, subject)


def test_a_report_has_a_row_for_each_image(
    subject: Subject, faults: dict[str, int], tmp_path: Path
) -> None:
    context = Context(work=tmp_path, console=None)
    on_chip, batch = stream(subject, [*MODES, "1.0x"])
    program = program_of(context, on_chip)
    report = run_network(context, on_chip, batch, engine="rtl")
    assert report.equal is True
    assert report.modes == ["1.0x", "0.75x", "0.5x", "0.25x"]
    assert [image.mode for image in report.images] == [*MODES, "1.0x"]
    assert [image.label for image in report.images] == batch.labels.tolist()
    cycles = [image.cycles_rtl for image in report.images]
    assert cycles == [image.cycles_model for image in report.images]
    assert sum(cycles) == report.cycles_rtl
    assert cycles[1] < cycles[2] < cycles[0]
    answers = [
        answer(subject.network, batch.images[at : at + 1], mode=mode)
        for at, mode in enumerate(batch.modes)
    ]
    assert report.predictions == [int(found.argmax()) for found in answers]
    assert (report.weight_row_writes_after_load, report.switch_cycles_max) == (0, 0)
    assert {layer.name: layer.shape for layer in report.layers}["conv1"] == (8, 8, 16)
    assert program.facts.images == 4

    faults |= {"switch": 2, "writes": 3}
    found = run_network(context, on_chip, batch, engine="rtl")
    assert (found.weight_row_writes_after_load, found.switch_cycles_max) == (3, 2)
    faults["element"] = 1
    found = run_network(context, on_chip, batch, engine="rtl")
    assert [image.equal for image in found.images] == [True, True, True, False]
    assert found.first_difference is not None
    assert (found.first_difference.image, found.first_difference.mode) == (3, "1.0x")


def test_every_run_of_several_has_its_modes(
    subject: Subject, faults: dict[str, int], tmp_path: Path
) -> None:
    context = Context(work=tmp_path, console=None)
    on_chip, batch = stream(subject, MODES, batch=1)
    model = CycleModel(program_of(context, on_chip), subject.arch)
    report = run_network(context, on_chip, batch, engine="rtl")
    assert (report.equal, len(report.runs)) == (True, 3)
    assert report.weight_row_writes_after_load == 0
    alone = [model.predict(modes=[mode]).cycles for mode in batch.modes]
    assert [image.cycles_model for image in report.images] == alone
    assert [run.counters_model["active_mode"] for run in report.runs] == [0, 3, 2]
    faults["writes"] = 2
    report = run_network(context, on_chip, batch, engine="rtl")
    assert (report.equal, report.weight_row_writes_after_load) == (False, 2 * len(report.runs))


def test_a_stream_in_one_narrow_mode(
    subject: Subject, faults: dict[str, int], tmp_path: Path
) -> None:
    context = Context(work=tmp_path, console=None)
    on_chip, batch = stream(subject, ["0.25x"])
    report = run_network(context, on_chip, batch, engine="rtl")
    assert (report.equal, report.switch_cycles_max) == (True, None)
    assert {layer.name: layer.shape for layer in report.layers}["conv1"] == (8, 8, 4)
    faults["element"] = 1
    found = run_network(context, on_chip, batch, engine="rtl").first_difference
    assert found is not None
    assert (found.image, found.mode) == (0, "0.25x")
