"""Products of crossbars whose devices err, exact in integers for a file of effects and a seed.

Every effect but noise is in the cells and converters before the first image: a cell has a level in
steps of 1/64, a converter an offset in the same steps. What runs is integers. A bit step feeds
digits d of the inputs, and column c of a slice gives the code

    code = clip((sum of d * level + offset + noise + 32) >> 6, 0, 2^adc_bits - 1),

and where converters are not linear, that of the same sum plus what their table says of this code;
of converters whose code counts 2^s sums it is the code of `in_steps`, worth 2^s; from them column
accumulators go on as in `golden.crossbar.encoding`. Of differential cells a level is that of the
positive cell less that of the negative one, codes are signed, and accumulators are those of
`golden.crossbar.differential`; rows are those of
`golden.crossbar.rows`, the noise of a read that of `golden.crossbar.read_noise`. A layer has D
copies; its output pixels, row by row, are those of copy 0, 1, .. D - 1 in turn. Without effects
levels are the cells, and all products are those of the network.

Products are of float32, or float64 where a sum may exceed its 24 bits: every sum is a whole number
that the type holds, so they are exact in any order.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.crossbar.devices import (
    Floats,
    bent_steps,
    in_steps,
    levels_of,
    limits_of,
    offsets_of,
    trims_of,
)
from golden.crossbar.differential import code_range, encode_pairs
from golden.crossbar.encoding import Ints, encode
from golden.crossbar.read_noise import Words, gain_of, keys_of, noise_of
from golden.crossbar.rows import Section, sections_of
from golden.ops.windows import windows
from hwgen.chip.effects import DeviceEffects, check_taken
from hwgen.chip.program_checksum import sealed
from hwgen.crossbar.facts.arch import Arch
from hwgen.crossbar.facts.chip import Chip, described
from hwgen.crossbar.facts.columns import Column, columns_of
from hwgen.crossbar.facts.holdings import Holding
from hwgen.crossbar.facts.image_io import CHECKSUM_BYTE, HEADER_BEATS
from hwgen.crossbar.facts.levels import LEVEL_HEADROOM as HEADROOM
from hwgen.crossbar.facts.levels import LEVEL_STEPS as STEPS
from hwgen.crossbar.facts.levels import OFFSET_BITS, STEPS_BITS
from hwgen.crossbar.facts.loads import load_targets
from hwgen.crossbar.facts.packets import HEADER_FIELDS
from hwgen.crossbar.facts.program import BEAT, Program
from hwgen.errors import ConfigError
from hwgen.network import Conv, Linear, QuantizedNetwork

TAKEN = (
    "levels",
    "cells.variation",
    "cells.drift",
    "cells.stuck_at_zero",
    "cells.stuck_at_full",
    "cells.failed_writes",
    "cells.voltage_drop",
    "converters.offset_lsb",
    "converters.bits_below_lossless",
    "converters.nonlinearity",
    "read.deviation",
)
EXACT_IN_FLOAT32 = 1 << 24


@dataclass(frozen=True)
class Tile:
    """A row tile of one copy of a section, as its devices hold it.

    levels: (rows, slices * columns), steps of 1/64; of pairs positive less negative ones
    offsets: (slices * columns), the same, of the converters as they are; trimmed: less whole codes
    flips: (slices, columns), as `encode` gives them
    keys: (slices * columns), of the noise of reads
    negative: of pairs, as `levels`
    """

    levels: Floats
    offsets: Ints
    trimmed: Floats
    flips: Ints
    keys: Words
    negative: NDArray[np.int16] | None = None


@dataclass
class ErringCrossbars:
    """All crossbars of a chip, made layer by layer when a layer is first computed.

    seed: of all draws; layer, section, copy and row tile each have draws of their own
    """

    network: QuantizedNetwork
    arch: Arch
    effects: DeviceEffects
    seed: int
    program: Program | None = None

    def __post_init__(self) -> None:
        """Remember where each layer stands, and the copies that a chip has of it."""
        self._places = {layer.name: place for place, layer in enumerate(self.network.layers)}
        placed = enumerate(self.arch.layers)
        own = [place for place, layer in placed if layer.kind in ("conv", "fc")]
        # A chip takes a network of its shapes, whatever the names of its layers.
        self._names = dict(zip(own, self._weighted(), strict=False))
        self._copies = {
            name: self.arch.layers[place].mapping.copies for place, name in self._names.items()
        }
        self._sections: dict[str, list[Section]] = {}
        self._tiles: dict[tuple[str, int, int], list[Tile]] = {}
        self._orders: dict[tuple[int, int], list[Column]] = {}
        lossless, less = self.arch.point.lossless_bits, self.effects.converters.bits_below_lossless
        self._adc_bits = max(0, min(self.arch.adc_bits, lossless - less))
        codes = 1 << self._adc_bits
        self._range = code_range(self._adc_bits) if self.arch.point.pairs else (0, codes - 1)
        self._step_bits = self.arch.point.step_bits
        self._gain = gain_of(self.effects.read.deviation)
        self._bends = bent_steps(self.effects.converters, codes)

    def __call__(
        self, network: QuantizedNetwork, layer: Conv | Linear, maps: NDArray[Any], mode: int
    ) -> Ints:
        """Return the sums of a layer, (images, height, width, channels), as `accumulate` does."""
        parameters = network.parameters[layer.name]
        if isinstance(layer, Linear):
            seen = maps.reshape(len(maps), 1, 1, -1)
        else:
            zero_point = network.map_of(layer.inputs[0]).quantization[mode].zero_point
            seen = windows(
                maps,
                kernel=parameters.weights.shape[1:3],
                stride=layer.stride,
                padding=layer.padding,
                fill=zero_point,
            )
        images, height, width = seen.shape[:3]
        flat = seen.reshape(images * height * width, -1)
        sums = [
            self._section(layer.name, number, section.taken(flat), pixels=height * width)
            for number, section in enumerate(self._sections_of(layer.name))
        ]
        joined = np.concatenate(sums, axis=-1).reshape(images, height, width, -1)
        added: Ints = joined + parameters.bias[mode]
        return added

    def _section(self, name: str, section: int, inputs: NDArray[Any], *, pixels: int) -> Ints:
        """Return the products (images * pixels, columns) of a section.

        inputs: (images * pixels, rows) unsigned, in the order of the rows of crossbars
        """
        given = inputs.reshape(-1, pixels, inputs.shape[1])
        copies = min(self._copies.get(name, 1), pixels)
        columns = self._sections_of(name)[section].weights.shape[1]
        products = np.empty((len(given), pixels, columns), np.int64)
        for copy in range(copies):
            mine = given[:, copy::copies]
            found = self._copy(
                mine.reshape(-1, inputs.shape[1]),
                self._tiles_of(name, section, copy),
                blocks=mine.shape[1],
            )
            products[:, copy::copies] = found.reshape(*mine.shape[:2], columns)
        return products.reshape(-1, columns)

    def _copy(self, inputs: NDArray[Any], tiles: Sequence[Tile], *, blocks: int = 1) -> Ints:
        """Return the products (pixels, columns) of one copy; blocks: pixels of an image."""
        side, offset = self.arch.point.side, self.arch.weight_bits - 1
        parts = []
        for number, tile in enumerate(tiles):
            given = inputs[:, number * side : (number + 1) * side]
            whole = given.sum(axis=1, dtype=np.int64)[:, np.newaxis]
            sampled = self._sampled(given, tile, blocks).reshape(len(given), *tile.flips.shape)
            full = (2**self.arch.point.cell_bits - 1) * whole[..., np.newaxis]
            totals = np.where(tile.flips == 1, full - sampled, sampled)
            weights = np.int64(1) << (self.arch.point.cell_bits * np.arange(len(tile.flips)))
            taken_off = 0 if self.arch.point.pairs else whole << offset
            parts.append(np.einsum("psc,s->pc", totals, weights) - taken_off)
        products: Ints = np.sum(parts, axis=0, dtype=np.int64)
        return products

    def _sampled(self, inputs: NDArray[Any], tile: Tile, blocks: int = 1) -> Ints:
        """Return the codes of all bit steps, each at its weight: (pixels, slices * columns)."""
        bit_steps = self.arch.bit_steps
        kind, dac_bits = tile.levels.dtype.type, self.arch.point.dac_bits
        coarser, (least, most) = self._step_bits, map(kind, self._range)
        half = kind(1 << (STEPS - 1))
        sums = smallest_kind(int(max(most, -least)) << (self.arch.activation_bits + coarser))
        total = np.zeros((len(inputs), tile.levels.shape[1]), sums)
        for step in range(bit_steps):
            digits = (inputs >> (step * dac_bits)) & ((1 << dac_bits) - 1)
            codes: Floats = digits.astype(kind) @ tile.levels
            codes += tile.trimmed
            if self._gain:
                noise = noise_of(tile.keys, np.arange(blocks) * bit_steps + step, self._gain)
                codes.reshape(-1, *noise.shape)[:] += noise.astype(kind)
            if coarser:
                codes = in_steps(codes, coarser)
            codes += half
            if self._bends.any():
                ideal = np.clip(np.floor(codes * kind(2.0**-STEPS)), least, most)
                codes += self._bends.astype(kind)[(ideal - least).astype(np.int64)]
            codes *= kind(2.0**-STEPS)
            np.floor(codes, out=codes)
            np.clip(codes, least, most, out=codes)
            codes *= kind(1 << (step * dac_bits + coarser))
            total += codes
        return total.astype(np.int64)

    def _sections_of(self, name: str) -> list[Section]:
        """Return the sections of a layer, made once."""
        if name not in self._sections:
            layer = self.network.layers[self._places[name]]
            assert isinstance(layer, Conv | Linear)
            point = self.arch.point
            self._sections[name] = sections_of(self.network, layer, point.side, pairs=point.pairs)
        return self._sections[name]

    def _tiles_of(self, name: str, section: int, copy: int) -> list[Tile]:
        """Return the row tiles of a copy of a section, made once."""
        key = name, section, copy
        if key not in self._tiles:
            side, weights = self.arch.point.side, self._sections_of(name)[section].weights
            self._tiles[key] = [
                self._tile(weights[first : first + side], (self._places[name], *key[1:], first))
                for first in range(0, len(weights), side)
            ]
        return self._tiles[key]

    def _tile(self, weights: Ints, place: tuple[int, ...]) -> Tile:
        """Return a row tile with the errors of its place."""
        rng = np.random.default_rng((self.seed, *place))
        point = self.arch.point
        stored = (encode_pairs if point.pairs else encode)(
            weights.astype(np.int64),
            weight_bits=self.arch.weight_bits,
            cell_bits=point.cell_bits,
        )
        levels = levels_of(
            stored.cells,
            self.effects.cells,
            rng,
            cell_bits=point.cell_bits,
            side=point.side,
            table=self.effects.levels,
        )
        negative = None
        if point.pairs:
            negative = side_by_side(levels[..., 1::2]).astype(np.int16)
            levels = levels[..., ::2] - levels[..., 1::2]
        slices, rows, columns = levels.shape
        offsets = offsets_of((slices * columns,), self.effects.converters, rng, self._step_bits)
        largest = ((1 << (point.cell_bits + STEPS + HEADROOM)) - 1) * rows
        kind = smallest_kind(largest * ((1 << point.dac_bits) - 1) + (1 << OFFSET_BITS))
        held = side_by_side(levels).astype(kind)
        trims = trims_of(offsets, self._step_bits) if self.effects.converters.trimmed else 0
        trimmed = np.asarray(offsets - trims)
        keys = keys_of(self.seed, place, slices * columns)
        return Tile(held, offsets, trimmed.astype(kind), stored.flips, keys, negative)

    @property
    def notes(self) -> Iterator[str]:
        """Yield what these devices cannot show."""
        yield from limits_of(self.effects.converters, self._step_bits)

    def cells_written(self) -> tuple[int, str]:
        """Return the cells that a load writes, of all copies, and what a load is called."""
        weights = sum(
            self._copies[name] * section.weights.size
            for name in self._weighted()
            for section in self._sections_of(name)
        )
        cells = self.arch.slices * (1 + self.arch.point.pairs)
        return weights * cells, "a load of the program"

    def _weighted(self) -> list[str]:
        """Return the layers with weights, in their order."""
        return [layer.name for layer in self.network.layers if isinstance(layer, Conv | Linear)]

    def loaded(self) -> Program:
        """Return the program with what the devices hold, for a chip that is built with `effects`.

        Levels in place of exact cells, and the converter of each column.
        Raises ConfigError for another chip.
        """
        if not self.arch.effects or self.program is None:
            raise ConfigError(
                field="effects",
                allowed="true, so that cells hold levels",
                given=f"{self.arch.effects}",
                source=self.arch.name,
            )
        name, bends = self.effects.name, self._bends.any()
        self._need("read_noise", self._gain, f"reads have the noise of {name}")
        self._need("nonlinear_converters", bends, f"converters are off as those of {name}")
        chip, image = described(self.arch), self.program.image.copy()
        beats = image.view(BEAT)
        targets = [
            {one.number: one for one in load_targets(chip, each.macro)} for each in chip.macros
        ]
        place = HEADER_BEATS
        while place < len(beats):
            head = fields_of(HEADER_FIELDS, int(beats[place]))
            macro = head["travel"] - len(chip.travels)
            target, flits = targets[macro][head["target"]], head["count"]
            if target.kind == "codes":
                # Beyond its last codes a converter of fewer bits is as far off as there.
                code = head["index"] - (1 << self.arch.adc_bits - 1 if chip.pairs else 0)
                steps = self._bends[np.clip(code, *self._range) - self._range[0]]
                beats[place + 1] = int(steps) % (1 << STEPS_BITS)
            if target.kind == "column":
                words = self._column(chip, macro, target.layer, head["index"])
                beats[place + 2 : place + 1 + flits] = words
            place += 1 + flits
        return replace(self.program, image=sealed(image, CHECKSUM_BYTE))

    def _need(self, key: str, errs: Any, purpose: str) -> None:
        """Refuse a chip without what an effect needs."""
        if errs and not getattr(self.arch, key):
            allowed = f"true, so that {purpose}"
            raise ConfigError(field=key, allowed=allowed, given="False", source=self.arch.name)

    def _column(self, chip: Chip, macro: int, place: int, index: int) -> NDArray[np.uint64]:
        """Return the flits of a column behind its first one: planes of levels, its converter."""
        layer = chip.layers[place]
        assert layer.cut is not None
        own = self._columns_of(chip, macro, place)[index]
        tile = self._tiles_of(self._names[place], own.section, own.copy)[own.row_tile]
        channel = own.channel - layer.cut.first_channel(own.section)
        column = own.cell_slice * tile.flips.shape[1] + channel
        parts = [tile.levels[:, column].astype(np.int64)]
        if tile.negative is not None:
            parts.append(tile.negative[:, column].astype(np.int64))
            parts[0] = parts[0] + parts[1]
        planes = np.zeros((len(parts), chip.planes, chip.side), np.uint8)
        for part, levels in zip(planes, parts, strict=True):
            part[:, : len(levels)] = levels >> np.arange(chip.planes)[:, np.newaxis] & 1
        bits = np.packbits(planes.reshape(-1), bitorder="little")
        padded = np.pad(bits, (0, -len(bits) % BEAT.itemsize)).view(BEAT)
        converters = self.effects.converters
        values = int(tile.offsets[column]) % (1 << OFFSET_BITS)
        values |= converters.trimmed << OFFSET_BITS
        values |= (self.arch.adc_bits - self._adc_bits) << (OFFSET_BITS + 1)
        read = [int(tile.keys[column]) | self._gain << 32] if self.arch.read_noise else []
        return np.append(padded, np.array([*read, values], np.uint64))

    def _columns_of(self, chip: Chip, macro: int, place: int) -> list[Column]:
        """Return the columns of a layer in a macro, in the order of conversions."""
        key, layer = (macro, place), chip.layers[place]
        if key not in self._orders:
            held = next(one for one in layer.held if one.macro == macro)
            assert layer.cut is not None
            copies, tiles = range(*held.copies), range(*held.row_tiles)
            holding = Holding(macro=macro, copies=copies, row_tiles=tiles)
            self._orders[key] = columns_of(layer.cut, holding)
        return self._orders[key]


def side_by_side(levels: Ints) -> Ints:
    """Return levels (slices, rows, columns) as (rows, slices * columns)."""
    return levels.transpose(1, 0, 2).reshape(levels.shape[1], -1)


def smallest_kind(largest: int) -> type[np.floating[Any]]:
    """Return the type that holds all whole numbers up to the largest sum."""
    return np.float32 if largest < EXACT_IN_FLOAT32 else np.float64


def fields_of(fields: Sequence[tuple[str, int]], word: int) -> dict[str, int]:
    """Return the fields of a word by name, the first one lowest."""
    found = {}
    for name, bits in fields:
        found[name] = word & ((1 << bits) - 1)
        word >>= bits
    return found


def erring(
    network: QuantizedNetwork,
    arch: Arch,
    effects: DeviceEffects,
    seed: int,
    program: Program | None = None,
) -> ErringCrossbars:
    """Return the sums of layers with weights as the devices of a chip compute them.

    program: that the devices are to be loaded with; None: golden alone errs
    Raises ConfigError for effects that no crossbar has.
    """
    check_taken(effects, TAKEN, "crossbar")
    return ErringCrossbars(network, arch, effects, seed, program)
