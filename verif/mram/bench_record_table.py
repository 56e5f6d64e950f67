"""Bench of `record_table`: words that come beat by beat, read a cycle later."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from hwgen.mram.facts.records import record_bits
from hwgen.mram.facts.stream import section_beats
from verif.mram.component import arch_from_environment
from verif.stream import reset

ARCH = arch_from_environment()
BEATS = section_beats(ARCH).record
BITS = record_bits(ARCH)


def port(dut: Any, name: str) -> Any:
    """Return a port of the part."""
    return getattr(dut, f"record_table__{name}")


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_read_holds_until_the_next(dut: Any) -> None:
    """Each word is what its beats were; without `read_en` the word read last stays."""
    rng = np.random.default_rng(1)
    await reset(dut, port(dut, "write_en"), port(dut, "read_en"))
    words = [0] * ARCH.record_entries
    for index in rng.permutation(ARCH.record_entries).tolist():
        for beat in rng.permutation(BEATS).tolist():
            data = int.from_bytes(rng.bytes(ARCH.port_bytes), "little")
            words[index] |= data << (beat * ARCH.port_bits)
            port(dut, "write_en").value = 1 << beat
            port(dut, "write_index").value = index
            port(dut, "write_data").value = data
            await FallingEdge(dut.clk)
    port(dut, "write_en").value = 0
    shown = None
    for _ in range(100):
        enable, index = bool(rng.random() < 0.5), int(rng.integers(ARCH.record_entries))
        port(dut, "read_en").value = enable
        port(dut, "read_index").value = index
        await ReadOnly()
        if shown is not None:
            assert int(port(dut, "read_data").value) == words[shown] % (1 << BITS)
        await FallingEdge(dut.clk)
        shown = index if enable else shown
