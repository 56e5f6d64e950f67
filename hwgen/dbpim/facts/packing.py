"""Codings of rows: flat, or packed for filters whose weights have exactly phi digits.

Packed, three weights take 19 bits; where no filter has more than one digit, a weight takes 4. Flat,
a weight takes 8, or the 4 that `macro.weight_bits` says, two in a byte, the first lowest.

A weight is a number below 80: 8 times a decimal digit, plus an octal digit. Three weights are three
octal digits (bits 0 to 8, the first weight lowest) and three decimal digits in the 10 bits of a
densely packed decimal (IEEE 754-2008, 3.5.2; bits 9 to 18, the first weight is the last digit).

The number of a weight in a filter of two cell columns, with CSD digits at positions u > l:

    u <= 6      4 * pair + 2 * (upper digit negative) + (lower digit negative),
                pair = (u - 1) * (u - 2) / 2 + l, which counts the 15 pairs by u, then l
    u = 7       60 + 2 * l + (upper digit negative); the lower digit has the other sign
    zero        72, as the cells 1 - 1; also of a slot without an input

and in a filter of one cell column or none: 2 * position + (digit negative), which has 4 bits. A row
is its weights in the order of the weight codes, three after three, the last three completed with 0;
of a tile of one digit the 4 bits of each, the first lowest.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.fields import encode
from hwgen.dbpim.facts.arch import WEIGHT_BITS, Arch
from hwgen.dbpim.facts.instructions import CELL, CELL_BITS, Coding
from hwgen.network.csd import DIGITS, Block
from hwgen.network.sparsity import PHI_LIMIT

Bytes = NDArray[np.uint8]

TRIPLE = 3
TRIPLE_BITS = 19
DIGIT_BITS = CELL_BITS
"""Bits of a weight of one digit."""
OCTAL_BITS, DECIMAL_BITS = 3, 10
"""Bits of an octal digit; bits of the three decimal digits."""

PIECE_BITS = 64
"""A packed row has a multiple of these bits; rows longer than a beat follow each other."""

ZERO = 72
NUMBERS = 80
"""Number of the weight zero; numbers that a code can express. 73 to 79 are unused."""

NOT_PACKED = 255
"""Entry of `NUMBER_OF_CODE` for a weight code without a number."""


def _nibble(position: int, *, negative: bool) -> int:
    """Return the cell of a CSD digit."""
    block = Block(q=position % 2, negative=int(negative), index=position // 2)
    return encode(CELL, vars(block))


def _two_digits(number: int) -> int:
    """Return the weight code of a number in a filter of two cell columns."""
    if number >= ZERO:
        return _nibble(0, negative=False) | _nibble(0, negative=True) << CELL_BITS
    if number >= 60:
        upper, lower = DIGITS - 1, (number - 60) // 2
        upper_negative, lower_negative = number % 2 == 1, number % 2 == 0
    else:
        upper = next(u for u in range(2, DIGITS) if (u - 1) * u // 2 > number // 4)
        lower = number // 4 - (upper - 1) * (upper - 2) // 2
        upper_negative, lower_negative = number & 2 != 0, number & 1 != 0
    low, high = _nibble(lower, negative=lower_negative), _nibble(upper, negative=upper_negative)
    return low | high << CELL_BITS


CODE_OF_NUMBER = np.array(
    [
        [_nibble(number // 2 % DIGITS, negative=number % 2 == 1) for number in range(NUMBERS)],
        [_two_digits(number) for number in range(NUMBERS)],
    ],
    np.uint8,
)
"""Weight codes, (cell columns - 1, number)."""

NUMBER_OF_CODE = np.full((PHI_LIMIT, 1 << WEIGHT_BITS), NOT_PACKED, np.uint8)
"""Numbers, (cell columns - 1, weight code); NOT_PACKED where there is none."""
NUMBER_OF_CODE[0, CODE_OF_NUMBER[0, : 2 * DIGITS]] = np.arange(2 * DIGITS)
NUMBER_OF_CODE[1, CODE_OF_NUMBER[1, : ZERO + 1]] = np.arange(ZERO + 1)


def _packed_decimal(hundreds: int, tens: int, ones: int) -> int:
    """Return three decimal digits in 10 bits, as IEEE 754-2008, table 3.4 packs them."""
    # By the highest bits of the three digits: bits 9 to 7, 6 to 4, 3 to 1; bit 0 is of the ones.
    h, t, o = hundreds & 7, tens & 7, ones & 7
    h0, t0 = h & 1, t & 1
    rows = {
        (0, 0, 0): (h, t, o >> 1),
        (0, 0, 1): (h, t, 0b100),
        (0, 1, 0): (h, o & 6 | t0, 0b101),
        (1, 0, 0): (o & 6 | h0, t, 0b110),
        (1, 1, 0): (o & 6 | h0, t0, 0b111),
        (1, 0, 1): (t & 6 | h0, 0b010 | t0, 0b111),
        (0, 1, 1): (h, 0b100 | t0, 0b111),
        (1, 1, 1): (h0, 0b110 | t0, 0b111),
    }
    high, middle, low = rows[hundreds >> 3, tens >> 3, ones >> 3]
    return high << 7 | middle << 4 | low << 1 | ones & 1


DECIMALS = np.array(
    [_packed_decimal(n // 100, n // 10 % 10, n % 10) for n in range(1000)], np.uint16
)
"""The 10 bits of each number of three decimal digits."""

NUMBER_OF_DECIMAL = np.zeros(1 << DECIMAL_BITS, np.uint16)
"""The number of three decimal digits of its 10 bits; bits that no encoder writes stand for 0."""
NUMBER_OF_DECIMAL[DECIMALS] = np.arange(1000)


def triples(arch: Arch) -> int:
    """Return the triples of a row."""
    return -(-arch.macro.compartments * arch.filters // TRIPLE)


def row_bits(arch: Arch, coding: Coding) -> int:
    """Return the bits of a row of weights, without what fills its last piece."""
    weights = arch.macro.compartments * arch.filters
    return {
        Coding.FLAT: weights * arch.macro.weight_bits,
        Coding.TRIPLES: triples(arch) * TRIPLE_BITS,
        Coding.DIGITS: weights * DIGIT_BITS,
    }[coding]


def row_pieces(arch: Arch, coding: Coding) -> int:
    """Return the pieces of PIECE_BITS from one row of weights to the next.

    Flat rows, and packed ones that fit a beat, begin on a beat.
    """
    beat = arch.port_bits // PIECE_BITS
    pieces = -(-row_bits(arch, coding) // PIECE_BITS)
    if coding is not Coding.FLAT and pieces > beat:
        return pieces
    return -(-pieces // beat) * beat


def codings(arch: Arch) -> list[Coding]:
    """Return the codings that a chip reads."""
    if not arch.unpacks:
        return [Coding.FLAT]
    return [Coding.FLAT, Coding.TRIPLES, *([Coding.DIGITS] if arch.one_digit != "none" else [])]


def two_columns(filter_enable: int, arch: Arch) -> NDArray[np.intp]:
    """Return for each filter 1 if it uses its second cell column, else 0: the row of the tables."""
    return np.array([filter_enable >> 2 * place + 1 & 1 for place in range(arch.filters)])


def best_coding(codes: Bytes, filter_enable: int, arch: Arch) -> Coding:
    """Return the shortest coding of a tile that its chip reads.

    codes: (inputs, F), those of real inputs alone
    """
    second = two_columns(filter_enable, arch)
    allowed = codings(arch)
    if not (NUMBER_OF_CODE[second, codes] != NOT_PACKED).all():
        return Coding.FLAT
    if second.any() or Coding.DIGITS not in allowed:
        return allowed[:2][-1]
    return Coding.DIGITS


def encode_rows(codes: Bytes, filter_enable: int, arch: Arch, coding: Coding) -> bytes:
    """Return the rows of a tile in whole beats; codes: (rows, C, F)."""
    if coding is Coding.TRIPLES:
        return pack_rows(codes, filter_enable, arch)
    if coding is Coding.DIGITS:
        return pack_digits(codes, arch)
    flat = codes.reshape(len(codes), -1)
    if arch.macro.weight_bits < WEIGHT_BITS:
        flat = in_halves(flat)
    missing = -flat.shape[1] % arch.port_bytes
    return (np.pad(flat, ((0, 0), (0, missing))) if missing else flat).tobytes()


def decode_rows(
    content: bytes, count: int, filter_enable: int, arch: Arch, coding: Coding
) -> Bytes:
    """Return the codes (count, C, F) of the rows of a tile."""
    if coding is Coding.TRIPLES:
        return unpack_rows(content, count, filter_enable, arch)
    if coding is Coding.DIGITS:
        return unpack_digits(content, count, arch)
    size = row_bits(arch, Coding.FLAT) // 8
    rows = np.frombuffer(content, np.uint8).reshape(count, len(content) // max(count, 1))[:, :size]
    if arch.macro.weight_bits < WEIGHT_BITS:
        rows = from_halves(rows)
    return rows.reshape(count, arch.macro.compartments, arch.filters)


def in_halves(codes: Bytes) -> Bytes:
    """Return the lower half of each code, two in a byte, the first in its lower half."""
    return ((codes[:, ::2] & 15) | codes[:, 1::2] << 4).astype(np.uint8)


def from_halves(rows: Bytes) -> Bytes:
    """Return the codes of rows of halves of bytes: their weights as int8."""
    halves = np.stack([rows << 4, rows & 0xF0], axis=-1).reshape(len(rows), -1)
    return (halves.view(np.int8) >> 4).view(np.uint8)


def pack_rows(codes: Bytes, filter_enable: int, arch: Arch) -> bytes:
    """Return rows of weights without gaps, in whole beats; codes: (rows, C, F).

    A code without a number, as in a slot without an input, becomes a zero.
    """
    numbers = NUMBER_OF_CODE[two_columns(filter_enable, arch), codes].reshape(len(codes), -1)
    missing = triples(arch) * TRIPLE - numbers.shape[1]
    numbers = np.where(numbers == NOT_PACKED, ZERO, numbers)
    digits = np.pad(numbers, ((0, 0), (0, missing))).reshape(len(codes), -1, TRIPLE)
    octal = digits.astype(np.uint32) & 7
    decimal = DECIMALS[(digits >> OCTAL_BITS).astype(np.uint16) @ np.array([1, 10, 100])]
    words = octal @ np.array([1, 8, 64], np.uint32) | decimal.astype(np.uint32) << 9
    bits = words[..., np.newaxis] >> np.arange(TRIPLE_BITS, dtype=np.uint32) & 1
    return in_pieces(bits.reshape(len(codes), -1).astype(np.uint8), Coding.TRIPLES, arch)


def pack_digits(codes: Bytes, arch: Arch) -> bytes:
    """Return rows of 4 bits a weight without gaps, in whole beats; codes: (rows, C, F)."""
    numbers = NUMBER_OF_CODE[0, codes].reshape(len(codes), -1, 1)
    bits = numbers >> np.arange(DIGIT_BITS, dtype=np.uint8) & 1
    return in_pieces(bits.reshape(len(codes), -1), Coding.DIGITS, arch)


def in_pieces(rows: Bytes, coding: Coding, arch: Arch) -> bytes:
    """Return rows of bits (rows, bits) from piece to piece, in whole beats."""
    size = row_pieces(arch, coding) * PIECE_BITS
    content = np.packbits(
        np.pad(rows, ((0, 0), (0, size - rows.shape[1]))), bitorder="little"
    ).tobytes()
    return content + bytes(-len(content) % arch.port_bytes)


def from_pieces(content: bytes, count: int, coding: Coding, arch: Arch) -> Bytes:
    """Return the bits (count, bits of a row) of packed rows."""
    size = row_pieces(arch, coding) * PIECE_BITS
    bits = np.unpackbits(np.frombuffer(content, np.uint8), bitorder="little")
    return bits[: count * size].reshape(count, size)[:, : row_bits(arch, coding)]


def unpack_rows(content: bytes, count: int, filter_enable: int, arch: Arch) -> Bytes:
    """Return the codes (count, C, F) of packed rows."""
    compartments, filters = arch.macro.compartments, arch.filters
    rows = from_pieces(content, count, Coding.TRIPLES, arch)
    words = rows.reshape(count, -1, TRIPLE_BITS).astype(np.uint32) @ (
        1 << np.arange(TRIPLE_BITS, dtype=np.uint32)
    )
    decimal = NUMBER_OF_DECIMAL[words >> 9]
    digits = [
        8 * (decimal // 10**place % 10) + (words >> OCTAL_BITS * place & 7)
        for place in range(TRIPLE)
    ]
    numbers = np.stack(digits, axis=-1).reshape(count, -1)[:, : compartments * filters]
    shaped = numbers.reshape(count, compartments, filters)
    codes: Bytes = CODE_OF_NUMBER[two_columns(filter_enable, arch), shaped]
    return codes


def unpack_digits(content: bytes, count: int, arch: Arch) -> Bytes:
    """Return the codes (count, C, F) of rows of 4 bits a weight."""
    bits = from_pieces(content, count, Coding.DIGITS, arch)
    numbers = bits.reshape(count, arch.macro.compartments, arch.filters, DIGIT_BITS) @ (
        1 << np.arange(DIGIT_BITS, dtype=np.uint8)
    )
    codes: Bytes = CODE_OF_NUMBER[0, numbers]
    return codes


def row_beats(rows: int, arch: Arch, coding: Coding) -> list[int]:
    """Return the beats of each row of a tile; one that begins in the beat before has one less."""
    bits = row_pieces(arch, coding) * PIECE_BITS
    ends = [-(-number * bits // arch.port_bits) for number in range(rows + 1)]
    return [end - begin for begin, end in pairwise(ends)]
