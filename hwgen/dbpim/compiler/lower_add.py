"""Additions that a convolution computes while its results are written."""

from collections.abc import Iterator
from dataclasses import replace

from hwgen.dbpim.compiler.lower_conv import conv_op, linear_op
from hwgen.dbpim.compiler.ops import Op
from hwgen.dbpim.compiler.source import Source
from hwgen.network import INPUT, Add, Conv, Linear

Weighted = Conv | Linear


def fused_additions(source: Source) -> dict[str, Weighted]:
    """Return by addition the layer that computes it.

    The macros compute it, and neither another layer nor the host reads its map. Of two such layers
    it is the one with more inputs an output, which has more time to write its results. With one
    stream for all cores the SIMD unit adds: no core but one has the buffer beside it.
    """
    if source.arch.shares_stream:
        return {}
    layers = {layer.name: layer for layer in source.network.layers}
    found: dict[str, Weighted] = {}
    for add in source.network.layers:
        if not isinstance(add, Add) or add.inputs[0] == add.inputs[1]:
            continue
        ways = [
            layers[name]
            for name in add.inputs
            if name not in {INPUT, *source.network.graph.outputs, *source.kept}
            and source.readers(name) == [add]
        ]
        able = [layer for layer in ways if isinstance(layer, Weighted) and in_macros(layer)]
        if able:
            found[add.name] = max(able, key=lambda layer: inputs_of(source, layer))
    return found


def in_macros(layer: Weighted) -> bool:
    """Return whether the macros compute bytes of a layer."""
    return not layer.output.raw and (isinstance(layer, Linear) or layer.groups == 1)


def inputs_of(source: Source, layer: Weighted) -> int:
    """Return the inputs of one output."""
    before = source.maps[layer.inputs[0]]
    height, width = layer.kernel if isinstance(layer, Conv) else (before.height, before.width)
    return height * width * before.channels


def fused_op(source: Source, add: Add, layer: Weighted) -> Iterator[Op]:
    """Yield the pass of a layer of the macros that adds another map to its results."""
    place = add.inputs.index(layer.name)
    other = add.inputs[1 - place]
    (factors,) = add.requantization
    sums = source.output_fields(add)
    fields = {
        "adds": 1,
        "result_multiplier": factors.multipliers[place],
        "second_multiplier": factors.multipliers[1 - place],
        "sum_shift": factors.shift,
        "sum_rounding": source.rounding(add),
        "second_zero_point": source.zero_point(other),
        **{name.replace("output", "sum"): value for name, value in sums.items()},
    }
    (op,) = conv_op(source, layer) if isinstance(layer, Conv) else linear_op(source, layer)
    yield replace(
        op,
        layer=add.name,
        output=add.name,
        inputs=(*op.inputs, other),
        fields={**op.fields, **fields},
        fused=layer.name,
    )
