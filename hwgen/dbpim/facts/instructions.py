"""The instruction set as field tables: compiler, RTL, model and documentation read these.

Fields are packed from the lowest bit upwards in the order of the table; remaining bits are zero.
Every packet of the stream begins on a beat of the memory port and is padded with zeros to whole
beats. The fields of the cores (`keep_first_0` .. `keep_first_7`) stand last, core by core: a chip
with fewer cores has shorter packets, and reads the fields of absent cores as zero. A chip with more
than 8 cores, 8 macros a core, 16 columns, 16 compartments or 31 rows a tile has wider fields, as
wide as its size needs: sets of cores, `turn`, `filter_enable` (such a TILE has no `double` and no
`second_group`), `rotate` and other counts of bytes of a word, `rows` of TILE. In SIMD a chip with
`simd_tflite` has 31 bits of `multiplier`, and behind `second_zero_point` four fields more:
`first_scale` (Ma of SQUARES, 31 bits), `first_places` (sa - 31, 5 bits), `second_scale` and
`second_places`.
"""

from collections.abc import Mapping
from dataclasses import replace
from enum import IntEnum
from functools import cache
from typing import NamedTuple

from hwgen.chip.fields import Field, encode
from hwgen.chip.program_checksum import CHECKSUM_BYTES, MEANING
from hwgen.chip.widths import bits_for_index
from hwgen.network.quantization import ROUNDING_CODES, SIGNED_BITS, SIGNIFICANT_BITS

VERSION = 8
"""Version of the instruction set; the chip refuses a `BEGIN` with another one."""

MOST_CORES = 16
"""Cores that an instruction has fields for."""

MOST_PAIRED_COLUMNS = 16
"""Columns up to which a tile may be of two filter groups: its header has fields for the second."""

FACTOR_BITS = 22
"""Width of a factor of an addition; 16 of them are used without `float32`."""

ROW_BITS = 10
"""Width of a row or column of a map, of a row or column stored in a buffer, of a channel word."""

ROUNDING_BITS = bits_for_index(len(ROUNDING_CODES))
ROUNDINGS = ", ".join(f"{code} {name}" for name, code in ROUNDING_CODES.items())
"""The codes of a rounding, for the documentation."""

PLACES_BITS = bits_for_index(SIGNED_BITS + 1)
"""Width of the second shift of an operand of SQUARES."""

PACKET_UNIT_BITS = 64
"""The length of a packet (of a tile: of its header) is a multiple of it."""

FLOAT_BITS = 32
"""A float32."""

CHANNEL_BITS = 9
"""Width of the channels of a layer norm."""

PIXEL_BYTES = (1, 2, 4, 8)
"""Bytes that one packed pixel may take in memory."""

PIXEL_SIZES = "{}, {}, {} or {}".format(*PIXEL_BYTES)


class Opcode(IntEnum):
    """Lowest byte of every packet; every other value stops the chip with an error."""

    BEGIN = 0x01
    CONV = 0x02
    SIMD = 0x03
    STORE = 0x05
    END = 0x06
    LOAD = 0x07
    TILE = 0x10
    TAPS = 0x11
    TABLE = 0x12
    FLOATS = 0x13


class Operation(IntEnum):
    """What a SIMD instruction computes; SCORES to NORM on chips with a row unit alone.

    SCORES, VALUES: products of two maps, whose sums run over channels or over pixels of map b
    SQUARES: of the differences of two scaled maps, on chips with `simd_tflite` alone
    """

    MAXIMUM = 0
    SUM = 1
    DEPTHWISE = 2
    ADD = 3
    MULTIPLY = 4
    TABLE = 5
    SCORES = 6
    VALUES = 7
    SOFTMAX = 8
    NORM = 9
    SQUARES = 10


TWO_MAPS = (Operation.ADD, Operation.MULTIPLY, Operation.SQUARES)
"""Operations on the elements of two maps at the same place."""


PRODUCTS = (Operation.SCORES, Operation.VALUES)
"""Operations that multiply two maps: a result reads each word of map a once, then the pixels of map
b that it meets."""

ROWS = (Operation.SOFTMAX, Operation.NORM)
"""Operations of the row unit: the words of a group of channels are read `ROW_PASSES` times."""

ROW_PASSES = 3
"""softmax: largest byte, sum, quotients; layer norm: mean, squares, quotients."""

PASSES_WITHOUT_MEAN = 2
"""Times that a norm without a mean reads its words, `kernel_height` of its instruction."""


class Coding(IntEnum):
    """How a tile sends its rows of weights: see `hwgen.dbpim.facts.packing`.

    FLAT: a code of 8 bits each; TRIPLES: three weights in 19 bits, with `packed_weights`; DIGITS:
    4 bits each, where no filter has more than one digit, with `one_digit`
    """

    FLAT = 0
    TRIPLES = 1
    DIGITS = 2


class Space(IntEnum):
    """Part of the memory that a LOAD or STORE addresses; its address is in a register.

    PROGRAM: maps that do not depend on the image, behind END; on chips with a row unit alone
    """

    IMAGE = 0
    SCRATCH = 1
    ANSWER = 2
    PROGRAM = 3


class ErrorCode(IntEnum):
    """Value of the ERROR register; DAMAGED_PROGRAM: the checksum of what was read does not fit."""

    NONE = 0
    BAD_OPCODE = 1
    WRONG_VERSION = 2
    WRONG_ARCHITECTURE = 3
    READ_ERROR = 4
    WRITE_ERROR = 5
    STREAM_ENDED = 6
    STALLED = 7
    NOT_STORED = 8
    BAD_POSITION = 9
    DAMAGED_PROGRAM = 10


def of_core(name: str, core: int) -> str:
    """Return the name of a field that exists once for each core."""
    return f"{name}_{core}"


class Widths(NamedTuple):
    """Bits of the fields that are wider on large chips; the defaults are those of all others.

    cores: sets of cores; tile_rows, turn, filter_enable: of TILE
    word_bytes: counts of bytes of a word; rotate: the place of one in it
    multiplier: M of a SIMD instruction, which has the fields of `SCALES` too if it is wider
    """

    cores: int = 8
    tile_rows: int = 5
    turn: int = 3
    filter_enable: int = 16
    word_bytes: int = 5
    rotate: int = 4
    multiplier: int = SIGNIFICANT_BITS


NARROW = Widths()


def _core_fields(**meanings: tuple[int, str]) -> tuple[Field, ...]:
    """Return the fields that exist once for each core: name -> (bits, meaning)."""
    return tuple(
        Field(of_core(name, core), bits, f"core {core}: {meaning}")
        for core in range(MOST_CORES)
        for name, (bits, meaning) in meanings.items()
    )


_KEEP = {
    "keep_first": (ROW_BITS, "first stored row of the output that it keeps"),
    "keep_rows": (ROW_BITS, "stored rows of the output that it keeps"),
}

_LAYER = (
    Field("opcode", 8, "CONV or SIMD"),
    Field("input_base", 16, "first word of the input map in every bank"),
    Field("input_row_pitch", 16, "words of one stored row in a bank"),
    Field("input_channel_words", ROW_BITS, "words of one pixel"),
    Field("input_height", ROW_BITS, "rows of the input map of one image"),
    Field("input_width", ROW_BITS, "columns of the input map of one image; of a product of map b"),
    Field("input_image_rows", ROW_BITS, "stored rows from one image to the next"),
    Field("input_image_columns", ROW_BITS, "stored columns from one image to the next"),
    Field(
        "outside",
        8,
        "byte of an input outside the map; of CONV the zero point; of SCORES the columns of C "
        "pixels of map b behind their whole rows",
    ),
    Field("kernel_height", 7, "rows of the window; of a product words of map a for a result"),
    Field(
        "kernel_width",
        7,
        "columns of the window; of a product one and the pixels of map b for a word of map a",
    ),
    Field("stride_y", 7, "rows from one window to the next; of a product result words of a group"),
    Field("stride_x", 7, "columns from one window to the next; of SCORES rows of C pixels"),
    Field("padding_top", 4, "rows above the map"),
    Field("padding_left", 4, "columns left of the map"),
    Field("output_base", 16, "first word of the output map in every bank, or of the logits"),
    Field("output_row_pitch", 16, "words of one stored row in a bank; logits of one image"),
    Field("output_channel_words", ROW_BITS, "words of one pixel"),
    Field("output_first_word", ROW_BITS, "channel word that receives channel 0"),
    Field("output_image_rows", ROW_BITS, "stored rows from one image to the next"),
    Field("output_image_columns", ROW_BITS, "stored columns from one image to the next"),
    Field("output_width", ROW_BITS, "columns of the output map of one image"),
    Field("output_first_row", ROW_BITS, "first row that the step computes"),
    Field("output_end_row", ROW_BITS, "row after the last one that the step computes"),
    Field("output_zero_point", 8, "added after the shift"),
    Field("output_low", 8, "smallest byte (ReLU)"),
    Field("output_high", 8, "largest byte (ReLU6)"),
    Field("patch", 1, "position vectors are 2 rows x M/2 columns, not M columns"),
    Field("active_cores", NARROW.cores, "bit c: core c takes part"),
)
"""Common fields of CONV and SIMD: location of the maps, arithmetic of the output."""

_WORK = {
    "input_first": (ROW_BITS, "first stored row of the input that it holds"),
    "start_image": (ROW_BITS, "image of its first position vector"),
    "start_y": (ROW_BITS, "row of the first position of that vector"),
    "start_x": (ROW_BITS, "column of that position"),
    "vectors": (16, "position vectors that it computes"),
    "private_first": (ROW_BITS, "first stored row of the output that no other core keeps"),
    "private_rows": (ROW_BITS, "number of such rows"),
    **_KEEP,
}
"""Fields of a core in CONV and SIMD: its position vectors, and the slices that it holds."""


_SECOND = {"second_first": (ROW_BITS, "first stored row of map b that it holds")}


CHECKSUM_BYTE = 12
"""Of a program, the first one of the `checksum` of BEGIN."""

Packets = Mapping[Opcode, tuple[Field, ...]]

PACKETS: Packets = {
    Opcode.BEGIN: (
        Field("opcode", 8, "BEGIN"),
        Field("version", 8, "of the instruction set"),
        Field("architecture", 32, "must equal the ID register"),
        Field("network", 32, "first 32 bits of the network's hash, not read by the chip"),
        Field("positions", 16, "the register `position` must be below; 0: it is not read"),
        Field("checksum", 8 * CHECKSUM_BYTES, MEANING),
    ),
    Opcode.LOAD: (
        Field("opcode", 8, "LOAD"),
        Field("space", 2, "IMAGE, SCRATCH or PROGRAM"),
        Field("offset", 32, "bytes from the address of the space"),
        Field("beats", 24, "beats of the data: pixels in whole beats, not checked"),
        Field("segment_beats", 32, "beats of the stream up to the end of the next LOAD, or to END"),
        Field("pixel_bytes", 4, f"bytes of a packed pixel: {PIXEL_SIZES}; 0: whole words"),
        Field("pixel_channels", 4, "channels of a packed pixel"),
        Field("window_pixels", NARROW.word_bytes, "neighbouring pixels in a word"),
        Field("window_stride", NARROW.word_bytes, "pixels from one word to the next"),
        Field(
            "window_padding", NARROW.word_bytes, "pixels outside the map in the first word of a row"
        ),
        Field("window_value", 8, "byte outside the map"),
        Field("memory_columns", ROW_BITS, "packed pixels of one row in memory"),
        Field("first_row", ROW_BITS, "stored row of the first pixel"),
        Field("first_column", ROW_BITS, "stored column of the first pixel"),
        Field("rows", ROW_BITS, "rows to store"),
        Field("columns", ROW_BITS, "columns to store"),
        Field("output_base", 16, "first word of the map in every bank"),
        Field("output_row_pitch", 16, "words of one stored row in a bank"),
        Field("output_channel_words", ROW_BITS, "words of one pixel"),
        *_core_fields(**_KEEP),
    ),
    Opcode.CONV: (
        *_LAYER,
        Field("chunk_vectors", 16, "position vectors of a core for which partial sums are held"),
        Field("raw", 1, "1: int32 logits instead of bytes"),
        Field("adds", 1, "1: map b is added to the results; not with raw"),
        Field("result_multiplier", FACTOR_BITS, "M of a result in this sum"),
        Field("second_multiplier", FACTOR_BITS, "M of map b"),
        Field("rounding", ROUNDING_BITS, f"of the results: {ROUNDINGS}; with raw half_up"),
        Field("sum_rounding", ROUNDING_BITS, "of the sum"),
        Field("sum_shift", 6, "s of the sum"),
        Field("second_zero_point", 8, "zb; that of the results is output_zero_point"),
        Field("sum_zero_point", 8, "added after the shift of the sum"),
        Field("sum_low", 8, "smallest byte of the sum"),
        Field("sum_high", 8, "largest byte of the sum"),
        Field("second_base", 16, "first word of map b in every bank"),
        Field("second_row_pitch", 16, "words of one stored row in a bank"),
        Field("second_channel_words", ROW_BITS, "words of one pixel"),
        Field("second_column", ROW_BITS, "stored column of map b beside column 0 of the output"),
        *_core_fields(**_WORK, **_SECOND),
    ),
    Opcode.SIMD: (
        *_LAYER,
        Field("operation", 4, "see Operation"),
        Field(
            "bias",
            32,
            "two's complement: total before the first tap; of ADD M of map b; of SOFTMAX and NORM "
            "the channels of a group, of SOFTMAX its keys above them, see `keys_of`",
        ),
        Field("multiplier", NARROW.multiplier, "M; of ADD that of map a"),
        Field("shift", 6, "s"),
        Field("rounding", ROUNDING_BITS, ROUNDINGS),
        Field("planes", 1, "the tap in column kx counts 256**kx"),
        Field("sums", 1, "the total leaves as three bytes, at stored columns 3X to 3X + 2"),
        Field(
            "to_memory",
            1,
            "words go to the logit buffer, whole; of the last channel word of a pixel zeros are"
            " written where a byte is not enabled",
        ),
        Field("rotate", NARROW.rotate, "bytes by which a word is rotated upwards"),
        Field("enable_first", NARROW.word_bytes, "first byte of a word that is written"),
        Field("enable_end", NARROW.word_bytes, "byte after the last one"),
        Field("first_zero_point", 8, "za of ADD, MULTIPLY, SCORES, VALUES and SQUARES"),
        Field("second_zero_point", 8, "zb"),
        Field("first_scale", SIGNED_BITS, "Ma of SQUARES, with `simd_tflite`"),
        Field("first_places", PLACES_BITS, "sa - 31"),
        Field("second_scale", SIGNED_BITS, "Mb"),
        Field("second_places", PLACES_BITS, "sb - 31"),
        Field("second_base", 16, "first word of map b in every bank"),
        Field("second_row_pitch", 16, "words of one stored row in a bank"),
        Field("second_channel_words", ROW_BITS, "words of one pixel"),
        Field("second_image_rows", ROW_BITS, "stored rows from one image to the next"),
        Field("second_image_columns", ROW_BITS, "stored columns from one image to the next"),
        Field("second_broadcast", 1, "b is one pixel an image, or all of its pixels meet a's"),
        Field("grow_y", 2, "the map has 2**grow_y times its rows; not of two maps"),
        Field("grow_x", 2, "the same of columns"),
        Field("grow_zeros", 1, "between the pixels is `outside`; 0: the pixel is repeated"),
        *_core_fields(
            **_WORK,
            **_SECOND,
            word_first=(ROW_BITS, "first channel word that it computes"),
            word_count=(ROW_BITS, "channel words that it computes, at least 1"),
        ),
    ),
    Opcode.STORE: (
        Field("opcode", 8, "STORE"),
        Field("words", 16, "int32 words to write to memory, at least 1"),
        Field("index", 16, "first of them in the logit buffer, a multiple of a beat"),
        Field("space", 2, "ANSWER or SCRATCH"),
        Field("offset", 32, "bytes from the address of the space"),
        Field("row_pitch", 16, "words from one answer to the next: whole beats; else 1"),
        Field("row_words", 16, "words of each that are written; of a map 1 with a pitch of 1"),
        Field("at_position", 1, "the register `position_bytes` is added to the address"),
    ),
    Opcode.END: (Field("opcode", 8, "END"),),
    Opcode.TILE: (
        Field("opcode", 8, "TILE"),
        Field("cores", NARROW.cores, "bit c: core c stores this tile"),
        Field("group", 12, "filter group: its first output channel is group * filters"),
        Field("rows", NARROW.tile_rows, "rows of weights that follow, at least 1"),
        Field("mask_words", 12, "words of the input that the tile walks, at least 1"),
        Field("kernel_y", 7, "window row of the first word"),
        Field("kernel_x", 7, "window column of the first word"),
        Field("channel_word", ROW_BITS, "channel word of the first word"),
        Field(
            "turn",
            NARROW.turn,
            "rotation of positions over macros; constant in the tiles of a chunk",
        ),
        Field("first", 1, "partial sums start at zero"),
        Field("last", 1, "sums go to the output stage"),
        Field("last_group", 1, "the set has no further filter group in this layer"),
        Field("parameters", 1, "the group's parameters follow the mask"),
        Field(
            "filter_enable",
            NARROW.filter_enable,
            "2 bits a filter: cell columns that count (01 phi 1, 11 phi 2)",
        ),
        Field(
            "coding",
            2,
            "of the rows: 0 flat, 1 packed (`packed_weights`), 2 four bits a weight (`one_digit`)",
        ),
        Field("double", 1, "the rows are of two filter groups (`one_digit: paired`), and flat"),
        Field("second_group", 12, "filter group of the second cell columns, with double"),
    ),
    Opcode.TAPS: (
        Field("opcode", 8, "TAPS"),
        Field("cores", NARROW.cores, "bit c: core c stores these weights"),
        Field("taps", 8, "words of weights that follow the parameters, at least 1"),
    ),
    Opcode.TABLE: (
        Field("opcode", 8, "TABLE"),
        Field("cores", NARROW.cores, "bit c: core c stores the table"),
    ),
    Opcode.FLOATS: (
        Field("opcode", 8, "FLOATS"),
        Field("cores", NARROW.cores, "bit c: core c stores these numbers"),
        Field("channels", CHANNEL_BITS, "pairs of gamma and beta behind the table; of SOFTMAX 0"),
        Field("operand", FLOAT_BITS - 1, "factor of SOFTMAX, eps of NORM: float32 without sign"),
        Field("divisor", FLOAT_BITS - 1, "of NORM: scale of the output"),
        Field("count", FLOAT_BITS - 1, "of NORM: its channels"),
        Field("least", 8, "of NORM: smallest biased exponent of the table, where not zero"),
    ),
}

_WIDE: Mapping[Opcode, Mapping[str, str]] = {
    Opcode.LOAD: dict.fromkeys(("window_pixels", "window_stride", "window_padding"), "word_bytes"),
    Opcode.CONV: {"active_cores": "cores"},
    Opcode.SIMD: {
        "active_cores": "cores",
        "rotate": "rotate",
        "multiplier": "multiplier",
        "enable_first": "word_bytes",
        "enable_end": "word_bytes",
    },
    Opcode.TILE: {
        "cores": "cores",
        "rows": "tile_rows",
        "turn": "turn",
        "filter_enable": "filter_enable",
    },
    Opcode.TAPS: {"cores": "cores"},
    Opcode.TABLE: {"cores": "cores"},
    Opcode.FLOATS: {"cores": "cores"},
}
"""Fields whose bits are a width of the chip, by name."""

ONE_GROUP: Mapping[str, int] = {"double": 0, "second_group": 0}
"""Fields of a TILE of one filter group."""

SCALES = ("first_scale", "first_places", "second_scale", "second_places")
"""Fields of a SIMD instruction that only chips with `simd_tflite` have."""

GROUP_BITS = 12
"""Bits of the channels of a group in the `bias` of SOFTMAX and NORM, and of keys above them."""
KEYS_PLACE = GROUP_BITS
KEYS_BY_PIXEL = 2 * GROUP_BITS
KEYS_BY_POSITION = KEYS_BY_PIXEL + 1
"""Places in the `bias` of SOFTMAX."""


def group_channels(bias: int) -> int:
    """Return the channels of a group by the `bias` of SOFTMAX or NORM."""
    return bias % (1 << GROUP_BITS)


def keys_of(*, by_position: bool) -> int:
    """Return what the `bias` of a causal SOFTMAX has above the channels of a group.

    The channels of each group that count are the first ones, at most all: 1 (bits 23:12; 0: all
    count), with bit 24 one more for each pixel before, with bit 25 the register `position` more.
    """
    return 1 << KEYS_PLACE | 1 << KEYS_BY_PIXEL | by_position << KEYS_BY_POSITION


EVERY_WORD: Mapping[str, int] = {"row_pitch": 1, "row_words": 1}
"""Fields of a STORE that writes all of its words."""

_CORE_NAMES = {*_KEEP, *_WORK, *_SECOND, "word_first", "word_count"}

INSTRUCTIONS = (Opcode.LOAD, Opcode.CONV, Opcode.SIMD, Opcode.STORE, Opcode.END)
"""Packets that the sequencer runs: each is a step."""

PARAMETER_BITS = 64
PARAMETERS: tuple[Field, ...] = (
    Field("bias", 32, "two's complement"),
    Field("multiplier", SIGNIFICANT_BITS, "M"),
    Field("shift", 6, "s"),
)
"""Parameters of one filter in a TILE packet, of one channel in a TAPS packet."""

FLOAT_ENTRIES = 256
"""Numbers of a FLOATS packet behind its header, entry 0 first; then gamma and beta, channel by
channel."""

TABLE_BYTES = 256
"""Bytes of a table, entry 0 first."""

CELL: tuple[Field, ...] = (
    Field("index", 2, "dyadic block: the cell weighs 4**index"),
    Field("negative", 1, "sign of the digit"),
    Field("q", 1, "1: the upper digit of the block is set; 0: the lower one"),
)
CELL_BITS = sum(field.bits for field in CELL)
"""Bits of one cell in a weight code of a chip with `weight_bits`; the lowest cell belongs to the
filter's first cell column. Without `weight_bits` a code is the weight as an int8."""

NO_DIGIT = encode(CELL, {"index": 3, "negative": 0, "q": 1})
"""The cell of a weight that is zero or absent, in a pair tile: 2^7, which no int8 weight of one
digit has, adds nothing there."""


@cache
def packets(widths: Widths) -> Packets:
    """Return the fields of each packet on chips of these widths."""
    bits = widths._asdict()
    left_out = set(ONE_GROUP if widths.filter_enable > MOST_PAIRED_COLUMNS else ())
    if widths.multiplier == NARROW.multiplier:
        left_out.update(SCALES)
    return {
        opcode: tuple(
            replace(field, bits=bits.get(_WIDE.get(opcode, {}).get(field.name, ""), field.bits))
            for field in fields
            if field.name not in left_out
        )
        for opcode, fields in PACKETS.items()
    }


def field_bits(opcode: Opcode, name: str, widths: Widths = NARROW) -> int:
    """Return the width of a field of a packet."""
    return next(field.bits for field in packets(widths)[opcode] if field.name == name)


def field_limit(opcode: Opcode, name: str, widths: Widths = NARROW) -> int:
    """Return the largest value of an unsigned field of a packet."""
    return (1 << field_bits(opcode, name, widths)) - 1


def core_count(name: str) -> int:
    """Return the cores that a chip must have for a field: 0 for a field of no single core."""
    base, _, number = name.rpartition("_")
    return int(number) + 1 if base in _CORE_NAMES and number.isdecimal() else 0


@cache
def packet_bits(opcode: Opcode, cores: int, widths: Widths = NARROW) -> int:
    """Return the bits of a packet, for TILE, TAPS, TABLE and FLOATS those of the header."""
    bits = sum(field.bits for field in packets(widths)[opcode] if core_count(field.name) <= cores)
    return -(-bits // PACKET_UNIT_BITS) * PACKET_UNIT_BITS


def instruction_bits(cores: int, widths: Widths = NARROW) -> int:
    """Return the width of the sequencer's queue: the longest instruction."""
    return max(packet_bits(opcode, cores, widths) for opcode in INSTRUCTIONS)
