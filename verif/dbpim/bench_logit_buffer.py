"""Bench of `logit_buffer`: logits in groups of F and words of maps in, beats of memory out."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from hwgen.dbpim.facts.arch import ACCUMULATOR_BITS
from hwgen.dbpim.rtl.layouts import bus_write
from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment, unpack_signed
from verif.stream import reset

ARCH = arch_from_environment()
LAYOUT = bus_write(ARCH)
WORDS = ARCH.port_bits // ACCUMULATOR_BITS
BEATS = ARCH.logit_entries // WORDS
EVERY = (1 << ARCH.word) - 1
LOW, HIGH = -(1 << 31), (1 << 31) - 1
CORNERS = Corners(
    "smallest logit",
    "largest logit",
    "a word for the buffers",
    "a quiet cycle",
    "a word of a map",
    "bytes of a word that are not enabled",
)


@cocotb.test()
@cocotb.parametrize(seed=range(3))
async def beats_match_what_was_written(dut: Any, seed: int) -> None:
    """Every beat holds the logits written last; bus words for the buffers change nothing."""
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
        await write(dut, first, values - 1, enable=EVERY)
        CORNERS.hit("a word for the buffers")
        await write(dut, first, values - 1, raw=True, valid=False)
        CORNERS.hit("a quiet cycle")
    await compare(dut, logits, f"seed {seed}")


@cocotb.test()
@cocotb.parametrize(seed=range(3))
async def words_of_maps_match(dut: Any, seed: int) -> None:
    """A word with `to_memory` writes its enabled bytes, a logit between them all of its own."""
    rng = np.random.default_rng(seed)
    await reset(dut, dut.logit_buffer__write_valid)
    content = np.zeros((ARCH.logit_entries, 4), np.uint8)
    size = ARCH.word // 4
    for first in range(0, ARCH.logit_entries, size):
        await write(dut, first, np.zeros(size, np.int64), enable=EVERY, to_memory=True)
    for _ in range(ARCH.logit_entries):
        if rng.random() < 0.3:
            first = ARCH.filters * int(rng.integers(ARCH.logit_entries // ARCH.filters))
            values = rng.integers(LOW, HIGH, ARCH.filters)
            await write(dut, first, values, raw=True)
            content[first : first + ARCH.filters] = values.astype("<i4")[:, None].view(np.uint8)
            continue
        first = size * int(rng.integers(ARCH.logit_entries // size))
        word = rng.integers(LOW, HIGH, size)
        enable = int(rng.choice([EVERY, int(rng.integers(0, EVERY + 1))]))
        await write(dut, first, word, enable=enable, to_memory=True)
        bytes_of = word.astype("<i4")[:, None].view(np.uint8)
        stored = np.array([enable >> n & 1 for n in range(4 * size)], bool).reshape(size, 4)
        content[first : first + size][stored] = bytes_of[stored]
        CORNERS.hit("a word of a map")
        CORNERS.hit("bytes of a word that are not enabled", enable != EVERY)
    await compare(dut, content.view("<i4").ravel(), f"seed {seed}")


async def compare(dut: Any, entries: np.ndarray, where: str) -> None:
    """Read every beat."""
    for beat in range(BEATS):
        dut.logit_buffer__read_index.value = beat
        await ReadOnly()
        word = int(dut.logit_buffer__read_data.value)
        got = unpack_signed(word, bits=ACCUMULATOR_BITS, count=WORDS)
        want = entries[beat * WORDS : (beat + 1) * WORDS].tolist()
        assert got == want, f"{where}, beat {beat}: {got}, written were {want}"
        await FallingEdge(dut.clk)


async def write(
    dut: Any,
    index: int,
    values: np.ndarray,
    *,
    raw: bool = False,
    to_memory: bool = False,
    enable: int = 0,
    valid: bool = True,
) -> None:
    """Put a word on the bus for one cycle."""
    data = 0
    for place, value in enumerate(values.tolist()):
        data |= (value & 0xFFFF_FFFF) << (ACCUMULATOR_BITS * place)
    fields = {"data": data, "enable": enable, "row": 0, "column": 0, "word": 0, "index": index}
    fields |= {"raw": int(raw), "to_memory": int(to_memory)}
    dut.logit_buffer__write.value = LAYOUT.const(fields).as_bits()
    dut.logit_buffer__write_valid.value = valid
    await FallingEdge(dut.clk)
    dut.logit_buffer__write_valid.value = 0


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
