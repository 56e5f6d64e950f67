"""Small TFLite files for the tests, written with the classes of the schema."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import tflite
from numpy.typing import NDArray

TYPES = {
    "float32": tflite.TensorType.FLOAT32,
    "int8": tflite.TensorType.INT8,
    "uint8": tflite.TensorType.UINT8,
    "int16": tflite.TensorType.INT16,
    "int32": tflite.TensorType.INT32,
    "int64": tflite.TensorType.INT64,
}
SAME, VALID = tflite.Padding.SAME, tflite.Padding.VALID
NONE, RELU = tflite.ActivationFunctionType.NONE, tflite.ActivationFunctionType.RELU
RELU6 = tflite.ActivationFunctionType.RELU6

Options = tuple[str, dict[str, Any]]


@dataclass
class TensorOf:
    """What a tensor of the file gets."""

    name: str
    shape: tuple[int, ...]
    type: str
    scales: tuple[float, ...] = ()
    zero_points: tuple[int, ...] = ()
    axis: int = 0
    data: bytes = b""


@dataclass
class Writer:
    """A file in the making; tensors are called by number, tensor 0 is the image."""

    tensors: list[TensorOf] = field(default_factory=list)
    operators: list[tuple[str, tuple[int, ...], tuple[int, ...], Options | None]] = field(
        default_factory=list
    )
    outputs: tuple[int, ...] = ()
    inputs: tuple[int, ...] = (0,)
    custom: str = ""

    def map(
        self,
        *shape: int,
        scale: float | None = 0.05,
        zero_point: int = 0,
        type: str = "int8",
        name: str = "",
    ) -> int:
        """Add a map; shape without the batch, scale None: without quantization."""
        scales = () if scale is None else (scale,)
        return self._add(
            TensorOf(
                name or f"map_{len(self.tensors)}",
                (1, *shape),
                type,
                scales,
                (zero_point,) * len(scales),
            )
        )

    def constant(
        self, values: NDArray[Any], *, scales: Any = (), zero_points: Any = None, axis: int = 0
    ) -> int:
        """Add a constant of the type of `values`."""
        scales = tuple(np.atleast_1d(scales).tolist())
        zeros = (0,) * len(scales) if zero_points is None else tuple(np.atleast_1d(zero_points))
        return self._add(
            TensorOf(
                f"constant_{len(self.tensors)}",
                values.shape,
                values.dtype.name,
                scales,
                tuple(int(each) for each in zeros),
                axis,
                np.ascontiguousarray(values).tobytes(),
            )
        )

    def _add(self, tensor: TensorOf) -> int:
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def operator(
        self,
        name: str,
        inputs: tuple[int, ...],
        outputs: int | tuple[int, ...],
        options: Options | None = None,
    ) -> int:
        """Add an operator; its last output is the answer unless `outputs` is set later."""
        written = (outputs,) if isinstance(outputs, int) else outputs
        self.operators.append((name, inputs, written, options))
        self.outputs = written
        return written[0]

    def content(self) -> bytes:
        """Return the bytes of the file."""
        builder = flatbuffers.Builder(1024)
        buffers = [vector(builder, "Buffer", Data=b"")]
        buffers += [vector(builder, "Buffer", Data=each.data) for each in self.tensors]
        tensors = [self._tensor(builder, n + 1, each) for n, each in enumerate(self.tensors)]
        names = list(dict.fromkeys(name for name, *_ in self.operators))
        codes = [self._code(builder, name) for name in names]
        operators = [
            self._operator(builder, names.index(name), *rest) for name, *rest in self.operators
        ]
        graph = table(
            builder,
            "SubGraph",
            Tensors=offsets(builder, tensors),
            Inputs=builder.CreateNumpyVector(np.array(self.inputs, np.int32)),
            Outputs=builder.CreateNumpyVector(np.array(self.outputs, np.int32)),
            Operators=offsets(builder, operators),
        )
        model = table(
            builder,
            "Model",
            Version=3,
            OperatorCodes=offsets(builder, codes),
            Subgraphs=offsets(builder, [graph]),
            Buffers=offsets(builder, buffers),
        )
        builder.Finish(model, b"TFL3")
        return bytes(builder.Output())

    def save(self, path: Path) -> Path:
        """Write the file."""
        path.write_bytes(self.content())
        return path

    def _code(self, builder: Any, name: str) -> int:
        number = getattr(tflite.BuiltinOperator, name)
        custom = {"CustomCode": builder.CreateString(self.custom)} if name == "CUSTOM" else {}
        return table(
            builder,
            "OperatorCode",
            DeprecatedBuiltinCode=min(number, 127),
            BuiltinCode=number,
            Version=1,
            **custom,
        )

    def _tensor(self, builder: Any, buffer: int, tensor: TensorOf) -> int:
        quantization = {}
        if tensor.scales:
            quantization["Quantization"] = table(
                builder,
                "QuantizationParameters",
                Scale=builder.CreateNumpyVector(np.array(tensor.scales, np.float32)),
                ZeroPoint=builder.CreateNumpyVector(np.array(tensor.zero_points, np.int64)),
                QuantizedDimension=tensor.axis,
            )
        return table(
            builder,
            "Tensor",
            Name=builder.CreateString(tensor.name),
            Shape=builder.CreateNumpyVector(np.array(tensor.shape, np.int32)),
            Type=TYPES[tensor.type],
            Buffer=buffer if tensor.data else 0,
            **quantization,
        )

    def _operator(
        self,
        builder: Any,
        code: int,
        inputs: tuple[int, ...],
        outputs: tuple[int, ...],
        options: Options | None,
    ) -> int:
        given = {}
        if options is not None:
            kind, values = options
            given["BuiltinOptions"] = table(builder, kind, **values)
            given["BuiltinOptionsType"] = getattr(tflite.BuiltinOptions, kind)
        return table(
            builder,
            "Operator",
            OpcodeIndex=code,
            Inputs=builder.CreateNumpyVector(np.array(inputs, np.int32)),
            Outputs=builder.CreateNumpyVector(np.array(outputs, np.int32)),
            **given,
        )


def table(builder: Any, kind: str, **fields: Any) -> int:
    """Write one table; offsets of what it refers to are made before."""
    getattr(tflite, f"{kind}Start")(builder)
    for key, value in fields.items():
        getattr(tflite, f"{kind}Add{key}")(builder, value)
    end: int = getattr(tflite, f"{kind}End")(builder)
    return end


def vector(builder: Any, kind: str, **fields: bytes) -> int:
    """Write a table of byte vectors."""
    made = {key: builder.CreateByteVector(value) for key, value in fields.items() if value}
    return table(builder, kind, **made)


def offsets(builder: Any, items: list[int]) -> int:
    """Write a vector of tables."""
    builder.StartVector(4, len(items), 4)
    for item in reversed(items):
        builder.PrependUOffsetTRelative(item)
    end: int = builder.EndVector()
    return end


def conv_options(
    *,
    padding: int = VALID,
    stride: tuple[int, int] = (1, 1),
    dilation: tuple[int, int] = (1, 1),
    activation: int = NONE,
) -> Options:
    """Return the options of Conv2D."""
    return "Conv2DOptions", {
        "Padding": padding,
        "StrideH": stride[0],
        "StrideW": stride[1],
        "DilationHFactor": dilation[0],
        "DilationWFactor": dilation[1],
        "FusedActivationFunction": activation,
    }


def depthwise_options(multiplier: int = 1, **given: Any) -> Options:
    """Return the options of DepthwiseConv2D."""
    _, values = conv_options(**given)
    return "DepthwiseConv2DOptions", {**values, "DepthMultiplier": multiplier}


def pool_options(
    *,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: int = VALID,
    activation: int = NONE,
) -> Options:
    """Return the options of a pooling."""
    return "Pool2DOptions", {
        "Padding": padding,
        "StrideH": stride[0],
        "StrideW": stride[1],
        "FilterHeight": kernel[0],
        "FilterWidth": kernel[1],
        "FusedActivationFunction": activation,
    }


def activation_options(kind: str, activation: int = NONE) -> Options:
    """Return options that hold an activation alone, such as AddOptions."""
    return kind, {"FusedActivationFunction": activation}


def random_weights(*shape: int, seed: int = 1) -> NDArray[np.int8]:
    """Return weights over the whole range of symmetric int8."""
    return np.random.default_rng(seed).integers(-127, 128, shape).astype(np.int8)


def random_bias(count: int, seed: int = 2) -> NDArray[np.int32]:
    """Return biases."""
    return np.random.default_rng(seed).integers(-3000, 3000, count).astype(np.int32)


def convolution(
    writer: Writer,
    source: int,
    output: int,
    weights: NDArray[Any],
    options: Options,
    *,
    scales: Any = 0.004,
    name: str = "CONV_2D",
    axis: int = 0,
) -> int:
    """Add a convolution with a bias."""
    outputs = weights.shape[axis]
    given = writer.tensors[source].scales[0] * np.broadcast_to(scales, outputs)
    return writer.operator(
        name,
        (
            source,
            writer.constant(weights, scales=scales, axis=axis),
            writer.constant(random_bias(outputs), scales=given),
        ),
        output,
        options,
    )
