"""The ONNX operators that are read, and the operation of the graph that each becomes."""

from collections.abc import Mapping
from types import MappingProxyType

from hwgen.spec.graph import Op

OPERATORS: Mapping[str, Op] = MappingProxyType(
    {
        "Add": "add",
        "AveragePool": "average_pool",
        "BatchNormalization": "batch_normalization",
        "Cast": "cast",
        "Clip": "clip",
        "Concat": "concatenate",
        "Conv": "conv",
        "DequantizeLinear": "identity",
        "Div": "divide",
        "Dropout": "dropout",
        "Flatten": "reshape",
        "Gemm": "fully_connected",
        "GlobalAveragePool": "global_average_pool",
        "GlobalMaxPool": "global_max_pool",
        "HardSigmoid": "hard_sigmoid",
        "Identity": "identity",
        "LRN": "lrn",
        "LeakyRelu": "leaky_relu",
        "LogSoftmax": "log_softmax",
        "MatMul": "matrix_product",
        "MaxPool": "max_pool",
        "Mul": "multiply",
        "PRelu": "prelu",
        "Pad": "pad",
        "QuantizeLinear": "identity",
        "ReduceMean": "mean",
        "Relu": "relu",
        "Reshape": "reshape",
        "Sigmoid": "sigmoid",
        "Softmax": "softmax",
        "Squeeze": "reshape",
        "Sub": "subtract",
        "Sum": "add",
        "Tanh": "tanh",
        "Transpose": "transpose",
        "Unsqueeze": "reshape",
    }
)

ARITHMETIC = frozenset({"Add", "Div", "MatMul", "Mul", "Sub", "Sum"})
"""A map or a constant may stand at any of their inputs; elsewhere the first input is the map."""

SHAPE_READERS = frozenset({"Shape", "Size"})
"""They read the shape of a map, not its values."""
