"""A confirmed design as the description of a chip that generators and the cycle model take."""

import math
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np

from hwgen.crossbar.facts.chip_facts import (
    ChipFacts,
    ChipLayer,
    Held,
    Macro,
    Operation,
    Region,
    Travel,
)
from hwgen.crossbar.facts.encoding import column_accumulator_bits, input_sum_bits
from hwgen.crossbar.facts.fabric_plan import Chip, is_whole, layer_fabric, travels_of
from hwgen.crossbar.facts.holdings import lane_groups_in
from hwgen.crossbar.facts.layout import IMAGE_MACRO, Choice, floorplan
from hwgen.crossbar.facts.timing import MOST_LAG
from hwgen.crossbar.model.buffers import (
    NEVER,
    image_ring,
    is_read_in_place,
    most_pixels,
    output_need,
    read_on,
)
from hwgen.crossbar.model.fabric import constants_of, seen_times, words_of
from hwgen.crossbar.model.pipeline import OPERATIONS, is_per_bit
from hwgen.crossbar.model.record import Confirmed
from hwgen.crossbar.model.timing import Times

RAW_BITS = 32
"""Bits of a result that is not requantized."""
SHIFT_ADD_CLOCKS, ADDITION_CLOCKS, ACTIVATION_CLOCKS = 4, 10, 4
"""Clocks of one operation of a digital unit."""


def chip_of(
    confirmed: Confirmed, name: str, *, raw: frozenset[int] = frozenset(), results: bool = False
) -> ChipFacts:
    """Return the description of the chip of a design under strict rules.

    raw: layers whose results leave as sums, without requantization
    results: layers that nobody reads have an operation for that
    """
    plan_chip = planned(confirmed)
    point, components, plan = confirmed.point, confirmed.components, plan_chip.plan
    data_bits = components.activation_bits
    places = range(len(confirmed.network.layers))
    rate = Fraction(plan_chip.constants.adc.samples_per_ns).limit_denominator(64)
    layers = tuple(chip_layer(confirmed, plan_chip, place, raw=place in raw) for place in places)
    travels = tuple(numbered_travels(plan_chip, layers))
    if results:
        layers = tuple(
            with_result(plan_chip, layer, travels)
            if any((one.kind, one.layer) == ("result", layer.place) for one in travels)
            else layer
            for layer in layers
        )
    regions = tuple(regions_of(confirmed, layers, plan.macros))
    return ChipFacts(
        name=name,
        side=point.side,
        cell_bits=point.cell_bits,
        dac_bits=point.dac_bits,
        adc_bits=point.adc_bits,
        weight_bits=components.weight_bits,
        activation_bits=data_bits,
        slices=point.slices(components),
        bit_steps=point.bit_steps(components),
        column_accumulator_bits=column_accumulator_bits(point.side, point.cell_bits, data_bits),
        input_sum_bits=input_sum_bits(point.side, data_bits),
        step_clocks=plan_chip.step_clocks,
        access_clocks=max(1, math.ceil(plan_chip.constants.scratchpad.latency_ns)),
        word_bits=components.scratchpads.bus_bits,
        flit_bits=components.network_on_chip.flit_bits,
        lanes=components.vector_units.lanes,
        adc_samples=rate.numerator,
        adc_clocks=rate.denominator,
        rows=plan.mesh_rows,
        columns=plan.mesh_columns,
        io_node=IMAGE_MACRO,
        image_channels=confirmed.network.input_channels,
        image_sides=confirmed.network.input_sides,
        interval=int(confirmed.stream.interval),
        layers=layers,
        macros=tuple(macro_of(plan_chip, layers, regions, each) for each in range(plan.macros)),
        regions=regions,
        travels=travels,
    )


def planned(confirmed: Confirmed) -> Chip:
    """Return what holdings and travels of a design follow from."""
    copies, macros, mate, clocks = (tuple(int(one) for one in each) for each in confirmed.design)
    choice = Choice(copies=copies, macros=macros, mate=mate, clocks=clocks)
    components, point = confirmed.components, confirmed.point
    return Chip(
        network=confirmed.network,
        plan=floorplan(confirmed.network, components, point, confirmed.rules, choice),
        point=point,
        weight_bits=components.weight_bits,
        activation_bits=components.activation_bits,
        step_ns=float(confirmed.cost.step_ns),
        clocks_per_bit=clocks,
        constants=constants_of(confirmed),
    )


def chip_layer(confirmed: Confirmed, chip: Chip, place: int, *, raw: bool) -> ChipLayer:
    """Return one layer."""
    layer, placed = confirmed.network.layers[place], chip.plan.layers[place]
    mate = int(confirmed.design.mate[place])
    fabric = layer_fabric(chip, place) if layer.has_weights else None
    return ChipLayer(
        place=place,
        layer=layer,
        copies=placed.copies,
        blocks=placed.blocks,
        first_macro=placed.macros.start,
        macros=len(placed.macros),
        merge_macro=placed.merge_macro,
        mate=mate if mate >= 0 else None,
        clocks_per_bit=chip.clocks_per_bit[place],
        operations=operations_of(confirmed, place),
        output_bits=RAW_BITS if raw else chip.activation_bits,
        raw=raw,
        table=layer.activation == "sigmoid",
        operands=layer.providers if layer.kind == "eltwise" else (),
        cut=chip.cut(place) if fabric else None,
        partial_sum_bits=fabric.partial_sum_bits if fabric else 0,
        held=tuple(held_of(chip, place)) if fabric else (simple_held(chip, place),),
    )


def operations_of(confirmed: Confirmed, place: int) -> tuple[Operation, ...]:
    """Return the operations that a block of a layer goes through."""
    pipeline, bits = confirmed.pipeline, confirmed.point.bit_steps(confirmed.components)
    found = []
    for k in range(int(pipeline.length[place])):
        what = int(pipeline.operation[place, k])
        found.append(
            Operation(
                name=OPERATIONS[what],
                steps=int(pipeline.steps[place, k]),
                bit_steps=bits if is_per_bit(what) else 1,
                period=int(pipeline.own[place, k]),
            )
        )
    return tuple(found)


def with_result(chip: Chip, layer: ChipLayer, travels: tuple[Travel, ...]) -> ChipLayer:
    """Return a layer with the operation in which its results leave: reads, then flits."""
    travel = next(one for one in travels if (one.kind, one.layer) == ("result", layer.place))
    bits = travel.pixels * travel.channels * travel.bits
    words = -(-bits // chip.constants.network_on_chip.flit_bits)
    clocks = 2 * words + len(travel.tree) + 2 + MOST_LAG
    steps = -(-clocks // chip.step_clocks)
    result = Operation(name="result", steps=steps, bit_steps=1, period=steps)
    return replace(layer, operations=(*layer.operations, result))


def held_of(chip: Chip, place: int) -> Iterator[Held]:
    """Yield what each macro holds of a layer with weights."""
    layer, placed = chip.network.layers[place], chip.plan.layers[place]
    cut, holdings = chip.cut(place), chip.holdings(place)
    lanes, step = chip.constants.vector_units.lanes, chip.step_clocks
    bit_step = chip.clocks_per_bit[place] * step
    vectors = -(-layer.out_channels // lanes)
    for at, (holding, held) in enumerate(
        zip(holdings, layer_fabric(chip, place).held, strict=True)
    ):
        results = len(holding.copies) if is_whole(holdings, at) else 0
        groups = lane_groups_in(cut, holding, lanes)
        sums = groups + held.units * -(-chip.point.side // lanes)
        sums += vectors if len(placed.macros) > placed.copies else 0
        yield Held(
            macro=held.macro,
            copies=held.copies,
            row_tiles=held.row_tiles,
            results=results,
            units=held.units,
            crossbars=held.crossbars,
            conversions=held.conversions,
            adcs=held.adcs,
            slots=-(-held.conversions // built_adcs(chip, held.macro)),
            shift_add=-(-groups // (bit_step // SHIFT_ADD_CLOCKS)),
            addition=-(-sums // (bit_step // ADDITION_CLOCKS)),
            activation=-(-results * vectors // (step // ACTIVATION_CLOCKS)),
            pool=0,
            eltwise=0,
        )


def simple_held(chip: Chip, place: int) -> Held:
    """Return what the macro of a layer without weights has of it."""
    layer, placed = chip.network.layers[place], chip.plan.layers[place]
    vectors = placed.copies * -(-layer.out_channels // chip.constants.vector_units.lanes)
    return Held(
        macro=placed.merge_macro,
        copies=(0, placed.copies),
        row_tiles=(0, 0),
        results=placed.copies,
        units=0,
        crossbars=0,
        conversions=0,
        adcs=0,
        slots=0,
        shift_add=0,
        addition=0,
        activation=-(-vectors // (chip.step_clocks // ACTIVATION_CLOCKS)),
        pool=int(layer.kind == "pool"),
        eltwise=int(layer.kind == "eltwise"),
    )


def built_adcs(chip: Chip, macro: int) -> int:
    """Return the ADCs of a macro: of two mates the larger number."""
    return max(
        held.adcs
        for place, layer in enumerate(chip.network.layers)
        if layer.has_weights
        for held in layer_fabric(chip, place).held
        if held.macro == macro
    )


def macro_of(
    chip: Chip, layers: tuple[ChipLayer, ...], regions: tuple[Region, ...], macro: int
) -> Macro:
    """Return what is built in a macro."""
    own = {one.place: held for one in layers for held in one.held if held.macro == macro}
    tables = {place for place in own if layers[place].table}
    return Macro(
        macro=macro,
        node=chip.node(macro),
        words=max((one.first_word + one.words for one in regions if one.macro == macro), default=0),
        layers=tuple(own),
        adcs=built_adcs(chip, macro),
        shift_add=sum(held.shift_add for held in own.values()),
        addition=sum(held.addition for held in own.values()),
        relu=sum(held.activation for place, held in own.items() if place not in tables),
        sigmoid=sum(held.activation for place, held in own.items() if place in tables),
        pool=sum(held.pool for held in own.values()),
        eltwise=sum(held.eltwise for held in own.values()),
    )


def regions_of(
    confirmed: Confirmed, layers: tuple[ChipLayer, ...], macros: int
) -> Iterator[Region]:
    """Yield the rings of all scratchpads, macro after macro: one a reader and provider."""
    seen, bits = seen_times(confirmed), confirmed.components.activation_bits
    for macro in range(macros):
        first = 0
        for one in layers:
            wanted: list[tuple[int | None, float, int, int]] = []
            if one.first_macro <= macro < one.first_macro + one.macros:
                channel = 0
                for provider in one.layer.providers or (None,):
                    elements = input_elements(confirmed, seen, one.place, provider)
                    wide = (
                        confirmed.network.input_channels
                        if provider is None
                        else layers[provider].layer.out_channels
                    )
                    wanted.append((provider, elements, channel, wide))
                    channel += 0 if one.layer.kind == "eltwise" else wide
            if macro == one.merge_macro:
                elements = max(
                    float(output_need(confirmed.tables, confirmed.layout, times, one.place))
                    for times in seen
                )
                if one.index_of("result") is not None:
                    elements = 2.0 * one.copies * one.layer.out_channels
                wanted.append((one.place, elements, 0, one.layer.out_channels))
            for provider, elements, channel, wide in wanted:
                own = provider == one.place
                wide_bits = one.output_bits if own else bits
                words = words_of(confirmed, elements * wide_bits / bits)
                if words > 0:
                    yield Region(
                        macro=macro,
                        kind="output" if own else "input",
                        layer=one.place,
                        provider=provider,
                        first_channel=channel,
                        pixel_channels=wide,
                        bits=wide_bits,
                        first_word=first,
                        words=words,
                    )
                    first += words


def input_elements(
    confirmed: Confirmed, seen: tuple[Times, Times], place: int, provider: int | None
) -> float:
    """Return the most elements of one provider that wait in each macro of a layer."""
    tables, layout = confirmed.tables, confirmed.layout
    if provider is None:
        return float(image_ring(tables, layout, place))
    if is_read_in_place(layout, place, provider):
        return 0.0
    most = 0
    for times in seen:
        blocks = times.block_start[provider + 1] - times.block_start[provider]
        oldest = np.full(blocks, NEVER)
        read_on(tables, layout, times, provider, place, oldest)
        most = max(most, int(most_pixels(tables, layout, provider, oldest)))
    return float(most * tables.cout[provider])


def numbered_travels(chip: Chip, layers: tuple[ChipLayer, ...]) -> list[Travel]:
    """Return the travels with their numbers, and results with their true bits."""
    return [
        Travel(
            id=number,
            kind=one.kind,
            layer=one.layer,
            readers=one.readers,
            source=one.source,
            targets=one.targets,
            tree=one.tree,
            pixels=one.pixels,
            channels=one.channels,
            bits=layers[one.layer].output_bits
            if one.kind == "result" and one.layer is not None
            else one.bits,
            first_clock=one.first_clock,
        )
        for number, one in enumerate(travels_of(chip))
    ]
