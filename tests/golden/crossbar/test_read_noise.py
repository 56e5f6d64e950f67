"""Noise of reads: the formula of docs/device-effects.md in plain numbers, and its distribution."""

import math

import numpy as np
import pytest

from golden.crossbar.effects import ErringCrossbars
from golden.crossbar.read_noise import gain_of, keys_of, noise_of
from tests.golden.crossbar.test_effects import chip, digits, with_effects

WORD = 0xFFFFFFFF
READS = np.arange(20_000)


def mix(x: int) -> int:
    """The page's mix, on one whole number."""
    x = ((x ^ (x >> 16)) * 0x7FEB352D) & WORD
    x = ((x ^ (x >> 15)) * 0x846CA68B) & WORD
    return x ^ (x >> 16)


def noise(seed: int, place: tuple[int, ...], column: int, read: int, deviation: float) -> int:
    """The page's noise of one read of one column."""
    key = 0
    for part in (seed, *place, column):
        key = mix((key + part + 0x9E3779B9) & WORD)
    one = mix((key + read * 0x9E3779B9) & WORD)
    total = sum(one.to_bytes(4, "little")) + sum(mix(one ^ key).to_bytes(4, "little"))
    gain = round(deviation * 64 * 65536 / math.sqrt(8 * 65535 / 12))
    return (gain * (total - 1020) + 32768) // 65536


@pytest.mark.promise(
    "the noise of each read of a column is that of the formula on the page of effects, from seed,"
    " place, column and the number of the read"
)
@pytest.mark.parametrize("deviation", [0.01, 0.5, 4.0])
def test_noise_is_the_pages(deviation: float) -> None:
    rng = np.random.default_rng(6)
    for seed in (0, 1, 2**32 - 1, 2**40 + 3):
        place = tuple(int(part) for part in rng.integers(0, 4000, 4))
        reads = np.array([0, 1, 7, 65_535, int(rng.integers(0, 2**31))])
        found = noise_of(keys_of(seed, place, 5), reads, gain_of(deviation))
        wanted = [
            [noise(seed, place, column, int(read), deviation) for column in range(5)]
            for read in reads
        ]
        assert found.tolist() == wanted


@pytest.mark.promise(
    "noise of reads has mean 0, the deviation of the file, the shape of a sum of eight bytes, and"
    " neither reads nor columns nor seeds go together"
)
def test_its_distribution() -> None:
    found = noise_of(keys_of(1, (0, 0, 0, 0), 64), READS, gain_of(0.5)).astype(float)
    count = found.size
    assert found.mean() == pytest.approx(0, abs=5 * 32 / math.sqrt(count))
    assert found.std() == pytest.approx(32, rel=5 / math.sqrt(2 * count))
    # The excess of a sum of eight: -6 / 5 / 8; its error is about sqrt(24 / count).
    fourth = ((found / found.std()) ** 4).mean() - 3
    assert fourth == pytest.approx(-0.15, abs=0.02)
    assert np.abs(found).max() <= 4.88 * 32 + 1
    columns = np.corrcoef(found.T) - np.eye(64)
    assert np.abs(columns).max() < 6 / math.sqrt(len(READS))
    for apart in (1, 2, 4, 8, 128):
        reads = (found[apart:] * found[:-apart]).mean() / found.var()
        assert abs(reads) < 6 / math.sqrt(count)
    other = noise_of(keys_of(2, (0, 0, 0, 0), 64), READS, gain_of(0.5)).astype(float)
    assert abs((found * other).mean()) / found.var() < 6 / math.sqrt(count)


def test_codes_have_the_noise_of_their_reads_in_front_of_the_converter() -> None:
    """Each block of an image has reads of its own, and the next image has those of the first."""
    rng, point = np.random.default_rng(4), chip().point
    effects = with_effects(variation=0.2, offset_lsb=1.0, deviation=0.7, bits_below_lossless=2)
    chips = ErringCrossbars(digits()[0], chip(), effects, 9)
    tile = chips._tile(rng.integers(-128, 128, (128, 3)), (2, 0, 1, 128))
    images, blocks = 2, 3
    inputs = rng.integers(0, 256, (images * blocks, 128))
    levels, offsets = tile.levels.astype(np.int64), tile.offsets
    wanted = np.zeros((images * blocks, levels.shape[1]), np.int64)
    for row in range(images * blocks):
        for step in range(chip().bit_steps):
            digit = (inputs[row] >> (step * point.dac_bits)) & (2**point.dac_bits - 1)
            for column in range(levels.shape[1]):
                read = row % blocks * chip().bit_steps + step
                total = int(digit @ levels[:, column]) + int(offsets[column])
                total += noise(9, (2, 0, 1, 128), column, read, 0.7)
                code = min(max((total + 32) >> 6, 0), 2 ** (chip().adc_bits - 2) - 1)
                wanted[row, column] += code << (step * point.dac_bits)
    assert np.array_equal(chips._sampled(inputs, tile, blocks), wanted)
