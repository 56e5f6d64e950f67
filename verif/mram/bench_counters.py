"""Bench of `counters`: sums of what octets report, of a command and since reset."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from hwgen.mram.rtl.layouts import octet_trace
from verif.mram.component import arch_from_environment
from verif.stream import reset

ARCH = arch_from_environment()
LAYOUT = octet_trace(ARCH)
FIELDS = {
    "and_operations": "ands",
    "input_row_writes": "input_writes",
    "weight_row_writes": "weight_writes",
    "refused_row_writes": "refused",
}
OF_COMMAND = ("and_operations", "input_row_writes")
LATENCY = 2


def port(dut: Any, name: str) -> Any:
    """Return a port of the part."""
    return getattr(dut, f"counters__{name}")


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def each_counter_is_a_sum(dut: Any) -> None:
    """A start clears the counters of the command, and no other."""
    rng = np.random.default_rng(1)
    await reset(dut, port(dut, "start"), port(dut, "octets"))
    totals = dict.fromkeys(FIELDS, 0)
    for command in range(3):
        port(dut, "start").value = 1
        await FallingEdge(dut.clk)
        port(dut, "start").value = 0
        totals |= dict.fromkeys(OF_COMMAND, 0)
        for _ in range(50):
            word = 0
            for octet in range(ARCH.octets):
                fields = {name: int(rng.integers(0, ARCH.block + 1)) for name in FIELDS.values()}
                word |= LAYOUT.const(fields).as_bits() << (octet * LAYOUT.size)
                for name, field in FIELDS.items():
                    totals[name] += fields[field]
            port(dut, "octets").value = word
            await FallingEdge(dut.clk)
        port(dut, "octets").value = 0
        for _ in range(LATENCY - 1):
            await FallingEdge(dut.clk)
        await ReadOnly()
        got = {name: int(port(dut, name).value) for name in FIELDS}
        assert got == totals, f"command {command}"
        await FallingEdge(dut.clk)
