"""Steps that each operation of a layer takes, and the links that its travels use.

Sheet of seed 003, section 6.

Tests: `tests/crossbar/model/test_exact.py`.
"""

import math
from collections.abc import Collection

from golden.crossbar.ir import Operation
from hwgen.crossbar.facts.arch_fabric import Operation as Timed
from hwgen.crossbar.facts.arch_fabric import Travel
from hwgen.crossbar.facts.chip_plan import ChipPlan
from hwgen.crossbar.facts.components import Scratchpad
from hwgen.crossbar.facts.layout import Link
from hwgen.crossbar.facts.operations import TRAVELS
from hwgen.crossbar.facts.travels import conflicts_of, travel, travels_of, tree_of
from verif.reference.crossbar.case import Case
from verif.reference.crossbar.durations import operations_of

Durations = list[list[int]]
"""Steps of one node, by layer, then by place of the operation."""


def durations_of(case: Case, memory: Scratchpad | None, step_ns: float) -> Durations:
    """Return the steps of every operation; no scratchpad: loads and stores take one step."""
    if case.rules.one_port and memory is not None:
        found = timed_operations(case, case.chip(memory, step_ns))
        return [[each.steps for each in operations] for operations in found]
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
    if memory is None or not case.rules.one_port:
        return None
    found = timed_operations(case, case.chip(memory, step_ns))
    return [[each.period for each in operations] for operations in found]


def timed_operations(case: Case, chip: ChipPlan) -> list[list[Timed]]:
    """Return the operations of each layer; without chains a merge follows the store."""
    found = [list(operations) for operations in operations_of(chip)]
    if case.rules.chain_before_activation:
        return found
    for place, operations in enumerate(found):
        gone = {"chain", "gather"} if case.activation(place) else {"chain", "gather", "activation"}
        operations[:] = [each for each in operations if each.name not in gone]
        if any(each.ir == "merge" for each in case.dataflow.layers[place].operations):
            store = [each.name for each in operations].index("store")
            operations.insert(store + 1, merge_of(case, chip, place))
    return found


def merge_of(case: Case, chip: ChipPlan, place: int) -> Timed:
    """Return the merge of a layer, which pays for the lag of its engines as a gather does."""
    ns = travel_ns(case, place, "merge") + chip.lag_ns
    steps = whole_steps(ns, chip.step_ns)
    return Timed(
        name="merge", steps=steps, bit_steps=1, period=steps, clocks=math.ceil(ns / chip.clock_ns)
    )


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
    if case.rules.image_travels:
        chip = case.chip(case.memories()[0], case.components.step_floor_ns)
        if case.rules.chain_before_activation:
            return conflicts_of(travels_of(chip))
        return {(named(a), named(b)) for a, b in conflicts_of(merging(chip))}
    links = {
        (place, operation.ir): {
            link for route in routes(case, place, operation.ir) for link in route
        }
        for place, flow in enumerate(case.dataflow.layers)
        for operation in flow.operations
        if operation.ir in TRAVELS
    }
    return {(a, b) for a in links for b in links if a != b and links[a] & links[b]}


def merging(chip: ChipPlan) -> list[Travel]:
    """Return all travels where results are merged behind the store, merges as gathers."""
    travels = [each for each in travels_of(chip) if each.kind not in ("chain", "gather")]
    for place, placed in enumerate(chip.plan.layers):
        target = chip.node(placed.merge_macro)
        for source in (chip.node(macro) for macro in placed.macros):
            if source != target:
                made = travel(
                    chip,
                    "gather",
                    place,
                    readers=(place,),
                    source=source,
                    targets=(target,),
                    tree=tree_of(chip, source, [target]),
                    pixels=1,
                    channels=1,
                )
                travels.append(made)
    return travels


def named(kind: Kind) -> Kind:
    """Return a kind of travel, a gather of `merging` by its own name."""
    return (kind[0], "merge") if kind[1] == "gather" else kind
