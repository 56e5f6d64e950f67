"""Bench of `checksum`: beats with gaps, and others between them, against long division."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import ClockCycles, FallingEdge

from hwgen.chip.program_checksum import sealed
from verif.common.facts import facts_from_environment
from verif.coverage import Corners
from verif.reference.checksum import checksum
from verif.stream import reset

PORT_BYTES = facts_from_environment().port_bytes
LATENCY = 3
CORNERS = Corners("fits", "does not fit", "fits and a beat more", "a beat that does not count")


@cocotb.test(timeout_time=100, timeout_unit="us")
@cocotb.parametrize(seed=range(4), gap=[0.0, 0.5])
async def fits_as_the_sum_of_the_beats(dut: Any, seed: int, gap: float) -> None:
    """Behind each beat the port says whether the CRC-32 up to it is 0."""
    rng = np.random.default_rng(seed)
    size = int(rng.integers(2, 12)) * PORT_BYTES
    content = sealed(rng.integers(0, 256, size, np.uint8), int(rng.integers(0, size - 3)))
    content = np.append(content, rng.integers(0, 256, 2 * PORT_BYTES, np.uint8))
    if seed == 1:
        content[int(rng.integers(0, size))] ^= 1 << int(rng.integers(0, 8))
    beat, taken, fits = (getattr(dut, f"checksum__{name}") for name in ("beat", "taken", "fits"))
    await reset(dut, beat, taken)
    read, fitted = b"", []
    for first in range(0, len(content), PORT_BYTES):
        while rng.random() < gap:
            beat.value = int.from_bytes(rng.bytes(PORT_BYTES), "little")
            await FallingEdge(dut.clk)
            CORNERS.hit("a beat that does not count", True)
        part = content[first : first + PORT_BYTES].tobytes()
        beat.value, taken.value, read = int.from_bytes(part, "little"), 1, read + part
        await FallingEdge(dut.clk)
        taken.value = 0
        if gap or first >= size - PORT_BYTES:
            await ClockCycles(dut.clk, LATENCY - 1, rising=False)
            fitted.append(checksum(read) == 0)
            assert int(fits.value) == fitted[-1], f"seed {seed}, {len(read)} bytes"
            CORNERS.hit("fits", fitted[-1])
            CORNERS.hit("does not fit", not fitted[-1])
            CORNERS.hit("fits and a beat more", fitted[-2:] == [True, False])


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
