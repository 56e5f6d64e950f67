"""Bench of `array`: sums of overlapping blocks against golden, and the sum at every ADC."""

from collections.abc import Iterator
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly, Timer

from golden.crossbar.encoding import Cells, Ints
from hwgen.chip.widths import bits_for_index
from verif.common.packing import pack, unpack, unpack_signed
from verif.coverage import Corners
from verif.crossbar.array_case import case_from_environment
from verif.reference.crossbar.bank import column_sums
from verif.stream import reset

CASE = case_from_environment()
SIZES, READS = CASE.sizes, CASE.reads
FULL = max(CASE.rows_of(one.section, one.row_tile) for one in CASE.columns) == CASE.side
"""Whether a unit uses all rows, so that a column may reach the end of the range of an ADC."""
KINDS = ("random", "greatest", "least", "half", "other half", "alternating")
UNEVEN = len(CASE.columns) % SIZES.lanes > 0
"""Whether lanes of the last slot have no column."""
CORNERS = Corners(
    "flipped column",
    "fullest code",
    "least sum",
    "greatest sum",
    "idle clocks",
    *(["lane without a column"] if UNEVEN else []),
)
STROBES = ("multiply", "convert", "add", "cell_write", "row_write", "sum_write", "lane_write")


def port(dut: Any, name: str) -> Any:
    """Return a port of the array."""
    return getattr(dut, f"array_{CASE.array().size_suffix}__{name}", None) or getattr(dut, name)


class Bench:
    """An array, its ADCs played by the bench, and a driver for each of its sides."""

    def __init__(self, dut: Any, seed: int, *, adc_bits: int) -> None:
        self.dut, self.adc_bits = dut, adc_bits
        self.rng = np.random.default_rng(seed)
        self.ports = {name: port(dut, name) for name in CASE.array().signature.members}
        self.asked = 0

    def set(self, **values: int) -> None:
        """Drive ports."""
        for name, value in values.items():
            self.ports[name].value = value

    def strobe(self, name: str, block: int, bit: int) -> None:
        """Begin an operation, if it has a strobe."""
        if name in ("multiply", "convert", "add"):
            self.set(**{name: 1})
        if name in ("multiply", "convert"):
            self.set(**{f"{name}_bit": bit})
        if name in ("convert", "add"):
            self.set(**{f"{name}_half": block % 2})

    async def clock(self) -> None:
        """One clock: ADCs answer what the bank gives."""
        await Timer(1, unit="ns")
        if self.ports["converting"].value:
            sums = unpack_or_garbage(self.ports["analog"], SIZES.analog_bits, SIZES.lanes)
            most = (1 << self.adc_bits) - 1
            self.set(codes=pack([min(each, most) for each in sums], bits=SIZES.adc_bits))
            self.seen.append(sums)
        await ReadOnly()
        assert not self.ports["late"].value
        await FallingEdge(self.dut.clk)
        self.set(**dict.fromkeys(STROBES, 0))

    seen: list[list[int]]

    async def load(self, cells: dict[tuple[int, int], Cells]) -> None:
        """Write the cells of all columns, and what lanes know of them."""
        self.seen = []
        await reset(self.dut, *(self.ports[name] for name in STROBES))
        last = (SIZES.columns - 1) % SIZES.lanes
        self.set(last_lanes=(2 << last) - 1)
        await self.load_garbage(range(last + 1, SIZES.lanes))
        for index, column in enumerate(CASE.columns):
            stored = cells[column.section, column.row_tile]
            place = column.channel - CASE.cut.first_channel(column.section)
            of_column = stored.cells[column.cell_slice, :, place]
            word = 0
            for plane in range(SIZES.cell_bits):
                bits = pack((of_column >> plane & 1).tolist(), bits=1)
                word |= bits << (plane * SIZES.side)
            flip = int(stored.flips[column.cell_slice, place])
            CORNERS.hit("flipped column", flip == 1)
            fields = {
                "flip": flip,
                "first": int(column.first),
                "cell_slice": column.cell_slice,
                "unit": column.unit,
                "target": column.target,
            }
            self.set(column=SIZES.column.const(fields).as_bits(), cell_column=index)
            self.set(lane_slot=index // SIZES.lanes, lane_write=1 << (index % SIZES.lanes))
            for part in range(SIZES.column_parts):
                data = word >> (part * SIZES.part_bits) & ((1 << SIZES.part_bits) - 1)
                self.set(cell_write=1, cell_part=part, cell_data=data)
                await self.clock()

    async def load_garbage(self, lanes: range) -> None:
        """Leave a column in the last slot of lanes that have none, with the target of another."""
        index = len(CASE.columns) - 1
        fields = {"flip": 1, "first": 1, "target": CASE.columns[index].target}
        self.set(column=SIZES.column.const(fields).as_bits(), lane_slot=index // SIZES.lanes)
        for lane in lanes:
            CORNERS.hit("lane without a column")
            self.set(lane_write=1 << lane)
            await self.clock()

    def writes(self, inputs: dict[tuple[int, int, int], Ints], half: int) -> Iterator[None]:
        """Drive a write of rows a clock, then the sums of units."""
        most = min(SIZES.row_elements, SIZES.side)
        for unit, values in enumerate(inputs.values()):
            first = 0
            while first < len(values):
                count = int(self.rng.integers(1, min(most, len(values) - first) + 1))
                data = pack(values[first : first + count].tolist(), bits=SIZES.input_bits)
                self.set(row_write=1, row_unit=unit, row_first=first, row_count=count)
                self.set(row_data=data)
                first += count
                if first == len(values):
                    self.set(sum_write=1, sum_unit=unit, sum_half=half)
                    self.set(sum_data=int(values.sum()))
                yield

    async def read_sums(self, half: int) -> list[int]:
        """Return the sums of all targets."""
        found: list[int] = []
        for first in range(0, SIZES.targets, READS):
            places = [min(first + k, SIZES.targets - 1) for k in range(READS)]
            index = pack(places, bits=bits_for_index(SIZES.targets))
            self.set(read_index=index, read_half=half)
            await Timer(1, unit="ns")
            word = int(self.ports["read_data"].value)
            found += unpack_signed(word, bits=SIZES.sum_bits, count=READS)
            await self.clock()
        return found[: SIZES.targets]


def unpack_or_garbage(signal: Any, bits: int, count: int) -> list[int]:
    """Return unsigned fields; 0 where a simulator of four states knows no value."""
    text = str(signal.value)
    word = int("".join(char if char in "01" else "0" for char in text), 2)
    return unpack(word, bits=bits, count=count)


def step_clocks(idle: int) -> int:
    """Return clocks in which every operation of a step is through, and some idle ones."""
    convert = -(-SIZES.slots * SIZES.rate.denominator // SIZES.rate.numerator)
    slots = SIZES.slots if SIZES.rate >= 1 else convert
    return max(slots + 3, SIZES.units * SIZES.side + 2) + idle


def plan(blocks: int) -> dict[int, list[tuple[str, int, int]]]:
    """Return what begins in each step: name, block, bit step."""
    bits = SIZES.bit_steps
    pending: dict[int, list[tuple[str, int, int]]] = {}
    for block in range(blocks):
        start = block * max(2, bits)
        begins = [(start, "load", 0), (start + 2 + bits, "add", 0), (start + 3 + bits, "read", 0)]
        begins += [(start + 1 + bit, "multiply", bit) for bit in range(bits)]
        begins += [(start + 2 + bit, "convert", bit) for bit in range(bits)]
        for step, name, bit in begins:
            pending.setdefault(step, []).append((name, block, bit))
    return pending


async def run_blocks(bench: Bench, kinds: list[str], cells: dict[tuple[int, int], Cells]) -> bool:
    """Run blocks, each loaded while the one before is converted; return whether all are right."""
    right, pending = True, plan(len(kinds))
    inputs = [CASE.inputs(bench.rng, kind) for kind in kinds]
    for step in range(max(pending) + 1):
        idle = int(bench.rng.integers(0, 4))
        CORNERS.hit("idle clocks", idle > 0)
        todo = pending.get(step, [])
        writes: Iterator[None] = iter(())
        for name, block, bit in todo:
            bench.strobe(name, block, bit)
            if name == "load":
                writes = bench.writes(inputs[block], block % 2)
        reads = [block for name, block, _ in todo if name == "read"]
        for block in reads:
            right &= await check_sums(bench, block, cells, inputs[block])
        for clock in range(len(reads) * -(-SIZES.targets // READS), step_clocks(idle)):
            if clock:
                next(writes, None)
            await bench.clock()
    return right


async def check_sums(
    bench: Bench,
    block: int,
    cells: dict[tuple[int, int], Cells],
    inputs: dict[tuple[int, int, int], Ints],
) -> bool:
    """Return whether the sums of a block are those of golden."""
    expected = CASE.expected(cells, inputs, adc_bits=bench.adc_bits)
    CORNERS.hit("least sum", min(expected) < 0)
    CORNERS.hit("greatest sum", max(expected) > 0)
    return await bench.read_sums(block % 2) == expected


@cocotb.test(timeout_time=50, timeout_unit="ms")
@cocotb.parametrize(seed=[0, 1], weights=["extremes", "random"])
async def sums_are_goldens(dut: Any, seed: int, weights: str) -> None:
    """All sums of all blocks, at the extremes of weights and inputs; no code above the range."""
    bench = Bench(dut, seed, adc_bits=SIZES.adc_bits)
    tiles = CASE.weights(bench.rng, weights)
    cells = CASE.cells(tiles)
    await bench.load(cells)
    kinds = list(KINDS) if seed == 0 else bench.rng.choice(KINDS, 4).tolist()
    assert await run_blocks(bench, kinds, cells), f"seed {seed}, {weights} weights, {kinds}"
    lanes = [each for sums in bench.seen for each in sums]
    assert max(lanes) <= SIZES.most_sum, "a sum above the range of the ADCs"
    CORNERS.hit("fullest code", max(lanes) >= 1 << (SIZES.adc_bits - 1) or not FULL)


@cocotb.test(timeout_time=50, timeout_unit="ms", skip=not FULL)
async def one_bit_less_is_wrong(dut: Any) -> None:
    """At the extremes an ADC with one bit less loses something, and golden says what."""
    bench = Bench(dut, 3, adc_bits=SIZES.adc_bits - 1)
    cells = CASE.cells(CASE.weights(bench.rng, "extremes"))
    await bench.load(cells)
    assert await run_blocks(bench, ["greatest", "half"], cells), "golden knows the loss"
    inputs = CASE.inputs(bench.rng, "greatest")
    less = CASE.expected(cells, inputs, adc_bits=SIZES.adc_bits - 1)
    assert less != CASE.expected(cells, inputs, adc_bits=SIZES.adc_bits), "nothing is lost"


@cocotb.test(timeout_time=50, timeout_unit="ms")
async def columns_are_goldens(dut: Any) -> None:
    """What each ADC is given in each bit step is the sum of its column."""
    bench = Bench(dut, 4, adc_bits=SIZES.adc_bits)
    cells = CASE.cells(CASE.weights(bench.rng, "random"))
    await bench.load(cells)
    state = bench.rng.bit_generator.state
    await run_blocks(bench, ["random"], cells)
    bench.rng.bit_generator.state = state
    inputs = CASE.inputs(bench.rng, "random")
    sums = {
        place: column_sums(
            cells[place[1:]], values, input_bits=SIZES.input_bits, dac_bits=SIZES.dac_bits
        )
        for place, values in inputs.items()
    }
    for index, column in enumerate(CASE.columns):
        of_unit = sums[column.copy, column.section, column.row_tile]
        place = column.channel - CASE.cut.first_channel(column.section)
        slot, lane = divmod(index, SIZES.lanes)
        for bit in range(SIZES.bit_steps):
            got = bench.seen[bit * SIZES.slots + slot][lane]
            want = int(of_unit[bit, column.cell_slice, place])
            assert got == want, f"column {index}, bit step {bit}: {got}, not {want}"


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the blocks above have reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
