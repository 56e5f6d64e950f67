"""Pools and residual add on numbers small enough to check by eye."""

import numpy as np

from golden.dbpim.simd import add, average_pool, max_pool

SQUARE = np.array([[1, 2, 3], [4, 250, 6], [7, 8, 9]], np.uint8).reshape(1, 3, 3, 1)
WHOLE = {"zero_point": 0, "low": 0, "high": 255}


def test_max_pool_of_a_square() -> None:
    assert max_pool(SQUARE, kernel=3, stride=1, padding=0).tolist() == [[[[250]]]]
    assert max_pool(SQUARE, kernel=2, stride=1, padding=0)[0, :, :, 0].tolist() == [
        [250, 250],
        [250, 250],
    ]
    assert max_pool(SQUARE, kernel=2, stride=2, padding=1)[0, :, :, 0].tolist() == [
        [1, 3],
        [7, 250],
    ]


def test_max_pool_keeps_channels_apart() -> None:
    maps = np.stack([SQUARE[..., 0], 255 - SQUARE[..., 0]], axis=-1)
    assert max_pool(maps, kernel=3, stride=3, padding=0).tolist() == [[[[250, 254]]]]


def test_average_pool_rounds_once_and_takes_zero_points() -> None:
    window = np.array([[1, 2], [4, 6]], np.uint8).reshape(1, 2, 2, 1)
    # 13 / 4 = 3.25 -> 3; with zero point 3: (13 - 12) / 4 = 0.25 -> 0, plus 9
    quarter = {"kernel": (2, 2), "stride": 1, "multiplier": 1 << 15, "shift": 17}
    assert average_pool(window, input_zero_point=0, **quarter, **WHOLE).item() == 3
    shifted = {"zero_point": 9, "low": 0, "high": 255}
    assert average_pool(window, input_zero_point=3, **quarter, **shifted).item() == 9


def test_average_pool_with_a_stride_and_an_oblong_window() -> None:
    # Sums of columns 0 and 2: 12 and 18, of which a third is 4 and 6.
    third = {"multiplier": 43691, "shift": 17}
    means = average_pool(SQUARE, kernel=(3, 1), stride=2, input_zero_point=0, **third, **WHOLE)
    assert means[0, :, :, 0].tolist() == [[4, 6]]


def test_add_by_hand() -> None:
    # (10 - 4) / 2 + (20 - 30) / 2 = -2, plus 7
    given = {"zero_point_a": 4, "zero_point_b": 30, "shift": 16, "low": 0, "high": 255}
    a, b = np.full((1, 1, 1, 1), 10, np.uint8), np.full((1, 1, 1, 1), 20, np.uint8)
    same = {"multiplier_a": 1 << 15, "multiplier_b": 1 << 15}
    assert add(a, b, zero_point=7, **same, **given).item() == 5
    # One rounding: 0.5 + 0.5 = 1, where two roundings would give 1 + 1.
    one = np.ones((1, 1, 1, 1), np.uint8)
    given = {"zero_point_a": 0, "zero_point_b": 0, "shift": 16, "low": 0, "high": 255}
    assert add(one, one, zero_point=0, **same, **given).item() == 1


def test_add_extremes_clip() -> None:
    high, low = np.full((1, 1, 1, 1), 255, np.uint8), np.zeros((1, 1, 1, 1), np.uint8)
    given = {"multiplier_a": 65535, "multiplier_b": 65535, "shift": 1}
    points = {"zero_point_a": 0, "zero_point_b": 0, "zero_point": 0}
    assert add(high, high, **given, **points, low=0, high=200).item() == 200
    points = {"zero_point_a": 255, "zero_point_b": 255, "zero_point": 255}
    assert add(low, low, **given, **points, low=4, high=255).item() == 4
