"""Bench of `weight_decoder`: every code in every place, and random rows."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from golden.dbpim.weight_decoder import decode, decode_dense
from hwgen.rtl.dbpim.layouts import cell_meta
from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment, pack

ARCH = arch_from_environment()
SHAPE = (ARCH.macro.compartments, ARCH.filters)
CODES = 256
RANDOM_ROWS = 200
CORNERS = Corners("a negative cell", "each block index", "a cell with Q = 1 beside one with 0")


@cocotb.test()
async def rows_match_golden(dut: Any) -> None:
    """Cells and metadata of every row equal golden."""
    rng = np.random.default_rng(0)
    everywhere = [np.full(SHAPE, code, np.uint8) for code in range(CODES)]
    rows = rng.integers(0, CODES, (RANDOM_ROWS, *SHAPE), dtype=np.uint8)
    for codes in [*everywhere, *rows]:
        dut.weight_decoder__row.value = pack(codes.ravel().tolist(), bits=8)
        await ReadOnly()
        cells, meta = expected(codes)
        assert int(dut.weight_decoder__row_cells.value) == cells, f"cells of {codes}"
        assert int(dut.weight_decoder__row_meta.value) == meta, f"metadata of {codes}"
        await FallingEdge(dut.clk)


def expected(codes: np.ndarray) -> tuple[int, int]:
    """Return cells and metadata as the ports carry them."""
    entry = cell_meta()
    if not ARCH.sparsity.weight_bits:
        cells = decode_dense(codes).ravel()
        note(cells, np.array([0, 1, 2, 3]), np.array([1]))
        return pack(cells.tolist(), bits=1), 0
    sparse = decode(codes)
    entries = [
        entry.const({"index": int(index), "negative": int(negative)}).as_bits()
        for index, negative in zip(sparse.index.ravel(), sparse.negative.ravel(), strict=True)
    ]
    note(sparse.q, sparse.index, sparse.negative)
    return pack(sparse.q.ravel().tolist(), bits=1), pack(entries, bits=entry.size)


def note(q: np.ndarray, index: np.ndarray, negative: np.ndarray) -> None:
    """Record which corners this row has; a dense row has no metadata to speak of."""
    CORNERS.hit("a negative cell", bool(negative.any()))
    CORNERS.hit("each block index", set(index.ravel().tolist()) == {0, 1, 2, 3})
    CORNERS.hit("a cell with Q = 1 beside one with 0", bool(q.any()) and not q.all())


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
