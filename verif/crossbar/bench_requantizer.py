"""Bench of `requantizer`: elements of blocks against golden, each in its clock."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly, Timer

from golden.crossbar.encoding import Ints
from golden.ops.requantize import requantize
from hwgen.chip.widths import bits_for_index
from hwgen.crossbar.rtl.requantizer import channel, limits
from verif.common.packing import pack, unpack
from verif.coverage import Corners
from verif.crossbar import small_parts as parts
from verif.stream import reset

RAW, BITS = parts.SIZES.raw, parts.SIZES.sums[0] if parts.SIZES.raw else parts.SIZES.bits
SIZES, SUM_BITS, TOP = parts.SIZES, parts.SIZES.sums[0], (1 << parts.SIZES.bits) - 1
TARGETS = SIZES.channels * SIZES.copies
MOST_BIAS = 1 << 28
LATENCY = 4
"""Clocks from the strobe to the first elements."""
CLIPPED = () if RAW else ("clipped below", "clipped above", "between the limits")
CORNERS = Corners("a short block", *CLIPPED)


class Loaded:
    """Random parameters, and what golden makes of sums with them."""

    def __init__(self, rng: np.random.Generator) -> None:
        channels = SIZES.channels
        self.multiplier = rng.choice([1 << 15, (1 << 16) - 1, 40000], channels)
        self.shift = rng.choice([1, 38, 39, 47], channels)
        self.bias = rng.integers(-MOST_BIAS, MOST_BIAS, channels)
        self.limits: dict[str, Any] = {
            "zero_point": TOP * 117 // 255,
            "low": TOP * 5 // 255,
            "high": int(rng.integers(TOP * 130 // 255, TOP + 1)),
        }

    async def load(self, dut: Any, port: dict[str, Any]) -> None:
        """Write the parameters of each channel."""
        for place in range(SIZES.channels):
            fields = {"bias": int(self.bias[place]), "multiplier": int(self.multiplier[place])}
            fields |= {"shift": int(self.shift[place])}
            port["write"].value, port["write_index"].value = 1, place
            port["write_data"].value = channel(SUM_BITS).const(fields).as_bits()
            await ReadOnly()
            assert not port["valid"].value, "elements before the first block"
            await FallingEdge(dut.clk)
        port["write"].value = 0
        port["limits"].value = limits(BITS).const(self.limits).as_bits()

    def elements(self, sums: Ints) -> list[int]:
        """Return the elements of sums in the order copy, channel."""
        place = np.arange(TARGETS) % SIZES.channels
        if RAW:
            return [int(one) % (1 << SUM_BITS) for one in sums + self.bias[place]]
        found: list[int] = requantize(
            sums + self.bias[place],
            multiplier=self.multiplier[place],
            shift=self.shift[place],
            **self.limits,
            dtype=np.uint16,
        ).tolist()
        for value in found:
            CORNERS.hit("clipped below", value == self.limits["low"])
            CORNERS.hit("clipped above", value == self.limits["high"])
            CORNERS.hit("between the limits", self.limits["low"] < value < self.limits["high"])
        return found


async def run_block(
    dut: Any, port: dict[str, Any], sums: Ints, *, size: int, half: int, idle: int
) -> list[int]:
    """Run a block of `size` sums; return its elements."""
    got: list[int] = []
    port["go"].value, port["half"].value = 1, half
    clocks = -(-size // SIZES.lanes)
    for clock in range(LATENCY + 1 + -(-TARGETS // SIZES.lanes) + idle):
        await Timer(1, unit="ns")
        bits = bits_for_index(TARGETS)
        index = unpack(int(port["read_index"].value), bits=bits, count=SIZES.lanes)
        port["sums"].value = pack([int(sums[one]) for one in index], bits=SUM_BITS)
        await ReadOnly()
        valid = bool(port["valid"].value)
        assert valid == (LATENCY <= clock < LATENCY + clocks), f"clock {clock}"
        assert not port["late"].value
        if valid:
            count = int(port["count"].value)
            word = int(port["data"].value)
            got += unpack(word, bits=BITS, count=SIZES.lanes)[:count]
            assert int(port["opens"].value) == (clock == LATENCY)
            assert int(port["last"].value) == (len(got) == size)
            assert int(port["data_half"].value) == half
        await FallingEdge(dut.clk)
        port["go"].value = 0
    return got


@cocotb.test(timeout_time=5, timeout_unit="ms")
@cocotb.parametrize(seed=range(4))
async def elements_are_goldens(dut: Any, seed: int) -> None:
    """Blocks of two images, the last one of each short, sums at the ends of their range."""
    port, rng = parts.ports_of(dut, "requantizer"), np.random.default_rng(seed)
    await reset(dut, port["go"], port["write"])
    loaded = Loaded(rng)
    await loaded.load(dut, port)
    last = SIZES.channels * int(rng.integers(1, SIZES.copies + 1))
    port["blocks"].value, port["last_sums"].value = 3, last
    for block in range(6):
        sums = rng.integers(-(1 << 30), 1 << 30, TARGETS)
        sums[:2] = [-(1 << 31) + MOST_BIAS, (1 << 31) - 1 - MOST_BIAS]
        size = last if block % 3 == 2 else TARGETS
        CORNERS.hit("a short block", size < TARGETS)
        idle = int(rng.integers(0, 4))
        got = await run_block(dut, port, sums, size=size, half=block % 2, idle=idle)
        assert got == loaded.elements(sums)[:size], f"seed {seed}, block {block}"


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the tests above have reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
