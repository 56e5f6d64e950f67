"""Products of crossbars whose devices err, exact in integers for a file of effects and a seed.

Every effect is in the cells and converters before the first image: a cell has a level in steps of
1/64, a converter an offset in the same steps. What runs is integers. A bit step feeds digits d of
the inputs, and column c of a slice gives the code

    code = clip((sum of d * level + offset + 32) >> 6, 0, 2^adc_bits - 1),

from which column accumulators go on as in `golden.crossbar.encoding`. A layer has D copies; its
output pixels, row by row, are those of copy 0, 1, .. D - 1 in turn. Without effects levels are the
cells, and all products are those of the network.

Products are of float32, or float64 where a sum may exceed its 24 bits: every sum is a whole number
that the type holds, so they are exact in any order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.crossbar.encoding import Ints, encode
from golden.network import WeightedSums
from golden.ops.windows import windows
from hwgen.chip.effects import CellEffects, ConverterEffects, DeviceEffects
from hwgen.crossbar.facts.arch import Arch
from hwgen.network import Conv, Linear, QuantizedNetwork

STEPS = 6
"""Bits of a level behind the point."""
HEADROOM = 1
"""A cell that varies holds up to twice its full level."""
EXACT_IN_FLOAT32 = 1 << 24

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Tile:
    """A row tile of one copy, and one group, as its devices hold it.

    levels: (rows, slices * columns), steps of 1/64; offsets: (slices * columns), the same
    flips: (slices, columns), as `encode` gives them
    """

    levels: Floats
    offsets: Floats
    flips: Ints


@dataclass
class ErringCrossbars:
    """All crossbars of a chip, made layer by layer when a layer is first computed.

    seed: of all draws; layer, group, copy and row tile each have draws of their own
    """

    network: QuantizedNetwork
    arch: Arch
    effects: DeviceEffects
    seed: int

    def __post_init__(self) -> None:
        """Remember where each layer stands, and the copies that a chip has of it."""
        self._places = {layer.name: place for place, layer in enumerate(self.network.layers)}
        self._copies = {layer.name: layer.mapping.copies for layer in self.arch.layers}
        self._tiles: dict[tuple[str, int, int], list[Tile]] = {}
        self._adc_bits = self.arch.adc_bits - self.effects.converters.bits_below_lossless

    def __call__(
        self, network: QuantizedNetwork, layer: Conv | Linear, maps: NDArray[Any], mode: int
    ) -> Ints:
        """Return the sums of a layer, (images, height, width, channels), as `accumulate` does."""
        weights, bias = network.parameters[layer.name].weights, network.parameters[layer.name].bias
        if isinstance(layer, Linear):
            rows = maps.reshape(len(maps), 1, 1, -1)
            products = self._group(layer, 0, rows, weights.reshape(len(weights), -1).T)
            flat: Ints = products + bias[mode]
            return flat
        zero_point = network.map_of(layer.inputs[0]).quantization[mode].zero_point
        seen = windows(
            maps,
            kernel=weights.shape[1:3],
            stride=layer.stride,
            padding=layer.padding,
            fill=zero_point,
        )
        inputs = np.split(seen, layer.groups, axis=-1)
        filters = np.split(weights, layer.groups)
        sums = [
            self._group(
                layer, group, given.reshape(*seen.shape[:3], -1), held.reshape(len(held), -1).T
            )
            for group, (given, held) in enumerate(zip(inputs, filters, strict=True))
        ]
        joined: Ints = np.concatenate(sums, axis=-1) + bias[mode]
        return joined

    def _group(self, layer: Conv | Linear, group: int, inputs: NDArray[Any], weights: Ints) -> Ints:
        """Return the products of a group; inputs: (images, height, width, rows) unsigned."""
        images, height, width, rows = inputs.shape
        pixels = inputs.reshape(images, height * width, rows)
        copies = min(self._copies.get(layer.name, 1), height * width)
        products = np.empty((images, height * width, weights.shape[1]), np.int64)
        for copy in range(copies):
            mine = pixels[:, copy::copies]
            tiles = self._tiles_of(layer.name, group, copy, weights)
            products[:, copy::copies] = self._copy(mine.reshape(-1, rows), tiles).reshape(
                *mine.shape[:2], -1
            )
        return products.reshape(images, height, width, -1)

    def _copy(self, inputs: NDArray[Any], tiles: Sequence[Tile]) -> Ints:
        """Return the products (pixels, columns) of one copy."""
        side, offset = self.arch.point.side, self.arch.weight_bits - 1
        parts = []
        for number, tile in enumerate(tiles):
            given = inputs[:, number * side : (number + 1) * side]
            whole = given.sum(axis=1, dtype=np.int64)[:, np.newaxis]
            sampled = self._sampled(given, tile).reshape(len(given), *tile.flips.shape)
            full = (2**self.arch.point.cell_bits - 1) * whole[..., np.newaxis]
            totals = np.where(tile.flips == 1, full - sampled, sampled)
            weights = np.int64(1) << (self.arch.point.cell_bits * np.arange(len(tile.flips)))
            parts.append(np.einsum("psc,s->pc", totals, weights) - (whole << offset))
        products: Ints = np.sum(parts, axis=0, dtype=np.int64)
        return products

    def _sampled(self, inputs: NDArray[Any], tile: Tile) -> Ints:
        """Return the codes of all bit steps, each at its weight: (pixels, slices * columns)."""
        kind, dac_bits = tile.levels.dtype.type, self.arch.point.dac_bits
        added, most = tile.offsets + kind(1 << (STEPS - 1)), kind((1 << self._adc_bits) - 1)
        sums = smallest_kind(int(most) << self.arch.activation_bits)
        total = np.zeros((len(inputs), tile.levels.shape[1]), sums)
        for step in range(self.arch.bit_steps):
            digits = (inputs >> (step * dac_bits)) & ((1 << dac_bits) - 1)
            codes = digits.astype(kind) @ tile.levels
            codes += added
            codes *= kind(2.0**-STEPS)
            np.floor(codes, out=codes)
            np.clip(codes, 0, most, out=codes)
            codes *= kind(1 << (step * dac_bits))
            total += codes
        return total.astype(np.int64)

    def _tiles_of(self, name: str, group: int, copy: int, weights: Ints) -> list[Tile]:
        """Return the row tiles of a copy, made once; weights: (rows, columns) signed."""
        key = name, group, copy
        if key not in self._tiles:
            side = self.arch.point.side
            self._tiles[key] = [
                self._tile(weights[first : first + side], (self._places[name], group, copy, first))
                for first in range(0, len(weights), side)
            ]
        return self._tiles[key]

    def _tile(self, weights: Ints, place: tuple[int, ...]) -> Tile:
        """Return a row tile with the errors of its place."""
        rng = np.random.default_rng((self.seed, *place))
        point = self.arch.point
        stored = encode(
            weights.astype(np.int64),
            weight_bits=self.arch.weight_bits,
            cell_bits=point.cell_bits,
        )
        levels = levels_of(
            stored.cells, self.effects.cells, rng, cell_bits=point.cell_bits, side=point.side
        )
        slices, rows, columns = levels.shape
        offsets = offsets_of((slices * columns,), self.effects.converters, rng)
        largest = ((1 << (point.cell_bits + STEPS + HEADROOM)) - 1) * rows
        kind = smallest_kind(largest * ((1 << point.dac_bits) - 1))
        side_by_side = levels.transpose(1, 0, 2).reshape(rows, slices * columns)
        return Tile(side_by_side.astype(kind), offsets.astype(kind), stored.flips)


def smallest_kind(largest: int) -> type[np.floating[Any]]:
    """Return the type that holds all whole numbers up to the largest sum."""
    return np.float32 if largest < EXACT_IN_FLOAT32 else np.float64


def levels_of(
    cells: Ints, effects: CellEffects, rng: np.random.Generator, *, cell_bits: int, side: int
) -> Ints:
    """Return the levels that cells (slices, rows, columns) came to hold, in steps of 1/64.

    side: of a crossbar; the cell farthest from both drivers of it loses the whole voltage drop
    """
    full, shape = 2**cell_bits - 1, cells.shape
    values = cells.astype(np.float64)
    if effects.failed_writes:
        values = np.where(rng.random(shape) < effects.failed_writes, full - values, values)
    if effects.variation:
        values *= rng.lognormal(0.0, effects.variation, shape)
    if effects.drift:
        values *= 1 - effects.drift * rng.random(shape)
    if effects.stuck_at_zero or effects.stuck_at_full:
        drawn = rng.random(shape)
        values = np.where(drawn < effects.stuck_at_zero, 0.0, values)
        values = np.where(drawn >= 1 - effects.stuck_at_full, float(full), values)
    if effects.voltage_drop:
        rows = np.arange(shape[1])[:, np.newaxis] / side
        columns = (np.arange(shape[2]) % side)[np.newaxis] / side
        values *= 1 - effects.voltage_drop * (rows + columns) / 2
    most = (1 << (cell_bits + STEPS + HEADROOM)) - 1
    return np.clip(np.rint(values * (1 << STEPS)), 0, most).astype(np.int64)


def offsets_of(shape: tuple[int, ...], effects: ConverterEffects, rng: np.random.Generator) -> Ints:
    """Return the offsets of converters in steps of 1/64 of a code, less what trimming takes off."""
    offsets = np.rint(rng.normal(0.0, effects.offset_lsb, shape) * (1 << STEPS)).astype(np.int64)
    if effects.trimmed:
        offsets -= np.rint(offsets / (1 << STEPS)).astype(np.int64) << STEPS
    return offsets


def erring(
    network: QuantizedNetwork, arch: Arch, effects: DeviceEffects, seed: int
) -> WeightedSums:
    """Return the sums of layers with weights as the devices of a chip compute them."""
    return ErringCrossbars(network, arch, effects, seed)
