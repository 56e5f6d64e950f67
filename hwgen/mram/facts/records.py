"""Records as field tables: compiler, RTL, model and documentation read these.

One record tells all units what to do for one layer, or a part of one, in one mode. Its fields
depend on the segments of an architecture. A record stands on a beat of the memory port and is
padded with zeros to whole beats.
"""

from collections.abc import Mapping
from dataclasses import replace
from enum import IntEnum
from functools import cache

from hwgen.chip.fields import Field, decode, encode, total_bits
from hwgen.chip.program_checksum import CHECKSUM_BYTES, MEANING
from hwgen.chip.registers import ALIGNMENT_BYTES
from hwgen.chip.widths import bits_for_index
from hwgen.mram.facts.arch import MOST_MODES, MOST_ROW_SETS, Arch
from hwgen.network.quantization import MULTIPLIER_BITS, ROUNDING_CODES

MAGIC = 0x6D61726D
"""The first four bytes of a program, `mram` in little-endian order."""

SIZE_BITS = 10
"""Width of a height, width or row number."""
ELEMENT_BITS = 16
"""Width of a value of a map in a record: the widest chip's."""
COUNT_BITS = 16
"""Width of a number of loads, words or beats."""
CHANNEL_BITS = 9
"""Width of a number of channels or kernels."""
ROUNDING_BITS = bits_for_index(len(ROUNDING_CODES))
GROUP_BITS = 8
"""Width of a number of groups, of a chip of up to 255 octets."""
TAP_PLACES_BITS = 8
"""Width of a number of blocks of a tap."""
ROW_BITS = 8
"""Width of a number of rows of a bank that a pixel takes."""
WIDE_BITS = {
    "channels": 11,
    "kernels": 11,
    "skip_channels": 11,
    "in_blocks_log": 4,
    "out_blocks_log": 4,
    "skip_blocks_log": 4,
    "out_block": 9,
    "blocks": 10,
}
"""Widths of fields on chips of any kernels, whose pixels may take several rows of a bank."""
POSITION_BITS = 5
"""Width of a number of positions of a load, or of a segment, plus one."""


class Kind(IntEnum):
    """What a record does; every other value stops the chip with BAD_RECORD."""

    IMAGE = 1
    CONV = 2
    POOL = 3
    ANSWER = 4
    ADD = 5


HEADER: tuple[Field, ...] = (
    Field("magic", 32, "`mram`"),
    Field("version", 32, "of records and program image"),
    Field("architecture", 32, "must equal the ID register"),
    Field("network", 32, "first 32 bits of the network's hash, not read by the chip"),
    Field("beats", 32, "beats of the program after the header"),
    Field("records", 16, "records of all modes"),
    Field("parameter_words", 16, "words of parameters"),
    Field("weight_rows", 16, "rows of every sub-array that are written, from row 0 on"),
    Field("modes", 16, "modes of the network, at least 1"),
    Field("image_stride", 32, "bytes from one image to the next"),
    Field("answer_stride", 32, "bytes from one answer to the next"),
    *(
        Field(f"first_record_{mode}", 16, f"first record of mode {mode}")
        for mode in range(MOST_MODES)
    ),
    Field("checksum", 8 * CHECKSUM_BYTES, MEANING),
)
CHECKSUM_BYTE = total_bits(HEADER) // 8 - CHECKSUM_BYTES
"""Of a program, the first one of the header's `checksum`."""
HEADER_BITS = 512
"""The header is padded to this length."""

_MAPS = (
    Field("kind", 3, "see Kind"),
    Field("last", 1, "last record of the image"),
    Field("in_bank", 2, "bank of the input map"),
    Field("in_blocks_log", 3, "log2 of the blocks that a pixel of it takes"),
    Field("in_height", SIZE_BITS, "rows of the input map"),
    Field("in_width", SIZE_BITS, "columns of the input map"),
    Field("channels", CHANNEL_BITS, "first pruned channel of the input map; ANSWER: of it"),
    Field(
        "outside",
        ELEMENT_BITS,
        "value of a window outside the map; of ANSWER the place of the output behind the image's"
        f" first, in {ALIGNMENT_BYTES} bytes",
    ),
    Field("out_bank", 2, "bank of the output map; of IMAGE where the image goes"),
    Field("out_blocks_log", 3, "log2 of the blocks that a pixel of it takes"),
    Field("out_height", SIZE_BITS, "rows of the output map"),
    Field("out_width", SIZE_BITS, "columns of the output map"),
    Field("out_block", 5, "block of the output pixel that receives kernel 0"),
    Field("kernels", CHANNEL_BITS, "first pruned kernel: kernels of this record"),
    Field("blocks", 5, "ceil(kernels / block): results of one position"),
    Field("stride_y", 3, "input rows from one window to the next"),
    Field("stride_x", 3, "input columns from one window to the next"),
    Field("pad_top", 5, "rows of the first window above the map"),
    Field("pad_left", 5, "columns of the first window left of the map"),
    Field("last_column", SIZE_BITS, "CONV: last column of the input map that a window reads"),
    Field("kernel_height", 6, "POOL: rows of the window"),
    Field("kernel_width", 6, "POOL: columns of the window"),
    Field("maximum", 1, "POOL: the largest value; else the sum"),
)
_ARRAYS = (
    Field("input_planes", 5, "bit planes of the input; of ADD bits of an operand"),
    Field("weight_planes", 5, "bit planes of the weights; the highest counts negative"),
    Field("two_rows", 1, "a kernel takes two row sets; then a load has one position"),
    Field("weight_row_0", SIZE_BITS, "row of weight plane 0, first row set; of ADD operand a"),
    Field("weight_row_1", SIZE_BITS, "the same, second row set; of ADD operand b"),
    Field("octets_log", 4, "log2 of the octets of a group"),
    Field("groups", GROUP_BITS, "groups that work, at most the number of loads"),
    Field("positions", POSITION_BITS, "positions of a load"),
    Field("last_positions", POSITION_BITS, "positions of the last load"),
    Field("loads", COUNT_BITS, "loads of the layer; of IMAGE beats, of ANSWER words"),
    Field("result_row", SIZE_BITS, "ADD: row of the lowest bit of the sum, an input row"),
    Field("carry_row", SIZE_BITS, "ADD: row of the carry, an input row"),
)
_DPU = (
    Field("parameter", 12, "parameter word of the first block"),
    Field("zero_point", ELEMENT_BITS, "added after the shift"),
    Field("low", ELEMENT_BITS, "smallest value (ReLU)"),
    Field("high", ELEMENT_BITS, "largest value (ReLU6)"),
    Field("answer", 1, "results go to the answer buffer"),
    Field("raw", 1, "with `answer`: sums with bias instead of values"),
    Field("skip", 1, "a skip map is added"),
    Field("skip_bank", 2, "bank of the skip map"),
    Field("skip_blocks_log", 3, "log2 of the blocks that a pixel of it takes"),
    Field("skip_width", SIZE_BITS, "columns of the skip map"),
    Field("skip_channels", CHANNEL_BITS, "channels of it; above them its zero point is added"),
    Field("skip_stride_y", 3, "its rows from one output row to the next"),
    Field("skip_stride_x", 3, "its columns from one output column to the next"),
    Field("own_zero_point", ELEMENT_BITS, "za of the value before the addition"),
    Field("own_multiplier", MULTIPLIER_BITS, "Ma"),
    Field("skip_zero_point", ELEMENT_BITS, "zb of the skip map"),
    Field("skip_multiplier", MULTIPLIER_BITS, "Mb"),
    Field("sum_shift", 6, "s of the addition"),
    Field("sum_zero_point", ELEMENT_BITS, "added after the shift of the addition"),
    Field("sum_low", ELEMENT_BITS, "smallest value of the addition"),
    Field("sum_high", ELEMENT_BITS, "largest value of the addition"),
)

FACTOR_FIELDS = ("own_multiplier", "skip_multiplier")
"""Fields as wide as a factor of the chip."""

FIXED_FIELDS = (*_MAPS, *_ARRAYS, *_DPU)
"""Fields of every chip; those of ``FACTOR_FIELDS`` are as wide as its factors, `groups` is wider
where a chip has many octets, and those of ``WIDE_BITS`` where it has any kernels."""


def entry_name(name: str, row_set: int, segment: int) -> str:
    """Return the name of a field that exists for each row set and segment."""
    return f"{name}_{row_set}_{segment}"


@cache
def record_fields(arch: Arch) -> tuple[Field, ...]:
    """Return the fields of a record, lowest first; entries of segments stand last.

    A chip that rounds as float32 has wider factors, and says how each sum rounds. One of many
    octets has a wider number of groups. One of any kernels says how a kernel lies in its segments,
    and counts more channels.
    """
    entries = [
        field
        for row_set in range(MOST_ROW_SETS)
        for segment in range(arch.segments)
        for field in (
            Field(entry_name("active", row_set, segment), 1, "the segment has inputs"),
            Field(entry_name("position", row_set, segment), 4, "position of the load"),
            Field(entry_name("block", row_set, segment), 4, "block of channels"),
        )
    ]
    sums = [
        Field(f"sum_segment_{position}", 4, "segment whose accumulator holds the position's sum")
        for position in range(arch.segments)
    ]
    masks = [
        Field("join", arch.segments, "bit j: the count of segment j is added to segment j + 1's"),
        Field("accumulate", arch.segments, "bit j: accumulator j works; it ends a chain of joins"),
    ]
    twins = [Field("twins", arch.segments, "bit j: segment j of the second row set is a twin")]
    wider = dict.fromkeys(FACTOR_FIELDS, arch.factor_bits)
    wider["groups"] = max(GROUP_BITS, arch.octets.bit_length())
    wider |= WIDE_BITS if arch.any_kernel else {}
    fixed = [replace(field, bits=wider.get(field.name, field.bits)) for field in FIXED_FIELDS]
    codes = ", ".join(f"{code} {name}" for name, code in ROUNDING_CODES.items())
    rounding = [
        Field("rounding", ROUNDING_BITS, f"of the value: {codes}"),
        Field("sum_rounding", ROUNDING_BITS, "of the addition"),
    ]
    walk = [
        Field(
            "walk",
            1,
            "CONV: the taps of a kernel, `kernel_height` x `kernel_width`, are read one by one and"
            " fill the places of its segments; `block` of a segment is its number among those",
        ),
        Field("tap_places", TAP_PLACES_BITS, "with `walk`: places of a tap, one for each block"),
        Field("tap_rows", ROW_BITS, "with `walk`: rows of the bank that are read of a tap"),
        Field("first_row", ROW_BITS, "with `walk`: the first of them, of those of the pixel"),
        Field(
            "depthwise",
            1,
            "CONV: each segment sums up for itself; kernels of block k are in the sums of"
            " `sum_segment` position * blocks + k",
        ),
    ]
    optional = [
        *(rounding if arch.floats else ()),
        *(twins if arch.twins else ()),
        *(walk if arch.any_kernel else ()),
    ]
    return (*fixed, *optional, *masks, *sums, *entries)


def record_bits(arch: Arch) -> int:
    """Return the bits of all fields of a record."""
    return total_bits(record_fields(arch))


def parameter_fields(arch: Arch) -> tuple[Field, ...]:
    """Return the parameters of one lane; a word has those of `block` lanes, lane 0 lowest."""
    return (
        Field("bias", arch.accumulator_bits, "two's complement"),
        Field("multiplier", arch.multiplier_bits, "M"),
        Field("shift", 6, "s"),
    )


def parameter_bits(arch: Arch) -> int:
    """Return the bits of a parameter word."""
    return arch.block * total_bits(parameter_fields(arch))


def encode_record(values: Mapping[str, int], arch: Arch) -> int:
    """Return a record; fields that are not given are 0.

    Errors: ValueError for an unknown field or a value that does not fit.
    """
    blank = {field.name: 0 for field in record_fields(arch)}
    return encode(record_fields(arch), blank | dict(values))


def decode_record(word: int, arch: Arch) -> dict[str, int]:
    """Return all fields of a record."""
    return decode(record_fields(arch), word)


def enabled_arrays(fields: Mapping[str, int], arch: Arch) -> int:
    """Return the sub-arrays of a group that have kernels of a CONV."""
    return min(fields["kernels"], arch.block << fields["octets_log"])


def and_counts(fields: Mapping[str, int]) -> list[int]:
    """Return the ANDs of a load of a CONV in each of its row sets.

    A twin has the weight plane above and the inputs doubled: an AND of planes n and m computes
    those of n + 1 and m - 1, too. The highest plane, which counts negative, stands alone.
    """
    weights, inputs = fields["weight_planes"], fields["input_planes"]
    whole = weights * inputs
    if not fields["two_rows"]:
        return [whole]
    if not fields.get("twins", 0):
        return [whole, whole]
    pairs = 0
    for degree in range(weights + inputs - 1):
        lowest, highest = max(0, degree - inputs + 1), min(degree, weights - 2)
        pairs += max(0, highest - lowest + 2) // 2 + (degree >= weights - 1)
    return [whole, pairs]


def segment_bits(arch: Arch) -> int:
    """Return the bits of an index of a segment."""
    return bits_for_index(arch.segments)
