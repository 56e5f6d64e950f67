"""Programs with drawn damages, on whole chips: none ends `done` with a wrong answer."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hwgen.chip.limits import RunLimits
from hwgen.chip.rtl.check_text import without_assertions
from hwgen.chip.sim.host import HostedChip, run_hosted
from hwgen.commands.context import Context
from hwgen.commands.subject import compiled_now
from tests.small_runs import FAMILIES, SmallCase, small_case
from verif.toolchain import BUILD_ROOT

FEW, MANY = 12, 134
"""Damages of a family; thrice MANY are 400."""
LIMITS = RunLimits(cycles=60_000, stores=60_000)
HEAD_BYTES = 96
"""In which the half of all damages lies."""


def damaged(image: NDArray[np.uint8], rng: np.random.Generator, beat: int) -> NDArray[np.uint8]:
    """Return a program with a bit, two bits or a beat of another value, or cut short."""
    found = image.copy()
    size = len(found) if rng.random() < 0.5 else HEAD_BYTES
    match rng.choice(["bit", "bits", "beat", "cut"]):
        case "bit":
            found[rng.integers(0, size)] ^= 1 << int(rng.integers(0, 8))
        case "bits":
            for place in rng.integers(0, size, 2):
                found[place] ^= 1 << int(rng.integers(0, 8))
        case "beat":
            first = int(rng.integers(0, size // beat)) * beat
            found[first : first + beat] = rng.integers(0, 256, beat, np.uint8)
        case "cut":
            found[int(rng.integers(0, len(found))) :] = 0
    return found


def runs(
    case: SmallCase, image: NDArray[np.uint8], chip: HostedChip[Any] | None = None
) -> Sequence[Any]:
    """Return what a chip does with a program; None: that of the case."""
    work = replace(case, program=replace(case.program, image=image)).work
    return run_hosted(replace(work, limits=LIMITS), chip or case.chip, builds=BUILD_ROOT)[0]


def unwatched(chip: HostedChip[Any]) -> HostedChip[Any]:
    """Return a chip without assertions in its Verilog, which a damage would set off."""
    texts = {name: without_assertions(text) for name, text in chip.write().items()}
    return replace(chip, write=lambda: texts)


def answers(found: Sequence[Any]) -> list[Any]:
    """Return the answers of all starts."""
    return [{name: words.tolist() for name, words in run.answers.items()} for run in found]


def check(family: str, count: int) -> None:
    """Run damaged programs; each ends with another code than 0, or its answers are right."""
    case, rng = small_case(family), np.random.default_rng(400)
    image, chip = case.program.image, unwatched(case.chip)
    whole = runs(case, image, chip)
    assert all(run.done for run in whole)
    refused = 0
    for number in range(count):
        wrong = damaged(image, rng, case.chip.port_bytes)
        found = runs(case, wrong, chip)
        if (wrong == image).all() or not found[-1].done:
            refused += not found[-1].done
            continue
        assert answers(found) == answers(whole), f"damage {number} is not seen"
    assert refused > count // 2


@pytest.mark.promise("no damaged program ends `done` with a wrong answer, in any family")
@pytest.mark.dear("crossbar")
@pytest.mark.parametrize("family", FAMILIES)
def test_a_damaged_program_is_seen(family: str) -> None:
    check(family, FEW)


@pytest.mark.long
@pytest.mark.parametrize("family", FAMILIES)
def test_none_of_400_damages_is_taken(family: str) -> None:
    check(family, MANY)


@pytest.mark.promise("a chip says by a code of its own that a program is damaged")
@pytest.mark.dear("crossbar")
@pytest.mark.parametrize("family", FAMILIES)
def test_a_damaged_program_has_its_code(family: str) -> None:
    case = small_case(family)
    found = runs(case, unread_bit_flipped(case))
    codes = {field.name: dict(field.codes) for row in case.chip.registers for field in row.fields}
    assert not found[0].done
    assert found[0].error == codes["code"]["damaged_program"]


@pytest.mark.promise("a chip with `checksum: false` takes a program as it is")
@pytest.mark.dear("crossbar")
@pytest.mark.parametrize("family", FAMILIES)
def test_a_chip_without_a_checksum_looks_at_none(family: str) -> None:
    case = small_case(family)
    arch: Any = case.subject.arch
    subject = replace(case.subject, arch=replace(arch, checksum=False))
    program: Any = compiled_now(Context(console=None), subject)
    case = replace(case, subject=subject, program=program)
    assert all("checksum" not in name for name in case.chip.modules)
    assert all(run.done for run in runs(case, unread_bit_flipped(case)))


def unread_bit_flipped(case: SmallCase) -> NDArray[np.uint8]:
    """Return the program with another bit of the network's digest, or of padding."""
    image: NDArray[np.uint8] = case.program.image.copy()
    image[{"dbpim": 8, "mram": 12, "crossbar": 40}[case.subject.family.name]] ^= 1
    return image
