"""Passes, banks, placements and records of the MRAM family."""

from hwgen.mram.compiler.compile import compile_network, recompile
from hwgen.mram.compiler.remarks import LAYER_LIMITS, layer_remarks
from hwgen.mram.compiler.rooms import rooms
from hwgen.mram.compiler.step_list import step_list
from hwgen.mram.compiler.tiling import tiling
from hwgen.mram.compiler.units import unstored

__all__ = [
    "LAYER_LIMITS",
    "compile_network",
    "layer_remarks",
    "recompile",
    "rooms",
    "step_list",
    "tiling",
    "unstored",
]
