"""A schedule file holds what was written, and is refused if its tasks cannot run so."""

import itertools
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hwgen.crossbar.facts.arch import Arch, arch_text
from hwgen.crossbar.facts.schedule import Schedule, load_schedule, save_schedule
from hwgen.errors import FormatError, OutputError
from tests.cli.given import rewritten
from tests.synthesis import handed_on


@pytest.fixture(scope="module")
def made() -> tuple[Arch, Schedule]:
    return handed_on()[:2]


@pytest.fixture
def file(made: tuple[Arch, Schedule], tmp_path: Path) -> Path:
    save_schedule(made[1], tmp_path / "schedule.npz")
    return tmp_path / "schedule.npz"


def test_what_is_written_is_read(made: tuple[Arch, Schedule], file: Path) -> None:
    arch, schedule = made
    again = load_schedule(file, arch)
    assert again.facts == schedule.facts
    assert np.array_equal(again.start, schedule.start)
    assert again.digest == schedule.digest


def test_the_same_bytes(made: tuple[Arch, Schedule], file: Path, tmp_path: Path) -> None:
    save_schedule(handed_on()[1], tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == file.read_bytes()


@pytest.mark.promise(
    "a schedule says when and where each block of each operation runs, without collisions"
)
def test_each_operation_of_each_layer_is_there(made: tuple[Arch, Schedule]) -> None:
    _, schedule = made
    by_layer: dict[int, list[str]] = {}
    for each in schedule.facts.operations:
        by_layer.setdefault(each.layer, []).append(each.operation)
    weights = ["load", "mvm", "adc", "shift_add", "addition", "activation", "gather", "store"]
    assert by_layer[0] == ["transfer", *by_layer[1]] == ["transfer", *weights, "send"]
    assert by_layer[4] == [*weights[:5], "chain", *weights[5:]]
    assert by_layer[2] == ["load", "eltwise", "activation", "store"]
    assert by_layer[5] == ["load", "pool", "activation", "store", "send"]
    assert "gather" not in by_layer[6]
    assert all(each.bit_steps == (16 if each.operation in ("mvm", "adc", "shift_add") else 1)
               for each in schedule.facts.operations)  # fmt: skip


def test_nobody_reads_before_it_is_written(made: tuple[Arch, Schedule]) -> None:
    arch, schedule = made
    for place, layer in enumerate(arch.layers):
        first = next(each for each in schedule.facts.operations if each.layer == place)
        for provider in layer.providers:
            last = [each for each in schedule.facts.operations if each.layer == provider][-1]
            assert schedule.starts_of(first)[0] >= schedule.starts_of(last)[0] + last.busy
            assert schedule.starts_of(first)[-1] >= schedule.starts_of(last)[-1] + last.busy


def test_two_that_share_their_adcs_take_turns(made: tuple[Arch, Schedule]) -> None:
    arch, schedule = made
    spans = []
    for place in (0, arch.layers[0].place.partner):
        adc = next(
            each
            for each in schedule.facts.operations
            if each.layer == place and each.operation == "adc"
        )
        spans += [(start, start + adc.busy) for start in schedule.starts_of(adc)]
    spans.sort()
    assert all(one[1] <= two[0] for one, two in itertools.pairwise(spans))


def changed_start(file: Path, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Path:
    with np.load(file) as arrays:
        np.savez(file, facts=arrays["facts"], start=change(arrays["start"]))
    return file


def overlapping(start: NDArray[Any]) -> NDArray[Any]:
    start[1] = start[0]
    return start


def negative(start: NDArray[Any]) -> NDArray[Any]:
    start[0] = -1
    return start


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda start: start[:-1], ["whole numbers", "as many as"]),
        (lambda start: start.astype(float), ["whole numbers", "float64"]),
        (lambda start: start + 100000, ["within the", "steps"]),
        (overlapping, ["start of transfer of layer 0", "apart"]),
        (negative, ["start of transfer of layer 0", "within", "-1"]),
    ],
)
def test_starts_that_cannot_be(
    file: Path, change: Callable[[NDArray[Any]], NDArray[Any]], words: list[str]
) -> None:
    refused(changed_start(file, change), words)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda facts: facts.update(version=2), ["version", "1", "2"]),
        (lambda facts: facts.update(format="x"), ["format", "hwgen.crossbar.schedule", "x"]),
        (lambda facts: facts.pop("steps"), ["steps", "present"]),
        (lambda facts: facts["operations"][0].update(operation="sing"), ["operation", "sing"]),
        (lambda facts: facts["operations"][1].update(first=0), ["load", "at place 32", "place 0"]),
    ],
)
def test_facts_that_cannot_be(
    file: Path, tmp_path: Path, change: Callable[[dict[str, Any]], None], words: list[str]
) -> None:
    refused(rewritten(file, tmp_path / "changed.npz", "facts", change), words)


@pytest.mark.parametrize("content", [b"", b"other", None])
def test_files_that_are_none(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "given.npz"
    if content is not None:
        file.write_bytes(content)
    refused(file, ["the schedule", "hwgen.crossbar.schedule", "given.npz"])


def test_a_truncated_file(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-500])
    refused(file, ["the schedule", "schedule.npz"])


def test_an_archive_of_something_else(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", something=np.zeros(3))
    refused(tmp_path / "x.npz", ["facts and start", "something"])


def test_one_for_another_architecture(made: tuple[Arch, Schedule], file: Path) -> None:
    other = replace(made[0], power_budget_w=5.0)
    with pytest.raises(FormatError, match="made for the architecture small-3w"):
        load_schedule(file, other)


def test_that_of_a_design_for_its_chip_with_effects(
    made: tuple[Arch, Schedule], file: Path, tmp_path: Path
) -> None:
    erring = replace(made[0], effects=True)
    assert load_schedule(file, erring).digest == made[1].digest
    facts = replace(made[1].facts, architecture=erring.digest)
    save_schedule(replace(made[1], facts=facts), tmp_path / "own.npz")
    assert load_schedule(tmp_path / "own.npz", erring).facts == facts
    with pytest.raises(FormatError, match="made for the architecture small-3w"):
        load_schedule(tmp_path / "own.npz", made[0])


def test_a_chip_may_keep_reset_off_its_data(made: tuple[Arch, Schedule], file: Path) -> None:
    """The key is added to the file of a design, as `effects` is: its schedule stays."""
    arch = made[0]
    control = replace(arch, reset="control")
    assert control.digest != arch.digest == replace(control, reset="all").digest
    assert control.design_digest == arch.design_digest
    assert load_schedule(file, control).digest == made[1].digest
    assert "reset" not in arch_text(arch) and "reset: control" in arch_text(control)


def test_an_unwritable_place(made: tuple[Arch, Schedule], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="the schedule must be writable"):
        save_schedule(made[1], tmp_path / "file" / "schedule.npz")


def test_facts_are_plain(made: tuple[Arch, Schedule]) -> None:
    assert set(asdict(made[1].facts)) >= {"network", "architecture", "steps", "interval_steps"}


def refused(file: Path, words: list[str]) -> None:
    with pytest.raises(FormatError) as error:
        load_schedule(file)
    for word in words:
        assert word in str(error.value)
    assert "\n" not in str(error.value)
