"""Passes, banks, placements and records of the MRAM family."""

from hwgen.compiler.mram.compile import compile_network, recompile
from hwgen.compiler.mram.listing import listing, step_list
from hwgen.compiler.mram.remarks import LAYER_LIMITS, layer_remarks
from hwgen.compiler.mram.tiling import tiling

__all__ = [
    "LAYER_LIMITS",
    "compile_network",
    "layer_remarks",
    "listing",
    "recompile",
    "step_list",
    "tiling",
]
