"""Bench of `byte_divider`: quotients beside ties, of all sizes, drawn; one a cycle, with gaps."""

import os
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly
from numpy.typing import NDArray

from golden.ops import float32
from hwgen.dbpim.facts.timing import BYTE_DIVIDER_CYCLES
from verif.coverage import Corners
from verif.dbpim.float_cases import Bits, drawn
from verif.stream import reset

COUNT = "DIVIDER_CASES"
"""Environment: divisors."""
A_DIVISOR = 64
"""Values of each divisor."""
CORNERS = Corners(
    "a tie that is exact",
    "a tie that float32 makes from above",
    "a tie that float32 makes from below",
    "beyond a byte",
    "a subnormal value",
    "a zero",
    "clipped at low",
    "clipped at high",
    "negative",
    "held while not enabled",
)


def values_of(rng: np.random.Generator, divisor: np.uint32) -> Bits:
    """Return values for a divisor: beside halves of it, of its size, subnormal, anything."""
    real = float(np.array([divisor]).view(np.float32)[0])
    halves = rng.integers(0, 520, A_DIVISOR) * 0.5
    with np.errstate(over="ignore", under="ignore"):
        near = np.minimum(halves * real, 3e38).astype(np.float32).view(np.uint32)
        sized = np.minimum(rng.uniform(0, 300, A_DIVISOR) * real, 3e38).astype(np.float32)
    near = near + rng.integers(-2, 3, A_DIVISOR).astype(np.uint32)
    near = np.where(near > 0x7F7F_FFFF, np.uint32(0), near)
    kinds = np.stack(
        [
            near,
            near,
            sized.view(np.uint32),
            drawn(rng, A_DIVISOR) & np.uint32(0x7FFF_FFFF),
            rng.integers(0, 1 << 23, A_DIVISOR).astype(np.uint32),
        ]
    )
    chosen = kinds[rng.integers(0, len(kinds), A_DIVISOR), np.arange(A_DIVISOR)]
    chosen[0] = 0
    signed: Bits = chosen | rng.integers(0, 2, A_DIVISOR, np.uint32) << np.uint32(31)
    return signed


def nearest(values: Bits, divisor: np.uint32) -> NDArray[np.int64]:
    """Return the nearest integers of quotients, beyond a byte some that a clip cuts."""
    magnitudes = float32.divide(values & np.uint32(0x7FFF_FFFF), divisor)
    below = np.minimum(magnitudes, np.uint32(0x4480_0000))
    whole = float32.to_integers(below)
    return np.where(values >> np.uint32(31) == 1, -whole, whole)


@cocotb.test(timeout_time=1, timeout_unit="sec")
@cocotb.parametrize(seed=range(2))
async def bytes_match_golden(dut: Any, seed: int) -> None:
    """Each byte comes ``BYTE_DIVIDER_CYCLES`` enabled edges after its value."""
    rng = np.random.default_rng(seed)
    await reset(dut, dut.enable)
    for number in range(int(os.environ.get(COUNT, "60"))):
        low, high = (0, 254) if number % 5 == 4 else (100, 150)
        divisor = drawn(rng, 1, low=max(low, 1), high=high)[0] & np.uint32(0x7FFF_FFFF)
        values = values_of(rng, divisor)
        zero_point = int(rng.integers(0, 256))
        low_end, high_end = sorted(rng.integers(0, 256, 2).tolist()) if number % 3 else (0, 255)
        whole = nearest(values, divisor)
        wanted = (whole + zero_point).clip(low_end, high_end)
        dut.divisor.value, dut.zero_point.value = int(divisor), zero_point
        dut.low.value, dut.high.value = low_end, high_end
        await stream_values(dut, rng, values, wanted, gaps=0.2 * seed)
        note_corners(values, divisor, whole)
        CORNERS.hit("clipped at low", bool((whole + zero_point < low_end).any()))
        CORNERS.hit("clipped at high", bool((whole + zero_point > high_end).any()))


async def stream_values(
    dut: Any, rng: np.random.Generator, values: Bits, wanted: NDArray[np.int64], *, gaps: float
) -> None:
    """Send values of one divisor and compare their bytes."""
    answers = [None] * BYTE_DIVIDER_CYCLES + wanted.tolist()
    for place, answer in enumerate(answers):
        while rng.random() < gaps:
            dut.enable.value, dut.value.value = 0, int(rng.integers(0, 1 << 32))
            await FallingEdge(dut.clk)
            CORNERS.hit("held while not enabled")
        dut.enable.value = 1
        if place < len(values):
            dut.value.value = int(values[place])
        await ReadOnly()
        if answer is not None:
            got, of = int(dut.result.value), int(values[place - BYTE_DIVIDER_CYCLES])
            by, to = int(dut.divisor.value), int(dut.zero_point.value)
            assert got == answer, f"got {got}, not {answer}, for {of:#x} / {by:#x} + {to}"
        await FallingEdge(dut.clk)


def note_corners(values: Bits, divisor: np.uint32, whole: NDArray[np.int64]) -> None:
    """Note which corners the values of a divisor have reached."""
    magnitudes = values & np.uint32(0x7FFF_FFFF)
    quotients = float32.divide(magnitudes, divisor)
    finite = quotients < np.uint32(0x7F80_0000)
    quotients, magnitudes = quotients[finite], magnitudes[finite]
    doubled = quotients.view(np.float32).astype(np.float64) * 2
    ties = (doubled < 512) & (doubled % 2 == 1)
    back = float32.fma(quotients, divisor, magnitudes ^ np.uint32(1 << 31)).view(np.float32)
    CORNERS.hit("a tie that is exact", bool((ties & (back == 0)).any()))
    CORNERS.hit("a tie that float32 makes from above", bool((ties & (back < 0)).any()))
    CORNERS.hit("a tie that float32 makes from below", bool((ties & (back > 0)).any()))
    CORNERS.hit("beyond a byte", bool((np.abs(whole) > 255).any()))
    CORNERS.hit("a subnormal value", bool(((magnitudes > 0) & (magnitudes < 0x80_0000)).any()))
    CORNERS.hit("a zero", bool((magnitudes == 0).any()))
    CORNERS.hit("negative", bool((whole < 0).any()))


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the values above have reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
