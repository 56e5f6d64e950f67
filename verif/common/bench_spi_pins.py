"""Bench of `spi_pins`: bytes in both directions, at the fastest SCK and slower, torn ones too."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from hwgen.chip.line import SPI_CYCLES, SPI_IDLE
from verif.coverage import Corners
from verif.stream import reset

BYTES = 16
HALF = SPI_CYCLES // 2
CORNERS = Corners("a torn byte", "nothing to send", "something to send")


async def wait(dut: Any, cycles: int) -> None:
    """Let clock cycles pass."""
    for _ in range(cycles):
        await FallingEdge(dut.clk)


async def bits(dut: Any, byte: int, count: int, half: int) -> int:
    """Exchange the first bits of a byte; return those that came."""
    came = 0
    for place in range(count):
        dut.spi_pins__mosi.value = byte >> (7 - place) & 1
        await wait(dut, half)
        came = came << 1 | int(dut.spi_pins__miso.value)
        dut.spi_pins__sck.value = 1
        await wait(dut, half)
        dut.spi_pins__sck.value = 0
    return came


async def collect(dut: Any, found: list[int], taken: list[int], rng: np.random.Generator) -> None:
    """Note what is received, and offer bytes to send now and then; note which are taken."""
    while True:
        await ReadOnly()
        if dut.spi_pins__received__valid.value:
            found.append(int(dut.spi_pins__received__payload.value))
        begins = bool(dut.spi_pins__sent__ready.value)
        if begins:
            on = bool(dut.spi_pins__sent__valid.value)
            taken.append(int(dut.spi_pins__sent__payload.value) if on else SPI_IDLE)
        await FallingEdge(dut.clk)
        if begins or not dut.spi_pins__sent__valid.value:
            dut.spi_pins__sent__valid.value = bool(rng.random() < (0.5 if begins else 0.01))
            dut.spi_pins__sent__payload.value = int(rng.integers(256))


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(seed=range(2), half=[HALF, HALF + 3])
async def bytes_come_and_go(dut: Any, seed: int, half: int) -> None:
    """All whole bytes of a transfer are received; the host sees what was taken, byte by byte."""
    rng = np.random.default_rng([seed, half])
    dut.spi_pins__cs_n.value = 1
    await reset(dut, dut.spi_pins__sent__valid, dut.spi_pins__sck)
    found: list[int] = []
    taken: list[int] = []
    cocotb.start_soon(collect(dut, found, taken, rng))
    for _ in range(4):
        await wait(dut, half)
        found.clear()
        taken.clear()
        dut.spi_pins__cs_n.value = 0
        await wait(dut, half)
        assert not dut.spi_pins__ended.value
        sent = list(rng.bytes(BYTES))
        came = [await bits(dut, byte, 8, half) for byte in sent]
        torn = int(rng.integers(0, 8))
        await bits(dut, 0xFF, torn, half)
        await wait(dut, half)
        dut.spi_pins__cs_n.value = 1
        await wait(dut, half)
        assert dut.spi_pins__ended.value
        assert found == sent
        assert came[0] == SPI_IDLE and came[1:] == taken[: BYTES - 1]
        CORNERS.hit("a torn byte", torn > 0)
        CORNERS.hit("nothing to send", SPI_IDLE in taken)
        CORNERS.hit("something to send", any(taken))


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
