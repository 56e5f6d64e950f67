"""Steps that each operation of a layer takes, and the links that its travels use.

Sheet of seed 003, section 6.
"""

from golden.crossbar.case import Case
from golden.crossbar.ports import port_times
from golden.crossbar.results import reader_macros
from hwgen.crossbar.facts.components import Scratchpad
from hwgen.crossbar.facts.encoding import partial_sum_bits
from hwgen.crossbar.facts.layout import IMAGE_MACRO, Link, most_arriving

Durations = list[list[int]]
"""Steps of one node, by layer, then by place of the operation."""

TRAVELS = ("transfer", "chain", "gather", "merge", "send")


def durations_of(case: Case, memory: Scratchpad | None, step_ns: float) -> Durations:
    """Return the steps of every operation; no scratchpad: loads and stores take one step."""
    durations = []
    ports = port_times(case) if case.strict else []
    for place, flow in enumerate(case.dataflow.layers):
        clocks = case.choice.clocks[place]
        steps = []
        for operation in flow.operations:
            if operation.ir in TRAVELS:
                ns = travel_ns(case, place, operation.ir)
                if operation.ir in ports_of(case, place) and ports and memory is not None:
                    ns = max(ns, ports[place][operation.ir] * case.access_ns(memory))
                steps.append(whole_steps(ns, step_ns))
            elif operation.ir in ("load", "store") and ports and memory is not None:
                ns = ports[place][operation.ir] * case.access_ns(memory)
                steps.append(whole_steps(ns, step_ns))
            elif operation.ir in ("load", "store"):
                elements = macro_elements(case, place, operation.ir)
                ns = 0.0 if memory is None else case.accesses(elements) * case.access_ns(memory)
                steps.append(whole_steps(ns, step_ns))
            else:
                weighty = operation.per_bit or operation.aluop == "addition"
                steps.append(clocks if weighty else 1)
        durations.append(steps)
    return durations


def ports_of(case: Case, place: int) -> tuple[str, ...]:
    """Return the travels of a layer that take the port of a scratchpad."""
    return ("send", "transfer") if case.reads_image(place) else ("send",)


def periods_of(case: Case, memory: Scratchpad | None, step_ns: float) -> Durations | None:
    """Return the steps from a block to the next that ports of scratchpads ask of each operation."""
    if memory is None or not case.strict:
        return None
    access_ns = case.access_ns(memory)
    return [
        [
            whole_steps(times.get(f"{operation.name} period", 0) * access_ns, step_ns)
            for operation in flow.operations
        ]
        for flow, times in zip(case.dataflow.layers, port_times(case), strict=True)
    ]


def whole_steps(ns: float, step_ns: float) -> int:
    """Return the pipeline steps that something takes, one at least."""
    return max(1, int(-(-ns // step_ns)))


def travel_ns(case: Case, place: int, kind: str) -> float:
    """Return how long a block's inputs or outputs travel: one hop, one flit at a time."""
    layer, placed = case.network.layers[place], case.plan.layers[place]
    noc = case.components.network_on_chip
    share = -(-placed.copies // placed.copy_shares)
    if kind == "chain":
        return chain_ns(case, place)
    if kind == "transfer" and case.reads_image(place):
        elements = most_arriving(layer, placed.copies) * layer.in_channels
        flits = -(-elements * case.components.activation_bits // noc.flit_bits)
        longest = max(len(route) for route in routes(case, place, kind))
        return noc.hop_ns * (longest + 1 + flits)
    if kind == "send":
        bits = placed.copies * layer.out_channels * case.components.activation_bits
        longest = max(len(route) for route in routes(case, place, kind))
        return noc.hop_ns * (longest + 1 - (-bits // noc.flit_bits))
    if kind == "gather":
        others = {m: own for m, own in case.results(place).items() if m != placed.merge_macro}
        clocks = max(case.plan.hops(macro, placed.merge_macro) for macro in others)
        for copies in others.values():
            bits = copies * layer.out_channels * case.components.activation_bits
            clocks += 1 - (-bits // noc.flit_bits)
        return noc.hop_ns * clocks
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


def chain_ns(case: Case, place: int) -> float:
    """Return how long partial sums take along the macros of a copy.

    Each macro waits for a whole vector of sums, adds its own, and passes it on: that is a vector,
    10 clocks and a hop for each macro but the first.
    """
    layer, placed = case.network.layers[place], case.plan.layers[place]
    noc, components = case.components.network_on_chip, case.components
    width = partial_sum_bits(placed.rows, components.weight_bits, components.activation_bits)
    all_flits = -(-layer.out_channels * width // noc.flit_bits)
    vector_flits = -(-components.vector_units.lanes * width // noc.flit_bits)
    return noc.hop_ns * (all_flits + (placed.chain_macros - 1) * (vector_flits + 10 + 1))


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
    """Return the routes of a layer's transfer or merge."""
    placed = case.plan.layers[place]
    if kind == "chain":
        ends = case.results(place)
        inner = [macro for macro in placed.macros if macro not in ends]
        return [case.plan.route(macro, macro + 1) for macro in inner]
    if kind == "send":
        targets = reader_macros(case.network, case.plan, place)
        return [case.plan.route(placed.merge_macro, macro) for macro in targets]
    if kind == "gather":
        return [case.plan.route(macro, placed.merge_macro) for macro in case.results(place)]
    if kind == "merge":
        return [case.plan.route(macro, placed.merge_macro) for macro in placed.macros]
    if case.reads_image(place):
        return [case.plan.route(IMAGE_MACRO, macro) for macro in placed.macros]
    sources = [case.plan.layers[p].merge_macro for p in case.network.layers[place].providers]
    return [case.plan.route(source, macro) for source in sources for macro in placed.macros]


OUTSIDE = (-1, -1)
"""What the local port of a router leads to and comes from."""

Kind = tuple[int, str]
"""A layer and one of TRAVELS."""


def clashing(case: Case) -> set[tuple[Kind, Kind]]:
    """Return the pairs of travels that have a link in common."""
    links = {
        (place, operation.ir): {
            link for route in routes(case, place, operation.ir) for link in route
        }
        for place, flow in enumerate(case.dataflow.layers)
        for operation in flow.operations
        if operation.ir in TRAVELS
    }
    if case.strict:
        for (place, ir), used in links.items():
            if ir == "transfer" and case.reads_image(place):
                macros = case.plan.layers[place].macros
                used |= {(OUTSIDE, case.plan.position(macro)) for macro in macros}
                continue
            for route in (each for each in routes(case, place, ir) if each):
                used |= {(route[0][0], OUTSIDE), (OUTSIDE, route[-1][1])}
    return {(a, b) for a in links for b in links if a != b and links[a] & links[b]}
