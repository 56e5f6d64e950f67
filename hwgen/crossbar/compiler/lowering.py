"""From a quantized network to what is loaded into a chip: cells and flips, and the rest of numbers.

A packet is an entry of a target of a macro (`hwgen.crossbar.facts.loads`), behind a header.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hwgen import network as net
from hwgen.crossbar.compiler.answers import with_answers
from hwgen.crossbar.compiler.quantized import crossbar_network, functions_of
from hwgen.crossbar.facts import loads
from hwgen.crossbar.facts.arch_fabric import Held
from hwgen.crossbar.facts.chip import Chip, ChipLayer
from hwgen.crossbar.facts.columns import columns_of, rows_in_order
from hwgen.crossbar.facts.holdings import Holding
from hwgen.crossbar.facts.image_io import HEADER_BEATS
from hwgen.crossbar.facts.levels import LEVEL_STEPS
from hwgen.crossbar.facts.packets import HEADER_FIELDS
from hwgen.crossbar.facts.registers import VERSION
from hwgen.crossbar.facts.routes import load_number
from hwgen.errors import ConfigError
from hwgen.network.quantization import MULTIPLIER_BITS, SHIFT_HIGH

Ints = NDArray[np.int64]
Beats = NDArray[np.uint64]

BEAT_BITS = 64
WIDEST = 0
"""Place of the mode that is lowered."""
LOWERED = net.Conv | net.Linear | net.MaxPool | net.AveragePool | net.Shortcut | net.Add
UNCHANGED = (1 << 15, 15)
"""Multiplier and shift that change nothing."""


@dataclass(frozen=True, kw_only=True)
class Tile:
    """A row tile of a section: cells (slices, rows, columns) and flips (slices, columns).

    negative: of pairs, as `cells`, which are then the positive ones; no column is flipped
    """

    cells: Ints
    flips: Ints
    negative: Ints | None = None


class Lowering:
    """Writes the packets of a network for a chip."""

    def __init__(self, chip: Chip, network: net.QuantizedNetwork) -> None:
        """Refuse what the chip does not compute: a message of a sentence."""
        check_computed(network)
        network = with_answers(network)
        self._chip, self._network = chip, network
        self._layers = {layer.name: layer for layer in network.graph.layers}
        # A chip takes a network of its shapes, whatever the names of its layers.
        self._names = [layer.name for layer in crossbar_network(network).layers]
        self._functions = functions_of(network)
        for placed, name in zip(chip.layers, self._names, strict=True):
            if self._functions[name] and not placed.table:
                allowed = f"without a table, as {chip.name} has none behind it"
                given = " and ".join(self._functions[name])
                source = network.graph.name
                raise ConfigError(field=name, allowed=allowed, given=given, source=source)
        self._tiles: dict[tuple[int, int, int], Tile] = {}

    @cached_property
    def program(self) -> Beats:
        """The program image: a header, then packets."""
        flits = [flit for macro in range(len(self._chip.macros)) for flit in self._packets(macro)]
        header = [VERSION | self._chip.id_word << 32, len(flits)]
        header += [0] * (HEADER_BEATS - len(header))
        return np.array([*header, *flits], np.uint64)

    def _packets(self, macro: int) -> Iterator[int]:
        """Yield the flits of all that is loaded into a macro."""
        for target in loads.load_targets(self._chip, macro):
            held = next(h for h in self._chip.layers[target.layer].held if h.macro == macro)
            for index, word in enumerate(self._entries(target, held)):
                fields = {"travel": load_number(self._chip, macro), "count": target.flits}
                yield loads.entry(HEADER_FIELDS, fields | {"target": target.number, "index": index})
                for flit in range(target.flits):
                    yield word >> (flit * BEAT_BITS) & ((1 << BEAT_BITS) - 1)

    def _entries(self, target: loads.LoadTarget, held: Held) -> Iterator[int]:
        """Yield the entries of a target."""
        layer = self._chip.layers[target.layer]
        if target.kind == "column":
            yield from self._columns(layer, held)
        elif target.kind == "channel":
            yield from self._channels(layer)
        elif target.kind == "codes":
            yield from [0] * target.entries
        elif target.kind == "limits":
            yield self._limits(layer)
        elif target.kind == "table":
            for value in self._function(layer):
                yield loads.entry(loads.TABLE_FIELDS, {"value": value})
        else:
            yield self._operands(layer)

    def _columns(self, layer: ChipLayer, held: Held) -> Iterator[int]:
        """Yield the columns of a macro in the order in which they are converted."""
        assert layer.cut is not None
        copies, tiles = range(*held.copies), range(*held.row_tiles)
        holding = Holding(macro=held.macro, copies=copies, row_tiles=tiles)
        chip = self._chip
        lanes = chip.macros[held.macro].adcs * chip.adc_samples_at_once
        for index, column in enumerate(columns_of(layer.cut, holding)):
            tile = self._tile(layer, column.section, column.row_tile)
            place = column.channel - layer.cut.first_channel(column.section)
            head = {
                "flip": int(tile.flips[column.cell_slice, place]),
                "first": int(column.first),
                "cell_slice": column.cell_slice,
                "unit": column.unit,
                "target": column.target,
                "lane": index % lanes,
                "slot": index // lanes,
            }
            parts = [tile.cells] if tile.negative is None else [tile.cells, tile.negative]
            planes = np.zeros((len(parts), chip.planes, chip.side), np.uint8)
            for part, every in enumerate(parts):
                cells = every[column.cell_slice, :, place]
                if chip.effects:
                    cells = cells << LEVEL_STEPS
                for plane in range(chip.planes):
                    planes[part, plane, : len(cells)] = cells >> plane & 1
            packed = np.packbits(planes.reshape(-1), bitorder="little").tobytes()
            yield (
                loads.entry(loads.COLUMN_FIELDS, head)
                | int.from_bytes(packed, "little") << BEAT_BITS
            )

    def _tile(self, layer: ChipLayer, section: int, row_tile: int) -> Tile:
        """Return the cells of a row tile; all copies hold the same."""
        key = layer.place, section, row_tile
        if key not in self._tiles:
            rows = self._section(layer, section)
            side = self._chip.side
            self._tiles[key] = self._encode(rows[row_tile * side : (row_tile + 1) * side])
        return self._tiles[key]

    def _encode(self, weights: Ints) -> Tile:
        """Return weights with an offset in slices, columns of many ones flipped."""
        chip = self._chip
        if chip.pairs:
            return self._pair(weights)
        unsigned, most = weights + (1 << (chip.weight_bits - 1)), (1 << chip.cell_bits) - 1
        shifts = chip.cell_bits * np.arange(chip.slices)
        cells = unsigned[None] >> shifts[:, None, None] & most
        flips = 2 * cells.sum(axis=1) > most * len(weights)
        flipped = np.where(flips[:, None, :], most - cells, cells)
        return Tile(cells=flipped, flips=flips.astype(np.int64))

    def _pair(self, weights: Ints) -> Tile:
        """Return weights by their amount, in slices of the cells of their sign."""
        chip = self._chip
        shifts = chip.cell_bits * np.arange(chip.slices)
        positive, negative = (
            np.maximum(each, 0)[None] >> shifts[:, None, None] & (1 << chip.cell_bits) - 1
            for each in (weights, -weights)
        )
        flips = np.zeros((chip.slices, weights.shape[1]), np.int64)
        return Tile(cells=positive, flips=flips, negative=negative)

    def _section(self, layer: ChipLayer, section: int) -> Ints:
        """Return the weights (rows, columns) of a section: groups on a diagonal, 0 beside them.

        Rows have the order of crossbars, which is another one behind a concatenation.
        """
        cut, weights = layer.cut, self._parameters(layer).weights.astype(np.int64)
        assert cut is not None
        flat = weights.reshape(len(weights), layer.layer.taps, -1)
        inputs, together = flat.shape[2], cut.groups_of(section)
        dense = np.zeros(
            (layer.layer.taps, together, inputs, together, cut.group_columns), np.int64
        )
        for group in range(together):
            first = cut.first_channel(section) + group * cut.group_columns
            own = flat[first : first + cut.group_columns]
            dense[:, group, :, group] = own.transpose(1, 2, 0)
        rows = dense.reshape(-1, together * cut.group_columns)
        shares = self._chip.shares_of(layer.place)
        return rows[rows_in_order(layer.layer, cut, shares, section)] if len(shares) > 1 else rows

    def _channels(self, layer: ChipLayer) -> Iterator[int]:
        """Yield bias, multiplier and shift of each output channel."""
        for channel in range(layer.layer.out_channels):
            bias, multiplier, shift = self._scale(layer, channel)
            values = {"bias": bias, "multiplier": multiplier, "shift": shift}
            yield loads.entry(loads.CHANNEL_FIELDS, values)

    def _scale(self, layer: ChipLayer, channel: int) -> tuple[int, int, int]:
        """Return what turns the sum of a channel into an element: bias, multiplier and shift."""
        own = self._layers[self._names[layer.place]]
        if isinstance(own, net.Conv | net.Linear):
            given = self._parameters(layer)
            bias = int(given.bias[WIDEST, channel])
            if layer.raw:
                return bias, *UNCHANGED
            return bias, int(given.multiplier[WIDEST, channel]), int(given.shift[WIDEST, channel])
        if isinstance(own, net.AveragePool):
            values = own.requantization[WIDEST]
            return 0, values.multipliers[0], values.shift
        if isinstance(own, net.Add):
            # The factors of both operands are loaded with them.
            return 0, 1, own.requantization[WIDEST].shift
        return 0, *UNCHANGED

    def _limits(self, layer: ChipLayer) -> int:
        """Return the zero points of a layer, and the limits of its outputs."""
        own = self._layers[self._names[layer.place]]
        read, written = self._zero(own.inputs[0]), own.output.quantization[WIDEST]
        values = {"input_zero": read, "zero_point": written.zero_point}
        values |= {"low": written.low, "high": written.high}
        if isinstance(own, net.MaxPool | net.Shortcut):
            # What is only moved keeps scale, zero point and limits.
            values |= {"zero_point": 0, "low": 0, "high": (1 << self._chip.activation_bits) - 1}
        return loads.entry(loads.LIMITS_FIELDS, values)

    def _operands(self, layer: ChipLayer) -> int:
        """Return zero points and factors of both operands of an addition."""
        own = self._layers[self._names[layer.place]]
        assert isinstance(own, net.Add)
        first, second = own.requantization[WIDEST].multipliers
        values = {"zero_a": self._zero(own.inputs[0]), "multiplier_a": first}
        values |= {"zero_b": self._zero(own.inputs[1]), "multiplier_b": second}
        return loads.entry(loads.OPERANDS_FIELDS, values)

    def _function(self, layer: ChipLayer) -> list[int]:
        """Return what the tables behind a layer make of each element, one behind the other."""
        values = np.arange(loads.table_entries(self._chip))
        for name in self._functions[self._names[layer.place]]:
            values = self._network.tables[name][WIDEST][values]
        found: list[int] = values.tolist()
        return found

    def _zero(self, name: str) -> int:
        """Return the zero point of a map."""
        graph = self._network.graph
        read = graph.input if name == net.INPUT else self._layers[name].output
        return read.quantization[WIDEST].zero_point

    def _parameters(self, layer: ChipLayer) -> net.Parameters:
        """Return the parameters of a layer with weights."""
        return self._network.parameters[self._names[layer.place]]


def check_computed(network: net.QuantizedNetwork) -> None:
    """Refuse a network with a layer that no chip computes: a message of a sentence."""
    for layer in network.graph.layers:
        check(layer, network)


def check(layer: net.Layer, network: net.QuantizedNetwork) -> None:
    """Refuse a layer whose elements follow from its sums in another way than the chip's."""
    source, where = network.graph.name, f"{layer.name}"
    if isinstance(layer, net.Concatenate | net.Table):
        return
    if not isinstance(layer, LOWERED):
        allowed = "a convolution, fully connected layer, pooling, shortcut, addition, table or"
        allowed += " concatenation"
        raise ConfigError(field=where, allowed=allowed, given=layer.op, source=source)
    if isinstance(layer, net.MaxPool | net.Shortcut):
        return
    if layer.rounding != "half_up":
        raise ConfigError(
            field=f"{where}.rounding",
            allowed="half_up (`hwgen import --kernels half_up`)",
            given=layer.rounding,
            source=source,
        )
    if isinstance(layer, net.Conv | net.Linear):
        given = network.parameters[layer.name]
        most, shift = int(given.multiplier.max(initial=0)), int(given.shift.max(initial=0))
    else:
        values = layer.requantization[WIDEST]
        most, shift = max(values.multipliers), values.shift
    if most >= 1 << MULTIPLIER_BITS:
        allowed = f"multipliers of {MULTIPLIER_BITS} bits"
        raise ConfigError(field=where, allowed=allowed, given=f"{most}", source=source)
    if shift > SHIFT_HIGH:
        allowed = f"shifts up to {SHIFT_HIGH}"
        raise ConfigError(field=where, allowed=allowed, given=f"{shift}", source=source)
    if isinstance(layer, net.AveragePool) and (
        layer.divisor != "window" or layer.center is not None
    ):
        allowed = "a mean of whole windows around the zero points"
        other = layer.divisor if layer.center is None else f"around {layer.center}"
        raise ConfigError(field=where, allowed=allowed, given=other, source=source)
