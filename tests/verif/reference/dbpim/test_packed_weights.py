"""Reference of packed rows: published vectors of the decimals, weights worked by hand."""

import numpy as np
import pytest

from verif.reference.dbpim.csd import values_of_phi
from verif.reference.dbpim.packed_weights import (
    decimal_digits,
    numbers,
    one_digit_weights,
    two_digit_weights,
    weights,
)

IEEE = {
    0b000_000_0101: (0, 0, 5),
    0b000_000_1001: (0, 0, 9),
    0b000_101_0101: (0, 5, 5),
    0b000_111_1001: (0, 7, 9),
    0b000_000_1010: (0, 8, 0),
    0b000_101_1111: (0, 9, 9),
    0b101_101_0101: (5, 5, 5),
    0b001_111_1111: (9, 9, 9),
}
"""Examples of densely packed decimals as published with the code."""


@pytest.mark.promise(
    "every triple of weights of two digits has 19 bits, which golden, written apart, reads as"
    " these weights"
)
@pytest.mark.parametrize("packed", IEEE, ids=lambda packed: f"{packed:010b}")
def test_published_decimals(packed: int) -> None:
    assert decimal_digits(packed) == IEEE[packed]


def test_weights_by_hand() -> None:
    """Decimals 8, 4, 0 are 000 100 1 10 0; numbers 1, 37 and 70 are 4 - 1, 32 - 8 and 128 - 32."""
    two = two_digit_weights()
    assert two[:4] == [4 + 1, 4 - 1, -4 + 1, -4 - 1]
    assert two[59:62] == [-64 - 16, 128 - 1, -128 + 1]
    assert two[72:] == [0] * 8
    triple = np.array(0b000_100_1_10_0 << 9 | 6 << 6 | 5 << 3 | 1)
    assert numbers(triple).tolist() == [1, 37, 70]
    assert weights(triple, columns=2).tolist() == [3, 24, 96]


def test_weights_of_one_digit_by_hand() -> None:
    """Decimals 0, 0, 1 and octals 7, 2, 5: numbers 15, 2 and 5."""
    assert one_digit_weights()[:4] == [1, -1, 2, -2]
    triple = np.array(0b000_000_0001 << 9 | 5 << 6 | 2 << 3 | 7)
    assert weights(triple, columns=1).tolist() == [-128, 2, -4]


def test_every_weight_has_one_number() -> None:
    assert sorted(two_digit_weights()[:72]) == values_of_phi(2).tolist()
    assert sorted(set(one_digit_weights()) - {128}) == values_of_phi(1).tolist()
