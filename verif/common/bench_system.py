"""Bench of a whole chip between parts of others: cocotbext-axi's master and memory, with pauses."""

import json
import os
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import ClockCycles, Edge, FallingEdge
from cocotbext.axi import (
    AxiBus,
    AxiLiteBus,
    AxiLiteMaster,
    AxiResp,
    AxiSlave,
    MemoryRegion,
)

from hwgen.chip.registers import ALIGNMENT_BYTES, BUSY_BIT, DONE_BIT, ERROR_BIT
from verif.axi_adapter import CLOCK
from verif.common.chances import chances
from verif.stream import reset

JOB = json.loads(Path(os.environ["SYSTEM_JOB"]).read_text(encoding="utf-8"))
"""What runs: see `tests/soc/test_axi.py`."""
PAUSE = 0.4
NEVER = 1 << 62
UNWRITTEN = 0xA5
RUN, LOAD = 0, 1
"""Values of the register `command`, where there is one; a load comes first."""


class Memory(MemoryRegion):
    """Memory of others; from `error_from` on it raises, which is answered with SLVERR."""

    error_from = NEVER

    async def read(self, address: int, length: int, **kwargs: Any) -> bytes:
        """Return bytes, or raise."""
        if address + length > self.error_from:
            raise ValueError(f"no memory at {address:#x}")
        return bytes(await super().read(address, length, **kwargs))


class System:
    """The chip with a host and a memory."""

    def __init__(self, dut: Any) -> None:
        clock = getattr(dut, CLOCK)
        self.dut = dut
        self.master = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "lite"), clock)
        self.memory = Memory(JOB["memory_bytes"])
        self.slave = AxiSlave(AxiBus.from_prefix(dut, "mem"), clock, target=self.memory)
        write, read = self.slave.write_if, self.slave.read_if
        self.memory_channels = [write.aw_channel, write.w_channel, write.b_channel]
        self.memory_channels += [read.ar_channel, read.r_channel]
        write, read = self.master.write_if, self.master.read_if
        self.host_channels = [write.aw_channel, write.w_channel, write.b_channel]
        self.host_channels += [read.ar_channel, read.r_channel]

    def pause(self, seed: int) -> None:
        """Let all ten channels pause at random."""
        rng = np.random.default_rng(seed)
        for channel in (*self.memory_channels, *self.host_channels):
            channel.set_pause_generator(chances(rng, PAUSE))

    def hold(self, what: bool) -> None:
        """Stop the memory, or let it go on."""
        for channel in self.memory_channels:
            channel.pause = what

    async def begin(self) -> None:
        """Reset the chip and give memory and registers their content."""
        await reset(self.dut)
        for address, name in JOB["content"]:
            self.memory.mem[address : address + Path(name).stat().st_size] = Path(name).read_bytes()
        answers = JOB["answers"]
        self.memory.mem[answers : answers + 4096] = bytes([UNWRITTEN]) * 4096
        await self.write("interrupt_enable", 1)
        if JOB["loads"]:
            await self.write("command", LOAD)
        for name, value in JOB["registers"].items():
            await self.write(name, value)

    async def write(self, name: str, value: int) -> None:
        """Write a register."""
        done = await self.master.write(JOB["offsets"][name], value.to_bytes(4, "little"))
        assert done.resp == AxiResp.OKAY, f"writing {name}"

    async def read(self, name: str) -> int:
        """Read a register."""
        done = await self.master.read(JOB["offsets"][name], 4)
        assert done.resp == AxiResp.OKAY, f"reading {name}"
        return int.from_bytes(done.data, "little")

    async def run(self) -> int:
        """Start, wait for the interrupt, clear it; return the status."""
        await self.write("control", 1)
        await self.ended()
        status = await self.read("status")
        assert await self.read("interrupt") == 1
        assert self.dut.irq.value == 1, "reads do not clear it"
        await self.write("interrupt", 1)
        assert self.dut.irq.value == 0
        return status

    async def ended(self) -> None:
        """Wait for the interrupt."""
        while not self.dut.irq.value:
            await Edge(self.dut.irq)
        await FallingEdge(self.dut.clk)


async def load(system: System) -> None:
    """Let a chip that keeps its program load it."""
    if JOB["loads"]:
        assert await system.run() == 1 << DONE_BIT
        await system.write("command", RUN)


@cocotb.test(timeout_time=20, timeout_unit="ms")
@cocotb.parametrize(seed=range(1, 1 + JOB["seeds"]))
async def an_image_runs_between_pauses(dut: Any, seed: int) -> None:
    """The answer is golden's, and lies at the aligned address, whatever the lower bits were.

    Half-way the interrupt of an earlier run is cleared, and the run goes on.
    """
    system = System(dut)
    await system.begin()
    system.pause(seed)
    await load(system)
    name = JOB["answer_register"]
    wanted = JOB["registers"][name]
    await system.write(name, wanted + ALIGNMENT_BYTES - 1)
    assert await system.read(name) == wanted, "bits below the alignment read as 0"
    assert await system.run() == 1 << DONE_BIT
    expected, skipped = Path(JOB["expected"]).read_bytes(), JOB["answer_padding"]
    found = system.memory.mem[wanted : wanted + len(expected) + skipped]
    assert bytes(found[: len(expected)]) == expected
    behind = found[len(expected) + skipped :]
    assert set(behind) <= {UNWRITTEN}


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def a_memory_that_raises_is_a_read_error(dut: Any) -> None:
    """The run stops with its interrupt; with the memory whole again it ends."""
    system = System(dut)
    await system.begin()
    system.memory.error_from = JOB["content"][0][0] + 64
    await system.write("control", 1)
    await system.ended()
    assert await system.read("status") == 1 << ERROR_BIT
    assert await system.read("error") == JOB["read_error"]
    # The next run begins with the interrupt still pending, which is cleared while it goes on.
    system.memory.error_from = NEVER
    await system.write("control", 1)
    assert await system.read("status") & 1 << BUSY_BIT
    await system.write("interrupt", 1)
    assert dut.irq.value == 0 and await system.read("status") & 1 << BUSY_BIT


@cocotb.test(timeout_time=20, timeout_unit="ms", skip=not JOB["slow"])
async def a_slow_memory_is_waited_for_and_a_dead_one_until_reset(dut: Any) -> None:
    """The first answer comes after 5,000 cycles: the run goes on; without one only reset helps."""
    system = System(dut)
    await system.begin()
    system.hold(True)
    await system.write("control", 1)
    await ClockCycles(dut.clk, 5000)
    assert await system.read("status") == 1 << BUSY_BIT
    system.hold(False)
    await ClockCycles(dut.clk, 300)
    assert await system.read("status") == 1 << BUSY_BIT, "the run goes on"
    system.hold(True)
    await ClockCycles(dut.clk, 9000)
    assert await system.read("status") == 1 << BUSY_BIT
    assert dut.irq.value == 0
    await reset(dut)
    assert await system.read("status") == 0
