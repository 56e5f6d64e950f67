"""Bench of `core`: random steps against golden, with a bus that stalls and brings words back.

After each step whose results are stored, a copy over the bus shows what the banks hold.
"""

import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from hwgen.dbpim.facts.instructions import PRODUCTS, Opcode, Operation
from hwgen.dbpim.rtl import layouts
from verif.common.chances import chances
from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment, operations
from verif.dbpim.core_driver import CoreDriver
from verif.dbpim.core_steps import CoreStep, Entry, Fields, draw_core_step, sources
from verif.dbpim.walk_plan import Conv
from verif.dbpim.walk_simd import Simd
from verif.unpacked import Unpacked, packed

ARCH = arch_from_environment()
COMPARTMENTS, FILTERS = ARCH.word, ARCH.filters
BUS, VECTOR = layouts.bus_write(ARCH), layouts.vector_write(ARCH)
SUMS = layouts.sums(ARCH)
SMOKE = os.environ.get("SMOKE") == "1"
SEEDS = 2 if SMOKE else 10
STEPS = 2 if SMOKE else 6
CYCLES = 30_000
"""No step takes as many."""

ROW_LIMIT = 1 << 10
CORNERS = Corners(
    *(f"operation {each.name}" for each in operations(ARCH) if each not in PRODUCTS),
    "int32 results",
    "sums with another map, to the own banks and over the bus",
    "words to the memory",
    "results of one step to the own banks and over the bus",
    "several tiles",
    "several filter groups",
    "the walker waits for a tile or taps, or a macro for a row",
    "the bus waits",
    "a word of another core",
    *(["pairs of filter groups of several tiles", "sums of a pair"] if ARCH.pairs else []),
)


class Bus:
    """The write bus with one core: a granted word is written one cycle later, its own rows too.

    Between them come words of other cores, in rows that the core does not keep.
    """

    def __init__(
        self, driver: CoreDriver, rng: np.random.Generator, first_foreign: int, stall: float
    ) -> None:
        self._driver, self._dut, self._rng = driver, driver.dut, rng
        self._foreign, self._stall = first_foreign, stall
        self._granted: int | None = None

    def drive(self) -> None:
        """Drive one cycle."""
        dut, word = self._dut, self._granted
        foreign = self._foreign < ROW_LIMIT and self._rng.random() < 0.3
        if word is None and foreign:
            fields = {"row": self._foreign, "enable": -1 % (1 << COMPARTMENTS)}
            fields["column"] = int(self._rng.integers(ROW_LIMIT))
            word = packed(BUS, fields)
            CORNERS.hit("a word of another core")
        dut.write_valid.value = 0
        if word is not None:
            self._driver.bus_write(word)
        dut.request__ready.value = bool(self._rng.random() >= self._stall)

    def sample(self) -> int | None:
        """Return the word that is granted in this cycle."""
        dut = self._dut
        asks, grants = bool(dut.request__valid.value), bool(dut.request__ready.value)
        CORNERS.hit("the bus waits", asks and not grants)
        self._granted = with_garbage(dut.request__payload.value) if asks and grants else None
        return self._granted

    @property
    def at_rest(self) -> bool:
        """Whether the last word granted has been written."""
        return self._granted is None


def with_garbage(value: Any) -> int:
    """Return a payload; bits of words never written, unknown in Icarus, count as 0."""
    return int("".join(bit if bit == "1" else "0" for bit in str(value)), 2)


def bus_entry(bits: int) -> Entry:
    """Return what a word of the bus writes."""
    write = Unpacked(BUS, bits)
    if write.raw:
        values = Unpacked(SUMS, write.data % (1 << 32 * FILTERS))
        return "raw", write.index, tuple(values)[:FILTERS]
    content = (write.data % (1 << 8 * COMPARTMENTS)).to_bytes(COMPARTMENTS, "little")
    if write.to_memory:
        return "memory", write.index, tuple(content)
    place = (write.row, write.column, write.word)
    return "bus", *place, write.enable, enabled(content, write.enable)


def bank_entries(bits: int) -> Iterator[Entry]:
    """Yield what a private result writes."""
    write = Unpacked(VECTOR, bits)
    for index, at in enumerate(write.positions):
        if at.active:
            values = enabled(bytes(write.bytes[index]), write.enable)
            yield "banks", at.row, at.column, write.word, write.enable, values


def enabled(content: bytes, enable: int) -> tuple[int, ...]:
    """Return the bytes that are stored."""
    return tuple(byte for index, byte in enumerate(content) if enable >> index & 1)


Instruction = tuple[Opcode, Fields, Fields]
"""Opcode, fields that no core owns, and those of the core."""


async def run_step(
    driver: CoreDriver, instruction: Instruction, bus: Bus, where: str
) -> Counter[Entry]:
    """Run one step to its end; return what it has written."""
    dut, written = driver.dut, Counter[Entry]()
    dut.write_valid.value = 0
    await driver.start(*instruction)
    for _ in range(CYCLES):
        bus.drive()
        await ReadOnly()
        granted = bus.sample()
        if granted is not None:
            written[bus_entry(granted)] += 1
        if dut.private_valid.value:
            written.update(bank_entries(int(dut.private_write.value)))
        if dut.loads__row__write.value and instruction[0] is Opcode.CONV:
            assert not dut.computes.value, f"{where}: a column issues while a row is written"
        waits = bool(dut.waits_for_load.value)
        CORNERS.hit("the walker waits for a tile or taps, or a macro for a row", waits)
        idle = bool(dut.idle.value)
        assert not (idle and dut.computes.value), f"{where}: idle and computes"
        await FallingEdge(dut.clk)
        if idle and bus.at_rest:
            dut.write_valid.value = 0
            await driver.finish()
            return written
    raise AssertionError(f"{where}: never idle, {written.total()} written")


def compare(got: Counter[Entry], want: Counter[Entry], where: str) -> None:
    """Every write came once, with golden's bytes."""
    wrong, missing = got - want, want - got
    assert not wrong and not missing, (
        f"{where}: {wrong.total()} wrong such as {min(wrong, default=None)}, "
        f"{missing.total()} missing such as {min(missing, default=None)}"
    )


async def check_banks(driver: CoreDriver, made: CoreStep, bus: Bus, where: str) -> None:
    """Copy the output map over the bus: what was written stands in the banks."""
    stored: dict[tuple[int, int, int], int] = {}
    for entry in made.expected:
        _, row, column, word, enable, values = entry
        channels = [c for c in range(COMPARTMENTS) if enable >> c & 1]
        for channel, value in zip(channels, values, strict=True):
            stored[row, column, word * COMPARTMENTS + channel] = value
    rows, columns = {row for row, _, _ in stored}, max(column for _, column, _ in stored) + 1
    copy = copy_step(made, min(rows), max(rows) + 1, columns)
    found: dict[tuple[int, int, int], int] = {}
    for entry in await run_step(driver, copy, bus, where):
        _, row, column, word, _, values = entry
        for channel, value in enumerate(values):
            found[row, column, word * COMPARTMENTS + channel] = value
    wrong = [(at, found.get(at), value) for at, value in stored.items() if found.get(at) != value]
    assert not wrong, f"{where}: {len(wrong)} bytes in the banks differ, first {wrong[:4]}"


def copy_step(made: CoreStep, first: int, end: int, columns: int) -> Instruction:
    """Return a sum over windows of one pixel, of all stored rows as one map."""
    output = made.output
    ones = ("kernel_height", "kernel_width", "stride_y", "stride_x")
    fields = dict.fromkeys(ones, 1) | {
        "input_base": output.base,
        "input_row_pitch": output.row_pitch,
        "input_channel_words": output.channel_words,
        "input_height": end,
        "input_width": columns,
        "output_width": columns,
        "output_first_row": first,
        "output_end_row": end,
        "output_high": 255,
        "operation": Operation.SUM,
        "multiplier": 1 << 15,
        "shift": 15,
        "enable_end": COMPARTMENTS,
    }
    work = {
        "input_first": output.first[0],
        "start_y": first,
        "vectors": (end - first) * -(-columns // ARCH.macros_per_core),
        "word_count": output.channel_words,
    }
    return Opcode.SIMD, fields, work


def note_step(made: CoreStep) -> None:
    """Record the corners of a step."""
    step = made.step
    ways = {entry[0] for entry in made.expected}
    CORNERS.hit("int32 results", "raw" in ways)
    CORNERS.hit("words to the memory", "memory" in ways)
    CORNERS.hit("results of one step to the own banks and over the bus", {"banks", "bus"} <= ways)
    if isinstance(step, Conv):
        both = made.addend is not None and {"banks", "bus"} <= ways
        CORNERS.hit("sums with another map, to the own banks and over the bus", both)
        CORNERS.hit("several filter groups", len(step.groups) > 1)
        CORNERS.hit("several tiles", len(step.groups[0]) > 1)
        if ARCH.pairs:
            note_pairs(made, step)
    if isinstance(step, Simd):
        CORNERS.hit(f"operation {step.operation.name}")


def note_pairs(made: CoreStep, step: Conv) -> None:
    """Record the corners of a step in which two filter groups may share rows."""
    pairs = [cuts for cuts, of in zip(step.groups, made.numbers, strict=True) if len(of) > 1]
    several = any(len(cuts) > 1 for cuts in pairs)
    CORNERS.hit("pairs of filter groups of several tiles", several)
    CORNERS.hit("sums of a pair", bool(pairs) and made.addend is not None)


async def load(driver: CoreDriver, made: CoreStep, gaps: Iterator[bool]) -> None:
    """Send the packets of a step."""
    await driver.load(made.tiles, gaps)
    for parameters, weights in made.taps:
        await driver.load_taps(parameters, weights, gaps)
    if made.table is not None:
        await driver.load_table(made.table, gaps)


@cocotb.test(timeout_time=20, timeout_unit="ms")
@cocotb.parametrize(seed=range(SEEDS), late=[0.0, 0.8], stall=[0.0, 0.6])
async def steps_match_golden(dut: Any, seed: int, late: float, stall: float) -> None:
    """Every result is written once, to the banks or the bus, with golden's bytes."""
    rng = np.random.default_rng(seed)
    driver = CoreDriver(dut, ARCH)
    await driver.reset()
    for number in range(STEPS):
        made = draw_core_step(rng, ARCH)
        note_step(made)
        where = f"seed {seed}, late {late}, stall {stall}, step {number}: {made.fields} {made.work}"
        for source in sources(made):
            await driver.write_maps(source.maps, source.placement, rng)
        loading = cocotb.start_soon(load(driver, made, chances(rng, late)))
        bus = Bus(driver, rng, made.output.first[0] + made.output.rows[0], stall)
        instruction = made.opcode, made.fields, made.work
        got = await run_step(driver, instruction, bus, where)
        compare(got, made.expected, where)
        await loading
        if {entry[0] for entry in made.expected} <= {"banks", "bus"}:
            # The copy is not stored: its core keeps no row.
            await check_banks(driver, made, Bus(driver, rng, ROW_LIMIT, stall), where)


@cocotb.test(skip=SMOKE)
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the steps have reached every corner; those of a smoke test are too few."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
