"""Bench of `block_reader`: the elements of each block in their order, from any place of a ring."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly, Timer

from verif.common.packing import pack, unpack
from verif.coverage import Corners
from verif.crossbar import small_parts as parts
from verif.stream import reset

SIZES, WORD, BITS = parts.SIZES, parts.SIZES.word, parts.SIZES.bits
GARBAGE = WORD * BITS // 8
"""Bytes of a word that nobody has asked for."""
CORNERS = Corners(
    "a block behind the other without a gap",
    "a block in two words",
    "a read is late",
    "a short last block",
    "the ring wraps",
)


class Ring:
    """Where blocks lie behind each other; the newest are there."""

    def __init__(self, rng: np.random.Generator, least: int) -> None:
        words = int(rng.integers(-(-least // WORD), SIZES.block_words + 1))
        self.first = int(rng.integers(0, SIZES.block_words - words + 1))
        self.last = self.first + words - 1
        self.content, self.filled = [0] * (words * WORD), 0

    def append(self, values: list[int]) -> None:
        """Write a block behind the one before."""
        begin, size = self.filled % len(self.content), len(self.content)
        CORNERS.hit("the ring wraps", begin + len(values) > size)
        CORNERS.hit("a block in two words", begin % WORD + len(values) > WORD)
        for value in values:
            self.content[self.filled % size] = value
            self.filled += 1

    def word(self, index: int) -> int:
        """Return a word of the scratchpad."""
        assert self.first <= index <= self.last, f"word {index} is not of the ring"
        place = (index - self.first) * WORD
        return pack(self.content[place : place + WORD], bits=BITS)


class Bench:
    """A reader and the scratchpad in front of it."""

    def __init__(self, dut: Any, seed: int) -> None:
        self.dut, self.rng = dut, np.random.default_rng(seed)
        self.port = parts.ports_of(dut, "block_reader")
        self.read: int | None = None
        self.whole = 0

    async def clock(self, ring: Ring) -> bool:
        """One clock; return whether the reader still asks behind it."""
        port = self.port
        garbage = int.from_bytes(self.rng.bytes(GARBAGE), "little")
        port["read_data"].value = garbage if self.read is None else ring.word(self.read)
        await Timer(1, unit="ns")
        wants = bool(port["want"].value)
        granted = wants and self.rng.random() < 0.7
        CORNERS.hit("a read is late", wants and not granted)
        port["granted"].value = int(granted)
        await ReadOnly()
        assert not port["late"].value
        self.read = int(port["word"].value) if granted else None
        self.whole += int(port["whole"].value)
        await FallingEdge(self.dut.clk)
        port["go"].value = 0
        port["granted"].value = 0
        await Timer(1, unit="ns")
        return bool(port["want"].value)

    async def begin(self, ring: Ring, values: list[int], half: int) -> None:
        """Read a block until the last word is asked for."""
        ring.append(values)
        self.port["go"].value, self.port["half"].value = 1, half
        await self.clock(ring)
        assert int(self.port["count"].value) == len(values)
        while await self.clock(ring):
            pass

    async def kept(self, count: int, half: int) -> list[int]:
        """Return the elements of a block that is kept."""
        found: list[int] = []
        self.port["kept_half"].value = half
        for index in range(-(-count // WORD)):
            self.port["kept_index"].value = index
            await Timer(1, unit="ns")
            found += unpack(int(self.port["kept"].value), bits=BITS, count=WORD)
            await FallingEdge(self.dut.clk)
        return found[:count]


@cocotb.test(timeout_time=5, timeout_unit="ms")
@cocotb.parametrize(seed=range(16))
async def blocks_are_kept(dut: Any, seed: int) -> None:
    """Two blocks, the second now and then right behind the first, then both are looked at."""
    bench = Bench(dut, seed)
    rng, port = bench.rng, bench.port
    await reset(dut, port["go"], port["granted"])
    size = int(rng.integers(1, min(SIZES.block, (SIZES.block_words // 2) * WORD or WORD) + 1))
    last, blocks = int(rng.integers(1, size + 1)), int(rng.integers(1, 5))
    ring = Ring(rng, 2 * size if SIZES.block_words > 1 else size)
    shape = parts.PARTS["block_reader"].signature.members["ring"].shape
    port["ring"].value = shape.const({"first": ring.first, "last": ring.last}).as_bits()
    port["blocks"].value, port["elements"].value, port["last"].value = blocks, size, last
    CORNERS.hit("a short last block", last < size)
    for pair in range(12):
        both = []
        for half in range(2):
            count = last if (2 * pair + half) % blocks == blocks - 1 else size
            both.append(rng.integers(0, 1 << BITS, count).tolist())
            await bench.begin(ring, both[half], half)
            gap = int(rng.integers(0, 4))
            CORNERS.hit("a block behind the other without a gap", half == 0 and gap == 0)
            for _ in range(gap):
                await bench.clock(ring)
        for _ in range(4):
            await bench.clock(ring)
        assert bench.whole == 2 * pair + 2, f"seed {seed}, pair {pair}: {bench.whole} are whole"
        for half, values in enumerate(both):
            assert await bench.kept(len(values), half) == values, f"seed {seed}, pair {pair}"


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the blocks above have reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
