"""Bench of `mac_array`: products of random matrices equal numpy's, with gaps and stalls."""

import os
from typing import Any

import cocotb
import numpy as np
from numpy.typing import NDArray

from verif.common.chances import chances
from verif.coverage import Corners
from verif.stream import Stream, accept, offer, reset, watch

ROWS, COLUMNS = "MAC_ROWS", "MAC_COLUMNS"
"""Environment: sizes of the array."""
BLOCKS = (1, 3, 1, 2, 1, 1)
"""Of so many blocks of channels each product is."""
SUM_BITS = 24
CORNERS = Corners("below zero", "above 15 bits")


def packed(values: NDArray[np.int64], bits: int) -> int:
    """Return values as one word, the first in its lowest bits."""
    return sum((int(each) & (1 << bits) - 1) << bits * place for place, each in enumerate(values))


def of_word(word: int, columns: int) -> list[int]:
    """Return the signed sums of a word."""
    half = 1 << SUM_BITS - 1
    parts = [word >> SUM_BITS * place & (1 << SUM_BITS) - 1 for place in range(columns)]
    return [(each + half) % (1 << SUM_BITS) - half for each in parts]


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(gap=[0.0, 0.5], stall=[0.0, 0.8])
async def products_are_those_of_numpy(dut: Any, gap: float, stall: float) -> None:
    """Rows times channels by channels times columns, one product after another."""
    rows, columns = int(os.environ[ROWS]), int(os.environ[COLUMNS])
    rng = np.random.default_rng(7)
    words: list[int] = []
    steps: list[int] = []
    expected: list[list[int]] = []
    for blocks in BLOCKS:
        channels = blocks * rows
        pixels = rng.integers(0, 256, (rows, channels))
        weights = rng.integers(-128, 128, (channels, columns))
        for factors in (pixels, weights):
            factors[rng.random(factors.shape) < 0.4] = 0
        for first in range(0, channels, rows):
            words += [packed(line[first : first + rows], 8) for line in pixels]
        for channel, line in enumerate(weights):
            ends = (channel == 0) + 2 * (channel == channels - 1)
            steps.append(packed(line, 8) | ends << 8 * columns)
        expected += (pixels @ weights).tolist()
    taken = [Stream(dut, name) for name in ("words", "steps")]
    sums = Stream(dut, "sums")
    await reset(dut, *(each.valid for each in taken), sums.ready)
    cocotb.start_soon(accept(sums, chances(rng, stall)))
    for each, content in zip(taken, (words, steps), strict=True):
        cocotb.start_soon(offer(each, content, chances(rng, gap)))
    found = await watch(sums, len(expected))
    assert [of_word(each.word, columns) for each in found] == expected
    CORNERS.hit("below zero", any(min(line) < 0 for line in expected))
    CORNERS.hit("above 15 bits", any(max(map(abs, line)) > 1 << 15 for line in expected))
    if not gap and not stall:
        # Sums of a product of one block leave while those of the next are added: no cycle is lost.
        assert found[-1].cycle - found[0].cycle == rows * (sum(BLOCKS) - BLOCKS[0]) + rows - 1
