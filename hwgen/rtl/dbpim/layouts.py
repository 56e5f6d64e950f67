"""Amaranth data layouts of the payloads between the components of the DB-PIM chip.

All fields are unsigned unless stated otherwise; lowest field first. The cycles in which they are
valid are in docs/dbpim-microarchitecture.md.
"""

from amaranth.hdl import signed
from amaranth.lib import data

from hwgen.spec.dbpim.arch import (
    ACCUMULATOR_BITS,
    ACTIVATION_BITS,
    MOST_CORES,
    WEIGHT_BITS,
    Arch,
)
from hwgen.spec.dbpim.instructions import (
    CELL,
    PACKETS,
    PARAMETERS,
    ErrorCode,
    Opcode,
    field_bits,
)
from hwgen.spec.dbpim.timing import TILE_SLOTS
from hwgen.spec.widths import bits_for_index

COORDINATE_BITS = field_bits(Opcode.CONV, "input_height")
"""Width of the y or x coordinate of a pixel in a feature map."""

CORE_BITS = bits_for_index(MOST_CORES)
"""Width of a core number. It does not depend on ``cores``: all chips have the same core module."""

ERROR_BITS = bits_for_index(len(ErrorCode))


def packet(opcode: Opcode) -> data.StructLayout:
    """Fields of a packet, lowest first, without the padding above them."""
    return data.StructLayout({field.name: field.bits for field in PACKETS[opcode]})


def parameters() -> data.StructLayout:
    """Bias (two's complement), multiplier and shift of one filter."""
    fields = {field.name: field.bits for field in PARAMETERS}
    return data.StructLayout({**fields, "bias": signed(ACCUMULATOR_BITS)})


def cell_code() -> data.StructLayout:
    """One cell in a weight code."""
    return data.StructLayout({field.name: field.bits for field in CELL})


def group(arch: Arch) -> data.ArrayLayout:
    """C bytes of one word or group: byte c belongs to compartment c."""
    return data.ArrayLayout(ACTIVATION_BITS, arch.macro.compartments)


def position() -> data.StructLayout:
    """An output position; `active` is 0 where a position vector has fewer positions than macros."""
    return data.StructLayout({"y": COORDINATE_BITS, "x": COORDINATE_BITS, "active": 1})


def positions(arch: Arch) -> data.ArrayLayout:
    """One output position for each macro."""
    return data.ArrayLayout(position(), arch.macros_per_core)


def word_tag(arch: Arch) -> data.StructLayout:
    """Tag that the walker gives to a word, beside its positions.

    mask_index: entry of the mask ring
    vector_end: this is the last word of the position vector in this tile
    tile: tile slot; first, last: flags of the tile within its filter group
    tile_end: the position vector is the last one of the chunk
    vector: number of the position vector in the chunk, which is its entry of the partial sums
    row_base: row of the cell arrays that holds the tile's first row
    """
    return data.StructLayout(
        {
            "mask_index": bits_for_index(arch.mask_words),
            "vector_end": 1,
            "tile": bits_for_index(TILE_SLOTS),
            "first": 1,
            "last": 1,
            "tile_end": 1,
            "vector": bits_for_index(arch.psum_vectors),
            "row_base": bits_for_index(arch.macro.rows),
        }
    )


def group_tag(arch: Arch) -> data.StructLayout:
    """Tag that the switch gives to a group; the other fields come from its words' tag.

    row: row of the cell arrays that the group meets
    start, end: first and last group of its position vector in this tile
    """
    return data.StructLayout(
        {
            "row": bits_for_index(arch.macro.rows),
            "start": 1,
            "end": 1,
            "tile": bits_for_index(TILE_SLOTS),
            "first": 1,
            "last": 1,
            "tile_end": 1,
            "vector": bits_for_index(arch.psum_vectors),
        }
    )


def queue_head(arch: Arch) -> data.StructLayout:
    """The group that a macro computes: its bytes, its tag and the macro's output position."""
    return data.StructLayout({"bytes": group(arch), "tag": group_tag(arch), "position": position()})


def sums(arch: Arch) -> data.ArrayLayout:
    """One sum (int32, two's complement) for each filter of a core."""
    return data.ArrayLayout(signed(ACCUMULATOR_BITS), arch.filters)


def result(arch: Arch) -> data.StructLayout:
    """Result of a macro: sums and their output position (y, x).

    emit: the sums are final and go to the output stage; else the result is dropped there
    tile_end: the macro has finished its work on the tile in slot `tile`
    """
    return data.StructLayout(
        {
            "sums": sums(arch),
            "tile": bits_for_index(TILE_SLOTS),
            "y": COORDINATE_BITS,
            "x": COORDINATE_BITS,
            "emit": 1,
            "tile_end": 1,
        }
    )


def fetch_pixel(arch: Arch) -> data.StructLayout:
    """One macro's input word: read from a bank if `inside` the map, else padding."""
    return data.StructLayout(
        {
            "active": 1,
            "inside": 1,
            "bank": bits_for_index(arch.banks),
            "address": arch.bank_address_bits,
        }
    )


def fetch_request(arch: Arch) -> data.StructLayout:
    """Request for one word for each macro, with its positions and tag."""
    return data.StructLayout(
        {
            "pixels": data.ArrayLayout(fetch_pixel(arch), arch.macros_per_core),
            "positions": positions(arch),
            "tag": word_tag(arch),
        }
    )


def fetched_word(arch: Arch) -> data.StructLayout:
    """C bytes for each macro, with the positions and the tag of the request."""
    return data.StructLayout(
        {
            "bytes": data.ArrayLayout(group(arch), arch.macros_per_core),
            "positions": positions(arch),
            "tag": word_tag(arch),
        }
    )


def row(arch: Arch) -> data.ArrayLayout:
    """Weight codes of one row in the order of the stream: index compartment * F + filter."""
    return data.ArrayLayout(WEIGHT_BITS, arch.macro.compartments * arch.filters)


def row_cells(arch: Arch) -> data.ArrayLayout:
    """Cell bits of one row: for each compartment one bit for each cell column."""
    return data.ArrayLayout(arch.macro.columns, arch.macro.compartments)


def cell_meta() -> data.StructLayout:
    """Sign and block index of a cell."""
    return data.StructLayout({field.name: field.bits for field in CELL if field.name != "q"})


def row_meta(arch: Arch) -> data.ArrayLayout:
    """Metadata of one row: for each compartment one entry for each cell column."""
    return data.ArrayLayout(
        data.ArrayLayout(cell_meta(), arch.macro.columns), arch.macro.compartments
    )


def bus_write(arch: Arch) -> data.StructLayout:
    """One write: a word to the activation buffers of all cores, or with `raw` F logits.

    data: C bytes; with `raw` F x int32 in its lowest bits
    enable: bit c stores byte c; none is set with `raw`
    bank, address: place of the word (see `Region`); with `raw` address is the first logit's index
    """
    width = max(ACTIVATION_BITS * arch.macro.compartments, ACCUMULATOR_BITS * arch.filters)
    address = max(arch.bank_address_bits, bits_for_index(arch.logit_entries))
    return data.StructLayout(
        {
            "data": width,
            "enable": arch.macro.compartments,
            "bank": bits_for_index(arch.banks),
            "address": address,
            "raw": 1,
        }
    )
