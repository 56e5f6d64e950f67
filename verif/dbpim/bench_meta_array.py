"""Bench of `meta_array`: writes and reads of random rows x seeds."""

from typing import Any

import cocotb

from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment
from verif.dbpim.single_port import (
    AT_EDGE_CORNERS,
    CORNERS,
    Ports,
    check_single_port,
    keeps_through_reset,
)

ARCH = arch_from_environment()
DEPTH = ARCH.macro.rows
REACHED = Corners(*(AT_EDGE_CORNERS if ARCH.reads_at_edge else CORNERS))


def ports_of(dut: Any) -> Ports:
    """Return the ports of the memory."""
    return Ports(
        write_en=dut.meta_array__write_en,
        address=dut.meta_array__row,
        write_data=dut.meta_array__write_data,
        read_data=dut.meta_array__meta,
        read_en=dut.meta_array__read_en if ARCH.reads_at_edge else None,
    )


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(seed=range(3), writes=[0.1, 0.5, 0.9])
async def entries_keep_what_was_written(dut: Any, seed: int, writes: float) -> None:
    """Every row shows what was written last, and nothing else changes it."""
    await check_single_port(dut, ports_of(dut), REACHED, depth=DEPTH, seed=seed, writes=writes)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def entries_survive_a_reset(dut: Any) -> None:
    """Cells have no reset."""
    await keeps_through_reset(dut, ports_of(dut))


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not REACHED.missed(), f"corners never reached: {REACHED.missed()}"
