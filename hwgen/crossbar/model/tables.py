"""A network at one point of the design space as arrays, for the compiled evaluators.

Symbols follow the published sheet: a layer has R rows of weights, RT row tiles and CT column tiles
of crossbars, S cells a weight, B bit steps an input; its weights are held D times (WtDup).
"""

import math
from collections.abc import Sequence
from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.opaque import opaque
from hwgen.crossbar.facts.columns import partial_sum_bits
from hwgen.crossbar.facts.components import Components, Scratchpad, VectorUnit
from hwgen.crossbar.facts.holdings import Cut, cut_of
from hwgen.crossbar.facts.layout import check_rules, is_activated, tiles_of, window
from hwgen.crossbar.facts.network import CrossbarLayer, CrossbarNetwork
from hwgen.crossbar.facts.point import Point
from hwgen.crossbar.facts.ports import (
    elements_in_a_word,
    pool_clocks,
    shares_of,
    tile_reads,
    window_reads,
)
from hwgen.crossbar.facts.rules import STREAMED, Objective, Rules, check_mixture

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
IntGrid = Annotated[Ints, 2]
Grid = Annotated[Floats, 2]

CONV, FC, POOL, ELTWISE = range(4)
KINDS = {"conv": CONV, "fc": FC, "pool": POOL, "eltwise": ELTWISE}

COMPONENTS = ("dac", "adc", "shift_add", "addition", "relu", "sigmoid", "pool", "eltwise")
DAC, ADC, SHIFT_ADD, ADDITION, RELU, SIGMOID, POOLING, ADDING = range(len(COMPONENTS))
PER_BIT = (DAC, ADC, SHIFT_ADD)
"""Components that work in each bit step; the others work once a computation block."""

STATIC, DYNAMIC, PEAK, RATE, LATENCY, AREA = range(6)
"""Columns of the component table: W, W, W, operations per ns, ns, um2."""

POWER, RATIO, FLOOR, NOC_POWER, FLIT_BITS, HOP, BUS_BITS, DATA_BITS, OPERATIONS = range(9)
LANES, STREAM, IDENTICAL, CLOCK, BY_ENERGY, BY_TIME = range(9, 15)
"""Places in `Tables.scalars`: W, -, ns, W, bits, ns, bits, bits, operations an image,
elements of a vector, 1 where designs are judged by a stream of images, 1 where all macros are
identical, ns, 1 where designs are judged by nJ, 1 where by ns."""

KILOBYTES, LEAKAGE, ACCESS_NS, READ_NJ, WRITE_NJ, MEMORY_AREA = range(6)
"""Columns of `Tables.memories`."""

FC_WORK_CUT = 100
"""The published code divides the work of fully connected layers by this, and cuts it there too."""


@opaque
class Tables(NamedTuple):
    """Everything that an evaluation reads; arrays of layers unless said otherwise.

    rules: what a design is charged for
    kind, pixels, side, kernel, stride, padding, cin, cout: of the layer; side is that of its map.
        Where rows and columns differ, those of columns; kernel with the gaps of a dilation
    taps: pixels of a window that are read
    image: elements of the image that comes over the mesh, of layers that read it; 0: none
    rows, row_tiles, column_tiles: R, RT, CT; zeros without weights
    crossbars: of one copy of the weights (Eq. 1), 0 without weights
    work: (layers, components), operations in a step for one copy (a unit handles `lanes` at once)
    activated: 1 where an activation is a step of its own
    provider_start, provider: whom layer i reads is provider[provider_start[i]:provider_start[i+1]]
    reader_start, reader: who reads layer i, in the same form
    window_start: layer i's part of `last_pixel` and `first_pixel`, by output pixel: the last and
        the first pixel (from 1) of a provider's map that it needs
    parts: (components, 6), see STATIC and so on
    crossbar: static, dynamic and peak W, latency in ns, area
    memories: (capacities, 6): kilobytes, leakage W, latency ns, read nJ, write nJ, area
    sections: parts of a row tile that read other inputs, see `hwgen.crossbar.facts.holdings`
    lane_groups: vectors of columns of a row tile and slice; none spans two crossbars
    sum_bits: width of a partial sum
    tile_start, tile_reads: reads of each row tile of a copy, of layer i from tile_start[i] on
    copy_reads: reads of one copy, or of one pixel of a pooling
    pool_clocks: of one pixel of a pooling, with all lanes; 0: of other layers
    out_bits: of an element of results; out_word: such elements of a word
    align: what all blocks of results begin at a multiple of; word: inputs of a word
    grouped: 1 where a copy may not be split over macros
    bit_steps, slices, crossbar_side: B, S, XbSize
    scalars: see POWER and so on
    """

    rules: Rules
    kind: Ints
    pixels: Ints
    side: Ints
    kernel: Ints
    stride: Ints
    padding: Ints
    cin: Ints
    cout: Ints
    taps: Ints
    image: Ints
    rows: Ints
    row_tiles: Ints
    column_tiles: Ints
    crossbars: Ints
    work: Grid
    activated: Ints
    provider_start: Ints
    provider: Ints
    reader_start: Ints
    reader: Ints
    window_start: Ints
    last_pixel: Ints
    first_pixel: Ints
    parts: Grid
    crossbar: Floats
    memories: Grid
    sections: Ints
    lane_groups: Ints
    sum_bits: Ints
    grouped: Ints
    tile_start: Ints
    tile_reads: Ints
    copy_reads: Ints
    pool_clocks: Ints
    out_bits: Ints
    out_word: Ints
    align: Ints
    word: int
    bit_steps: int
    slices: int
    crossbar_side: int
    scalars: Floats


def make_tables(
    network: CrossbarNetwork,
    components: Components,
    point: Point,
    power_w: float,
    rules: Rules,
    objective: Objective = "image",
    *,
    identical: bool = False,
) -> Tables:
    """Return the arrays of a network at a point, for a power budget in W.

    identical: all macros have as many of each component (Fig. 8)
    """
    layers = network.layers
    check_mixture(rules)
    check_rules(network, rules)
    dense, slices = not rules.used_columns, point.slices(components)
    pairs = point.pairs
    cuts = [cut_of(layer, point.side, slices, dense=dense, pairs=pairs) for layer in layers]
    tiles = np.array([tiles_of(layer, point.side, rules, pairs=pairs) for layer in layers])
    work = [
        work_of(network, layer, tiles[place], point, components, rules)
        for place, layer in enumerate(layers)
    ]
    return Tables(
        rules=rules,
        activated=integers(is_activated(network, layer, rules) for layer in layers),
        **shape_rows(layers, rules),
        **weight_rows(tiles, cuts, components, slices),
        **neighbour_rows(layers, rules),
        **port_rows(network, components, cuts),
        work=np.array(work),
        parts=part_table(components, point, rules),
        crossbar=crossbar_row(components, point, rules),
        memories=memory_table(components, rules),
        word=elements_in_a_word(components.scratchpads.bus_bits, components.activation_bits),
        bit_steps=point.bit_steps(components),
        slices=slices,
        crossbar_side=point.side,
        scalars=np.array(
            [
                power_w,
                point.rram_ratio or 0.0,
                components.step_floor_ns,
                components.network_on_chip.power_w,
                components.network_on_chip.flit_bits,
                components.network_on_chip.hop_ns,
                components.scratchpads.bus_bits,
                components.activation_bits,
                operations_of(network, rules),
                components.vector_units.lanes,
                objective in STREAMED,
                identical,
                components.clock_ns,
                objective in ("image", "stream", "edp"),
                objective in ("throughput", "latency", "edp"),
            ],
            dtype=float,
        ),
    )


def shape_rows(layers: Sequence[CrossbarLayer], rules: Rules) -> dict[str, Ints]:
    """Return the arrays that tell the shapes of layers, by their names in `Tables`."""
    return {
        "kind": integers(KINDS[layer.kind] for layer in layers),
        "pixels": integers(layer.pixels for layer in layers),
        "side": integers(layer.out_sides[1] for layer in layers),
        "kernel": integers(layer.spans[1] for layer in layers),
        "stride": integers(layer.strides[1] for layer in layers),
        "padding": integers(layer.paddings[1] for layer in layers),
        "cin": integers(layer.in_channels for layer in layers),
        "cout": integers(layer.out_channels for layer in layers),
        "taps": integers(layer.taps for layer in layers),
        "image": integers(
            math.prod(layer.in_sides) * layer.in_channels
            if rules.image_travels and not layer.providers
            else 0
            for layer in layers
        ),
    }


def weight_rows(
    tiles: Ints, cuts: Sequence[Cut], components: Components, slices: int
) -> dict[str, Ints]:
    """Return the arrays that tell how weights lie in crossbars, by their names in `Tables`.

    tiles: (layers, 3), rows, row tiles and column tiles of a copy
    """
    lanes = components.vector_units.lanes
    return {
        "rows": tiles[:, 0].copy(),
        "row_tiles": tiles[:, 1].copy(),
        "column_tiles": tiles[:, 2].copy(),
        "crossbars": tiles[:, 1] * tiles[:, 2] * slices,
        "sections": integers(cut.sections for cut in cuts),
        "lane_groups": integers(cut.lane_groups(lanes) for cut in cuts),
        "sum_bits": integers(
            partial_sum_bits(max(1, int(rows)), components.weight_bits, components.activation_bits)
            for rows in tiles[:, 0]
        ),
        "grouped": integers(cut.groups > 1 for cut in cuts),
    }


def neighbour_rows(layers: Sequence[CrossbarLayer], rules: Rules) -> dict[str, Ints]:
    """Return the arrays that tell who reads whom, and when, by their names in `Tables`."""
    readers: list[list[int]] = [[] for _ in layers]
    for place, layer in enumerate(layers):
        for one in layer.providers:
            readers[one].append(place)
    provider_start, provider = ragged([list(layer.providers) for layer in layers])
    reader_start, reader = ragged(readers)
    windows = [window(layer, rules) for layer in layers]
    return {
        "provider_start": provider_start,
        "provider": provider,
        "reader_start": reader_start,
        "reader": reader,
        "window_start": integers(np.cumsum([0, *(len(last) for last, _ in windows)])),
        "last_pixel": np.concatenate([last for last, _ in windows]),
        "first_pixel": np.concatenate([first for _, first in windows]),
    }


def port_rows(
    network: CrossbarNetwork, components: Components, cuts: Sequence[Cut]
) -> dict[str, Ints]:
    """Return the arrays that tell what layers ask of scratchpads, by their names in `Tables`."""
    layers, bus = network.layers, components.scratchpads.bus_bits
    word = elements_in_a_word(bus, components.activation_bits)
    out_bits = [layer.raw_bits or components.activation_bits for layer in layers]
    out_word = [elements_in_a_word(bus, bits) for bits in out_bits]
    read = [shares_of(network, place) for place in range(len(layers))]
    reads_of = [
        tile_reads(layer, cut, word, shares) if layer.has_weights else []
        for layer, cut, shares in zip(layers, cuts, read, strict=True)
    ]
    tile_start, tiles_read = ragged(reads_of)
    return {
        "tile_start": tile_start,
        "tile_reads": tiles_read,
        "copy_reads": integers(
            sum(reads) if layer.has_weights else window_reads(layer, word, shares)
            for layer, reads, shares in zip(layers, reads_of, read, strict=True)
        ),
        "pool_clocks": integers(
            pool_clocks(layer, shares, word) if layer.kind == "pool" else 0
            for layer, shares in zip(layers, read, strict=True)
        ),
        "out_bits": integers(out_bits),
        "out_word": integers(out_word),
        "align": integers(
            math.gcd(layer.out_channels, own) for layer, own in zip(layers, out_word, strict=True)
        ),
    }


def crossbar_row(components: Components, point: Point, rules: Rules) -> Floats:
    """Return the constants of a crossbar: static, dynamic, peak W, latency in ns, um2."""
    size = next(each for each in components.crossbars.sizes if each.side == point.side)
    peak = size.peak_w
    if rules.static_plus_dynamic:
        peak = max(peak, size.static_w + size.dynamic_w)
    latency = components.crossbars.latency_ns
    return np.array([size.static_w, size.dynamic_w, peak, latency, size.area_um2])


def memory_table(components: Components, rules: Rules) -> Floats:
    """Return the constants of the scratchpads to choose from, see KILOBYTES and so on."""
    pads = components.scratchpads.to_choose_from(published=not rules.one_port)
    return np.array(
        [
            (
                pad.kilobytes,
                pad.leakage_w,
                access_ns(components, pad, rules),
                pad.read_nj,
                pad.write_nj,
                pad.area_um2,
            )
            for pad in pads
        ]
    )


def access_ns(components: Components, pad: Scratchpad, rules: Rules) -> float:
    """Return how long an access to a scratchpad takes, by strict rules whole clocks."""
    if not rules.whole_clocks:
        return pad.latency_ns
    return math.ceil(pad.latency_ns / components.clock_ns) * components.clock_ns


def integers(values: object) -> Ints:
    """Return whole numbers as an array."""
    return np.array(list(values), dtype=np.int64)  # type: ignore[call-overload]


def ragged(lists: list[list[int]]) -> tuple[Ints, Ints]:
    """Return lists of different lengths as starts and one array."""
    starts = integers(np.cumsum([0, *map(len, lists)]))
    return starts, integers(one for each in lists for one in each)


def operations_of(network: CrossbarNetwork, rules: Rules) -> int:
    """Return the operations of an image; the published front end takes groups for dense."""
    if rules.used_columns:
        return network.operations
    return sum(layer.operations * layer.groups for layer in network.layers)


def work_of(
    network: CrossbarNetwork,
    layer: CrossbarLayer,
    tiles: Ints,
    point: Point,
    components: Components,
    rules: Rules,
) -> Floats:
    """Return the operations of one copy in a step, by component (sheet, section 3)."""
    work = np.zeros(len(COMPONENTS))
    whole = rules.used_columns
    rows, row_tiles, column_tiles = (int(each) for each in tiles)
    slices = point.slices(components)
    lanes = components.vector_units.lanes
    outputs = -(-layer.out_channels // lanes) if whole else layer.out_channels / lanes
    if layer.has_weights:
        cut = cut_of(layer, point.side, slices, pairs=point.pairs)
        work[DAC] = cut.drivers * slices
        work[ADC] = row_tiles * slices * layer.out_channels
        work[SHIFT_ADD] = work[ADDITION] = row_tiles * slices * cut.lane_groups(lanes)
        if not point.pairs:
            work[ADDITION] += row_tiles * cut.sections * -(-point.side // lanes)
        if not whole:
            work[DAC] = rows * column_tiles * slices
            work[ADC] = column_tiles * point.side * row_tiles * slices
            work[SHIFT_ADD], work[ADDITION] = work[ADC] / lanes, row_tiles * slices / lanes
    elif layer.kind == "pool":
        work[POOLING] = outputs * (layer.taps if whole else 1)
    elif layer.product:
        # A product is as many additions as its factors have bits (shift and add).
        work[ADDING] = outputs * components.activation_bits
    else:
        work[ADDING] = outputs * (max(1, len(layer.providers) - 1) if whole else 1)
    if is_activated(network, layer, rules):
        work[SIGMOID if layer.activation == "sigmoid" else RELU] = outputs
    if layer.kind == "fc" and not whole:
        work = np.minimum(np.ceil(work / FC_WORK_CUT), FC_WORK_CUT)
    return work


def part_table(components: Components, point: Point, rules: Rules) -> Floats:
    """Return the constants of all components."""
    dac = next(each for each in components.dacs.resolutions if each.bits == point.dac_bits)
    adc = next(each for each in components.adcs.resolutions if each.bits == point.adc_bits)
    units = components.vector_units
    digital: list[VectorUnit] = [getattr(units, name) for name in COMPONENTS[2:]]
    table = np.array(
        [
            (dac.static_w, dac.dynamic_w, dac.peak_w, 1.0, dac.latency_ns, dac.area_um2),
            (
                adc.static_w,
                adc.dynamic_w,
                adc.peak_w,
                adc.samples_per_ns,
                adc.latency_ns,
                adc.area_um2,
            ),
            *(
                (
                    unit.static_w,
                    unit.dynamic_w,
                    unit.peak_w,
                    unit.operations_per_ns,
                    unit.latency_ns,
                    unit.area_um2,
                )
                for unit in digital
            ),
        ]
    )
    if rules.static_plus_dynamic:
        table[:, PEAK] = np.maximum(table[:, PEAK], table[:, STATIC] + table[:, DYNAMIC])
    return table
