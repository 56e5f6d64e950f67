"""Passes of layers with weights.

Tests: `tests/dbpim/compiler/test_content.py`.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from hwgen.dbpim.compiler.groups import layer_parameters
from hwgen.dbpim.compiler.lower_simd import SIMD_DEFAULTS
from hwgen.dbpim.compiler.ops import ChannelWeights, Fields, Op, Window
from hwgen.dbpim.compiler.source import Source
from hwgen.dbpim.facts.instructions import Opcode, Operation, field_limit
from hwgen.dbpim.facts.stream import FilterParameters
from hwgen.network import INPUT, Conv, Linear

NO_CHANNEL = FilterParameters(bias=0, multiplier=0, shift=1)
"""Parameters of a channel that the last word of a pixel lacks."""


def image_window(source: Source) -> Fields | None:
    """Return the fields of a LOAD that stores a row of the first window in each word.

    None where the image has another reader than one convolution, or a row does not fit a word.
    """
    readers = source.readers(INPUT)
    if len(readers) != 1 or not isinstance(readers[0], Conv) or readers[0].groups != 1:
        return None
    conv, channels = readers[0], source.network.graph.input.channels
    fields = {
        "window_pixels": conv.kernel[1],
        "window_stride": conv.stride[1],
        "window_padding": conv.padding[1],
        "window_value": source.zero_point(INPUT),
    }
    widths = source.arch.widths
    small = all(value <= field_limit(Opcode.LOAD, name, widths) for name, value in fields.items())
    if conv.kernel[1] == 1 or conv.kernel[1] * channels > source.arch.word:
        return None
    if not small:
        return None
    source.windowed = True
    return fields


def conv_op(source: Source, layer: Conv) -> Iterator[Op]:
    """Yield the pass of a convolution; over the stored windows of an image it is one column."""
    weights = whole_filters(source.network.parameters[layer.name].weights, layer.groups)
    kernel, stride = layer.kernel, layer.stride
    padding = (layer.padding[0], layer.padding[1])
    if source.windowed and layer.inputs[0] == INPUT:
        weights = weights.reshape(len(weights), kernel[0], 1, -1)
        kernel, stride, padding = (kernel[0], 1), (stride[0], 1), (padding[0], 0)
    source.filters[layer.name] = weights
    yield macro_op(source, layer, Window(kernel=kernel, stride=stride, padding=padding))


def whole_filters(weights: NDArray[np.int8], groups: int) -> NDArray[np.int8]:
    """Return filters over all input channels: (out, height, width, in / groups) to (.., in).

    A filter weighs the channels of other groups 0: blocks of zeros, which a switch leaves out.
    """
    if groups == 1:
        return weights
    each, size = len(weights) // groups, weights.shape[-1]
    filters = np.zeros((*weights.shape[:-1], groups * size), weights.dtype)
    for group in range(groups):
        own = slice(group * each, (group + 1) * each)
        filters[own, ..., group * size : (group + 1) * size] = weights[own]
    return filters


def is_depthwise(layer: Conv, channels: int, taps: int) -> bool:
    """Return whether the SIMD core computes a convolution: output c reads input c alone.

    A window of more taps than a core holds takes the macros, as filters that weigh other
    channels 0.
    channels: of its input; taps: that a core holds
    """
    each = 1 < layer.groups == channels == layer.output.channels
    return each and layer.kernel[0] * layer.kernel[1] <= taps


def linear_op(source: Source, layer: Linear) -> Iterator[Op]:
    """Yield the pass of a linear layer: a window over the whole map."""
    before = source.maps[layer.inputs[0]]
    weights = source.network.parameters[layer.name].weights
    shape = (before.height, before.width)
    source.filters[layer.name] = weights.reshape(len(weights), *shape, before.channels)
    yield macro_op(source, layer, Window(kernel=shape))


def macro_op(source: Source, layer: Conv | Linear, window: Window) -> Op:
    """Return a pass of the macros."""
    return Op(
        name=layer.name,
        layer=layer.name,
        op=layer.op,
        kind="conv",
        inputs=layer.inputs,
        output=layer.name,
        size=(layer.output.height, layer.output.width),
        window=window,
        fields={
            **source.output_fields(layer),
            "outside": source.zero_point(layer.inputs[0]),
            "raw": int(layer.output.raw),
            "rounding": source.rounding(layer),
        },
    )


def depthwise_op(source: Source, layer: Conv) -> Iterator[Op]:
    """Yield the pass of a depthwise convolution on the SIMD core."""
    parameters = source.network.parameters[layer.name]
    words, channels = source.words(layer.name), source.arch.word
    taps = layer.kernel[0] * layer.kernel[1]
    padded = np.zeros((words * channels, taps), np.int8)
    padded[: layer.output.channels] = parameters.weights.reshape(-1, taps)
    entries = layer_parameters(parameters)
    entries += [NO_CHANNEL] * (words * channels - len(entries))
    yield Op(
        name=layer.name,
        layer=layer.name,
        op="depthwise",
        kind="simd",
        inputs=layer.inputs,
        output=layer.name,
        size=(layer.output.height, layer.output.width),
        window=Window(
            kernel=layer.kernel,
            stride=layer.stride,
            padding=(layer.padding[0], layer.padding[1]),
        ),
        words=(0, words),
        taps=ChannelWeights(
            weights=np.ascontiguousarray(padded.reshape(words, channels, taps).transpose(0, 2, 1)),
            parameters=entries,
        ),
        fields={
            **SIMD_DEFAULTS,
            **source.output_fields(layer),
            "operation": Operation.DEPTHWISE,
            "rounding": source.rounding(layer),
            "enable_end": channels,
            "outside": source.zero_point(layer.inputs[0]),
        },
    )
