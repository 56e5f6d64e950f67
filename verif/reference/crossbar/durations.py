"""How long each operation of each layer takes, and how far its blocks are apart, in steps.

An engine works a few clocks behind the tick that started it. Its own layer does not see that, since
the next operation works as much later. The last operation of a layer pays for it, because readers
do not, and so does every travel behind the crossbars, because its links are free at a tick.
"""

import math

from hwgen.crossbar.facts.arch_fabric import Operation
from hwgen.crossbar.facts.chip_plan import ChipPlan
from hwgen.crossbar.facts.layout import IMAGE_MACRO, most_arriving
from hwgen.crossbar.facts.operations import PER_BIT, OperationName
from hwgen.crossbar.facts.ports import elements_in_a_word, pool_clocks, shares_of
from verif.reference.crossbar.port_times import PortTimes, is_sent, port_times

VECTOR_CLOCKS = 11
"""Of a macro of a chain: a hop, and an addition of a vector, as they are charged."""


def names_of(chip: ChipPlan, place: int) -> list[OperationName]:
    """Return the operations that a block of a layer goes through, in their order."""
    layer, placed = chip.network.layers[place], chip.plan.layers[place]
    names: list[OperationName] = [] if layer.providers else ["transfer"]
    names.append("load")
    if layer.kind in ("conv", "fc"):
        names += ["mvm", "adc", "shift_add", "addition"]
    else:
        names.append("pool" if layer.kind == "pool" else "eltwise")
    if chip.is_chained(place):
        names.append("chain")
    names.append("activation")
    if set(chip.results(place)) - {placed.merge_macro}:
        names.append("gather")
    names.append("store")
    if is_sent(chip, place):
        names.append("send" if chip.readers(place) else "result")
    return names


def operations_of(chip: ChipPlan) -> list[tuple[Operation, ...]]:
    """Return the operations of each layer."""
    ports = port_times(chip)
    return [
        tuple(operation_of(chip, place, name, ports[place]) for name in names_of(chip, place))
        for place in range(len(chip.network.layers))
    ]


def operation_of(chip: ChipPlan, place: int, name: OperationName, port: PortTimes) -> Operation:
    """Return one operation of a layer; port: the accesses of the layer."""
    bit_steps = chip.bit_steps if name in PER_BIT else 1
    ns = worked_ns(chip, place, name, port)
    steps = whole_steps(chip, unit_clocks(chip, place, name) * chip.clock_ns)
    if name in (*PER_BIT, "addition"):
        steps = chip.clocks_per_bit[place]
    if ns > 0:
        steps = whole_steps(chip, ns)
    apart = {"load": port.load_period}
    apart |= dict.fromkeys(("store", "send", "result"), port.store_period)
    period = whole_steps(chip, apart.get(name, 0) * chip.access_ns)
    return Operation(
        name=name,
        steps=steps,
        bit_steps=bit_steps,
        period=max(steps * bit_steps, period),
        clocks=math.ceil(ns / chip.clock_ns) if ns > 0 else steps * chip.step_clocks,
    )


def whole_steps(chip: ChipPlan, ns: float) -> int:
    """Return the steps that something takes, one at least."""
    return max(1, math.ceil(ns / chip.step_ns))


def worked_ns(chip: ChipPlan, place: int, name: OperationName, port: PortTimes) -> float:
    """Return how long an operation works; 0: always whole steps."""
    access_ns, ns = chip.access_ns, 0.0
    match name:
        case "transfer":
            ns = max(image_ns(chip, place), port.transfer * access_ns)
        case "load":
            ns = port.load * access_ns
        case "chain":
            ns = chain_ns(chip, place) + chip.lag_ns
        case "gather":
            ns = gather_ns(chip, place) + chip.lag_ns
        case "store":
            ns = port.store * access_ns + (0.0 if is_sent(chip, place) else chip.lag_ns)
        case "send" | "result":
            ns = port.send * access_ns + send_ns(chip, place) + chip.lag_ns
    return ns


def unit_clocks(chip: ChipPlan, place: int, name: OperationName) -> int:
    """Return the clocks that a pooling, an addition of maps or an activation takes at least.

    Its lanes take a word of elements in a clock at most, a pooling of one pixel, tap and map.
    """
    layer, placed = chip.network.layers[place], chip.plan.layers[place]
    word = elements_in_a_word(chip.bus_bits, chip.activation_bits)
    match name:
        case "pool":
            return placed.copies * pool_clocks(layer, shares_of(chip.network, place), word)
        case "eltwise":
            return -(-placed.copies * layer.out_channels // word)
        case "activation":
            out_word = elements_in_a_word(chip.bus_bits, chip.output_bits(place))
            return -(-max(chip.results(place).values()) * layer.out_channels // out_word)
    return 0


def image_ns(chip: ChipPlan, place: int) -> float:
    """Return how long the new pixels of a block take to all macros of a layer."""
    layer, placed = chip.network.layers[place], chip.plan.layers[place]
    elements = most_arriving(layer, placed.copies) * layer.in_channels
    farthest = max(chip.plan.hops(IMAGE_MACRO, macro) for macro in placed.macros)
    return travel_ns(chip, farthest, chip.flits(elements * chip.activation_bits))


def send_ns(chip: ChipPlan, place: int) -> float:
    """Return how long a block of results takes to all macros of its readers, or off the chip."""
    layer, placed = chip.network.layers[place], chip.plan.layers[place]
    targets = chip.reader_macros(place) or {IMAGE_MACRO}
    farthest = max(chip.plan.hops(placed.merge_macro, macro) for macro in targets)
    bits = placed.copies * layer.out_channels * chip.output_bits(place)
    return travel_ns(chip, farthest, chip.flits(bits))


def travel_ns(chip: ChipPlan, hops: int, flits: int) -> float:
    """Return how long a header and flits travel."""
    return chip.constants.network_on_chip.hop_ns * (hops + 1 + flits)


def gather_ns(chip: ChipPlan, place: int) -> float:
    """Return how long the results of a block take to the merge macro, source after source."""
    layer, placed = chip.network.layers[place], chip.plan.layers[place]
    clocks, farthest = 0, 0
    for macro, copies in chip.results(place).items():
        if macro != placed.merge_macro:
            clocks += 1 + chip.flits(copies * layer.out_channels * chip.output_bits(place))
            farthest = max(farthest, chip.plan.hops(macro, placed.merge_macro))
    return chip.constants.network_on_chip.hop_ns * (clocks + farthest)


def chain_ns(chip: ChipPlan, place: int) -> float:
    """Return how long the partial sums of a copy take along its macros.

    Each macro waits for a whole vector of sums, adds its own, and passes it on.
    """
    layer, bits = chip.network.layers[place], chip.sum_bits(place)
    whole = chip.flits(layer.out_channels * bits)
    vector = chip.flits(chip.constants.vector_units.lanes * bits)
    macros = chip.plan.layers[place].chain_macros
    return chip.constants.network_on_chip.hop_ns * (whole + (macros - 1) * (vector + VECTOR_CLOCKS))
