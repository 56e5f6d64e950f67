"""What a chip stores, and how much of each: for data sheets and for comparisons with a paper."""

from dataclasses import dataclass

from hwgen.dbpim.facts import instructions as isa
from hwgen.dbpim.facts.arch import ACCUMULATOR_BITS, ACTIVATION_BITS, WEIGHT_BITS, Arch
from hwgen.dbpim.facts.timing import (
    FETCH_SLOTS,
    INSTRUCTION_SLOTS,
    NORM_CHANNELS,
    TAP_SLOTS,
    TILE_SLOTS,
)

OF_PARTS = ("signs and indices", "masks", "groups")
"""What a chip without `sparse_parts` lacks."""


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Bits of one kind in the whole chip; `cells` are those of the macros, not SRAM beside them."""

    name: str
    bits: int
    meaning: str
    cells: bool = False


def storage(arch: Arch) -> list[Memory]:
    """Return every memory of a chip; registers of pipelines are not counted."""
    size, cores, units = arch.macro, arch.cores, arch.simd_units
    cells = cores * arch.macros_per_core * size.compartments * size.columns * size.rows
    word, group = arch.word * ACTIVATION_BITS, size.compartments * ACTIVATION_BITS
    parameters = sum(field.bits for field in isa.PARAMETERS)
    taps = arch.simd_taps * arch.word * WEIGHT_BITS + arch.word * parameters
    groups = arch.groups_queued * arch.macros_per_core * group
    fetched = FETCH_SLOTS * arch.macros_per_core * word
    meta = (isa.CELL_BITS - 1) * cells if arch.sparsity.weight_bits else 0
    psums = arch.psum_entries * arch.filters * ACCUMULATOR_BITS
    tables = arch.table_lookups * isa.TABLE_BYTES * ACTIVATION_BITS
    filters = TILE_SLOTS * arch.sums * parameters
    logits = arch.logit_entries * ACCUMULATOR_BITS
    found = [
        ("cells", cells, "of all macros"),
        ("activation buffers", units * arch.buffer_bytes * 8, "slices of the maps"),
        ("signs and indices", meta, "beside the cells"),
        ("partial sums", cores * psums, "beside the macros"),
        ("masks", cores * arch.mask_words * arch.word, "two tiles of each core"),
        ("tables", units * tables, "copies of one table of 256 entries, one for each lookup"),
        ("depthwise weights", units * TAP_SLOTS * taps, "two channel words, with parameters"),
        ("logits", logits, "answers and maps on their way to memory"),
        ("groups", cores * groups, "queues in front of the macros"),
        ("fetched words", cores * fetched, "between the buffers and the switch"),
        ("memory beats", arch.read_ahead_beats * arch.port_bits, "read ahead"),
        ("parameters", cores * filters, "of filter groups"),
        ("instructions", INSTRUCTION_SLOTS * isa.instruction_bits(cores, arch.widths), "waiting"),
    ]
    if arch.row_unit:
        found += [
            (
                "float tables",
                units * arch.row_lanes * isa.FLOAT_ENTRIES * isa.FLOAT_BITS,
                "of row units, one for each lane",
            ),
            ("gains and offsets", units * NORM_CHANNELS * 2 * isa.FLOAT_BITS, "of a layer norm"),
        ]
    return [
        Memory(name=name, bits=bits, meaning=meaning, cells=name == "cells")
        for name, bits, meaning in found
        if arch.sparse_parts or name not in OF_PARTS
    ]
