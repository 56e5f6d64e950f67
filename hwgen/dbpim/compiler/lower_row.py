"""Passes of the row unit: softmax and layer norm, of all channels or of each group.

Tests: `tests/dbpim/compiler/test_rows.py`.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from hwgen.dbpim.compiler.lower_simd import simd_op
from hwgen.dbpim.compiler.ops import Floats, Op
from hwgen.dbpim.compiler.source import Source
from hwgen.dbpim.facts.instructions import (
    PASSES_WITHOUT_MEAN,
    ROW_PASSES,
    Operation,
    keys_of,
)
from hwgen.network import CausalSoftmax, LayerNorm, Softmax

EXPONENT_PLACE = 23
MAGNITUDE = (1 << 31) - 1


def bits_of(value: float) -> int:
    """Return the bits of the nearest float32."""
    return int(np.float32(value).view(np.uint32))


def softmax_op(source: Source, layer: Softmax) -> Iterator[Op]:
    """Yield the pass of a softmax over each group of channels."""
    channels = source.counted.map_of(layer.inputs[0]).channels // layer.groups
    floats = Floats(
        numbers=source.network.arrays_of(layer.name)["exponentials"],
        fields={
            "channels": 0,
            "operand": bits_of(layer.factor),
            "divisor": 0,
            "count": 0,
            "least": 1,
        },
    )
    keys = 0
    if isinstance(layer, CausalSoftmax):
        keys = keys_of(by_position=layer.keys == "position")
    yield row_op(
        source,
        layer,
        Operation.SOFTMAX,
        groups=layer.groups,
        channels=channels | keys,
        floats=floats,
    )


def norm_op(source: Source, layer: LayerNorm) -> Iterator[Op]:
    """Yield the pass of a layer norm."""
    arrays = source.network.arrays_of(layer.name)
    channels = len(arrays["gamma"])
    eps, scale = arrays["constants"].tolist()
    pairs = np.stack([arrays["gamma"], arrays["beta"]], axis=1).ravel()
    floats = Floats(
        numbers=np.concatenate([arrays["values"], pairs]),
        fields={
            "channels": channels,
            "operand": eps,
            "divisor": scale,
            "count": bits_of(channels),
            "least": exponents_of(arrays["values"])[0],
        },
    )
    groups = layer.output.channels // channels
    yield row_op(source, layer, Operation.NORM, groups=groups, channels=channels, floats=floats)


def exponents_of(values: NDArray[np.uint32]) -> tuple[int, int]:
    """Return the smallest and the largest biased exponent of float32 that are not zero."""
    magnitudes = values & np.uint32(MAGNITUDE)
    exponents = magnitudes[magnitudes > 0] >> np.uint32(EXPONENT_PLACE)
    return (int(exponents.min()), int(exponents.max())) if len(exponents) else (1, 1)


def row_op(
    source: Source,
    layer: Softmax | LayerNorm,
    operation: Operation,
    *,
    groups: int,
    channels: int,
    floats: Floats,
) -> Op:
    """Return a pass over groups; channels: of each, of a causal softmax with its keys above."""
    without = isinstance(layer, LayerNorm) and layer.order == "rms"
    passes = PASSES_WITHOUT_MEAN if without else ROW_PASSES
    words = source.words(layer.name) // groups
    fields = {
        "operation": operation,
        "bias": channels,
        "kernel_height": passes,
        "kernel_width": words,
    }
    return simd_op(source, layer, fields, words=(0, groups), group_words=words, floats=floats)
