"""Bench of `bit_counter`: directed and random segments."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from verif.coverage import Corners
from verif.mram.component import arch_from_environment

COLUMNS = arch_from_environment().segment_columns
CORNERS = Corners("no ones", "all ones", "one", "all but one")


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def counts_are_exact(dut: Any) -> None:
    """Every count is the number of ones, each column alone and left out included."""
    full = (1 << COLUMNS) - 1
    singles = [1 << place for place in range(COLUMNS)]
    rng = np.random.default_rng(COLUMNS)
    drawn = [int.from_bytes(rng.bytes(COLUMNS // 8 + 1)) & full for _ in range(200)]
    runs = [full >> place for place in range(COLUMNS)]
    for word in [0, full, *singles, *(full - one for one in singles), *runs, *drawn]:
        dut.bit_counter__bits.value = word
        await ReadOnly()
        got, want = int(dut.bit_counter__count.value), word.bit_count()
        assert got == want, f"got {got}, not {want}, for {word:#x}"
        CORNERS.hit("no ones", want == 0)
        CORNERS.hit("all ones", want == COLUMNS)
        CORNERS.hit("one", want == 1)
        CORNERS.hit("all but one", want == COLUMNS - 1)
        await FallingEdge(dut.clk)


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the words above have reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
