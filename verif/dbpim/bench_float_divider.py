"""Bench of `float_divider` and `float_root` side by side: sums over counts, floats, roots."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from golden.ops import float32
from hwgen.dbpim.facts.timing import DIVISION_CYCLES, ROOT_CYCLES
from verif.coverage import Corners
from verif.dbpim.float_cases import drawn
from verif.stream import reset

CORNERS = Corners(
    "a sum over a count",
    "a float over a float",
    "a zero",
    "below the normal numbers",
    "a quotient without a rest",
    "a quotient that rounds up to a power of two",
    "a root without a rest",
    "an odd exponent",
    "an even exponent",
)
PAUSES = np.random.default_rng(4)
LEAST, GREATEST = 0x0080_0000, 0x7F7F_FFFF
"""Ends of the magnitudes of normal numbers."""


async def divide(dut: Any, dividend: float32.Parts, divisor: int) -> int:
    """Return a quotient; it is there when its cycles are over, and not before."""
    part = "float_divider__"
    getattr(dut, f"{part}negative").value = int(dividend.negative)
    getattr(dut, f"{part}significand").value = int(dividend.significand)
    getattr(dut, f"{part}exponent").value = int(dividend.exponent) % (1 << 12)
    getattr(dut, f"{part}divisor").value = divisor
    return await run(dut, part, cycles=DIVISION_CYCLES)


async def run(dut: Any, part: str, *, cycles: int) -> int:
    """Start a part, count its cycles but for one without `enable`, and return its result."""
    start, busy, enable = (getattr(dut, f"{part}{name}") for name in ("start", "busy", "enable"))
    pause = int(PAUSES.integers(0, 2 * cycles))
    enable.value = 1
    start.value = 1
    await FallingEdge(dut.clk)
    start.value = 0
    for cycle in range(cycles - 1):
        enable.value = cycle != pause
        await ReadOnly()
        assert int(busy.value) == 1
        await FallingEdge(dut.clk)
        if cycle == pause:
            enable.value = 1
            await FallingEdge(dut.clk)
    await ReadOnly()
    assert int(busy.value) == 0
    result = int(getattr(dut, f"{part}result").value)
    await FallingEdge(dut.clk)
    return result


def normal(bits: int) -> bool:
    """Return whether a number is normal."""
    return LEAST <= bits & 0x7FFF_FFFF <= GREATEST


async def check_quotient(dut: Any, dividend: float32.Parts, divisor: int, wanted: int) -> None:
    """Compare a quotient with golden's."""
    got = await divide(dut, dividend, divisor)
    assert got == wanted, f"got {got:#x}, not {wanted:#x} for {dividend} over {divisor:#x}"
    CORNERS.hit("a zero", wanted & 0x7FFF_FFFF == 0)
    significand = (divisor & 0x7F_FFFF) | 0x80_0000
    CORNERS.hit("a quotient without a rest", int(dividend.significand) % significand == 0)
    CORNERS.hit("a quotient that rounds up to a power of two", wanted & 0x7F_FFFF == 0)


@cocotb.test(timeout_time=100, timeout_unit="ms")
async def sums_over_counts(dut: Any) -> None:
    """Exact sums of up to 45 bits over the channels of a pixel."""
    rng = np.random.default_rng(1)
    await reset(dut, dut.float_divider__start, dut.float_root__start)
    for number in range(600):
        count = int(rng.choice([8, 24, 32, 64, 192, 384, 1000, 4096, 4095]))
        total = int(rng.integers(0, 1 << int(rng.integers(1, 46)))) if number else 0
        if number % 7 == 1:
            total = count * int(rng.integers(0, 1 << 24)) + int(rng.integers(-1, 2))
        if number % 7 == 2:
            total = count * (int(rng.integers(1 << 24, 1 << 25)) | 1) + int(rng.integers(-1, 2))
        if number % 7 == 3:
            total = (count << int(rng.integers(24, 32))) - 1
        exponent = int(rng.integers(-80, 40))
        parts = float32.Parts(
            np.array(rng.random() < 0.5), np.array(abs(total)), np.array(exponent)
        )
        wanted = int(float32.quotient(parts, count)[()])
        divisor = int(float32.from_integers(count)[()])
        await check_quotient(dut, parts, divisor, wanted)
        CORNERS.hit("a sum over a count")


@cocotb.test(timeout_time=100, timeout_unit="ms")
async def floats_over_floats(dut: Any) -> None:
    """Quotients of two numbers, normal or zero."""
    rng = np.random.default_rng(2)
    await reset(dut, dut.float_divider__start, dut.float_root__start)
    a, b = drawn(rng, 1500, low=1), drawn(rng, 1500, low=1) & np.uint32(0x7FFF_FFFF)
    a[:400] = b[:400] + rng.integers(-2, 3, 400).astype(np.uint32)
    a[400:600] = np.uint32(0x3F80_0000)
    a[600] = 0
    for one, other in zip(a, b, strict=True):
        wanted = int(float32.divide(one, other))
        magnitude = wanted & 0x7FFF_FFFF
        if one and (not normal(int(one)) or magnitude == LEAST or magnitude > GREATEST):
            continue
        CORNERS.hit("below the normal numbers", 0 < magnitude < LEAST)
        if magnitude < LEAST:
            wanted ^= magnitude
        await check_quotient(dut, float32.parts_of(one), int(other), wanted)
        CORNERS.hit("a float over a float")


@cocotb.test(timeout_time=100, timeout_unit="ms")
async def roots(dut: Any) -> None:
    """Square roots of normal numbers, squares and their neighbours among them."""
    rng = np.random.default_rng(3)
    await reset(dut, dut.float_divider__start, dut.float_root__start)
    values = drawn(rng, 1000, low=1) & np.uint32(0x7FFF_FFFF)
    whole = rng.integers(1, 1 << 12, 300)
    squares = np.ldexp(whole.astype(np.float64) ** 2, 2 * rng.integers(-50, 40, 300))
    near = squares.astype(np.float32).view(np.uint32)
    ends = np.array([LEAST, GREATEST, 0x3F80_0000, 0x3F7F_FFFF, 0x4000_0000], np.uint32)
    for value in np.concatenate([values, near, near + np.uint32(1), near - np.uint32(1), ends]):
        dut.float_root__value.value = int(value)
        got, wanted = await run(dut, "float_root__", cycles=ROOT_CYCLES), float32.root(value)[()]
        assert got == int(wanted), f"got {got:#x}, not {int(wanted):#x} for {int(value):#x}"
        CORNERS.hit("a root without a rest", bool((near == value).any()))
        CORNERS.hit("an odd exponent", int(value) >> 23 & 1 == 1)
        CORNERS.hit("an even exponent", int(value) >> 23 & 1 == 0)


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the cases above have reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
