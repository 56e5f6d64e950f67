"""Bench of `register_file`: every slice shows what was stored in it last."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from verif.common.facts import facts_from_environment
from verif.common.parts import register_file_stem
from verif.coverage import Corners
from verif.stream import reset

FACTS = facts_from_environment()
STEM = register_file_stem(FACTS)
WIDTH, SLICES, DEPTH = FACTS.word_bits, FACTS.slices, FACTS.words
MASK = (1 << WIDTH) - 1
CORNERS = Corners(
    "the word that is written is read",
    "another word than that which is written is read",
    "nothing is written",
    "some slices are written",
    "all slices are written",
    "the last word",
)


@cocotb.test(timeout_time=100, timeout_unit="us")
@cocotb.parametrize(seed=range(3))
async def slices_hold_what_was_stored(dut: Any, seed: int) -> None:
    """A read shows each slice as it was before the clock edge; the other slices stay."""
    rng = np.random.default_rng(seed)
    stored: dict[tuple[int, int], int] = {}
    ports = {
        name: getattr(dut, f"{STEM}__{name}")
        for name in ("write_en", "write_index", "write_data", "read_index", "read_data")
    }
    await reset(dut, ports["write_en"])
    for cycle in range(60 * DEPTH):
        write, read = (int(rng.integers(DEPTH)) for _ in range(2))
        enable = int(rng.choice([0, (1 << SLICES) - 1, int(rng.integers(1 << SLICES))]))
        word = int.from_bytes(rng.bytes(WIDTH * SLICES // 8), "little")
        ports["write_en"].value, ports["write_index"].value = enable, write
        ports["write_data"].value, ports["read_index"].value = word, read
        await ReadOnly()
        shown = ports["read_data"].value
        for index in range(SLICES):
            if (read, index) not in stored:
                continue
            got = int(shown[(index + 1) * WIDTH - 1 : index * WIDTH])
            expected = stored[read, index]
            where = f"seed {seed}, cycle {cycle}, word {read}, slice {index}"
            assert got == expected, f"{where}: got {got:#x}, stored was {expected:#x}"
        cover(enable, write, read)
        await FallingEdge(dut.clk)
        for index in range(SLICES):
            if enable >> index & 1:
                stored[write, index] = word >> index * WIDTH & MASK
    assert len(stored) == DEPTH * SLICES, f"seed {seed}: a slice was never written"


def cover(enable: int, write: int, read: int) -> None:
    """Record which corners a cycle has."""
    every = enable == (1 << SLICES) - 1
    CORNERS.hit("the word that is written is read", bool(enable) and write == read)
    CORNERS.hit("another word than that which is written is read", bool(enable) and write != read)
    CORNERS.hit("nothing is written", not enable)
    CORNERS.hit("some slices are written", SLICES == 1 or (bool(enable) and not every))
    CORNERS.hit("all slices are written", every)
    CORNERS.hit("the last word", read == DEPTH - 1)


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
