"""Bench of `uart_pins`: bytes bit by bit on both pins, and what is no byte."""

from collections.abc import Iterable
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import ClockCycles, FallingEdge, ReadOnly, with_timeout

from hwgen.chip.line import QUIET_BITS
from verif.common.chances import chances
from verif.common.line_parts import BIT_CYCLES
from verif.coverage import Corners
from verif.stream import Stream, offer, reset

BYTES = 24
CORNERS = Corners("without a stop bit", "too short for a start bit", "a quiet line")


def bits_of(byte: int) -> list[int]:
    """Return the levels of a byte: start, the lowest bit first, stop."""
    return [0, *(byte >> place & 1 for place in range(8)), 1]


async def show(dut: Any, levels: Iterable[int], cycles: int = BIT_CYCLES) -> None:
    """Hold each level for the cycles of a bit."""
    for level in levels:
        dut.uart_pins__rx.value = level
        await ClockCycles(dut.clk, cycles)
        await FallingEdge(dut.clk)


async def collect(dut: Any, found: list[int]) -> None:
    """Append each byte that is there for its cycle."""
    while True:
        await ReadOnly()
        if dut.uart_pins__received__valid.value:
            found.append(int(dut.uart_pins__received__payload.value))
        await FallingEdge(dut.clk)


async def begin(dut: Any) -> list[int]:
    """Reset with quiet pins; return the list that received bytes go to."""
    dut.uart_pins__rx.value = 1
    await reset(dut, dut.uart_pins__sent__valid)
    dut.uart_pins__rx.value = 1
    found: list[int] = []
    cocotb.start_soon(collect(dut, found))
    await ClockCycles(dut.clk, 4 * BIT_CYCLES)
    await FallingEdge(dut.clk)
    return found


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(seed=range(2), gap=[0.0, 0.5])
async def bytes_come_and_go(dut: Any, seed: int, gap: float) -> None:
    """Both directions at once: every byte is received, every byte is sent, in their order."""
    rng = np.random.default_rng([seed, int(10 * gap)])
    found, sent = await begin(dut), list(rng.bytes(BYTES))
    offering = cocotb.start_soon(offer(Stream(dut, "uart_pins__sent"), sent, chances(rng, gap)))
    reading = cocotb.start_soon(sampled(dut, len(sent)))
    came = [0, 255, *rng.bytes(BYTES)]
    for byte in came:
        await show(dut, bits_of(byte))
        await show(dut, [1] * int(rng.integers(0, 3) if gap else 0))
    await ClockCycles(dut.clk, 2 * BIT_CYCLES)
    assert found == came
    assert await with_timeout(reading, 1, "ms") == sent
    await offering


async def sampled(dut: Any, count: int) -> list[int]:
    """Return bytes from the levels of tx: each has its ten bits of whole length."""
    found: list[int] = []
    while len(found) < count:
        await ReadOnly()
        if dut.uart_pins__tx.value:
            await FallingEdge(dut.clk)
            continue
        levels = []
        for _ in range(10 * BIT_CYCLES):
            levels.append(int(dut.uart_pins__tx.value))
            await FallingEdge(dut.clk)
            await ReadOnly()
        bits = [levels[at : at + BIT_CYCLES] for at in range(0, len(levels), BIT_CYCLES)]
        assert all(len(set(bit)) == 1 for bit in bits)
        byte = sum(bits[1 + place][0] << place for place in range(8))
        assert [bit[0] for bit in bits] == bits_of(byte)
        found.append(byte)
        await FallingEdge(dut.clk)
    return found


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def what_is_no_byte_is_dropped(dut: Any) -> None:
    """Neither a short pulse nor a byte without its stop bit is received, and the next byte is."""
    found = await begin(dut)
    await show(dut, [0], BIT_CYCLES // 2 - 2)
    await show(dut, [1] * 12)
    CORNERS.hit("too short for a start bit", not found)
    await show(dut, [*bits_of(0x3C)[:-1], 0])
    await show(dut, [1] * 12)
    CORNERS.hit("without a stop bit", not found)
    await show(dut, bits_of(0x3C))
    await show(dut, [1])
    assert found == [0x3C]


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def a_quiet_line_ends_a_frame(dut: Any) -> None:
    """`ended` rises after so many quiet bits, no sooner, and falls with the next start bit."""
    await begin(dut)
    await show(dut, bits_of(0x55))
    assert not dut.uart_pins__ended.value
    await ClockCycles(dut.clk, (QUIET_BITS - 3) * BIT_CYCLES)
    assert not dut.uart_pins__ended.value
    await ClockCycles(dut.clk, 6 * BIT_CYCLES)
    await FallingEdge(dut.clk)
    CORNERS.hit("a quiet line", bool(dut.uart_pins__ended.value))
    await show(dut, [0])
    assert not dut.uart_pins__ended.value
    await show(dut, [1] * 12)


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
