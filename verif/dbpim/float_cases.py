"""Operands of float arithmetic that reach its corners, and plain integers as a second reference."""

from itertools import product

import numpy as np
from numpy.typing import NDArray

from hwgen.dbpim.rtl.floats import FloatSize

Bits = NDArray[np.uint32]

EDGES = np.array(
    [
        *(0x0000_0000, 0x0000_0001, 0x0000_0002, 0x0040_0000, 0x007F_FFFF, 0x0080_0000),
        *(0x0080_0001, 0x0100_0000, 0x3300_0000, 0x3380_0000, 0x3F00_0000, 0x3F7F_FFFF),
        *(0x3F80_0000, 0x3F80_0001, 0x4000_0000, 0x4B00_0000, 0x4B80_0000, 0x7F00_0000),
        *(0x7F7F_FFFE, 0x7F7F_FFFF, 0x3EAA_AAAB),
    ],
    np.uint32,
)
"""Zero, ends of subnormal and normal numbers, powers of two and their neighbours, a third."""
SIGN = np.uint32(1 << 31)


def edges(operands: int) -> list[Bits]:
    """Return all pairs or triples of edges, a column an operand.

    Of the third operand zero alone has both signs.
    """
    signed = np.concatenate([EDGES, EDGES | SIGN]).tolist()
    columns = [signed, signed, [*EDGES.tolist(), int(SIGN)]][:operands]
    rows = np.array(list(product(*columns)), np.uint32)
    return [rows[:, place].copy() for place in range(operands)]


def drawn(rng: np.random.Generator, count: int, *, low: int = 0, high: int = 254) -> Bits:
    """Return numbers of drawn biased exponents, some with few bits; high: the last exponent."""
    exponent = rng.integers(low, high + 1, count, np.uint32)
    fraction = rng.integers(0, 1 << 23, count, np.uint32)
    few = np.uint32(0x7F_FFFF) << rng.integers(0, 24, count).astype(np.uint32)
    fraction = np.where(rng.random(count) < 0.3, fraction & few, fraction)
    sign = rng.integers(0, 2, count, np.uint32) << np.uint32(31)
    bits: Bits = (sign | exponent << np.uint32(23) | fraction & np.uint32(0x7F_FFFF)).astype(
        np.uint32
    )
    return bits


def few_bits(rng: np.random.Generator, count: int) -> Bits:
    """Return integers below 2**24 of every length, half of them of a single bit."""
    place = rng.integers(0, 24, count, np.uint32)
    single = np.uint32(1) << place
    more = rng.integers(0, 1 << 24, count, np.uint32) >> rng.integers(0, 25, count, np.uint32)
    numbers: Bits = np.where(rng.random(count) < 0.5, single, more)
    return numbers


def beside(rng: np.random.Generator, bits: Bits) -> Bits:
    """Return numbers of the other sign that share some of the highest bits, from none to all."""
    near: Bits = bits ^ SIGN ^ few_bits(rng, len(bits))
    return near


def subnormal(rng: np.random.Generator, count: int) -> Bits:
    """Return subnormal numbers of every length, of one bit and of more, zero among them."""
    numbers: Bits = few_bits(rng, count) >> np.uint32(1)
    return numbers


def drawn_summands(rng: np.random.Generator, count: int) -> list[Bits]:
    """Return drawn a, b: anything; exponents near each other; sums that cancel, in few bits too."""
    a, b = (drawn(rng, count) for _ in range(2))
    _, near, cancels = np.array_split(np.arange(count), 3)
    moved = exponents_of(a[near]) + rng.integers(-30, 31, len(near))
    b[near] = with_exponents(b[near], moved)
    b[cancels] = beside(rng, a[cancels])
    return finite([a, b])


def drawn_factors(rng: np.random.Generator, count: int) -> list[Bits]:
    """Return drawn a, b: anything; products at the end of normal numbers; a subnormal one."""
    a, b = (drawn(rng, count) for _ in range(2))
    _, small, of_subnormal = np.array_split(np.arange(count), 3)
    a[small] = drawn(rng, len(small), high=120)
    moved = 127 - exponents_of(a[small]) + rng.integers(-28, 4, len(small))
    b[small] = with_exponents(b[small], moved)
    a[of_subnormal] = subnormal(rng, len(of_subnormal))
    b[of_subnormal] = drawn(rng, len(of_subnormal), low=100)
    b[of_subnormal[::2]] &= np.uint32(0xFF80_0000)
    return finite([a, b])


def exponents_of(bits: Bits) -> NDArray[np.int64]:
    """Return biased exponents."""
    return (bits >> np.uint32(23) & np.uint32(0xFF)).astype(np.int64)


def with_exponents(bits: Bits, exponents: NDArray[np.int64]) -> Bits:
    """Return numbers with other biased exponents, clipped to those of finite numbers."""
    moved = exponents.clip(0, 254).astype(np.uint32) << np.uint32(23)
    changed: Bits = bits & np.uint32(0x807F_FFFF) | moved
    return changed


def drawn_triples(rng: np.random.Generator, count: int) -> list[Bits]:
    """Return drawn a, b, c: anything; products beside the addend; products that cancel it.

    Of some a product of a subnormal number has few bits where the sum has more; of others it is
    zero, or exact beside its addend.
    """
    a, b, c = (drawn(rng, count) for _ in range(3))
    parts = np.array_split(np.arange(count), 5)
    a[parts[4]] = subnormal(rng, len(parts[4]))
    a[parts[4][::2]] = rng.integers(1, 8, len(parts[4][::2]), np.uint32)
    b[parts[4]] = drawn(rng, len(parts[4]), low=150, high=250)
    for part in parts[1:4]:
        a[part] = drawn(rng, len(part), low=100, high=150)
        b[part] = drawn(rng, len(part), low=100, high=150)
    exact = parts[3][::2]
    a[exact] &= np.uint32(0xFFFF_F000)
    b[exact] &= np.uint32(0xFFFF_F000)
    with np.errstate(over="ignore", under="ignore"):
        near = a.view(np.float32) * b.view(np.float32)
    moved = np.ldexp(near, rng.integers(-30, 31, count)).astype(np.float32).view(np.uint32)
    c[parts[2]] = (moved ^ rng.integers(0, 4, count, np.uint32))[parts[2]]
    c[parts[4]] = (np.ldexp(near, rng.integers(-5, 1, count)).astype(np.float32).view(np.uint32))[
        parts[4]
    ] ^ (rng.integers(0, 8, len(parts[4]), np.uint32) | SIGN)
    c[parts[3]] = beside(rng, near.view(np.uint32))[parts[3]]
    alone = parts[0][::10]
    a[alone], c[alone] = 0, subnormal(rng, len(alone))
    small = (rng.random(count) < 0.1) & (np.arange(count) < parts[4][0])
    a[small], b[small] = drawn(rng, int(small.sum()), high=70), drawn(rng, int(small.sum()))
    return finite([a, b, c])


def finite(columns: list[Bits]) -> list[Bits]:
    """Return numbers with smaller exponents where they were none."""
    found = [
        np.where(each >> 23 & 0xFF == 0xFF, each & ~np.uint32(1 << 29), each) for each in columns
    ]
    return [each.astype(np.uint32) for each in found]


def all_numbers(size: FloatSize) -> NDArray[np.int64]:
    """Return the bits of every finite number of a small format."""
    bits = np.arange(1 << size.bits)
    found: NDArray[np.int64] = bits[(bits >> size.fraction & size.infinite) != size.infinite]
    return found


def scaled(bits: NDArray[np.int64], size: FloatSize) -> NDArray[np.int64]:
    """Return finite numbers of a small format in units of the smallest one."""
    biased = bits >> size.fraction & size.infinite
    hidden = np.where(biased > 0, 1 << size.fraction, 0)
    significand = bits & (1 << size.fraction) - 1 | hidden
    magnitude = significand << np.maximum(biased, 1) - 1
    signed: NDArray[np.int64] = np.where(bits >> size.bits - 1 & 1, -magnitude, magnitude)
    return signed


def fused(
    a: NDArray[np.int64], b: NDArray[np.int64], c: NDArray[np.int64], size: FloatSize
) -> NDArray[np.int64]:
    """Return a * b + c of a small format by a plain multiplier and adder, without any rounding.

    Numbers are ordered as their bits are: the nearest one is found in the list of all.
    """
    # In units of the square of the smallest number.
    unit = size.bias - 1 + size.fraction
    exact = scaled(a, size) * scaled(b, size) + (scaled(c, size) << unit)
    listed = scaled(np.arange(size.infinite << size.fraction), size) << unit
    listed = np.append(listed, 2 * listed[-1] - listed[-2])
    wanted = np.abs(exact)
    low = np.minimum(np.searchsorted(listed, wanted, side="right") - 1, len(listed) - 2)
    below, above = wanted - listed[low], listed[low + 1] - wanted
    found = low + ((above < below) | ((above == below) & (low % 2 == 1)))
    signs = [each >> size.bits - 1 & 1 for each in (a, b, c)]
    negative = (exact < 0) | ((exact == 0) & (signs[0] ^ signs[1] == 1) & (signs[2] == 1))
    bits: NDArray[np.int64] = found | negative.astype(np.int64) << size.bits - 1
    return bits
