"""Bench of `dbmu`: both input bits against every weight code and every choice of cells."""

from itertools import product
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from golden.dbpim.dbmu import dbmu, dense_dbmu, pair_dbmu
from golden.dbpim.weight_decoder import decode, pair_values
from verif.dbpim.component import arch_from_environment, pack
from verif.dbpim.weight_rows import every_code

ARCH = arch_from_environment()
SPARSE = ARCH.sparsity.weight_bits


@cocotb.test(timeout_time=1, timeout_unit="ms", skip=not ARCH.pairs)
async def terms_of_two_weights_match_golden(dut: Any) -> None:
    """The same, each cell a weight; without ``double`` the second one adds nothing."""
    for x, code, enable, double in product((0, 1), range(256), range(4), (0, 1)):
        dut.dbmu__x.value, dut.dbmu__enable.value, dut.dbmu__pair.value = x, enable, double
        cells = decode(np.array([code], np.uint8))
        dut.dbmu__cells.value = pack(cells.q.tolist(), bits=1)
        dut.dbmu__meta.value = pack((cells.negative << 2 | cells.index).tolist(), bits=3)
        counts = np.array([enable & 1, enable >> 1])
        want = [int(dbmu(x, cells.values * counts)), 0]
        if double:
            want = pair_dbmu(x, pair_values(np.array([code], np.uint8)) * counts).tolist()
        await ReadOnly()
        got = [int(dut.dbmu__term.value), int(dut.dbmu__second.value)]
        assert got == want, f"x {x}, code {code:#x}, enable {enable}: got {got}, not {want}"
        await FallingEdge(dut.clk)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def terms_match_golden(dut: Any) -> None:
    """All cases of input bit, code and enabled cells."""
    if ARCH.pairs:
        dut.dbmu__pair.value = 0
    for x, code, enable in product((0, 1), every_code(ARCH).tolist(), range(4)):
        dut.dbmu__x.value, dut.dbmu__enable.value = x, enable
        if SPARSE:
            cells = decode(np.array([code], np.uint8))
            dut.dbmu__cells.value = pack(cells.q.tolist(), bits=1)
            dut.dbmu__meta.value = pack((cells.negative << 2 | cells.index).tolist(), bits=3)
            want = int(dbmu(x, cells.values * [enable & 1, enable >> 1]))
        else:
            width = ARCH.macro.weight_bits
            dut.dbmu__cells.value = code & (1 << width) - 1
            weight = np.uint8(code).view(np.int8) * (enable & 1)
            want = int(dense_dbmu(x, weight, bits=width))
        await ReadOnly()
        got = int(dut.dbmu__term.value)
        assert got == want, f"x {x}, code {code:#x}, enable {enable}: got {got}, not {want}"
        await FallingEdge(dut.clk)
