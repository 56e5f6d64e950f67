"""The quantized network: its maps, its kinds of layers, its checks and its file."""

from hwgen.spec.network.add import Add
from hwgen.spec.network.average_pool import AveragePool
from hwgen.spec.network.concatenate import Concatenate
from hwgen.spec.network.conv import Conv
from hwgen.spec.network.graph import (
    FORMAT,
    INPUT,
    ONE_MODE,
    VERSION,
    Graph,
    Layer,
    QuantizedNetwork,
)
from hwgen.spec.network.layer import Requantization
from hwgen.spec.network.linear import Linear
from hwgen.spec.network.maps import FeatureMap, MapQuantization, byte_map, one_mode_map, raw_map
from hwgen.spec.network.max_pool import MaxPool
from hwgen.spec.network.multiply import Multiply
from hwgen.spec.network.rescale import Rescale
from hwgen.spec.network.shortcut import Shortcut
from hwgen.spec.network.table import Table
from hwgen.spec.network.weights import PARAMETER_TYPES, Parameters, Weighted

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
    "Rescale",
    "Shortcut",
    "Table",
    "Weighted",
    "byte_map",
    "one_mode_map",
    "raw_map",
]
