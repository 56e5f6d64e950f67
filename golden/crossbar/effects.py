"""Products of crossbars whose devices err, exact in integers for a file of effects and a seed.

Every effect but noise is in the cells and converters before the first image: a cell has a level in
steps of 1/64, a converter an offset in the same steps. What runs is integers. A bit step feeds
digits d of the inputs, and column c of a slice gives the code

    code = clip((sum of d * level + offset + noise + 32) >> 6, 0, 2^adc_bits - 1),

and where converters are not linear, that of the same sum plus what their table says of this code;
of converters whose code counts 2^s sums it is the code of `in_steps`, worth 2^s; from them column
accumulators go on as in `golden.crossbar.encoding`; rows are those of
`golden.crossbar.rows`, the noise of a read that of `golden.crossbar.read_noise`. A layer has D
copies; its output pixels, row by row, are those of copy 0, 1, .. D - 1 in turn. Without effects
levels are the cells, and all products are those of the network.

Products are of float32, or float64 where a sum may exceed its 24 bits: every sum is a whole number
that the type holds, so they are exact in any order.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.crossbar.encoding import Ints, encode
from golden.crossbar.read_noise import Words, gain_of, keys_of, noise_of
from golden.crossbar.rows import Section, sections_of
from golden.ops.windows import windows
from hwgen.chip.device_levels import NUMBERS, LevelTable
from hwgen.chip.effects import CellEffects, ConverterEffects, DeviceEffects, check_taken
from hwgen.crossbar.facts.arch import Arch
from hwgen.crossbar.facts.chip import Chip, described
from hwgen.crossbar.facts.columns import Column, columns_of
from hwgen.crossbar.facts.holdings import Holding
from hwgen.crossbar.facts.image_io import HEADER_BEATS
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

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Tile:
    """A row tile of one copy of a section, as its devices hold it.

    levels: (rows, slices * columns), steps of 1/64
    offsets: (slices * columns), the same, of the converters as they are; trimmed: less whole codes
    flips: (slices, columns), as `encode` gives them
    keys: (slices * columns), of the noise of reads
    """

    levels: Floats
    offsets: Ints
    trimmed: Floats
    flips: Ints
    keys: Words


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
        self._step_bits = self.arch.point.step_bits
        self._gain = gain_of(self.effects.read.deviation)
        self._bends = bent_steps(self.effects.converters, 1 << self._adc_bits)

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
            parts.append(np.einsum("psc,s->pc", totals, weights) - (whole << offset))
        products: Ints = np.sum(parts, axis=0, dtype=np.int64)
        return products

    def _sampled(self, inputs: NDArray[Any], tile: Tile, blocks: int = 1) -> Ints:
        """Return the codes of all bit steps, each at its weight: (pixels, slices * columns)."""
        bit_steps = self.arch.bit_steps
        kind, dac_bits = tile.levels.dtype.type, self.arch.point.dac_bits
        coarser, most = self._step_bits, kind((1 << self._adc_bits) - 1)
        half = kind(1 << (STEPS - 1))
        sums = smallest_kind(int(most) << (self.arch.activation_bits + coarser))
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
                ideal = np.clip(np.floor(codes * kind(2.0**-STEPS)), 0, most)
                codes += self._bends.astype(kind)[ideal.astype(np.int64)]
            codes *= kind(2.0**-STEPS)
            np.floor(codes, out=codes)
            np.clip(codes, 0, most, out=codes)
            codes *= kind(1 << (step * dac_bits + coarser))
            total += codes
        return total.astype(np.int64)

    def _sections_of(self, name: str) -> list[Section]:
        """Return the sections of a layer, made once."""
        if name not in self._sections:
            layer = self.network.layers[self._places[name]]
            assert isinstance(layer, Conv | Linear)
            self._sections[name] = sections_of(self.network, layer, self.arch.point.side)
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
        stored = encode(
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
        slices, rows, columns = levels.shape
        offsets = offsets_of((slices * columns,), self.effects.converters, rng, self._step_bits)
        largest = ((1 << (point.cell_bits + STEPS + HEADROOM)) - 1) * rows
        kind = smallest_kind(largest * ((1 << point.dac_bits) - 1) + (1 << OFFSET_BITS))
        side_by_side = levels.transpose(1, 0, 2).reshape(rows, slices * columns)
        trims = trims_of(offsets, self._step_bits) if self.effects.converters.trimmed else 0
        trimmed = np.asarray(offsets - trims)
        keys = keys_of(self.seed, place, slices * columns)
        return Tile(side_by_side.astype(kind), offsets, trimmed.astype(kind), stored.flips, keys)

    def cells_written(self) -> tuple[int, str]:
        """Return the cells that a load writes, of all copies, and what a load is called."""
        weights = sum(
            self._copies[name] * section.weights.size
            for name in self._weighted()
            for section in self._sections_of(name)
        )
        return weights * self.arch.slices, "a load of the program"

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
                # Above its last code a converter of fewer bits is as far off as there.
                steps = self._bends[min(head["index"], len(self._bends) - 1)]
                beats[place + 1] = int(steps) % (1 << STEPS_BITS)
            if target.kind == "column":
                words = self._column(chip, macro, target.layer, head["index"])
                beats[place + 2 : place + 1 + flits] = words
            place += 1 + flits
        return replace(self.program, image=image)

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
        levels = tile.levels[:, column].astype(np.int64)
        planes = np.zeros((chip.planes, chip.side), np.uint8)
        planes[:, : len(levels)] = levels >> np.arange(chip.planes)[:, np.newaxis] & 1
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


def smallest_kind(largest: int) -> type[np.floating[Any]]:
    """Return the type that holds all whole numbers up to the largest sum."""
    return np.float32 if largest < EXACT_IN_FLOAT32 else np.float64


def levels_of(
    cells: Ints,
    effects: CellEffects,
    rng: np.random.Generator,
    *,
    cell_bits: int,
    side: int,
    table: LevelTable | None = None,
) -> Ints:
    """Return the levels that cells (slices, rows, columns) came to hold, in steps of 1/64.

    side: of a crossbar; the cell farthest from both drivers of it loses the whole voltage drop
    table: of what was measured of each level; None: all follow one formula
    """
    full, shape = 2**cell_bits - 1, cells.shape
    lowest = full * table.points[0].mean if table else 0.0
    values = cells.astype(np.float64)
    if effects.failed_writes:
        values = np.where(rng.random(shape) < effects.failed_writes, full - values, values)
    if effects.variation:
        values *= rng.lognormal(0.0, effects.variation, shape)
    if effects.drift:
        values *= 1 - effects.drift * rng.random(shape)
    if table:
        values = full * measured(values / full, table, rng)
    if effects.stuck_at_zero or effects.stuck_at_full:
        drawn = rng.random(shape)
        values = np.where(drawn < effects.stuck_at_zero, lowest, values)
        values = np.where(drawn >= 1 - effects.stuck_at_full, float(full), values)
    if effects.voltage_drop:
        rows = np.arange(shape[1])[:, np.newaxis] / side
        columns = (np.arange(shape[2]) % side)[np.newaxis] / side
        values *= 1 - effects.voltage_drop * (rows + columns) / 2
    most = (1 << (cell_bits + STEPS + HEADROOM)) - 1
    return np.clip(np.rint(values * (1 << STEPS)), 0, most).astype(np.int64)


def measured(
    shares: NDArray[np.float64], table: LevelTable, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return the conductances of cells at the time of a table, as shares of the highest level.

    shares: of the highest level that the cells are to hold
    """
    given = [point.level for point in table.points]
    mean, deviation, drift, spread = (
        np.interp(shares, given, [getattr(point, name) for point in table.points])
        for name in NUMBERS
    )
    held = written(mean, deviation, table, rng)
    exponents = drift + spread * rng.standard_normal(shares.shape)
    held *= np.exp(-exponents * table.aging)
    if table.lost:
        lowest = table.points[0]
        off = np.full(shares.shape, lowest.mean)
        again = written(off, np.full(shares.shape, lowest.deviation), table, rng)
        held = np.where(rng.random(shares.shape) < table.lost, again, held)
    return held


def written(
    mean: NDArray[np.float64],
    deviation: NDArray[np.float64],
    table: LevelTable,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Return the conductances that cells keep of all rounds of writing."""

    def draw() -> NDArray[np.float64]:
        drawn: NDArray[np.float64] = mean + deviation * rng.standard_normal(mean.shape)
        return np.maximum(0.0, drawn)

    held = draw()
    for _ in range(table.rounds - 1):
        held = np.where(np.abs(held - mean) > table.within, draw(), held)
    return held


def in_steps(sums: Floats, step_bits: int) -> Floats:
    """Return sums in steps of 1/64 of a code that counts 2^step_bits of them, whole numbers.

    With X a sum in steps of 1/64 it is (X - 1 + odd) >> step_bits, and odd is 1 if X holds an odd
    number of whole codes: what lies halfway between two codes becomes the even one of them, so
    that rounding has no bias.
    """
    kind = sums.dtype.type
    whole = np.floor(sums * kind(2.0 ** -(STEPS + step_bits)))
    odd = whole - 2 * np.floor(whole / 2)
    found: Floats = np.floor((sums - 1 + odd) * kind(2.0**-step_bits))
    return found


def offsets_of(
    shape: tuple[int, ...],
    effects: ConverterEffects,
    rng: np.random.Generator,
    step_bits: int = 0,
) -> Ints:
    """Return the offsets of converters in steps of 1/64 of a sum, signed, of 16 bits at most.

    step_bits: a code counts 2^step_bits sums
    """
    most = (1 << OFFSET_BITS - 1) - 1
    offsets = np.rint(rng.normal(0.0, effects.offset_lsb, shape) * (1 << STEPS + step_bits))
    return np.clip(offsets, -most, most).astype(np.int64)


def bent_steps(effects: ConverterEffects, codes: int) -> Ints:
    """Return what is added to the sum of each code, in steps of 1/64 of a code, signed."""
    points = effects.nonlinearity
    if not points:
        return np.zeros(codes, np.int64)
    lsb = np.interp(
        np.arange(codes), [point.code for point in points], [point.lsb for point in points]
    )
    return np.rint(lsb * (1 << STEPS)).astype(np.int64)


def trims_of(offsets: Ints, step_bits: int = 0) -> Ints:
    """Return what trimming takes off: the code of each without inputs, below 0, too."""
    whole = STEPS + step_bits
    trims: Ints = (offsets + (1 << (whole - 1))) >> whole << whole
    return trims


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
