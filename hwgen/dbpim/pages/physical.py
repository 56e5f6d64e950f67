"""Modules of a DB-PIM chip by part of its tables, and what their memories take.

Tests: `tests/cli/test_cost.py`.
"""

from collections.abc import Mapping

from hwgen.dbpim.facts import Arch
from hwgen.dbpim.facts.energy import EnergyTable, Part
from hwgen.dbpim.model import area_um2
from hwgen.dbpim.rtl import named_adders

LIBRARY = "NangateOpenCellLibrary"
"""Its cells are in `configs/energy/dbpim_45nm.yaml`."""

FAMILY = "dbpim_"
PART_OF: Mapping[str, Part] = {
    "chip": "control",
    "core": "control",
    "following_core": "control",
    "registers": "control",
    "supervisor": "control",
    "sequencer": "control",
    "write_port": "control",
    "tile_store": "control",
    "loader": "loading",
    "read_engine": "loading",
    "write_engine": "loading",
    "write_bus": "loading",
    "logit_buffer": "loading",
    "macro": "inputs",
    "walker": "inputs",
    "fetcher": "inputs",
    "tile_walker": "inputs",
    "word_receiver": "inputs",
    "switch": "inputs",
    "group_queue": "inputs",
    "ipu": "inputs",
    "mask_array": "inputs",
    "dots": "trees",
    "compartment": "trees",
    "adder_tree": "trees",
    "cell_array": "cells",
    "meta_array": "cells",
    "ppu": "ppu",
    "psum_array": "psums",
    "output_stage": "output",
    "residual_adder": "output",
    "simd": "simd",
    "product_operands": "rows",
    "row_unit": "rows",
    "activation_buffer": "buffers",
}
"""By module without the prefix of the family."""
CELL_UM2 = 408 / 256
BUFFER_UM2 = 50700 / 16384 / 8
REGISTER_FILE_UM2 = 3600 / 1024 / 8
"""Of a bit: an array of 16 x 16 cells, an SRAM of 16 KB, a register file of 1 KB; the table's."""
MEMORY_UM2 = {"cell_array": CELL_UM2, "meta_array": CELL_UM2, "activation_bank": BUFFER_UM2}


def part_of(module: str) -> str | None:
    """Return the part of the tables that a module belongs to; None: that of its parent."""
    return PART_OF.get(module.removeprefix(FAMILY))


def memory_um2(module: str) -> float:
    """Return the area of a bit of the memory in a module."""
    return MEMORY_UM2.get(module.removeprefix(FAMILY), REGISTER_FILE_UM2)


def table_um2(arch: Arch, *, table: EnergyTable | None = None) -> Mapping[str, float]:
    """Return the area by part as the table has it."""
    return area_um2(arch, table=table)


def synthesis_modules(arch: Arch) -> Mapping[str, str]:
    """Return the adder tree in its body of named adders, and the adders."""
    return named_adders(arch)
