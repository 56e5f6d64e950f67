"""Steps that each operation of a layer takes, and the links that its travels use.

Sheet of seed 003, section 6.
"""

from collections.abc import Collection

from golden.crossbar.case import Case
from golden.crossbar.durations import operations_of
from golden.crossbar.ir import Operation
from hwgen.crossbar.facts.components import Scratchpad
from hwgen.crossbar.facts.layout import Link
from hwgen.crossbar.facts.operations import TRAVELS
from hwgen.crossbar.facts.travels import conflicts_of, travels_of

Durations = list[list[int]]
"""Steps of one node, by layer, then by place of the operation."""


def durations_of(case: Case, memory: Scratchpad | None, step_ns: float) -> Durations:
    """Return the steps of every operation; no scratchpad: loads and stores take one step."""
    if case.strict and memory is not None:
        chip = case.chip(memory, step_ns)
        return [[each.steps for each in operations] for operations in operations_of(chip)]
    return [
        [published_steps(case, memory, step_ns, place, operation) for operation in flow.operations]
        for place, flow in enumerate(case.dataflow.layers)
    ]


def published_steps(
    case: Case, memory: Scratchpad | None, step_ns: float, place: int, operation: Operation
) -> int:
    """Return the steps of one operation by published rules."""
    if operation.ir in TRAVELS:
        return whole_steps(travel_ns(case, place, operation.ir), step_ns)
    if operation.ir in ("load", "store") and memory is not None:
        elements = macro_elements(case, place, operation.ir)
        return whole_steps(case.accesses(elements) * case.access_ns(memory), step_ns)
    weighty = operation.per_bit or operation.aluop == "addition"
    return case.choice.clocks[place] if weighty else 1


def periods_of(case: Case, memory: Scratchpad | None, step_ns: float) -> Durations | None:
    """Return the steps from a block to the next that ports of scratchpads ask of each operation."""
    if memory is None or not case.strict:
        return None
    chip = case.chip(memory, step_ns)
    return [[each.period for each in operations] for operations in operations_of(chip)]


def whole_steps(ns: float, step_ns: float) -> int:
    """Return the pipeline steps that something takes, one at least."""
    return max(1, int(-(-ns // step_ns)))


def travel_ns(case: Case, place: int, kind: str) -> float:
    """Return how long a block's inputs or outputs travel: one hop, one flit at a time."""
    layer, placed = case.network.layers[place], case.plan.layers[place]
    noc = case.components.network_on_chip
    share = -(-placed.copies // placed.copy_shares)
    if kind == "merge":
        elements = share * layer.out_channels
        hops = max(case.plan.hops(macro, placed.merge_macro) for macro in placed.macros)
    else:
        channels = -(-layer.in_channels // placed.row_shares)
        elements = {
            "conv": (share * layer.strides[1] + layer.spans[1]) * channels,
            "fc": channels,
            "pool": (placed.copies * layer.strides[1] + layer.spans[1]) * layer.out_channels,
            "eltwise": placed.copies * layer.out_channels,
        }[layer.kind]
        hops = max(len(route) for route in routes(case, place, kind))
    flits = -(-elements * case.components.activation_bits // noc.flit_bits)
    return noc.hop_ns * (hops + flits)


def macro_elements(case: Case, place: int, kind: str) -> float:
    """Return what one macro reads or writes for a block, the mean (published rules)."""
    layer, placed = case.network.layers[place], case.plan.layers[place]
    if not layer.has_weights:
        outputs = placed.copies * layer.out_channels
        return case.loaded(layer, place) if kind == "load" else outputs
    copies, rows = placed.copies / placed.copy_shares, placed.rows / placed.row_shares
    if kind == "store":
        return copies * layer.out_channels
    return rows * copies * placed.column_tiles * case.slices


def routes(case: Case, place: int, kind: str) -> list[list[Link]]:
    """Return the routes of a layer's transfer or merge, by published rules."""
    placed = case.plan.layers[place]
    if kind == "merge":
        return [case.plan.route(macro, placed.merge_macro) for macro in placed.macros]
    sources = [case.plan.layers[p].merge_macro for p in case.network.layers[place].providers]
    return [case.plan.route(source, macro) for source in sources for macro in placed.macros]


Kind = tuple[int, str]
"""A layer and one of TRAVELS."""


def clashing(case: Case) -> Collection[tuple[Kind, Kind]]:
    """Return the pairs of travels that have a link in common."""
    if case.strict:
        chip = case.chip(case.memories()[0], case.components.step_floor_ns)
        return conflicts_of(travels_of(chip))
    links = {
        (place, operation.ir): {
            link for route in routes(case, place, operation.ir) for link in route
        }
        for place, flow in enumerate(case.dataflow.layers)
        for operation in flow.operations
        if operation.ir in TRAVELS
    }
    return {(a, b) for a in links for b in links if a != b and links[a] & links[b]}
