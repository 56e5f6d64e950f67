"""Every error stops the chip with its code; busy falls, and the next start works."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hwgen.chip.limits import RunLimits
from hwgen.chip.sim.host import run_chip
from hwgen.chip.sim.host_files import PROGRAM_ADDRESS, UNWRITTEN
from hwgen.chip.trouble import Trouble
from hwgen.dbpim.facts.instructions import (
    EVERY_WORD,
    PACKETS,
    VERSION,
    ErrorCode,
    Opcode,
    Space,
    core_count,
)
from hwgen.dbpim.facts.stream import encode_header, pad, sealed_program
from hwgen.dbpim.facts.timing import BUS_CYCLES, WATCHDOG_CYCLES
from hwgen.dbpim.sim.chip_run import Call, ChipRun, Job, hosted
from hwgen.dbpim.sim.stores import BUS
from verif.dbpim.component import small

ARCH = small()
WORDS = 10
SIDE = 4
BEGIN = {"version": VERSION, "architecture": ARCH.id_word, "network": 0, "positions": 0}
IMAGE = {
    "space": Space.IMAGE,
    "beats": SIDE * SIDE // ARCH.port_bytes,
    "pixel_bytes": 1,
    "pixel_channels": 1,
    "window_pixels": 1,
    "window_stride": 1,
    "memory_columns": SIDE,
    "rows": SIDE,
    "columns": SIDE,
    "output_row_pitch": SIDE // ARCH.banks,
    "output_channel_words": 1,
}
STORE = encode_header(
    Opcode.STORE,
    {
        "words": WORDS,
        "index": 0,
        "space": Space.ANSWER,
        "offset": 0,
        "at_position": 0,
        **EVERY_WORD,
    },
    ARCH,
)
END = encode_header(Opcode.END, {}, ARCH)
UNKNOWN = bytes([0x7F]) + bytes(63)
A_LOT = bytes(200 * ARCH.port_bytes)
"""More than the reader holds, so that beats are on their way when the chip stops."""


def head(segment_beats: int, **begin: int) -> bytes:
    zeros = {field.name: 0 for field in PACKETS[Opcode.LOAD][1:]}
    load = {**zeros, **IMAGE, "segment_beats": segment_beats}
    begin_packet = encode_header(Opcode.BEGIN, {**BEGIN, **begin}, ARCH)
    return begin_packet + encode_header(Opcode.LOAD, load, ARCH)


def program(*packets: bytes, beyond: int = 0, behind: bytes = b"", **begin: int) -> bytes:
    """behind: what follows END in the last segment."""
    stream = b"".join(pad(packet, ARCH) for packet in packets)
    read = head(len(stream + behind) // ARCH.port_bytes - beyond, **begin) + stream
    return sealed_program(np.frombuffer(read, np.uint8), ARCH).tobytes() + behind


def conv_without_tiles() -> bytes:
    mine = (f.name for f in PACKETS[Opcode.CONV][1:] if core_count(f.name) <= ARCH.cores)
    fields = dict.fromkeys(mine, 1)
    return encode_header(Opcode.CONV, fields, ARCH)


def job(content: bytes, *, images: int = 1) -> Job:
    return Job(
        program=content,
        images=[bytes(range(SIDE * SIDE))] * images,
        answer_bytes=4 * WORDS,
        latency=ARCH.memory_latency_cycles,
        limits=RunLimits(cycles=20_000),
    )


def run(what: Job, folder: Path) -> list[ChipRun]:
    return run_chip(what.work(), hosted(ARCH), folder)


def expect_error(stopped: ChipRun, code: ErrorCode) -> None:
    assert (stopped.busy, stopped.done, stopped.error) == (False, False, code)


WRONG_PROGRAMS = {
    "first packet": (ErrorCode.BAD_OPCODE, UNKNOWN + A_LOT),
    "opcode": (ErrorCode.BAD_OPCODE, program(STORE, UNKNOWN, A_LOT)),
    "second BEGIN": (ErrorCode.BAD_OPCODE, program(program(END))),
    "version": (ErrorCode.WRONG_VERSION, program(END, version=VERSION + 1)),
    "architecture": (ErrorCode.WRONG_ARCHITECTURE, program(END, architecture=ARCH.id_word ^ 1)),
    "no END": (ErrorCode.STREAM_ENDED, program(STORE)),
    "an END behind its segment": (ErrorCode.STREAM_ENDED, program(STORE, END, beyond=1)),
    "no LOAD": (ErrorCode.BAD_OPCODE, encode_header(Opcode.BEGIN, BEGIN, ARCH) + STORE + A_LOT),
    "no STORE": (ErrorCode.NOT_STORED, program(END)),
    "no STORE behind a layer": (ErrorCode.NOT_STORED, program(conv_without_tiles(), END)),
    "no tiles": (ErrorCode.STALLED, program(conv_without_tiles(), STORE, END)),
}


@pytest.mark.promise(
    "a program that ends without STORE is an error to the loader, the chip and the reader of"
    " programs"
)
@pytest.mark.promise(
    "a wrong program, a bus error and a standstill end with their codes, busy falls, done stays 0"
)
@pytest.mark.parametrize("mistake", WRONG_PROGRAMS)
@pytest.mark.parametrize("stall", [0, 50])
def test_a_wrong_program_is_stopped(mistake: str, stall: int, tmp_path: Path) -> None:
    code, content = WRONG_PROGRAMS[mistake]
    for stopped in run(replace(job(content, images=2), trouble=Trouble(stall=stall)), tmp_path):
        expect_error(stopped, code)


def test_a_right_program_without_layers_ends(tmp_path: Path) -> None:
    (whole,) = run(job(program(STORE, END)), tmp_path)
    assert (whole.busy, whole.done, whole.error) == (False, True, ErrorCode.NONE)
    assert (whole.registers["layers"], whole.retired_at[-1]) == (3, whole.cycles)
    assert 0 < whole.registers["load_cycles"] < whole.cycles


def test_what_follows_end_is_swallowed(tmp_path: Path) -> None:
    first, second = run(job(program(STORE, END, behind=A_LOT), images=2), tmp_path)
    (short,) = run(job(program(STORE, END)), tmp_path)
    assert first.done and second.done
    assert first.retired_at == second.retired_at == short.retired_at


@pytest.mark.promise("a position outside stops the chip with its code before it writes anything")
def test_a_position_outside_is_refused(tmp_path: Path) -> None:
    what = job(program(STORE, END, positions=5), images=4)
    places = (4, 5, 6, 0)
    calls = [Call(position=place) for place in places]
    inside, at_the_end, behind, again = run(
        replace(what, calls=calls, pixel_bytes=ARCH.port_bytes), tmp_path
    )
    assert inside.done and again.done and inside.answer.tolist() == again.answer.tolist()
    for refused in (at_the_end, behind):
        expect_error(refused, ErrorCode.BAD_POSITION)
        assert refused.answer.tolist() == [UNWRITTEN] * 4 * WORDS
        assert not len(refused.stores.cycle)


@pytest.mark.promise("a start after an error works; what follows END in the stream is swallowed")
@pytest.mark.parametrize("stall", [0, 50])
def test_a_read_error_stops_the_chip_and_the_next_start_works(stall: int, tmp_path: Path) -> None:
    what = replace(job(program(STORE, END), images=2), trouble=Trouble(stall=stall))
    broken, right = run(
        replace(what, trouble=Trouble(stall=stall, error_address=what.addresses["image"])), tmp_path
    )
    expect_error(broken, ErrorCode.READ_ERROR)
    assert right.done and not right.error
    for offset in (0, 40, 64):
        wrong = replace(what, trouble=Trouble(stall=stall, error_address=PROGRAM_ADDRESS + offset))
        for stopped in run(wrong, tmp_path):
            expect_error(stopped, ErrorCode.READ_ERROR)


@pytest.mark.parametrize("stall", [0, 50])
def test_a_write_error_stops_the_chip_and_the_next_start_works(stall: int, tmp_path: Path) -> None:
    what = replace(job(program(STORE, END), images=2), trouble=Trouble(stall=stall))
    broken, right = run(
        replace(what, trouble=Trouble(stall=stall, error_address=what.addresses["answers"])),
        tmp_path,
    )
    expect_error(broken, ErrorCode.WRITE_ERROR)
    assert right.done and not right.error


def test_answers_keep_what_the_chip_does_not_write(tmp_path: Path) -> None:
    what = replace(job(program(STORE, END)), answer_bytes=4 * WORDS + 8)
    (whole,) = run(what, tmp_path)
    assert whole.answer[4 * WORDS :].tolist() == [UNWRITTEN] * 8


def test_the_image_is_stored(tmp_path: Path) -> None:
    (whole,) = run(job(program(STORE, END)), tmp_path)
    stores = whole.stores
    assert stores.core.tolist() == [BUS] * SIDE * SIDE
    # Pixels of one cycle stand in the order of the bus's lanes.
    order = np.lexsort((stores.column, stores.row))
    assert (np.diff(stores.cycle[order]) >= 0).all()
    assert stores.row[order].tolist() == [n // SIDE for n in range(SIDE * SIDE)]
    assert stores.column[order].tolist() == [n % SIDE for n in range(SIDE * SIDE)]
    assert stores.data[order, 0].tolist() == list(range(SIDE * SIDE))
    assert stores.enable.all() and not stores.data[:, 1:].any() and not stores.kind.any()
    assert stores.cycle[-1] == whole.retired_at[0] + BUS_CYCLES


@pytest.mark.promise("the watchdog stands still while the memory owes an answer")
def test_a_slow_memory_is_waited_for(tmp_path: Path) -> None:
    """Each answer comes later than the watchdog waits for a chip that stands."""
    what = replace(job(program(STORE, END)), latency=WATCHDOG_CYCLES + 900)
    (slow,) = run(replace(what, limits=RunLimits(cycles=100_000)), tmp_path)
    assert (slow.done, slow.error) == (True, ErrorCode.NONE)
    assert slow.cycles > 2 * WATCHDOG_CYCLES
    (quick,) = run(job(program(STORE, END)), tmp_path)
    assert slow.answer.tolist() == quick.answer.tolist()


def test_a_memory_that_never_answers_keeps_the_chip_busy(tmp_path: Path) -> None:
    (dead,) = run(replace(job(program(STORE, END)), latency=1_000_000_000), tmp_path)
    assert dead.busy and dead.gave_up


def test_the_watchdog_waits_its_time(tmp_path: Path) -> None:
    whole = program(conv_without_tiles(), STORE, END)
    (stopped,) = run(job(whole), tmp_path)
    expect_error(stopped, ErrorCode.STALLED)
    beats = len(whole) // ARCH.port_bytes
    assert 0 <= stopped.cycles - WATCHDOG_CYCLES - stopped.retired_at[0] <= 2 * beats
