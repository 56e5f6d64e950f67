"""The ONNX operators that are read, and the operation of the graph that each becomes."""

from collections.abc import Mapping
from types import MappingProxyType

from hwgen.network.operations import Op

OPERATORS: Mapping[str, Op] = MappingProxyType(
    {
        "Abs": "function",
        "Add": "add",
        "AveragePool": "average_pool",
        "BatchNormalization": "batch_normalization",
        "Cast": "cast",
        "Celu": "function",
        "Clip": "clip",
        "Concat": "concatenate",
        "Conv": "conv",
        "DequantizeLinear": "identity",
        "Div": "divide",
        "Dropout": "dropout",
        "Elu": "function",
        "Erf": "function",
        "Exp": "function",
        "Flatten": "reshape",
        "Gather": "slice",
        "Gelu": "function",
        "Gemm": "fully_connected",
        "GlobalAveragePool": "global_average_pool",
        "GlobalMaxPool": "global_max_pool",
        "HardSigmoid": "hard_sigmoid",
        "HardSwish": "function",
        "Identity": "identity",
        "LRN": "lrn",
        "LeakyRelu": "leaky_relu",
        "LogSoftmax": "log_softmax",
        "MatMul": "matrix_product",
        "MaxPool": "max_pool",
        "Mish": "function",
        "Mul": "multiply",
        "Neg": "function",
        "PRelu": "prelu",
        "Pad": "pad",
        "Pow": "function",
        "QuantizeLinear": "identity",
        "ReduceMean": "mean",
        "Relu": "relu",
        "Reshape": "reshape",
        "Selu": "function",
        "Sigmoid": "sigmoid",
        "Slice": "slice",
        "Softmax": "softmax",
        "Softplus": "function",
        "Softsign": "function",
        "Split": "slice",
        "Sqrt": "function",
        "Squeeze": "reshape",
        "Sub": "subtract",
        "Sum": "add",
        "Swish": "function",
        "Tanh": "tanh",
        "Transpose": "transpose",
        "Unsqueeze": "reshape",
    }
)

ARITHMETIC = frozenset({"Add", "Div", "MatMul", "Mul", "Sub", "Sum"})
"""A map or a constant may stand at any of their inputs; elsewhere the first input is the map."""

SHAPE_READERS = frozenset({"Shape", "Size"})
"""They read the shape of a map, not its values."""
