"""DB-PIM: architecture, instruction set, memory map and latencies of the digital SRAM chip."""

from hwgen.dbpim.facts.arch import SWITCHES, Arch, load_arch, with_sparsity
from hwgen.dbpim.facts.in_memory import in_memory
from hwgen.dbpim.facts.program import Program
from hwgen.dbpim.facts.program_file import check_match, load_program, save_program

__all__ = [
    "SWITCHES",
    "Arch",
    "Program",
    "check_match",
    "in_memory",
    "load_arch",
    "load_program",
    "save_program",
    "with_sparsity",
]
