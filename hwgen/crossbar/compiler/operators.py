"""The operations of a graph, by what they mean for the layers of a crossbar accelerator."""

from collections.abc import Mapping
from types import MappingProxyType

from hwgen.network.operations import Op

Ops = frozenset[Op]

GLOBAL_POOLS: Ops = frozenset({"global_average_pool", "global_max_pool", "mean"})
WINDOWS: Ops = frozenset({"average_pool", "conv", "max_pool"})
"""They slide a window over a map, and so may read a padded one."""

AVERAGES: Ops = frozenset({"average_pool", "global_average_pool", "mean"})
"""Poolings that take the mean; the others take the maximum."""

FULLY_CONNECTED: Ops = frozenset({"fully_connected", "matrix_product"})

RELUS: Ops = frozenset({"clip", "leaky_relu", "prelu", "relu"})
SIGMOIDS: Ops = frozenset({"function", "hard_sigmoid", "sigmoid", "tanh"})
"""Functions of one element; the unit of the sigmoid is a table, which holds any of them."""

SUMS: Ops = frozenset({"add"})
PRODUCTS: Ops = frozenset({"multiply"})
"""Element-wise, of maps; with one map and constants a bias or a normalization."""

UNMOVED: Ops = frozenset(
    {
        "batch_normalization",
        "cast",
        "divide",
        "dropout",
        "identity",
        "log_softmax",
        "lrn",
        "softmax",
        "subtract",
    }
)
"""They leave every value where it is. Arithmetic with constants alone is a normalization, which is
folded into the layer before it."""

MOVES: Ops = frozenset({"concatenate", "pad", "reshape", "slice", "transpose"})
"""They move or rename values and compute nothing."""

UNREAD: Ops = frozenset({"unknown"})
"""Refused by the reader of the file."""

MEANINGS: Mapping[str, Ops] = MappingProxyType(
    {
        "a layer: a window over a map, of any sides and dilation": WINDOWS,
        "a layer: a pooling over all rows and columns": GLOBAL_POOLS,
        "a fully connected layer; of each pixel, a convolution of 1 x 1": FULLY_CONNECTED,
        "a layer of two maps or more; of one map and constants folded": SUMS,
        "a layer of two maps, one of which may have a single pixel; functions of one map are one"
        " function; of one map and constants folded": PRODUCTS,
        "the ReLU of the layers before it": RELUS,
        "a function of the layers before it, in the table of the sigmoid": SIGMOIDS,
        "nothing: it leaves values where they are, and is folded": UNMOVED,
        "nothing: it moves values; slices of channels alone, zeros before windows": MOVES,
    }
)
"""What an operation becomes in a synthesis, for people."""
