"""Patterns of a self-test: complements, one weight an output, sums at ties."""

import numpy as np
import pytest

from hwgen.chip.self_test import (
    ALL_BITS,
    LOW_BITS,
    and_complements,
    at_ties,
    drawn_bytes,
    one_by_one,
)


def byte(total: int, multiplier: int, shift: int) -> int:
    """Return what becomes of a sum, by the formula of half_up."""
    return min(255, max(0, (total * multiplier + (1 << shift >> 1)) >> shift))


@pytest.mark.parametrize("above", [False, True])
@pytest.mark.parametrize("flipped", [False, True])
def test_each_bit_of_a_multiplier_shows(above: bool, flipped: bool) -> None:
    given = at_ties(np.random.default_rng(1), 20, above=above, flipped=flipped)
    for total, multiplier, shift in zip(
        given.sums.tolist(), given.multipliers.tolist(), given.shifts.tolist(), strict=True
    ):
        right = byte(total, multiplier, shift)
        assert 0 < right < 255
        for bit in range(15):
            changed = multiplier ^ 1 << bit
            if (changed > multiplier) == above:
                assert byte(total, changed, shift) != right
        for bit in range(6):
            assert byte(total, multiplier, shift ^ 1 << bit) != right


def test_flipped_multipliers_have_the_other_bits() -> None:
    one, other = (
        at_ties(np.random.default_rng(2), 5, above=False, flipped=each) for each in (False, True)
    )
    assert (one.multipliers ^ other.multipliers == LOW_BITS).all()
    assert (one.shifts ^ other.shifts == ALL_BITS).all()


def test_images_hold_each_bit_both_ways() -> None:
    images = and_complements(drawn_bytes(np.random.default_rng(3), 1, 4, 4, 2))
    assert (images[0] ^ images[1] == 255).all()


def test_each_pixel_reads_one_channel() -> None:
    images = one_by_one(8, (4, 4, 8))
    assert images.shape == (8, 4, 4, 8)
    assert (images.sum(axis=-1) == 1).all()
    assert (images.sum(axis=0) == 1).all()
