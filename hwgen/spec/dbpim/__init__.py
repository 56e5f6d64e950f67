"""DB-PIM: architecture, instruction set, memory map and latencies of the digital SRAM chip."""

from hwgen.spec.dbpim.arch import SWITCHES, Arch, load_arch, with_sparsity
from hwgen.spec.dbpim.program import Program
from hwgen.spec.dbpim.program_file import check_match, load_program, save_program

ROOMS = ("program", "compiler", "model", "rtl", "golden", "verif")
"""What this family has beside its architecture: everything."""

__all__ = [
    "ROOMS",
    "SWITCHES",
    "Arch",
    "Program",
    "check_match",
    "load_arch",
    "load_program",
    "save_program",
    "with_sparsity",
]
