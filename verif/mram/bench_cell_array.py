"""Bench of `cell_array`: random writes of slices, three reads in each cycle."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from verif.common.packing import pack
from verif.coverage import Corners
from verif.mram.array_parts import bank_slices
from verif.mram.component import arch_from_environment
from verif.stream import reset

ARCH = arch_from_environment()
SLICES = bank_slices(ARCH)
WIDTH = ARCH.array.columns // SLICES
CORNERS = Corners("first row", "last row", "read while written", "part of a row", "no slice")


def port(dut: Any, name: str) -> Any:
    """Return a port of the part."""
    return getattr(dut, f"cell_array_{SLICES}__{name}")


async def fill(dut: Any, rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """Write every row; return the slices of all rows."""
    content = rng.integers(0, 1 << WIDTH, (ARCH.array.rows, SLICES))
    await reset(dut, port(dut, "write_en"))
    port(dut, "write_en").value = (1 << SLICES) - 1
    for row, values in enumerate(content):
        port(dut, "write_row").value = row
        port(dut, "write_data").value = pack(values, bits=WIDTH)
        await FallingEdge(dut.clk)
    port(dut, "write_en").value = 0
    return content


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(seed=range(3))
async def cells_keep_what_was_written(dut: Any, seed: int) -> None:
    """Each row shows what was stored last, until the edge that writes; other slices stay."""
    rng = np.random.default_rng(seed)
    content = await fill(dut, rng)
    for cycle in range(8 * ARCH.array.rows):
        rows = rng.integers(0, ARCH.array.rows, 4)
        enabled, values = rng.integers(0, 2, SLICES), rng.integers(0, 1 << WIDTH, SLICES)
        if rng.random() < 0.3:
            rows[0] = rows[3]
        if rng.random() < 0.1:
            enabled[:] = 0
        port(dut, "write_en").value = pack(enabled, bits=1)
        port(dut, "write_row").value = int(rows[3])
        port(dut, "write_data").value = pack(values, bits=WIDTH)
        for place in range(3):
            port(dut, f"row_{place}").value = int(rows[place])
        await ReadOnly()
        for place in range(3):
            got = int(port(dut, f"data_{place}").value)
            want = pack(content[rows[place]], bits=WIDTH)
            assert got == want, f"seed {seed}, cycle {cycle}, read {place}: got {got:#x}"
        CORNERS.hit("first row", 0 in rows[:3])
        CORNERS.hit("last row", ARCH.array.rows - 1 in rows[:3])
        CORNERS.hit("read while written", bool(rows[0] == rows[3] and enabled.any()))
        CORNERS.hit("part of a row", 0 < enabled.sum() < SLICES)
        CORNERS.hit("no slice", not bool(enabled.any()))
        content[rows[3]] = np.where(enabled, values, content[rows[3]])
        await FallingEdge(dut.clk)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def cells_survive_a_reset(dut: Any) -> None:
    """Cells have no reset."""
    content = await fill(dut, np.random.default_rng(9))
    await reset(dut, port(dut, "write_en"))
    for row in (0, 1, ARCH.array.rows - 1):
        port(dut, "row_0").value = row
        await ReadOnly()
        assert int(port(dut, "data_0").value) == pack(content[row], bits=WIDTH)
        await FallingEdge(dut.clk)


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
