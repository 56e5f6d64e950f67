"""Bench of `compartment`: random cells x both input bits x every row."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from golden.dbpim.compartment import compartment
from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment, pack, unpack
from verif.stream import reset

MACRO = arch_from_environment().macro
CORNERS = Corners("all cells set", "no cell set", "input bit 0", "input bit 1", "computes next row")


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(seed=range(4))
async def products_match_golden(dut: Any, seed: int) -> None:
    """Write all rows, then compute with random rows and bits, a new pair in every cycle."""
    rng = np.random.default_rng(seed)
    cells = rng.integers(0, 2, (MACRO.rows, MACRO.columns), np.uint8)
    cells[0], cells[1] = seed % 2, 1 - seed % 2
    await reset(dut, dut.compartment__write_en)
    for row, bits in enumerate(cells):
        dut.compartment__write_en.value = 1
        dut.compartment__row.value = row
        dut.compartment__write_data.value = pack(bits, bits=1)
        await FallingEdge(dut.clk)
    dut.compartment__write_en.value = 0
    before = 0
    for _ in range(10 * MACRO.rows):
        row, x = int(rng.integers(MACRO.rows)), int(rng.integers(2))
        dut.compartment__row.value, dut.compartment__x.value = row, x
        await ReadOnly()
        got = [
            unpack(int(port.value), bits=1, count=MACRO.columns)
            for port in (dut.compartment__hi, dut.compartment__lo)
        ]
        want = [bits.tolist() for bits in compartment(cells, row=row, x=x)]
        assert got == want, f"seed {seed}, row {row}, x {x}: got {got}, golden says {want}"
        CORNERS.hit("all cells set", bool(cells[row].all()))
        CORNERS.hit("no cell set", not cells[row].any())
        CORNERS.hit(f"input bit {x}")
        CORNERS.hit("computes next row", row == before + 1)
        before = row
        await FallingEdge(dut.clk)


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
