"""When each node of a dataflow starts, step by step (sheet of seed 003, section 6).

A node starts when all that it waits for has started and the delays of those edges are over. Two
things can hold it back: a link of the mesh, and an ADC that two layers share.
"""

from dataclasses import dataclass, field
from itertools import chain

from hwgen.model.crossbar.reference.case import Case
from hwgen.model.crossbar.reference.ports import port_times
from hwgen.spec.crossbar.components import Scratchpad
from hwgen.spec.crossbar.encoding import partial_sum_bits
from hwgen.spec.crossbar.holdings import holdings_of
from hwgen.spec.crossbar.ir import Dataflow, Edge, Node
from hwgen.spec.crossbar.layout import IMAGE_MACRO, Link, most_arriving
from hwgen.spec.crossbar.results import reader_macros
from hwgen.spec.crossbar.rules import NONE, Corrections

Durations = list[list[int]]
"""Steps of one node, by layer, then by place of the operation."""

TRAVELS = ("transfer", "chain", "gather", "merge", "send")


def durations_of(case: Case, memory: Scratchpad | None, step_ns: float) -> Durations:
    """Return the steps of every operation; no scratchpad: loads and stores take one step."""
    durations = []
    ports = port_times(case) if case.rule.ports else []
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
    if memory is None or not case.rule.ports:
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
    """Return what one macro reads or writes for a block: the mean, strict: the most of any."""
    layer, placed = case.network.layers[place], case.plan.layers[place]
    if not layer.has_weights:
        outputs = placed.copies * layer.out_channels
        return case.loaded(layer, place) if kind == "load" else outputs
    copies = placed.copies / placed.copy_shares
    rows = placed.rows / placed.row_shares
    if case.strict:
        copies = -(-placed.copies // placed.copy_shares)
        rows = -(-placed.rows // placed.row_shares)
    if case.rule.parts:
        held = holdings_of(case.cut(place), placed.copies, placed.macros)
        copies = max(len(one.copies) for one in held)
        rows = min(placed.rows, case.point.side * max(len(one.row_tiles) for one in held))
    if kind == "store":
        return (placed.copies if case.rule.merge else copies) * layer.out_channels
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
    if case.rule.links:
        for (place, ir), used in links.items():
            if ir == "transfer" and case.reads_image(place):
                macros = case.plan.layers[place].macros
                used |= {(OUTSIDE, case.plan.position(macro)) for macro in macros}
                continue
            for route in (each for each in routes(case, place, ir) if each):
                used |= {(route[0][0], OUTSIDE), (OUTSIDE, route[-1][1])}
    return {(a, b) for a in links for b in links if a != b and links[a] & links[b]}


def delay(
    dataflow: Dataflow, durations: Durations, edge: Edge, periods: Durations | None = None
) -> int:
    """Return the steps that must lie between the starts of the two nodes of an edge."""
    layer, _, place, _ = edge.source
    steps = durations[layer]
    if edge.kind in ("inter-bit", "inter-layer", "bank"):
        return steps[place] if edge.kind != "bank" else 1
    operations = dataflow.layers[layer].operations
    repeats = [dataflow.bits if operation.per_bit else 1 for operation in operations]
    own = steps[place] * repeats[place]
    if edge.kind == "register":
        return max(1, own - 1)
    if periods is not None and edge.kind == "inter-block":
        return max(periods[layer][place], delay(dataflow, durations, edge))
    if place + 1 == len(operations) or (dataflow.registers and edge.kind == "inter-block"):
        return own
    all_bits = operations[place].per_bit and not operations[place + 1].per_bit
    to_next = steps[place] * (dataflow.bits if all_bits else 1)
    if edge.kind == "inter-operation":
        return to_next
    return max(own, to_next + steps[place + 1] * repeats[place + 1] - 1)


@dataclass(frozen=True, kw_only=True)
class Trace:
    """What happened in a run; starts: the step at which each node starts, in that order."""

    dataflow: Dataflow
    durations: Durations
    starts: dict[Node, int]

    def end(self, node: Node) -> int:
        """Return the first step at which a node is over."""
        return self.starts[node] + self.durations[node.layer][node.place]

    def steps_of(self, layer: int, name: str) -> list[int]:
        """Return when each block of a layer begins an operation."""
        flow = self.dataflow.layers[layer]
        place = flow.place_of(name)
        assert place is not None
        return [self.starts[Node(layer, cnt, place, 0)] for cnt in range(flow.blocks)]


@dataclass(frozen=True, kw_only=True)
class Simulator:
    """One run of a dataflow.

    mate: as in `Choice`
    clashes: see `clashing`
    entries: nodes that wait for an image of a stream to enter, by the step at which it does
    rule: which corrections of the strict rules are on
    periods: steps between the beginnings of two blocks, see `periods_of`
    """

    dataflow: Dataflow
    durations: Durations
    mate: tuple[int, ...]
    clashes: set[tuple[Kind, Kind]]
    entries: dict[int, list[Node]] = field(default_factory=dict)
    rule: Corrections = NONE
    periods: Durations | None = None

    def run(self) -> Trace:
        """Return when each node starts.

        Waiting nodes are looked at in the order in which they came; those that they set free come
        behind them, and behind those the ones that were held back.
        """
        missing = self.predecessors()
        earliest = dict.fromkeys(missing, 0)
        waiting = [node for node, count in missing.items() if count == 0]
        started: dict[Node, int] = {}
        running: list[Node] = []
        now = 0
        last_entry = max(self.entries, default=0)
        while waiting or now <= last_entry:
            for node in self.entries.get(now, []):
                missing[node] -= 1
                if missing[node] == 0:
                    waiting.append(node)
            due = [node for node in waiting if earliest[node] <= now]
            waiting = [node for node in waiting if earliest[node] > now]
            running = [node for node in running if started[node] + self.steps(node) > now]
            held = self.held_by_links(due, running, started, now)
            if self.rule.conversions:
                held |= self.held_before_conversions(due, started, now)
            else:
                held |= self.held_by_adcs(due, running)
            for node in due:
                if node in held:
                    continue
                started[node] = now
                if self.is_exclusive(node):
                    running.append(node)
                for edge in self.dataflow.edges_from(node):
                    then = now + delay(self.dataflow, self.durations, edge, self.periods)
                    earliest[edge.target] = max(earliest[edge.target], then)
                    missing[edge.target] -= 1
                    if missing[edge.target] == 0:
                        waiting.append(edge.target)
            waiting += [node for node in due if node in held]
            now += 1
        return Trace(dataflow=self.dataflow, durations=self.durations, starts=started)

    def predecessors(self) -> dict[Node, int]:
        """Return how many things each node waits for."""
        missing = dict.fromkeys(self.dataflow.nodes(), 0)
        for edge in self.dataflow.edges():
            missing[edge.target] += 1
        for node in chain.from_iterable(self.entries.values()):
            missing[node] += 1
        return missing

    def steps(self, node: Node) -> int:
        """Return how long a node takes."""
        return self.durations[node.layer][node.place]

    def is_exclusive(self, node: Node) -> bool:
        """Return whether a node can be in the way of others."""
        ir = self.dataflow.operation(node).ir
        return ir in TRAVELS or (ir == "adc" and self.mate[node.layer] >= 0)

    def kind(self, node: Node) -> Kind:
        """Return which travel a node is."""
        return node.layer, self.dataflow.operation(node).ir

    def held_by_links(
        self, due: list[Node], running: list[Node], started: dict[Node, int], now: int
    ) -> set[Node]:
        """Return the travels that must wait.

        Of two that need a common link the one that has gone less far waits, of equal ones the one
        that has more before it, then the one that came later.
        """
        travels = [node for node in [*running, *due] if self.dataflow.operation(node).ir in TRAVELS]
        if self.rule.links:
            return self.held_by_later_layers(travels, started)
        held: set[Node] = set()
        for place, one in enumerate(travels):
            for two in travels[place + 1 :]:
                if one in held or two in held:
                    continue
                if (self.kind(one), self.kind(two)) not in self.clashes:
                    continue
                gone = [now - started.get(node, now) for node in (one, two)]
                left = [
                    self.steps(node) - past for node, past in zip((one, two), gone, strict=True)
                ]
                first_waits = gone[0] < gone[1] or (gone[0] == gone[1] and left[0] > left[1])
                held.add(one if first_waits else two)
        return held

    def held_by_later_layers(self, travels: list[Node], started: dict[Node, int]) -> set[Node]:
        """Return the travels that must wait; those on their way go on, then later layers go."""
        order = ["transfer", "send", "merge", "gather", "chain"]
        held: set[Node] = set()
        going = [node for node in travels if node in started]
        asking = [node for node in travels if node not in started]
        rank = {node: (node.layer, order.index(self.kind(node)[1])) for node in asking}
        for node in sorted(asking, key=lambda node: rank[node], reverse=True):
            if any((self.kind(node), self.kind(other)) in self.clashes for other in going):
                held.add(node)
            else:
                going.append(node)
        return held

    def held_before_conversions(
        self, due: list[Node], started: dict[Node, int], now: int
    ) -> set[Node]:
        """Return the first bits that may not be multiplied yet, because the mate converts.

        A layer converts a bit step after it multiplies, all bits without a gap.
        """
        bits, held = self.dataflow.bits, set()
        begun = list(started)
        for node in sorted(due):
            if self.dataflow.operation(node).ir != "mvm" or node.bit > 0:
                continue
            mate = self.mate[node.layer]
            blocks = [n for n in begun if n.layer == mate and n.bit == 0]
            ends = [
                (started.get(n, now) + (bits + 1) * self.steps(n))
                for n in blocks
                if self.dataflow.operation(n).ir == "mvm"
            ]
            if max(ends, default=0) > now + self.steps(node):
                held.add(node)
            else:
                begun.append(node)
        return held

    def held_by_adcs(self, due: list[Node], running: list[Node]) -> set[Node]:
        """Return the conversions that must wait for those of the mate.

        Of two the lower bit waits, of equal bits the later layer; none is interrupted.
        """
        adcs = [node for node in due if self.dataflow.operation(node).ir == "adc"]
        busy = [node for node in running if self.dataflow.operation(node).ir == "adc"]
        held = {node for node in adcs if any(self.mate[node.layer] == b.layer for b in busy)}
        for one in adcs:
            for two in adcs:
                if self.mate[one.layer] != two.layer or held & {one, two}:
                    continue
                held.add(min((one, two), key=lambda node: (node.bit, -node.layer)))
        return held
