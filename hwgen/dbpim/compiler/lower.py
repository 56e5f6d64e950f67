"""From the layers of a network to passes of the chip."""

from collections.abc import Callable, Iterator
from typing import Any

from hwgen import network as net
from hwgen.dbpim.compiler.lower_add import fused_additions, fused_op
from hwgen.dbpim.compiler.lower_conv import (
    conv_op,
    depthwise_op,
    image_window,
    is_depthwise,
    linear_op,
)
from hwgen.dbpim.compiler.lower_pool import average_ops, maximum_op
from hwgen.dbpim.compiler.lower_product import product_op
from hwgen.dbpim.compiler.lower_row import norm_op, softmax_op
from hwgen.dbpim.compiler.lower_simd import add_op, multiply_op, rescale_op, squares_op, table_op
from hwgen.dbpim.compiler.lower_stack import rows_ops, stack_ops
from hwgen.dbpim.compiler.lower_states import appended_maps, kept_maps
from hwgen.dbpim.compiler.lower_words import concatenate_ops, shortcut_ops, upsample_ops
from hwgen.dbpim.compiler.ops import ImageLoad, Lowered, MapShape, Op
from hwgen.dbpim.compiler.source import Source
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import PIXEL_BYTES

RULES: dict[Any, Callable[[Source, Any], Iterator[Op]]] = {
    net.Linear: linear_op,
    net.MaxPool: maximum_op,
    net.AveragePool: average_ops,
    net.Add: add_op,
    net.Multiply: multiply_op,
    net.SquaredDifference: squares_op,
    net.MatMul: product_op,
    net.Softmax: softmax_op,
    net.CausalSoftmax: softmax_op,
    net.LayerNorm: norm_op,
    net.Rescale: rescale_op,
    net.Table: table_op,
    net.Concatenate: concatenate_ops,
    net.Shortcut: shortcut_ops,
    net.Rows: rows_ops,
    net.Stack: stack_ops,
    net.Upsample: upsample_ops,
}


def lower(
    network: net.QuantizedNetwork, arch: Arch, counted: net.QuantizedNetwork | None = None
) -> Lowered:
    """Return the passes of a network that the chip runs (`supported_layers`).

    counted: the network before it was folded, whose channels alone count in a softmax
    """
    source = Source(network, arch, counted)
    image = packed_image(source)
    additions = fused_additions(source)
    fused = {layer.name for layer in additions.values()}
    ops: list[Op] = []
    for layer in network.layers:
        if layer.name in fused or isinstance(layer, net.Constant | net.State | net.Append):
            continue
        if isinstance(layer, net.Add) and layer.name in additions:
            ops += fused_op(source, layer, additions[layer.name])
        elif isinstance(layer, net.Conv):
            channels = source.maps[layer.inputs[0]].channels
            depthwise = is_depthwise(layer, channels, arch.simd_taps)
            rule = depthwise_op if depthwise else conv_op
            ops += rule(source, layer)
        else:
            ops += RULES[type(layer)](source, layer)
    kept = kept_maps(source, ops)
    return Lowered(
        maps=source.maps,
        ops=ops,
        image=image,
        filters=source.filters,
        constants=source.constants,
        outputs=network.graph.outputs,
        states={name: network.arrays_of(name)["map"] for name in network.states},
        kept=kept,
        appended=appended_maps(network),
        caches={
            each.name: each.inputs[0] for each in network.layers if isinstance(each, net.Append)
        },
    )


def packed_image(source: Source) -> ImageLoad:
    """Return how the image is loaded; its map in the buffers may hold windows of pixels."""
    shape, arch = source.network.graph.input.shape, source.arch
    height, width, channels = shape
    sizes = [size for size in PIXEL_BYTES if channels <= size <= arch.word]
    fields = {
        "pixel_bytes": sizes[0] if sizes else 0,
        "pixel_channels": channels if sizes else 0,
        "window_pixels": 1,
        "window_stride": 1,
        "window_padding": 0,
        "window_value": 0,
        "memory_columns": width,
    }
    window = image_window(source) if sizes else None
    if window is None:
        source.maps[net.INPUT] = MapShape(
            name=net.INPUT, height=height, width=width, channels=channels
        )
    else:
        fields |= window
        reader = source.readers(net.INPUT)[0]
        pixels = window["window_pixels"]
        source.maps[net.INPUT] = MapShape(
            name=net.INPUT, height=height, width=reader.output.width, channels=pixels * channels
        )
    return ImageLoad(
        shape=shape,
        pixel_bytes=fields["pixel_bytes"],
        fields=fields,
        whole=window is None,
    )
