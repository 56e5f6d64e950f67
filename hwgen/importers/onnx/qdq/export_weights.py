"""The ONNX nodes of layers with weights: integers, their scales, and the operator.

Tests: `tests/importers/onnx/test_export.py`.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.importers.onnx.qdq.exporting import FLAT, Exporting
from hwgen.importers.onnx.qdq.factors import weight_scales
from hwgen.network import Conv, Linear, Parameters

Float32s = NDArray[np.float32]

SCALE_TOLERANCE = 1e-5
"""Difference of the scale of raw sums from input times weight scale that is a rounding."""


def export_conv(export: Exporting, layer: Conv) -> None:
    """Append a convolution."""
    given = export.network.parameters[layer.name]
    weights = given.weights.transpose(0, 3, 1, 2)
    tensors = [export.real(layer.inputs[0]), *export_parameters(export, layer, given, weights)]
    real = export.build.node(
        "Conv",
        tensors,
        layer.name if layer.output.raw else f"{layer.name}/real",
        name=layer.name,
        kernel_shape=list(layer.kernel),
        strides=list(layer.stride),
        pads=list(layer.padding),
        group=layer.groups,
    )
    finish(export, layer, real)


def export_linear(export: Exporting, layer: Linear) -> None:
    """Append a fully connected layer over the flat map, channels first."""
    given = export.network.parameters[layer.name]
    height, width, channels = export.network.map_of(layer.inputs[0]).shape
    pixels = given.weights.reshape(-1, height, width, channels)
    weights = pixels.transpose(0, 3, 1, 2).reshape(len(pixels), -1)
    flat = export.real(layer.inputs[0], rank=FLAT)
    tensors = [flat, *export_parameters(export, layer, given, weights)]
    output = layer.name if layer.output.raw else f"{layer.name}/real"
    real = export.build.node("Gemm", tensors, output, name=layer.name, transB=1)
    export.mark_flat(layer.name)
    finish(export, layer, real)


def finish(export: Exporting, layer: Conv | Linear, real: str) -> None:
    """Append range and quantization of a layer, unless its sums are raw."""
    if not layer.output.raw:
        real = export.clipped(layer.name, real, layer.output)
        export.quantize(layer.name, real, layer.output)


def export_parameters(
    export: Exporting, layer: Conv | Linear, given: Parameters, weights: NDArray[Any]
) -> list[str]:
    """Store weights and bias as integers; return the tensors of their real values."""
    name, build = layer.name, export.build
    source = export.values(layer.inputs[0])
    scales = scales_of(export, layer, given)
    bias = given.bias[0] + source.zero_point * weights.reshape(len(weights), -1).sum(
        axis=1, dtype=np.int64
    )
    outside = np.flatnonzero(bias != bias.astype(np.int32))
    if outside.size:
        field = f"the bias of output channel {outside[0]} of {name}"
        raise export.refuse(field, "within int32 in ONNX", bias[outside[0]])
    steps = (scales.astype(np.float64) * source.scale).astype(np.float32)
    export.check_normal(f"{name}/bias/scale", steps)
    stored = {"weights": (weights, scales), "bias": (bias.astype(np.int32), steps)}
    tensors = []
    for key, (integers, scale) in stored.items():
        parts = [
            build.constant(f"{name}/{key}/quantized", integers),
            build.constant(f"{name}/{key}/scale", scale),
            build.constant(f"{name}/{key}/zero_point", np.zeros(len(scale), integers.dtype)),
        ]
        tensors.append(build.node("DequantizeLinear", parts, f"{name}/{key}", axis=0))
    return tensors


def scales_of(export: Exporting, layer: Conv | Linear, given: Parameters) -> Float32s:
    """Return the scales of filters in the model; remember those of the network if they differ."""
    input_scale, output_scale = export.scale(layer.inputs[0]), export.scale(layer.name)
    if layer.output.raw:
        ratios = given.weight_scale / given.weight_scale[0]
        scales: Float32s = (ratios * (output_scale / input_scale)).astype(np.float32)
        if np.allclose(scales, given.weight_scale, rtol=SCALE_TOLERANCE, atol=0):
            scales = given.weight_scale
    else:
        scales = weight_scales(
            given.weight_scale,
            given.multiplier[0].tolist(),
            given.shift[0].tolist(),
            input_scale=input_scale,
            output_scale=output_scale,
        )
    export.check_normal(f"{layer.name}/weights/scale", scales)
    if (scales != given.weight_scale).any():
        export.named_scales[layer.name] = [float(scale) for scale in given.weight_scale]
    return scales
