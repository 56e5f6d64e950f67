# amaranth: UnusedElaboratable=no
"""What a chip's simulation is told and what it writes down, without running one."""

import re
from pathlib import Path

import pytest

from hwgen.errors import SimulationError
from hwgen.rtl.dbpim.core import Core
from hwgen.sim.dbpim.chip_run import BLOCKS, ChipRun, Job, memory_bytes, place, read_runs
from hwgen.sim.dbpim.stores import BUS
from hwgen.sim.host_files import MEMORY_BYTES, UNWRITTEN, beats_text
from hwgen.spec.axi import PAGE_BYTES
from hwgen.spec.dbpim.arch import load_arch
from hwgen.spec.dbpim.events import EVENTS as NAMES

ARCH = load_arch(Path(__file__).parents[3] / "configs" / "dbpim" / "tiny.yaml")

COUNTED = range(10, 10 + len(NAMES))
EVENTS = """\
id 00c0ffee 2
start 0
retire 9 {counts}
rest {rest}
end 0 2 0 100 20 3
answer 0 0 fffffffb
answer 0 1 00000102
start 1
""".format(counts=" ".join(map(str, COUNTED)), rest=" ".join(["7"] * len(NAMES)))


def runs(folder: Path, events: str, stores: str = "") -> list[ChipRun]:
    (folder / "events.txt").write_text(events, encoding="ascii")
    (folder / "stores.txt").write_text(stores, encoding="ascii")
    return read_runs(folder / "events.txt", folder / "stores.txt", ARCH)


def line(**fields: int) -> str:
    digits = {"start": 4, "cycle": 10, "core": 2, "kind": 1, "row": 3, "column": 3, "word": 3}
    digits |= {"index": 4, "enable": 1, "data": 8}
    return "".join(f"{fields.get(name, 0):0{count}x}" for name, count in digits.items()) + "\n"


@pytest.mark.parametrize("last", ["finish", "timeout"])
def test_events_become_runs(last: str, tmp_path: Path) -> None:
    first, second = runs(tmp_path, f"{EVENTS}{last}\n")
    assert (first.done, first.busy, first.cycles, first.load_cycles) == (True, False, 100, 20)
    assert (first.number, first.retired, first.layers) == (0, [9], 3)
    assert first.counted == [dict(zip(NAMES, COUNTED, strict=True))]
    assert first.rest == dict.fromkeys(NAMES, 7)
    assert first.answers.tolist() == [0xFB, 0xFF, 0xFF, 0xFF, 2, 1, 0, 0]
    assert (second.number, second.busy, second.done) == (1, True, False)
    assert not len(second.answers)


def test_stores_become_arrays_of_their_run(tmp_path: Path) -> None:
    text = line(start=1, cycle=7, core=BUS, row=1, column=2, word=3, enable=0xE, data=0x0A0B0C0D)
    text += line(start=1, cycle=1 << 33, core=1, row=0x3FF, enable=0xF, data=0x44332211)
    text += line(start=2, cycle=8, core=BUS, kind=1, index=0x123)
    first, second = runs(tmp_path, f"{EVENTS}finish\n", text)
    stores = first.stores
    assert len(stores) == 2 and len(second.stores) == 1
    assert (stores.cycle.tolist(), stores.core.tolist()) == ([7, 1 << 33], [BUS, 1])
    assert (stores.row.tolist(), stores.column.tolist()) == ([1, 0x3FF], [2, 0])
    assert stores.word.tolist() == [3, 0]
    assert stores.enable.tolist() == [[False, True, True, True], [True] * 4]
    assert stores.data.tolist() == [[0x0D, 0x0C, 0x0B, 0x0A], [0x11, 0x22, 0x33, 0x44]]
    assert (second.stores.kind.tolist(), second.stores.index.tolist()) == ([1], [0x123])


@pytest.mark.parametrize("text", ["", EVENTS, EVENTS[: len(EVENTS) // 2], f"{EVENTS}fini"])
def test_events_that_were_cut_off_are_one_sentence(text: str, tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match=r"must end with finish or timeout, got") as error:
        runs(tmp_path, text)
    assert "\n" not in str(error.value)


def test_stores_that_were_cut_off_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match=r"must be lines of 40 bytes, got 35") as error:
        runs(tmp_path, f"{EVENTS}finish\n", line(start=1)[:35])
    assert "\n" not in str(error.value)


def test_images_answers_and_scratch_space_lie_behind_the_program() -> None:
    job = Job(program=bytes(4097), images=[b"ab", b"cd"], answer_bytes=40, latency=1)
    content, addresses = place(job)
    answers = bytes([UNWRITTEN]) * (2 * PAGE_BYTES)
    assert content == {0x1000: bytes(4097), 0x3000: b"ab", 0x4000: b"cd", 0x5000: answers}
    assert addresses == {
        "program": 0x1000,
        "image": 0x3000,
        "image_stride": 0x1000,
        "answers": 0x5000,
        "answers_stride": 0x1000,
        "scratch": 0x7000,
    }


def test_a_run_takes_the_smallest_memory_that_is_enough() -> None:
    _, addresses = place(Job(program=b"p", images=[b"i"], answer_bytes=4, latency=1))
    for size, larger in zip(MEMORY_BYTES, [*MEMORY_BYTES[1:], None], strict=True):
        space = size - addresses["scratch"]
        job = Job(program=b"p", images=[b"i"], answer_bytes=4, scratch_bytes=space, latency=1)
        assert memory_bytes(job, addresses) == size
        wide = Job(program=b"p", images=[b"i"], answer_bytes=4, scratch_bytes=space + 1, latency=1)
        if larger is not None:
            assert memory_bytes(wide, addresses) == larger
            continue
        with pytest.raises(SimulationError, match="bytes for 1 runs"):
            memory_bytes(wide, addresses)


def test_the_lowest_byte_of_a_beat_is_written_last() -> None:
    text = beats_text({0x1000: bytes([1, 2, 3, 4, 5])}, port_bytes=4)
    assert text == "@400\n04030201\n00000005\n"


def test_no_port_of_a_block_is_named_as_a_method_of_verilator() -> None:
    """A module that is compiled once becomes a class, and its ports members of that."""
    methods = {"contextp", "eval", "eval_step", "final", "name", "rootp", "threads", "trace"}
    blocks = re.findall(
        r'^hier_block -module "dbpim_(\w+)"$', BLOCKS.read_text("utf-8"), re.MULTILINE
    )
    assert blocks == ["core"]
    ports = set(Core(arch=ARCH).signature.members)
    assert "idle" in ports and not ports & methods
