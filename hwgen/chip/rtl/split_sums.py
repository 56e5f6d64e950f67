"""Sums and products whose carries run through half of their bits.

Synthesis makes one chain of carries of `+`, and ends `*` with one: half of the time of a product of
48 bits. Here the upper half is added with and without a carry, which then chooses.

Tests: `tests/verif/crossbar/test_parts.py`.
"""

from amaranth.hdl import Cat, Module, Mux, Signal, Value


def split_sum(m: Module, one: Value, other: Value, *, name: str) -> Value:
    """Return the sum of two values of one width, modulo that width."""
    half = len(one) // 2
    low, high = Signal(half + 1, name=f"{name}_low"), Signal(len(one) - half, name=f"{name}_high")
    m.d.comb += [low.eq(one[:half] + other[:half]), high.eq(one[half:] + other[half:])]
    return Cat(low[:half], Mux(low[half], one[half:] + other[half:] + 1, high))[: len(one)]


def split_product(m: Module, value: Value, multiplier: Value) -> Value:
    """Return the product of a signed and an unsigned value, as wide as both."""
    bits = len(value) + len(multiplier)
    rows = [Signal(bits, name=f"row_{place}") for place in range(len(multiplier))]
    m.d.comb += [
        row.eq(Mux(multiplier[place], value << place, 0)) for place, row in enumerate(rows)
    ]
    while len(rows) > 2:
        behind = len(rows) - len(rows) % 3
        left = rows[behind:]
        for x, y, z in zip(rows[:behind:3], rows[1:behind:3], rows[2:behind:3], strict=True):
            total, carry = Signal(bits, name="total"), Signal(bits, name="carry")
            m.d.comb += [
                total.eq(x ^ y ^ z),
                carry.eq(((x & y) | (x & z) | (y & z)) << 1),
            ]
            left += [total, carry]
        rows = left
    return split_sum(m, *rows, name="product")
