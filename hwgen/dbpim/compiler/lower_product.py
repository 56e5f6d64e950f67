"""Passes of products of two maps.

Tests: `tests/dbpim/compiler/test_products.py`.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from hwgen.dbpim.compiler.folding import chosen_sides
from hwgen.dbpim.compiler.lower_simd import simd_op, two_maps
from hwgen.dbpim.compiler.lower_stack import add_map, moving_op
from hwgen.dbpim.compiler.ops import Op
from hwgen.dbpim.compiler.source import Source
from hwgen.dbpim.facts.instructions import Operation
from hwgen.network import FeatureMap, MatMul, QuantizedNetwork


def product_op(source: Source, layer: MatMul) -> Iterator[Op]:
    """Yield the pass of a product: each core has map b whole.

    A result reads words of map a, and after each of them the C pixels of map b that it meets. Where
    map b has fewer pixels than the scores have channels, a copy with zeros behind them goes before.
    """
    a, b = layer.inputs
    tokens = stored_tokens(source.network, layer)
    if tokens > source.maps[b].height * source.maps[b].width:
        b = f"{layer.name} whole"
        yield whole_op(source, layer, b, tokens)
    second = source.maps[b]
    channels, size = second.channels // layer.groups, source.arch.word
    summed, results = (channels, tokens) if layer.transposed else (tokens, channels)
    fields = {
        **two_maps(source, layer),
        "operation": Operation.SCORES if layer.transposed else Operation.VALUES,
        "input_width": second.width,
        "kernel_height": summed // size,
        "kernel_width": 1 + size,
        "stride_y": results // size,
        # From the pixels of a result word of SCORES to those of the next one.
        "stride_x": size // second.width,
        "outside": size % second.width,
    }
    yield simd_op(source, layer, fields, inputs=(a, b), whole_second=True)


def stored_tokens(network: QuantizedNetwork, layer: MatMul) -> int:
    """Return the pixels of map b that a product meets: channels of a group of the scores."""
    scores = layer.output if layer.transposed else network.map_of(layer.inputs[0])
    return scores.channels // layer.groups


def whole_op(source: Source, layer: MatMul, name: str, tokens: int) -> Op:
    """Return the pass that copies map b to so many positions, with zeros behind its pixels."""
    b = layer.inputs[1]
    height, width = chosen_sides((tokens, 1))
    like: FeatureMap = replace(source.features[b], height=height, width=width)
    add_map(source, name, like)
    places = f"{layer.name} places"
    return moving_op(
        source, layer, name, places=places, moved=b, like=like, slots=np.arange(tokens)
    )
