"""Bench of `sense_amplifier`: every combination of references x ones of a column."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from verif.common.packing import pack
from verif.coverage import Corners
from verif.mram.component import arch_from_environment
from verif.reference.mram.sense_amplifier import ADDITION, sense_amplifier

COLUMNS = arch_from_environment().array.columns
REFERENCES = ("read", "and2", "or3", "maj", "and3")
CORNERS = Corners(*(f"{ones} ones" for ones in range(4)))


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(seed=range(2))
async def columns_match_golden(dut: Any, seed: int) -> None:
    """Sense and carry of every column are golden's, for all 32 combinations of references."""
    rng = np.random.default_rng(seed)
    for number in range(1 << len(REFERENCES)):
        used = {name for place, name in enumerate(REFERENCES) if number >> place & 1}
        rows = rng.integers(0, 2, (3, COLUMNS))
        rows[rng.integers(1, 4) :] = 0
        for place, row in enumerate(rows):
            getattr(dut, f"sense_amplifier__data_{place}").value = pack(row, bits=1)
        for name in REFERENCES:
            getattr(dut, f"sense_amplifier__{name}").value = name in used
        await ReadOnly()
        got = int(dut.sense_amplifier__sense.value), int(dut.sense_amplifier__carry.value)
        want = tuple(pack(bits, bits=1) for bits in sense_amplifier(rows, used))
        assert got == want, f"seed {seed}, {used}: got {got}, golden says {want}"
        for ones in range(4):
            CORNERS.hit(f"{ones} ones", ones in rows.sum(axis=0))
        await FallingEdge(dut.clk)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def three_references_add_three_bits(dut: Any) -> None:
    """With C_OR3, C_MAJ and C_AND3, sense is the sum and carry the carry of each column."""
    for name in REFERENCES:
        getattr(dut, f"sense_amplifier__{name}").value = name in ADDITION
    for ones in range(8):
        for place in range(3):
            word = (1 << COLUMNS) - 1 if ones >> place & 1 else 0
            getattr(dut, f"sense_amplifier__data_{place}").value = word
        await ReadOnly()
        total = ones.bit_count()
        got = int(dut.sense_amplifier__sense.value) & 1, int(dut.sense_amplifier__carry.value) & 1
        assert got == (total & 1, total >> 1), f"{ones:03b}: got sum and carry {got}"
        await FallingEdge(dut.clk)


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
