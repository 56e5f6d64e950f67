"""Bench of `dbmu`: both input bits against every weight code and every choice of cells."""

from itertools import product
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from golden.dbpim.dbmu import dbmu, dense_dbmu
from golden.dbpim.weight_decoder import decode
from verif.dbpim.component import arch_from_environment, pack

SPARSE = arch_from_environment().sparsity.weight_bits


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def terms_match_golden(dut: Any) -> None:
    """All cases of input bit, code and enabled cells."""
    for x, code, enable in product((0, 1), range(256), range(4)):
        dut.dbmu__x.value, dut.dbmu__enable.value = x, enable
        if SPARSE:
            cells = decode(np.array([code], np.uint8))
            dut.dbmu__cells.value = pack(cells.q.tolist(), bits=1)
            dut.dbmu__meta.value = pack((cells.negative << 2 | cells.index).tolist(), bits=3)
            want = int(dbmu(x, cells.values * [enable & 1, enable >> 1]))
        else:
            dut.dbmu__cells.value = code
            want = int(dense_dbmu(x, np.uint8(code).view(np.int8) * (enable & 1)))
        await ReadOnly()
        got = int(dut.dbmu__term.value)
        assert got == want, f"x {x}, code {code:#x}, enable {enable}: got {got}, not {want}"
        await FallingEdge(dut.clk)
