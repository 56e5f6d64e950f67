"""Bench of `compartment`: random weights x both input bits x every row."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly
from numpy.typing import NDArray

from golden.dbpim.dbmu import pair_dbmu
from golden.dbpim.weight_decoder import decode, decode_dense, pair_values
from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment, pack, unpack
from verif.dbpim.weight_rows import random_codes
from verif.reference.dbpim.compartment import compartment, dense_compartment
from verif.stream import reset

ARCH = arch_from_environment()
SPARSE = ARCH.sparsity.weight_bits
ROWS, BITS = ARCH.macro.rows, ARCH.macro.weight_bits
EARLY = int(ARCH.reads_at_edge)
CORNERS = Corners("input bit 0", "input bit 1", "computes next row", "a filter without a cell")


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(seed=range(4))
async def terms_match_golden(dut: Any, seed: int) -> None:
    """Write all rows, then compute with random rows, bits and enables, new ones every cycle.

    Synchronous cells get each row a cycle early.
    """
    rng = np.random.default_rng(seed)
    codes = random_codes(rng, (ROWS, ARCH.filters), ARCH)
    cells = decode(codes)
    bits = cells.q if SPARSE else decode_dense(codes, bits=BITS)
    await reset(dut, dut.compartment__write_en)
    for row in range(ROWS):
        dut.compartment__write_en.value = 1
        dut.compartment__row.value = row
        dut.compartment__write_data.value = pack(bits[row].tolist(), bits=1)
        await FallingEdge(dut.clk)
    dut.compartment__write_en.value = 0
    rows = rng.integers(ROWS, size=10 * ROWS + 1).tolist()
    if EARLY:
        dut.compartment__read_en.value, dut.compartment__row.value = 1, rows[0]
        await FallingEdge(dut.clk)
    before = 0
    for number, row in enumerate(rows[:-1]):
        x = int(rng.integers(2))
        enable = rng.random((ARCH.filters, 2)) < 0.7
        dut.compartment__row.value, dut.compartment__x.value = rows[number + EARLY], x
        dut.compartment__enable.value = pack(enable.ravel().tolist(), bits=1)
        double = ARCH.pairs and bool(rng.integers(2))
        if ARCH.pairs:
            dut.compartment__pair.value = double
        if SPARSE:
            meta = cells.negative[row] << 2 | cells.index[row]
            dut.compartment__meta.value = pack(meta.tolist(), bits=3)
            want = terms_of(codes, enable, row=row, x=x, double=double)
        else:
            want = dense_compartment(
                codes.view(np.int8).astype(np.int64) * enable[:, 0], row=row, x=x, bits=BITS
            ).tolist()
        await ReadOnly()
        got = unpack(int(dut.compartment__terms.value), bits=BITS, count=ARCH.sums)
        assert got == want, f"seed {seed}, row {row}, x {x}: got {got}, golden says {want}"
        CORNERS.hit(f"input bit {x}")
        CORNERS.hit("computes next row", row == before + 1)
        CORNERS.hit("a filter without a cell", not enable.any(axis=1).all())
        before = row
        await FallingEdge(dut.clk)


def terms_of(
    codes: NDArray[np.uint8], enable: NDArray[np.bool_], *, row: int, x: int, double: bool
) -> list[int]:
    """Return the terms of all filters; with `double` those of the second cells, else zeros."""
    if double:
        of_both = pair_values(codes[row]).reshape(ARCH.filters, 2) * enable
        return list(pair_dbmu(x, of_both).T.ravel().tolist())
    values = decode(codes).values.reshape(ROWS, ARCH.filters, 2) * enable
    terms = compartment(values, row=row, x=x).tolist()
    return [*terms, *[0] * (ARCH.sums - ARCH.filters)]


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
