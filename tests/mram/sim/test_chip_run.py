"""What an MRAM chip's simulation is told and what it writes down, without running one."""

from pathlib import Path

import numpy as np
import pytest

from hwgen.chip.sim.host import read_runs, script_text
from hwgen.chip.sim.host_files import UNWRITTEN
from hwgen.errors import SimulationError
from hwgen.mram.facts.arch import load_arch
from hwgen.mram.facts.events import EVENTS
from hwgen.mram.facts.program import MapPlace
from hwgen.mram.facts.registers import OFFSETS
from hwgen.mram.sim.by_hand import answer_lines
from hwgen.mram.sim.chip_run import ChipRun, Job, hosted, mode_and_record
from hwgen.mram.sim.maps import bank_part
from hwgen.mram.sim.stores import ANSWERS
from tests.verif.mram.chips import compiled, residual_network

ARCH = load_arch(Path(__file__).parents[3] / "configs" / "mram" / "tiny.yaml")
COUNTS = range(len(EVENTS))
NOTHING = " 0" * len(EVENTS)

REGISTERS = {
    "error": 8, "cycles": 100, "load_cycles": 20, "layers": 2, "images_done": 1, "active_mode": 1,
    "and_operations": 55, "input_row_writes": 66, "weight_row_writes": 8, "refused_row_writes": 0,
}  # fmt: skip


def reads(status: int, **registers: int) -> str:
    """Return what a host writes of some registers."""
    lines = [f"read {OFFSETS['status']:03x} {status:08x}"]
    for name, value in registers.items():
        low = OFFSETS.get(name, OFFSETS.get(f"{name}_low"))
        lines.append(f"read {low:03x} {value:08x}")
    return "\n".join(lines)


EVENT_LINES = f"""\
start 0 1
rest{NOTHING}
{reads(2, weight_row_writes=8)}
start 0 0
image 3
retire 9 65541 {" ".join(map(str, COUNTS))}
retire 12 65542 {" ".join(map(str, COUNTS))}
rest{NOTHING}
{reads(4, **REGISTERS)}
answer 0 0 fffffffb
answer 0 1 00000102
answer 1 0 00000007
start 1 0
image 3
"""


def commands(folder: Path, events: str, stores: str = "") -> list[ChipRun]:
    (folder / "events.txt").write_text(events, encoding="ascii")
    (folder / "stores.txt").write_text(stores, encoding="ascii")
    return read_runs(folder, hosted(ARCH))


def line(**fields: int) -> str:
    digits = {"start": 4, "cycle": 10, "place": 1, "row": 4, "mask": 2, "data": 16}
    return "".join(f"{fields.get(name, 0):0{count}x}" for name, count in digits.items()) + "\n"


@pytest.mark.promise(
    "what the host of an MRAM chip writes becomes commands, maps and events; a file that was"
    " cut off is refused in one sentence"
)
@pytest.mark.parametrize("last", ["finish", "timeout"])
def test_events_become_commands(last: str, tmp_path: Path) -> None:
    load, run, cut = commands(tmp_path, f"{EVENT_LINES}{last}\n")
    assert (load.loads, load.done, load.busy) == (True, True, False)
    assert load.registers["weight_row_writes"] == 8
    assert (run.loads, run.done, run.busy, run.error) == (False, False, False, 8)
    assert run.registers == REGISTERS
    assert run.begun == [3]
    first = run.retired[0]
    assert (first.cycle, *mode_and_record(first)) == (9, 1, 5)
    assert first.events == dict(zip(EVENTS, COUNTS, strict=True))
    assert run.events == {name: 2 * count for name, count in first.events.items()}
    assert [each.tolist() for each in run.answers.values()] == [
        [0xFB, 0xFF, 0xFF, 0xFF, 2, 1, 0, 0],
        [7, 0, 0, 0],
    ]
    assert (cut.number, cut.busy, cut.done, cut.answers) == (1, True, False, {})


def test_writes_become_arrays_of_their_run(tmp_path: Path) -> None:
    text = line(start=2, cycle=7, place=2, row=3, mask=0x81, data=0x8877665544332211)
    text += line(start=2, cycle=1 << 33, place=ANSWERS, row=5, mask=3, data=0x0A0B0C0D)
    text += line(start=3, cycle=8)
    load, first, second = commands(tmp_path, f"{EVENT_LINES}finish\n", text)
    stores = first.stores
    assert (len(load.stores), len(stores), len(second.stores)) == (0, 2, 1)
    assert stores.cycle.tolist() == [7, 1 << 33]
    assert (stores.place.tolist(), stores.row.tolist()) == ([2, ANSWERS], [3, 5])
    assert np.flatnonzero(stores.mask[0]).tolist() == [0, 7]
    assert stores.data[0].tolist() == [0x11 * n for n in range(1, 9)]
    assert stores.data[1].tolist() == [0x0D, 0x0C, 0x0B, 0x0A, 0, 0, 0, 0]


def test_a_map_is_what_the_last_writes_left(tmp_path: Path) -> None:
    """Pixels of four elements, of which the map has three; another bank has no part in it."""
    text = line(start=2, cycle=7, place=1, mask=0xFF, data=0x0807060504030201)
    text += line(start=2, cycle=9, place=1, mask=0x22, data=0xFFFF5555FFFFAAAA)
    text += line(start=2, cycle=11, place=2, mask=0xFF, data=0)
    stores = commands(tmp_path, f"{EVENT_LINES}finish\n", text)[1].stores
    where = MapPlace(bank=1, pixel_blocks=2, shape=(1, 2, 3), first_channel=0, channels=3)
    found = bank_part(stores, where, ARCH)
    assert found.data.tolist() == [[[1, 0xAA, 3], [5, 0x55, 7]]]
    assert found.cycles.tolist() == [[[7, 9, 7], [7, 9, 7]]]


@pytest.mark.parametrize("text", ["", EVENT_LINES, f"{EVENT_LINES}fini"])
def test_events_that_were_cut_off_are_one_sentence(text: str, tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match=r"must end with finish, timeout or flood, got"):
        commands(tmp_path, text)


def test_writes_that_were_cut_off_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match=r"must be lines of 38 bytes, got 35"):
        commands(tmp_path, f"{EVENT_LINES}finish\n", line(start=1)[:35])


def test_tables_images_and_answers_lie_behind_the_program() -> None:
    job = Job(
        program=bytes(4097),
        tables=b"t",
        images=[b"ab", b"cd"],
        modes=[0, 0],
        run_images=2,
        image_stride=64,
        answer_stride=128,
        answer_bytes=40,
        latency=1,
    )
    assert job.addresses == {
        "program": 0x1000,
        "tables": 0x3000,
        "image": 0x4000,
        "answer": 0x5000,
    }
    answers = bytes([UNWRITTEN]) * 256
    images = {0x4000: b"ab", 0x4040: b"cd"}
    assert job.work().content == {0x1000: bytes(4097), 0x3000: b"t", **images, 0x5000: answers}


def test_modes_are_requested_while_a_run_goes_on() -> None:
    job = Job(
        program=b"p",
        images=[b"a", b"b", b"c"],
        modes=[2, 0, 1],
        run_images=2,
        image_stride=64,
        answer_stride=128,
        answer_bytes=8,
        latency=1,
    )
    text = script_text(job.work(), hosted(ARCH))
    mode = f"{OFFSETS['mode']:x}"
    load, first, second = text.split("2 0 1 0\n")[0], *text.split("2 0 1 0\n")[1].split("2 1 0 0\n")
    assert f"1 {OFFSETS['command']:x} 1 0\n" in load
    assert f"1 {mode} 2 0\n" in first and f"2 0 0 0\n3 1 {mode} 0\n4 0 0 0\n" in first
    assert f"1 {mode} 1 0\n" in first and f"3 1 {mode}" not in second


def test_expected_answers_leave_padding_out() -> None:
    program = compiled(residual_network(1), ARCH)
    answers = {program.facts.answer.layer: np.array([[1, -1, 2, 3, 4]])}
    lines = list(answer_lines(program, ARCH, answers))
    assert lines[1] == "answer 0 1 ffffffff\n"
    assert len(lines) == program.facts.answer.shape[2]
    assert program.facts.answer.pixel_blocks * ARCH.block > len(lines)
