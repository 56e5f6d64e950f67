"""The netlist of a GDS, by its shapes alone, and how it differs from the mapped one.

Tests: `tests/layout/test_checks.py`.
"""

import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from klayout import db

from hwgen.layout.reference import Reference

GateId = str
Cluster = int
"""A net of the layout."""


@dataclass(frozen=True)
class Extracted:
    """The nets of a layout.

    kinds: of the cells that have pins, by name; pins: nets that a pin is on, by cell and pin
    named: nets with a name; strangers: cells where none should be
    """

    kinds: Mapping[GateId, str]
    pins: Mapping[tuple[GateId, str], set[Cluster]]
    named: Mapping[str, set[Cluster]]
    strangers: list[str]


def extracted(file: Path, name: str, reference: Reference) -> Extracted:
    """Return the nets of a GDS; cells are told apart by where they lie."""
    layout = db.Layout()
    layout.read(str(file))
    technology = reference.technology
    found = db.LayoutToNetlist(db.RecursiveShapeIterator(layout, layout.cell(name), []))
    regions = {
        (gds[0], gds[1]): found.make_layer(layout.layer(*gds), f"l{gds[0]}_{gds[1]}")
        for gds in technology.conductors
    }
    ordered = list(regions.values())
    for region in ordered:
        found.connect(region)
    for below, above in itertools.pairwise(ordered):
        found.connect(below, above)
    for label in technology.labels:
        texts = found.make_text_layer(layout.layer(*label.gds), f"t{label.gds[0]}")
        found.connect(regions[label.layer[0], label.layer[1]], texts)
    found.extract_netlist()
    circuit = found.netlist().circuit_by_name(name)
    places = {reference.place_of(cell): cell.name for cell in reference.cells}
    kinds, strangers = {}, []
    pins: dict[tuple[GateId, str], set[Cluster]] = defaultdict(set)
    for part in circuit.each_subcircuit():
        kind, where = part.circuit_ref().name, part.trans
        spot = (kind, round(where.disp.x * 1000), round(where.disp.y * 1000), where.is_mirror())
        cell = places.get(spot)
        if cell is None:
            strangers.append(f"{kind} at {spot[1]}, {spot[2]}")
            continue
        kinds[cell] = kind
        for pin in part.circuit_ref().each_pin():
            net = part.net_for_pin(pin.id())
            for one in pin.name().split(","):
                if net is not None and one:
                    pins[cell, technology.net_of(one)].add(net.cluster_id)
    return Extracted(kinds, pins, names_in(circuit), strangers)


def names_in(circuit: Any) -> dict[str, set[Cluster]]:
    """Return the nets of a circuit that have names; a net may have several."""
    named: dict[str, set[Cluster]] = defaultdict(set)
    for net in circuit.each_net():
        for one in (net.name or "").split(","):
            if one:
                named[one].add(net.cluster_id)
    return named


@dataclass(frozen=True)
class Comparison:
    """Pins and nets that were compared, and each difference as a sentence."""

    pins: int
    nets: int
    differences: list[str]


def compare(found: Extracted, reference: Reference) -> Comparison:
    """Compare each pin of each cell, and each port, with the mapped netlist."""
    there: dict[Cluster, object] = {}
    back: dict[object, Cluster] = {}
    differences = [f"no such cell is placed: {each}" for each in found.strangers]
    wanted = list(expected(found, reference))
    for what, clusters, net in wanted:
        if len(clusters) != 1:
            differences.append(f"{what} is on {len(clusters)} nets of the layout")
            continue
        (cluster,) = clusters
        if there.setdefault(cluster, net) != net:
            differences.append(f"{what}: a short of {net} and {there[cluster]}")
        if back.setdefault(net, cluster) != cluster:
            differences.append(f"{what}: {net} is open")
    return Comparison(len(wanted), len(back), differences)


def expected(found: Extracted, reference: Reference) -> Iterator[tuple[str, set[Cluster], object]]:
    """Yield each pin and port, the nets of the layout that it is on, and what net it must be on."""
    technology = reference.technology
    for cell in reference.cells:
        nets = reference.gates.get(cell.name)
        if cell.name not in found.kinds and nets:
            yield f"{cell.kind} {cell.name}", set(), cell.name
            continue
        for pin, net in (nets or {}).items():
            yield f"pin {pin} of {cell.name}", found.pins.get((cell.name, pin), set()), net
        for supply in technology.power:
            on = found.pins.get((cell.name, supply), set())
            if cell.name in found.kinds:
                yield f"{supply} of {cell.name}", on, supply
    for name, net in reference.ports.items():
        yield f"port {name}", found.named.get(name, set()), net
    for supply in technology.power:
        yield f"port {supply}", found.named.get(supply, set()), supply


def extracted_verilog(found: Extracted, reference: Reference, name: str) -> str:
    """Return the netlist of a layout as Verilog: its cells, and nets by the shapes alone."""
    heads = [
        f"{way} {f'[{len(bits) - 1}:0] ' if len(bits) > 1 else ''}{port}"
        for way, ports in (("input", reference.inputs), ("output", reference.outputs))
        for port, bits in ports.items()
    ]
    body: list[str] = []
    used: set[Cluster] = set()
    supplies = set(reference.technology.power)
    by_cell: dict[str, dict[str, Cluster]] = defaultdict(dict)
    for (cell, pin), clusters in found.pins.items():
        if clusters and pin not in supplies and cell in reference.gates:
            by_cell[cell][pin] = min(clusters)
    for cell, pins in by_cell.items():
        used.update(pins.values())
        told = ", ".join(f".{pin}(x{cluster})" for pin, cluster in sorted(pins.items()))
        body.append(f"  {found.kinds[cell]} {cell} ({told});")
    outputs = {
        port if len(bits) == 1 else f"{port}[{bit}]"
        for port, bits in reference.outputs.items()
        for bit in range(len(bits))
    }
    for port in reference.ports:
        for cluster in found.named.get(port, ()):
            used.add(cluster)
            left, right = (port, f"x{cluster}") if port in outputs else (f"x{cluster}", port)
            body.append(f"  assign {left} = {right};")
    lines = [f"module {name}(", ",\n".join(f"  {head}" for head in heads), ");"]
    lines += [f"  wire x{cluster};" for cluster in sorted(used)]
    return "\n".join([*lines, *body, "endmodule", ""])
