"""An architecture as the description of a chip that generators and the cycle model take."""

from dataclasses import fields
from typing import Any, TypeVar

from hwgen.crossbar.facts import chip_facts
from hwgen.crossbar.facts.arch import Arch, fabric_of_chip
from hwgen.crossbar.facts.chip_facts import ChipFacts, ChipLayer
from hwgen.crossbar.facts.fabric import LayerFabric
from hwgen.crossbar.facts.holdings import cut_of

Described = TypeVar("Described")


def described(arch: Arch) -> ChipFacts:
    """Return the description of a chip; published rules describe no hardware and are refused."""
    fabric = fabric_of_chip(arch, arch.name)
    network = arch.whole_network
    macros = tuple(
        like(
            chip_facts.Macro,
            macro,
            layers=tuple(
                layer.layer
                for layer in fabric.layers
                if any(held.macro == macro.macro for held in layer.held)
            ),
        )
        for macro in fabric.macros
    )
    return ChipFacts(
        name=arch.name,
        digest=arch.digest,
        side=arch.point.side,
        cell_bits=arch.point.cell_bits,
        dac_bits=arch.point.dac_bits,
        adc_bits=arch.adc_bits,
        weight_bits=arch.weight_bits,
        activation_bits=arch.activation_bits,
        slices=arch.slices,
        bit_steps=arch.bit_steps,
        column_accumulator_bits=fabric.encoding.column_accumulator_bits,
        input_sum_bits=fabric.encoding.input_sum_bits,
        step_clocks=fabric.clock.step_clocks,
        access_clocks=fabric.clock.access_clocks,
        word_bits=arch.scratchpad.bus_bits,
        flit_bits=arch.mesh.flit_bits,
        lanes=arch.vector_lanes,
        adc_samples=fabric.adc_rate.samples,
        adc_clocks=fabric.adc_rate.clocks,
        rows=arch.mesh.rows,
        columns=arch.mesh.columns,
        io_node=fabric.io.node,
        image_channels=network.input_channels,
        image_sides=network.input_sides,
        interval=fabric.stream.interval_steps,
        layers=tuple(layer_of(arch, layer) for layer in fabric.layers),
        macros=macros,
        regions=tuple(like(chip_facts.Region, region) for region in fabric.regions),
        travels=tuple(like(chip_facts.Travel, travel) for travel in fabric.travels),
    )


def layer_of(arch: Arch, own: LayerFabric) -> ChipLayer:
    """Return one layer."""
    given = arch.layers[own.layer]
    layer, place, mapping = given.layer, given.place, given.mapping
    return ChipLayer(
        place=own.layer,
        layer=layer,
        copies=mapping.copies,
        blocks=mapping.blocks,
        first_macro=place.first_macro,
        macros=place.macros,
        merge_macro=place.merge_macro,
        mate=place.mate,
        clocks_per_bit=mapping.clocks_per_bit,
        operations=tuple(like(chip_facts.Operation, each) for each in own.operations),
        output_bits=own.output_bits,
        raw=layer.raw_bits is not None,
        table=own.table,
        operands=own.operands,
        cut=cut_of(layer, arch.point.side, arch.slices) if layer.has_weights else None,
        partial_sum_bits=own.partial_sum_bits,
        held=tuple(like(chip_facts.Held, each) for each in own.held),
    )


def like(kind: type[Described], given: object, **more: Any) -> Described:
    """Return what a description says of something that an architecture says more of."""
    names = [field.name for field in fields(kind) if field.name not in more]  # type: ignore[arg-type]
    return kind(**{name: getattr(given, name) for name in names}, **more)
