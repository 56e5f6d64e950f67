"""The quantized network: its maps, its kinds of layers, its checks and its file."""

from hwgen.network.add import Add
from hwgen.network.append import Append
from hwgen.network.average_pool import AveragePool
from hwgen.network.causal_softmax import CausalSoftmax
from hwgen.network.concatenate import Concatenate
from hwgen.network.constant import Constant
from hwgen.network.conv import Conv
from hwgen.network.fixed_softmax import FixedSoftmax
from hwgen.network.graph import (
    FORMAT,
    INPUT,
    ONE_MODE,
    VERSION,
    Graph,
    Layer,
    QuantizedNetwork,
    version_of,
)
from hwgen.network.layer import Requantization, Requantized
from hwgen.network.layer_norm import LayerNorm
from hwgen.network.linear import Linear
from hwgen.network.maps import FeatureMap, MapQuantization, byte_map, one_mode_map, raw_map
from hwgen.network.matmul import MatMul
from hwgen.network.max_pool import MaxPool
from hwgen.network.moves import Reshape, Transpose
from hwgen.network.multiply import Multiply
from hwgen.network.rescale import Rescale
from hwgen.network.rows import Rows
from hwgen.network.shortcut import Shortcut
from hwgen.network.softmax import Softmax
from hwgen.network.squared_difference import SquaredDifference
from hwgen.network.stack import Stack
from hwgen.network.state import State
from hwgen.network.table import Table
from hwgen.network.upsample import Upsample
from hwgen.network.weights import PARAMETER_TYPES, Parameters, Weighted

__all__ = [
    "FORMAT",
    "INPUT",
    "ONE_MODE",
    "PARAMETER_TYPES",
    "VERSION",
    "Add",
    "Append",
    "AveragePool",
    "CausalSoftmax",
    "Concatenate",
    "Constant",
    "Conv",
    "FeatureMap",
    "FixedSoftmax",
    "Graph",
    "Layer",
    "LayerNorm",
    "Linear",
    "MapQuantization",
    "MatMul",
    "MaxPool",
    "Multiply",
    "Parameters",
    "QuantizedNetwork",
    "Requantization",
    "Requantized",
    "Rescale",
    "Reshape",
    "Rows",
    "Shortcut",
    "Softmax",
    "SquaredDifference",
    "Stack",
    "State",
    "Table",
    "Transpose",
    "Upsample",
    "Weighted",
    "byte_map",
    "one_mode_map",
    "raw_map",
    "version_of",
]
