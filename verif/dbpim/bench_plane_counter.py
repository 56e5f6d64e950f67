"""Bench of `plane_counter`: all bit planes of any group, from the highest to the lowest."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment, pack
from verif.reference.dbpim.ipu import ipu

ARCH = arch_from_environment()
INPUTS = ARCH.macro.compartments
CORNERS = Corners("a group of zeros", "a group of ones", "bit planes of zeros between others")


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(seed=range(2))
async def all_planes_match_golden(dut: Any, seed: int) -> None:
    """Bit planes, their order, `last` and `next` equal golden; `next` is 0 after the last."""
    dut.plane_counter__issued.value = 1
    await FallingEdge(dut.clk)
    rng = np.random.default_rng(seed)
    zeros, ones = np.zeros(INPUTS, np.uint8), np.full(INPUTS, 255, np.uint8)
    for group in (zeros, ones, zeros + 0xA5, *rng.integers(0, 256, (60, INPUTS), np.uint8)):
        issued, steps = 0, ipu(group, skip=False)
        dut.plane_counter__bytes.value = pack(group, bits=8)
        for number, (bit, bit_plane) in enumerate(steps):
            dut.plane_counter__issued.value = issued
            await ReadOnly()
            names = ("bit_index", "bit_plane", "last")
            got = tuple(int(getattr(dut, f"plane_counter__{name}").value) for name in names)
            want = (bit, pack(bit_plane, bits=1), int(number == len(steps) - 1))
            where = f"seed {seed}, group {group.tolist()}, bit plane {number}"
            assert got == want, f"{where}: got {got}, golden says {want}"
            issued = int(dut.plane_counter__next.value)
            assert issued == (number + 1) % len(steps), f"{where}: next is {issued}"
            await FallingEdge(dut.clk)
        CORNERS.hit("a group of zeros", not group.any())
        CORNERS.hit("a group of ones", bool((group == 255).all()))
        CORNERS.hit("bit planes of zeros between others", bool((group == 0xA5).all()))


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the groups above have reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
