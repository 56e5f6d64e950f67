"""When each node of a dataflow starts, step by step (sheet of seed 003, section 6).

A node starts when all that it waits for has started and the delays of those edges are over. Two
things can hold it back: a link of the mesh, and an ADC that two layers share.

Tests: `tests/crossbar/model/test_stream.py`.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import chain

from golden.crossbar.ir import Dataflow, Edge, Node
from hwgen.crossbar.facts.operations import TRAVELS
from hwgen.crossbar.facts.rules import PUBLISHED, Rules
from verif.reference.crossbar.steps import Durations, Kind


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

    partner: as in `Choice`
    clashes: see `clashing`
    entries: nodes that wait for an image of a stream to enter, by the step at which it does
    rules: what travels and pairs at their ADCs follow
    periods: steps between the beginnings of two blocks, see `periods_of`
    """

    dataflow: Dataflow
    durations: Durations
    partner: tuple[int, ...]
    clashes: Collection[tuple[Kind, Kind]]
    entries: dict[int, list[Node]] = field(default_factory=dict)
    rules: Rules = PUBLISHED
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
            if self.rules.turns_before_mvm:
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
        return ir in TRAVELS or (ir == "adc" and self.partner[node.layer] >= 0)

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
        if self.rules.image_travels:
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
        order = ["transfer", "send", "result", "merge", "gather", "chain"]
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
        """Return the first bits that may not be multiplied yet, because the partner converts.

        A layer converts a bit step after it multiplies, all bits without a gap.
        """
        bits, held = self.dataflow.bits, set()
        begun = list(started)
        for node in sorted(due):
            if self.dataflow.operation(node).ir != "mvm" or node.bit > 0:
                continue
            partner = self.partner[node.layer]
            blocks = [n for n in begun if n.layer == partner and n.bit == 0]
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
        """Return the conversions that must wait for those of the partner.

        Of two the lower bit waits, of equal bits the later layer; none is interrupted.
        """
        adcs = [node for node in due if self.dataflow.operation(node).ir == "adc"]
        busy = [node for node in running if self.dataflow.operation(node).ir == "adc"]
        held = {node for node in adcs if any(self.partner[node.layer] == b.layer for b in busy)}
        for one in adcs:
            for two in adcs:
                if self.partner[one.layer] != two.layer or held & {one, two}:
                    continue
                held.add(min((one, two), key=lambda node: (node.bit, -node.layer)))
        return held
