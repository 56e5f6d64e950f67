"""The arithmetic of runtimes: which rounding, which integers a layer computes as they do.

Factors of `xnnpack` and `onnxruntime` are products of float32 numbers, kept exactly; those of
`reference` are the 31-bit multipliers of LiteRT's reference kernels. `half_up` has the 16 bits that
every chip runs.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hwgen.errors import FormatError
from hwgen.importers.integer.factors import Factor, factor_of, pair_of
from hwgen.importers.integer.maps import QuantizedMap
from hwgen.importers.integer.pairs import ALL, Present, best_sum
from hwgen.network import Requantization
from hwgen.network.add import OPERAND_SHIFT
from hwgen.network.maps import BYTE_BITS
from hwgen.network.quantization import (
    FACTORS,
    HALF_UP,
    MULTIPLIER_LOW,
    SIGNED_BITS,
    SIGNIFICANT_BITS,
    Rounding,
)
from hwgen.network.squared_difference import FINER

Kernels = Literal["half_up", "xnnpack", "onnxruntime", "reference"]
"""Whose arithmetic a network computes; `xnnpack`: LiteRT's default kernels."""

Choice = Literal["default", "reference", "half_up"]
"""What a person chooses: the default kernels of the runtime, its reference kernels, or neither."""

ADDITION_BITS = 20
"""The larger factor of an addition of XNNPACK is from 2**20 to 2**21."""

MOST_RIGHT = 62
"""Places that an integer is shifted to the right at most; nothing is left of it."""

RESERVE = np.float32(5.0)
"""Exponentials of onnxruntime stay below the largest float32 over N by this exponent of e."""

Real = NDArray[np.float64]
Integers = NDArray[np.int64]


def kernels_of(choice: Choice, file_format: str, *, source: str) -> Kernels:
    """Return whose arithmetic a choice means for a file of a format; FormatError if nobody's."""
    tflite = file_format == "TFLite"
    if choice == "half_up":
        return "half_up"
    if choice == "default":
        return "xnnpack" if tflite else "onnxruntime"
    if tflite:
        return "reference"
    raise FormatError(
        field="--kernels", allowed="default or half_up for ONNX", given=choice, source=source
    )


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """How the sums of a layer without weights become elements.

    error: of its factors, beside those of the runtime
    different: of all pairs of elements of two maps, those whose result is not the runtime's
    """

    rounding: Rounding
    requantization: Requantization
    operand_shifts: tuple[tuple[int, int], ...] = ()
    error: float = 0.0
    different: int = 0


def f32(value: float) -> float:
    """Return the nearest float32 number."""
    return float(np.float32(value))


def filter_factors(
    kernels: Kernels, scales: Real, source: QuantizedMap, output: QuantizedMap, *, matrix: bool
) -> tuple[Rounding, list[Factor]]:
    """Return the factors of a layer with weights, one a filter.

    scales: of the weights; matrix: the layer is fully connected
    """
    real = [float(each) * source.scale / output.scale for each in scales]
    if kernels == "half_up":
        return HALF_UP, [factor_of(each) for each in real]
    if kernels == "reference":
        if matrix:
            # One float32 product, one rounding.
            real = [f32(f32(each) * source.scale) / output.scale for each in scales]
            return HALF_UP, [exact(each, SIGNED_BITS, "half_up") for each in real]
        rounding: Rounding = "tflite" if max(real) < 1 else "half_up"
        return rounding, [exact(each, SIGNED_BITS, rounding) for each in real]
    products = [f32(f32(f32(each) * source.scale) / output.scale) for each in scales]
    return "float32", [exact(each, SIGNIFICANT_BITS, "float32") for each in products]


def wide_factors(scales: Real, source: QuantizedMap, output: QuantizedMap) -> list[Factor]:
    """Return LiteRT's factors of a convolution's sums of 64 bits: those of 31 bits to 15 bits.

    They are twice as large here, with a shift that is one more, for the ranges of the network file.
    """
    _, long = filter_factors("reference", scales, source, output, matrix=False)
    least = [min(each.multiplier + (1 << 15) >> 16, (1 << 15) - 1) for each in long]
    return [
        Factor(multiplier=2 * multiplier, shift=each.shift - 15, error=0.0)
        for multiplier, each in zip(least, long, strict=True)
    ]


def exact(real: float, bits: int, rounding: Rounding) -> Factor:
    """Return the factor of `bits` bits nearest to a real one, ties away from zero, as a runtime.

    It has no error: the runtime computes with the same integers.
    """
    ranges = FACTORS[rounding]
    part, exponent = math.frexp(real)
    multiplier = math.floor(part * 2**bits + 0.5)
    if multiplier == 1 << bits:
        multiplier, exponent = multiplier // 2, exponent + 1
    shift = bits - exponent
    if shift > ranges.shift_high:
        # Every sum rounds to zero, as by the factor itself.
        return Factor(multiplier=1 << (bits - 1), shift=ranges.shift_high, error=0.0)
    return Factor(multiplier=multiplier, shift=shift, error=0.0)


def product_scaling(
    kernels: Kernels, scales: Sequence[float], output: QuantizedMap, *, gain: float = 1.0
) -> Scaling:
    """Return the scaling of a product of maps of these scales, or of one map."""
    real = gain * math.prod(scales) / output.scale
    product = gain
    for scale in scales:
        product = f32(product * scale)
    product = f32(product / output.scale)
    if kernels == "reference" and product < 1:
        return one(exact(product, SIGNED_BITS, "tflite"), "tflite")
    if kernels in ("xnnpack", "onnxruntime"):
        return one(exact(product, SIGNIFICANT_BITS, "float32"), "float32")
    return one(factor_of(real), HALF_UP)


def rescaling(
    kernels: Kernels, source: QuantizedMap, output: QuantizedMap, *, gain: float = 1.0
) -> Scaling:
    """Return the scaling from one map times a gain to another."""
    if kernels != "xnnpack" or gain != 1:
        return product_scaling(kernels, [source.scale], output, gain=gain)
    # The conversion of XNNPACK has 8 bits behind the point.
    multiplier, shift = round(f32(source.scale / output.scale) * 256), 8
    while 0 < multiplier < MULTIPLIER_LOW:
        multiplier, shift = 2 * multiplier, shift + 1
    if not 0 < multiplier <= FACTORS[HALF_UP].multiplier_high:
        return one(factor_of(source.scale / output.scale), HALF_UP)
    return one(Factor(multiplier=multiplier, shift=shift, error=0.0), HALF_UP)


def one(factor: Factor, rounding: Rounding) -> Scaling:
    """Return the scaling by one factor."""
    given = Requantization(multipliers=(factor.multiplier,), shift=factor.shift)
    return Scaling(rounding=rounding, requantization=given, error=factor.error)


def addition_scaling(
    kernels: Kernels,
    gains: tuple[float, float],
    sources: Sequence[QuantizedMap],
    output: QuantizedMap,
) -> Scaling:
    """Return the scaling of a sum of two maps times gains; error: summed over both ranges."""
    first, second = (gain * each.scale for gain, each in zip(gains, sources, strict=True))
    if kernels == "reference":
        return scaled_thrice(first, second, output)
    if kernels == "half_up":
        one_, other = pair_of(first / output.scale, second / output.scale)
        rounding: Rounding = HALF_UP
    else:
        rounding = HALF_UP if kernels == "xnnpack" else "float32"
        one_, other = floating_pair(f32(first / output.scale), f32(second / output.scale))
    given = Requantization(multipliers=(one_.multiplier, other.multiplier), shift=one_.shift)
    error = one_.error * sources[0].reach + other.error * sources[1].reach
    return Scaling(rounding=rounding, requantization=given, error=error)


def nearest_addition(
    sources: Sequence[QuantizedMap], output: QuantizedMap, present: Present = ALL
) -> Scaling:
    """Return the scaling of a sum of two maps that is onnxruntime's for the most pairs.

    present: of each map the integers that a constant has, None: every one
    """
    found = best_sum(sources, output, present)
    given = Requantization(multipliers=found.multipliers, shift=found.shift)
    return Scaling(rounding=found.rounding, requantization=given, different=found.different)


def floating_pair(first: float, second: float) -> tuple[Factor, Factor]:
    """Return two factors with one shift, the larger from 2**20 to 2**21."""
    _, exponent = math.frexp(max(first, second))
    shift = ADDITION_BITS - (exponent - 1)
    factors = [round(each * 2**shift) for each in (first, second)]
    one_, other = (Factor(multiplier=factor, shift=shift, error=0.0) for factor in factors)
    return one_, other


def scaled_thrice(first: float, second: float, output: QuantizedMap) -> Scaling:
    """Return the scaling of the reference kernels: both operands, then their sum."""
    common = 2 * max(first, second)
    parts = [exact(each / common, SIGNED_BITS, "tflite") for each in (first, second)]
    whole = exact(common / ((1 << OPERAND_SHIFT) * output.scale), SIGNED_BITS, "tflite")
    multipliers = (parts[0].multiplier, parts[1].multiplier, whole.multiplier)
    return Scaling(
        rounding="tflite",
        requantization=Requantization(multipliers=multipliers, shift=whole.shift),
        operand_shifts=((parts[0].shift, parts[1].shift),),
    )


def matrix_scaling(
    kernels: Kernels, sources: Sequence[QuantizedMap], output: QuantizedMap, *, gain: float
) -> Scaling:
    """Return the scaling of a product of two maps; all kernels of LiteRT round it twice."""
    scales = [each.scale for each in sources]
    if kernels not in ("xnnpack", "reference") or gain != 1:
        return product_scaling(kernels, scales, output, gain=gain)
    real = f32(math.prod(scales)) / output.scale
    rounding: Rounding = "tflite" if real < 1 else HALF_UP
    return one(exact(real, SIGNED_BITS, rounding), rounding)


def squared_scaling(first: float, second: float, output: QuantizedMap) -> Scaling:
    """Return the scaling of the square of a difference of two maps of these scales."""
    common = 2 * max(first, second)
    parts = [exact(each / common, SIGNED_BITS, "tflite") for each in (first, second)]
    factor = squared_factor(first, second, output)
    whole = exact(factor, SIGNED_BITS, "tflite")
    multipliers = (parts[0].multiplier, parts[1].multiplier, whole.multiplier)
    return Scaling(
        rounding="tflite",
        requantization=Requantization(multipliers=multipliers, shift=whole.shift),
        operand_shifts=((parts[0].shift, parts[1].shift),),
    )


def squared_factor(first: float, second: float, output: QuantizedMap) -> float:
    """Return the factor of the square of a difference, whose operands are scaled to one half."""
    common = 2 * max(first, second)
    return common * common / ((1 << 2 * FINER) * output.scale)


def fixed_factor(kernels: Kernels, centred: Integers, real: float) -> Integers:
    """Return integers times a factor as LiteRT's functions of one element scale.

    XNNPACK has 8 bits behind the point and one rounding, the reference kernels 31 bits and two.
    """
    if kernels == "xnnpack":
        return (centred * round(f32(real) * 256) + 128) >> 8
    part, exponent = math.frexp(f32(real))
    multiplier = math.floor(part * 2**SIGNED_BITS + 0.5)
    left, right = max(exponent, 0), min(max(-exponent, 0), MOST_RIGHT)
    first = (centred << left) * multiplier + (1 << SIGNED_BITS - 1) >> SIGNED_BITS
    away: Integers = np.sign(first) * (np.abs(first) + (1 << right >> 1) >> right)
    return away


def mean_factors(
    kernels: Kernels, elements: int, source: QuantizedMap, output: QuantizedMap
) -> tuple[Rounding, Factor] | None:
    """Return rounding and factor of LiteRT's MEAN; None where the network has no such factor.

    The reference kernels divide the multiplier of the scales by the elements, which leaves it below
    2**30 unless these are a power of two.
    """
    if kernels == "xnnpack":
        product = f32(f32(source.scale / output.scale) * f32(1 / elements))
        return "float32", exact(product, SIGNIFICANT_BITS, "float32")
    left = elements.bit_length() - 1
    given = exact(source.scale / output.scale, SIGNED_BITS, "tflite")
    shift = given.shift + left
    ranges = FACTORS["tflite"]
    if kernels != "reference" or not ranges.shift_low <= shift <= ranges.shift_high:
        return None
    multiplier = (given.multiplier << left) // elements
    return "tflite", Factor(multiplier=multiplier, shift=shift, error=0.0)


def global_mean(elements: int, source: QuantizedMap, output: QuantizedMap) -> Scaling:
    """Return the scaling of onnxruntime's QLinearGlobalAveragePool.

    It multiplies the scale of the output by the number of elements before it divides.
    """
    factor = f32(source.scale / f32(output.scale * elements))
    return one(exact(factor, SIGNIFICANT_BITS, "float32"), "float32")


def raw_mean(elements: int, source: QuantizedMap) -> tuple[Scaling, int]:
    """Return scaling and center of LiteRT's mean of raw integers, halves away from zero.

    A factor slightly above 1 / n leaves a half on the far side of zero, where rounding half up
    takes it; it moves no other sum across a half.
    """
    bits = 16
    while True:
        shift = bits - 1 + (elements - 1).bit_length()
        multiplier = (1 << shift) // elements + 1
        reach = elements << (source.bits - source.signed)
        margin = 1 if elements % 2 == 0 else 0.5
        if reach * (multiplier * elements - (1 << shift)) < margin * (1 << shift):
            break
        bits += 1
    given = Requantization(multipliers=(multiplier,), shift=shift)
    return Scaling(rounding=HALF_UP, requantization=given), source.offset


def exponentials(source: QuantizedMap, count: int) -> NDArray[np.float32]:
    """Return exp((shift - d) * scale) for d = 0 .. 255; no sum of `count` of them overflows."""
    largest = np.log(np.finfo(np.float32).max / np.float32(count)) - RESERVE
    scale = float(np.float32(source.scale))
    shift = max(0.0, float(largest)) / scale
    table: NDArray[np.float32] = np.exp((shift - np.arange(1 << BYTE_BITS)) * scale).astype("f4")
    return table


def plain_exponentials(source: QuantizedMap) -> NDArray[np.float32]:
    """Return exp(-d * scale) for d = 0 .. 255 as LiteRT's default softmax has them."""
    arguments = -np.arange(1 << BYTE_BITS, dtype=np.float32) * np.float32(source.scale)
    table: NDArray[np.float32] = np.exp(arguments.astype(np.float64)).astype(np.float32)
    return table
