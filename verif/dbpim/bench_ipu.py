"""Bench of `ipu`: every set of non-zero bit planes, from the first plane to the last."""

from collections.abc import Iterator
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly
from numpy.typing import NDArray

from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment, pack, unpack
from verif.reference.dbpim.ipu import ipu

ARCH = arch_from_environment()
INPUTS = ARCH.macro.compartments
SKIP = ARCH.sparsity.input_bits
CORNERS = Corners(
    "no bit plane",
    "one bit plane",
    "all bit planes",
    "a bit plane that only the first input has",
    "a bit plane that only the last input has",
)

Bytes = NDArray[np.uint8]


def groups(rng: np.random.Generator) -> Iterator[Bytes]:
    """Yield groups with every set of bit planes, then bit planes of one input alone."""
    for planes in range(256):
        group = rng.integers(0, 256, INPUTS, np.uint8) & np.uint8(planes)
        group[rng.integers(INPUTS)] |= planes
        yield group
    for place in (0, INPUTS - 1):
        group = np.zeros(INPUTS, np.uint8)
        group[place] = 0xA5
        yield group


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(seed=range(2))
async def walk_matches_golden(dut: Any, seed: int) -> None:
    """Bit planes, their order, `last` and `next` equal golden; `next` is 0 after the last."""
    # Icarus computes nothing before an input leaves its value at power-on.
    dut.ipu__issued.value = 0xFF
    await FallingEdge(dut.clk)
    for group in groups(np.random.default_rng(seed)):
        issued, steps = 0, ipu(group, skip=SKIP)
        dut.ipu__bytes.value = pack(group, bits=8)
        for number, (bit, bit_plane) in enumerate(steps):
            dut.ipu__issued.value = issued
            await ReadOnly()
            got = (
                int(dut.ipu__bit_index.value),
                int(dut.ipu__bit_plane.value),
                int(dut.ipu__last.value),
            )
            last = number == len(steps) - 1
            want = (bit, pack(bit_plane, bits=1), int(last))
            where = f"seed {seed}, group {group.tolist()}, bit plane {number}"
            assert got == want, f"{where}: got {got}, golden says {want}"
            issued = int(dut.ipu__next.value)
            assert (issued == 0) == last, f"{where}: next is {issued:#x}"
            await FallingEdge(dut.clk)
        note(group)


def note(group: Bytes) -> None:
    """Record which corners this group has reached."""
    planes = unpack(int(np.bitwise_or.reduce(group)), bits=1, count=8)
    CORNERS.hit("no bit plane", sum(planes) == 0)
    CORNERS.hit("one bit plane", sum(planes) == 1)
    CORNERS.hit("all bit planes", sum(planes) == 8)
    others = group.any()
    CORNERS.hit("a bit plane that only the first input has", bool(others and not group[1:].any()))
    CORNERS.hit("a bit plane that only the last input has", bool(others and not group[:-1].any()))


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the groups above have reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
