"""Noise of reads: what is added to the sum of a column in front of its converter.

It follows from the seed, the column and the number of its read since the image began, by a hash
and no generator, so a chip has the same bits whenever it reads. With all numbers modulo 2^32:

    mix(x)     three shifts and two products, see `hwgen.crossbar.facts.levels.MIX`
    key        k of the last part of (seed, layer, section, copy, first row of the tile, column),
               k = mix(k before + part + 0x9E3779B9), 0 before the seed
    one        mix(key + read * 0x9E3779B9)
    other      mix(one xor key)
    noise      (gain * (sum of the eight bytes of one and other - 1020) + 2^15) >> 16

in steps of 1/64 of a code, signed; `gain` makes the deviation that of the file. A read is a bit
step of a block: read = block * bit steps + bit step, and the next image begins again with 0.

Tests: `tests/golden/crossbar/test_read_noise.py`.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from golden.crossbar.encoding import Ints
from hwgen.crossbar.facts.levels import GAIN_BITS, GOLDEN_RATIO, LEVEL_STEPS, MIX

Words = NDArray[np.uint32]

DRAWN_BYTES = 8
"""Uniform bytes whose sum is a draw."""
MEAN = DRAWN_BYTES * 255 // 2
"""Of a sum of bytes."""


def gain_of(deviation: float) -> int:
    """Return what a unit of the sum of bytes is worth; deviation: in codes."""
    of_bytes = math.sqrt(DRAWN_BYTES * (256**2 - 1) / 12)
    return round(deviation * (1 << LEVEL_STEPS + GAIN_BITS) / of_bytes)


def mixed(words: Words) -> Words:
    """Return words that differ in about half of their bits where the given differ in any."""
    found = words ^ (words >> np.uint32(16))
    found *= np.uint32(MIX[0])
    found ^= found >> np.uint32(15)
    found *= np.uint32(MIX[1])
    found ^= found >> np.uint32(16)
    return found


def keys_of(seed: int, place: Sequence[int], columns: int) -> Words:
    """Return the key of each column of a tile; place: layer, section, copy and first row."""
    key: Words = np.zeros(columns, np.uint32)
    each: Words = np.arange(columns, dtype=np.uint32)
    parts: list[Words] = [np.full(columns, part % (1 << 32), np.uint32) for part in (seed, *place)]
    for part in (*parts, each):
        key = mixed(key + part + np.uint32(GOLDEN_RATIO))
    return key


def noise_of(keys: Words, reads: NDArray[np.integer], gain: int) -> Ints:
    """Return the noise (reads, columns) in steps of 1/64 of a code, signed.

    reads: their numbers since the image began
    """
    apart = reads.astype(np.uint32)[:, np.newaxis] * np.uint32(GOLDEN_RATIO)
    one = mixed(apart + keys)
    other = mixed(one ^ keys)
    total = np.full(one.shape, -MEAN, np.int64)
    for words in (one, other):
        for place in range(0, 32, 8):
            total += (words >> np.uint32(place)) & np.uint32(255)
    total *= gain
    total += 1 << GAIN_BITS - 1
    total >>= GAIN_BITS
    return total
