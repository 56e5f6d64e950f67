"""Passes that move values: concatenation, larger maps, the shortcut without weights.

Tests: `tests/dbpim/compiler/test_small_buffers.py`.
"""

from collections.abc import Iterator
from typing import NamedTuple

from hwgen.dbpim.compiler.lower_simd import IDENTITY, simd_op
from hwgen.dbpim.compiler.ops import Fields, Op, Window
from hwgen.dbpim.compiler.source import Source
from hwgen.network import Concatenate, Shortcut, Upsample


def concatenate_ops(source: Source, layer: Concatenate) -> Iterator[Op]:
    """Yield the copies of a concatenation: of each source what one set of byte enables covers.

    Bytes behind the last channel of the last source are written too.
    """
    width, first, number = source.arch.word, 0, 0
    for place, name in enumerate(layer.inputs):
        channels = source.maps[name].channels
        word, rotate = divmod(first, width)
        last = place == len(layer.inputs) - 1
        for copy in copies(channels, rotate, width, padded=last):
            fields = {
                **IDENTITY,
                "enable_first": copy.enable[0],
                "enable_end": copy.enable[1],
                "rotate": rotate,
                "output_first_word": word + copy.carry,
            }
            yield simd_op(
                source,
                layer,
                fields,
                name=f"{layer.name} part {number}",
                inputs=(name,),
                words=copy.words,
            )
            number += 1
        first += channels


class Copy(NamedTuple):
    """Words of a source, first and number, whose bytes go to `enable` of word + carry."""

    words: tuple[int, int]
    enable: tuple[int, int]
    carry: int


def copies(channels: int, rotate: int, width: int, *, padded: bool) -> Iterator[Copy]:
    """Yield the copies of a source that begins at byte `rotate` of a word.

    padded: whether the bytes behind its last channel may be written
    """
    parts = [(rotate, width, 0, width - rotate), (0, rotate, width - rotate, width)]
    for carry, (begin, end, low, high) in enumerate(parts):
        if padded:
            whole = max(0, -(-(channels - low) // width)) if begin < end else 0
            left = 0
        else:
            whole = (channels + width - high) // width if begin < end else 0
            left = channels - whole * width - low if begin < end else 0
        if whole:
            yield Copy((0, whole), (begin, end), carry)
        if left > 0:
            yield Copy((whole, 1), (begin, begin + left), carry)


def upsample_ops(source: Source, layer: Upsample) -> Iterator[Op]:
    """Yield the pass of a larger map: each position reads the pixel that it lies in."""
    grow = tuple(each.bit_length() - 1 for each in layer.factor)
    zeros = int(layer.fill == "zero")
    fields = {**IDENTITY, "outside": source.zero_point(layer.inputs[0]), "grow_zeros": zeros}
    yield simd_op(source, layer, fields, window=Window(grow=(grow[0], grow[1])))


def shortcut_ops(source: Source, layer: Shortcut) -> Iterator[Op]:
    """Yield the passes of a shortcut: whole words, the word with both, added zeros."""
    before, width = source.maps[layer.inputs[0]], source.arch.word
    zero, words = source.zero_point(layer.inputs[0]), source.words(layer.name)
    window, fields = Window(stride=layer.stride), {**IDENTITY, "outside": zero}
    whole, mixed = divmod(before.channels, width)
    if not mixed or before.channels >= layer.output.channels:
        yield simd_op(source, layer, fields, window=window)
        return
    nothing = {**fields, "input_height": 0}
    parts: list[tuple[str, Fields, tuple[int, int]]] = [
        ("words", fields, (0, whole)),
        ("mixed word", {**fields, "enable_end": mixed}, (whole, 1)),
        ("mixed zeros", {**nothing, "enable_first": mixed}, (whole, 1)),
        ("zeros", nothing, (whole + 1, words - whole - 1)),
    ]
    for what, values, some in parts:
        if some[1]:
            name = f"{layer.name} {what}"
            yield simd_op(source, layer, values, name=name, window=window, words=some)
