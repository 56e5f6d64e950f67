"""Chips of one macro: description, weights, what is loaded into the macro, and its answers."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, cast

import numpy as np

from golden.crossbar.encoding import Ints, encode
from golden.ops.maps import conv, max_pool, shortcut, weighted_sum, window_sums
from golden.ops.requantize import requantize
from hwgen.crossbar.facts.arch_fabric import Held, Macro, Operation, Region, Travel
from hwgen.crossbar.facts.chip import Chip, ChipLayer
from hwgen.crossbar.facts.columns import (
    column_accumulator_bits,
    columns_of,
    input_sum_bits,
    partial_sum_bits,
)
from hwgen.crossbar.facts.holdings import Cut, Holding, cut_of, holdings_of
from hwgen.crossbar.facts.loads import (
    CHANNEL_FIELDS,
    COLUMN_FIELDS,
    LIMITS_FIELDS,
    OPERANDS_FIELDS,
    TABLE_FIELDS,
    entry,
    load_targets,
    table_entries,
)
from hwgen.crossbar.facts.network import CrossbarLayer
from hwgen.crossbar.facts.operations import OperationName
from hwgen.crossbar.facts.point import Point
from hwgen.crossbar.facts.ports import pool_clocks, tile_reads, window_reads

BIT_STEP = ("mvm", "adc", "shift_add")
"""Operations of each bit step."""


@dataclass(frozen=True, kw_only=True)
class MacroCase:
    """A network in one macro, whose image comes over the link and whose last map leaves over it.

    side, cell_bits, dac_bits: of the crossbars; word_bits: of the scratchpad
    layers: each with the pixels of its blocks; those that read no layer read the image
    adcs: of the macro; samples: of an ADC in how many clocks
    raw: the last layer gives sums
    clocks: steps of a bit step of the last layer
    macros: over which the first layer is spread; the others work in the last one
    step: clocks of a step, in which conversions and additions are through; 0: as many as each
        operation but those of vector units needs
    units: of each activation
    early: layers whose activation begins a step before what it reads is through
    """

    layers: tuple[CrossbarLayer, ...]
    copies: tuple[int, ...]
    side: int = 16
    cell_bits: int = 2
    dac_bits: int = 2
    weight_bits: int = 8
    bits: int = 8
    word_bits: int = 128
    adcs: int = 4
    samples: tuple[int, int] = (1, 1)
    access_clocks: int = 1
    raw: bool = False
    clocks: int = 1
    macros: int = 1
    step: int = 0
    units: int = 1
    early: tuple[int, ...] = ()

    @cached_property
    def slices(self) -> int:
        """Cells of a weight."""
        return -(-self.weight_bits // self.cell_bits)

    @cached_property
    def bit_steps(self) -> int:
        """Bit steps of an input."""
        return -(-self.bits // self.dac_bits)

    def cut(self, place: int) -> Cut:
        """Return how a layer with weights is cut."""
        return cut_of(self.layers[place], self.side, self.slices)

    def holdings(self, place: int) -> list[Holding]:
        """Return what macros hold of a layer with weights."""
        macros = range(self.macros) if place == 0 else range(self.macros - 1, self.macros)
        return holdings_of(self.cut(place), self.copies[place], macros)

    def output_elements(self, place: int) -> int:
        """Return the elements of the scratchpad that one of a map takes."""
        return 32 // self.bits if self.raw and place == len(self.layers) - 1 else 1

    def bit_clocks(self, place: int) -> int:
        """Return the steps of a bit step of a layer."""
        return self.clocks if place == len(self.layers) - 1 else 1

    def map_elements(self, place: int | None) -> int:
        """Return the elements of the map of a layer; None: the image."""
        if place is not None:
            layer = self.layers[place]
            return layer.pixels * layer.out_channels * self.output_elements(place)
        first = self.layers[0]
        pixels = 1 if first.kind == "fc" else first.in_sides[0] * first.in_sides[1]
        return pixels * first.in_channels

    def ring_words(self, place: int | None) -> int:
        """Return words that hold two maps."""
        return -(-2 * self.map_elements(place) * self.bits // self.word_bits)

    @cached_property
    def chip(self) -> Chip:
        """The description of the chip."""
        point = Point(
            rram_ratio=None, cell_bits=self.cell_bits, side=self.side, dac_bits=self.dac_bits
        )
        places = range(len(self.layers))
        layers = tuple(self._layer(place) for place in places)
        regions, word = [], 0
        for macro, kind, place, provider in self._rings():
            words = self.ring_words(provider)
            regions.append(
                Region(
                    macro=macro,
                    kind=kind,
                    layer=place,
                    provider=provider,
                    first_channel=0,
                    pixel_channels=1,
                    bits=self.bits,
                    first_word=word,
                    words=words,
                )
            )
            word += words
        return Chip(
            name="case",
            side=self.side,
            cell_bits=self.cell_bits,
            dac_bits=self.dac_bits,
            adc_bits=point.adc_bits,
            weight_bits=self.weight_bits,
            activation_bits=self.bits,
            slices=self.slices,
            bit_steps=self.bit_steps,
            column_accumulator_bits=column_accumulator_bits(self.side, self.cell_bits, self.bits),
            input_sum_bits=input_sum_bits(self.side, self.bits),
            step_clocks=self.step_clocks,
            access_clocks=self.access_clocks,
            word_bits=self.word_bits,
            flit_bits=64,
            lanes=32,
            adc_samples=self.samples[0],
            adc_clocks=self.samples[1],
            rows=1,
            columns=1,
            io_node=0,
            image_channels=self.layers[0].in_channels,
            image_sides=self.layers[0].in_sides,
            interval=1,
            layers=layers,
            macros=tuple(
                Macro(
                    macro=macro,
                    node=macro,
                    words=word,
                    dacs=0,
                    crossbars=0,
                    adcs=self.adcs,
                    shift_add=1,
                    addition=1,
                    relu=1,
                    sigmoid=0,
                    pool=1,
                    eltwise=1,
                )
                for macro in range(self.macros)
            ),
            regions=tuple(regions),
            travels=tuple(self._travels()),
        )

    def _rings(self) -> Iterator[tuple[int, Any, int, int | None]]:
        """Yield macro, kind, layer and provider of each ring."""
        last = self.macros - 1
        for place, layer in enumerate(self.layers):
            if not layer.providers:
                for macro in range(self.macros) if place == 0 else (last,):
                    yield macro, "input", place, None
            yield last, "output", place, place

    def _travels(self) -> Iterator[Travel]:
        """Yield what travels: the image to each of its readers, chains, gathers, the answer."""
        last, node = len(self.layers) - 1, self.macros - 1
        every = tuple(range(self.macros))
        readers = [place for place, one in enumerate(self.layers) if not one.providers]
        kinds: list[tuple[Any, int | None, tuple[int, ...], int, tuple[int, ...], int]] = [
            ("image", None, (place,), 0, (node,) if place else every, 0) for place in readers
        ]
        held = self.holdings(0) if self.layers[0].has_weights else []
        tiles, waits = self.cut(0).row_tiles if held else 0, 0
        for one in held:
            if one.row_tiles.stop < tiles:
                kinds.append(("chain", 0, (0,), one.macro, (one.macro + 1,), 0))
            elif one.macro != node:
                kinds.append(("gather", 0, (0,), one.macro, (node,), waits))
                elements = len(one.copies) * self.layers[0].out_channels
                waits += 1 - (-elements * self.bits // 64)
        kinds.append(("result", last, (), node, (0,), 0))
        for number, (kind, of, read, source, targets, first_clock) in enumerate(kinds):
            yield Travel(
                id=number,
                kind=kind,
                layer=of,
                readers=read,
                source=source,
                targets=targets,
                tree=(),
                pixels=1,
                channels=1,
                bits=self.bits,
                clocks=1,
                first_clock=first_clock,
            )

    def _held(self, place: int) -> Iterator[Held]:
        """Yield what macros hold of a layer."""
        layer, copies = self.layers[place], self.copies[place]
        numbers = dict.fromkeys(("shift_add", "addition", "pool", "eltwise"), 1)
        numbers["activation"] = self.units
        if not layer.has_weights:
            empty = dict.fromkeys(("units", "crossbars", "dacs", "conversions", "slots"), 0)
            yield Held(
                macro=self.macros - 1,
                copies=(0, copies),
                row_tiles=(0, 0),
                results=copies,
                adcs=self.adcs,
                **numbers,
                **empty,
            )
            return
        cut = self.cut(place)
        for one in self.holdings(place):
            units = one.tiles * cut.sections
            yield Held(
                macro=one.macro,
                copies=(one.copies.start, one.copies.stop),
                row_tiles=(one.row_tiles.start, one.row_tiles.stop),
                results=len(one.copies) if one.row_tiles.stop == cut.row_tiles else 0,
                units=units,
                crossbars=units * cut.column_tiles * self.slices,
                conversions=len(columns_of(cut, one)),
                adcs=self.adcs,
                dacs=0,
                slots=0,
                **numbers,
            )

    def _operations(self, place: int) -> list[str]:
        """Return the names of the operations of a layer."""
        layer = self.layers[place]
        spread = self.holdings(place) if layer.has_weights else []
        whole = [one for one in spread if one.row_tiles.stop == self.cut(place).row_tiles]
        names = ["transfer", "load"] if not layer.providers else ["load"]
        names += [*BIT_STEP, "addition"] if layer.has_weights else [layer.kind]
        names += ["chain"] if len(whole) < len(spread) else []
        names += ["activation"]
        names += ["gather"] if len(whole) > 1 else []
        return [*names, "store", *(["result"] if place == len(self.layers) - 1 else [])]

    def _layer(self, place: int) -> ChipLayer:
        """Return one layer."""
        layer, copies = self.layers[place], self.copies[place]
        raw = self.output_elements(place) > 1
        cut = self.cut(place) if layer.has_weights else None
        return ChipLayer(
            place=place,
            layer=layer,
            copies=copies,
            blocks=-(-layer.pixels // copies),
            first_macro=0 if place == 0 else self.macros - 1,
            macros=self.macros if place == 0 else 1,
            merge_macro=self.macros - 1,
            partner=None,
            clocks_per_bit=self.bit_clocks(place),
            operations=tuple(
                Operation(
                    name=cast(OperationName, name),
                    steps=self._steps(place, name),
                    bit_steps=self.bit_steps if name in BIT_STEP else 1,
                    period=1,
                    clocks=1,
                )
                for name in self._operations(place)
            ),
            output_bits=32 if raw else self.bits,
            raw=raw,
            table=layer.activation == "sigmoid",
            operands=layer.providers if layer.kind == "eltwise" else (),
            cut=cut,
            partial_sum_bits=0
            if cut is None
            else partial_sum_bits(cut.group_rows, self.weight_bits, self.bits),
            held=tuple(self._held(place)),
        )

    def _steps(self, place: int, name: str) -> int:
        """Return the steps of an operation, as the rules charge them: a word a clock."""
        layer, copies, word = self.layers[place], self.copies[place], self.word_bits // self.bits
        if name in BIT_STEP:
            return self.bit_clocks(place)
        if name in ("transfer", "load", "store", "result"):
            return -(-self.fitting_clocks // self.step_clocks)
        elements = copies * layer.out_channels * self.output_elements(place)
        clocks = elements if name in ("eltwise", "activation") else 0
        if name == "pool":
            return -(-copies * pool_clocks(layer, self._shares(place), word) // self.step_clocks)
        return max(1, -(-clocks // (word * self.step_clocks)))

    def _shares(self, place: int) -> tuple[int, ...]:
        """Return the channels of each map that a layer reads."""
        providers = self.layers[place].providers
        found = tuple(self.layers[one].out_channels for one in providers)
        return found or (self.layers[place].in_channels,)

    @property
    def step_clocks(self) -> int:
        """Clocks of a step."""
        return self.step or self.fitting_clocks

    @cached_property
    def fitting_clocks(self) -> int:
        """Clocks in which each operation but those of vector units is through."""
        accesses, most = 0, 0
        word = self.word_bits // self.bits
        flit = 64 // self.bits
        for place, layer in enumerate(self.layers):
            copies = self.copies[place]
            elements = copies * layer.out_channels * self.output_elements(place)
            accesses += 4 * (elements // word + 2)
            if layer.has_weights:
                accesses += copies * sum(tile_reads(layer, self.cut(place), word))
                columns = max(len(columns_of(self.cut(place), h)) for h in self.holdings(place))
                slots = -(-columns // self.adcs)
                most = max(most, -(-(slots * self.samples[1] + 1) // self.bit_clocks(place)))
                # The addition has one step, for the slots of all its lanes.
                most = max(most, slots + 1)
                most = max(most, 5 * self.macros + elements + layer.out_channels)
            elif layer.kind == "pool":
                accesses += copies * window_reads(layer, word)
            if not layer.providers:
                accesses += 2 * self.map_elements(None) // word + 2
                most = max(most, self.map_elements(None) // flit + 4)
            most = max(most, elements + 4)
        return max(most, accesses * self.access_clocks)


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What a layer computes with: weights (out, kernel rows, columns, in / groups) and the rest.

    multiplier, shift: by output channel; operands: zero points and factors of an addition
    table: by element, of a layer that has one
    """

    weights: Ints
    bias: Ints
    multiplier: Ints
    shift: Ints
    input_zero: int
    zero_point: int
    low: int
    high: int
    operands: tuple[int, int, int, int] = (0, 0, 0, 0)
    table: Ints | None = None


def draw(case: MacroCase, rng: np.random.Generator) -> list[Loaded]:
    """Return random parameters of each layer; sums fill the range of the elements."""
    zeros: list[int] = []
    image_zero = int(rng.integers(0, 1 << case.bits))
    found = []
    for layer in case.layers:
        zero = zeros[layer.providers[0]] if layer.providers else image_zero
        found.append(draw_layer(case, layer, rng, zero=zero, zeros=zeros))
        zeros.append(found[-1].zero_point)
    return found


def draw_layer(
    case: MacroCase, layer: CrossbarLayer, rng: np.random.Generator, *, zero: int, zeros: list[int]
) -> Loaded:
    """Return random parameters of a layer whose first input has the zero point `zero`."""
    top, outputs = (1 << case.bits) - 1, layer.out_channels
    if layer.activation == "sigmoid":
        top = min(top, table_entries(case.chip) - 1)
    half = 1 << (case.weight_bits - 1)
    rows = (*layer.kernels, layer.in_channels // layer.groups)
    low = int(rng.integers(0, top // 4 + 1))
    spread = (half * top // 4) * int(np.sqrt(np.prod(rows)))
    shift = max(16, min(47, spread.bit_length() + 16 - case.bits))
    limits: dict[str, Any] = {
        "zero_point": int(rng.integers(low, top + 1)),
        "low": low,
        "high": int(rng.integers(max(low, top // 2), top + 1)),
    }
    given: dict[str, Any] = {
        "weights": rng.integers(-half, half, (outputs, *rows)),
        "bias": rng.integers(-spread // 2, spread // 2, outputs),
        "multiplier": rng.integers(1 << 15, 1 << 16, outputs),
        "shift": rng.integers(shift - 1, shift + 2, outputs),
        "input_zero": zero,
    }
    if not layer.has_weights:
        given["bias"] = np.zeros(outputs, np.int64)
    if layer.kind == "pool" and not layer.average:
        # What a pooling moves keeps scale, zero point and limits.
        given |= {"multiplier": np.full(outputs, 1 << 15), "shift": np.full(outputs, 15)}
        limits = {"zero_point": 0, "low": 0, "high": top}
    if layer.kind == "pool" and layer.average:
        bits = 15 + (layer.taps - 1).bit_length()
        given["shift"] = np.full(outputs, bits)
    if layer.kind == "eltwise":
        given |= {"multiplier": np.ones(outputs, np.int64), "shift": np.full(outputs, 16)}
        first, second = (int(one) for one in rng.integers(1 << 14, 1 << 16, 2))
        given["operands"] = (zero, first, zeros[layer.providers[1]], second)
    if layer.activation == "sigmoid":
        given["table"] = rng.permutation(table_entries(case.chip))
    return Loaded(**given, **limits)


def answers(case: MacroCase, loaded: list[Loaded], images: Ints) -> list[int]:
    """Return the elements of the last maps of all images, in their order."""
    maps: list[Any] = []
    for place, own in enumerate(loaded):
        maps.append(map_of(case, place, own, sums_of(case, place, own, maps, images)))
    return [int(one) for one in maps[-1].reshape(-1)]


def at_an_end(case: MacroCase, loaded: list[Loaded], end: str) -> tuple[list[Loaded], Ints]:
    """Return parameters and two images that bring columns, sums and results to their ends.

    end: `least`: all weights are the least, and the least sum of a channel is -2^31; `greatest`;
        `alternating`: every other weight and input, and the greatest sum is 2^31 - 1
    """
    half, top = 1 << (case.weight_bits - 1), (1 << case.bits) - 1
    first, second = {"least": (-half, -half), "greatest": (half - 1, half - 1)}.get(
        end, (-half, half - 1)
    )
    images = np.full((2, *case.layers[0].in_sides, case.layers[0].in_channels), top)
    if end == "alternating":
        images.reshape(-1)[::2] = 0
    maps: list[Any] = []
    found = []
    for place, drawn in enumerate(loaded):
        weights = np.full(drawn.weights.shape, first)
        weights.reshape(-1)[1::2] = second
        none = np.zeros_like(drawn.bias)
        own = replace(drawn, weights=weights, bias=none, input_zero=0)
        own = replace(own, multiplier=none + (1 << 16) - 1, zero_point=0, low=0, high=top)
        sums = sums_of(case, place, own, maps, images)
        each = sums.reshape(-1, sums.shape[-1])
        bias = -(1 << 31) - each.min(0) if end == "least" else (1 << 31) - 1 - each.max(0)
        found.append(replace(own, bias=bias))
        maps.append(map_of(case, place, found[-1], sums + bias))
    return found, images


def map_of(case: MacroCase, place: int, own: Loaded, sums: Ints) -> Any:
    """Return the map that becomes of the sums of a layer."""
    if case.output_elements(place) > 1:
        return sums % (1 << 32)
    written = requantize(
        sums,
        multiplier=own.multiplier,
        shift=own.shift,
        zero_point=own.zero_point,
        low=own.low,
        high=own.high,
        dtype=np.uint16,
    )
    return written if own.table is None else own.table[written].astype(np.uint16)


def sums_of(case: MacroCase, place: int, own: Loaded, maps: list[Any], images: Ints) -> Ints:
    """Return the sums of a layer that are requantized, from the maps of those before it."""
    layer = case.layers[place]
    inputs = [maps[one] for one in layer.providers] or [images]
    if len(inputs) > 1 and layer.kind != "eltwise":
        inputs = [np.concatenate(inputs, axis=3)]
    if layer.kind == "fc":
        inputs = [inputs[0].reshape(len(images), 1, 1, -1)]
    padding = (*layer.paddings, *layer.end_paddings)
    if layer.kind == "eltwise":
        zero_a, a, zero_b, b = own.operands
        return weighted_sum(*inputs, zero_points=(zero_a, zero_b), multipliers=(a, b))
    if layer.has_weights:
        return conv(
            inputs[0],
            own.weights,
            own.bias,
            stride=layer.strides,
            padding=padding,
            groups=layer.groups,
            zero_point=own.input_zero,
        )
    window = {"kernel": layer.kernels, "stride": layer.strides, "padding": padding}
    if layer.average:
        return window_sums(inputs[0], zero_point=own.input_zero, **window)  # type: ignore[arg-type]
    if layer.taps == 1:
        channels = layer.out_channels
        zero = own.input_zero
        moved = shortcut(inputs[0], stride=layer.strides, channels=channels, zero_point=zero)
    else:
        moved = max_pool(inputs[0], **window)  # type: ignore[arg-type]
    found: Ints = moved.astype(np.int64)
    return found


def packets(
    case: MacroCase, loaded: list[Loaded], macro: int
) -> Iterator[tuple[int, int, int, list[int]]]:
    """Yield target, index, flits and the flits of each entry that is loaded into a macro."""
    width = case.chip.flit_bits
    mask = (1 << width) - 1
    entries = {
        "column": column_entry,
        "channel": channel_entry,
        "limits": limits_entry,
        "operands": operands_entry,
        "table": table_entry,
    }
    for target in load_targets(case.chip, macro):
        for index in range(target.entries):
            word = entries[target.kind](case, target.layer, loaded[target.layer], index, macro)
            flits = [word >> (k * width) & mask for k in range(target.flits)]
            yield target.number, index, target.flits, flits


def column_entry(case: MacroCase, place: int, loaded: Loaded, index: int, macro: int) -> int:
    """Return what is loaded of a column."""
    cut = case.cut(place)
    holding = next(one for one in case.holdings(place) if one.macro == macro)
    column = columns_of(cut, holding)[index]
    tile = section_weights(cut, loaded, column.section)
    tile = tile[rows_of_crossbars(case, place, column.section, len(tile))]
    tile = tile[column.row_tile * case.side : (column.row_tile + 1) * case.side]
    stored = encode(tile, weight_bits=case.weight_bits, cell_bits=case.cell_bits)
    channel = column.channel - cut.first_channel(column.section)
    lanes = case.adcs * max(1, case.samples[0])
    head = {
        "flip": int(stored.flips[column.cell_slice, channel]),
        "first": int(column.first),
        "cell_slice": column.cell_slice,
        "unit": column.unit,
        "target": column.target,
        "lane": index % lanes,
        "slot": index // lanes,
    }
    cells = 0
    for row, cell in enumerate(stored.cells[column.cell_slice, :, channel].tolist()):
        for plane in range(case.cell_bits):
            cells |= (cell >> plane & 1) << (plane * case.side + row)
    return entry(COLUMN_FIELDS, head) | cells << case.chip.flit_bits


def section_weights(cut: Cut, loaded: Loaded, section: int) -> Ints:
    """Return the weights (rows, columns) of a section, groups on the diagonal."""
    together, first = cut.groups_of(section), section * cut.groups_together
    inputs = loaded.weights.shape[3]
    taps = loaded.weights.shape[1] * loaded.weights.shape[2]
    dense = np.zeros((taps, together, inputs, together, cut.group_columns), np.int64)
    for group in range(together):
        own = loaded.weights[(first + group) * cut.group_columns :][: cut.group_columns]
        by_tap = own.reshape(cut.group_columns, taps, inputs).transpose(1, 2, 0)
        dense[:, group, :, group, :] = by_tap
    return dense.reshape(taps * together * inputs, together * cut.group_columns)


def rows_of_crossbars(case: MacroCase, place: int, section: int, count: int) -> Ints:
    """Return the rows of a section in the order in which crossbars hold them.

    Of those of one kernel row (with groups: one tap) in one crossbar, the channels of the first map
    of a concatenation stand before those of the second one.
    """
    layer, cut, rows = case.layers[place], case.cut(place), np.arange(count)
    maps = [case.layers[one].out_channels for one in layer.providers]
    if len(maps) < 2 or layer.kind == "eltwise":
        return rows
    runs = 1 if layer.kind == "fc" else layer.kernels[0] if cut.groups == 1 else layer.taps
    length = count // runs
    first = section * cut.groups_together * cut.group_rows // layer.taps if cut.groups > 1 else 0
    channel = (first + rows % length) % sum(maps)
    of_map = np.searchsorted(np.cumsum(maps), channel, side="right")
    order: Ints = np.lexsort((rows, of_map, rows // length, rows // case.side))
    return order


def channel_entry(case: MacroCase, place: int, loaded: Loaded, index: int, macro: int) -> int:
    """Return what is loaded of an output channel."""
    return entry(
        CHANNEL_FIELDS,
        {
            "bias": int(loaded.bias[index]),
            "multiplier": int(loaded.multiplier[index]),
            "shift": int(loaded.shift[index]),
        },
    )


def limits_entry(case: MacroCase, place: int, loaded: Loaded, index: int, macro: int) -> int:
    """Return what is loaded of the layer."""
    names = ("input_zero", "zero_point", "low", "high")
    return entry(LIMITS_FIELDS, {name: getattr(loaded, name) for name in names})


def operands_entry(case: MacroCase, place: int, loaded: Loaded, index: int, macro: int) -> int:
    """Return what is loaded of an addition."""
    names = [name for name, _ in OPERANDS_FIELDS]
    return entry(OPERANDS_FIELDS, dict(zip(names, loaded.operands, strict=True)))


def table_entry(case: MacroCase, place: int, loaded: Loaded, index: int, macro: int) -> int:
    """Return what is loaded of an element of a table."""
    assert loaded.table is not None
    return entry(TABLE_FIELDS, {"value": int(loaded.table[index])})
