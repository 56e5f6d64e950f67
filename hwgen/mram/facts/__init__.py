"""CA-DNN on SOT-MRAM: architecture, records, program image and timing of the MRAM chip."""

from hwgen.mram.facts.arch import Arch, load_arch, most_modes
from hwgen.mram.facts.in_memory import in_memory
from hwgen.mram.facts.program import Program
from hwgen.mram.facts.program_file import check_match, load_program, save_program

__all__ = [
    "Arch",
    "Program",
    "check_match",
    "in_memory",
    "load_arch",
    "load_program",
    "most_modes",
    "save_program",
]
