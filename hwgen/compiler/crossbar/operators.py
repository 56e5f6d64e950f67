"""The ONNX operators that the front end understands, by what they mean for the layers."""

POOLS = frozenset({"AveragePool", "MaxPool"})
GLOBAL_POOLS = frozenset({"GlobalAveragePool", "GlobalMaxPool", "ReduceMean"})
WINDOWS = POOLS | {"Conv"}
"""They slide a window over a map, and so may read a padded one."""

FULLY_CONNECTED = frozenset({"Gemm", "MatMul"})

RELUS = frozenset({"Clip", "LeakyRelu", "PRelu", "Relu"})
SIGMOIDS = frozenset({"HardSigmoid", "Sigmoid", "Tanh"})

SUMS = frozenset({"Add", "Sum"})
"""Element-wise additions; with one map and constants a bias."""

SCALINGS = frozenset({"Div", "Mul", "Sub"})
"""With constants alone: a normalization, folded into the layer before it."""

ELEMENTWISE = frozenset(
    {"BatchNormalization", "Cast", "Dropout", "Identity", "LRN", "LogSoftmax", "Softmax"}
)
"""They leave every value where it is."""

RESHAPES = frozenset({"Flatten", "Reshape", "Squeeze", "Unsqueeze"})
"""They rename positions and keep the order of the values."""

OTHER = frozenset({"Concat", "Pad", "Transpose"})

OPERATORS = (
    WINDOWS
    | GLOBAL_POOLS
    | FULLY_CONNECTED
    | RELUS
    | SIGMOIDS
    | SUMS
    | SCALINGS
    | ELEMENTWISE
    | RESHAPES
    | OTHER
)

ARITHMETIC = SUMS | SCALINGS | {"MatMul"}
"""A map or a constant may stand at any of their inputs; elsewhere the first input is the map."""

SHAPE_READERS = frozenset({"Shape", "Size"})
"""They read how large a map is, not what it holds."""
