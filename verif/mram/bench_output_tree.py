"""Bench of `output_tree`: the sums of the octet named appear one cycle later, and stay."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from verif.mram.component import arch_from_environment
from verif.stream import reset

ARCH = arch_from_environment()
WIDTH = ARCH.block * ARCH.accumulator_bits


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def sums_of_each_octet_come_out(dut: Any) -> None:
    """Each octet's sums pass unchanged, in any order; without `load` the last ones stay."""
    rng = np.random.default_rng(4)
    await reset(dut)
    want = None
    for cycle in range(100):
        words = [int.from_bytes(rng.bytes(WIDTH // 8)) for _ in range(ARCH.octets)]
        octet = cycle % ARCH.octets if cycle < 50 else int(rng.integers(ARCH.octets))
        for number, word in enumerate(words):
            getattr(dut, f"output_tree__sums__{number}").value = word
        load = cycle < 50 or bool(rng.random() < 0.5)
        dut.output_tree__octet.value, dut.output_tree__load.value = octet, int(load)
        await ReadOnly()
        got = int(dut.output_tree__chosen.value) if want is not None else None
        assert got == want, f"cycle {cycle}: got {got}, not {want}"
        want = words[octet] if load else want
        await FallingEdge(dut.clk)
