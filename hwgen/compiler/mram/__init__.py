"""Passes, banks, placements and records of the MRAM family."""

from hwgen.compiler.mram.compile import compile_network, recompile
from hwgen.compiler.mram.listing import listing, step_list
from hwgen.compiler.mram.tiling import tiling

__all__ = ["compile_network", "listing", "recompile", "step_list", "tiling"]
