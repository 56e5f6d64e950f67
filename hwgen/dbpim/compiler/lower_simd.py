"""Passes of layers without weights that compute each element alone.

Tests: `tests/dbpim/compiler/test_allocate.py`.
"""

from collections.abc import Iterator
from typing import Any

from hwgen.dbpim.compiler.ops import Fields, Op, Window
from hwgen.dbpim.compiler.source import Source
from hwgen.dbpim.facts.instructions import Opcode, Operation, field_bits
from hwgen.network import Add, Layer, MatMul, Multiply, Rescale, SquaredDifference, Table
from hwgen.network.quantization import SIGNED_BITS

SIMD_DEFAULTS: Fields = {
    "operation": Operation.SUM,
    "bias": 0,
    "multiplier": 0,
    "shift": 0,
    "rounding": 0,
    "planes": 0,
    "sums": 0,
    "to_memory": 0,
    "rotate": 0,
    "enable_first": 0,
    "enable_end": 0,
    "first_zero_point": 0,
    "second_zero_point": 0,
    "outside": 0,
}
"""Fields of a SIMD instruction that most operations leave zero."""

IDENTITY: Fields = {
    "multiplier": 1 << 15,
    "shift": 15,
    "output_zero_point": 0,
    "output_low": 0,
    "output_high": 255,
}
"""Requantization of a SUM that leaves bytes unchanged."""


def signed_bias(value: int) -> int:
    """Return a bias as the two's complement of its field."""
    return value % (1 << field_bits(Opcode.SIMD, "bias"))


def simd_op(source: Source, layer: Layer, fields: Fields, **more: Any) -> Op:
    """Return a pass over all words and positions of a layer's map; `more` replaces parts of it."""
    values: dict[str, Any] = {
        "name": layer.name,
        "layer": layer.name,
        "op": layer.op,
        "kind": "simd",
        "inputs": layer.inputs,
        "output": layer.name,
        "size": (layer.output.height, layer.output.width),
        "window": Window(),
        "words": (0, source.words(layer.name)),
        "fields": {
            **SIMD_DEFAULTS,
            **source.output_fields(layer),
            "rounding": source.rounding(layer),
            "enable_end": source.arch.word,
            **fields,
        },
    }
    return Op(**{**values, **more})


def two_maps(source: Source, layer: Add | Multiply | MatMul | SquaredDifference) -> Fields:
    """Return the zero points of both maps, and the first multiplier."""
    first, second = layer.inputs
    (factors,) = layer.requantization
    return {
        "first_zero_point": source.zero_point(first),
        "second_zero_point": source.zero_point(second),
        "multiplier": factors.multipliers[0],
        "shift": factors.shift,
    }


def add_op(source: Source, layer: Add) -> Iterator[Op]:
    """Yield the pass of a sum of two maps."""
    second = layer.requantization[0].multipliers[1]
    fields = {"operation": Operation.ADD, "bias": second}
    yield simd_op(source, layer, {**two_maps(source, layer), **fields})


def multiply_op(source: Source, layer: Multiply) -> Iterator[Op]:
    """Yield the pass of a product; the second map may have one pixel."""
    first, second = (source.maps[name] for name in layer.inputs)
    yield simd_op(
        source,
        layer,
        {**two_maps(source, layer), "operation": Operation.MULTIPLY},
        broadcast=second.one_pixel and not first.one_pixel,
    )


def squares_op(source: Source, layer: SquaredDifference) -> Iterator[Op]:
    """Yield the pass of squared differences of two maps, each scaled first."""
    first, second, whole = layer.requantization[0].multipliers
    places = [shift - SIGNED_BITS for shift in layer.operand_shifts]
    fields = {
        "operation": Operation.SQUARES,
        "multiplier": whole,
        "first_scale": first,
        "first_places": places[0],
        "second_scale": second,
        "second_places": places[1],
    }
    yield simd_op(source, layer, {**two_maps(source, layer), **fields})


def rescale_op(source: Source, layer: Rescale) -> Iterator[Op]:
    """Yield the pass of another scale and zero point: a sum of one."""
    (factors,) = layer.requantization
    fields = {
        "bias": signed_bias(-source.zero_point(layer.inputs[0])),
        "multiplier": factors.multipliers[0],
        "shift": factors.shift,
    }
    yield simd_op(source, layer, fields)


def table_op(source: Source, layer: Table) -> Iterator[Op]:
    """Yield the pass of a function of an element."""
    table = source.network.tables[layer.name][0]
    yield simd_op(source, layer, {"operation": Operation.TABLE}, table=table)
