"""The arrays of a network at one point of the design space: how they are made.

Symbols as in `tables`.
"""

import math

import numpy as np

from hwgen.crossbar.facts.columns import partial_sum_bits
from hwgen.crossbar.facts.components import Components, VectorUnit
from hwgen.crossbar.facts.holdings import cut_of
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
from hwgen.crossbar.facts.rules import Objective, Rules, check_mixture
from hwgen.crossbar.model.tables import (
    ADC,
    ADDING,
    ADDITION,
    COMPONENTS,
    DAC,
    DYNAMIC,
    KINDS,
    PEAK,
    POOLING,
    RELU,
    SHIFT_ADD,
    SIGMOID,
    STATIC,
    Floats,
    Ints,
    Tables,
)

FC_WORK_CUT = 100
"""The published code divides the work of fully connected layers by this, and cuts it there too."""


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
    dense = not rules.used_columns
    cuts = [cut_of(each, point.side, point.slices(components), dense=dense) for each in layers]
    tiles = np.array([tiles_of(layer, point.side, rules) for layer in layers])
    slices = point.slices(components)
    crossbars = tiles[:, 1] * tiles[:, 2] * slices
    size = next(each for each in components.crossbars.sizes if each.side == point.side)
    windows = [window(layer, rules) for layer in layers]
    provider_start, provider = ragged([list(layer.providers) for layer in layers])
    readers: list[list[int]] = [[] for _ in layers]
    for place, layer in enumerate(layers):
        for one in layer.providers:
            readers[one].append(place)
    reader_start, reader = ragged(readers)
    bus = components.scratchpads.bus_bits
    word = elements_in_a_word(bus, components.activation_bits)
    out_bits = [layer.raw_bits or components.activation_bits for layer in layers]
    out_word = [elements_in_a_word(bus, bits) for bits in out_bits]
    read = [shares_of(network, place) for place in range(len(layers))]
    reads_of = [
        tile_reads(layer, cut, word, shares) if layer.has_weights else []
        for layer, cut, shares in zip(layers, cuts, read, strict=True)
    ]
    tile_start, tiles_read = ragged(reads_of)
    memories = components.scratchpads.to_choose_from(published=not rules.one_port)
    peak = size.peak_w
    if rules.static_plus_dynamic:
        peak = max(peak, size.static_w + size.dynamic_w)
    return Tables(
        rules=rules,
        kind=integers(KINDS[layer.kind] for layer in layers),
        pixels=integers(layer.pixels for layer in layers),
        side=integers(layer.out_sides[1] for layer in layers),
        kernel=integers(layer.spans[1] for layer in layers),
        stride=integers(layer.strides[1] for layer in layers),
        padding=integers(layer.paddings[1] for layer in layers),
        cin=integers(layer.in_channels for layer in layers),
        cout=integers(layer.out_channels for layer in layers),
        taps=integers(layer.taps for layer in layers),
        image=integers(
            math.prod(layer.in_sides) * layer.in_channels
            if rules.image_travels and not layer.providers
            else 0
            for layer in layers
        ),
        rows=tiles[:, 0].copy(),
        row_tiles=tiles[:, 1].copy(),
        column_tiles=tiles[:, 2].copy(),
        crossbars=crossbars,
        work=np.array(
            [
                work_of(network, layer, tiles[place], point, components, rules)
                for place, layer in enumerate(layers)
            ]
        ),
        activated=integers(is_activated(network, layer, rules) for layer in layers),
        provider_start=provider_start,
        provider=provider,
        reader_start=reader_start,
        reader=reader,
        window_start=integers(np.cumsum([0, *(len(last) for last, _ in windows)])),
        last_pixel=np.concatenate([last for last, _ in windows]),
        first_pixel=np.concatenate([first for _, first in windows]),
        parts=part_table(components, point, rules),
        crossbar=np.array(
            [size.static_w, size.dynamic_w, peak, components.crossbars.latency_ns, size.area_um2]
        ),
        memories=np.array(
            [
                (
                    m.kilobytes,
                    m.leakage_w,
                    float(math.ceil(m.latency_ns)) if rules.whole_clocks else m.latency_ns,
                    m.read_nj,
                    m.write_nj,
                    m.area_um2,
                )
                for m in memories
            ]
        ),
        sections=integers(cut.sections for cut in cuts),
        lane_groups=integers(cut.lane_groups(components.vector_units.lanes) for cut in cuts),
        sum_bits=integers(
            partial_sum_bits(max(1, int(rows)), components.weight_bits, components.activation_bits)
            for rows in tiles[:, 0]
        ),
        grouped=integers(cut.groups > 1 for cut in cuts),
        tile_start=tile_start,
        tile_reads=tiles_read,
        copy_reads=integers(
            sum(reads) if layer.has_weights else window_reads(layer, word, shares)
            for layer, reads, shares in zip(layers, reads_of, read, strict=True)
        ),
        pool_clocks=integers(
            pool_clocks(layer, shares, word) if layer.kind == "pool" else 0
            for layer, shares in zip(layers, read, strict=True)
        ),
        out_bits=integers(out_bits),
        out_word=integers(out_word),
        align=integers(
            math.gcd(layer.out_channels, own) for layer, own in zip(layers, out_word, strict=True)
        ),
        word=word,
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
                objective == "stream",
                identical,
            ],
            dtype=float,
        ),
    )


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
        cut = cut_of(layer, point.side, slices)
        work[DAC] = rows * column_tiles * slices
        work[ADC] = row_tiles * slices * layer.out_channels
        work[SHIFT_ADD] = work[ADDITION] = row_tiles * slices * cut.lane_groups(lanes)
        work[ADDITION] += row_tiles * cut.sections * -(-point.side // lanes)
        if not whole:
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
