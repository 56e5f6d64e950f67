"""Amaranth data layouts of the payloads between the components of the DB-PIM chip.

All fields are unsigned unless stated otherwise; lowest field first. The cycles in which they are
valid are in docs/dbpim-microarchitecture.md.

Tests: `tests/verif/dbpim/test_tap_store.py`.
"""

from collections.abc import Mapping
from typing import Any

from amaranth.hdl import Shape, Value, signed
from amaranth.lib import data

from hwgen.chip.rtl.coded import Coded
from hwgen.chip.rtl.requantizer import Requantizer
from hwgen.chip.widths import bits_for_index, bits_for_range
from hwgen.dbpim.facts import instructions as isa
from hwgen.dbpim.facts.arch import (
    ACCUMULATOR_BITS,
    ACTIVATION_BITS,
    Arch,
)
from hwgen.dbpim.facts.packing import codings
from hwgen.dbpim.facts.timing import TILE_SLOTS
from hwgen.network.csd import BLOCKS
from hwgen.network.quantization import ROUNDING_CODES

LARGEST_TERM = (2 + 1) << (2 * (BLOCKS - 1))
"""What a weight adds at most: digits at the two highest positions."""

ROUNDINGS: Mapping[str, int] = {str(name): code for name, code in ROUNDING_CODES.items()}
CODES: dict[str, Mapping[str, int]] = {
    "opcode": isa.Opcode.__members__,
    "operation": isa.Operation.__members__,
    "space": isa.Space.__members__,
    **dict.fromkeys(("rounding", "sum_rounding"), ROUNDINGS),
}
"""Of the fields of packets that hold a code, its values."""

ERROR_BITS = bits_for_index(len(isa.ErrorCode))


def packet(opcode: isa.Opcode, arch: Arch) -> data.StructLayout:
    """Fields of a packet that no single core owns, lowest first, without the padding above."""
    return data.StructLayout(
        {
            field.name: shape_of(field.name, field.bits)
            for field in arch.packets[opcode]
            if isa.core_count(field.name) == 0
        }
    )


def shape_of(name: str, bits: int) -> Coded | int:
    """Return the shape of a field of a packet: a code with the names of its values, or a number."""
    codes = CODES.get(name)
    return bits if codes is None else Coded(codes, bits)


def error() -> Coded:
    """An error that is found in a cycle."""
    return Coded(isa.ErrorCode.__members__, ERROR_BITS)


def tile(arch: Arch) -> data.StructLayout:
    """Header of a tile, with as much of it as the chip reads."""
    if arch.pairs:
        return packet(isa.Opcode.TILE, arch)
    whole = packet(isa.Opcode.TILE, arch)
    fields = {name: field.shape for name, field in whole if name not in isa.ONE_GROUP}
    return data.StructLayout({**fields, "coding": coding_bits(arch)})


def coding_bits(arch: Arch) -> int:
    """Return the bits of the coding of rows that a chip tells apart."""
    return max(1, max(codings(arch)).bit_length())


def work(opcode: isa.Opcode = isa.Opcode.SIMD) -> data.StructLayout:
    """Fields that each core has in a packet, without its number; those of CONV begin SIMD's."""
    suffix = "_0"
    return data.StructLayout(
        {
            field.name.removesuffix(suffix): field.bits
            for field in isa.PACKETS[opcode]
            if isa.core_count(field.name) == 1
        }
    )


def work_of(opcode: isa.Opcode, instruction: Value, core: int, arch: Arch) -> data.View:
    """Return the fields of one core in a packet whose bits are `instruction`."""
    layout = work(opcode)
    start = packet(opcode, arch).size + core * layout.size
    return data.View(layout, instruction[start : start + layout.size])


def packed_parameters() -> data.StructLayout:
    """Bias (two's complement), multiplier and shift of one filter, as in the stream."""
    fields = {field.name: field.bits for field in isa.PARAMETERS}
    return data.StructLayout({**fields, "bias": signed(ACCUMULATOR_BITS)})


def parameters(arch: Arch) -> data.StructLayout:
    """The same with a multiplier as wide as those of the chip."""
    fields = {field.name: field.bits for field in isa.PARAMETERS}
    wide = {"bias": signed(ACCUMULATOR_BITS), "multiplier": arch.multiplier_bits}
    return data.StructLayout({**fields, **wide})


def requantizer(arch: Arch, *, scales: bool = True) -> Requantizer:
    """Return the requantizer of a filter or a sum; scales: it has a multiplier."""
    return Requantizer(
        family="dbpim",
        roundings=arch.rounding,
        accumulator_bits=ACCUMULATOR_BITS,
        multiplier_bits=arch.multiplier_bits if scales else 1,
        element_bits=ACTIVATION_BITS,
        stages=1 + arch.float32_cycles,
    )


def lane_requantizer(arch: Arch) -> Requantizer:
    """Return the requantizer of SIMD lanes."""
    return Requantizer(
        family="dbpim",
        roundings=arch.simd_roundings,
        accumulator_bits=ACCUMULATOR_BITS,
        multiplier_bits=arch.simd_multiplier_bits,
        element_bits=ACTIVATION_BITS,
        stages=1 + arch.float32_cycles,
    )


def choose_rounding(requantizer: Any, code: Value) -> list[Any]:
    """Return the assignment of a requantizer's rounding; none if it has only one."""
    return [requantizer.rounding.eq(code)] if hasattr(requantizer, "rounding") else []


def cell_code() -> data.StructLayout:
    """One cell in a weight code."""
    return data.StructLayout({field.name: field.bits for field in isa.CELL})


def group(arch: Arch) -> data.ArrayLayout:
    """C bytes of a group: byte c belongs to compartment c."""
    return data.ArrayLayout(ACTIVATION_BITS, arch.macro.compartments)


def word_bytes(arch: Arch) -> data.ArrayLayout:
    """W bytes of a word of the buffers; W = C where `word_channels` does not say otherwise."""
    return data.ArrayLayout(ACTIVATION_BITS, arch.word)


def position() -> data.StructLayout:
    """An output position as stored; `active`: 0 where a vector has fewer positions than macros."""
    return data.StructLayout({"row": isa.ROW_BITS, "column": isa.ROW_BITS, "active": 1})


def positions(arch: Arch) -> data.ArrayLayout:
    """One output position for each macro."""
    return data.ArrayLayout(position(), arch.macros_per_core)


def word_tag(arch: Arch) -> data.StructLayout:
    """Tag that the walker gives to a word, beside its positions; without a switch ``group_tag``.

    mask: bit c: input c is selected
    vector_end: this is the last word of the position vector in this tile
    tile: tile slot; first, last: flags of the tile within its filter group
    tile_end: the position vector is the last one of the chunk
    vector: number of the position vector in the chunk, which is its entry of the partial sums
    row_base: row of the cell arrays that holds the tile's first row
    """
    if not arch.sparse_parts:
        return group_tag(arch)
    return data.StructLayout(
        {
            "mask": arch.word,
            "vector_end": 1,
            "tile": bits_for_index(TILE_SLOTS),
            "first": 1,
            "last": 1,
            "tile_end": 1,
            "vector": bits_for_index(arch.psum_vectors),
            "row_base": bits_for_index(arch.macro.rows),
        }
    )


def simd_tag() -> data.StructLayout:
    """Tag that the walker gives to a word of a SIMD instruction.

    first, last: first and last tap of the position vector; second: the tap is of map b
    tap: number of the tap; plane: its column, the lowest two bits
    word: channel word; word_end: last request of the core for this channel word
    """
    flags = dict.fromkeys(("first", "last", "second", "word_end"), 1)
    return data.StructLayout({**flags, "tap": 14, "plane": 2, "word": isa.ROW_BITS})


def group_tag(arch: Arch) -> data.StructLayout:
    """Tag that the switch gives to a group; the other fields come from its words' tag.

    Without a switch a group is a word, and the walker gives it.

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
    """One sum (int32, two's complement) for each filter of a core, in pairs of both groups."""
    return data.ArrayLayout(signed(ACCUMULATOR_BITS), arch.sums)


def psums(arch: Arch) -> data.ArrayLayout:
    """One sum for each filter of a group: an entry of the partial sums."""
    return data.ArrayLayout(signed(ACCUMULATOR_BITS), arch.filters)


def result(arch: Arch) -> data.StructLayout:
    """Result of a macro: sums and their output position as stored.

    emit: the sums are final and go to the output stage; else the result is dropped there
    tile_end: the macro has finished its work on the tile in slot `tile`
    """
    return data.StructLayout(
        {
            "sums": sums(arch),
            "tile": bits_for_index(TILE_SLOTS),
            "row": isa.ROW_BITS,
            "column": isa.ROW_BITS,
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
            "simd": simd_tag(),
        }
    )


def fetched_word(arch: Arch) -> data.StructLayout:
    """W bytes for each macro, with the positions and the tag of the request."""
    return data.StructLayout(
        {
            "bytes": data.ArrayLayout(word_bytes(arch), arch.macros_per_core),
            "positions": positions(arch),
            "tag": word_tag(arch),
            "simd": simd_tag(),
        }
    )


def stream_word(arch: Arch) -> data.StructLayout:
    """What core 0 reads for all cores of a shared stream.

    taken: the last bank read of the word of `positions` is granted
    store, bytes: one cycle after the grants, the macros whose bytes of that word are to be stored
    """
    return data.StructLayout(
        {
            "taken": 1,
            "positions": positions(arch),
            "store": arch.macros_per_core,
            "bytes": data.ArrayLayout(word_bytes(arch), arch.macros_per_core),
        }
    )


def row(arch: Arch) -> data.ArrayLayout:
    """Weight codes of one row in the order of the stream: index compartment * F + filter."""
    return data.ArrayLayout(arch.macro.weight_bits, arch.macro.compartments * arch.filters)


def row_cells(arch: Arch) -> data.ArrayLayout:
    """Cell bits of one row: for each compartment one bit for each cell column."""
    return data.ArrayLayout(arch.macro.columns, arch.macro.compartments)


def cell_meta() -> data.StructLayout:
    """Sign and block index of a cell."""
    return data.StructLayout({field.name: field.bits for field in isa.CELL if field.name != "q"})


def row_meta(arch: Arch) -> data.StructLayout:
    """Metadata of one row.

    cells: for each compartment one entry for each cell column
    constants: of each sum, two's complement: minus its negative digits in all compartments
    """
    columns = data.ArrayLayout(cell_meta(), arch.macro.columns)
    return data.StructLayout(
        {
            "cells": data.ArrayLayout(columns, arch.macro.compartments),
            "constants": data.ArrayLayout(dot_shape(arch), arch.sums),
        }
    )


def dot_shape(arch: Arch) -> Shape:
    """Shape of a filter's sum over all compartments in one bit plane."""
    low, high = dot_range(arch)
    return signed(bits_for_range(low, high))


def tile_sum_shape(arch: Arch) -> Shape:
    """Shape of a filter's sum over a tile: all its rows, inputs of eight bits."""
    low, high = dot_range(arch)
    largest = arch.tile_rows * ((1 << ACTIVATION_BITS) - 1)
    return signed(bits_for_range(low * largest, high * largest))


def dot_range(arch: Arch) -> tuple[int, int]:
    """Return the extremes of a filter's sum in one bit plane: two cells at different positions."""
    compartments = arch.macro.compartments
    if arch.sparsity.weight_bits:
        largest = compartments * LARGEST_TERM
        return -largest, largest
    return -compartments * sign_digit(arch), compartments * (sign_digit(arch) - 1)


def sign_digit(arch: Arch) -> int:
    """Return the digit of a weight in two's complement that is negative."""
    return 1 << (arch.macro.weight_bits - 1)


def dots(arch: Arch) -> data.ArrayLayout:
    """Sums over all compartments in one bit plane, one for each filter, in pairs of both groups."""
    return data.ArrayLayout(dot_shape(arch), arch.sums)


def bus_write(arch: Arch) -> data.StructLayout:
    """One write: a word to the activation buffers that keep its row, or words to the logit buffer.

    data: C bytes; with `raw` F x int32 in its lowest bits
    enable: bit c stores byte c
    row, column: as stored; word: channel word
    raw: F x int32 go to the logit buffer; to_memory: C bytes go there
    index: of the first int32 in the logit buffer, with `raw` or `to_memory`
    """
    width = max(ACTIVATION_BITS * arch.word, ACCUMULATOR_BITS * arch.filters)
    return data.StructLayout(
        {
            "data": width,
            "enable": arch.word,
            "row": isa.ROW_BITS,
            "column": isa.ROW_BITS,
            "word": isa.ROW_BITS,
            "index": bits_for_index(arch.logit_entries),
            "raw": 1,
            "to_memory": 1,
        }
    )


def bus_writes(arch: Arch) -> data.ArrayLayout:
    """Words of one cycle of the write bus, one for each lane: lane = bank mod bus_words.

    A word with `raw` or `to_memory` is in lane 0.
    """
    return data.ArrayLayout(bus_write(arch), arch.bus_words)


def vector_write(arch: Arch) -> data.StructLayout:
    """One channel word of the active positions of a vector: a result of the SIMD unit.

    bytes: C bytes of each position; enable: bit c stores byte c of each
    to_memory: the words go to the logit buffer
    """
    return data.StructLayout(
        {
            "bytes": data.ArrayLayout(word_bytes(arch), arch.macros_per_core),
            "positions": positions(arch),
            "enable": arch.word,
            "word": isa.ROW_BITS,
            "to_memory": 1,
        }
    )
