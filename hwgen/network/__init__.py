"""The quantized network: its maps, its kinds of layers, its checks and its file."""

from hwgen.network.add import Add
from hwgen.network.average_pool import AveragePool
from hwgen.network.concatenate import Concatenate
from hwgen.network.conv import Conv
from hwgen.network.graph import (
    FORMAT,
    INPUT,
    ONE_MODE,
    VERSION,
    Graph,
    Layer,
    QuantizedNetwork,
)
from hwgen.network.layer import Requantization, Requantized
from hwgen.network.linear import Linear
from hwgen.network.maps import FeatureMap, MapQuantization, byte_map, one_mode_map, raw_map
from hwgen.network.max_pool import MaxPool
from hwgen.network.moves import Reshape, Transpose
from hwgen.network.multiply import Multiply
from hwgen.network.rescale import Rescale
from hwgen.network.shortcut import Shortcut
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
    "AveragePool",
    "Concatenate",
    "Conv",
    "FeatureMap",
    "Graph",
    "Layer",
    "Linear",
    "MapQuantization",
    "MaxPool",
    "Multiply",
    "Parameters",
    "QuantizedNetwork",
    "Requantization",
    "Requantized",
    "Rescale",
    "Reshape",
    "Shortcut",
    "Table",
    "Transpose",
    "Upsample",
    "Weighted",
    "byte_map",
    "one_mode_map",
    "raw_map",
]
