"""The roundings and multipliers of layers, as far as a chip's requantizers have them."""

from collections.abc import Iterator, Sequence

import numpy as np

from hwgen.network.add import Add
from hwgen.network.average_pool import AveragePool
from hwgen.network.conv import Conv
from hwgen.network.graph import Layer, QuantizedNetwork
from hwgen.network.layer import Requantized
from hwgen.network.linear import Linear
from hwgen.network.multiply import Multiply
from hwgen.network.quantization import HALF_UP, SHIFT_HIGH, SIGNIFICANT_BITS, Rounding
from hwgen.network.weights import Weighted


def factor_refusals(
    network: QuantizedNetwork,
    layer: Layer,
    *,
    roundings: Sequence[Rounding],
    multiplier_bits: int,
    factor_bits: int,
) -> Iterator[tuple[str, str, object]]:
    """Yield what of a layer the requantizers of a chip cannot scale.

    roundings: of the chip; multiplier_bits: of its multipliers; factor_bits: of those of an `add`
    """
    if isinstance(layer, Weighted):
        given = network.parameters[layer.name]
        multiplier = int(given.multiplier.max(initial=0))
        shift = int(given.shift.max(initial=0))
    elif isinstance(layer, Requantized):
        multiplier = max(max(entry.multipliers) for entry in layer.requantization)
        shift = max(entry.shift for entry in layer.requantization)
    else:
        return
    bits = factor_bits if isinstance(layer, Add) else multiplier_bits
    if layer.rounding not in roundings:
        allowed = f"in `rounding` of the architecture ([{', '.join(roundings)}])"
        yield "rounding", allowed, layer.rounding
    elif multiplier >> bits:
        yield "multipliers", f"below 2^{bits}", multiplier
    elif layer.rounding == HALF_UP and shift > SHIFT_HIGH:
        yield "shifts", f"at most {SHIFT_HIGH}", shift
    elif layer.rounding == "float32" and not isinstance(layer, Add):
        largest = largest_sum(network, layer)
        if largest >> SIGNIFICANT_BITS:
            yield "sums that round as float32", f"below 2^{SIGNIFICANT_BITS}", largest


def largest_sum(network: QuantizedNetwork, layer: Layer) -> int:
    """Return the largest magnitude that a sum of a layer can have, in any mode."""
    sources = [network.map_of(name) for name in layer.inputs]
    tops = [(1 << source.bits) - 1 for source in sources]
    if isinstance(layer, Conv | Linear):
        given, largest = network.parameters[layer.name], 0
        for mode in range(len(network.graph.modes)):
            weights = layer.active(given.weights, sources[0], mode).astype(np.int64)
            bias = given.bias[mode, : len(weights)]
            highest = bias + tops[0] * weights.clip(min=0).sum(axis=1)
            lowest = bias + tops[0] * weights.clip(max=0).sum(axis=1)
            largest = max(largest, int(highest.max()), -int(lowest.min()))
        return largest
    if isinstance(layer, AveragePool):
        return tops[0] * layer.kernel[0] * layer.kernel[1]
    return tops[0] * tops[1] if isinstance(layer, Multiply) else tops[0]
