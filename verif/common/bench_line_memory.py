"""Bench of `line_memory`: bursts of the chip between single bytes of the host, and errors."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly
from cocotbext.axi import AxiBus, AxiMaster, AxiResp

from verif.axi_adapter import CLOCK
from verif.common.chances import chances
from verif.common.line_parts import PORT_BITS, SIZE
from verif.coverage import Corners
from verif.stream import reset

ACCESSES = 40
BYTES = PORT_BITS // 8
CORNERS = Corners(
    "a byte of the host while a burst goes",
    "one beat",
    "the whole memory",
    "strobes",
    "outside",
    "half outside",
)


async def host(dut: Any, rng: np.random.Generator, memory: bytearray, rate: float) -> None:
    """Write and read bytes in the upper half of the memory, which no burst of the chip writes."""
    port = {name: getattr(dut, f"line_memory__host__{name}") for name in HOST}
    expected: int | None = None
    while True:
        await FallingEdge(dut.clk)
        on, write = bool(rng.random() < rate), bool(rng.random() < 0.5)
        at, byte = int(rng.integers(SIZE // 2, SIZE)), int(rng.integers(256))
        for name, value in zip(HOST, (on, write, at, byte), strict=True):
            port[name].value = value
        await ReadOnly()
        if expected is not None:
            assert int(dut.line_memory__host__answer.value) == expected
        busy = bool(dut.axi_wvalid.value) or not dut.axi_arready.value
        CORNERS.hit("a byte of the host while a burst goes", on and busy)
        expected = memory[at] if on and not write else None
        if on and write:
            memory[at] = byte


HOST = ("en", "write", "address", "data")


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(seed=range(2), pause=[0.0, 0.5], rate=[0.1, 0.9])
async def both_sides_see_one_memory(dut: Any, seed: int, pause: float, rate: float) -> None:
    """Reads of the chip are what it and the host wrote; beats outside answer with an error."""
    rng = np.random.default_rng([seed, int(10 * pause), int(10 * rate)])
    master = AxiMaster(AxiBus.from_prefix(dut, "axi"), getattr(dut, CLOCK))
    for channel in (master.write_if.aw_channel, master.write_if.w_channel):
        channel.set_pause_generator(chances(rng, pause))
    for channel in (master.write_if.b_channel, master.read_if.ar_channel):
        channel.set_pause_generator(chances(rng, pause))
    master.read_if.r_channel.set_pause_generator(chances(rng, pause))
    await reset(dut, dut.line_memory__host__en)
    memory = bytearray(SIZE)
    assert (await master.write(0, bytes(SIZE), awid=0)).resp == AxiResp.OKAY
    speaking = cocotb.start_soon(host(dut, rng, memory, rate))
    for _ in range(ACCESSES):
        await one_access(master, rng, memory)
    speaking.cancel()


async def one_access(master: AxiMaster, rng: np.random.Generator, memory: bytearray) -> None:
    """Write or read a burst of the lower half, or beyond the end of the memory."""
    count = int(rng.choice([1, BYTES, SIZE // 2, int(rng.integers(1, SIZE // 2))]))
    at = int(rng.integers(0, SIZE // 2 - count + 1))
    CORNERS.hit("one beat", count == BYTES and at % BYTES == 0)
    CORNERS.hit("strobes", bool(at % BYTES or count % BYTES))
    if rng.random() < 0.2:
        await outside(master, rng, memory)
    elif rng.random() < 0.5:
        data = rng.bytes(count)
        memory[at : at + count] = data
        assert (await master.write(at, data, awid=0)).resp == AxiResp.OKAY
    else:
        CORNERS.hit("the whole memory", count == SIZE // 2)
        found = await master.read(at, count, arid=0)
        assert found.resp == AxiResp.OKAY
        assert found.data == memory[at : at + count]


async def outside(master: AxiMaster, rng: np.random.Generator, memory: bytearray) -> None:
    """Reach beyond the end: an error, and nothing is written where the address wraps."""
    if rng.random() < 0.5:
        at = int(rng.choice([SIZE, 1 << 32, (1 << 63) + SIZE]))
        assert (await master.write(at, rng.bytes(4 * BYTES), awid=0)).resp == AxiResp.SLVERR
        assert (await master.read(at, 4 * BYTES, arid=0)).resp == AxiResp.SLVERR
        CORNERS.hit("outside")
        return
    found = await master.read(SIZE - BYTES, 2 * BYTES, arid=0)
    assert found.resp == AxiResp.SLVERR
    CORNERS.hit("half outside")


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
