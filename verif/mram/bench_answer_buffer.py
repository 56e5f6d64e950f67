"""Bench of `answer_buffer`: blocks of results in, beats of memory out."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from hwgen.mram.rtl.layouts import answer_write
from verif.common.packing import pack, unpack_signed
from verif.mram.component import arch_from_environment
from verif.stream import reset

ARCH = arch_from_environment()
BITS = ARCH.answer_bits
WORDS = ARCH.port_bits // BITS
LIMIT = 1 << (BITS - 1)


def port(dut: Any, name: str) -> Any:
    """Return a port of the part."""
    return getattr(dut, f"answer_buffer__{name}")


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(seed=range(3))
async def beats_match_what_was_written(dut: Any, seed: int) -> None:
    """Every beat holds the elements written last; masked and invalid ones change nothing."""
    rng = np.random.default_rng(seed)
    await reset(dut, port(dut, "write_valid"))
    content = [0] * ARCH.answer_entries
    blocks = ARCH.answer_entries // ARCH.block
    for number in [*range(blocks), *rng.integers(0, blocks, 3 * blocks).tolist()]:
        first_time = 0 in content
        values = [int(value) for value in rng.integers(-LIMIT, LIMIT, ARCH.block)]
        mask = [first_time or bool(rng.random() < 0.5) for _ in values]
        valid = first_time or bool(rng.random() < 0.7)
        fields = {"index": number, "mask": pack(mask, bits=1), "data": pack(values, bits=BITS)}
        port(dut, "write").value = answer_write(ARCH).const(fields).as_bits()
        port(dut, "write_valid").value = valid
        await FallingEdge(dut.clk)
        for lane, value in enumerate(values):
            if valid and mask[lane]:
                content[number * ARCH.block + lane] = value
    port(dut, "write_valid").value = 0
    for beat in range(ARCH.answer_entries // WORDS):
        port(dut, "read_index").value = beat
        await ReadOnly()
        got = unpack_signed(int(port(dut, "read_data").value), bits=BITS, count=WORDS)
        assert got == content[beat * WORDS : (beat + 1) * WORDS], f"seed {seed}, beat {beat}"
        await FallingEdge(dut.clk)
