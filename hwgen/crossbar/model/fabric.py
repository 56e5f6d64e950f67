"""The fabric of a confirmed design: the sizes of its regions are simulated, all else follows."""

from itertools import accumulate
from typing import TYPE_CHECKING

from hwgen.crossbar.facts.fabric import Constants, Fabric, Region
from hwgen.crossbar.facts.fabric_plan import Chip, fabric_of
from hwgen.crossbar.facts.layout import Choice, Floorplan, floorplan
from hwgen.crossbar.model.buffers import (
    inputs_held,
    is_read_in_place,
    output_need,
)
from hwgen.crossbar.model.exact import exact_times, stream_times
from hwgen.crossbar.model.tables import BUS_BITS, DATA_BITS, KILOBYTES
from hwgen.crossbar.model.timing import Times

if TYPE_CHECKING:
    from hwgen.crossbar.model.record import Confirmed


def make_fabric(confirmed: "Confirmed") -> Fabric | None:
    """Return the fabric of a design; None under published rules, which describe no hardware."""
    if confirmed.rules == "published":
        return None
    design, point, components = confirmed.design, confirmed.point, confirmed.components
    copies, macros, mate, clocks = (tuple(int(one) for one in each) for each in design)
    choice = Choice(copies=copies, macros=macros, mate=mate, clocks=clocks)
    plan = floorplan(confirmed.network, components, point, confirmed.rules, choice)
    chip = Chip(
        network=confirmed.network,
        plan=plan,
        point=point,
        weight_bits=components.weight_bits,
        activation_bits=components.activation_bits,
        step_ns=float(confirmed.cost.step_ns),
        clocks_per_bit=choice.clocks,
        constants=constants_of(confirmed),
    )
    return fabric_of(chip, tuple(regions_of(confirmed, plan)))


def constants_of(confirmed: "Confirmed") -> Constants:
    """Return the constants of the parts that a design consists of."""
    components, point = confirmed.components, confirmed.point
    kilobytes = int(confirmed.tables.memories[confirmed.cost.memory, KILOBYTES])
    pads = components.scratchpads.capacities
    return Constants(
        crossbar=next(one for one in components.crossbars.sizes if one.side == point.side),
        crossbar_latency_ns=components.crossbars.latency_ns,
        adc=next(one for one in components.adcs.resolutions if one.bits == point.adc_bits),
        dac=next(one for one in components.dacs.resolutions if one.bits == point.dac_bits),
        vector_units=components.vector_units,
        scratchpad=next(one for one in pads if one.kilobytes == kilobytes),
        network_on_chip=components.network_on_chip,
        step_floor_ns=components.step_floor_ns,
    )


def regions_of(confirmed: "Confirmed", plan: Floorplan) -> list[Region]:
    """Return the regions of all scratchpads, macro after macro; each is a ring of whole words."""
    layers = range(len(confirmed.network.layers))
    seen = seen_times(confirmed)
    inputs = [words_of(confirmed, inputs_waiting(confirmed, seen, place)) for place in layers]
    outputs = [words_of(confirmed, outputs_held(confirmed, seen, place)) for place in layers]
    found = []
    for macro in range(plan.macros):
        first = 0
        for place in layers:
            placed = plan.layers[place]
            kinds = [("input", inputs[place])] if macro in placed.macros else []
            kinds += [("output", outputs[place])] if macro == placed.merge_macro else []
            for kind, words in kinds:
                if words > 0:
                    found.append(
                        Region(
                            macro=macro,
                            kind="input" if kind == "input" else "output",
                            layer=place,
                            first_word=first,
                            words=words,
                            first_channels=first_channels(confirmed, place)
                            if kind == "input"
                            else (),
                        )
                    )
                    first += words
    return found


def words_of(confirmed: "Confirmed", elements: float) -> int:
    """Return the words that hold some elements."""
    scalars = confirmed.tables.scalars
    return -int(-elements * scalars[DATA_BITS] // scalars[BUS_BITS])


def seen_times(confirmed: "Confirmed") -> tuple[Times, Times]:
    """Return the times of one image, and of a stream."""
    tables, layout, pipeline = confirmed.tables, confirmed.layout, confirmed.pipeline
    mate, stream = confirmed.design.mate, confirmed.stream
    return (
        exact_times(tables, layout, pipeline, mate),
        stream_times(tables, layout, pipeline, mate, stream.images, stream.interval),
    )


def inputs_waiting(confirmed: "Confirmed", seen: tuple[Times, Times], place: int) -> float:
    """Return the most input elements that a macro of a layer holds, of one image or of a stream."""
    tables, layout = confirmed.tables, confirmed.layout
    return max(float(inputs_held(tables, layout, times, place)) for times in seen)


def outputs_held(confirmed: "Confirmed", seen: tuple[Times, Times], place: int) -> float:
    """Return the most output elements of a layer that wait, of one image or of a stream."""
    tables, layout = confirmed.tables, confirmed.layout
    return max(float(output_need(tables, layout, times, place)) for times in seen)


def first_channels(confirmed: "Confirmed", place: int) -> tuple[int, ...]:
    """Return the channel at which each provider begins, of those that are not read in place."""
    layers = confirmed.network.layers
    if confirmed.tables.image[place] > 0:
        return (0,)
    sent = [
        provider
        for provider in layers[place].providers
        if not is_read_in_place(confirmed.layout, place, provider)
    ]
    channels = [layers[provider].out_channels for provider in sent]
    return tuple(accumulate([0, *channels[:-1]])) if sent else ()
