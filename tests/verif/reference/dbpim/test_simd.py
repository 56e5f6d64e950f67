"""Operations of the SIMD unit on numbers small enough to check by eye."""

import numpy as np

from golden.ops.maps import conv
from verif.reference.dbpim.simd import add, maximum, multiply, rotated, sum_bytes, total

WHOLE = {"zero_point": 0, "low": 0, "high": 255}


def bytes_of(*values: int) -> np.ndarray:
    """Return taps of one channel."""
    return np.array(values, np.uint8).reshape(-1, 1)


def test_maximum_keeps_channels_apart_and_clips() -> None:
    taps = np.array([[1, 9, 0], [250, 3, 0], [7, 8, 0]], np.uint8)
    assert maximum(taps, low=0, high=255).tolist() == [250, 9, 0]
    assert maximum(taps, low=5, high=200).tolist() == [200, 9, 5]


def test_total_starts_with_the_bias() -> None:
    assert total(bytes_of(1, 2, 4, 6), bias=-20).tolist() == [-7]


def test_planes_put_three_bytes_together() -> None:
    taps = np.array([[[1], [255]], [[2], [255]], [[3], [255]]], np.uint8)
    weights = np.array([1, 256, 65536]).reshape(3, 1, 1)
    assert total(taps, bias=0, weights=weights).tolist() == [[0x030201], [0xFFFFFF]]


def test_sum_bytes_is_the_inverse_of_planes() -> None:
    totals = np.array([0x030201, 0xFFFFFF, 0])
    assert [part.tolist() for part in sum_bytes(totals)] == [[1, 255, 0], [2, 255, 0], [3, 255, 0]]


def test_a_depthwise_total_is_that_of_a_convolution() -> None:
    rng = np.random.default_rng(0)
    window = rng.integers(0, 256, (1, 2, 3, 4)).astype(np.uint8)
    weights = rng.integers(-128, 128, (2, 3, 4))
    bias = rng.integers(-1000, 1000, 4)
    filters = np.moveaxis(weights, 2, 0)[..., None]
    sizes = {"stride": (1, 1), "padding": (0, 0, 0, 0), "groups": 4, "zero_point": 0}
    want = conv(window, filters, bias, **sizes)
    got = total(window.reshape(6, 4), bias=bias, weights=weights.reshape(6, 4))
    assert got.tolist() == want[0, 0, 0].tolist()


def test_add_rounds_once() -> None:
    # (10 - 4) / 2 + (20 - 30) / 2 = -2, plus 7
    halves = {"multipliers": (1 << 15, 1 << 15), "shift": 16, "low": 0, "high": 255}
    assert add(bytes_of(10, 20), zero_points=(4, 30), zero_point=7, **halves).item() == 5
    # 0.5 + 0.5 = 1, where two roundings would give 1 + 1.
    assert add(bytes_of(1, 1), zero_points=(0, 0), zero_point=0, **halves).item() == 1


def test_add_extremes_clip() -> None:
    most = {"multipliers": (65535, 65535), "shift": 1}
    scale = {"zero_point": 0, "low": 0, "high": 200}
    assert add(bytes_of(255, 255), zero_points=(0, 0), **most, **scale).item() == 200
    scale = {"zero_point": 255, "low": 4, "high": 255}
    assert add(bytes_of(0, 0), zero_points=(255, 255), **most, **scale).item() == 4


def test_multiply_by_hand() -> None:
    # (10 - 4) * (20 - 30) / 4 = -15, plus 20
    quarter = {"multiplier": 1 << 15, "shift": 17, "zero_point": 20, "low": 0, "high": 255}
    assert multiply(bytes_of(10, 20), zero_points=(4, 30), **quarter).item() == 5
    whole = {"multiplier": 1 << 15, "shift": 15}
    assert multiply(bytes_of(0, 0), zero_points=(255, 1), **whole, **WHOLE).item() == 255


def test_rotation_goes_upwards() -> None:
    word = np.array([[1, 2, 3, 4]], np.uint8)
    assert rotated(word, 1).tolist() == [[4, 1, 2, 3]]
    assert rotated(word, 0).tolist() == word.tolist()
