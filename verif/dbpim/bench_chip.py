"""Bench of the chip: whole networks from start to done, with the memory in Verilog."""

import json
import os
from pathlib import Path
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, ReadOnly

from hwgen.chip.registers import BUSY_BIT, DONE_BIT
from hwgen.dbpim.facts.registers import OFFSETS
from verif.dbpim.component import arch_from_environment, unpack_signed
from verif.stream import reset

ARCH = arch_from_environment()
LOGIT_BITS = 32
JOB = "DBPIM_CHIP_JOB"
"""File that tells addresses, and for each run what golden and the cycle model expect."""


async def write_register(dut: Any, name: str, value: int) -> None:
    """Write 32 bits through the register port."""
    dut.registers__awaddr.value = OFFSETS[name]
    dut.registers__wdata.value = value
    dut.registers__wstrb.value = 0xF
    for signal in (dut.registers__awvalid, dut.registers__wvalid, dut.registers__bready):
        signal.value = 1
    await FallingEdge(dut.clk)
    while not dut.registers__bvalid.value:
        await FallingEdge(dut.clk)
    assert int(dut.registers__bresp.value) == 0, f"writing {name} was refused"
    dut.registers__awvalid.value = dut.registers__wvalid.value = 0
    await FallingEdge(dut.clk)


async def read_register(dut: Any, name: str) -> int:
    """Read 32 bits through the register port."""
    dut.registers__araddr.value = OFFSETS[name]
    dut.registers__arvalid.value = dut.registers__rready.value = 1
    await FallingEdge(dut.clk)
    dut.registers__arvalid.value = 0
    while not dut.registers__rvalid.value:
        await FallingEdge(dut.clk)
    value = int(dut.registers__rdata.value)
    await FallingEdge(dut.clk)
    return value


async def read_logits(dut: Any, *, address: int, count: int) -> list[int]:
    """Return int32 words of the memory."""
    words: list[int] = []
    for beat in range(-(-count * LOGIT_BITS // ARCH.port_bits)):
        dut.peek_index.value = address // ARCH.port_bytes + beat
        await ReadOnly()
        per_beat = ARCH.port_bits // LOGIT_BITS
        words += unpack_signed(int(dut.peek.value), bits=LOGIT_BITS, count=per_beat)
        await FallingEdge(dut.clk)
    return words[:count]


@cocotb.test(timeout_time=1, timeout_unit="sec")
async def chip_makes_every_run(dut: Any) -> None:
    """Answers and counters of each run equal the prediction made before it."""
    job = json.loads(Path(os.environ[JOB]).read_text(encoding="utf-8"))
    await reset(dut, dut.registers__awvalid, dut.registers__wvalid, dut.registers__arvalid)
    assert await read_register(dut, "id") == ARCH.id_word
    await write_register(dut, "program_address_low", job["program"])
    await write_register(dut, "scratch_address_low", job["scratch"])
    for number, run in enumerate(job["runs"]):
        await write_register(dut, "image_address_low", run["address"])
        await write_register(dut, "logits_address_low", run["answers_address"])
        await write_register(dut, "control", 1)
        await dut.run_ends.value_change
        await FallingEdge(dut.clk)
        status = 1 << BUSY_BIT
        while status >> BUSY_BIT & 1:
            status = await read_register(dut, "status")
        assert status == 1 << DONE_BIT, f"run {number}: status {status:#x}"
        counted = [await read_register(dut, name) for name in ("cycles_low", "load_cycles_low")]
        assert counted == [run["cycles"], run["load_cycles"]], f"run {number}"
        for offset, logits in zip(job["offsets"], run["logits"], strict=True):
            address = run["answers_address"] + offset
            found = await read_logits(dut, address=address, count=len(logits))
            assert found == logits, f"run {number}, offset {offset}"
