"""Every error stops the chip with its code and changes nothing; the next command works."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from golden.network import answer
from hwgen.chip.fields import decode, encode
from hwgen.chip.program_checksum import sealed
from hwgen.chip.sim.host import run_chip
from hwgen.chip.trouble import Trouble
from hwgen.mram.facts.image import unpack_answer
from hwgen.mram.facts.records import CHECKSUM_BYTE, HEADER, HEADER_BITS
from hwgen.mram.facts.registers import VERSION, ErrorCode
from hwgen.mram.facts.stream import section_beats
from hwgen.mram.facts.timing import WATCHDOG_CYCLES
from hwgen.mram.sim.chip_run import ChipRun, Job, hosted
from hwgen.mram.sim.simulate import job_of
from tests.verif.mram.chips import chip_arch, compiled, images_of, narrow_network

ARCH = chip_arch("tiny")
NETWORK = narrow_network(8)
PROGRAM = compiled(NETWORK, ARCH)
IMAGES = images_of(NETWORK, 1)
BYTES = PROGRAM.image.tobytes()
RECORDS = section_beats(ARCH).header * ARCH.port_bytes
"""Place of the first record."""


def changed(**fields: int) -> bytes:
    """Return the program with other values in its header."""
    length = HEADER_BITS // 8
    header = decode(HEADER, int.from_bytes(BYTES[:length], "little")) | fields
    return whole(encode(HEADER, header).to_bytes(length, "little") + BYTES[length:])


def whole(content: bytes) -> bytes:
    """Return a program whose checksum fits."""
    return sealed(np.frombuffer(content, np.uint8), CHECKSUM_BYTE).tobytes()


def run(folder: Path, program: bytes = BYTES, *, mode: int = 0, **more: object) -> list[ChipRun]:
    """Return LOAD, maybe a second one, and a run."""
    job = replace(job_of(ARCH, PROGRAM, IMAGES, modes=[mode]), program=program, **more)
    return run_chip(job.work(), hosted(ARCH), folder)


def check_answer(found: ChipRun) -> None:
    """The run is over, and its answer golden's."""
    assert (found.busy, found.done, found.error) == (False, True, ErrorCode.NONE)
    (expected,) = answer(NETWORK, IMAGES)
    got = unpack_answer(found.answers[0].tobytes(), PROGRAM.facts.answer, ARCH)
    np.testing.assert_array_equal(got, expected)


def stopped(found: ChipRun, code: ErrorCode) -> None:
    """The command is over, with this error."""
    assert (found.busy, found.done, ErrorCode(found.error)) == (False, False, code)


@pytest.mark.dear("fields1-1")
@pytest.mark.promise(
    "every error of an MRAM chip has its code, changes nothing, and the next command works; so"
    " does a reset"
)
@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"magic": 0}, ErrorCode.BAD_PROGRAM),
        ({"modes": 0}, ErrorCode.BAD_PROGRAM),
        ({"modes": 9}, ErrorCode.BAD_PROGRAM),
        ({"records": ARCH.record_entries + 1}, ErrorCode.BAD_PROGRAM),
        ({"parameter_words": ARCH.parameter_entries + 1}, ErrorCode.BAD_PROGRAM),
        ({"weight_rows": ARCH.weight_rows + 1}, ErrorCode.BAD_PROGRAM),
        ({"beats": 0}, ErrorCode.BAD_PROGRAM),
        ({"version": VERSION + 1}, ErrorCode.WRONG_VERSION),
        ({"version": VERSION + 1, "magic": 1}, ErrorCode.BAD_PROGRAM),
        ({"architecture": ARCH.id_word ^ 1}, ErrorCode.WRONG_ARCHITECTURE),
        ({"architecture": 0, "version": 0}, ErrorCode.WRONG_VERSION),
        ({"weight_rows": 0}, ErrorCode.NOT_LOADED),
    ],
)
def test_a_wrong_header_is_refused(fields: dict[str, int], code: ErrorCode, tmp_path: Path) -> None:
    """The program that is loaded next works."""
    wrong, right, works = run(tmp_path, changed(**fields), tables=BYTES)
    stopped(wrong, code)
    assert wrong.registers["weight_row_writes"] == 0
    assert right.done
    check_answer(works)


def test_a_run_before_a_load_is_refused(tmp_path: Path) -> None:
    refused, second = run(tmp_path, changed(magic=0))
    stopped(refused, ErrorCode.BAD_PROGRAM)
    stopped(second, ErrorCode.NOT_LOADED)
    assert second.registers["cycles"] == 2


@pytest.mark.promise(
    "weights are loaded once; then a lock refuses other programs, and counters prove that no"
    " row of weights was written"
)
def test_resident_weights_are_locked(tmp_path: Path) -> None:
    loaded, second, works = run(tmp_path, tables=changed(network=1))
    stopped(second, ErrorCode.LOCKED)
    rows = ARCH.sub_arrays * PROGRAM.facts.weight_rows
    assert loaded.events["weight_row_writes"] == rows
    for command in (loaded, second, works):
        assert command.registers["weight_row_writes"] == rows
        assert command.registers["refused_row_writes"] == 0
    check_answer(works)


def test_a_mode_that_the_program_does_not_have_is_refused(tmp_path: Path) -> None:
    _, found = run(tmp_path, mode=3)
    stopped(found, ErrorCode.BAD_MODE)
    assert (found.registers["cycles"], found.begun) == (3, [])


@pytest.mark.dear("0")
@pytest.mark.parametrize("kind", [0, 6, 7])
def test_an_unknown_record_is_refused(kind: int, tmp_path: Path) -> None:
    first = BYTES[RECORDS] & ~7 | kind
    content = BYTES[:RECORDS] + bytes([first]) + BYTES[RECORDS + 1 :]
    _, found = run(tmp_path, whole(content))
    stopped(found, ErrorCode.BAD_RECORD)
    assert found.registers["layers"] == 0


@pytest.mark.dear("image-8")
@pytest.mark.parametrize(
    ("where", "code"), [("image", ErrorCode.READ_ERROR), ("answer", ErrorCode.WRITE_ERROR)]
)
def test_errors_of_the_memory_stop_a_run(where: str, code: ErrorCode, tmp_path: Path) -> None:
    addresses = job_of(ARCH, PROGRAM, IMAGES, modes=[0]).addresses
    loaded, found = run(tmp_path, trouble=Trouble(error_address=addresses[where]))
    assert loaded.done
    stopped(found, code)


def test_a_read_error_in_a_load_leaves_nothing_loaded(tmp_path: Path) -> None:
    address = job_of(ARCH, PROGRAM, IMAGES, modes=[0]).addresses["program"] + len(BYTES) - 1
    beat = address // ARCH.port_bytes * ARCH.port_bytes
    loaded, found = run(tmp_path, trouble=Trouble(error_address=beat))
    stopped(loaded, ErrorCode.READ_ERROR)
    stopped(found, ErrorCode.NOT_LOADED)


def test_a_program_with_too_few_beats_stalls(tmp_path: Path) -> None:
    loaded, found = run(tmp_path, changed(beats=3))
    stopped(loaded, ErrorCode.STALLED)
    assert loaded.registers["cycles"] > WATCHDOG_CYCLES
    stopped(found, ErrorCode.NOT_LOADED)


def test_reset_in_a_run_begins_anew(tmp_path: Path) -> None:
    _, cut, loaded, works = run(tmp_path, reset_at=1000)
    assert cut.busy and cut.retired
    rows = ARCH.sub_arrays * PROGRAM.facts.weight_rows
    assert loaded.registers["weight_row_writes"] == rows
    check_answer(works)


@pytest.mark.promise(
    "cycles, steps, counters and events of a chip are those of the cycle model, exactly"
)
def test_events_are_those_of_the_counters(tmp_path: Path) -> None:
    job: Job = job_of(ARCH, PROGRAM, IMAGES, modes=[0])
    _, found = run_chip(job.work(), hosted(ARCH), tmp_path)
    for name in ("and_operations", "input_row_writes"):
        assert found.events[name] == found.registers[name] > 0
    assert found.registers["layers"] == len(PROGRAM.facts.modes[0].steps)
    assert (found.registers["images_done"], found.registers["active_mode"]) == (1, 0)
