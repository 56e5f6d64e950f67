"""Production's signed digits: the seed's examples, and cells that always add up."""

import numpy as np
import pytest

from hwgen.network.csd import Block, blocks, cells, csd_digits, phi


def test_67_by_hand() -> None:
    assert csd_digits(67) == (-1, 0, 1, 0, 0, 0, 1, 0)
    # 0 1 | 0 0 | 0 1 | 0 -1, the lowest first
    assert blocks(67) == (Block(0, 1, 0), Block(0, 0, 1), Block(0, 0, 3))
    assert phi(67) == 3


def test_block_values() -> None:
    assert [Block(q, 0, index).value for index in range(4) for q in (0, 1)] == [
        1 << i for i in range(8)
    ]
    assert Block(1, 1, 3).value == -128


def test_every_value_is_the_sum_of_its_blocks() -> None:
    for value in range(-128, 128):
        assert sum(block.value for block in blocks(value)) == value
        assert len(blocks(value)) == phi(value)


def test_cells_by_hand() -> None:
    assert [cell.value for cell in cells(0, columns=2)] == [1, -1]
    assert [cell.value for cell in cells(1, columns=2)] == [2, -1]
    assert [cell.value for cell in cells(-1, columns=2)] == [-2, 1]
    assert [cell.value for cell in cells(2, columns=2)] == [1, 1]
    assert [cell.value for cell in cells(-4, columns=2)] == [-2, -2]
    assert [cell.value for cell in cells(-128, columns=1)] == [-128]


def test_cells_of_every_value_that_fits() -> None:
    for value in range(-128, 128):
        if phi(value) <= 2:
            assert sum(cell.value for cell in cells(value, columns=2)) == value
        if phi(value) == 1:
            assert cells(value, columns=1) == blocks(value)


@pytest.mark.parametrize(("value", "columns"), [(67, 2), (3, 1), (0, 1), (85, 2)])
def test_cells_that_do_not_fit(value: int, columns: int) -> None:
    with pytest.raises(ValueError, match=f"{value} has .* does not fit {columns} cells"):
        cells(value, columns=columns)


@pytest.mark.parametrize("value", [-129, 128])
def test_values_beyond_int8_are_refused(value: int) -> None:
    with pytest.raises(ValueError, match=f"value must be from -128 to 127, got {value}"):
        csd_digits(value)


def test_numpy_integers_do_not_overflow() -> None:
    for value in np.arange(-128, 128).astype(np.int8):
        assert csd_digits(value) == csd_digits(int(value))
