"""Each operation on numbers small enough to check by eye."""

from typing import Any

import numpy as np
import pytest

from golden.ops.maps import conv, linear, max_pool, product, shortcut, weighted_sum, window_sums
from golden.ops.requantize import requantize
from golden.ops.windows import windows

SQUARE = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]], np.uint8).reshape(1, 3, 3, 1)
ONES = (1, 1)
NONE = (0, 0, 0, 0)


def plane(values: Any) -> np.ndarray:
    """Return one image of one channel."""
    return np.array(values, np.uint8)[None, :, :, None]


@pytest.mark.promise("every operation gives what was worked by hand")
def test_windows_have_four_borders_of_their_own() -> None:
    # One row above, two columns to the right: 2 x 2 windows of a 4 x 5 map, every second column.
    seen = windows(SQUARE, kernel=(2, 2), stride=(1, 2), padding=(1, 0, 0, 2), fill=50)
    assert seen.shape == (1, 3, 2, 2, 2, 1)
    assert seen[0, 0, 0, :, :, 0].tolist() == [[50, 50], [1, 2]]
    assert seen[0, 2, 1, :, :, 0].tolist() == [[6, 50], [9, 50]]


def test_conv_pads_with_the_zero_point() -> None:
    # Left column of zero points 10: 10 + 2 * 1 + 100 = 112, then 1 + 2 * 2 + 100.
    weights = np.array([[[1], [2]]], np.int8)[None]
    sums = conv(
        SQUARE,
        weights,
        np.array([100]),
        stride=ONES,
        padding=(0, 1, 0, 0),
        groups=1,
        zero_point=10,
    )
    assert sums[0, :, :, 0].tolist() == [[112, 105, 108], [118, 114, 117], [124, 123, 126]]


def test_conv_groups_see_their_own_channels() -> None:
    # Four channels 1, 2, 3, 4; filters 0 and 1 see (1, 2), filters 2 and 3 see (3, 4).
    maps = np.array([1, 2, 3, 4], np.uint8).reshape(1, 1, 1, 4)
    weights = np.array([[1, 0], [0, 1], [10, 1], [-1, -1]], np.int8).reshape(4, 1, 1, 2)
    given = {"stride": ONES, "padding": NONE, "zero_point": 0}
    assert conv(maps, weights, np.zeros(4, np.int64), groups=2, **given).ravel().tolist() == [
        *(1, 2),
        *(34, -7),
    ]
    depthwise = np.array([5, 6, 7, -8], np.int8).reshape(4, 1, 1, 1)
    assert conv(maps, depthwise, np.zeros(4, np.int64), groups=4, **given).ravel().tolist() == [
        *(5, 12),
        *(21, -32),
    ]


def test_conv_of_wide_integers_is_exact() -> None:
    maps = np.full((1, 1, 1, 3), 65535, np.uint16)
    weights = np.full((1, 1, 1, 3), -32768, np.int16)
    given = {"stride": ONES, "padding": NONE, "groups": 1, "zero_point": 0}
    assert conv(maps, weights, np.array([-1]), **given).item() == -3 * 65535 * 32768 - 1


def test_linear_runs_over_rows_columns_channels() -> None:
    maps = np.arange(1, 5, dtype=np.uint8).reshape(1, 1, 2, 2)
    weights = np.array([[1, 10, 100, -1], [0, 0, 0, 2]], np.int8)
    assert linear(maps, weights, np.array([7, -7])).tolist() == [[[[1 + 20 + 300 - 4 + 7, 1]]]]


def test_max_pool_by_hand() -> None:
    assert max_pool(SQUARE, kernel=(3, 1), stride=(1, 2))[0, :, :, 0].tolist() == [[7, 9]]
    found = max_pool(SQUARE, kernel=(2, 2), stride=(2, 2), padding=(1, 0, 0, 1))
    assert found[0, :, :, 0].tolist() == [[2, 3], [8, 9]]
    # A map of zeros stays one: padding never wins, whatever the zero point.
    assert max_pool(plane([[0]]), kernel=(2, 2), stride=ONES, padding=(1, 1, 0, 0)).item() == 0


def test_sums_of_an_average_pool_leave_padding_out() -> None:
    # Zero point 3: -2 - 1 + 1 + 2 in the middle; in the corner only 1 - 3 is inside.
    given = {"kernel": (2, 2), "stride": ONES, "padding": (1, 1, 0, 0), "zero_point": 3}
    sums = window_sums(SQUARE, **given)[0, :, :, 0]
    assert sums[0].tolist() == [-2, -3, -1]
    assert sums[1, 1] == (1 - 3) + (2 - 3) + (4 - 3) + (5 - 3)


def test_an_average_rounds_once() -> None:
    # 13 / 4 = 3.25 -> 3; -13 / 4 = -3.25 -> -3; 14 / 4 = 3.5 -> 4; -14 / 4 = -3.5 -> -3.
    values = requantize(
        [13, -13, 14, -14], multiplier=1 << 15, shift=17, zero_point=10, low=0, high=255
    )
    assert values.tolist() == [13, 7, 14, 7]


def test_add_has_a_multiplier_for_each_map() -> None:
    # (10 - 4) * 3 + (20 - 30) * 5
    a, b = plane([[10]]), plane([[20]])
    assert weighted_sum(a, b, zero_points=(4, 30), multipliers=(3, 5)).item() == -32
    top = np.full((1, 1, 1, 1), 65535, np.uint16)
    given = {"zero_points": (0, 0), "multipliers": (65535, 65535)}
    assert weighted_sum(top, top, **given).item() == 2 * 65535 * 65535


def test_multiply_of_maps_and_by_one_factor_a_channel() -> None:
    a, b = plane([[1, 2], [3, 9]]), plane([[5, 6], [7, 3]])
    # (1 - 3) * (5 - 4), (2 - 3) * (6 - 4), 0 * 3, (9 - 3) * (3 - 4)
    assert product(a, b, zero_points=(3, 4)).ravel().tolist() == [-2, -2, 0, -6]
    two = np.concatenate([a, a], axis=3)
    factors = np.array([10, 0], np.uint8).reshape(1, 1, 1, 2)
    assert product(two, factors, zero_points=(0, 1))[..., 0].ravel().tolist() == [9, 18, 27, 81]
    assert product(two, factors, zero_points=(0, 1))[..., 1].ravel().tolist() == [-1, -2, -3, -9]


def test_rescale_changes_the_bits() -> None:
    # (200 - 128) * 256 = 18432, plus zero point 32768, in 16 bits.
    sums = [72, -128, 127]
    wide = requantize(
        sums,
        multiplier=1 << 15,
        shift=7,
        zero_point=32768,
        low=0,
        high=65535,
        dtype=np.uint16,
    )
    assert wide.dtype == np.uint16
    assert wide.ravel().tolist() == [51200, 0, 65280]


@pytest.mark.parametrize(
    ("channels", "expected"), [(1, [[1], [3]]), (2, [[1, 2], [3, 4]]), (3, [[1, 2, 9], [3, 4, 9]])]
)
def test_shortcut_subsamples_pads_and_drops(channels: int, expected: list[list[int]]) -> None:
    maps = np.array([[[1, 2], [7, 7], [3, 4]], [[8, 8], [8, 8], [8, 8]]], np.uint8)[None]
    found = shortcut(maps, stride=(2, 2), channels=channels, zero_point=9)
    assert found.tolist() == [[expected]]


def test_requantize_reaches_the_widest_sums() -> None:
    widest = (1 << 47) - 1
    given = {"zero_point": 0, "low": 0, "high": 65535, "dtype": np.uint16}
    assert requantize([widest], multiplier=65535, shift=47, **given).item() == 65535
    assert requantize([-widest], multiplier=65535, shift=47, **given).item() == 0
    # (2**46 + 2**31) * 2**15 / 2**46 = 2**15 + 1
    middle = (1 << 46) + (1 << 31)
    assert requantize([middle], multiplier=1 << 15, shift=46, **given).item() == (1 << 15) + 1
