"""Bench of `dbmu`: every input bit against both states of a cell."""

from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, ReadOnly

from golden.dbpim.dbmu import dbmu


@cocotb.test(timeout_time=1, timeout_unit="us")
async def products_match_golden(dut: Any) -> None:
    """All four cases of input bit and cell."""
    for x, q in [(0, 0), (0, 1), (1, 0), (1, 1)]:
        dut.dbmu__x.value, dut.dbmu__q.value, dut.dbmu__q_n.value = x, q, 1 - q
        await ReadOnly()
        got = int(dut.dbmu__hi.value), int(dut.dbmu__lo.value)
        want = tuple(int(bit) for bit in dbmu(x, q))
        assert got == want, f"x {x}, q {q}: got hi, lo = {got}, golden says {want}"
        await FallingEdge(dut.clk)
