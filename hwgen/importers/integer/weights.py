"""Weights of one layer written as those of another.

Tests: `tests/importers/integer/test_pairs.py`.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.importers.integer.maps import Shape
from hwgen.importers.integer.nodes import Convolution, Weights


def dense(node: Convolution, source: Shape, output: Shape) -> Weights:
    """Return a convolution as weights (outputs, inputs) over whole maps, each in NHWC order."""
    height, width, channels = source
    kernels = ungrouped(node.weights.centred, node.groups)
    filters, rows, columns, _ = kernels.shape
    top, left, bottom, right = node.padding
    wide = np.zeros(
        (*output[:2], filters, height + top + bottom, width + left + right, channels), np.int64
    )
    for y in range(output[0]):
        for x in range(output[1]):
            first = y * node.stride[0], x * node.stride[1]
            window = tuple(
                slice(begin, begin + (size - 1) * step + 1, step)
                for begin, size, step in zip(first, (rows, columns), node.dilation, strict=True)
            )
            wide[y, x][:, *window] = kernels
    inside = wide[..., top : top + height, left : left + width, :]
    pixels, rest = output[0] * output[1], node.weights.rest
    return replace(
        node.weights,
        integers=inside.reshape(pixels * filters, -1),
        scales=np.tile(node.weights.scales, pixels),
        zero_points=np.zeros(pixels * filters, np.int64),
        bias=np.tile(node.weights.bias, pixels),
        rest=None if rest is None else np.tile(rest, pixels),
    )


def ungrouped(kernels: NDArray[Any], groups: int) -> NDArray[Any]:
    """Return kernels over all input channels, zeros for those of other groups."""
    filters, height, width, inside = kernels.shape
    wide = np.zeros((filters, height, width, inside * groups), kernels.dtype)
    each = filters // groups
    for group in range(groups):
        mine = slice(group * each, (group + 1) * each)
        wide[mine, ..., group * inside : (group + 1) * inside] = kernels[mine]
    return wide
