"""Bench of `psum_array`: writes and reads of random rows x seeds."""

from typing import Any

import cocotb

from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment
from verif.dbpim.single_port import CORNERS, Ports, check_single_port, keeps_through_reset

ARCH = arch_from_environment()
DEPTH = ARCH.psum_vectors >> ARCH.pairs
REACHED = Corners(*CORNERS)


def ports_of(dut: Any) -> Ports:
    """Return the ports of the memory."""
    return Ports(
        write_en=dut.psum_array__write_en,
        address=dut.psum_array__vector,
        write_data=dut.psum_array__write_data,
        read_data=dut.psum_array__read_data,
    )


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(seed=range(3), writes=[0.1, 0.5, 0.9])
async def sums_keep_what_was_written(dut: Any, seed: int, writes: float) -> None:
    """Every row shows what was written last, and nothing else changes it."""
    await check_single_port(dut, ports_of(dut), REACHED, depth=DEPTH, seed=seed, writes=writes)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def sums_survive_a_reset(dut: Any) -> None:
    """Cells have no reset."""
    await keeps_through_reset(dut, ports_of(dut))


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not REACHED.missed(), f"corners never reached: {REACHED.missed()}"
