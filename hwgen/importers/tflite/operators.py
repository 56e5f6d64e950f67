"""The TFLite operators that are read, how, and within which limits."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from hwgen.importers.integer.fixed_point import inverse_root_steps
from hwgen.importers.integer.hard_swish import hard_swish_steps
from hwgen.importers.integer.maps import QuantizedMap
from hwgen.importers.integer.nodes import Node
from hwgen.importers.integer.refused import RefusedError
from hwgen.importers.tflite import nodes_maps, nodes_shape, nodes_weights, tokens
from hwgen.importers.tflite.batches import APART, TOGETHER, with_whole_maps
from hwgen.importers.tflite.node import Reading

Read = tuple[list[Node], list[QuantizedMap]]


@dataclass(frozen=True)
class Operator:
    """How an operator is read.

    read: returns its nodes and the maps that they write; raises RefusedError
    becomes: kinds of layers of the network file; limits: what of the operator is read
    """

    read: Callable[[Reading], Read]
    becomes: str
    limits: str = ""


def parts(reading: Reading) -> Read:
    """Refuse parts of the image in a batch that are no dilation; the others are whole before."""
    operator = reading.operator
    if operator.operator == APART:
        with_whole_maps(reading.file, reading.file.operators.index(operator))
    raise RefusedError("its images", f"those of {APART}", "others")


def moved(reading: Reading) -> Read:
    """Refuse a call: what moves elements or orders heads has no nodes of its own (`read`)."""
    raise TypeError(f"{reading.name} has no nodes of its own")


TABLE = "table"
ONE = "8 bits"
CONSTANTS = "maps and constants, sides of 1 repeated"
"""Constants other than those by channel are maps: layers of chips with a row unit."""
DILATED = "as dilation of convolutions of stride 1"
SELECTED = "shortcut or conv"
STEPS = "whole channels in any order; rows and columns at equal steps"
RESCALED = "folded into the layer before, else rescale or table"

OPERATORS: Mapping[str, Operator] = MappingProxyType(
    {
        "ADD": Operator(nodes_maps.add, "add; conv with constants", CONSTANTS),
        "AVERAGE_POOL_2D": Operator(nodes_maps.average_pool_2d, "average_pool"),
        TOGETHER: Operator(parts, "folded", DILATED),
        "BATCH_MATMUL": Operator(moved, "matmul", "two maps of 8 bits"),
        "CONCATENATION": Operator(
            nodes_shape.concatenation, "concatenate", "by channels; of rows at the end"
        ),
        "CONV_2D": Operator(nodes_weights.conv_2d, "conv", "constant weights; groups, dilation"),
        "DEPTHWISE_CONV_2D": Operator(
            nodes_weights.depthwise_conv_2d, "conv", "constant weights; dilation, multiplier"
        ),
        "DEPTH_TO_SPACE": Operator(moved, "upsample and conv"),
        "DEQUANTIZE": Operator(nodes_shape.dequantize, "dropped", "behind the answer"),
        "ELU": Operator(nodes_maps.function(nodes_maps.elu), TABLE, ONE),
        "EXPAND_DIMS": Operator(moved, "folded", "as RESHAPE"),
        "FULLY_CONNECTED": Operator(
            nodes_weights.fully_connected, "linear; conv over pixels", "constant weights"
        ),
        "GATHER": Operator(moved, SELECTED, "by constant numbers"),
        "GELU": Operator(nodes_maps.gelu, TABLE, ONE),
        "HARD_SWISH": Operator(
            nodes_maps.function(nodes_maps.hard_swish, hard_swish_steps), TABLE, ONE
        ),
        "LEAKY_RELU": Operator(nodes_maps.leaky_relu, TABLE, ONE),
        "LOGISTIC": Operator(nodes_maps.function(nodes_maps.logistic), TABLE, ONE),
        "LOG_SOFTMAX": Operator(nodes_shape.head, "dropped", "the head"),
        "MAX_POOL_2D": Operator(nodes_maps.max_pool_2d, "max_pool"),
        "MAXIMUM": Operator(
            nodes_maps.extremum(least=False), "adds and a table", "two maps, or one and a constant"
        ),
        "MEAN": Operator(
            nodes_maps.mean,
            "average_pool; conv",
            f"{ONE}, over all rows and columns, or over the channels",
        ),
        "MINIMUM": Operator(
            nodes_maps.extremum(least=True), "adds and tables", "two maps, or one and a constant"
        ),
        "MUL": Operator(nodes_maps.multiply, "multiply; conv with constants", CONSTANTS),
        "NEG": Operator(moved, TABLE, "between DEQUANTIZE and QUANTIZE of one scale"),
        "PAD": Operator(nodes_shape.pad, "folded, else conv or shortcut", "zeros"),
        "PADV2": Operator(
            nodes_shape.pad,
            "folded, else conv or shortcut",
            "zeros, or the lowest integer before max pools",
        ),
        "PRELU": Operator(nodes_maps.prelu, "rescale, conv, add", "one slope, or one a channel"),
        "QUANTIZE": Operator(nodes_maps.quantize, RESCALED, "of integers, or of the image"),
        "REDUCE_MAX": Operator(nodes_maps.reduce_max, "max_pool", "over all rows and columns"),
        "RELU": Operator(nodes_maps.clip(0.0, None), RESCALED),
        "RELU6": Operator(nodes_maps.clip(0.0, 6.0), RESCALED),
        "RELU_0_TO_1": Operator(nodes_maps.clip(0.0, 1.0), RESCALED),
        "RELU_N1_TO_1": Operator(nodes_maps.clip(-1.0, 1.0), RESCALED),
        "RESHAPE": Operator(moved, "folded, else reshape"),
        "SLICE": Operator(moved, SELECTED, STEPS),
        "RESIZE_BILINEAR": Operator(
            nodes_shape.resize_bilinear,
            "upsample and average_pool",
            f"{ONE}; 2 or 4 times, without align_corners",
        ),
        "RESIZE_NEAREST_NEIGHBOR": Operator(moved, "upsample", "a whole number of times"),
        "RSQRT": Operator(
            nodes_maps.function(nodes_maps.inverse_root, inverse_root_steps), TABLE, ONE
        ),
        "SOFTMAX": Operator(tokens.softmax, "softmax; dropped as the head", "over the channels"),
        APART: Operator(parts, "folded", DILATED),
        "SPACE_TO_DEPTH": Operator(moved, "conv"),
        "SPLIT": Operator(moved, SELECTED, STEPS),
        "SPLIT_V": Operator(moved, SELECTED, STEPS),
        "SQUARED_DIFFERENCE": Operator(
            nodes_maps.squared_difference, "squared_difference", f"two maps of {ONE}"
        ),
        "SQUEEZE": Operator(moved, "folded", "as RESHAPE"),
        "STRIDED_SLICE": Operator(moved, SELECTED, STEPS),
        "SUB": Operator(nodes_maps.subtract, "table and add; conv with constants", CONSTANTS),
        "TANH": Operator(nodes_maps.function(np.tanh), TABLE, ONE),
        "TILE": Operator(moved, SELECTED, STEPS),
        "TRANSPOSE": Operator(moved, "folded, else transpose", "of rows, columns, channels"),
        "TRANSPOSE_CONV": Operator(
            nodes_weights.transpose_conv, "upsample and conv", "constant weights"
        ),
    }
)
"""By the name that the schema gives them."""
