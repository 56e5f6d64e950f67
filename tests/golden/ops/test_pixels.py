"""Layers that read a whole pixel: the order of their sums shows in the bits."""

from fractions import Fraction

import numpy as np
import pytest

from golden.ops.layer_norm import layer_norm, sum_of_squares
from golden.ops.softmax import softmax
from tests.golden.slow import nearest


def bits(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(values, np.float32).view(np.uint32)


@pytest.mark.promise(
    "sums of a softmax and of a norm run in the order that the file states, which the last bits"
    " show"
)
@pytest.mark.parametrize("channels", [8, 16, 40])
def test_eight_sums_then_pairs_of_them(channels: int) -> None:
    rng = np.random.default_rng(channels)
    rows = (rng.normal(size=(60, channels)) * 10.0 ** rng.integers(-2, 3, channels)).astype("f4")
    wanted = []
    for row in rows:
        sums = [Fraction(0)] * 8
        for place, value in enumerate(row):
            sums[place % 8] = nearest(Fraction(float(value)) ** 2 + sums[place % 8])
        while len(sums) > 1:
            half = len(sums) // 2
            sums = [nearest(a + b) for a, b in zip(sums[:half], sums[half:], strict=True)]
        wanted.append(float(sums[0]))
    assert (sum_of_squares(bits(rows)) == bits(np.array(wanted))).all()


def test_a_softmax_adds_from_the_first_channel_on() -> None:
    """A large share in front swallows small ones that would add up by themselves."""
    table = np.zeros(256, np.float32)
    table[0], table[255] = 1.0, 2.0**-25
    pixel = np.array([255, *[0] * 255], np.uint8).reshape(1, 1, 1, 256)
    # 1 + 2^-25 is 1, again and again: the largest share is whole. From behind, the sum is more.
    given = {"groups": 1, "exponentials": bits(table), "factor": (1 << 24) - 1}
    assert softmax(pixel, **given)[0, 0, 0, 0] == (1 << 24) - 1
    behind = np.ascontiguousarray(pixel[..., ::-1])
    assert softmax(behind, **given)[0, 0, 0, -1] < (1 << 24) - 1


def test_a_norm_of_equal_channels_is_its_offsets() -> None:
    """No variance at all: eps alone stands under the root."""
    maps = np.full((1, 2, 1, 8), 200, np.uint8)
    beta = np.array([0.0, 1, -1, 2.5, 3.5, -2.5, 100, 0.25])
    steps = layer_norm(
        maps,
        values=bits(np.arange(256) * 0.1),
        gamma=bits(np.full(8, 7.0)),
        beta=bits(beta),
        eps=bits(np.array([1e-5]))[0],
        scale=bits(np.array([1.0]))[0],
    )
    assert steps[0, 0, 0].tolist() == [0, 1, -1, 2, 4, -2, 100, 0]


@pytest.mark.promise(
    "a norm beyond the largest float32 is an end of its map, of any gamma, beta, eps and scale"
)
@pytest.mark.parametrize(
    ("gamma", "beta", "scale"),
    [(3e38, 0.0, 1.0), (1e30, 0.0, 2.0**-89), (1.0, -3e38, 2.0**-149), (3e38, 3e38, 2.0**100)],
)
def test_a_norm_beyond_float32_is_an_end(gamma: float, beta: float, scale: float) -> None:
    """An overflow has the sign of its number, and no pixel stops golden."""
    rng = np.random.default_rng(5)
    maps = rng.integers(0, 256, (1, 40, 1, 8)).astype(np.uint8)
    maps[0, 0] = 7
    values = np.ldexp((np.arange(256) - 128).astype(np.float64), 42)
    given = {
        "values": bits(values),
        "gamma": bits(np.resize([gamma, -gamma], 8)),
        "beta": bits(np.full(8, beta)),
        "eps": bits(np.array([1e-45]))[0],
        "scale": bits(np.array([scale]))[0],
    }
    found = layer_norm(maps, **given)
    real = values[maps].reshape(40, 8)
    deviation = np.sqrt(real.var(axis=1) + float(given["eps"].view(np.float32)))[:, np.newaxis]
    normal = (real - real.mean(axis=1)[:, np.newaxis]) / deviation
    moved = normal * np.resize([gamma, -gamma], 8) + beta
    moved = np.where(np.abs(moved) >= 2.0**128, np.copysign(np.inf, moved), moved) / scale
    wanted = np.rint(moved.clip(-(2.0**62), 2.0**62))
    assert np.allclose(found.reshape(40, 8), wanted, rtol=1e-4, atol=1)
    assert (np.abs(found) == 1 << 62).any()
