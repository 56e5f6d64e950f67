"""Modules of an MRAM chip by part of its tables, and what their memories take."""

from collections.abc import Mapping

from hwgen.mram.facts.arch import Arch
from hwgen.mram.model.energy import default_table

LIBRARY = "NangateOpenCellLibrary"
"""Its cells are in `configs/energy/mram_45nm.yaml`."""

FAMILY = "mram_"
PART_OF: Mapping[str, str] = {
    "chip": "around",
    "octet": "around",
    "sub_array": "sub_arrays",
    "image_bank": "image_banks",
    "compute_array": "counters",
    "adder": "adder",
}
"""By module without the prefix of the family."""
ARRAYS = ("cell_array", "image_bank")
REGISTER_FILE_UM2 = 3600 / 1024 / 8
"""Of a bit of a register file of 1 KB, 45 nm (NeuroSim and CACTI 7)."""


def part_of(module: str) -> str | None:
    """Return the part of the tables that a module belongs to; None: that of its parent."""
    return PART_OF.get(module.removeprefix(FAMILY))


def memory_um2(module: str) -> float:
    """Return the area of a bit of the memory in a module."""
    if module.removeprefix(FAMILY) in ARRAYS:
        return default_table().area.memory_um2(1, 1)
    return REGISTER_FILE_UM2


def synthesis_modules(arch: Arch) -> Mapping[str, str]:
    """Return nothing: the chip is synthesized as it is."""
    return {}
