"""Routed nets as trees of resistance and capacitance, and their delays by Elmore.

Tests: `tests/layout/test_layout.py`.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from hwgen.layout.lattice import Lattice
from hwgen.layout.router import Router
from hwgen.physical.cells import Library
from hwgen.physical.netlist import Net
from hwgen.physical.wires import NS_OF_OHM_PF, Wires

End = tuple[str, str]
"""A gate and its pin, or nothing and a port."""


@dataclass(frozen=True)
class Tree:
    """A net: pF by node, ohm between nodes, and where its ends are and behind how many ohm."""

    pf: Mapping[int, float]
    ohm: list[tuple[int, int, float]]
    ends: Mapping[End, tuple[int, float]]


def trees_of(lattice: Lattice, router: Router) -> dict[Net, Tree]:
    """Return the tree of each routed net."""
    found, technology = {}, lattice.technology
    metals, access = technology.metals, router.grid.access
    for net, way in zip(router.nets, router.ways, strict=True):
        if way is None:
            continue
        pf: dict[int, float] = defaultdict(float)
        ohm = []
        for one, two in way.edges.tolist():
            layer, other = one // router.area, two // router.area
            if layer == other:
                metal = metals[layer]
                um = (lattice.pitch_x if metal.across else lattice.pitch_y) / 1000
                pf[one] += metal.pf * um / 2
                pf[two] += metal.pf * um / 2
                ohm.append((one, two, metal.ohm * um))
            else:
                pf[one] += 0.0
                pf[two] += 0.0
                ohm.append((one, two, technology.cuts[min(layer, other)].ohm))
        ends = {}
        for number, chosen in zip(lattice.ends[net], way.chosen.tolist(), strict=True):
            pad = int(access[chosen, 5])
            below = pad >= 0 and lattice.pads[pad][2]
            node = int(access[chosen, 0])
            ends[lattice.terminals[number]] = (node, technology.pin_cut.ohm if below else 0.0)
            pf[node] += 0.0
        found[net] = Tree(pf, ohm, ends)
    return found


def delays(tree: Tree, driver: End, pins_pf: Mapping[End, float]) -> dict[End, float]:
    """Return the Elmore delay from the driver of a net to each other end, in ns."""
    beside: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for one, two, ohm in tree.ohm:
        beside[one].append((two, ohm))
        beside[two].append((one, ohm))
    below: dict[int, float] = defaultdict(float, tree.pf)
    for end, (node, _) in tree.ends.items():
        below[node] += pins_pf.get(end, 0.0)
    root, first = tree.ends[driver]
    order, parent = [root], {root: (root, 0.0)}
    for node in order:
        for other, ohm in beside[node]:
            if other not in parent:
                parent[other] = (node, ohm)
                order.append(other)
    for node in reversed(order[1:]):
        below[parent[node][0]] += below[node]
    ns = {root: first * below[root] * NS_OF_OHM_PF}
    for node in order[1:]:
        above, ohm = parent[node]
        ns[node] = ns[above] + ohm * below[node] * NS_OF_OHM_PF
    return {
        end: ns[node] + ohm * pins_pf.get(end, 0.0) * NS_OF_OHM_PF
        for end, (node, ohm) in tree.ends.items()
        if end != driver
    }


def wires_of(
    trees: Mapping[Net, Tree],
    drivers: Mapping[Net, End],
    kinds: Mapping[str, str],
    library: Library,
) -> Wires:
    """Return routed nets as wires of the timer, which adds a pin's load to a leg's.

    kinds: cell of each gate
    """
    pf: dict[Net, float] = {}
    legs: dict[tuple[Net, str], tuple[float, float]] = {}
    for net, tree in trees.items():
        pins = {
            (gate, pin): library.cells[kinds[gate]].pins[pin].capacitance
            for gate, pin in tree.ends
            if gate
        }
        pf[net] = sum(tree.pf.values())
        for end, ns in delays(tree, drivers[net], pins).items():
            held = pins.get(end, 0.0)
            ohm = ns / NS_OF_OHM_PF
            # A leg of 1 pF and so many ohm less what the pin adds is as late as the tree says.
            one = legs.get((net, end[0]), (0.0, 0.0))
            legs[net, end[0]] = max(one, (ohm / (1.0 + held), 1.0))
    return Wires({}, pf, legs)
