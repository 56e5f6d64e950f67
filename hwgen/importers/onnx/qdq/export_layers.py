"""The ONNX nodes of each kind of layer.

Tests: `tests/importers/onnx/test_export.py`.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from hwgen import network as net
from hwgen.importers.onnx.qdq.export_weights import export_conv, export_linear
from hwgen.importers.onnx.qdq.exporting import FLAT, Exporting
from hwgen.importers.onnx.qdq.factors import operand_gains
from hwgen.network.pool import Pool


def window(layer: Pool) -> dict[str, Any]:
    """Return the attributes of a pooling's window."""
    return {
        "kernel_shape": list(layer.kernel),
        "strides": list(layer.stride),
        "pads": list(layer.padding),
    }


def export_max_pool(export: Exporting, layer: net.MaxPool) -> None:
    """Append a maximum."""
    real = export.build.node(
        "MaxPool",
        [export.real(layer.inputs[0])],
        f"{layer.name}/real",
        name=layer.name,
        **window(layer),
    )
    export.quantize(layer.name, real, layer.output)


def export_average_pool(export: Exporting, layer: net.AveragePool) -> None:
    """Append a mean that counts padding."""
    source = layer.inputs[0]
    scale = export.scale(source) / (layer.kernel[0] * layer.kernel[1])
    real = export.build.node(
        "AveragePool",
        [export.real(source)],
        f"{layer.name}/real",
        name=layer.name,
        count_include_pad=1,
        **window(layer),
    )
    finish(export, layer, scaled(export, layer, real, scale))


def export_add(export: Exporting, layer: net.Add) -> None:
    """Append a sum; an operand whose scale does not give its multiplier is scaled first."""
    rank = FLAT if export.all_flat(layer.inputs) else 4
    scales = [export.scale(name) for name in layer.inputs]
    gains = operand_gains(layer.requantization[0], scales, output_scale=export.scale(layer.name))
    operands = [
        gained(export, f"{layer.name}/{side}", export.real(name, rank=rank), gain)
        for side, name, gain in zip(("a", "b"), layer.inputs, gains, strict=True)
    ]
    real = export.build.node("Add", operands, f"{layer.name}/real", name=layer.name)
    finish(export, layer, real, flat=rank == FLAT)


def export_multiply(export: Exporting, layer: net.Multiply) -> None:
    """Append a product."""
    rank = FLAT if export.all_flat(layer.inputs) else 4
    a, b = layer.inputs
    operands = [export.real(name, rank=rank) for name in (a, b)]
    real = export.build.node("Mul", operands, f"{layer.name}/real", name=layer.name)
    real = scaled(export, layer, real, export.scale(a) * export.scale(b))
    finish(export, layer, real, flat=rank == FLAT)


def export_rescale(export: Exporting, layer: net.Rescale) -> None:
    """Append another quantization of a map; its first node carries the name of the layer."""
    rank = FLAT if export.all_flat(layer.inputs) else 4
    before = export.real(layer.inputs[0], rank=rank)
    real = scaled(export, layer, before, export.scale(layer.inputs[0]), node_name=layer.name)
    if rank == FLAT:
        export.mark_flat(layer.name)
    name = layer.name if real == before else ""
    bounded = export.clipped(layer.name, real, layer.output, node_name=name)
    export.quantize(layer.name, bounded, layer.output, node_name=name if bounded == real else "")


def export_concatenate(export: Exporting, layer: net.Concatenate) -> None:
    """Append a concatenation by channels."""
    rank = FLAT if export.all_flat(layer.inputs) else 4
    operands = [export.real(name, rank=rank) for name in layer.inputs]
    real = export.build.node("Concat", operands, f"{layer.name}/real", name=layer.name, axis=1)
    if rank == FLAT:
        export.mark_flat(layer.name)
    export.quantize(layer.name, real, layer.output)


def export_table(export: Exporting, layer: net.Table) -> None:
    """Append a Gather of the table by the integers of the map."""
    source, build = layer.inputs[0], export.build
    table = build.constant(f"{layer.name}/table", export.network.tables[layer.name][0])
    index = build.node("Cast", [f"{source}/quantized"], f"{layer.name}/index", to=6)
    build.node("Gather", [table, index], f"{layer.name}/quantized", name=layer.name, axis=0)
    if export.all_flat(layer.inputs):
        export.mark_flat(layer.name)
    export.dequantize(layer.name, layer.output)


def export_shortcut(export: Exporting, layer: net.Shortcut) -> None:
    """Append a subsampling, and zeros behind the channels or fewer channels."""
    build, name = export.build, layer.name
    before, after = export.network.map_of(layer.inputs[0]), layer.output
    real = export.real(layer.inputs[0])
    kept = min(before.channels, after.channels)
    bounds = [
        build.integers(f"{name}/starts", 0, 0, 0),
        build.integers(f"{name}/ends", kept, before.height, before.width),
        build.integers(f"{name}/axes", 1, 2, 3),
        build.integers(f"{name}/steps", 1, *layer.stride),
    ]
    real = build.node("Slice", [real, *bounds], f"{name}/slice", name=name)
    missing = after.channels - before.channels
    if missing > 0:
        pads = build.integers(f"{name}/pads", 0, 0, 0, 0, 0, missing, 0, 0)
        real = build.node("Pad", [real, pads], f"{name}/pad")
    export.quantize(name, real, after)


def scaled(
    export: Exporting,
    layer: net.AveragePool | net.Multiply | net.Rescale,
    real: str,
    scale: float,
    *,
    node_name: str = "",
) -> str:
    """Return `real`, scaled where the scales alone do not give the multiplier of a layer."""
    (gain,) = operand_gains(layer.requantization[0], [scale], output_scale=export.scale(layer.name))
    return gained(export, f"{layer.name}/product", real, gain, node_name=node_name)


def gained(export: Exporting, name: str, real: str, gain: float, *, node_name: str = "") -> str:
    """Return `real` times a constant; a gain of 1 needs no node."""
    if gain == 1:
        return real
    factor = export.build.scalar(f"{name}/gain", gain)
    return export.build.node("Mul", [real, factor], name, name=node_name)


def finish(
    export: Exporting,
    layer: net.Add | net.AveragePool | net.Multiply,
    real: str,
    *,
    flat: bool = False,
) -> None:
    """Append range and quantization of a layer that requantizes."""
    if flat:
        export.mark_flat(layer.name)
    real = export.clipped(layer.name, real, layer.output)
    export.quantize(layer.name, real, layer.output)


EXPORTERS: Mapping[str, Callable[[Exporting, Any], None]] = MappingProxyType(
    {
        "conv": export_conv,
        "linear": export_linear,
        "max_pool": export_max_pool,
        "average_pool": export_average_pool,
        "add": export_add,
        "multiply": export_multiply,
        "rescale": export_rescale,
        "concatenate": export_concatenate,
        "table": export_table,
        "shortcut": export_shortcut,
    }
)
"""What appends the nodes of a layer, by its `op`."""
