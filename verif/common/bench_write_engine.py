"""Bench of `write_engine`: words into cocotbext-axi's memory, every burst in its cycle."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge
from cocotbext.axi import AxiRamWrite, AxiWriteBus

from hwgen.chip.axi import INCREMENTING, PAGE_BYTES
from verif.axi_adapter import CLOCK
from verif.common.chances import chances
from verif.common.facts import facts_from_environment
from verif.common.probe import Probe
from verif.coverage import Corners
from verif.stream import reset

FACTS = facts_from_environment()
BURST_BEATS = FACTS.burst_beats
SIZE = FACTS.port_bytes
WORD_BYTES = FACTS.word_bits // 8
BEAT_WORDS = SIZE // WORD_BYTES
MEMORY_BYTES = 4 * PAGE_BYTES
ALIGNMENT = FACTS.alignment_bytes
MOST = FACTS.entries
ADDRESS = ("awvalid", "awready", "awaddr", "awlen", "awsize", "awburst")
DATA = ("wvalid", "wready", "wlast", "wstrb", "wdata")
RESPONSE = ("bvalid", "bready", "bresp")
PORT = [f"memory__{name}" for name in (*ADDRESS, *DATA, *RESPONSE)]
NAMES = [*PORT, "start", "read_index", "stop", "idle", "done", "taken", "error"]
CORNERS = Corners(
    "one word",
    "all words",
    "words from the middle of the buffer",
    "the last beat is whole",
    *(("the last beat is not whole",) if BEAT_WORDS > 1 else ()),
    "several bursts",
    "a burst ends at a page although it is not the last",
    "data before its address is accepted",
    "address before its first data",
    "an error",
    "stopped in a burst",
    "started while stopped",
    *(("a row of several beats", "a beat without strobes") if FACTS.rows else ()),
    *(("rows within a beat",) if FACTS.rows and BEAT_WORDS > 2 else ()),
)


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Words from one row to the next, and the first of each, which are written."""

    pitch: int = 1
    words: int = 1

    def hold(self, word: int) -> bool:
        """Return whether a word of the store is written."""
        return word % self.pitch < self.words


WHOLE = Rows()


class Memory(AxiRamWrite):
    """Memory that refuses to write some addresses; cocotbext-axi turns it into SLVERR."""

    bad: frozenset[int] = frozenset()

    async def _write(self, address: int, data: bytes) -> None:
        if address in self.bad:
            raise ValueError(f"no memory at {address:#x}")
        await super()._write(address, data)


async def begin(dut: Any, rng: np.random.Generator, pause: float) -> tuple[Memory, Probe]:
    """Reset the engine, attach a memory, record, and let a buffer answer."""
    memory = Memory(AxiWriteBus.from_prefix(dut, "write"), getattr(dut, CLOCK), size=MEMORY_BYTES)
    memory.write(0, b"\xa5" * MEMORY_BYTES)
    if pause:
        for channel in (memory.aw_channel, memory.w_channel, memory.b_channel):
            channel.set_pause_generator(chances(rng, pause))
    await reset(dut, dut.write_engine__start, dut.write_engine__stop)
    probe = Probe(dut, "write_engine", NAMES)
    cocotb.start_soon(probe.record())
    return memory, probe


async def answer(dut: Any, logits: bytes) -> None:
    """Be the buffer: the beat that is asked for, in the same cycle."""
    while True:
        index = dut.write_engine__read_index.value
        start = int(index) * SIZE if index.is_resolvable else 0
        beat = logits[start : start + SIZE]
        dut.write_engine__read_data.value = int.from_bytes(beat, "little")
        await FallingEdge(dut.clk)


def drawn_rows(rng: np.random.Generator) -> Rows:
    """Return rows of whole beats, or several in a beat; with or without words that hold nothing."""
    if not FACTS.rows:
        return WHOLE
    within = [1 << bit for bit in range(BEAT_WORDS.bit_length() - 1)]
    pitch = int(rng.choice([*within, BEAT_WORDS, 2 * BEAT_WORDS, 3 * BEAT_WORDS]))
    return Rows(pitch=pitch, words=int(rng.integers(1, pitch + 1)))


async def store(dut: Any, address: int, words: int, *, index: int = 0, rows: Rows = WHOLE) -> None:
    """Start the engine; index: beat of the buffer that holds the first word."""
    if FACTS.rows:
        dut.write_engine__row_pitch.value = rows.pitch
        dut.write_engine__row_words.value = rows.words
    dut.write_engine__index.value = index
    dut.write_engine__address.value = address
    dut.write_engine__words.value = words
    dut.write_engine__start.value = 1
    await FallingEdge(dut.clk)
    dut.write_engine__start.value = 0


@cocotb.test(timeout_time=200, timeout_unit="us")
@cocotb.parametrize(seed=range(2), pause=[0.0, 0.6])
async def memory_holds_the_words(dut: Any, seed: int, pause: float) -> None:
    """The words and nothing but the words are written, wherever pages end; none behind a row's."""
    rng = np.random.default_rng(seed)
    memory, probe = await begin(dut, rng, pause)
    logits = rng.bytes(MOST * WORD_BYTES)
    cocotb.start_soon(answer(dut, logits))
    sizes = [1, MOST, BEAT_WORDS, *rng.integers(1, MOST + 1, 12).tolist()]
    for words in sizes:
        address = PAGE_BYTES - ALIGNMENT * int(rng.integers(0, 4))
        memory.write(0, b"\xa5" * MEMORY_BYTES)
        probe.cycles.clear()
        index = int(rng.integers(0, (MOST - words) // BEAT_WORDS + 1))
        CORNERS.hit("words from the middle of the buffer", index > 0)
        rows = drawn_rows(rng)
        await store(dut, address, words, index=index, rows=rows)
        while not probe.last("done"):
            await FallingEdge(dut.clk)
        await FallingEdge(dut.clk)
        where = f"seed {seed}: {words} words at {address:#x}"
        where += f", {rows}"
        content = bytearray(logits[index * SIZE :][: words * WORD_BYTES])
        end = address + len(content)
        for word in range(words):
            if not rows.hold(word):
                content[word * WORD_BYTES : (word + 1) * WORD_BYTES] = b"\xa5" * WORD_BYTES
        assert memory.read(address, len(content)) == content, where
        untouched = memory.read(0, address) + memory.read(end, MEMORY_BYTES - end)
        assert set(untouched) == {0xA5}, f"{where}: other bytes have changed"
        check(probe, address, words, rows, where)
        CORNERS.hit("one word", words == 1)
        CORNERS.hit("all words", words == MOST)
        CORNERS.hit("the last beat is whole", words % BEAT_WORDS == 0)
        if words % BEAT_WORDS:
            CORNERS.hit("the last beat is not whole")


def bursts_of(address: int, words: int) -> list[tuple[int, int]]:
    """Return address and beats of each burst: none too long, none over a page."""
    bursts, left = [], -(-words // BEAT_WORDS)
    while left:
        length = min(left, BURST_BEATS, (PAGE_BYTES - address % PAGE_BYTES) // SIZE)
        bursts.append((address, length))
        address, left = address + length * SIZE, left - length
    return bursts


def check_beat(row: Mapping[str, int], first: int, words: int, rows: Rows, where: str) -> None:
    """Compare the strobes of the beat that begins with a word; what they leave out is 0."""
    held = [first + word < words and rows.hold(first + word) for word in range(BEAT_WORDS)]
    every = (1 << WORD_BYTES) - 1
    strobes = sum(every << (WORD_BYTES * word) for word, holds in enumerate(held) if holds)
    assert row["memory__wstrb"] == strobes, f"{where}: strobes"
    for word, holds in enumerate(held):
        value = row["memory__wdata"] >> (8 * WORD_BYTES * word) & ((1 << 8 * WORD_BYTES) - 1)
        assert holds or not value, f"{where}: data where nothing is written"
    if not strobes:
        CORNERS.hit("a beat without strobes")
    if rows.words > BEAT_WORDS:
        CORNERS.hit("a row of several beats")
    if 1 < rows.pitch < BEAT_WORDS:
        CORNERS.hit("rows within a beat")


def check(probe: Probe, address: int, words: int, rows: Rows, where: str) -> None:
    """Predict the cycle of every address and beat from the handshakes of the memory."""
    cycles = probe.cycles
    gone = iter(probe.when("memory__awvalid", "memory__awready"))
    beats = iter(probe.when("memory__wvalid", "memory__wready"))
    answers = iter(probe.when("memory__bvalid", "memory__bready"))
    begin = probe.when("start")[0] + 1
    address_cycles, data_cycles, ready_cycles = set(), set(), set()
    left = words
    for start, length in bursts_of(address, words):
        addressed = next(gone)
        row = cycles[addressed]
        assert (row["memory__awaddr"], row["memory__awlen"]) == (start, length - 1), where
        address_cycles |= set(range(begin, addressed + 1))
        CORNERS.hit("several bursts", words - left > 0)
        border = (start + length * SIZE) % PAGE_BYTES == 0
        cut = border and length < min(BURST_BEATS, -(-left // BEAT_WORDS))
        CORNERS.hit("a burst ends at a page although it is not the last", cut)
        taken = [next(beats) for _ in range(length)]
        data_cycles |= set(range(begin, taken[-1] + 1))
        for number, cycle in enumerate(taken):
            check_beat(cycles[cycle], words - left, words, rows, where)
            assert cycles[cycle]["memory__wlast"] == (number == length - 1), f"{where}: last"
            left -= min(left, BEAT_WORDS)
        answered = next(answers)
        ready_cycles |= set(range(max(addressed, taken[-1]) + 1, answered + 1))
        CORNERS.hit("data before its address is accepted", taken[0] < addressed)
        CORNERS.hit("address before its first data", addressed < taken[0])
        begin = answered + 1
    assert set(probe.when("memory__awvalid")) == address_cycles, f"{where}: addresses"
    assert set(probe.when("memory__wvalid")) == data_cycles, f"{where}: beats"
    assert set(probe.when("memory__bready")) == ready_cycles, f"{where}: responses"
    assert probe.when("done") == [begin - 1], f"{where}: done with the last response"
    sizes = {(row["memory__awsize"], row["memory__awburst"]) for row in cycles}
    assert sizes == {(SIZE.bit_length() - 1, INCREMENTING)}, f"{where}: whole beats, INCR"
    check_state(probe, begin, where)


def check_state(probe: Probe, end: int, where: str) -> None:
    """Compare `idle` and `taken` in every cycle."""
    start = probe.when("start")[0]
    for cycle, row in enumerate(probe.cycles):
        assert row["idle"] == (not start < cycle < end), f"{where}, cycle {cycle}: idle"
        moves = any(
            row[f"memory__{channel}valid"] and row[f"memory__{channel}ready"]
            for channel in ("aw", "w", "b")
        )
        assert row["taken"] == moves, f"{where}, cycle {cycle}: taken"


@cocotb.test(timeout_time=200, timeout_unit="us")
async def an_error_ends_the_store(dut: Any) -> None:
    """A bad response raises `error` and not `done`, and the engine can be started again."""
    rng = np.random.default_rng(5)
    memory, probe = await begin(dut, rng, 0.3)
    cocotb.start_soon(answer(dut, bytes(MOST * WORD_BYTES)))
    memory.bad = frozenset({PAGE_BYTES - ALIGNMENT})
    await store(dut, PAGE_BYTES - ALIGNMENT, MOST)
    while not probe.last("error"):
        await FallingEdge(dut.clk)
    await FallingEdge(dut.clk)
    await FallingEdge(dut.clk)
    answered = probe.when("memory__bvalid", "memory__bready")
    assert probe.when("error") == answered and len(answered) == 1
    assert not probe.when("done") and probe.cycles[-1]["idle"]
    CORNERS.hit("an error")
    memory.bad = frozenset()
    await store(dut, 0, 1)
    while not probe.last("done"):
        await FallingEdge(dut.clk)


@cocotb.test(timeout_time=200, timeout_unit="us")
@cocotb.parametrize(wait=range(8))
async def stop_ends_after_the_burst(dut: Any, wait: int) -> None:
    """A burst that has begun is carried to its response; none follows."""
    rng = np.random.default_rng(wait)
    _, probe = await begin(dut, rng, 0.5)
    cocotb.start_soon(answer(dut, bytes(MOST * WORD_BYTES)))
    words = min(MOST, 2 * ALIGNMENT // WORD_BYTES)
    start = PAGE_BYTES - ALIGNMENT
    whole = len(bursts_of(start, words))
    await store(dut, start, words)
    for _ in range(wait):
        await FallingEdge(dut.clk)
    dut.write_engine__stop.value = 1
    await FallingEdge(dut.clk)
    busy = not probe.last("idle")
    while not probe.last("idle"):
        await FallingEdge(dut.clk)
    begun = len(probe.when("memory__awvalid", "memory__awready"))
    assert begun == len(probe.when("memory__bvalid", "memory__bready")), "a response is missing"
    ended = sum(row["memory__wlast"] for row in map(probe.cycles.__getitem__, beats_gone(probe)))
    assert ended == begun, "a burst was cut short"
    CORNERS.hit("stopped in a burst", busy and begun <= max(1, whole - 1))


@cocotb.test(timeout_time=200, timeout_unit="us")
async def stop_lets_no_store_begin(dut: Any) -> None:
    """A start with `stop` is no start; one after it is, as if there had been none."""
    rng = np.random.default_rng(6)
    memory, probe = await begin(dut, rng, 0.0)
    logits = rng.bytes(MOST * WORD_BYTES)
    cocotb.start_soon(answer(dut, logits))
    dut.write_engine__stop.value = 1
    await store(dut, 0, MOST)
    dut.write_engine__stop.value = 0
    for _ in range(8):
        await FallingEdge(dut.clk)
    CORNERS.hit("started while stopped", bool(probe.when("start", "stop")))
    assert all(row["idle"] for row in probe.cycles), "a stopped engine has begun"
    assert not probe.when("memory__awvalid") and not probe.when("memory__wvalid")
    await store(dut, PAGE_BYTES, 1)
    while not probe.last("done"):
        await FallingEdge(dut.clk)
    await FallingEdge(dut.clk)
    assert memory.read(PAGE_BYTES, WORD_BYTES) == logits[:WORD_BYTES]
    assert set(memory.read(0, PAGE_BYTES)) == {0xA5}


def beats_gone(probe: Probe) -> list[int]:
    """Return the cycles in which beats were taken."""
    return probe.when("memory__wvalid", "memory__wready")


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
