"""Bench of `packer`: words and enables of random blocks, from any place of a word on."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from verif.common.packing import pack
from verif.coverage import Corners
from verif.crossbar import small_parts as parts
from verif.stream import reset

CHUNK, WORD, BITS = parts.SIZES.chunk, parts.SIZES.word, parts.SIZES.bits
CORNERS = Corners("a gap", "a short block", "a word filled exactly")


@cocotb.test(timeout_time=5, timeout_unit="ms")
@cocotb.parametrize(seed=range(4))
async def blocks_are_packed(dut: Any, seed: int) -> None:
    """Words and enables of random blocks, one clock behind the chunk that fills them."""
    port, rng = parts.ports_of(dut, "packer"), np.random.default_rng(seed)
    await reset(dut, port["valid"])
    found: list[tuple[int, int]] = []
    want: list[tuple[int, int]] = []

    async def clock() -> None:
        await ReadOnly()
        if port["word_valid"].value:
            found.append((int(port["enables"].value), int(port["word_data"].value)))
        await FallingEdge(dut.clk)
        port["valid"].value = 0

    for _ in range(30):
        at, size = int(rng.integers(0, WORD)), int(rng.integers(1, 70))
        values = rng.integers(0, 1 << BITS, size).tolist()
        CORNERS.hit("a short block", size < CHUNK)
        CORNERS.hit("a word filled exactly", (at + size) % WORD == 0)
        for first in range(-at, size, WORD):
            here = [values[k] if 0 <= k < size else 0 for k in range(first, first + WORD)]
            inside = [0 <= k < size for k in range(first, first + WORD)]
            want.append((pack(inside, bits=1), pack(here, bits=BITS)))
        done = 0
        while done < size:
            if rng.random() < 0.3:
                CORNERS.hit("a gap")
                await clock()
                continue
            count = int(rng.integers(1, min(CHUNK, size - done) + 1))
            chunk = [*values[done : done + count], *rng.integers(0, 1 << BITS, CHUNK)]
            done += count
            port["valid"].value, port["count"].value = 1, count
            port["data"].value = pack(chunk[:CHUNK], bits=BITS)
            port["last"].value, port["at"].value = int(done == size), at
            await clock()
        await clock()
        await clock()
    assert found == want, f"seed {seed}"


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the tests above have reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
