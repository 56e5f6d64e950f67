"""Every error stops the chip with its code; busy falls, and the next start works."""

from dataclasses import replace
from pathlib import Path

import pytest

from hwgen.sim.dbpim.chip_run import PROGRAM_ADDRESS, Job, Run, place, run_chip
from hwgen.spec.dbpim.instructions import PACKETS, VERSION, ErrorCode, Opcode
from hwgen.spec.dbpim.stream import encode_instruction, pad
from hwgen.spec.dbpim.timing import WATCHDOG_CYCLES
from verif.dbpim.component import small

ARCH = small()
WORDS = 10
SIDE = 4
BEGIN = {
    "version": VERSION,
    "architecture": ARCH.id_word,
    "network": 0,
    "stream_beats": 0,
    "image_beats": SIDE * SIDE // ARCH.port_bytes,
    "image_height": SIDE,
    "image_width": SIDE,
    "pixel_bytes": 1,
    "image_base": 0,
    "image_row_pitch": SIDE // ARCH.banks,
}
STORE = encode_instruction(Opcode.STORE, {"words": WORDS})
END = encode_instruction(Opcode.END, {})
UNKNOWN = bytes([0x7F]) + bytes(63)
A_LOT = bytes(200 * ARCH.port_bytes)
"""More than the reader holds, so that beats are on their way when the chip stops."""


def program(*packets: bytes, **begin: int) -> bytes:
    stream = b"".join(pad(packet, ARCH) for packet in packets)
    fields = {**BEGIN, "stream_beats": len(stream) // ARCH.port_bytes, **begin}
    return pad(encode_instruction(Opcode.BEGIN, fields), ARCH) + stream


def conv_without_tiles() -> bytes:
    fields = {field.name: 1 for field in PACKETS[Opcode.CONV][1:]}
    return encode_instruction(Opcode.CONV, fields)


def job(content: bytes, *, images: int = 1) -> Job:
    return Job(
        program=content,
        images=[bytes(range(SIDE * SIDE))] * images,
        words=WORDS,
        latency=ARCH.memory_latency_cycles,
        limit=20_000,
    )


def run(what: Job, folder: Path) -> list[Run]:
    return run_chip(what, ARCH, folder)


def expect_error(stopped: Run, code: ErrorCode) -> None:
    assert (stopped.busy, stopped.done, stopped.error) == (False, False, code)


WRONG_PROGRAMS = {
    "first packet": (ErrorCode.BAD_OPCODE, UNKNOWN + A_LOT),
    "opcode": (ErrorCode.BAD_OPCODE, program(STORE, UNKNOWN, A_LOT)),
    "second BEGIN": (ErrorCode.BAD_OPCODE, program(program(END))),
    "version": (ErrorCode.WRONG_VERSION, program(END, version=VERSION + 1)),
    "architecture": (ErrorCode.WRONG_ARCHITECTURE, program(END, architecture=ARCH.id_word ^ 1)),
    "no END": (ErrorCode.STREAM_ENDED, program(STORE)),
    "half an END": (ErrorCode.STREAM_ENDED, program(STORE, END, stream_beats=9)),
    "no STORE": (ErrorCode.NOT_STORED, program(END)),
    "no STORE behind a layer": (ErrorCode.NOT_STORED, program(conv_without_tiles(), END)),
    "no tiles": (ErrorCode.STALLED, program(conv_without_tiles(), STORE, END)),
}


@pytest.mark.parametrize("mistake", WRONG_PROGRAMS)
@pytest.mark.parametrize("stall", [0, 50])
def test_a_wrong_program_is_stopped(mistake: str, stall: int, tmp_path: Path) -> None:
    code, content = WRONG_PROGRAMS[mistake]
    for stopped in run(replace(job(content, images=2), stall=stall), tmp_path):
        expect_error(stopped, code)


def test_a_right_program_without_layers_ends(tmp_path: Path) -> None:
    (whole,) = run(job(program(STORE, END)), tmp_path)
    assert (whole.busy, whole.done, whole.error) == (False, True, ErrorCode.NONE)
    assert (whole.layers, whole.retired[-1]) == (3, whole.cycles)
    assert whole.load_cycles > whole.retired[0]


def test_what_follows_end_is_swallowed(tmp_path: Path) -> None:
    first, second = run(job(program(STORE, END, A_LOT), images=2), tmp_path)
    (short,) = run(job(program(STORE, END)), tmp_path)
    assert first.done and second.done
    assert first.retired == second.retired == short.retired


@pytest.mark.parametrize("stall", [0, 50])
def test_a_read_error_stops_the_chip_and_the_next_start_works(stall: int, tmp_path: Path) -> None:
    what = replace(job(program(STORE, END), images=2), stall=stall)
    _, addresses = place(what)
    broken, right = run(replace(what, error_address=addresses["image"]), tmp_path)
    expect_error(broken, ErrorCode.READ_ERROR)
    assert right.done and not right.error
    for offset in (0, 64, 128):
        wrong = replace(what, error_address=PROGRAM_ADDRESS + offset)
        for stopped in run(wrong, tmp_path):
            expect_error(stopped, ErrorCode.READ_ERROR)


@pytest.mark.parametrize("stall", [0, 50])
def test_a_write_error_stops_the_chip_and_the_next_start_works(stall: int, tmp_path: Path) -> None:
    what = replace(job(program(STORE, END), images=2), stall=stall)
    _, addresses = place(what)
    broken, right = run(replace(what, error_address=addresses["logits"]), tmp_path)
    expect_error(broken, ErrorCode.WRITE_ERROR)
    assert right.done and not right.error


def test_the_watchdog_waits_its_time(tmp_path: Path) -> None:
    whole = program(conv_without_tiles(), STORE, END)
    (stopped,) = run(job(whole), tmp_path)
    expect_error(stopped, ErrorCode.STALLED)
    beats = len(whole) // ARCH.port_bytes
    assert 0 <= stopped.cycles - WATCHDOG_CYCLES - stopped.retired[0] <= 2 * beats
