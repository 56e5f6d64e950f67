"""Signed digits: the seed's examples by hand, the three properties, and production against them."""

import numpy as np
import pytest

from hwgen.network import csd as production
from verif.reference.dbpim.csd import INT8, csd, dyadic_blocks, phi, values_of_phi


@pytest.mark.parametrize(
    ("value", "digits"),
    [
        (67, "0 1 0 0 0 1 0 -1"),
        (127, "1 0 0 0 0 0 0 -1"),
        (0, "0 0 0 0 0 0 0 0"),
        (-128, "-1 0 0 0 0 0 0 0"),
        (96, "1 0 -1 0 0 0 0 0"),
        (-1, "0 0 0 0 0 0 0 -1"),
        (85, "0 1 0 1 0 1 0 1"),
        (-86, "-1 0 1 0 1 0 1 0"),
    ],
)
def test_digits_by_hand(value: int, digits: str) -> None:
    assert csd(value)[::-1].tolist() == [int(digit) for digit in digits.split()]


def test_blocks_of_67_by_hand() -> None:
    # 0 1 | 0 0 | 0 1 | 0 -1, the lowest first: three non-zero blocks of four
    assert dyadic_blocks(67).tolist() == [-1, 1, 0, 1]
    assert phi([67, 127, 0]).tolist() == [3, 2, 0]


def test_digits_are_canonical() -> None:
    digits = csd(INT8)
    assert (digits @ (1 << np.arange(8)) == INT8).all()
    assert not (digits[:, 1:] * digits[:, :-1]).any()
    assert (dyadic_blocks(INT8) @ (4 ** np.arange(4)) == INT8).all()
    assert np.count_nonzero(dyadic_blocks(INT8), axis=1).tolist() == phi(INT8).tolist()


def test_sizes_of_the_value_sets() -> None:
    sizes = [len(values_of_phi(count)) for count in range(5)]
    # phi 1: 2**0 to 2**6 with both signs, and -128; the sets share out all 256 values.
    assert sizes == [1, 15, 72, 120, 48]
    assert values_of_phi(0).tolist() == [0]
    assert values_of_phi(1).tolist() == sorted([-128, *(s << i for s in (-1, 1) for i in range(7))])
    assert set(values_of_phi(2)) >= {3, -3, 96, -96, 127, -127, 126, 5}


def test_production_agrees() -> None:
    for value in INT8.tolist():
        assert production.csd_digits(value) == tuple(csd(value))
        assert production.phi(value) == phi(value)
        weighed = [0] * production.BLOCKS
        for block in production.blocks(value):
            weighed[block.index] = block.value
        assert weighed == (dyadic_blocks(value) * 4 ** np.arange(4)).tolist()


@pytest.mark.parametrize("columns", [1, 2])
def test_production_cells_add_up(columns: int) -> None:
    for value in INT8.tolist():
        if phi(value) == columns or (columns == 2 and phi(value) < 2):
            cells = production.cells(value, columns=columns)
            assert len(cells) == columns
            assert sum(cell.value for cell in cells) == value
        else:
            with pytest.raises(ValueError, match="does not fit"):
                production.cells(value, columns=columns)
