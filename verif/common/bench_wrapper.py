"""Bench of the wrapper that `hwgen build` writes: its registers answer, whatever its clock is."""

import os
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles
from cocotbext.axi import AxiLiteBus, AxiLiteMaster, AxiResp

IDLE = ("arready", "awready", "wready", "rvalid", "bvalid")


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def the_id_is_read(dut: Any) -> None:
    """The environment says the period, in picoseconds, and what `id` must read."""
    Clock(dut.aclk, int(os.environ["WRAPPER_PERIOD_PS"]), "ps").start()
    dut.aresetn.value = 0
    for name in IDLE:
        getattr(dut, f"m_axi_{name}").value = 0
    master = AxiLiteMaster(
        AxiLiteBus.from_prefix(dut, "s_axi"), dut.aclk, dut.aresetn, reset_active_level=False
    )
    await ClockCycles(dut.aclk, 4)
    dut.aresetn.value = 1
    await ClockCycles(dut.aclk, 2)
    done = await master.read(0, 4)
    assert done.resp == AxiResp.OKAY
    assert int.from_bytes(done.data, "little") == int(os.environ["WRAPPER_ID"], 16)
