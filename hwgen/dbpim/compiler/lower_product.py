"""Passes of products of two maps."""

from collections.abc import Iterator

from hwgen.dbpim.compiler.lower_simd import simd_op, two_maps
from hwgen.dbpim.compiler.ops import Op
from hwgen.dbpim.compiler.source import Source
from hwgen.dbpim.facts.instructions import Operation
from hwgen.network import MatMul


def product_op(source: Source, layer: MatMul) -> Iterator[Op]:
    """Yield the pass of a product: each core has map b whole, and all words of its positions.

    A result reads words of map a, and after each of them the C pixels of map b that it meets.
    """
    b = source.maps[layer.inputs[1]]
    channels, tokens = b.channels // layer.groups, b.height * b.width
    size = source.arch.word
    summed, results = (channels, tokens) if layer.transposed else (tokens, channels)
    fields = {
        **two_maps(source, layer),
        "operation": Operation.SCORES if layer.transposed else Operation.VALUES,
        "input_width": b.width,
        "kernel_height": summed // size,
        "kernel_width": 1 + size,
        "stride_y": results // size,
    }
    yield simd_op(source, layer, fields, whole_second=True)
