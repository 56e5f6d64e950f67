"""Passes of poolings.

Tests: `tests/dbpim/compiler/test_room.py`.
"""

from collections.abc import Iterator

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


def band_height(source: Source, shape: MapShape) -> int:
    """Return the rows of a sum: one band a core, unless the sums or the rows do not fit."""
    arch, height = source.arch, -(-shape.height // source.arch.cores)
    most = arch.bank_words * 3 // 4
    pitch = row_pitch(shape.width, shape.channels, arch)
    while height > 1 and height * pitch > most:
        height = -(-height // 2)
    sums = row_pitch(BYTE_PLANES, shape.channels, arch)
    while -(-shape.height // height) * sums > most and height < shape.height:
        height += 1
    return height
