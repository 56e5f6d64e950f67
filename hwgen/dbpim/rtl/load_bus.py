"""The load bus: what the loader brings to the stores of the cores, as one signature.

Tests: `tests/verif/dbpim/test_tap_store.py`.
"""

from amaranth.hdl import Cat, Const, Module, Value, signed
from amaranth.lib import data
from amaranth.lib.wiring import In, Out, PureInterface, Signature

from hwgen.chip.widths import bits_for_index
from hwgen.dbpim.facts.arch import WEIGHT_BITS, Arch
from hwgen.dbpim.facts.instructions import FLOAT_BITS, FLOAT_ENTRIES, TABLE_BYTES, Opcode
from hwgen.dbpim.facts.timing import NORM_CHANNELS
from hwgen.dbpim.rtl.layouts import packet, parameters, row_cells, row_meta, tile


def load_bus(arch: Arch, *, cores: int = 1) -> Signature:
    """Return the bus as the loader drives it; strobes and rooms have a bit for each core.

    Members: those of ``tile_loads``, ``row_loads``, ``taps_loads`` and ``table_loads``, with a row
    unit ``floats_loads``
    """
    floats = {"floats": Out(floats_loads(arch, cores=cores))} if arch.row_unit else {}
    return Signature(
        {
            "tile": Out(tile_loads(arch, cores=cores)),
            "row": Out(row_loads(arch, cores=cores)),
            "taps": Out(taps_loads(arch, cores=cores)),
            "table": Out(table_loads(arch, cores=cores)),
            **floats,
        }
    )


def weights_bus(arch: Arch) -> Signature:
    """Return what the loader brings to a core that has macros alone: tiles and their rows."""
    return Signature({"tile": Out(tile_loads(arch)), "row": Out(row_loads(arch))})


def tile_loads(arch: Arch, *, cores: int = 1) -> Signature:
    """Return what a tile brings beside its rows.

    Members
        header            out  TILE packet  of the tile that is loaded, or is the next one
        room              in   cores        the core has space for this tile now
        begin             out  cores        the core stores the header (only with ``room``)
        mask_write        out  cores        the core stores a beat of mask words
        mask_data         out  port_bits    that beat, the lowest word first; words beyond the
                                            tile's last one are ignored
        push              out  cores        with the last of these beats: the masks are complete
        parameters_write  out  cores        the core stores the parameters of a filter
        parameters_index  out  filter_bits  its number in the filter group, in a pair of both
        parameters_data   out  parameters

    Without ``sparse_parts`` there are no masks, and ``push`` comes with ``begin``.
    """
    masks = {"mask_write": Out(cores), "mask_data": Out(arch.port_bits)}
    return Signature(
        {
            "header": Out(tile(arch)),
            "room": In(cores),
            "begin": Out(cores),
            **(masks if arch.sparse_parts else {}),
            "push": Out(cores),
            "parameters_write": Out(cores),
            "parameters_index": Out(bits_for_index(arch.sums)),
            "parameters_data": Out(parameters(arch)),
        }
    )


def row_loads(arch: Arch, *, cores: int = 1) -> Signature:
    """Return a row of weights of a tile.

    Members
        write  out  cores      the core stores the tile's next row; no macro issues
        cells  out  row_cells  its cells
        meta   out  row_meta   their signs and indices [not without ``sparse_parts``]
    """
    return Signature(
        {
            "write": Out(cores),
            "cells": Out(row_cells(arch)),
            **({"meta": Out(row_meta(arch))} if arch.sparse_parts else {}),
        }
    )


def taps_loads(arch: Arch, *, cores: int = 1) -> Signature:
    """Return the taps of a channel word.

    Members
        room              in   cores         the core has space for taps now
        begin             out  cores         taps of a channel word begin (only with ``room``)
        parameters_write  out  cores         the core stores the parameters of a channel
        parameters_index  out  channel_bits  its number in the channel word
        parameters_data   out  parameters
        write             out  cores         the core stores the weights of a tap
        index             out  tap_bits      number of the tap
        data              out  C x signed 8  byte c: weight of channel c
        push              out  cores         with the last word of weights: the taps are complete
    """
    channels = arch.word
    return Signature(
        {
            "room": In(cores),
            "begin": Out(cores),
            "parameters_write": Out(cores),
            "parameters_index": Out(bits_for_index(channels)),
            "parameters_data": Out(parameters(arch)),
            "write": Out(cores),
            "index": Out(bits_for_index(arch.simd_taps)),
            "data": Out(data.ArrayLayout(signed(WEIGHT_BITS), channels)),
            "push": Out(cores),
        }
    )


def table_loads(arch: Arch, *, cores: int = 1) -> Signature:
    """Return a table.

    Members
        room   in   cores      the core uses no table: the next one may be stored
        write  out  cores      the core stores a beat of the table
        index  out  8          number of its first entry, a multiple of the bytes of a beat
        data   out  port_bits  that beat, the lowest entry first
        push   out  cores      with the last beat: the table is complete
    """
    return Signature(
        {
            "room": In(cores),
            "write": Out(cores),
            "index": Out(bits_for_index(TABLE_BYTES)),
            "data": Out(arch.port_bits),
            "push": Out(cores),
        }
    )


def floats_loads(arch: Arch, *, cores: int = 1) -> Signature:
    """Return the floats of a layer of the row unit.

    Members
        header  out  FLOATS packet  of the floats that are loaded
        room    in   cores          the core uses no floats: the next ones may be stored
        write   out  cores          the core stores a beat
        index   out  floats_index   number of the beat: those of the table, then of gamma and beta
        data    out  port_bits      that beat, the lowest number first
        push    out  cores          with the last beat: the floats are complete
    """
    return Signature(
        {
            "header": Out(packet(Opcode.FLOATS, arch)),
            "room": In(cores),
            "write": Out(cores),
            "index": Out(floats_index(arch)),
            "data": Out(arch.port_bits),
            "push": Out(cores),
        }
    )


def floats_index(arch: Arch) -> int:
    """Return the width of the number of a beat of floats."""
    return bits_for_index((FLOAT_ENTRIES + 2 * NORM_CHANNELS) * FLOAT_BITS // arch.port_bits)


def fan_out(m: Module, loads: PureInterface, of_cores: list[PureInterface]) -> None:
    """Connect the loader's bus to that of each core: common data, its bit of strobes and rooms.

    A core with macros alone never has room for what is not on its bus.
    """
    theirs = [
        {path: (member, Value.cast(port)) for path, member, port in bus.signature.flatten(bus)}
        for bus in of_cores
    ]
    for path, member, port in loads.signature.flatten(loads):
        if member.flow == In:
            m.d.comb += port.eq(Cat(each[path][1] if path in each else Const(0) for each in theirs))
            continue
        common = member.shape == theirs[0][path][0].shape
        values = [Value.cast(port)] * len(theirs) if common else port
        for each, value in zip(theirs, values, strict=True):
            if path in each:
                m.d.comb += each[path][1].eq(value)
