"""Bench of `direct_feed`: words come and go, and macros leave them at independent rates."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from hwgen.dbpim.rtl.layouts import fetched_word, queue_head
from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment
from verif.stream import reset

ARCH = arch_from_environment()
MACROS, CYCLES = ARCH.macros_per_core, 300
WORD, HEAD = fetched_word(ARCH), queue_head(ARCH)
EVERY = (1 << MACROS) - 1
CORNERS = Corners(
    "no word",
    "all macros leave in one cycle",
    "a word in the cycle after another left",
    *(("a macro waits for another one",) if MACROS > 1 else ()),
)


def heads_of(word: int) -> list[tuple[int, int, int]]:
    """Return bytes, tag and position that each macro must see of a word."""
    fields = WORD.from_bits(word)
    positions = fields.positions.as_bits()
    size = WORD["positions"].shape.size // MACROS
    return [
        (
            fields.bytes[macro].as_bits(),
            fields.tag.as_bits(),
            positions >> macro * size & ((1 << size) - 1),
        )
        for macro in range(MACROS)
    ]


def shown(dut: Any) -> list[tuple[int, int, int]]:
    """Return bytes, tag and position of each head."""
    word = int(dut.direct_feed__heads.value)
    heads = [word >> macro * HEAD.size & ((1 << HEAD.size) - 1) for macro in range(MACROS)]
    found = [HEAD.from_bits(each) for each in heads]
    return [(head.bytes.as_bits(), head.tag.as_bits(), head.position.as_bits()) for head in found]


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(seed=range(2), gap=[0.0, 0.5], pace=[0.2, 0.8])
async def words_are_left_once(dut: Any, seed: int, gap: float, pace: float) -> None:
    """A macro has a word until it leaves it; the word is released when all have left it."""
    rng = np.random.default_rng(seed)
    await reset(dut, dut.direct_feed__word_valid, dut.direct_feed__leave)
    word, left, released = 0, 0, False
    valid = False
    for _ in range(CYCLES):
        if not valid:
            valid = bool(rng.random() >= gap)
            word = int.from_bytes(rng.bytes(WORD.size // 8 + 1), "little") % (1 << WORD.size)
            CORNERS.hit("a word in the cycle after another left", valid and released)
        dut.direct_feed__word_valid.value = valid
        dut.direct_feed__word.value = word
        has = EVERY & ~left if valid else 0
        together = rng.random() < 0.1
        leave = sum(
            1 << macro
            for macro in range(MACROS)
            if has >> macro & 1 and (together or rng.random() < pace)
        )
        dut.direct_feed__leave.value = leave
        await ReadOnly()
        where = f"seed {seed}"
        assert int(dut.direct_feed__head_valid.value) == has, f"{where}: heads"
        if valid:
            assert shown(dut) == heads_of(word), f"{where}: content of the heads"
        released = valid and left | leave == EVERY
        assert bool(dut.direct_feed__word_release.value) == released, f"{where}: release"
        CORNERS.hit("no word", not valid)
        CORNERS.hit("all macros leave in one cycle", leave == EVERY)
        if MACROS > 1:
            CORNERS.hit("a macro waits for another one", valid and 0 < left < EVERY)
        left = 0 if released else left | leave
        valid &= not released
        await FallingEdge(dut.clk)


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
