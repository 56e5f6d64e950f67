"""A second implementation of each operation, element by element in integers, without numpy."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import floor
from typing import Any

import numpy as np

from hwgen.network import Layer, Linear, QuantizedNetwork

Place = tuple[int, int, int]
"""y, x, channel."""


@dataclass(frozen=True)
class Case:
    """One layer of one image in one mode.

    inputs: element of each place of each input map; zeros: their zero points
    """

    network: QuantizedNetwork
    layer: Any
    mode: int
    inputs: list[dict[Place, int]]
    zeros: list[int]


def slow_layer(
    network: QuantizedNetwork, layer: Layer, maps: Mapping[str, np.ndarray], mode: int
) -> np.ndarray:
    """Return the output map of a layer for one image: (height, width, channels of the mode)."""
    inputs = [{at: int(value) for at, value in np.ndenumerate(maps[name])} for name in layer.inputs]
    zeros = [network.map_of(name).quantization[mode].zero_point for name in layer.inputs]
    case = Case(network, layer, mode, inputs, zeros)
    height, width, _ = layer.output.shape
    found = np.zeros((height, width, layer.output.channels_in(mode)), object)
    for at in product(*map(range, found.shape)):
        found[at] = OPERATIONS[layer.op](case, at)
    return found


def conv(case: Case, at: Place) -> int:
    """Return bias and products; channels that the mode lacks are not seen."""
    layer, f = case.layer, at[2]
    parameters = case.network.parameters[layer.name]
    before = case.network.map_of(layer.inputs[0])
    seen = before.channels // layer.groups
    first = f // (layer.output.channels // layer.groups) * seen
    total = int(parameters.bias[case.mode, f])
    for i, j, c in product(*map(range, layer.kernel), range(seen)):
        if first + c < before.channels_in(case.mode):
            row = at[0] * layer.stride[0] + i - layer.padding[0]
            column = at[1] * layer.stride[1] + j - layer.padding[1]
            value = case.inputs[0].get((row, column, first + c), case.zeros[0])
            total += int(parameters.weights[f, i, j, c]) * value
    return weighted(case, f, total)


def linear(case: Case, at: Place) -> int:
    """Return bias and products over the whole map."""
    layer, f = case.layer, at[2]
    assert isinstance(layer, Linear)
    parameters = case.network.parameters[layer.name]
    places = product(*map(range, case.network.map_of(layer.inputs[0]).shape))
    total = int(parameters.bias[case.mode, f])
    for weight, place in zip(parameters.weights[f].tolist(), places, strict=True):
        total += weight * case.inputs[0].get(place, 0)
    return weighted(case, f, total)


def weighted(case: Case, f: int, total: int) -> int:
    """Return a raw sum, or the sum by the multiplier of its channel."""
    if case.layer.output.raw:
        return total
    parameters = case.network.parameters[case.layer.name]
    multiplier = int(parameters.multiplier[case.mode, f])
    return clipped(case, total, multiplier, int(parameters.shift[case.mode, f]))


def taps(case: Case, at: Place) -> Iterator[Place]:
    """Yield the places that a window of one channel sees, those outside of the map among them."""
    layer = case.layer
    for i, j in product(range(layer.kernel[0]), range(layer.kernel[1])):
        row = at[0] * layer.stride[0] + i - layer.padding[0]
        yield row, at[1] * layer.stride[1] + j - layer.padding[1], at[2]


def max_pool(case: Case, at: Place) -> int:
    """Return the largest element inside the map."""
    return max(case.inputs[0][tap] for tap in taps(case, at) if tap in case.inputs[0])


def average_pool(case: Case, at: Place) -> int:
    """Return the mean; what lies outside counts as zero, or not at all."""
    layer, zero = case.layer, case.zeros[0] if case.layer.center is None else case.layer.center
    total = sum(case.inputs[0].get(tap, zero) - zero for tap in taps(case, at))
    if layer.divisor == "window":
        return scaled(case, total)
    sizes = product(range(layer.output.height), range(layer.output.width))
    counts = sorted({inside(case, (*place, at[2])) for place in sizes})
    factors = layer.requantization[case.mode]
    multiplier = factors.multipliers[counts.index(inside(case, at))]
    return clipped(case, total, multiplier, factors.shift)


def inside(case: Case, at: Place) -> int:
    """Return how many places of a window lie in the map."""
    return sum(tap in case.inputs[0] for tap in taps(case, at))


def add(case: Case, at: Place) -> int:
    """Return the sum of two maps."""
    factors = case.layer.requantization[case.mode]
    operands = [values[at] - zero for values, zero in zip(case.inputs, case.zeros, strict=True)]
    if case.layer.rounding == "tflite":
        *own, last = factors.multipliers
        shifts = case.layer.operand_shifts[case.mode]
        scales = zip(operands, own, shifts, strict=True)
        total = sum(rounded("tflite", x * 2**20, factor, shift) for x, factor, shift in scales)
        return clipped(case, total, last, factors.shift)
    total = sum(x * factor for x, factor in zip(operands, factors.multipliers, strict=True))
    return clipped(case, total, 1, factors.shift)


def multiply(case: Case, at: Place) -> int:
    """Return the product of two maps."""
    one_pixel = case.network.map_of(case.layer.inputs[1]).shape[:2] == (1, 1)
    factor = case.inputs[1][(0, 0, at[2]) if one_pixel else at] - case.zeros[1]
    return scaled(case, (case.inputs[0][at] - case.zeros[0]) * factor)


def rescale(case: Case, at: Place) -> int:
    """Return the element on another grid."""
    return scaled(case, case.inputs[0][at] - case.zeros[0])


def table(case: Case, at: Place) -> int:
    """Return the entry of the element."""
    return int(case.network.tables[case.layer.name][case.mode, case.inputs[0][at]])


def shortcut(case: Case, at: Place) -> int:
    """Return every stride-th pixel, zero in added channels."""
    place = at[0] * case.layer.stride[0], at[1] * case.layer.stride[1], at[2]
    return case.inputs[0].get(place, case.layer.output.quantization[case.mode].zero_point)


def concatenate(case: Case, at: Place) -> int:
    """Return the element of the map that holds the channel."""
    channel = at[2]
    for values in case.inputs:
        channels = 1 + max(place[2] for place in values)
        if channel < channels:
            return values[at[0], at[1], channel]
        channel -= channels
    raise AssertionError(f"no map holds channel {at[2]}")


def scaled(case: Case, total: int) -> int:
    """Return a sum by the one multiplier of its mode."""
    factors = case.layer.requantization[case.mode]
    return clipped(case, total, factors.multipliers[0], factors.shift)


def clipped(case: Case, total: int, multiplier: int, shift: int) -> int:
    """Return a scaled sum, moved and clipped."""
    values, center = case.layer.output.quantization[case.mode], getattr(case.layer, "center", None)
    zero = values.zero_point if center is None else center
    value = rounded(case.layer.rounding, total, multiplier, shift) + zero
    return max(values.low, min(values.high, value))


def rounded(rounding: str, total: int, multiplier: int, shift: int) -> int:
    """Return total * multiplier / 2**shift in fractions, or in float32 itself."""
    if rounding == "half_up":
        return floor(Fraction(total * multiplier, 2**shift) + Fraction(1, 2))
    if rounding == "float32":
        return int(np.rint(np.float32(total) * np.float32(multiplier * 2.0**-shift)))
    first = floor(Fraction(total * multiplier, 2**31) + Fraction(1, 2))
    second = floor(Fraction(abs(first), 2 ** (shift - 31)) + Fraction(1, 2))
    return second if first > 0 else -second


def upsample(case: Case, at: Place) -> int:
    """Return the pixel that covers a place, or the zero point between pixels."""
    down, across = case.layer.factor
    if case.layer.fill == "zero" and (at[0] % down or at[1] % across):
        return case.layer.output.quantization[case.mode].zero_point
    return case.inputs[0][at[0] // down, at[1] // across, at[2]]


def transpose(case: Case, at: Place) -> int:
    """Return the element whose axes are turned."""
    place = [0, 0, 0]
    for axis, index in zip(case.layer.order, at, strict=True):
        place[axis] = index
    return case.inputs[0][place[0], place[1], place[2]]


def reshape(case: Case, at: Place) -> int:
    """Return the element with the same number in order."""
    _, width, channels = case.layer.output.shape
    return list(case.inputs[0].values())[(at[0] * width + at[1]) * channels + at[2]]


def matmul(case: Case, at: Place) -> int:
    """Return the products of one head, summed over channels or over pixels of the second map."""
    layer, (first, second) = case.layer, case.inputs
    a, b = (case.network.map_of(name) for name in layer.inputs)
    pixels = list(product(range(b.height), range(b.width)))
    each = layer.output.channels // layer.groups
    head, place = divmod(at[2], each)
    summed = a.channels // layer.groups
    total = 0
    for k in range(summed):
        x = first[at[0], at[1], head * summed + k] - case.zeros[0]
        y, c = (pixels[place], head * summed + k) if layer.transposed else (pixels[k], at[2])
        total += x * (second[y[0], y[1], c] - case.zeros[1])
    return scaled(case, total)


def softmax(case: Case, at: Place) -> int:
    """Return the share of a channel in its head."""
    layer, values = case.layer, case.inputs[0]
    table = case.network.held[layer.name]["exponentials"].view(np.float32)
    channels = layer.output.channels // layer.groups
    first = at[2] // channels * channels
    own = [values[at[0], at[1], first + c] for c in range(channels)]
    terms = [Fraction(float(table[max(own) - x])) for x in own]
    total = terms[0]
    for term in terms[1:]:
        total = nearest(total + term)
    share = nearest(nearest(terms[at[2] - first] * layer.factor) / total)
    return bounded(case, share)


def layer_norm(case: Case, at: Place) -> int:
    """Return a channel less the mean of its pixel, over its deviation."""
    arrays = {
        key: [Fraction(float(each)) for each in bits.view(np.float32)]
        for key, bits in case.network.held[case.layer.name].items()
    }
    eps, scale = arrays["constants"]
    channels = case.layer.output.channels
    real = [arrays["values"][case.inputs[0][at[0], at[1], c]] for c in range(channels)]
    mean = Fraction(0) if case.layer.order == "rms" else nearest(sum(real) / channels)
    distance = [nearest(x - mean) for x in real]
    sums = [Fraction(0)] * 8
    for place, x in enumerate(distance):
        sums[place % 8] = nearest(x * x + sums[place % 8])
    while len(sums) > 1:
        half = len(sums) // 2
        sums = [nearest(a + b) for a, b in zip(sums[:half], sums[half:], strict=True)]
    deviation = np.sqrt(np.float32(nearest(nearest(sums[0] / channels) + eps)))
    inverse = nearest(1 / Fraction(float(deviation)))
    normal = nearest(distance[at[2]] * inverse)
    moved = nearest(normal * arrays["gamma"][at[2]] + arrays["beta"][at[2]])
    return bounded(case, nearest(moved / scale))


def nearest(value: Fraction) -> Fraction:
    """Return the float32 nearest to a fraction, of two the even one; of the normal range."""
    if value == 0:
        return value
    magnitude, exponent = abs(value), 0
    while magnitude >= 1 << 24:
        magnitude, exponent = magnitude / 2, exponent + 1
    while magnitude < 1 << 23:
        magnitude, exponent = magnitude * 2, exponent - 1
    steps = round(magnitude) * Fraction(2) ** exponent
    return steps if value > 0 else -steps


def bounded(case: Case, value: Fraction) -> int:
    """Return the nearest whole number, moved and clipped."""
    values = case.layer.output.quantization[case.mode]
    return max(values.low, min(values.high, round(value) + values.zero_point))


def constant(case: Case, at: Place) -> int:
    """Return the element that the file holds."""
    return int(case.network.held[case.layer.name]["map"][at])


def stack(case: Case, at: Place) -> int:
    """Return the element of the map that holds the pixel, counted row after row."""
    pixel = at[0] * case.layer.output.width + at[1]
    for values in case.inputs:
        rows, columns = (1 + max(place[axis] for place in values) for axis in range(2))
        if pixel < rows * columns:
            return values[pixel // columns, pixel % columns, at[2]]
        pixel -= rows * columns
    raise AssertionError(f"no map holds pixel {at[:2]}")


OPERATIONS: dict[str, Callable[[Case, Place], int]] = {
    "conv": conv,
    "linear": linear,
    "max_pool": max_pool,
    "average_pool": average_pool,
    "add": add,
    "multiply": multiply,
    "rescale": rescale,
    "table": table,
    "shortcut": shortcut,
    "concatenate": concatenate,
    "upsample": upsample,
    "transpose": transpose,
    "reshape": reshape,
    "matmul": matmul,
    "softmax": softmax,
    "layer_norm": layer_norm,
    "constant": constant,
    "stack": stack,
}
