"""Passes that move channels: concatenation and the shortcut without weights."""

from collections.abc import Iterator

from hwgen.compiler.dbpim.lower_simd import IDENTITY, simd_op
from hwgen.compiler.dbpim.ops import Fields, Op, Window
from hwgen.compiler.dbpim.source import Source
from hwgen.spec.network import Concatenate, Shortcut


def concatenate_ops(source: Source, layer: Concatenate) -> Iterator[Op]:
    """Yield the copies of a concatenation, each source in one pass or two.

    A copy may write bytes behind its last channel; the copies after it write them again.
    """
    width, first, number = source.arch.macro.compartments, 0, 0
    for name in layer.inputs:
        channels = source.maps[name].channels
        word, rotate = divmod(first, width)
        beyond = channels - (width - rotate) if rotate else 0
        parts: list[tuple[int, Fields]] = [
            (source.words(name), {"enable_first": rotate, "enable_end": width})
        ]
        if beyond > 0:
            parts.append((-(-beyond // width), {"enable_first": 0, "enable_end": rotate}))
        for shift, (words, enable) in enumerate(parts):
            fields = {**IDENTITY, **enable, "rotate": rotate, "output_first_word": word + shift}
            yield simd_op(
                source,
                layer,
                fields,
                name=f"{layer.name} part {number}",
                inputs=(name,),
                words=(0, words),
            )
            number += 1
        first += channels


def shortcut_ops(source: Source, layer: Shortcut) -> Iterator[Op]:
    """Yield the passes of a shortcut: whole words, added zeros, then the word that has both."""
    before, width = source.maps[layer.inputs[0]], source.arch.macro.compartments
    zero, words = source.zero_point(layer.inputs[0]), source.words(layer.name)
    window, fields = Window(stride=layer.stride), {**IDENTITY, "outside": zero}
    whole, mixed = divmod(before.channels, width)
    if not mixed or before.channels >= layer.output.channels:
        yield simd_op(source, layer, fields, window=window)
        return
    if whole:
        name = f"{layer.name} words"
        yield simd_op(source, layer, fields, name=name, window=window, words=(0, whole))
    yield simd_op(
        source,
        layer,
        {**fields, "input_height": 0},
        name=f"{layer.name} zeros",
        window=window,
        words=(whole, words - whole),
    )
    yield simd_op(
        source,
        layer,
        {**fields, "enable_end": mixed},
        window=window,
        words=(whole, 1),
    )
