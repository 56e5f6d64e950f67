"""The instruction set as field tables: compiler, RTL, model and documentation read these.

Fields are packed from the lowest bit upwards in the order of the table; remaining bits are zero.
Every packet of the stream begins on a beat of the memory port and is padded with zeros to whole
beats.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

VERSION = 1
"""Version of the instruction set; the chip refuses a `BEGIN` with another one."""

INSTRUCTION_BITS = 512
TILE_HEADER_BITS = 128

ALIGNMENT_BYTES = INSTRUCTION_BITS // 8
"""Every address that a host gives is a multiple of it."""

PIXEL_BYTES = (1, 2, 4, 8)
"""Bytes that one pixel may take in memory."""

PIXEL_SIZES = "{}, {}, {} or {}".format(*PIXEL_BYTES)


class Opcode(IntEnum):
    """Lowest byte of every packet; every other value stops the chip with an error."""

    BEGIN = 0x01
    CONV = 0x02
    POOL = 0x03
    ADD = 0x04
    STORE = 0x05
    END = 0x06
    TILE = 0x10


class ErrorCode(IntEnum):
    """Value of the ERROR register."""

    NONE = 0
    BAD_OPCODE = 1
    WRONG_VERSION = 2
    WRONG_ARCHITECTURE = 3
    READ_ERROR = 4
    WRITE_ERROR = 5
    STREAM_ENDED = 6
    STALLED = 7
    NOT_STORED = 8


@dataclass(frozen=True)
class Field:
    """Some bits of a packet: unsigned unless the meaning says otherwise."""

    name: str
    bits: int
    meaning: str


def _layer_fields() -> tuple[Field, ...]:
    """Return the common fields of CONV, POOL and ADD: location of the maps, work of the cores."""
    return (
        Field("opcode", 8, "CONV, POOL or ADD"),
        Field("input_base", 16, "first word of the input map in every bank"),
        Field("input_row_pitch", 16, "words of one map row in a bank"),
        Field("input_channel_words", 8, "words of one pixel"),
        Field("input_height", 8, "rows of the input map"),
        Field("input_width", 8, "columns of the input map"),
        Field("input_zero_point", 8, "byte of a real zero; also the value outside the map"),
        Field("kernel_height", 5, "rows of the window"),
        Field("kernel_width", 5, "columns of the window"),
        Field("stride", 5, "step of the window in both directions"),
        Field("padding", 3, "rows and columns around the map"),
        Field("output_base", 16, "first word of the output map in every bank"),
        Field("output_row_pitch", 16, "words of one map row in a bank"),
        Field("output_channel_words", 8, "words of one pixel"),
        Field("output_width", 8, "columns of the output map"),
        Field("output_zero_point", 8, "added after the shift"),
        Field("output_low", 8, "smallest byte (ReLU)"),
        Field("output_high", 8, "largest byte (ReLU6)"),
        Field("active_cores", 8, "bit c: core c takes part"),
        Field("unit_y", 8, "rows from the first position of a core of a set to the next core's"),
        Field("unit_x", 8, "columns of the same step, below output_width"),
        Field("step_y", 8, "rows from one position (position vector) of a core to its next"),
        Field("step_x", 8, "columns of the same step, below output_width"),
        Field("count_base", 16, "vectors (CONV) or positions (POOL, ADD) that every core has"),
        Field("count_extra", 4, "number of cores of a set, the first ones, that have one more"),
    )


PACKETS: Mapping[Opcode, tuple[Field, ...]] = {
    Opcode.BEGIN: (
        Field("opcode", 8, "BEGIN"),
        Field("version", 8, "of the instruction set"),
        Field("architecture", 32, "must equal the ID register"),
        Field("network", 32, "first 32 bits of the network's hash, not read by the chip"),
        Field("stream_beats", 32, "beats of the stream after this packet"),
        Field("image_beats", 16, "beats of the image: its pixels in whole beats, not checked"),
        Field("image_height", 8, "rows"),
        Field("image_width", 8, "columns"),
        Field("pixel_bytes", 4, f"bytes of a pixel in memory: {PIXEL_SIZES}"),
        Field("image_base", 16, "first word of the image in every bank"),
        Field("image_row_pitch", 16, "words of one row in a bank"),
    ),
    Opcode.CONV: (
        *_layer_fields(),
        Field("cores_per_set_log2", 2, "log2 of S: cores of a set, which compute the same filters"),
        Field("last_positions", 4, "positions of the very last vector, 1 to macros_per_core"),
        Field("last_core_in_set", 3, "core in the set that computes the very last position vector"),
        Field("chunk_vectors", 16, "position vectors of a core for which partial sums are held"),
        Field("raw", 1, "1: int32 logits instead of bytes"),
    ),
    Opcode.POOL: (
        *_layer_fields(),
        Field("average", 1, "0: maximum, 1: mean"),
        Field("multiplier", 16, "M of the mean, 1 / n included"),
        Field("shift", 6, "s of the mean"),
    ),
    Opcode.ADD: (
        *_layer_fields(),
        Field("second_base", 16, "first word of map b (same shape and pitch as map a)"),
        Field("second_zero_point", 8, "zero point of b"),
        Field("multiplier", 16, "M of a"),
        Field("second_multiplier", 16, "M of b"),
        Field("shift", 6, "common shift"),
    ),
    Opcode.STORE: (
        Field("opcode", 8, "STORE"),
        Field("words", 16, "int32 logits to write to memory, at least 1"),
    ),
    Opcode.END: (Field("opcode", 8, "END"),),
    Opcode.TILE: (
        Field("opcode", 8, "TILE"),
        Field("cores", 8, "bit c: core c stores this tile"),
        Field("group", 12, "filter group: its first output channel is group * filters"),
        Field("rows", 5, "rows of weights that follow, at least 1"),
        Field("mask_words", 12, "words of the input that the tile walks, at least 1"),
        Field("kernel_y", 5, "window row of the first word"),
        Field("kernel_x", 5, "window column of the first word"),
        Field("channel_word", 8, "channel word of the first word"),
        Field("turn", 3, "rotation of positions over macros; constant in the tiles of a chunk"),
        Field("first", 1, "partial sums start at zero"),
        Field("last", 1, "sums go to the output stage"),
        Field("last_group", 1, "the set has no further filter group in this layer"),
        Field("parameters", 1, "the group's parameters follow the mask"),
        Field("filter_enable", 16, "2 bits a filter: cell columns that count (01 phi 1, 11 phi 2)"),
    ),
}

PARAMETER_BITS = 64
PARAMETERS: tuple[Field, ...] = (
    Field("bias", 32, "two's complement"),
    Field("multiplier", 16, "M"),
    Field("shift", 6, "s"),
)
"""Parameters of one filter in a TILE packet."""

CELL: tuple[Field, ...] = (
    Field("index", 2, "dyadic block: the cell weighs 4**index"),
    Field("negative", 1, "sign of the digit"),
    Field("q", 1, "1: the upper digit of the block is set; 0: the lower one"),
)
CELL_BITS = sum(field.bits for field in CELL)
"""Bits of one cell in a weight code of a chip with `weight_bits`; the lowest cell belongs to the
filter's first cell column. Without `weight_bits` a code is an int8 weight."""


def field_bits(opcode: Opcode, name: str) -> int:
    """Return the width of a field of a packet."""
    return next(field.bits for field in PACKETS[opcode] if field.name == name)


def field_limit(opcode: Opcode, name: str) -> int:
    """Return the largest value of an unsigned field of a packet."""
    return (1 << field_bits(opcode, name)) - 1


def packet_bits(opcode: Opcode) -> int:
    """Return the bits of a packet, for TILE those of its header."""
    return TILE_HEADER_BITS if opcode is Opcode.TILE else INSTRUCTION_BITS


def encode(fields: tuple[Field, ...], values: Mapping[str, int]) -> int:
    """Return the fields as one integer; every field must be given and fit."""
    if set(values) != {field.name for field in fields}:
        missing = sorted(set(values) ^ {field.name for field in fields})
        raise ValueError(f"fields must be those of the table, differing: {', '.join(missing)}")
    word = position = 0
    for field in fields:
        value = values[field.name]
        if not 0 <= value < 1 << field.bits:
            raise ValueError(f"{field.name} must fit {field.bits} bits, got {value}")
        word |= value << position
        position += field.bits
    return word


def decode(fields: tuple[Field, ...], word: int) -> dict[str, int]:
    """Return the value of each field of an encoded packet."""
    values = {}
    for field in fields:
        values[field.name] = word & ((1 << field.bits) - 1)
        word >>= field.bits
    return values
