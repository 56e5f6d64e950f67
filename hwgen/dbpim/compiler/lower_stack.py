"""Passes that put the pixels of maps one behind the other: a product with ones, then sums.

A row of ones and zeros for each output position chooses a pixel of a map, or none. So the tokens of
a map of any shape get any places, and no unit but that of products moves them.

Tests: `tests/dbpim/compiler/test_stacks.py`.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hwgen.dbpim.compiler.lower_pool import SUMMED
from hwgen.dbpim.compiler.lower_simd import simd_op
from hwgen.dbpim.compiler.ops import MapShape, Op
from hwgen.dbpim.compiler.source import Source
from hwgen.dbpim.facts.instructions import Operation
from hwgen.network import FeatureMap, Layer, Rows, Stack
from hwgen.network.quantization import HALF_UP, ROUNDING_CODES


def stack_ops(source: Source, layer: Stack) -> Iterator[Op]:
    """Yield for each input a product that brings its pixels to their places, then their sums.

    Places of other inputs have the zero point, so that a sum leaves every byte as it is. Positions
    behind the last pixel, of a map that is larger than the stack, repeat it.
    """
    zero, maps = source.zero_point(layer.name), [source.features[name] for name in layer.inputs]
    pixels = [each.height * each.width for each in maps]
    slots = np.minimum(np.arange(layer.output.height * layer.output.width), sum(pixels) - 1)
    made = {**SUMMED, "output_zero_point": zero, "second_zero_point": zero}
    whole, first = "", 0
    for number, (name, count) in enumerate(zip(layer.inputs, pixels, strict=True)):
        places, moved = (f"{layer.name} {what} {number}" for what in ("places", "moved"))
        add_map(source, moved, layer.output)
        chosen = slots - first
        yield moving_op(
            source, layer, moved, places=places, moved=name, like=layer.output, slots=chosen
        )
        first += count
        if not number:
            whole = moved
            continue
        last = number == len(maps) - 1
        sums = layer.name if last else f"{layer.name} sums {number}"
        if not last:
            add_map(source, sums, layer.output)
        fields = {**made, "operation": Operation.ADD, "first_zero_point": zero}
        yield simd_op(
            source,
            layer,
            {**fields, "bias": SUMMED["multiplier"]},
            name=sums,
            output=sums,
            inputs=(whole, moved),
            whole=last,
        )
        whole = sums


def rows_ops(source: Source, layer: Rows) -> Iterator[Op]:
    """Yield a product that brings some rows of a map to their places."""
    (name,) = layer.inputs
    pixels = np.arange(layer.output.height * layer.output.width)
    yield replace(
        moving_op(
            source,
            layer,
            layer.name,
            places=f"{layer.name} places",
            moved=name,
            like=layer.output,
            slots=pixels + layer.first * source.counted.map_of(name).width,
        ),
        whole=True,
    )


def moving_op(
    source: Source,
    layer: Layer,
    output: str,
    *,
    places: str,
    moved: str,
    like: FeatureMap,
    slots: NDArray[np.int64],
) -> Op:
    """Return the pass that brings the pixels of a map to the positions of another one, `output`.

    places: name of the constant of ones; slots: the pixel of each position; one that the map has
    not: the zero point
    """
    zero, values = source.zero_point(moved), source.features[moved]
    count, word = values.height * values.width, source.arch.word
    add_map(source, places, like, rows_of_ones(slots, count, word))
    together = along(count, word)
    fields = {
        **SUMMED,
        "rounding": ROUNDING_CODES[HALF_UP],
        "operation": Operation.VALUES,
        "output_zero_point": zero,
        "first_zero_point": 0,
        "second_zero_point": zero,
        "input_width": values.width,
        "kernel_height": count // together,
        "kernel_width": 1 + together,
        "stride_y": source.words(output),
    }
    return simd_op(
        source,
        layer,
        fields,
        name=output,
        output=output,
        inputs=(places, moved),
        size=(like.height, like.width),
        words=(0, source.words(output)),
        whole=False,
        whole_second=True,
    )


def along(pixels: int, word: int) -> int:
    """Return the pixels that a word of ones chooses from: the most that divide all of them."""
    return max(size for size in range(1, word + 1) if pixels % size == 0)


def rows_of_ones(chosen: NDArray[np.int64], pixels: int, word: int) -> NDArray[np.uint8]:
    """Return words of ones, (positions, channels): a one for the pixel that each position has.

    chosen: of each position the number of its pixel; one that a map has not: zeros alone
    """
    together = along(pixels, word)
    channel = chosen // together * word + chosen % together
    ones = np.zeros((len(chosen), pixels // together * word), np.uint8)
    inside = np.flatnonzero((chosen >= 0) & (chosen < pixels))
    ones[inside, channel[inside]] = 1
    return ones


def add_map(
    source: Source, name: str, like: FeatureMap, values: NDArray[np.uint8] | None = None
) -> None:
    """Add a map in between with the pixels of another; values: (pixels, channels) of a constant."""
    height, width, channels = like.shape
    if values is not None:
        channels = values.shape[1]
        source.constants[name] = values.reshape(height, width, channels)
    source.maps[name] = MapShape(name=name, height=height, width=width, channels=channels)
