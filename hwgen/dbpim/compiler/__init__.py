"""Passes, steps, tiles and splits of the DB-PIM family."""

from hwgen.dbpim.compiler.compile import compile_network
from hwgen.dbpim.compiler.remarks import LAYER_LIMITS, layer_remarks
from hwgen.dbpim.compiler.step_list import step_list
from hwgen.dbpim.compiler.tiling import tiling
from hwgen.dbpim.compiler.unstored import unstored

__all__ = [
    "LAYER_LIMITS",
    "compile_network",
    "layer_remarks",
    "step_list",
    "tiling",
    "unstored",
]
