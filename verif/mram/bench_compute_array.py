"""Bench of `compute_array`: loads against integer products, sums and carries of three rows."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from hwgen.mram.facts.timing import ACCUMULATE_CYCLES, SENSE_CYCLES
from verif.common.packing import pack, unpack_signed
from verif.coverage import Corners
from verif.mram.and_order import and_order, rows_of
from verif.mram.component import arch_from_environment
from verif.reference.mram.bit_convolution import bit_convolution, from_planes
from verif.reference.mram.sense_amplifier import ADDITION, Bits
from verif.reference.mram.sub_array import sub_array
from verif.stream import reset

ARCH = arch_from_environment()
SEGMENTS, WIDTH = ARCH.segments, ARCH.segment_columns
ALL_SEGMENTS = (1 << SEGMENTS) - 1
COMMANDS: tuple[str, ...] = ("write_en", "and_en", "xor_en", "write_sum", "write_carry")
COMMANDS += ("capture",) if ARCH.overlap else ()
CORNERS = Corners("two row sets", "chain", "idle accumulator", "largest sum", "smallest sum")


class Driver:
    """The ports of the part, one command in each cycle."""

    def __init__(self, dut: Any) -> None:
        self._dut = dut

    def port(self, name: str) -> Any:
        """Return a port of the part."""
        return getattr(self._dut, f"compute_array__{name}")

    async def start(self) -> None:
        """Reset with idle inputs."""
        await reset(self._dut, *(self.port(name) for name in COMMANDS))

    async def command(self, name: str, **inputs: int) -> None:
        """Give one command for one cycle."""
        for key, value in inputs.items():
            self.port(key).value = value
        self.port(name).value = 1
        await FallingEdge(self._dut.clk)
        self.port(name).value = 0

    async def write(self, row: int, bits: Bits) -> None:
        """Write a row."""
        await self.command("write_en", write_row=row, write_data=pack(bits, bits=1))

    async def sums(self) -> list[int]:
        """Return all accumulators, after the latency of an AND given in the cycle before."""
        if ARCH.overlap:
            await self.command("capture")
        for _ in range(SENSE_CYCLES + ACCUMULATE_CYCLES - 1):
            await FallingEdge(self._dut.clk)
        found = []
        for segment in range(SEGMENTS):
            self.port("segment").value = segment
            await ReadOnly()
            word = int(self.port("sum").value)
            found += unpack_signed(word, bits=ARCH.accumulator_bits, count=1)
            await FallingEdge(self._dut.clk)
        return found


def chains(rng: np.random.Generator) -> tuple[list[int], list[int]]:
    """Return random joins, and the ends of the chains, of which some do not work."""
    join = rng.integers(0, 2, SEGMENTS)
    join[-1] = 0
    return join.tolist(), ((1 - join) & (rng.random(SEGMENTS) < 0.8)).tolist()


@cocotb.test(timeout_time=2, timeout_unit="ms")
@cocotb.parametrize(seed=range(8))
async def loads_are_integer_products(dut: Any, seed: int) -> None:
    """After the ANDs of a load each working accumulator has the sum of integer products."""
    rng, driver = np.random.default_rng(seed), Driver(dut)
    row_sets = 1 + seed % 2
    planes = int(rng.integers(1, 6)), int(rng.integers(1, ARCH.input_rows // row_sets + 1))
    fields = {"weight_row_0": 0, "weight_row_1": planes[0], "input_planes": planes[1]}
    columns = ARCH.array.columns
    weights = rng.integers(0, 2, (row_sets, planes[0], columns)).astype(np.uint8)
    inputs = rng.integers(0, 2, (row_sets, planes[1], columns)).astype(np.uint8)
    if seed >= 6:
        inputs[:], weights[:, :-1], weights[:, -1] = 1, 7 - seed, seed - 6
    await driver.start()
    for row_set in range(row_sets):
        for n, bits in enumerate(weights[row_set]):
            await driver.write(row_set * planes[0] + n, bits)
        for m, bits in enumerate(inputs[row_set]):
            await driver.write(ARCH.weight_rows + row_set * planes[1] + m, bits)
    join, accumulate = chains(rng)
    active = rng.integers(0, 2, (row_sets, SEGMENTS))
    active[0, 0] = 1
    driver.port("joins").value, driver.port("accumulate").value = 0, ALL_SEGMENTS
    await driver.command("and_en", row_0=0, row_1=0, active=ALL_SEGMENTS, first=1, subtract=0)
    await driver.sums()
    driver.port("joins").value = pack(join, bits=1)
    driver.port("accumulate").value = pack(accumulate, bits=1)
    before = await driver.sums()
    order = and_order(weight_planes=planes[0], input_planes=planes[1], row_sets=row_sets)
    for step in order:
        row_0, row_1 = rows_of(step, fields, ARCH.weight_rows)
        await driver.command(
            "and_en",
            row_0=row_0,
            row_1=row_1,
            active=pack(active[step.row_set], bits=1),
            first=step.first,
            double=step.double,
            subtract=step.subtract,
        )
    used = SEGMENTS * WIDTH
    golden = bit_convolution(
        np.array([from_planes(bits[:, :used], signed=True) for bits in weights]),
        np.array([from_planes(bits[:, :used], signed=False) for bits in inputs]),
        active=active,
        join=join,
        accumulate=accumulate,
        segment_columns=WIDTH,
    )
    want = [old if new is None else new for new, old in zip(golden, before, strict=True)]
    got = await driver.sums()
    assert got == want, f"seed {seed}: got {got}, golden says {want}"
    CORNERS.hit("two row sets", row_sets == 2)
    CORNERS.hit("chain", any(join) or SEGMENTS == 1)
    CORNERS.hit("idle accumulator", None in golden or SEGMENTS == 1)
    CORNERS.hit("smallest sum", seed == 7)
    CORNERS.hit("largest sum", seed == 6)


@cocotb.test(timeout_time=2, timeout_unit="ms")
@cocotb.parametrize(seed=range(3))
async def sum_and_carry_are_written_back(dut: Any, seed: int) -> None:
    """The latches hold sum and carry of three rows, and write them to any row, once each."""
    rng, driver = np.random.default_rng(seed), Driver(dut)
    rows, columns = ARCH.array.rows, ARCH.array.columns
    cells = rng.integers(0, 2, (rows, columns)).astype(np.uint8)
    await driver.start()
    for row, bits in enumerate(cells):
        await driver.write(row, bits)
    driver.port("joins").value = 0
    driver.port("accumulate").value = ALL_SEGMENTS
    for _ in range(10):
        a, b, c, into_sum, into_carry = rng.permutation(rows)[:5].tolist()
        golden = sub_array(cells, [a, b, c], ADDITION)
        await driver.command("xor_en", row_0=a, row_1=b, row_2=c)
        await driver.command("write_sum", write_row=into_sum, row_0=b)
        await driver.command("write_carry", write_row=into_carry)
        cells[into_sum], cells[into_carry] = golden
        for row in (into_sum, into_carry):
            mask = int(rng.integers(rows))
            await driver.command(
                "and_en", row_0=row, row_1=mask, active=ALL_SEGMENTS, first=1, subtract=0
            )
            ones = (cells[row] & cells[mask])[: SEGMENTS * WIDTH].reshape(SEGMENTS, WIDTH)
            got, want = await driver.sums(), ones.sum(axis=1).tolist()
            assert got == want, f"seed {seed}, row {row}: got {got}, golden says {want}"


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
