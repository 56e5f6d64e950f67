"""What a chip's simulation is told and what it writes down, without running one."""

import importlib
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hwgen.chip.axi import PAGE_BYTES
from hwgen.chip.limits import RunLimits
from hwgen.chip.rtl.emit import verilog_modules
from hwgen.chip.sim.host import read_runs, script_text
from hwgen.chip.sim.host_files import MEMORY_BYTES, UNWRITTEN, beats_text
from hwgen.dbpim.compiler import compile_network
from hwgen.dbpim.facts.arch import load_arch
from hwgen.dbpim.facts.events import events_of
from hwgen.dbpim.rtl.core import Core
from hwgen.dbpim.sim.chip_run import BLOCKS, ChipRun, Job, hosted
from hwgen.dbpim.sim.maps import Elements, StoredMap, assemble
from hwgen.dbpim.sim.simulate import simulated_runs
from hwgen.dbpim.sim.stores import BUS, Stores
from hwgen.errors import SimulationError
from hwgen.network import INPUT
from verif.dbpim.directed_network import directed

ARCH = load_arch(Path(__file__).parents[3] / "configs" / "dbpim" / "tiny.yaml")
NAMES = events_of(ARCH)

NO_STORES = {
    name: np.zeros(0, np.int64)
    for name in ("start", "cycle", "core", "kind", "row", "column", "word", "index")
} | {"enable": np.zeros((0, 4), bool), "data": np.zeros((0, 4), np.uint8)}

COUNTED = range(10, 10 + len(NAMES))
EVENTS = """\
start 0 0
retire 9 0 {counts}
rest {rest}
read 00c 00000002
read 010 00000000
read 034 00000064
read 038 00000001
read 03c 00000014
read 040 00000000
read 044 00000003
answer 0 0 fffffffb
answer 0 1 00000102
start 1 0
""".format(counts=" ".join(map(str, COUNTED)), rest=" ".join(["7"] * len(NAMES)))


def runs(folder: Path, events: str, stores: str = "") -> list[ChipRun]:
    (folder / "events.txt").write_text(events, encoding="ascii")
    (folder / "stores.txt").write_text(stores, encoding="ascii")
    return read_runs(folder, hosted(ARCH))


def line(**fields: int) -> str:
    digits = {"start": 4, "cycle": 10, "core": 2, "kind": 1, "row": 3, "column": 3, "word": 3}
    digits |= {"index": 4, "enable": 1, "data": 8}
    return "".join(f"{fields.get(name, 0):0{count}x}" for name, count in digits.items()) + "\n"


@pytest.mark.promise(
    "events of a run, and of each step, are predicted and counted on the chip, sparse and dense"
)
@pytest.mark.parametrize("last", ["finish", "timeout", "flood"])
def test_events_become_runs(last: str, tmp_path: Path) -> None:
    first, second = runs(tmp_path, f"{EVENTS}{last}\n")
    assert (first.done, first.busy, first.cycles, first.error) == (True, False, 100 + (1 << 32), 0)
    assert first.registers == {"error": 0, "cycles": first.cycles, "load_cycles": 20, "layers": 3}
    assert (first.number, first.retired_at) == (0, [9])
    assert [each.events for each in first.retired] == [dict(zip(NAMES, COUNTED, strict=True))]
    assert first.rest == dict.fromkeys(NAMES, 7)
    assert first.answer.tolist() == [0xFB, 0xFF, 0xFF, 0xFF, 2, 1, 0, 0]
    assert (second.number, second.busy, second.done) == (1, True, False)
    assert not len(second.answer)


@pytest.mark.promise(
    "a chip that hangs or floods is given up after twice what is predicted, and the sentence"
    " says why"
)
@pytest.mark.parametrize(
    ("last", "said"),
    [
        ("timeout", "the chip was still busy after 5,000 cycles"),
        ("flood", "the chip stored more than 70 words"),
    ],
)
def test_a_run_that_was_given_up_says_why(last: str, said: str, tmp_path: Path) -> None:
    runs(tmp_path, f"{EVENTS}{last}\n")
    limits = RunLimits(cycles=5000, stores=70)
    first, second = read_runs(tmp_path, hosted(ARCH), limits)
    assert (first.gave_up, second.gave_up) == ("", said)


def elements(**fields: list[int]) -> Elements:
    """Return stored bytes of one image; what is not given is 0."""
    count = len(next(iter(fields.values())))
    arrays = {name: np.array(fields.get(name, [0] * count)) for name in ("image", "y", "x")}
    return Elements(
        **arrays,
        channel=np.zeros(count, np.int64),
        data=np.ones(count, np.uint8),
        cycle=np.arange(1, count + 1),
    )


@pytest.mark.promise("what a chip stores outside a map is a difference")
@pytest.mark.parametrize(
    "stray", [{"x": [0, 2]}, {"y": [0, 3]}, {"x": [0, -1]}, {"y": [0, -1]}, {"image": [0, 1]}]
)
def test_what_is_stored_outside_a_map_makes_it_larger(stray: dict[str, list[int]]) -> None:
    (whole,) = assemble([elements(x=[0, 1])], (2, 2, 1), 1)
    assert whole.data.shape == (2, 2, 1) and whole.data.sum() == 2
    (found,) = assemble([elements(**stray)], (2, 2, 1), 1)
    assert found.data.shape != (2, 2, 1) and found.data.sum() == 2


def test_a_column_outside_an_image_is_a_difference(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The pixels that no window reads are known, but not those of a map of another shape."""
    network = directed("one_pixel")
    program = compile_network(network, ARCH)
    run = ChipRun(number=0, stores=Stores(**NO_STORES), busy=False, done=True)
    run.rest = dict.fromkeys(NAMES, 0)
    run.registers = {"cycles": 0, "load_cycles": 0, "layers": 0}
    size = max(program.facts.answer.offsets) + program.facts.answer.size
    run.answers = {0: np.zeros(size, np.uint8)}
    wide = StoredMap(np.zeros((1, 2, 1), np.uint8), np.zeros((1, 2, 1), np.int64))
    module = importlib.import_module("hwgen.dbpim.sim.simulate")
    monkeypatch.setattr(module, "stored_maps", lambda *_: [{INPUT: wide}])
    images = np.zeros((1, 1, 1, 1), np.uint8)
    (found,) = simulated_runs([run], [program], ARCH, images)
    assert found.maps[0][INPUT].shape == (1, 2, 1)


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


@pytest.mark.promise(
    "a full or read-only disk, a small memory, broken Verilog, no Verilator are one sentence each"
)
@pytest.mark.parametrize("text", ["", EVENTS, EVENTS[: len(EVENTS) // 2], f"{EVENTS}fini"])
def test_events_that_were_cut_off_are_one_sentence(text: str, tmp_path: Path) -> None:
    with pytest.raises(
        SimulationError, match=r"must end with finish, timeout or flood, got"
    ) as error:
        runs(tmp_path, text)
    assert "\n" not in str(error.value)


def test_stores_that_were_cut_off_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match=r"must be lines of 40 bytes, got 35") as error:
        runs(tmp_path, f"{EVENTS}finish\n", line(start=1)[:35])
    assert "\n" not in str(error.value)


def test_images_answers_and_scratch_space_lie_behind_the_program() -> None:
    job = Job(program=bytes(4097), images=[b"ab", b"cd"], answer_bytes=40, latency=1)
    answers = bytes([UNWRITTEN]) * (2 * PAGE_BYTES)
    assert job.work().content == {
        0x1000: bytes(4097),
        0x3000: b"ab",
        0x4000: b"cd",
        0x5000: answers,
    }
    assert job.addresses == {
        "program": 0x1000,
        "image": 0x3000,
        "image_stride": 0x1000,
        "answers": 0x5000,
        "answers_stride": 0x1000,
        "scratch": 0x7000,
        "scratch_stride": 0,
    }


def test_the_host_writes_the_addresses_of_each_run() -> None:
    job = Job(program=bytes(4097), images=[b"ab", b"cd"], answer_bytes=40, latency=1)
    text = script_text(job.work(), hosted(ARCH))
    second = text.splitlines()[text.splitlines().index("2 1 0 0") - 8 :]
    assert second[:8] == [
        *("1 14 1000 0", "1 18 0 0", "1 1c 4000 0", "1 20 0 0"),
        *("1 24 6000 0", "1 28 0 0", "1 2c 7000 0", "1 30 0 0"),
    ]
    assert second[9] == "4 0 0 0" and second[-1] == f"6 1 {0x6000 // ARCH.port_bytes:x} a"


def test_a_run_takes_the_smallest_memory_that_is_enough() -> None:
    least = Job(program=b"p", images=[b"i"], answer_bytes=4, latency=1)
    for size, larger in zip(MEMORY_BYTES, [*MEMORY_BYTES[1:], None], strict=True):
        space = size - least.addresses["scratch"]
        assert replace(least, scratch_bytes=space).work().memory_bytes == size
        wide = replace(least, scratch_bytes=space + 1)
        if larger is not None:
            assert wide.work().memory_bytes == larger
            continue
        with pytest.raises(SimulationError, match="bytes for 1 runs"):
            wide.work()


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
    text = verilog_modules(Core(arch=ARCH))["dbpim_core"]
    ports = set(
        re.findall(r"^  (?:input|output)(?: reg)? (?:\[.*?\] )?(\w+),?", text, re.MULTILINE)
    )
    assert "idle" in ports and not ports & methods
