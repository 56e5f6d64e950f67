"""Bench of `cell_array`: writes and reads of random rows x seeds."""

from typing import Any

import cocotb
from cocotb.triggers import FallingEdge

from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment
from verif.dbpim.single_port import (
    AT_EDGE_CORNERS,
    CORNERS,
    Ports,
    check_single_port,
    keeps_through_reset,
    sense,
)
from verif.stream import reset

ARCH = arch_from_environment()
DEPTH = ARCH.macro.rows
REACHED = Corners(*(AT_EDGE_CORNERS if ARCH.reads_at_edge else CORNERS))


def ports_of(dut: Any) -> Ports:
    """Return the ports of the memory."""
    return Ports(
        write_en=dut.cell_array__write_en,
        address=dut.cell_array__row,
        write_data=dut.cell_array__write_data,
        read_data=dut.cell_array__q,
        read_en=dut.cell_array__read_en if ARCH.reads_at_edge else None,
    )


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(seed=range(3), writes=[0.1, 0.5, 0.9])
async def cells_keep_what_was_written(dut: Any, seed: int, writes: float) -> None:
    """Every row shows what was written last, and nothing else changes it."""
    await check_single_port(dut, ports_of(dut), REACHED, depth=DEPTH, seed=seed, writes=writes)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def cells_survive_a_reset(dut: Any) -> None:
    """Cells have no reset."""
    await keeps_through_reset(dut, ports_of(dut))


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def other_sides_are_complements(dut: Any) -> None:
    """For every row, q_n is the complement of q, bit by bit."""
    await reset(dut, dut.cell_array__write_en)
    full = (1 << len(dut.cell_array__q)) - 1
    for word in (0, full, 0x5A & full, 1):
        dut.cell_array__write_en.value = 1
        dut.cell_array__write_data.value = word
        await FallingEdge(dut.clk)
        dut.cell_array__write_en.value = 0
        await sense(dut, ports_of(dut))
        sides = int(dut.cell_array__q.value), int(dut.cell_array__q_n.value)
        assert sides == (word, full - word), f"got {sides} for {word:#x}"
        await FallingEdge(dut.clk)


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not REACHED.missed(), f"corners never reached: {REACHED.missed()}"
