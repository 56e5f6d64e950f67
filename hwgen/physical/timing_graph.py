"""The timing graph of one module: nodes are edges of nets, edges have delays in ns.

Tests: `tests/physical/test_timing.py`.
"""

import math
from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import TypeVar

from hwgen.errors import DesignError
from hwgen.physical.cells import COMBINATIONAL, EDGES, SETUP, Arc, Cell, Library, Pin, Table
from hwgen.physical.netlist import Gate, Memory, Net, Netlist, Placed, clock_nets, present
from hwgen.physical.timing_model import (
    NEVER,
    Arcs,
    Boundary,
    Node,
    Place,
    TimingModel,
    boundary_of,
    memory_ns,
)
from hwgen.physical.wires import NO_WIRES, SLEW_OF_DELAY, Wires

RISE, FALL = 0, 1
Wired = tuple[float, float]
"""Delay and slew behind a wire."""
Pairs = Sequence[tuple[int, int]]
SENSES: Mapping[str, Pairs] = {
    "positive_unate": ((RISE, RISE), (FALL, FALL)),
    "negative_unate": ((FALL, RISE), (RISE, FALL)),
    "non_unate": ((RISE, RISE), (FALL, RISE), (RISE, FALL), (FALL, FALL)),
}
"""Edges of input and output that belong together."""


class Graph:
    """Builds the graph of a module.

    incoming: by node the edges that end there: node before, ns; order: nodes, each behind those
    before it; launches: where paths begin: by node its time and register
    endpoints: node, ns that its register needs before the clock, place
    slews: by node; resistance: by net ns a pF; through: placed modules by an inner node
    """

    def __init__(
        self,
        netlist: Netlist,
        library: Library,
        models: Mapping[str, TimingModel],
        wires: Wires = NO_WIRES,
    ) -> None:
        self.netlist, self.library, self.models = netlist, library, models
        self.wires = wires
        self.boundary: Boundary = boundary_of(library)
        self.incoming: dict[Node, list[tuple[Node, float]]] = defaultdict(list)
        self.launches: dict[Node, tuple[float, Place]] = {}
        self.endpoints: list[tuple[Node, float, Place]] = []
        self.slews: dict[Node, float] = {}
        self.resistance: dict[Net, float] = {}
        self.through: dict[Node, tuple[str, ...]] = {}
        self.clocks = clock_nets(netlist, library)
        self.port_nets = set(present(netlist.outputs.values()))
        self.loads = self._loads()
        self._fresh = 2 * (max(self.loads, default=0) + 1)
        for net in present(netlist.inputs.values()):
            if net not in self.clocks:
                self._slew(net, self.boundary.slew)
        for memory in netlist.memories:
            self._memory(memory)
        for each in netlist.placed:
            self._placed(each)
        self._gates()
        self._registers()
        self.order = self._ordered()

    def label(self, net: Net) -> str:
        """Return how a path names a register of this module, by the net that it drives."""
        return f"{self.netlist.name}.{self.netlist.label(net)}"

    def _loads(self) -> dict[Net, float]:
        """Return the load of each net in pF."""
        loads: dict[Net, float] = dict.fromkeys(self.netlist.nets, 0.0)
        for gate in self.netlist.gates:
            pins = self.library.cells[gate.cell].pins
            for pin, net in gate.pins.items():
                loads[net] += pins[pin].capacitance
        for each in self.netlist.placed:
            for port, held in self.models[each.module].inputs.items():
                bits = each.pins.get(port, ())
                for bit, capacitance in zip(bits, held.capacitance, strict=False):
                    if bit is not None:
                        loads[bit] += capacitance
        for read in [net for memory in self.netlist.memories for net in memory.inputs]:
            loads[read] += self.boundary.load / 4
        for out in present(self.netlist.outputs.values()):
            loads[out] += self.boundary.load
        for net, more in self.wires.pf.items():
            loads[net] += more
        return loads

    def _behind_wire(self, net: Net, reader: str, capacitance: float, slew: float) -> Wired:
        """Return the delay of a wire to a pin, and the slew behind it."""
        ns = self.wires.ns(net, reader, capacitance)
        return ns, math.hypot(slew, SLEW_OF_DELAY * ns) if ns else slew

    def _slew(self, net: Net, slew: float) -> None:
        """Take a slew for both edges of a net, if it is the worst so far."""
        for node in (2 * net, 2 * net + 1):
            self.slews[node] = max(slew, self.slews.get(node, 0.0))

    def _both(self, source: Net, target: Node, ns: float) -> None:
        """Add edges from both edges of a net to an inner node."""
        self.incoming[target] += [(2 * source, ns), (2 * source + 1, ns)]

    def _from_inner(self, source: Node, target: Net, ns: float) -> None:
        """Add edges from an inner node to both edges of a net."""
        self.incoming[2 * target].append((source, ns))
        self.incoming[2 * target + 1].append((source, ns))

    def _inner(self, through: tuple[str, ...] = ()) -> Node:
        """Return a new inner node; through: the placed modules that it stands for."""
        self._fresh += 1
        if through:
            self.through[self._fresh] = through
        return self._fresh

    def _launch(self, net: Net, ns: float, place: Place, slew: float) -> None:
        """Let paths begin at both edges of a net."""
        for node in (2 * net, 2 * net + 1):
            self.launches[node] = (ns, place)
        self._slew(net, slew)

    def _memory(self, memory: Memory) -> None:
        """Add a macro: a read takes `memory_ns`, a write ends at the clock edge."""
        place = Place(f"{self.netlist.name}.words")
        ns = memory_ns(memory.words, self.boundary)
        for registered, address, enable, data in memory.reads:
            inner = self._inner()
            for net in data:
                if registered:
                    self._launch(net, ns, place, self.boundary.slew)
                else:
                    self._from_inner(inner, net, ns)
                    self._slew(net, self.boundary.slew)
            for net in (*address, *enable):
                wire = self.wires.ns(net, memory.name, self.boundary.load / 4)
                if registered:
                    self._end(net, wire, place)
                else:
                    self._both(net, inner, wire)
        for net in memory.written:
            self._end(net, self.wires.ns(net, memory.name, self.boundary.load / 4), place)

    def _end(self, net: Net, ns: float, place: Place) -> None:
        """Let paths end at both edges of a net."""
        self.endpoints += [(2 * net, ns, place), (2 * net + 1, ns, place)]

    def _placed(self, each: Placed) -> None:
        """Add an instance by its model."""
        model = self.models[each.module]
        for port, held in model.outputs.items():
            for bit, net in enumerate(each.pins.get(port, ())):
                if net is None or not held.slew[bit]:
                    continue
                more = self._more(net, held.resistance[bit])
                self._slew(net, held.slew[bit])
                start = held.starts[bit]
                if start is not None:
                    self._launch(
                        net, held.launch[bit] + more, onward(start, each.module), held.slew[bit]
                    )
        for port, inner in model.inputs.items():
            for bit, net in enumerate(each.pins.get(port, ())):
                end = inner.ends[bit]
                if net is not None and end is not None:
                    self._end(net, inner.capture[bit], onward(end, each.module))
        for arcs in model.arcs:
            self._arcs(each, arcs)

    def _more(self, net: Net, resistance: float) -> float:
        """Return the delay that a net's load adds to what the placed module assumed."""
        self.resistance[net] = resistance
        return resistance * (self.loads[net] - self.boundary.load)

    def _arcs(self, each: Placed, arcs: Arcs) -> None:
        """Add the delays between two ports of an instance."""
        sources, targets = each.pins.get(arcs.source, ()), each.pins.get(arcs.target, ())
        through = (*arcs.through, each.module)
        behind: dict[int, dict[int, float]] = defaultdict(dict)
        for source, target, ns in arcs.exact:
            behind[source][target] = ns
        for source, found in behind.items():
            net = sources[source] if source < len(sources) else None
            if net is not None:
                inner = self._inner(through)
                self._both(net, inner, 0.0)
                self._behind(
                    inner=inner,
                    module=each.module,
                    port=arcs.target,
                    targets=targets,
                    ns_by_bit=found,
                )
        if arcs.before:
            inner = self._inner(through)
            for net, ns in zip(sources, arcs.before, strict=False):
                if net is not None and ns > 0:
                    self._both(net, inner, ns)
            self._behind(
                inner=inner,
                module=each.module,
                port=arcs.target,
                targets=targets,
                ns_by_bit=dict(enumerate(arcs.behind)),
            )

    def _behind(
        self,
        *,
        inner: Node,
        module: str,
        port: str,
        targets: Sequence[Net | None],
        ns_by_bit: Mapping[int, float],
    ) -> None:
        """Add edges from an inner node to bits of an output of an instance."""
        held = self.models[module].outputs[port]
        for bit, ns in ns_by_bit.items():
            net = targets[bit] if bit < len(targets) else None
            if net is not None and ns > NEVER / 2:
                more = held.resistance[bit] * (self.loads[net] - self.boundary.load)
                self._from_inner(inner, net, ns + more)

    def _gates(self) -> None:
        """Evaluate registers, then all other gates, each behind those that drive it."""
        drivers: dict[Net, Gate] = {}
        for gate in self.netlist.gates:
            cell = self.library.cells[gate.cell]
            if cell.is_flip_flop:
                self._flip_flop(gate, cell)
            elif not cell.gate:
                drivers.update((gate.pins[pin], gate) for pin in cell.outputs if pin in gate.pins)
        # A gate of two outputs stands here once.
        gates = {gate.name: gate for gate in drivers.values()}
        before = {
            name: [drivers[net].name for net in self._inputs(gate) if net in drivers]
            for name, gate in gates.items()
        }
        order, left = ordered(before)
        if left:
            raise self._loop(left)
        for name in order:
            self._gate(gates[name])

    def _inputs(self, gate: Gate) -> list[Net]:
        """Return the nets that a gate reads."""
        return [gate.pins[p] for p in self.library.cells[gate.cell].inputs if p in gate.pins]

    def _outputs(self, gate: Gate) -> list[Net]:
        """Return the nets that a gate drives."""
        return [gate.pins[p] for p in self.library.cells[gate.cell].outputs if p in gate.pins]

    def _loop(self, count: int) -> DesignError:
        """Return the error for a loop."""
        return DesignError(
            f"{self.netlist.name} must have no loop without a register, got one through {count}"
            " gates or edges"
        )

    def _flip_flop(self, gate: Gate, cell: Cell) -> None:
        """Begin paths at the outputs of a flip-flop, at the clock edge."""
        for pin in cell.outputs:
            net = gate.pins.get(pin)
            if net is None:
                continue
            place = Place(self.label(self._stored(gate)))
            for arc in cell.pins[pin].arcs:
                if arc.kind in EDGES and arc.related == cell.clock:
                    load = self.loads[net]
                    for edge, delay, slew in edges_of(arc):
                        self.launches[2 * net + edge] = (delay.at(0.0, load), place)
                        self.slews[2 * net + edge] = max(0.0, slew.at(0.0, load))
                        self._drives(net, delay, 0.0)

    def _stored(self, gate: Gate) -> Net:
        """Return the net that names a flip-flop: of its outputs the one with a name."""
        nets = self._outputs(gate)
        named = [each for each in nets if not self.netlist.label(each).startswith(("$", "net "))]
        return (named or nets)[0]

    def _gate(self, gate: Gate) -> None:
        """Add the edges of a gate; its outputs take the worst slew."""
        cell = self.library.cells[gate.cell]
        for pin in cell.outputs:
            net = gate.pins.get(pin)
            if net is None:
                continue
            load = self.loads[net]
            for arc in cell.pins[pin].arcs:
                source = gate.pins.get(arc.related)
                if source is None or arc.kind not in COMBINATIONAL:
                    continue
                by_edge = {edge: (delay, slew) for edge, delay, slew in edges_of(arc)}
                for before, after in SENSES.get(arc.sense, SENSES["non_unate"]):
                    given = self.slews.get(2 * source + before)
                    if given is None or after not in by_edge:
                        continue
                    delay, slew = by_edge[after]
                    node = 2 * net + after
                    held = cell.pins[arc.related].capacitance
                    wire, given = self._behind_wire(source, gate.name, held, given)
                    ns = wire + delay.at(given, load)
                    self.incoming[node].append((2 * source + before, ns))
                    self.slews[node] = max(self.slews.get(node, 0.0), slew.at(given, load))
                    self._drives(net, delay, given)

    def _drives(self, net: Net, delay: Table, slew: float) -> None:
        """Note how much later a net of an output port comes with more load."""
        if net in self.port_nets and net not in self.resistance:
            load = self.loads[net]
            more = delay.at(slew, load + self.boundary.load) - delay.at(slew, load)
            self.resistance[net] = max(more, 0.0) / self.boundary.load

    def _registers(self) -> None:
        """End paths at the inputs of flip-flops and clock gates."""
        gated: dict[Net, Net] = {}
        clocked = [gate for gate in self.netlist.gates if self._outputs(gate)]
        for gate in clocked:
            cell = self.library.cells[gate.cell]
            if cell.is_flip_flop and cell.clock in gate.pins:
                gated[gate.pins[cell.clock]] = self._stored(gate)
        for gate in clocked:
            cell = self.library.cells[gate.cell]
            if cell.is_flip_flop:
                self._required(gate, cell, self._stored(gate))
            elif cell.gate:
                net = self._outputs(gate)[0]
                self._required(gate, cell, gated.get(net, net))

    def _required(self, gate: Gate, cell: Cell, stored: Net) -> None:
        """End paths at the inputs of a cell that have a setup time; stored: names it."""
        place = Place(self.label(stored))
        for pin in cell.inputs:
            for arc in cell.pins[pin].arcs:
                if pin in gate.pins and arc.kind in SETUP:
                    self._setup(gate, cell.pins[pin], arc, place)

    def _setup(self, gate: Gate, pin: Pin, arc: Arc, place: Place) -> None:
        """End paths at a pin with a setup time."""
        net = gate.pins[pin.name]
        for edge, table in ((RISE, arc.rise), (FALL, arc.fall)):
            node = 2 * net + edge
            if table is not None and node in self.slews:
                slew = self.slews[node]
                wire, slew = self._behind_wire(net, gate.name, pin.capacitance, slew)
                self.endpoints.append((node, wire + table.at(slew, 0.0), place))

    def _ordered(self) -> list[Node]:
        """Return the nodes, each behind those before it."""
        before = {node: [each for each, _ in edges] for node, edges in self.incoming.items()}
        first = {each for nodes in before.values() for each in nodes} | self.launches.keys()
        order, left = ordered({node: before.get(node, []) for node in first | before.keys()})
        if left:
            raise self._loop(left)
        return order


Key = TypeVar("Key", bound=Hashable)


def ordered(before: Mapping[Key, Sequence[Key]]) -> tuple[list[Key], int]:
    """Return keys, each behind those before it, and how many are left in loops."""
    waits = {key: len(each) for key, each in before.items()}
    readers: dict[Key, list[Key]] = defaultdict(list)
    for key, each in before.items():
        for one in each:
            readers[one].append(key)
    order = [key for key, count in waits.items() if not count]
    for key in order:
        for reader in readers[key]:
            waits[reader] -= 1
            if not waits[reader]:
                order.append(reader)
    return order, len(waits) - len(order)


def edges_of(arc: Arc) -> Iterator[tuple[int, Table, Table]]:
    """Yield edge, delay and slew of the output for each edge that an arc makes."""
    if arc.rise is not None and arc.rise_slew is not None:
        yield RISE, arc.rise, arc.rise_slew
    if arc.fall is not None and arc.fall_slew is not None:
        yield FALL, arc.fall, arc.fall_slew


def onward(place: Place, module: str) -> Place:
    """Return a place within a placed module as its parent sees it."""
    if place.register.startswith(f"{module}."):
        return place
    return Place(place.register, (*place.through, module))
