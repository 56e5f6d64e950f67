"""Passes of poolings.

Tests: `tests/dbpim/compiler/test_room.py`.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from hwgen.dbpim.compiler.lower_simd import signed_bias, simd_op
from hwgen.dbpim.compiler.ops import Fields, MapShape, Op, Window
from hwgen.dbpim.compiler.source import Source
from hwgen.dbpim.facts.addressing import row_pitch
from hwgen.dbpim.facts.instructions import Operation
from hwgen.network import AveragePool, MaxPool

FEW_TAPS = 16
"""Window positions up to which a global pool is one pass."""

SUMS: Fields = {
    "sums": 1,
    "rounding": 0,
    "outside": 0,
    "output_zero_point": 0,
    "output_low": 0,
    "output_high": 255,
}
"""Fields of a pass whose totals leave unscaled."""

EXACT: Fields = {"multiplier": 1 << 15, "shift": 15, "rounding": 0}
"""Fields of a product or a sum of bytes that is not scaled."""

SUMMED: Fields = {
    **EXACT,
    "output_zero_point": 0,
    "output_low": 0,
    "output_high": 255,
}
"""Fields of a sum that is a byte."""

BYTE_PLANES = 3
"""Bytes of a sum that lies between two passes."""


def window_of(layer: AveragePool | MaxPool) -> Window:
    """Return the window of a pool."""
    padding = (layer.padding[0], layer.padding[1])
    return Window(kernel=layer.kernel, stride=layer.stride, padding=padding)


def maximum_op(source: Source, layer: MaxPool) -> Iterator[Op]:
    """Yield the pass of a maximum; outside counts 0 and never wins."""
    fields = {"operation": Operation.MAXIMUM, "outside": 0}
    yield simd_op(source, layer, fields, window=window_of(layer))


def average_ops(source: Source, layer: AveragePool) -> Iterator[Op]:
    """Yield the pass of a mean, or two: sums over bands of rows, then the sum of these."""
    before, zero = source.maps[layer.inputs[0]], source.zero_point(layer.inputs[0])
    moved: Fields = {}
    if layer.center is not None:
        zero, moved = layer.center, {"output_zero_point": layer.center}
    taps = layer.kernel[0] * layer.kernel[1]
    (factors,) = layer.requantization
    if layer.divisor == "inside":
        yield from inside_ops(source, layer, {"outside": zero, **moved})
        return
    fields = {
        "bias": signed_bias(-taps * zero),
        "multiplier": factors.multipliers[0],
        "shift": factors.shift,
        "outside": zero,
        **moved,
    }
    if taps <= FEW_TAPS or layer.kernel != (before.height, before.width):
        yield simd_op(source, layer, fields, window=window_of(layer))
        return
    height = band_height(source, before)
    bands = -(-before.height // height)
    sums = MapShape(
        name=f"{layer.name} sums", height=bands, width=BYTE_PLANES, channels=before.channels
    )
    source.maps[sums.name] = sums
    yield simd_op(
        source,
        layer,
        SUMS,
        name=sums.name,
        output=sums.name,
        size=(bands, 1),
        window=Window(kernel=(height, before.width), stride=(height, 1)),
        whole=False,
    )
    yield simd_op(
        source,
        layer,
        {**fields, "planes": 1, "outside": 0},
        inputs=(sums.name,),
        window=Window(kernel=(bands, BYTE_PLANES)),
    )


def inside_ops(source: Source, layer: AveragePool, middle: Fields) -> Iterator[Op]:
    """Yield the passes of a mean that leaves padding out.

    The pixels inside each window are counted: a sum of ones, outside 0. For each count the mean
    with its factor is kept where the window has so many pixels, is zero elsewhere, and is added.
    middle: the byte of the input that counts as zero, and that of the output where it differs
    """
    (factors,), shape = layer.requantization, source.maps[layer.inputs[0]]
    zero = middle["outside"]
    lowest = {**source.output_fields(layer), **middle}["output_zero_point"]
    kept = {**EXACT, "first_zero_point": lowest, "output_zero_point": lowest}
    taps = layer.kernel[0] * layer.kernel[1]

    def made(what: str, fields: Fields, **more: Any) -> Op:
        """Return a pass whose map is in between."""
        name = f"{layer.name} {what}"
        height, width = more.get("size", (layer.output.height, layer.output.width))
        source.maps[name] = MapShape(name=name, height=height, width=width, channels=shape.channels)
        return simd_op(source, layer, fields, name=name, output=name, whole=False, **more)

    ones = made(
        "ones",
        {"operation": Operation.TABLE, "output_low": 0, "output_high": 255},
        size=(shape.height, shape.width),
        table=np.ones(256, np.uint8),
    )
    counted = {**SUMMED, "bias": 0, "outside": 0}
    count = made("counts", counted, inputs=(ones.name,), window=window_of(layer))
    yield from (ones, count)
    found = ""
    counts = layer.counts(shape.height, shape.width)
    for number, (pixels, multiplier) in enumerate(zip(counts, factors.multipliers, strict=True)):
        scaled = {
            **middle,
            "bias": signed_bias(-taps * zero),
            "multiplier": multiplier,
            "shift": factors.shift,
        }
        mean = made(f"mean of {pixels}", scaled, window=window_of(layer))
        mask = made(
            f"mask of {pixels}",
            {"operation": Operation.TABLE, "output_low": 0, "output_high": 255},
            inputs=(count.name,),
            table=(np.arange(256) == pixels).astype(np.uint8),
        )
        yield from (mean, mask)
        product = {**kept, "operation": Operation.MULTIPLY, "second_zero_point": 0}
        both = (mean.name, mask.name)
        if len(counts) == 1:
            yield simd_op(source, layer, product, inputs=both)
            return
        part = made(f"part of {pixels}", product, inputs=both)
        yield part
        if not found:
            found = part.name
            continue
        total = {
            **kept,
            "operation": Operation.ADD,
            "bias": EXACT["multiplier"],
            "second_zero_point": lowest,
        }
        if number == len(counts) - 1:
            yield simd_op(source, layer, total, inputs=(found, part.name))
            return
        added = made(f"sum to {pixels}", total, inputs=(found, part.name))
        yield added
        found = added.name


def band_height(source: Source, shape: MapShape) -> int:
    """Return the rows of a sum: one band a SIMD unit, unless the sums or the rows do not fit."""
    arch, height = source.arch, -(-shape.height // source.arch.simd_units)
    most = arch.bank_words * 3 // 4
    pitch = row_pitch(shape.width, shape.channels, arch)
    while height > 1 and height * pitch > most:
        height = -(-height // 2)
    sums = row_pitch(BYTE_PLANES, shape.channels, arch)
    while -(-shape.height // height) * sums > most and height < shape.height:
        height += 1
    return height
