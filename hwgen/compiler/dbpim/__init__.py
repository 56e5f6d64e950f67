"""Passes, steps, tiles and splits of the DB-PIM family."""

from hwgen.compiler.dbpim.compile import compile_network
from hwgen.compiler.dbpim.listing import listing
from hwgen.compiler.dbpim.remarks import LAYER_LIMITS, layer_remarks
from hwgen.compiler.dbpim.step_list import step_list
from hwgen.compiler.dbpim.tiling import tiling

__all__ = ["LAYER_LIMITS", "compile_network", "layer_remarks", "listing", "step_list", "tiling"]
