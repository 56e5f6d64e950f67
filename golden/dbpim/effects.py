"""Sums of DB-PIM macros whose cells flip, exact in integers for a file of effects and a seed.

A flipped cell reads as the other bit: of a digit of a weight it moves by one place, of an int8
weight one bit changes. Signs, blocks and the constants that take off negative digits lie in
registers and stay as they were written. A macro computes bit planes of a group of inputs with

    term = input bit * weight + negative digits

for each weight, and takes the constants of the row off; so a cell of a negative digit that flipped
leaves an error in every plane that is computed, also where its own input is 0. Which planes are
computed is the bitwise or of the inputs of the group.

A tile's cells are drawn once: each macro that stores it, and each time that it is loaded, meets the
same flips. Weights that no macro holds, such as the taps of depthwise layers, are exact.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from golden.dbpim.dbmu import negative_digits, weight_of
from golden.dbpim.weight_decoder import Codes, decode, pair_values
from golden.network import accumulate
from hwgen.chip.effects import DeviceEffects, check_taken
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import Opcode
from hwgen.dbpim.facts.program import Program, StepPlan
from hwgen.dbpim.facts.stream import Packet, TilePacket, decode_stream
from hwgen.errors import FamilyError
from hwgen.network import INPUT, Conv, Linear, QuantizedNetwork

TAKEN = ("cells.flipped",)
STEPS = (Opcode.LOAD, Opcode.CONV, Opcode.SIMD, Opcode.STORE, Opcode.END)
DIGIT_CELLS = np.array([3, 7])
"""Bits of a weight code that are cells: q of both digits; the others are registers."""
ALL_PLANES, NO_ONE = 255, 1
"""Planes that are computed without `input_bits`, and of a group of zeros, by their weights."""

Ints = NDArray[np.int64]


class HeldTile(NamedTuple):
    """A tile of a filter group as its cells hold it.

    packet: what was loaded; weights: (rows * compartments, filters); left: (rows, filters), what
    negative digits leave in a plane beyond the constants
    """

    packet: TilePacket
    weights: Ints
    left: Ints


class LayerTiles(NamedTuple):
    """The instruction of a layer, and the tiles of each filter group."""

    fields: Mapping[str, int]
    groups: dict[int, list[tuple[TilePacket, int]]]


@dataclass
class ErringMacros:
    """All macros of a chip with a program.

    seed: of all draws; layer, filter group and tile have draws of their own
    """

    network: QuantizedNetwork
    arch: Arch
    effects: DeviceEffects
    seed: int
    program: Program

    def __post_init__(self) -> None:
        """Read which tiles hold the weights of each layer."""
        check_taken(self.effects, TAKEN, "dbpim")
        self._places = {layer.name: place for place, layer in enumerate(self.network.layers)}
        self._layers: dict[str, LayerTiles] = {}
        self._load: Mapping[str, int] = {}
        self._written = 0
        packets = decode_stream(self.program.image, self.arch)
        for step, packet, tiles in instructions(self.program, packets):
            if packet.opcode is Opcode.LOAD and step.layer == INPUT and not self._load:
                self._load = packet.fields
            names = [name for name in (step.layer, *step.fused) if name in self.network.parameters]
            for tile in tiles:
                stored = tile.fields["cores"].bit_count() * self.arch.macros_per_core
                rows = tile.fields["rows"] * self.arch.macro.compartments
                self._written += stored * rows * self.arch.macro.columns
            if packet.opcode is not Opcode.CONV or not names:
                continue
            held = self._layers.setdefault(names[0], LayerTiles(packet.fields, {}))
            for core in range(self.arch.cores):
                self._take(held, [tile for tile in tiles if tile.fields["cores"] >> core & 1])
        self._tiles: dict[tuple[str, int, bool], list[HeldTile]] = {}
        self._checked: set[str] = set()

    def cells_written(self) -> tuple[int, str]:
        """Return the cells that a run writes: its tiles are loaded on the way."""
        return self._written, "a run"

    @staticmethod
    def _take(held: LayerTiles, tiles: list[TilePacket]) -> None:
        """Remember the tiles of each group in the first chunk that a core walks."""
        walked: list[TilePacket] = []
        for tile in tiles:
            walked.append(tile)
            if tile.fields["last"]:
                names = ("group", "second_group") if tile.fields["double"] else ("group",)
                for half, name in enumerate(names):
                    held.groups.setdefault(tile.fields[name], [(one, half) for one in walked])
                walked = []

    def __call__(
        self, network: QuantizedNetwork, layer: Conv | Linear, maps: NDArray[Any], mode: int
    ) -> Ints:
        """Return the sums of a layer, (images, height, width, channels), as `accumulate` does."""
        if layer.name not in self._layers:
            return accumulate(network, layer, maps, mode=mode)
        if layer.name not in self._checked:
            exact = accumulate(network, layer, maps[:1], mode=mode)
            found = self._layer(layer, maps[:1], mode, flips=False)
            if found.shape != exact.shape or not np.array_equal(exact, found):
                raise FamilyError(f"the sums of layer {layer.name} do not follow from its tiles")
            self._checked.add(layer.name)
        return self._layer(layer, maps, mode, flips=True)

    def _layer(self, layer: Conv | Linear, maps: NDArray[Any], mode: int, *, flips: bool) -> Ints:
        """Return the sums of a layer with its bias."""
        held, filters = self._layers[layer.name], self.arch.filters
        height, width = layer.output.height, layer.output.width
        seen = windows_of(held.fields, self._stored(held.fields, layer, maps), (height, width))
        channels = layer.output.channels
        sums = np.zeros((len(seen), -(-channels // filters) * filters), np.int64)
        for group in held.groups:
            own = slice(group * filters, (group + 1) * filters)
            for tile in self._held(layer.name, group, flips=flips):
                sums[:, own] += self._products(held.fields, tile, seen)
        bias = self.network.parameters[layer.name].bias[mode]
        whole: Ints = sums[:, :channels].reshape(len(maps), height, width, channels) + bias
        return whole

    def _stored(
        self, fields: Mapping[str, int], layer: Conv | Linear, maps: NDArray[Any]
    ) -> NDArray[np.uint8]:
        """Return maps in whole words, as buffers hold them; those of packed images in windows."""
        load, word = self._load, self.arch.word
        if layer.inputs[0] == INPUT and load.get("pixel_bytes"):
            count, step = load["window_pixels"], load["window_stride"]
            before = load["window_padding"]
            columns = np.arange(load["columns"])[:, np.newaxis] * step - before + np.arange(count)
            inside = (columns >= 0) & (columns < maps.shape[2])
            seen = maps[:, :, np.where(inside, columns, 0)]
            seen = np.where(inside[..., np.newaxis], seen, load["window_value"])
            maps = seen.reshape(*seen.shape[:3], -1)
        missing = fields["input_channel_words"] * word - maps.shape[3]
        return np.pad(maps, ((0, 0), (0, 0), (0, 0), (0, max(0, missing)))).astype(np.uint8)

    def _products(self, fields: Mapping[str, int], tile: HeldTile, seen: NDArray[np.uint8]) -> Ints:
        """Return what a tile adds to the sums of all positions: (positions, filters)."""
        at = tile.packet.fields
        row = at["kernel_y"] * fields["kernel_width"] + at["kernel_x"]
        first = row * fields["input_channel_words"] + at["channel_word"]
        masks = tile.packet.masks
        selected = seen[:, first : first + len(masks)][:, masks]
        missing = len(tile.weights) - selected.shape[1]
        inputs = np.pad(selected, ((0, 0), (0, missing)))
        total = inputs.astype(np.float64) @ tile.weights
        if tile.left.any():
            groups = inputs.reshape(len(inputs), len(tile.left), -1)
            planes = np.bitwise_or.reduce(groups, axis=2)
            planes = np.where(planes == 0, NO_ONE, planes)
            if not self.arch.sparsity.input_bits:
                planes = np.full_like(planes, ALL_PLANES)
            total += planes.astype(np.float64) @ tile.left
        sums: Ints = total.astype(np.int64)
        return sums

    def _held(self, name: str, group: int, *, flips: bool) -> list[HeldTile]:
        """Return the tiles of a filter group, made once."""
        key = name, group, flips
        if key not in self._tiles:
            self._tiles[key] = [
                self._tile(tile, half, (self._places[name], tile.fields["group"], number), flips)
                for number, (tile, half) in enumerate(self._layers[name].groups[group])
            ]
        return self._tiles[key]

    def _tile(self, tile: TilePacket, half: int, place: tuple[int, ...], flips: bool) -> HeldTile:
        """Return a tile with the flips of its place; half: 1 for the second group of a pair."""
        codes = tile.codes
        width = self.arch.macro.weight_bits
        cells = DIGIT_CELLS if self.arch.sparsity.weight_bits else np.arange(width)
        flipped = codes
        if flips:
            rng = np.random.default_rng((self.seed, *place))
            drawn = rng.random((*codes.shape, len(cells))) < self.effects.flipped
            flipped = codes ^ (drawn * (1 << cells)).sum(axis=-1).astype(np.uint8)
        enable = np.array(
            [tile.fields["filter_enable"] >> n & 1 for n in range(2 * codes.shape[2])]
        )
        filters = codes.shape[2]
        if not self.arch.sparsity.weight_bits:
            # What a flip does to the sign of a narrow weight it does to all bits above.
            weights = (flipped << 8 - width).view(np.int8).astype(np.int64) >> 8 - width
            weights = weights * enable[::2]
            left = np.zeros((len(codes), filters), np.int64)
        else:
            weights, negative = digits_of(flipped, tile, enable, half)
            left = (negative - digits_of(codes, tile, enable, half)[1]).sum(axis=1)
        return HeldTile(tile, weights.reshape(-1, filters), left)


def digits_of(codes: Codes, tile: TilePacket, enable: Ints, half: int) -> tuple[Ints, Ints]:
    """Return the weights of codes and their negative digits, (rows, compartments, filters) each."""
    if tile.fields["double"]:
        values = (pair_values(codes) * enable).reshape(*codes.shape, 2)[..., half]
        return values, -np.minimum(values, 0)
    values = (decode(codes).values * enable).reshape(*codes.shape, 2)
    return weight_of(values), negative_digits(values)


def instructions(
    program: Program, packets: list[Packet]
) -> Iterator[tuple[StepPlan, Packet, list[TilePacket]]]:
    """Yield each step with its instruction, and the tiles that follow it."""
    places = [place for place, packet in enumerate(packets) if packet.opcode in STEPS]
    for step, place, end in zip(
        program.facts.steps, places, [*places[1:], len(packets)], strict=True
    ):
        tiles = [one for one in packets[place + 1 : end] if isinstance(one, TilePacket)]
        yield step, packets[place], tiles


def windows_of(
    fields: Mapping[str, int], stored: NDArray[np.uint8], outputs: tuple[int, int]
) -> NDArray[np.uint8]:
    """Return the words that each position meets: (positions, words of a window, channels)."""
    images, height, width, elements = stored.shape
    y = np.arange(outputs[0])[:, np.newaxis] * fields["stride_y"] - fields["padding_top"]
    x = np.arange(outputs[1])[:, np.newaxis] * fields["stride_x"] - fields["padding_left"]
    y, x = y + np.arange(fields["kernel_height"]), x + np.arange(fields["kernel_width"])
    rows, columns = y[:, np.newaxis, :, np.newaxis], x[np.newaxis, :, np.newaxis, :]
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    seen = stored[:, np.where(inside, rows, 0), np.where(inside, columns, 0)]
    found = np.where(inside[..., np.newaxis], seen, np.uint8(fields["outside"]))
    words = fields["input_channel_words"]
    return found.reshape(images * outputs[0] * outputs[1], -1, elements // words)


def erring(
    network: QuantizedNetwork, arch: Arch, effects: DeviceEffects, seed: int, program: Program
) -> ErringMacros:
    """Return the sums of layers with weights as the devices of a chip compute them.

    Raises ConfigError for effects that no SRAM cell has, FamilyError for a layer whose sums do not
    follow from its tiles.
    """
    return ErringMacros(network, arch, effects, seed, program)
