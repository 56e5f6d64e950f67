"""What follows of the fabric from network, floorplan, point and clock.

How long operations take is evaluated, and regions are simulated: both are given.
"""

import math
from collections.abc import Sequence

from hwgen.crossbar.facts import arch_fabric
from hwgen.crossbar.facts.buildable import adc_rate
from hwgen.crossbar.facts.chip_plan import LAG_CLOCKS, ChipPlan
from hwgen.crossbar.facts.columns import column_accumulator_bits, input_sum_bits
from hwgen.crossbar.facts.holdings import (
    Holding,
    adcs_for,
    conversions_in,
    crossbars_in,
    lane_groups_in,
    rows_in,
    samples_of,
    units_in,
)
from hwgen.crossbar.facts.layout import IMAGE_MACRO
from hwgen.crossbar.facts.travels import travels_of

Durations = Sequence[tuple[arch_fabric.Operation, ...]]

IMAGES_HELD = 2
"""Images that the I/O node has room for: one that goes in, one that waits."""


def fabric_of(
    chip: ChipPlan,
    operations: Durations,
    regions: tuple[arch_fabric.Region, ...],
    stream: arch_fabric.Stream,
) -> arch_fabric.ArchFabric:
    """Return the whole fabric; regions and the stream that sized them are simulated.

    operations: of each layer
    """
    side, cell = chip.point.side, chip.point.cell_bits
    rate = adc_rate(chip.constants.adc.samples_per_ns, chip.clock_ns)
    layers = layers_of(chip, operations)
    return arch_fabric.ArchFabric(
        clock=arch_fabric.Clock(
            clock_ns=chip.clock_ns,
            step_clocks=chip.step_clocks,
            access_clocks=chip.access_clocks,
            lag_clocks=LAG_CLOCKS,
        ),
        adc_rate=arch_fabric.Rate(samples=rate.numerator, clocks=rate.denominator),
        encoding=arch_fabric.encoding_of(
            column_accumulator_bits(side, cell, chip.activation_bits, pairs=chip.point.pairs),
            None if chip.point.pairs else input_sum_bits(side, chip.activation_bits),
        ),
        orders=arch_fabric.ORDERS,
        constants=chip.constants,
        io=io_of(chip),
        stream=stream,
        layers=layers,
        macros=macros_of(chip, layers, regions),
        travels=travels_of(chip),
        regions=regions,
    )


def io_of(chip: ChipPlan) -> arch_fabric.Io:
    """Return what waits at the edge of the chip."""
    network = chip.network
    image = math.prod(network.input_sides) * network.input_channels * chip.activation_bits
    results = sum(
        bytes_of(layer.pixels * layer.out_channels * chip.output_bits(place))
        for place, layer in enumerate(network.layers)
        if not chip.readers(place)
    )
    return arch_fabric.Io(
        node=chip.node(IMAGE_MACRO),
        image_bytes=bytes_of(image),
        image_buffer_bytes=IMAGES_HELD * bytes_of(image),
        result_bytes=results,
    )


def bytes_of(bits: int) -> int:
    """Return the bytes of some bits."""
    return -(-bits // 8)


def layers_of(chip: ChipPlan, operations: Durations) -> tuple[arch_fabric.LayerFabric, ...]:
    """Return all layers; an ADC that two of them share is built once."""
    adcs = built_adcs(chip)
    return tuple(layer_fabric(chip, place, each, adcs) for place, each in enumerate(operations))


def samples_in(chip: ChipPlan, place: int) -> int:
    """Return the samples that an ADC can take in a bit step of a layer."""
    bit_step_ns = chip.clocks_per_bit[place] * chip.step_clocks * chip.clock_ns
    return max(1, samples_of(chip.constants.adc.samples_per_ns, bit_step_ns))


def built_adcs(chip: ChipPlan) -> dict[int, int]:
    """Return the ADCs of each macro that has some: of two layers the larger number."""
    found: dict[int, int] = {}
    for place, layer in enumerate(chip.network.layers):
        for one in chip.holdings(place) if layer.has_weights else ():
            own = adcs_for(conversions_in(chip.cut(place), one), samples_in(chip, place))
            found[one.macro] = max(own, found.get(one.macro, 0))
    return found


def layer_fabric(
    chip: ChipPlan, place: int, operations: tuple[arch_fabric.Operation, ...], adcs: dict[int, int]
) -> arch_fabric.LayerFabric:
    """Return how a layer works, and who holds what of it; adcs: built in each macro."""
    layer = chip.network.layers[place]
    weighty = layer.has_weights
    cut = chip.cut(place)
    added = layer.kind == "eltwise" and not layer.product
    return arch_fabric.LayerFabric(
        layer=place,
        operations=operations,
        output_bits=chip.output_bits(place),
        table=layer.activation == "sigmoid",
        operands=layer.providers if added else (),
        groups_together=cut.groups_together if weighty else 0,
        sections=cut.sections if weighty else 0,
        samples=samples_in(chip, place) if weighty else 0,
        partial_sum_bits=chip.sum_bits(place) if weighty else 0,
        held=tuple(held_in(chip, place, one, adcs[one.macro]) for one in chip.holdings(place))
        if weighty
        else (held_without(chip, place),),
    )


def held_in(chip: ChipPlan, place: int, one: Holding, adcs: int) -> arch_fabric.Held:
    """Return what a macro holds of a layer with weights; adcs: that are built there."""
    cut, lanes = chip.cut(place), chip.constants.vector_units.lanes
    wide = -(-chip.network.layers[place].out_channels // lanes)
    conversions, sums = conversions_in(cut, one), lane_groups_in(cut, one, lanes)
    units, results = units_in(cut, one), chip.results(place).get(one.macro, 0)
    steps = chip.clocks_per_bit[place]
    more = wide if chip.is_chained(place) else 0
    if not cut.pairs:
        more += units * -(-cut.side // lanes)
    return arch_fabric.Held(
        macro=one.macro,
        copies=(one.copies.start, one.copies.stop),
        row_tiles=(one.row_tiles.start, one.row_tiles.stop),
        results=results,
        units=units,
        crossbars=crossbars_in(cut, one),
        dacs=rows_in(cut, one),
        conversions=conversions,
        adcs=adcs_for(conversions, samples_in(chip, place)),
        slots=-(-conversions // adcs),
        shift_add=units_for(chip, "shift_add", sums, steps),
        addition=units_for(chip, "addition", sums + more, steps),
        activation=units_for(chip, activation_of(chip, place), results * wide, 1),
        pool=0,
        eltwise=0,
    )


def held_without(chip: ChipPlan, place: int) -> arch_fabric.Held:
    """Return what the merge macro of a provider has for a layer without weights."""
    layer, placed = chip.network.layers[place], chip.plan.layers[place]
    vectors = placed.copies * -(-layer.out_channels // chip.constants.vector_units.lanes)
    pooled, added = vectors * layer.taps, vectors * max(1, len(layer.providers) - 1)
    if layer.product:
        added = vectors * chip.activation_bits
    is_pool = layer.kind == "pool"
    return arch_fabric.Held(
        macro=placed.merge_macro,
        copies=(0, placed.copies),
        row_tiles=(0, 0),
        results=placed.copies,
        units=0,
        crossbars=0,
        dacs=0,
        conversions=0,
        adcs=0,
        slots=0,
        shift_add=0,
        addition=0,
        activation=units_for(chip, activation_of(chip, place), vectors, 1),
        pool=units_for(chip, "pool", pooled, 1) if is_pool else 0,
        eltwise=0 if is_pool else units_for(chip, "eltwise", added, 1),
    )


def activation_of(chip: ChipPlan, place: int) -> str:
    """Return the unit that requantizes the results of a layer."""
    return "sigmoid" if chip.network.layers[place].activation == "sigmoid" else "relu"


def units_for(chip: ChipPlan, name: str, work: int, steps: int) -> int:
    """Return the digital units that do some vectors in some steps; a part of one is none."""
    rate = getattr(chip.constants.vector_units, name).operations_per_ns
    return adcs_for(work, max(1, samples_of(rate, steps * chip.step_ns)))


def macros_of(
    chip: ChipPlan,
    layers: tuple[arch_fabric.LayerFabric, ...],
    regions: tuple[arch_fabric.Region, ...],
) -> tuple[arch_fabric.Macro, ...]:
    """Return what is built in each macro."""
    adcs = built_adcs(chip)
    return tuple(
        macro_of(chip, macro, adcs.get(macro, 0), layers, regions)
        for macro in range(chip.plan.macros)
    )


def macro_of(
    chip: ChipPlan,
    macro: int,
    adcs: int,
    layers: tuple[arch_fabric.LayerFabric, ...],
    regions: tuple[arch_fabric.Region, ...],
) -> arch_fabric.Macro:
    """Return what is built in one macro, of all layers that are in it."""
    inside = [(each, one) for each in layers for one in each.held if one.macro == macro]
    held = [one for _, one in inside]
    return arch_fabric.Macro(
        macro=macro,
        node=chip.node(macro),
        words=sum(each.words for each in regions if each.macro == macro),
        adcs=adcs,
        dacs=sum(one.dacs for one in held),
        crossbars=sum(one.crossbars for one in held),
        shift_add=sum(one.shift_add for one in held),
        addition=sum(one.addition for one in held),
        relu=sum(one.activation for each, one in inside if not each.table),
        sigmoid=sum(one.activation for each, one in inside if each.table),
        pool=sum(one.pool for one in held),
        eltwise=sum(one.eltwise for one in held),
    )
