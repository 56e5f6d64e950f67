"""Integer graphs: quantized networks of any format, and their lowering to a network file."""

from hwgen.errors import Refusal, RefusedNetworkError
from hwgen.importers.integer.check import refusals_of
from hwgen.importers.integer.endings import Ending
from hwgen.importers.integer.fold import folded, heads_left_out
from hwgen.importers.integer.graph import Difference, IntegerGraph, Note
from hwgen.importers.integer.lower import Lowered, lower
from hwgen.importers.integer.maps import QuantizedMap, quantized_map, raw_sums
from hwgen.importers.integer.nodes import Node, Unsupported, Weights, weights_of

__all__ = [
    "Difference",
    "Ending",
    "IntegerGraph",
    "Lowered",
    "Node",
    "Note",
    "QuantizedMap",
    "Refusal",
    "RefusedNetworkError",
    "Unsupported",
    "Weights",
    "folded",
    "heads_left_out",
    "lower",
    "quantized_map",
    "raw_sums",
    "refusals_of",
    "weights_of",
]
