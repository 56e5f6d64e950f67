"""Float32 in integers beside numpy's float32, bit by bit."""

import numpy as np
import pytest

from golden.ops import float32

Bits = np.ndarray

MOST = np.finfo(np.float32).max
LEAST = np.float32(2.0**-149)
EDGES = np.array(
    [
        *(0.0, -0.0, 1.0, -1.0, 3.0, 1 / 3, LEAST, -LEAST, 2.0**-126, MOST, -MOST),
        *(np.nextafter(np.float32(2.0**-126), np.float32(0)), 1 + 2.0**-23, 1 - 2.0**-24),
        *(2.0**24 - 1, 2.0**24, 2.0**-75, 2.0**75, 1.5, 2.5, -2.5),
    ],
    np.float32,
)
"""Zeros, the smallest and largest numbers, subnormal ones, neighbours of one, ties."""


def drawn(count: int, seed: int) -> np.ndarray:
    """Return float32 of all kinds: any bits, near one, steps of a map, powers, subnormal ones."""
    rng = np.random.default_rng(seed)
    kinds = np.stack(
        [
            rng.integers(0, 1 << 32, count).astype(np.uint32).view(np.float32),
            rng.normal(size=count).astype(np.float32),
            (rng.integers(0, 256, count) - 128).astype(np.float32) * np.float32(0.0123),
            np.ldexp(1.0, rng.integers(-149, 128, count)).astype(np.float32),
            rng.integers(0, 1 << 24, count).astype(np.uint32).view(np.float32),
        ]
    )
    values = kinds[rng.integers(0, len(kinds), count), np.arange(count)]
    return np.where(np.isfinite(values), values, np.float32(1.5)).astype(np.float32)


def in_bits(values: np.ndarray) -> Bits:
    return np.ascontiguousarray(values, np.float32).view(np.uint32)


def check(found: Bits, wanted: np.ndarray) -> None:
    assert found.dtype == np.uint32
    assert int((found != in_bits(wanted)).sum()) == 0


def fused(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Return a * b + c rounded once: in float64 to odd, then to float32."""
    product, addend = a.astype(np.float64) * b.astype(np.float64), c.astype(np.float64)
    total = product + addend
    virtual = total - product
    lost = (product - (total - virtual)) + (addend - virtual)
    even = total.view(np.int64) % 2 == 0
    towards = np.nextafter(total, np.where(lost > 0, np.inf, -np.inf))
    return np.where((lost != 0) & even, towards, total).astype(np.float32)


@pytest.mark.promise(
    "golden's float32 of integers (add, multiply, fma, divide, root, means) is numpy's in every"
    " bit, edges included"
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    ("count", "seed"),
    [(200_000, 0), *(pytest.param(2_000_000, seed, marks=pytest.mark.long) for seed in range(5))],
)
def test_drawn_numbers(count: int, seed: int) -> None:
    a, b, c = (drawn(count, 3 * seed + part) for part in range(3))
    x, y = in_bits(a), in_bits(b)
    check(float32.add(x, y), a + b)
    check(float32.multiply(x, y), a * b)
    close = np.abs(a.view(np.int32) + np.int32(1)).view(np.float32)
    close = np.where(np.isfinite(close), close, a).astype(np.float32)
    check(float32.subtract(x, in_bits(close)), a - close)
    divisor = np.where(b == 0, np.float32(1), b).astype(np.float32)
    check(float32.divide(x, in_bits(divisor)), a / divisor)
    check(float32.root(in_bits(np.abs(a))), np.sqrt(np.abs(a)))
    product = a * b
    cancelling = np.where(np.isfinite(product) & (a < b), -product, c).astype(np.float32)
    check(float32.fma(x, y, in_bits(cancelling)), fused(a, b, cancelling))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_edges_against_each_other() -> None:
    a, b = np.meshgrid(EDGES, EDGES)
    x, y = in_bits(a), in_bits(b)
    check(float32.add(x, y), a + b)
    check(float32.subtract(x, y), a - b)
    check(float32.multiply(x, y), a * b)
    some = b != 0
    check(float32.divide(x[some], y[some]), a[some] / b[some])
    check(float32.root(in_bits(np.abs(EDGES))), np.sqrt(np.abs(EDGES)))
    for addend in EDGES:
        c = np.full_like(a, addend)
        wanted = fused(a, b, c)
        # A sum of zeros has the sign that both have.
        zero = wanted == 0
        found = float32.fma(x, y, in_bits(c))
        check(found[~zero], wanted[~zero])
        assert not (found[zero] & np.uint32((1 << 31) - 1)).any()


def test_integers_and_back() -> None:
    rng = np.random.default_rng(1)
    whole = np.concatenate([rng.integers(-(1 << 40), 1 << 40, 50_000), np.arange(-600, 600)])
    check(float32.from_integers(whole), whole.astype(np.float32))
    real = np.concatenate([rng.normal(size=50_000) * 300, np.arange(-50, 50) + 0.5])
    real = real.astype(np.float32)
    assert (float32.to_integers(in_bits(real)) == np.rint(real)).all()


def test_numbers_without_an_integer_are_the_ends() -> None:
    beyond = np.array([np.inf, -np.inf, 2.0**62, -(2.0**70), MOST], np.float32)
    sides = [1, -1, 1, -1, 1]
    assert float32.to_integers(in_bits(beyond)).tolist() == [side << 62 for side in sides]
    assert float32.to_integers(in_bits(np.array([2.0**61]))) == 1 << 61
    for divisor in (LEAST, -LEAST, MOST, np.float32(-3.0)):
        found = float32.divide(in_bits(beyond[:2]), in_bits(np.array([divisor])))
        check(found, beyond[:2] / divisor)


@pytest.mark.parametrize("count", [1, 7, 32, 1000])
def test_means_are_rounded_once(count: int) -> None:
    rng = np.random.default_rng(count)
    steps = (rng.integers(0, 256, (500, count)) - 77).astype(np.float32) * np.float32(0.0371)
    found = float32.quotient(float32.exact_sum(in_bits(steps), axis=1), count)
    # Sums of so few bits are exact in float64, and no quotient lies so near to a tie.
    check(found, (steps.astype(np.float64).sum(axis=1) / count).astype(np.float32))


def test_means_of_large_sums() -> None:
    """A sum of 44 bits or more over a power of two is the sum, rounded once."""
    rng = np.random.default_rng(4)
    total = rng.integers(1 << 44, 1 << 53, 500)
    sums = float32.Parts(np.zeros(500, bool), total, np.zeros(500, np.int64))
    check(float32.quotient(sums, 64), (total.astype(np.float64) / 64).astype(np.float32))


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        (lambda: float32.add(in_bits(np.array([np.inf])), EDGES[:1].view(np.uint32)), "finite"),
        (lambda: float32.add(np.array([1.0]), np.array([1.0])), "uint32, got float64"),
        (lambda: float32.divide(in_bits(EDGES[:1]), in_bits(EDGES[:1])), "not be zero"),
        (lambda: float32.root(in_bits(np.array([-1.0]))), "not be negative"),
        (lambda: float32.to_integers(in_bits(np.array([np.nan]))), "finite"),
        (lambda: float32.exact_sum(in_bits(np.array([[1.0, 2.0**60]])), 1), "exponents"),
    ],
)
def test_what_has_no_answer_is_refused(act: object, sentence: str) -> None:
    assert callable(act)
    with pytest.raises(ValueError, match=sentence):
        act()


@pytest.mark.parametrize("dtype", [np.int32, np.uint16, np.float32, np.int64])
def test_bits_are_uint32(dtype: type) -> None:
    with pytest.raises(ValueError, match="bits of float32 must be uint32, got"):
        float32.parts_of(np.ones(2, dtype))
