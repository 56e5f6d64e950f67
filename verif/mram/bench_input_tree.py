"""Bench of `input_tree`: planes and rows of weights reach their octets one cycle later."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from hwgen.chip.widths import bits_for_index
from verif.mram.component import arch_from_environment
from verif.stream import reset

ARCH = arch_from_environment()
SUB_BITS = bits_for_index(ARCH.sub_arrays)


def port(dut: Any, name: str) -> Any:
    """Return a port of the part."""
    return getattr(dut, f"input_tree__{name}")


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(seed=range(3))
async def everything_arrives_a_cycle_later(dut: Any, seed: int) -> None:
    """Enables last one cycle; data is there with them, and holds."""
    rng = np.random.default_rng(seed)
    await reset(dut, port(dut, "send_valid"), port(dut, "send_go"), port(dut, "weight_valid"))
    want: dict[str, int] = {"octet_valid": 0, "octet_go": 0, "array_valid": 0}
    marks = ("half", "flush") if ARCH.overlap else ()
    for cycle in range(200):
        sends, loads = (bool(rng.random() < 0.5) for _ in range(2))
        octets, goes = (int(rng.integers(1 << ARCH.octets)) for _ in range(2))
        row, sub_array = int(rng.integers(ARCH.input_rows)), int(rng.integers(ARCH.sub_arrays))
        plane = int.from_bytes(rng.bytes(256)) % (1 << ARCH.input_columns)
        weights = int.from_bytes(rng.bytes(256)) % (1 << ARCH.array.columns)
        weight_row = int(rng.integers(ARCH.array.rows))
        inputs = {
            "send_valid": int(sends),
            "send_row": row,
            "send_data": plane,
            "send_octets": octets,
            "send_go": goes,
            "weight_valid": int(loads),
            "weight": sub_array
            | weight_row << SUB_BITS
            | weights << (SUB_BITS + ARCH.row_index_bits),
        }
        inputs |= {f"send_{mark}": int(rng.integers(2)) for mark in marks}
        for name, value in inputs.items():
            port(dut, name).value = value
        await ReadOnly()
        got = {name: int(port(dut, name).value) for name in want}
        assert got == want, f"seed {seed}, cycle {cycle}: got {got}, the rule says {want}"
        want["octet_valid"] = octets if sends else 0
        want["octet_go"] = goes
        want |= {f"octet_{mark}": inputs[f"send_{mark}"] for mark in marks}
        want["array_valid"] = 1 << sub_array if loads else 0
        if sends:
            want |= {"input_row": row, "input_data": plane}
        if loads:
            want |= {"weight_row": weight_row, "weight_data": weights}
        await FallingEdge(dut.clk)
