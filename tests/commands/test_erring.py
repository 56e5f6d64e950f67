"""Chips that err, which `hwgen synthesize --effects` hands to a family: measured, kept, refused."""

import importlib
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import EntryPoint, EntryPoints, entry_points
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest

from hwgen.chip.family import Family
from hwgen.commands import effects, points
from hwgen.commands.context import Context
from hwgen.commands.effects import ACCURACY
from hwgen.commands.erring import ErringChips
from hwgen.commands.families import offering
from hwgen.commands.points import code_of
from hwgen.commands.synthesis import Synthesize
from hwgen.errors import ConfigError
from hwgen.files import digests
from hwgen.jobs.executors import SerialExecutor

ROOT = Path(digests.__file__).parents[2]
NETWORK = "digits_small_cnn"
POINT = {"rram_ratio": None, "cell_bits": 2, "side": 128, "dac_bits": 1}
CHOICE: dict[str, Any] = {"point": POINT, "weight_bits": 8, "activation_bits": 8}
CLIPPED: dict[str, Any] = {**CHOICE, "point": {**POINT, "bits_less": 3}}
FINDING = {"errors.py", "commands/families.py", "commands/packages.py"}
"""Modules of hwgen that find and import what a task names: no number comes from them."""


def family_of_synthesis() -> str:
    """Return the name of the family that is synthesized."""
    return offering(Family.synthesis)[0].name


def chips(work: Path, file: str = "effects/reram_study") -> ErringChips:
    """Return chips with the digits' network."""
    context = Context(console=None, work=work)
    request = Synthesize(NETWORK, 1.0, effects=file, least_accuracy=0.5, workers=1, context=context)
    return request.erring_chips(family_of_synthesis())


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compute in this process; tests of the family have others."""
    monkeypatch.setattr("hwgen.jobs.executors.make_executor", lambda *_: SerialExecutor())


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Tasks that are computed, not found."""
    tasks: list[Any] = []
    inner = points.WithInputs.run

    def run(self: Any, function: str, given: list[Any]) -> Iterator[Any]:
        tasks.extend(given)
        yield from inner(self, function, given)

    monkeypatch.setattr(points.WithInputs, "run", run)
    return tasks


def test_accuracies_by_choice_and_seed(tmp_path: Path, computed: list[Any]) -> None:
    some = chips(tmp_path)
    few = some.first(24)
    assert few.about.images == 24 == len(few.batch.images)
    found = few.accuracies([CHOICE, CLIPPED], [1, 2, 3])
    assert [len(each) for each in found] == [3, 3] and len(computed) == 6
    # Each is what golden says of this chip and seed.
    family = some.family.need(Family.synthesis)
    from golden.network import predict

    for choice, accuracies in zip((CHOICE, CLIPPED), found, strict=True):
        for seed, accuracy in enumerate(accuracies, 1):
            chip = family.erring_chip(choice)
            sums = effects.erring_of(some.family)(some.network, chip, some.effects, seed)
            right = predict(some.network, few.batch.images, sums_by=sums) == few.batch.labels
            assert accuracy == float(np.mean(right))
    assert np.mean(found[0]) > np.mean(found[1])
    right = predict(some.network, few.batch.images) == few.batch.labels
    assert few.exact() == float(np.mean(right)) and len(computed) == 7


def test_the_first_images_are_all_if_there_are_no_more(tmp_path: Path) -> None:
    some = chips(tmp_path)
    every, one = some.first(1 << 20), some.first(1)
    assert every.about == some.batch.about and one.about.images == 1
    assert len(one.batch.images) == len(one.batch.modes) == 1
    assert one.about.digest != every.about.digest


@pytest.mark.promise(
    "an accuracy of a synthesis is computed once, and again where its code, its devices, its"
    " images or its chip differ"
)
def test_what_is_kept(tmp_path: Path, computed: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    some = chips(tmp_path)
    first = some.first(8).accuracies([CHOICE], [1, 2])
    assert len(computed) == 2
    assert chips(tmp_path).first(8).accuracies([CHOICE], [2, 1]) == [first[0][::-1]]
    assert len(computed) == 2
    copies = {**CHOICE, "copies": [2] * len(some.network.parameters)}
    devices = replace(some.devices, given=chips(tmp_path, "effects/exact").effects)
    for other, choice, seed in (
        (some.first(9), CHOICE, 1),
        (some.first(8), CHOICE, 3),
        (some.first(8), copies, 1),
        (some.first(8), CLIPPED, 1),
        (replace(some, devices=devices).first(8), CHOICE, 1),
    ):
        computed.clear()
        other.accuracies([choice], [seed])
        assert len(computed) == 1
    computed.clear()
    some.first(8).accuracies([CHOICE], [1])
    assert not computed
    monkeypatch.setattr("hwgen.commands.effects.code_of", lambda *_: "of another version")
    some.first(8).accuracies([CHOICE], [1])
    assert len(computed) == 1


@pytest.mark.parametrize("choice", [CHOICE, None])
def test_all_code_that_decides_an_accuracy_is_in_the_name_of_its_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, choice: dict[str, Any] | None
) -> None:
    """Every line of this project that a task runs stands in a file whose digest is taken."""
    kept = hashed_files(monkeypatch)
    effects.read_inputs.cache_clear()
    ran: set[str] = set()

    def see(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            ran.add(frame.f_code.co_filename)

    module, _, name = ACCURACY.partition(":")
    compute = getattr(importlib.import_module(module), name)

    def watched(task: Any) -> float:
        sys.setprofile(see)
        try:
            return float(compute(task))
        finally:
            sys.setprofile(None)

    monkeypatch.setattr(f"{module}.{name}", watched)
    few = chips(tmp_path).first(2)
    _ = few.exact() if choice is None else few.accuracies([choice], [1])
    files = {Path(file) for file in ran if Path(file).is_relative_to(ROOT / "hwgen")}
    files |= {Path(file) for file in ran if Path(file).is_relative_to(ROOT / "golden")}
    assert Path(effects.__file__) in files and ROOT / "golden/network.py" in files
    if choice is not None:
        family = f"hwgen/{family_of_synthesis()}"
        assert any(file.is_relative_to(ROOT / family) for file in files)
    missed = {file.relative_to(ROOT / "hwgen").as_posix() for file in files - kept}
    assert missed <= FINDING


def hashed_files(monkeypatch: pytest.MonkeyPatch) -> set[Path]:
    """Return the files whose digests the code of an accuracy consists of."""
    found: set[Path] = set()

    def digest_of_file(file: Path) -> str:
        found.add(file)
        return "0" * 64

    with monkeypatch.context() as patch:
        for module in (digests, points):
            patch.setattr(module, "digest_of_file", digest_of_file)
        digests.digest_of_code.cache_clear()
        code_of(ACCURACY)
    digests.digest_of_code.cache_clear()
    return found


def test_the_code_of_devices_of_another_package_is_in_the_name_of_a_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The package that an entry point names, a module of it that the point does not name too."""
    point = EntryPoint("crossbar", "their_devices.cells:erring", effects.GROUP)
    found = EntryPoints([*entry_points(group=effects.GROUP), point])
    monkeypatch.setattr(effects, "entry_points", lambda **_: found)
    monkeypatch.syspath_prepend(tmp_path)
    package = tmp_path / "their_devices"
    package.mkdir()
    (package / "__init__.py").touch()
    names = []
    for text in ("one = 1", "one = 2"):
        (package / "formula.py").write_text(text)
        digests.digest_of_code.cache_clear()
        names.append(code_of(ACCURACY, *effects.packages_of_devices()))
    assert effects.packages_of_devices() == ["their_devices"]
    assert names[0] != names[1]


def test_effects_of_other_devices_are_refused(tmp_path: Path, computed: list[Any]) -> None:
    some = chips(tmp_path, "effects/sot_mram")
    with pytest.raises(ConfigError, match=r"cells\.weak_sensing must be 0"):
        some.check(CHOICE)
    chips(tmp_path).check(CHOICE)
    assert not computed and not (tmp_path / "accuracy").exists()
