"""What travels between the components of the DB-PIM chip, as Amaranth data layouts.

All fields are unsigned unless said otherwise. docs/dbpim-microarchitecture.md says when they go.
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
"""Of a row or column of a map."""

CORE_BITS = bits_for_index(MOST_CORES)
"""Of the number of a core; every core has the same module, whatever their count."""

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
    """The bytes of one word or group: one for each compartment."""
    return data.ArrayLayout(ACTIVATION_BITS, arch.macro.compartments)


def position() -> data.StructLayout:
    """An output position; `active` is 0 where a position vector has fewer positions than lanes."""
    return data.StructLayout({"y": COORDINATE_BITS, "x": COORDINATE_BITS, "active": 1})


def positions(arch: Arch) -> data.ArrayLayout:
    """One output position for each macro."""
    return data.ArrayLayout(position(), arch.macros_per_core)


def word_tag(arch: Arch) -> data.StructLayout:
    """What the walker says about a word, beside its positions.

    mask_index: entry of the mask ring; vector_end: last word of the position vector in this tile
    tile: tile slot; first, last: of the tile; tile_end: the position vector is the chunk's last
    vector: number in the chunk, entry of the partial sums; row_base: ring row of the tile's first
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
    """What the switch says about a group: `start` and `end` of its vector within the tile."""
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
    """The group that a macro computes: its bytes, its tag and the macro's own position."""
    return data.StructLayout({"bytes": group(arch), "tag": group_tag(arch), "position": position()})


def sums(arch: Arch) -> data.ArrayLayout:
    """One int32 for each filter of a core."""
    return data.ArrayLayout(signed(ACCUMULATOR_BITS), arch.filters)


def result(arch: Arch) -> data.StructLayout:
    """What leaves a macro: `emit` says that the sums go out, `tile_end` that the tile is done."""
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


def fetch_lane(arch: Arch) -> data.StructLayout:
    """One macro's input pixel: `inside` the map it is read from a bank, outside it is padding."""
    return data.StructLayout(
        {
            "active": 1,
            "inside": 1,
            "bank": bits_for_index(arch.banks),
            "address": arch.bank_address_bits,
        }
    )


def fetch_request(arch: Arch) -> data.StructLayout:
    """A word for each macro, and what is said about it."""
    return data.StructLayout(
        {
            "lanes": data.ArrayLayout(fetch_lane(arch), arch.macros_per_core),
            "positions": positions(arch),
            "tag": word_tag(arch),
        }
    )


def fetched_word(arch: Arch) -> data.StructLayout:
    """C bytes for each macro, and what the walker said about them."""
    return data.StructLayout(
        {
            "bytes": data.ArrayLayout(group(arch), arch.macros_per_core),
            "positions": positions(arch),
            "tag": word_tag(arch),
        }
    )


def row(arch: Arch) -> data.ArrayLayout:
    """Weight codes of one row as they stand in the stream: index compartment * F + filter."""
    return data.ArrayLayout(WEIGHT_BITS, arch.macro.compartments * arch.filters)


def row_cells(arch: Arch) -> data.ArrayLayout:
    """Cell bits of one row: for each compartment one bit for each column."""
    return data.ArrayLayout(arch.macro.columns, arch.macro.compartments)


def cell_meta() -> data.StructLayout:
    """Sign and block index of a cell."""
    return data.StructLayout({field.name: field.bits for field in CELL if field.name != "q"})


def row_meta(arch: Arch) -> data.ArrayLayout:
    """Metadata of one row: for each compartment one entry for each column."""
    return data.ArrayLayout(
        data.ArrayLayout(cell_meta(), arch.macro.columns), arch.macro.compartments
    )


def bus_write(arch: Arch) -> data.StructLayout:
    """One write to all buffers, or with `raw` F logits.

    data: C bytes, or in its lowest bits F x int32 when raw
    enable: one bit a byte; bank, address: as `Region` says; raw: address is the first logit's index
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
