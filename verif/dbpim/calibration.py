"""Integers of a layer from the sums that occur, so that its map uses the whole byte."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hwgen.network import Conv, FeatureMap, Linear, Parameters, byte_map
from hwgen.network.layer import window_shape
from hwgen.network.maps import Pair, Shape, Sides
from hwgen.network.quantization import fixed_point

Bytes = NDArray[np.uint8]
Weights = NDArray[np.int8]

DEVIATIONS = 2.5
"""Standard deviations of a sum between the zero point and the far end of the byte range."""
HEAD_WEIGHT_SCALE = 1 / 64


class ByteRange(NamedTuple):
    """Zero point and clip of an output map."""

    zero_point: int
    low: int
    high: int

    @property
    def reach(self) -> int:
        """Steps from the zero point to the far end."""
        return max(1, self.high - self.zero_point, self.zero_point - self.low)


RELU = ByteRange(0, 0, 255)
SIGNED = ByteRange(128, 0, 255)


class Scaling(NamedTuple):
    """Integers of a layer's output channels, given instead of calibrated."""

    bias: Sequence[int]
    multiplier: Sequence[int]
    shift: Sequence[int]


def draw_images(rng: np.random.Generator, shape: Shape, count: int) -> Bytes:
    """Return random images (count, height, width, channels), some dim, some mostly zero."""
    images = rng.integers(0, 256, (count, *shape))
    lit = rng.random(images.shape) < rng.choice([1.0, 0.5, 0.2], (count, 1, 1, 1))
    dimness = rng.choice([0, 0, 1, 4], (count, 1, 1, 1))
    blended: Bytes = ((images >> dimness) * lit).astype(np.uint8)
    return blended


def feature_map(shape: Shape, output: ByteRange, *, scale: float) -> FeatureMap:
    """Return a map of (height, width, channels) with the zero point and clip of `output`."""
    return byte_map(shape, scale=scale, **output._asdict())


def scale_of(feature: FeatureMap) -> float:
    """Return the real value of one step of a map."""
    return feature.quantization[0].scale


def window_size(
    before: FeatureMap, *, kernel: Pair, stride: Pair, padding: Sides
) -> tuple[int, int]:
    """Return height and width of the output map of a window that fits."""
    shape = window_shape(before, 1, kernel=kernel, stride=stride, padding=padding)
    if shape is None:
        raise ValueError(f"a window of {kernel} must fit a map of {before.shape}")
    return shape[:2]


def magnitude(values: NDArray[Any], *, at_least: float = 1.0) -> float:
    """Return the absolute value that one of a hundred values exceeds."""
    return max(at_least, float(np.quantile(np.abs(values), 0.99)))


def no_scaling(filters: int) -> Scaling:
    """Return the scaling that leaves sums unchanged, to measure their range."""
    return Scaling([0] * filters, [1 << 15] * filters, [1] * filters)


def calibrate(rng: np.random.Generator, sums: NDArray[np.int64], output: FeatureMap) -> Scaling:
    """Return the scaling that spreads `sums` (positions, channels) over the range of `output`.

    A channel that never changes (phi 0, all blocks masked) gets a bias somewhere in the range.
    """
    deviation = sums.std(axis=0)
    alive = deviation > 0
    typical = float(np.median(deviation[alive])) if alive.any() else 100.0
    spread = np.where(alive, deviation, typical)
    jitter = rng.uniform(-1, 1, len(spread)) * np.where(alive, 0.5, 2.0)
    bias = np.round(jitter * spread - sums.mean(axis=0)).astype(int)
    values = output.quantization[0]
    byte_range = ByteRange(values.zero_point, values.low, values.high)
    reach = RELU.reach if output.raw else byte_range.reach
    pairs = [fixed_point(float(reach / (DEVIATIONS * each))) for each in spread]
    return Scaling(bias.tolist(), [pair[0] for pair in pairs], [pair[1] for pair in pairs])


def parameters_of(
    layer: Conv | Linear, weights: Weights, scaling: Scaling, source_scale: float
) -> Parameters:
    """Return the arrays of a layer; the weights' scales follow from the multipliers."""
    multiplier, shift = np.array(scaling.multiplier, np.uint32), np.array(scaling.shift, np.uint8)
    output_scale = scale_of(layer.output)
    weight_scale = np.ldexp(multiplier * (output_scale / source_scale), -shift.astype(int))
    if layer.output.raw:
        multiplier, shift = multiplier[:0], shift[:0]
        weight_scale = np.full(len(weights), HEAD_WEIGHT_SCALE)
    return Parameters(
        weights=weights.astype(np.int8),
        bias=np.array([scaling.bias], np.int64),
        multiplier=multiplier[np.newaxis],
        shift=shift[np.newaxis],
        weight_scale=weight_scale.astype(np.float32),
    )
