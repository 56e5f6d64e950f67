"""What the devices of a chip built with `effects` hold: levels of cells, offsets of converters.

A cell holds a level in steps of 1/64 of the least one above zero, up to twice its full level. Each
column has a converter of its own in front of the lanes: its offset in the same steps, whether it is
trimmed, and how many bits it has less than the largest sum asks for.

Tests: `tests/crossbar/sim/test_effects.py`.
"""

LEVEL_STEPS = 6
"""Bits of a level behind the point."""
LEVEL_HEADROOM = 1
"""A cell that varies holds up to twice its full level."""
OFFSET_BITS = 16
"""Of an offset in two's complement, in steps of 1/64 of a code."""
TRIM_BITS = OFFSET_BITS - LEVEL_STEPS + 1
"""Of a trim in two's complement, in codes."""
LESS_BITS = 4
"""Of the bits that a converter has below lossless."""

CONVERTER_FIELDS = (("offset", OFFSET_BITS), ("trimmed", 1), ("less", LESS_BITS))
"""Of a column of a chip with `effects`, in its last flit, behind its cells."""

READ_FIELDS = (("key", 32), ("gain", 32))
"""Of a column of a chip with `read_noise`, in the flit before the last one; see
`golden.crossbar.read_noise`.

key: of all draws of the column; gain: steps of 1/64 of a code, in 2^-GAIN_BITS, for each unit of
the sum of the bytes of two draws
"""
GAIN_BITS = 16
MIX = (0x7FEB352D, 0x846CA68B)
"""Factors of the 32-bit mix of C. Wellons, Prospecting for Hash Functions, 2018 (public domain):
x ^= x >> 16; x *= MIX[0]; x ^= x >> 15; x *= MIX[1]; x ^= x >> 16."""
GOLDEN_RATIO = 0x9E3779B9
"""2^32 over the golden ratio: what numbers of reads are apart."""

STEPS_BITS = 16
"""Of what a converter that is not linear adds to a sum, in two's complement, steps of 1/64."""
CODES_FIELDS = (("steps", STEPS_BITS),)
"""Of a code of all converters of a macro, of a chip with `nonlinear_converters`."""


def planes_of(cell_bits: int, *, effects: bool) -> int:
    """Return the bit planes of a cell: of its level, or of its exact value."""
    return cell_bits + LEVEL_STEPS + LEVEL_HEADROOM if effects else cell_bits
