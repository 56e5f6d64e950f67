"""What an MRAM chip's simulation is told and what it writes down, without running one."""

from pathlib import Path

import numpy as np
import pytest

from hwgen.chip.sim.host_files import UNWRITTEN
from hwgen.errors import SimulationError
from hwgen.mram.facts.arch import load_arch
from hwgen.mram.facts.events import EVENTS
from hwgen.mram.facts.program import MapPlace
from hwgen.mram.sim.by_hand import answer_lines
from hwgen.mram.sim.chip_run import REGISTERS, ChipRun, Job, place, read_commands
from hwgen.mram.sim.maps import bank_part
from hwgen.mram.sim.stores import ANSWERS
from tests.verif.mram.chips import compiled, residual_network

ARCH = load_arch(Path(__file__).parents[3] / "configs" / "mram" / "tiny.yaml")
COUNTS = range(len(EVENTS))
NOTHING = " 0" * len(EVENTS)

EVENT_LINES = f"""\
id 00c0ffee 1
load 0000000000001000
rest{NOTHING}
end 2 0 100 99 0 0 0 0 0 8 0
start 0
image 3
retire 9 1 5 {" ".join(map(str, COUNTS))}
retire 12 1 6 {" ".join(map(str, COUNTS))}
rest{NOTHING}
end 4 8 100 20 2 1 1 55 66 8 0
answer 0 0 fffffffb
answer 0 1 00000102
answer 1 0 00000007
start 1
image 3
"""


def commands(folder: Path, events: str, stores: str = "") -> list[ChipRun]:
    (folder / "events.txt").write_text(events, encoding="ascii")
    (folder / "stores.txt").write_text(stores, encoding="ascii")
    return read_commands(folder / "events.txt", folder / "stores.txt", ARCH)


def line(**fields: int) -> str:
    digits = {"start": 4, "cycle": 10, "place": 1, "row": 4, "mask": 2, "data": 16}
    return "".join(f"{fields.get(name, 0):0{count}x}" for name, count in digits.items()) + "\n"


@pytest.mark.parametrize("last", ["finish", "timeout"])
def test_events_become_commands(last: str, tmp_path: Path) -> None:
    load, run, cut = commands(tmp_path, f"{EVENT_LINES}{last}\n")
    assert (load.loads, load.done, load.busy) == (True, True, False)
    assert load.registers["weight_row_writes"] == 8
    assert (run.loads, run.done, run.busy, run.error) == (False, False, False, 8)
    given = dict(zip(REGISTERS, [8, 100, 20, 2, 1, 1, 55, 66, 8, 0], strict=True))
    assert run.registers == given
    assert run.begun == [3]
    first = run.retired[0]
    assert (first.cycle, first.mode, first.record) == (9, 1, 5)
    assert first.events == dict(zip(EVENTS, COUNTS, strict=True))
    assert run.events == {name: 2 * count for name, count in first.events.items()}
    assert [each.tolist() for each in run.answers] == [
        [0xFB, 0xFF, 0xFF, 0xFF, 2, 1, 0, 0],
        [7, 0, 0, 0],
    ]
    assert (cut.number, cut.busy, cut.done, cut.answers) == (1, True, False, [])


def test_writes_become_arrays_of_their_run(tmp_path: Path) -> None:
    text = line(start=1, cycle=7, place=2, row=3, mask=0x81, data=0x8877665544332211)
    text += line(start=1, cycle=1 << 33, place=ANSWERS, row=5, mask=3, data=0x0A0B0C0D)
    text += line(start=2, cycle=8)
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
    text = line(start=1, cycle=7, place=1, mask=0xFF, data=0x0807060504030201)
    text += line(start=1, cycle=9, place=1, mask=0x22, data=0xFFFF5555FFFFAAAA)
    text += line(start=1, cycle=11, place=2, mask=0xFF, data=0)
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
    content, addresses = place(job)
    assert addresses == {
        "program": 0x1000,
        "tables": 0x3000,
        "image": 0x4000,
        "image_stride": 64,
        "answer": 0x5000,
        "answer_stride": 128,
    }
    answers = bytes([UNWRITTEN]) * 256
    images = {0x4000: b"ab", 0x4040: b"cd"}
    assert content == {0x1000: bytes(4097), 0x3000: b"t", **images, 0x5000: answers}


def test_expected_answers_leave_padding_out() -> None:
    program = compiled(residual_network(1), ARCH)
    lines = list(answer_lines(program, ARCH, np.array([[1, -1, 2, 3, 4]])))
    assert lines[1] == "answer 0 1 ffffffff\n"
    assert len(lines) == program.facts.answer.shape[2]
    assert program.facts.answer.pixel_blocks * ARCH.block > len(lines)
