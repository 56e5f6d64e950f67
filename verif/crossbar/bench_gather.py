"""Bench of `gather`: parts of blocks that other macros send, header right behind the last flit."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from hwgen.crossbar.rtl.gather import source
from hwgen.crossbar.rtl.layouts import flit, header
from hwgen.crossbar.rtl.results import gathered, result_index_bits
from verif.common.packing import pack
from verif.coverage import Corners
from verif.crossbar import small_parts as parts
from verif.stream import reset

CHIP = parts.case()
LINK, HEADER = flit(CHIP), header(CHIP)
FLIT, WORD = CHIP.flit_elements, CHIP.word_elements
BITS, TOP = CHIP.activation_bits, (1 << CHIP.activation_bits) - 1
PARTS, SENT = parts.SIZES.gathered, len(parts.SIZES.gathered) - 1
SIZE, LAST = sum(PARTS), sum(parts.SIZES.gathered_last)
OUT = gathered(result_index_bits(SIZE, WORD), WORD, CHIP.activation_bits)
CORNERS = Corners(
    "a gap",
    "no packet",
    *(f"{over} elements in another word, header next" for over in range(1, FLIT - 1)),
)


class Bench:
    """Drives the link; keeps what is written of the block."""

    def __init__(self, dut: Any, seed: int) -> None:
        self.dut, self.port = dut, parts.ports_of(dut, "gather")
        self.rng = np.random.default_rng(seed)
        self.memory: dict[tuple[int, int], int] = {}

    async def begin(self) -> None:
        """Reset, and connect the constants."""
        port = self.port
        await reset(self.dut, port["go"], port["link"])
        shape = source(SIZE)
        port["sources"].value = sum(
            shape.const({"travel": 5 + k, "before": sum(PARTS[:k])}).as_bits() << k * shape.size
            for k in range(SENT)
        )
        port["blocks"].value, port["size"].value, port["last_size"].value = 3, SIZE, LAST

    async def clock(self, link: dict[str, int] | None = None) -> None:
        """One clock, with garbage on an idle link."""
        garbage = {"data": int(self.rng.integers(0, 1 << 60))}
        self.port["link"].value = LINK.const(link or garbage).as_bits()
        await ReadOnly()
        out = OUT.from_bits(int(self.port["gathered"].value))
        for k in range(WORD if out.valid else 0):
            if int(out.enables) >> k & 1:
                self.memory[int(out.half), int(out.index) * WORD + k] = (
                    int(out.data) >> BITS * k & TOP
                )
        await FallingEdge(self.dut.clk)
        self.port["go"].value = 0

    async def send(self, part: int, values: list[int]) -> None:
        """Send a packet, the header now and then behind a gap."""
        if self.rng.random() < 0.2:
            CORNERS.hit("a gap")
            await self.clock()
        head = HEADER.const({"travel": 5 + part, "count": len(values)}).as_bits()
        await self.clock({"valid": 1, "head": 1, "data": head})
        for at in range(0, len(values), FLIT):
            data = pack([*values[at : at + FLIT], *[TOP] * FLIT][:FLIT], bits=BITS)
            await self.clock({"valid": 1, "head": 0, "data": data})


@cocotb.test(timeout_time=5, timeout_unit="ms")
@cocotb.parametrize(seed=range(3))
async def blocks_are_gathered(dut: Any, seed: int) -> None:
    """Each element lies where its block begins in a word, behind those of the parts before it."""
    bench, begin = Bench(dut, seed), 0
    await bench.begin()
    for block in range(60):
        counts = PARTS if block % 3 < 2 else parts.SIZES.gathered_last
        values = bench.rng.integers(0, TOP + 1, SIZE).tolist()
        bench.memory.clear()
        bench.port["go"].value, bench.port["half"].value = 1, block % 2
        await bench.clock()
        want: dict[tuple[int, int], int] = {}
        for part, count in enumerate(counts[:SENT]):
            first = sum(PARTS[:part])
            own = values[first : first + count]
            want |= {(block % 2, begin + first + k): value for k, value in enumerate(own)}
            if count:
                await bench.send(part, own)
            CORNERS.hit("no packet", count == 0)
            over, last = (begin + first + count) % WORD, (count - 1) % FLIT + 1
            if count and part + 1 < SENT and counts[part + 1] and 0 < over < last:
                CORNERS.hit(f"{over} elements in another word, header next")
        for _ in range(4):
            await bench.clock()
        assert bench.memory == want, f"seed {seed}, block {block}"
        begin = (begin + sum(counts)) % WORD


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the tests above have reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
