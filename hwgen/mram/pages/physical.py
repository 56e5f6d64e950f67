"""Modules of an MRAM chip by part of its tables, and what their memories take.

Tests: `tests/mram/pages/test_netlist_energy.py`.
"""

from collections.abc import Mapping

from hwgen.mram.facts.arch import Arch
from hwgen.mram.facts.energy import EnergyTable
from hwgen.mram.model import area_um2
from hwgen.mram.model.energy import default_table

LIBRARY = "NangateOpenCellLibrary"
"""Its cells are in `configs/energy/mram_45nm.yaml`."""

FAMILY = "mram_"
AROUND = "around"
ARRAYS = "sub-arrays and banks"
COMPUTING = "counters and adder"
"""What counts and adds beside a sub-array is one module."""
PART_OF: Mapping[str, str] = {
    "chip": AROUND,
    "octet": AROUND,
    "image_bank": ARRAYS,
    "sub_array": ARRAYS,
    "compute_array": COMPUTING,
    "adder": COMPUTING,
}
"""By module without the prefix of the family."""


def part_of(module: str) -> str | None:
    """Return the part of the tables that a module belongs to; None: that of its parent."""
    return PART_OF.get(stem_of(module))


def stem_of(module: str) -> str:
    """Return the name of a module without the family, that of a sub-array without its slices."""
    stem = module.removeprefix(FAMILY)
    return "sub_array" if stem.startswith("sub_array_") else stem


def memory_um2(module: str) -> float:
    """Return the area of a bit of the memory in a module."""
    area = default_table().area
    if module.startswith(f"{FAMILY}cell_array"):
        return area.memory_um2(1, 1)
    return area.memory_bit_um2


def table_um2(arch: Arch, *, table: EnergyTable | None = None) -> Mapping[str, float]:
    """Return the area by part as the table has it."""
    found = area_um2(arch, table=table)
    return {
        ARRAYS: found["sub_arrays"] + found["image_banks"],
        COMPUTING: found["counters"] + found["adder"],
        AROUND: found["around"] + found["memories"],
    }


def synthesis_modules(arch: Arch) -> Mapping[str, str]:
    """Return nothing: the chip is synthesized as it is."""
    return {}
