"""Bench of `logit_buffer`: logits in groups of F, beats of the memory port out."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from hwgen.rtl.dbpim.layouts import bus_write
from hwgen.spec.dbpim.arch import ACCUMULATOR_BITS
from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment, unpack_signed
from verif.stream import reset

ARCH = arch_from_environment()
LAYOUT = bus_write(ARCH)
WORDS = ARCH.port_bits // ACCUMULATOR_BITS
BEATS = ARCH.logit_entries // WORDS
LOW, HIGH = -(1 << 31), (1 << 31) - 1
CORNERS = Corners("smallest logit", "largest logit", "a word that is no logit", "a quiet cycle")


@cocotb.test()
@cocotb.parametrize(seed=range(3))
async def beats_match_what_was_written(dut: Any, seed: int) -> None:
    """Every beat holds the logits written last; bus words of maps change nothing."""
    rng = np.random.default_rng(seed)
    await reset(dut, dut.logit_buffer__write_valid)
    logits = np.zeros(ARCH.logit_entries, np.int64)
    groups = rng.permutation(ARCH.logit_entries // ARCH.filters).tolist()
    for group in [*groups, *groups[: len(groups) // 2]]:
        values = rng.choice([LOW, HIGH, *rng.integers(LOW, HIGH, 6)], ARCH.filters)
        first = group * ARCH.filters
        await write(dut, first, values, raw=True)
        logits[first : first + ARCH.filters] = values
        CORNERS.hit("smallest logit", bool((values == LOW).any()))
        CORNERS.hit("largest logit", bool((values == HIGH).any()))
        await write(dut, int(rng.integers(0, 1 << 4)), values + 1, raw=False)
        CORNERS.hit("a word that is no logit")
        await write(dut, first, values - 1, raw=True, valid=False)
        CORNERS.hit("a quiet cycle")
    for beat in range(BEATS):
        dut.logit_buffer__read_index.value = beat
        await ReadOnly()
        word = int(dut.logit_buffer__read_data.value)
        got = unpack_signed(word, bits=ACCUMULATOR_BITS, count=WORDS)
        want = logits[beat * WORDS : (beat + 1) * WORDS].tolist()
        assert got == want, f"seed {seed}, beat {beat}: {got}, written were {want}"
        await FallingEdge(dut.clk)


async def write(
    dut: Any, address: int, values: np.ndarray, *, raw: bool, valid: bool = True
) -> None:
    """Put a word on the bus for one cycle."""
    data = 0
    for place, value in enumerate(values.tolist()):
        data |= (value & 0xFFFF_FFFF) << (ACCUMULATOR_BITS * place)
    fields = {"data": data, "enable": 0, "bank": 0, "address": address, "raw": int(raw)}
    dut.logit_buffer__write.value = LAYOUT.const(fields).as_bits()
    dut.logit_buffer__write_valid.value = valid
    await FallingEdge(dut.clk)
    dut.logit_buffer__write_valid.value = 0


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
