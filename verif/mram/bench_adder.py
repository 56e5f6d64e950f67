"""Bench of `adder`: rows and commands of an addition in every cycle."""

from collections.abc import Iterator
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from hwgen.mram.facts.records import encode_record
from hwgen.mram.facts.timing import ADD_CYCLES_PER_BIT
from verif.mram.component import arch_from_environment
from verif.stream import reset

ARCH = arch_from_environment()
COMMANDS = ("xor_en", "write_zeros", "write_sum", "write_carry", "adding")


def steps(fields: dict[str, int]) -> Iterator[tuple[str, dict[str, int]]]:
    """Yield the command of each cycle and the rows that it needs."""
    yield "write_zeros", {"write_row": fields["carry_row"]}
    for bit in range(fields["input_planes"]):
        operands = {f"row_{place}": fields[f"weight_row_{place}"] + bit for place in range(2)}
        yield "xor_en", {**operands, "row_2": fields["carry_row"]}
        yield "write_sum", {"write_row": fields["result_row"] + bit}
        yield "write_carry", {"write_row": fields["carry_row"]}


async def idle(dut: Any) -> None:
    """Nothing happens without a go."""
    await ReadOnly()
    assert [int(getattr(dut, f"adder__{name}").value) for name in COMMANDS] == [0] * len(COMMANDS)
    await FallingEdge(dut.clk)


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(bits=[1, 2, 5, 8])
async def commands_follow_the_rule(dut: Any, bits: int) -> None:
    """Zeros first, then three cycles a bit; twice, so that the second starts clean."""
    rng = np.random.default_rng(bits)
    await reset(dut, dut.adder__add_go)
    for _ in range(2):
        fields = {
            "input_planes": bits,
            "weight_row_0": int(rng.integers(ARCH.array.rows - bits)),
            "weight_row_1": int(rng.integers(ARCH.array.rows - bits)),
            "result_row": int(rng.integers(ARCH.weight_rows, ARCH.array.rows - bits)),
            "carry_row": ARCH.array.rows - 1,
        }
        dut.adder__record.value = encode_record(fields, ARCH)
        await idle(dut)
        dut.adder__add_go.value = 1
        await idle(dut)
        dut.adder__add_go.value = 0
        rule = list(steps(fields))
        assert len(rule) == 1 + ADD_CYCLES_PER_BIT * bits
        for cycle, (command, rows) in enumerate(rule):
            await ReadOnly()
            active = [name for name in COMMANDS if int(getattr(dut, f"adder__{name}").value)]
            assert sorted(active) == sorted([command, "adding"]), f"{bits} bits, cycle {cycle}"
            got = {name: int(getattr(dut, f"adder__{name}").value) for name in rows}
            assert got == rows, f"{bits} bits, cycle {cycle}: got {got}, the rule says {rows}"
            await FallingEdge(dut.clk)
        await idle(dut)
