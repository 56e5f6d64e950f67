"""Bench of `float_sum`: drawn and falling values, subnormal ones, one a cycle and with gaps."""

from collections.abc import Iterator
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from golden.ops import float32
from verif.coverage import Corners
from verif.dbpim.float_cases import EDGES, Bits, drawn
from verif.stream import reset

CORNERS = Corners(
    "a subnormal total", "a value that is lost", "a value above the total", "held while not enabled"
)
LENGTH = 40


def rows(rng: np.random.Generator) -> Iterator[Bits]:
    """Yield values to be summed."""
    below = np.array([edge for edge in EDGES if edge < 0x7F00_0000], np.uint32)
    yield from (np.array([a, b], np.uint32) for a in below for b in below)
    yield np.full(255, 0x3F80_0000, np.uint32)
    for _ in range(150):
        low = int(rng.integers(0, 200))
        values = drawn(rng, LENGTH, low=low, high=low + int(rng.choice([0, 2, 24, 40])))
        yield values & np.uint32(0x7FFF_FFFF)
        scale = float(rng.uniform(0.01, 2))
        top = float(rng.uniform(-60, 80))
        with np.errstate(under="ignore"):
            falling = np.exp(top - scale * rng.integers(0, 256, LENGTH)).astype(np.float32)
        yield falling.view(np.uint32)


@cocotb.test(timeout_time=100, timeout_unit="ms")
@cocotb.parametrize(pause=[0.0, 0.3])
async def totals_match_golden(dut: Any, pause: float) -> None:
    """The total behind each value is that of golden, and stays without `enable`."""
    rng = np.random.default_rng(5)
    await reset(dut, dut.enable, dut.clear)
    for values in rows(rng):
        dut.clear.value, dut.enable.value = 1, 0
        await FallingEdge(dut.clk)
        dut.clear.value = 0
        total = 0
        for value in values.tolist():
            while rng.random() < pause:
                dut.enable.value, dut.value.value = 0, int(rng.integers(0, 1 << 31))
                await check_total(dut, total)
                CORNERS.hit("held while not enabled")
            dut.enable.value, dut.value.value = 1, value
            await check_total(dut, total)
            wanted = int(float32.add(np.uint32(total), np.uint32(value)))
            note_corners(total, value, wanted)
            total = wanted
        dut.enable.value = 0
        await check_total(dut, total)


async def check_total(dut: Any, wanted: int) -> None:
    """Compare the total of this cycle with golden's, and go on to the next one."""
    await ReadOnly()
    got = int(dut.total.value)
    assert got == wanted, f"got {got:#x}, golden says {wanted:#x}"
    await FallingEdge(dut.clk)


def note_corners(total: int, value: int, wanted: int) -> None:
    """Note which corners a step has reached."""
    CORNERS.hit("a subnormal total", 0 < wanted < 0x80_0000)
    CORNERS.hit("a value that is lost", wanted == total and value > 0)
    CORNERS.hit("a value above the total", value > total > 0)


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the cases above have reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
