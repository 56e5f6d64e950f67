"""Bench of a bank with noise of reads: each sum, to the last of its bits, in plain numbers."""

from fractions import Fraction
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from hwgen.crossbar.facts.levels import planes_of
from hwgen.crossbar.rtl.sizes import ArraySizes
from verif.common.packing import pack

SIZES = ArraySizes(
    side=16,
    cell_bits=2,
    dac_bits=2,
    adc_bits=8,
    weight_bits=8,
    input_bits=8,
    units=2,
    columns=5,
    adcs=2,
    rate=Fraction(1),
    targets=3,
    sum_bits=24,
    part_bits=64,
    row_elements=4,
    effects=True,
    noisy_reads=1000,
)
WORD = 0xFFFFFFFF


def mix(x: int) -> int:
    """The hash of docs/device-effects.md."""
    x = ((x ^ (x >> 16)) * 0x7FEB352D) & WORD
    x = ((x ^ (x >> 15)) * 0x846CA68B) & WORD
    return x ^ (x >> 16)


def noise(key: int, gain: int, read: int) -> int:
    """The noise of docs/device-effects.md."""
    one = mix((key + read * 0x9E3779B9) & WORD)
    total = sum(one.to_bytes(4, "little")) + sum(mix(one ^ key).to_bytes(4, "little"))
    return (gain * (total - 1020) + 32768) // 65536


class Bench:
    """A bank whose inputs and cells are drawn."""

    def __init__(self, dut: Any) -> None:
        self.dut, self.rng = dut, np.random.default_rng(7)
        sizes = SIZES
        self.levels = self.rng.integers(0, 1 << sizes.planes, (sizes.columns, sizes.side))
        self.units = self.rng.integers(0, sizes.units, sizes.columns)
        self.inputs = self.rng.integers(0, 1 << sizes.input_bits, (sizes.units, sizes.side))
        self.keys = [0, WORD, *map(int, self.rng.integers(0, WORD, sizes.columns - 2))]
        self.gains = [0, 100_000, 1, *map(int, self.rng.integers(0, 100_000, sizes.columns - 3))]
        self.offsets = [-32_768, 32_767, *map(int, self.rng.integers(-99, 99, sizes.columns - 2))]

    async def clock(self, **values: int) -> None:
        """Drive ports for a clock."""
        for name, value in values.items():
            getattr(self.dut, name).value = value
        await FallingEdge(self.dut.clk)
        for name in values:
            getattr(self.dut, name).value = 0

    async def load(self) -> None:
        """Write cells, noise and converters of all columns, and the inputs of all units."""
        planes, bits = planes_of(SIZES.cell_bits, effects=True), SIZES.part_bits
        for column in range(SIZES.columns):
            word = 0
            for plane in range(planes):
                held = pack((self.levels[column] >> plane & 1).tolist(), bits=1)
                word |= held << (plane * SIZES.side)
            parts = [
                word >> (part * bits) & ((1 << bits) - 1) for part in range(-(-planes * 16 // 64))
            ]
            parts += [self.keys[column] | self.gains[column] << 32, self.offsets[column] & 0xFFFF]
            assert len(parts) == SIZES.all_parts
            for part, data in enumerate(parts):
                unit = int(self.units[column])
                await self.clock(
                    cell_write=1, cell_column=column, cell_part=part, cell_data=data, cell_unit=unit
                )
            assert self.dut.measured.value.to_signed() == self.offsets[column], "noise is measured"
        for unit in range(SIZES.units):
            for first in range(0, SIZES.side, 4):
                data = pack(self.inputs[unit, first : first + 4].tolist(), bits=SIZES.input_bits)
                await self.clock(
                    row_write=1, row_unit=unit, row_first=first, row_count=4, row_data=data
                )

    async def sums(self, bit: int, read: int) -> list[int]:
        """Return the sums of all columns in a bit step, with idle clocks between."""
        await self.clock(feed=1, feed_bit=bit)
        await self.clock(hold=1)
        found: list[int] = []
        for slot in range(SIZES.slots):
            for _ in range(int(self.rng.integers(0, 3))):
                await self.clock()
            await self.clock(ask=1, slot=slot, read=read)
            await ReadOnly()
            word = int(self.dut.sums.value)
            for lane in range(SIZES.lanes):
                value = word >> (lane * SIZES.analog_bits) & ((1 << SIZES.analog_bits) - 1)
                found.append(value - (value >> (SIZES.analog_bits - 1) << SIZES.analog_bits))
            await FallingEdge(self.dut.clk)
        return found


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def sums_have_the_noise_of_their_read(dut: Any) -> None:
    """Any order of reads, the first and the last, keys and gains at their extremes."""
    bench = Bench(dut)
    await FallingEdge(dut.clk)
    await bench.load()
    reads = [0, 999, 1, 1, *map(int, bench.rng.integers(0, 1000, 60))]
    for number, read in enumerate(reads):
        bit = number % SIZES.bit_steps
        found = await bench.sums(bit, read)
        for column in range(SIZES.columns):
            digits = bench.inputs[bench.units[column]] >> (2 * bit) & 3
            wanted = int(digits @ bench.levels[column]) + bench.offsets[column]
            wanted += noise(bench.keys[column], bench.gains[column], read)
            assert found[column] == wanted, f"column {column}, read {read}"
        assert found[SIZES.columns :] == [0] * (SIZES.slots * SIZES.lanes - SIZES.columns)
