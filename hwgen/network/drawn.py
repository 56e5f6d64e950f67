"""Draw a network and its maps that have given densities: `hwgen/network/densities.py`.

What is drawn is drawn evenly and without regard to its neighbours: blocks of a layer, digits of a
weight, bits of a map.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from hwgen.files.digests import digest_of
from hwgen.network.csd import phi
from hwgen.network.densities import (
    GROUP,
    Densities,
    MapDensities,
    WeightDensities,
    has_blocks,
)
from hwgen.network.graph import KINDS, QuantizedNetwork
from hwgen.network.layer import Arrays
from hwgen.network.maps import BYTE_BITS, FeatureMap
from hwgen.network.quantization import FACTORS
from hwgen.network.sparsity import ALPHA, PHI_LIMIT
from hwgen.network.weights import PARAMETER_TYPES, Parameters

SEED = 1
BYTES = np.arange(-128, 128)
DIGITS_OF = np.array([phi(value) for value in range(-128, 128)])
"""CSD digits of each of `BYTES`."""
SMALL = 8
"""A sum becomes an element over two to this, about."""


def digest_of_densities(densities: Densities) -> str:
    """Return sha256 of shapes and densities, 64 hex digits."""
    plain = TypeAdapter(Densities).dump_python(densities, mode="json")
    return digest_of(plain)


def drawn_network(densities: Densities) -> QuantizedNetwork:
    """Return a network with weights of these densities; its answers mean nothing.

    Its graph says so, with the digest of the densities, as they decide the maps as well.
    """
    graph, rng = densities.graph, np.random.default_rng(SEED)
    features = graph.maps
    parameters, tables, held = {}, {}, {}
    for layer in graph.layers:
        before = [features[name] for name in layer.inputs]
        if layer.ARRAY_TYPES == PARAMETER_TYPES:
            parameters[layer.name] = drawn_parameters(
                layer, before[0], densities.weights.get(layer.name), rng
            )
        elif isinstance(layer, KINDS["table"]):
            tables[layer.name] = plain_table(layer, before[0])
        elif layer.ARRAY_TYPES:
            held[layer.name] = plain_arrays(layer, rng)
    return QuantizedNetwork(
        graph=replace(
            graph,
            dataset="",
            class_names=[],
            preprocessing=f"drawn: {digest_of_densities(densities)}",
        ),
        parameters=parameters,
        tables=tables,
        held=held,
    )


def drawn_parameters(
    layer: Any, before: FeatureMap, given: WeightDensities | None, rng: np.random.Generator
) -> Parameters:
    """Return weights of a layer, with factors that mean nothing; given: None: all of two digits."""
    shape, outputs = layer.weights_shape(before), layer.output.channels
    if has_blocks(layer):
        weights = drawn_weights(shape, given or WeightDensities(), rng)
    elif layer.weight_grid == "odd":
        weights = 2 * rng.integers(-(1 << layer.weight_bits - 1), 1 << layer.weight_bits - 1, shape)
        weights = weights + 1
    else:
        most = 1 << min(layer.weight_bits, BYTE_BITS) - 1
        weights = rng.integers(-most, most, shape)
    wide = layer.weight_grid == "integer" and layer.weight_bits > BYTE_BITS
    scaled = 0 if layer.output.raw else outputs
    multiplier = FACTORS[layer.rounding].multiplier_low
    return Parameters(
        weights=weights.astype(np.int16 if wide else np.int8),
        bias=np.zeros((1, outputs), np.int64),
        multiplier=np.full((1, scaled), multiplier, np.uint32),
        shift=np.full((1, scaled), multiplier.bit_length() + SMALL, np.uint8),
        weight_scale=np.ones(outputs, np.float32),
    )


def drawn_weights(
    shape: tuple[int, ...], given: WeightDensities, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return weights, (filters, ...): blocks pruned, each other weight with at most its digits.

    The first weight of a group that is not pruned has as many digits as the group may have, so
    that a small group has its limit.
    """
    weights = np.zeros((shape[0], int(np.prod(shape[1:]))), np.int64)
    groups = -(-shape[0] // ALPHA)
    limits = rng.permutation(spread(given.digits, groups))
    masks = drawn_masks(-(-groups * ALPHA // given.block_filters), weights.shape[1], given, rng)
    for number, limit in enumerate(limits):
        group = weights[number * ALPHA : (number + 1) * ALPHA]
        kept = np.flatnonzero(masks[number * ALPHA // given.block_filters])
        if limit == 0 or not len(kept):
            continue
        size = len(group), len(kept)
        most = min(limit, PHI_LIMIT)
        group[:, kept] = rng.choice(of_digits(most if given.exact else 1, most), size)
        if limit > PHI_LIMIT:
            twice = kept[rng.random(len(kept)) < given.more_than_two]
            filters = rng.integers(0, len(group), len(twice))
            group[filters, twice] = rng.choice(of_digits(PHI_LIMIT + 1, limit), len(twice))
        group[0, kept[0]] = rng.choice(of_digits(limit, limit))
    return weights.reshape(shape)


def drawn_masks(
    rows: int, inputs: int, given: WeightDensities, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Return which blocks are not pruned, (rows, inputs): as many as the share says, nearly."""
    masks = np.arange(rows * inputs) >= round(rows * inputs * given.pruned_blocks)
    return rng.permutation(masks).reshape(rows, inputs)


def of_digits(least: int, most: int) -> NDArray[np.int64]:
    """Return all bytes with so many digits."""
    return BYTES[np.logical_and(least <= DIGITS_OF, most >= DIGITS_OF)]


def spread(shares: tuple[float, ...], count: int) -> NDArray[np.int64]:
    """Return `count` numbers, of each as many as its share says, to the nearest one."""
    ends = np.rint(np.cumsum(shares) * count).astype(int)
    ends[-1] = count
    return np.repeat(np.arange(len(shares)), np.diff(ends, prepend=0))


def plain_table(layer: Any, before: FeatureMap) -> NDArray[np.uint8]:
    """Return a table of one value, in the range of the output."""
    table = np.zeros((1, 1 << BYTE_BITS), np.uint8)
    table[0, : 1 << before.bits] = layer.output.quantization[0].low
    return table


def plain_arrays(layer: Any, rng: np.random.Generator) -> Arrays:
    """Return arrays of a layer of another kind, such that a chip runs it."""
    ones = np.ones(1 << BYTE_BITS, np.float32)
    if isinstance(layer, KINDS["softmax"]):
        return {"exponentials": ones.view(np.uint32)}
    if isinstance(layer, KINDS["layer_norm"]):
        channels = layer.output.channels
        return {
            "values": np.arange(1 << BYTE_BITS, dtype=np.float32).view(np.uint32),
            "gamma": np.ones(channels, np.float32).view(np.uint32),
            "beta": np.zeros(channels, np.float32).view(np.uint32),
            "constants": np.array([1e-5, 1.0], np.float32).view(np.uint32),
        }
    most = 1 << layer.output.bits
    return {"map": rng.integers(0, most, layer.output.shape, dtype=np.uint8)}


def drawn_maps(densities: Densities, images: int) -> dict[str, NDArray[Any]]:
    """Return all maps by name, (images, height, width, channels), raw ones zero."""
    rng = np.random.default_rng(SEED)
    return {
        name: drawn_map((images, *feature.shape), densities.maps[name], rng)
        if feature.bits <= BYTE_BITS
        else np.zeros((images, *feature.shape), feature.dtype)
        for name, feature in densities.graph.maps.items()
    }


def drawn_map(
    shape: tuple[int, ...], given: MapDensities, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Return a map: each bit of a group of channels is zero throughout, or drawn with a one."""
    channels = shape[-1]
    words, pixels = -(-channels // GROUP), int(np.prod(shape[:-1]))
    found = np.zeros((pixels, words, GROUP), np.uint8)
    filled = np.minimum(GROUP, channels - GROUP * np.arange(words))
    for bit, (ones, zeros) in enumerate(zip(given.ones, given.zero_planes, strict=True)):
        active = rng.random((pixels, words), dtype=np.float32) >= zeros
        share = chance(ones / (1 - zeros), min(GROUP, channels)) if zeros < 1 else 0.0
        drawn = active[:, :, None] & (rng.random(found.shape, dtype=np.float32) < share)
        drawn &= np.arange(GROUP) < filled[:, None]
        pixel, word = np.nonzero(active & ~drawn.any(axis=2))
        drawn[pixel, word, rng.integers(0, filled[word])] = True
        found |= drawn.astype(np.uint8) << bit
    return found.reshape(pixels, -1)[:, :channels].reshape(shape)


def chance(share: float, size: int) -> float:
    """Return the chance of a one that gives a share of ones, where none in `size` becomes one.

    0 for a share that this one alone exceeds.
    """
    low, high = 0.0, 1.0
    for _ in range(20):
        middle = (low + high) / 2
        if middle + (1 - middle) ** size / size < share:
            low = middle
        else:
            high = middle
    return low
