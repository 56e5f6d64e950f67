"""The operations of a graph, by what they mean for the layers of a crossbar accelerator."""

from hwgen.spec.graph import Op

Ops = frozenset[Op]

GLOBAL_POOLS: Ops = frozenset({"global_average_pool", "global_max_pool", "mean"})
WINDOWS: Ops = frozenset({"average_pool", "conv", "max_pool"})
"""They slide a window over a map, and so may read a padded one."""

FULLY_CONNECTED: Ops = frozenset({"fully_connected", "matrix_product"})

RELUS: Ops = frozenset({"clip", "leaky_relu", "prelu", "relu"})
SIGMOIDS: Ops = frozenset({"hard_sigmoid", "sigmoid", "tanh"})

SUMS: Ops = frozenset({"add"})
"""Element-wise additions; with one map and constants a bias."""

UNMOVED: Ops = frozenset(
    {
        "batch_normalization",
        "cast",
        "divide",
        "dropout",
        "identity",
        "log_softmax",
        "lrn",
        "multiply",
        "softmax",
        "subtract",
    }
)
"""They leave every value where it is. Arithmetic with constants alone is a normalization, which is
folded into the layer before it."""

MOVES: Ops = frozenset({"concatenate", "pad", "reshape", "transpose"})
"""They move or rename values and compute nothing."""
