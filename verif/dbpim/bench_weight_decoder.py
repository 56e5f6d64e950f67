"""Bench of `weight_decoder`: every code in every place, and random rows."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from golden.dbpim.weight_decoder import decode
from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment, pack
from verif.dbpim.weight_rows import enables, every_code, random_codes, row_words

ARCH = arch_from_environment()
SHAPE = (ARCH.macro.compartments, ARCH.filters)
RANDOM_ROWS = 200
CORNERS = Corners("a negative cell", "each block index", "a cell with Q = 1 beside one with 0")


@cocotb.test()
async def rows_match_golden(dut: Any) -> None:
    """Cells and metadata of every row equal golden."""
    rng = np.random.default_rng(0)
    everywhere = [np.full(SHAPE, code, np.uint8) for code in every_code(ARCH)]
    rows = random_codes(rng, (RANDOM_ROWS, *SHAPE), ARCH)
    for codes in [*everywhere, *rows]:
        enable = int(rng.choice([0xFFFF, 0x5555, int(rng.integers(1 << 16))]))
        dut.weight_decoder__row.value = packed(codes)
        dut.weight_decoder__filter_enable.value = enable
        double = ARCH.pairs and bool(rng.integers(2))
        if ARCH.pairs:
            dut.weight_decoder__pair.value = double
        await ReadOnly()
        cells, meta = row_words(codes, enables(enable, ARCH), ARCH, double=double)
        note(codes)
        assert int(dut.weight_decoder__row_cells.value) == cells, f"cells of {codes}"
        assert int(dut.weight_decoder__row_meta.value) == meta, f"metadata of {codes}"
        await FallingEdge(dut.clk)


def packed(codes: np.ndarray) -> int:
    """Return the codes of a row as its port takes them."""
    width = ARCH.macro.weight_bits
    return pack((codes.ravel() & (1 << width) - 1).tolist(), bits=width)


def note(codes: np.ndarray) -> None:
    """Record which corners this row has, as cells with metadata."""
    cells = decode(codes)
    CORNERS.hit("a negative cell", bool(cells.negative.any()))
    CORNERS.hit("each block index", set(cells.index.ravel().tolist()) == {0, 1, 2, 3})
    CORNERS.hit("a cell with Q = 1 beside one with 0", bool(cells.q.any()) and not cells.q.all())


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
