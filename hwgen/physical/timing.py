"""Walk over the timing graph of a module: its slowest paths, and its model for parents."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hwgen.physical.cells import Library
from hwgen.physical.netlist import Net, Netlist, readers_of
from hwgen.physical.timing_graph import Graph
from hwgen.physical.timing_model import (
    EXACT,
    MOST_PATHS,
    MOST_TRACED,
    NEVER,
    Arcs,
    InputPort,
    Node,
    OutputPort,
    Path,
    Place,
    TimingModel,
)
from hwgen.physical.wires import Wires

SOURCES = 128
"""Input bits that are walked from at once."""


def timing_model(
    netlist: Netlist, library: Library, models: Mapping[str, TimingModel]
) -> TimingModel:
    """Return the model of a module; models: of those that it places, by name."""
    graph = Graph(netlist, library, models)
    times, before = walk_from_registers(graph)
    sources = [
        (port, bit, net)
        for port, bits in netlist.inputs.items()
        for bit, net in enumerate(bits)
        if net is not None and net not in graph.clocks
    ]
    captures: dict[Net, tuple[float, Place]] = {}
    arcs: dict[tuple[str, str], Found] = {}
    targets = [
        (port, bit, net)
        for port, bits in netlist.outputs.items()
        for bit, net in enumerate(bits)
        if net is not None
    ]
    for begin in range(0, len(sources), SOURCES):
        part = sources[begin : begin + SOURCES]
        arrivals = walk_from(graph, [net for _, _, net in part])
        ends_from(graph, arrivals, part, captures)
        arcs_from(graph, arrivals, part, targets, arcs)
    counts = readers_of(netlist, library, {name: each.readers for name, each in models.items()})
    return TimingModel(
        module=netlist.name,
        inputs={
            port: InputPort(
                capacitance=[graph.loads[net] if net is not None else 0.0 for net in bits],
                capture=[captures[net][0] if net in captures else NEVER for net in bits],
                ends=[captures[net][1] if net in captures else None for net in bits],
                readers=counts[port],
            )
            for port, bits in netlist.inputs.items()
        },
        outputs={
            port: output_port(graph, bits, times, before) for port, bits in netlist.outputs.items()
        },
        arcs=[arcs_of(netlist, source, target, found) for (source, target), found in arcs.items()],
        paths=slowest(graph, times, before),
    )


def slowest_paths(netlist: Netlist, library: Library, wires: Wires) -> list[Path]:
    """Return the slowest paths of a flat netlist with its wires."""
    graph = Graph(netlist, library, {}, wires)
    return slowest(graph, *walk_from_registers(graph))


def walk_from_registers(graph: Graph) -> tuple[dict[Node, float], dict[Node, Node]]:
    """Return when each node settles after the clock edge at the latest, and the node before it."""
    times = {node: ns for node, (ns, _) in graph.launches.items()}
    before: dict[Node, Node] = {}
    for node in graph.order:
        for source, ns in graph.incoming.get(node, ()):
            time = times.get(source)
            if time is not None and time + ns > times.get(node, NEVER):
                times[node] = time + ns
                before[node] = source
    return times, before


def start_of(graph: Graph, node: Node, before: Mapping[Node, Node]) -> Place:
    """Return where the worst path to a node begins, and the modules that it runs through."""
    through: list[str] = []
    while node in before:
        if node in graph.through:
            through[:0] = graph.through[node]
        node = before[node]
    place = graph.launches[node][1]
    return Place(place.register, (*place.through, *through))


def slowest(graph: Graph, times: Mapping[Node, float], before: Mapping[Node, Node]) -> list[Path]:
    """Return the slowest paths, one for each pair of registers."""
    ends = sorted(
        ((times[node] + ns, node, place) for node, ns, place in graph.endpoints if node in times),
        key=lambda end: -end[0],
    )
    found: dict[tuple[str, str], Path] = {}
    for ns, node, place in ends[:MOST_TRACED]:
        start = start_of(graph, node, before)
        key = (start.register, place.register)
        if key not in found:
            through = (*start.through, *reversed(place.through))
            found[key] = Path(ns, start.register, place.register, through)
        if len(found) == MOST_PATHS:
            break
    return list(found.values())


def output_port(
    graph: Graph,
    bits: Sequence[Net | None],
    times: Mapping[Node, float],
    before: Mapping[Node, Node],
) -> OutputPort:
    """Return launches, slews and resistances of the bits of an output."""
    launch, starts = [], []
    for net in bits:
        nodes = [] if net is None else [n for n in (2 * net, 2 * net + 1) if n in times]
        worst = max(nodes, key=lambda node: times[node], default=None)
        launch.append(NEVER if worst is None else times[worst])
        starts.append(None if worst is None else start_of(graph, worst, before))
    return OutputPort(
        launch=launch,
        starts=starts,
        slew=[
            0.0
            if net is None
            else max(graph.slews.get(2 * net, 0.0), graph.slews.get(2 * net + 1, 0.0))
            for net in bits
        ],
        resistance=[graph.resistance.get(net, 0.0) if net is not None else 0.0 for net in bits],
    )


Arrivals = dict[Node, NDArray[np.float32]]


def walk_from(graph: Graph, nets: Sequence[Net]) -> Arrivals:
    """Return by node the delay from each of some nets; NEVER where there is no way."""
    arrivals: Arrivals = {}
    for place, net in enumerate(nets):
        for node in (2 * net, 2 * net + 1):
            row = arrivals.setdefault(node, np.full(len(nets), NEVER, dtype=np.float32))
            row[place] = 0.0
    for node in graph.order:
        for source, ns in graph.incoming.get(node, ()):
            given = arrivals.get(source)
            if given is None:
                continue
            held = arrivals.get(node)
            if held is None:
                arrivals[node] = given + np.float32(ns)
            else:
                np.maximum(held, given + np.float32(ns), out=held)
    return arrivals


Bit = tuple[str, int, Net]


def ends_from(
    graph: Graph,
    arrivals: Arrivals,
    sources: Sequence[Bit],
    captures: dict[Net, tuple[float, Place]],
) -> None:
    """Note the worst endpoint of each source."""
    worst = np.full(len(sources), NEVER, dtype=np.float32)
    which = np.zeros(len(sources), dtype=np.int64)
    for number, (node, ns, _) in enumerate(graph.endpoints):
        row = arrivals.get(node)
        if row is not None:
            later = row + np.float32(ns) > worst
            which[later] = number
            np.maximum(worst, row + np.float32(ns), out=worst)
    for (_, _, net), ns, number in zip(sources, worst.tolist(), which.tolist(), strict=True):
        if ns > NEVER / 2:
            node, _, place = graph.endpoints[number]
            column = next(i for i, each in enumerate(sources) if each[2] == net)
            through = ways(graph, arrivals, node, column)
            captures[net] = (
                ns,
                Place(place.register, (*place.through, *reversed(through))),
            )


def ways(graph: Graph, arrivals: Arrivals, node: Node, column: int) -> tuple[str, ...]:
    """Return the placed modules on the worst way from a source to a node."""
    through: list[str] = []
    while True:
        here = arrivals[node][column]
        if node in graph.through:
            through[:0] = graph.through[node]
        back = [
            source
            for source, ns in graph.incoming.get(node, ())
            if source in arrivals
            and arrivals[source][column] > NEVER / 2
            and arrivals[source][column] + np.float32(ns) >= here
        ]
        if not back:
            return tuple(through)
        node = back[0]


@dataclass
class Found:
    """Delays between the bits of two ports, and the modules on the worst way."""

    delays: list[tuple[int, int, float]] = field(default_factory=list)
    worst: float = NEVER
    through: tuple[str, ...] = ()


def arcs_from(
    graph: Graph,
    arrivals: Arrivals,
    sources: Sequence[Bit],
    targets: Sequence[Bit],
    arcs: dict[tuple[str, str], Found],
) -> None:
    """Note all delays from some inputs to outputs, by their ports."""
    for port, bit, net in targets:
        nodes = [node for node in (2 * net, 2 * net + 1) if node in arrivals]
        if not nodes:
            continue
        row = np.maximum.reduce([arrivals[node] for node in nodes])
        for column in np.flatnonzero(row > NEVER / 2).tolist():
            source, source_bit, _ = sources[column]
            ns, found = float(row[column]), arcs.setdefault((source, port), Found())
            found.delays.append((source_bit, bit, ns))
            if ns > found.worst:
                node = max(nodes, key=lambda each: arrivals[each][column])
                found.worst, found.through = ns, ways(graph, arrivals, node, column)


def arcs_of(netlist: Netlist, source: str, target: str, found: Found) -> Arcs:
    """Return the delays between two ports, one by one or by a bound of few numbers."""
    if len(found.delays) <= EXACT:
        return Arcs(source, target, found.through, exact=tuple(found.delays))
    before = [0.0] * len(netlist.inputs[source])
    for one, _, ns in found.delays:
        before[one] = max(before[one], ns)
    behind = [NEVER] * len(netlist.outputs[target])
    for one, other, ns in found.delays:
        behind[other] = max(behind[other], ns - before[one])
    return Arcs(source, target, found.through, before=tuple(before), behind=tuple(behind))


def all_paths(models: Iterable[TimingModel]) -> list[Path]:
    """Return the slowest paths of all modules, the slowest first."""
    return sorted((path for model in models for path in model.paths), key=lambda path: -path.ns)
