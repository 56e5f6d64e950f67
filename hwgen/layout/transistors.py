"""The transistors of a GDS beside those of the PDK's own circuits, as graphs.

Neither side has names that the other knows but those of ports, so nets and transistors are coloured
by what is around them until no colour parts any more; equal graphs have equal colours.

Tests: `tests/layout/test_checks.py`.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from klayout import db

from hwgen.layout.extraction import names_in
from hwgen.layout.reference import Reference

LAYERS: Mapping[str, tuple[int, int]] = {
    "nwell": (64, 20),
    "diff": (65, 20),
    "tap": (65, 44),
    "poly": (66, 20),
    "nsdm": (93, 44),
    "psdm": (94, 20),
    "licon": (66, 44),
}
"""Of SKY130, below its conductors."""
ROUNDS = 60
AROUND_NM = 1000
"""Of bulk around the die."""


@dataclass(frozen=True)
class Transistor:
    """N or P, width and length in um, and the nets of drain, gate, source and bulk."""

    kind: str
    width: float
    length: float
    drain: Hashable
    gate: Hashable
    source: Hashable
    bulk: Hashable


Graph = tuple[list[Transistor], Mapping[Hashable, str]]
"""Transistors, and the names of nets that both sides know."""


@dataclass(frozen=True)
class Devices:
    """Transistors of the layout, of the circuits, and how many are alike on both sides."""

    layout: int
    circuits: int
    alike: int

    @property
    def equal(self) -> bool:
        """Whether each transistor has its like."""
        return self.layout == self.circuits == self.alike


def drawn(file: Path, name: str, reference: Reference) -> Graph:
    """Return the transistors that the shapes of a GDS make."""
    layout = db.Layout()
    layout.read(str(file))
    top = layout.cell(name)

    def region(gds: Sequence[int]) -> db.Region:
        return db.Region(top.begin_shapes_rec(layout.layer(*gds)))

    found = db.LayoutToNetlist(name, layout.dbu)
    below = {each: region(gds) for each, gds in LAYERS.items()}
    bulk = db.Region(top.bbox().enlarged(AROUND_NM, AROUND_NM)) - below["nwell"]
    wires = [region(gds) for gds in reference.technology.conductors]
    poly, nwell, contact = below["poly"], below["nwell"], below["licon"]
    active = {"N": below["diff"] & below["nsdm"], "P": below["diff"] & below["psdm"]}
    ends = {kind: region - poly for kind, region in active.items()}
    gates = {kind: region & poly for kind, region in active.items()}
    ties = {
        "N": (below["tap"] & below["psdm"]) - nwell,
        "P": below["tap"] & below["nsdm"] & nwell,
    }
    wells = {"N": bulk, "P": nwell}
    every = [poly, contact, bulk, nwell, *wires, *ends.values(), *gates.values(), *ties.values()]
    for number, each in enumerate(every):
        found.register(each, f"l{number}")
    for kind in "NP":
        held: dict[str, db.ShapeCollection] = {"SD": ends[kind], "G": gates[kind], "W": wells[kind]}
        held |= {"tS": ends[kind], "tD": ends[kind], "tG": poly, "tB": wells[kind]}
        found.extract_devices(db.DeviceExtractorMOS4Transistor(kind), held)
        found.connect(wells[kind], ties[kind])
    joined = [poly, *ends.values(), *ties.values()]
    for each in (*joined, contact, bulk, nwell, *wires):
        found.connect(each)
    for each in joined:
        found.connect(each, contact)
    for low, high in zip([contact, *wires], wires, strict=False):
        found.connect(low, high)
    for pin in (reference.technology.pin, reference.technology.power_pin):
        number = 2 + 2 * pin.metal
        texts = db.Texts(top.begin_shapes_rec(layout.layer(*pin.label)))
        found.register(texts, f"t{number}")
        found.connect(wires[number], texts)
    found.extract_netlist()
    circuit = found.netlist().circuit_by_name(name)
    devices = []
    for device in circuit.each_device():
        about = device.device_class()
        nets = {
            each.name: device.net_for_terminal(each.id()).cluster_id
            for each in about.terminal_definitions()
        }
        sizes = (round(device.parameter(each), 3) for each in "WL")
        devices.append(Transistor(about.name, *sizes, *(nets[each] for each in "DGSB")))
    names: dict[Hashable, str] = {
        cluster: one for one, clusters in names_in(circuit).items() for cluster in clusters
    }
    return devices, names


def of_circuits(text: str, reference: Reference) -> Graph:
    """Return the transistors that the placed cells must have; text: circuits of the PDK."""
    kept = circuits_of(text)
    technology = reference.technology
    found = []
    for cell in reference.cells:
        pins = reference.gates.get(cell.name, {})

        def net(pin: str, cell_name: str = cell.name, nets: Mapping[str, int] = pins) -> Hashable:
            supply = technology.net_of(pin)
            if supply in technology.power:
                return supply
            return nets.get(pin, f"{cell_name}.{pin}")

        for each in kept[cell.kind]:
            ends = (net(str(end)) for end in (each.drain, each.gate, each.source, each.bulk))
            found.append(Transistor(each.kind, each.width, each.length, *ends))
    names: dict[Hashable, str] = {number: name for name, number in reference.ports.items()}
    return found, names | {supply: supply for supply in technology.power}


def circuits_of(text: str) -> dict[str, list[Transistor]]:
    """Return the transistors of each circuit of a SPICE text; nets are names in the circuit."""
    found: dict[str, list[Transistor]] = {}
    name = ""
    for line in re.sub(r"\n\+", " ", text).splitlines():
        words = line.split()
        if words and words[0] == ".subckt":
            name = words[1]
            found[name] = []
        elif words and words[0][0] in "XM" and "fet" in words[5]:
            values = dict(word.split("=") for word in words[6:])
            width, length = (microns(values[key]) for key in "wl")
            kind = "N" if "nfet" in words[5] else "P"
            one = Transistor(kind, width, length, *words[1:5])
            found[name] += [one] * int(float(values.get("m", values.get("mult", "1"))))
    return found


def microns(text: str) -> float:
    """Return a length of the PDK's SPICE, such as 650000u, in um: 1 there is 1e-6 um."""
    return round(float(text.rstrip("u")) / 1e6, 3)


def likeness(one: Graph, other: Graph) -> Devices:
    """Return how many transistors of two graphs are alike, by their sizes and all around them."""
    colours = [coloured(*graph) for graph in (one, other)]
    alike = (colours[0] & colours[1]).total()
    return Devices(len(one[0]), len(other[0]), alike)


def coloured(devices: Sequence[Transistor], names: Mapping[Hashable, str]) -> Counter[int]:
    """Return how many transistors have each colour."""
    nets: dict[Hashable, int] = {}
    for device in devices:
        for net in (device.drain, device.gate, device.source, device.bulk):
            nets[net] = hash(names.get(net, ""))
    colours: list[int] = []
    parts = 0
    for _ in range(ROUNDS):
        colours, around = [], defaultdict[Hashable, list[tuple[int, int]]](list)
        for device in devices:
            ends = tuple(sorted((nets[device.drain], nets[device.source])))
            sizes = (device.kind, device.width, device.length)
            colour = hash((sizes, nets[device.gate], nets[device.bulk], ends))
            colours.append(colour)
            for place, net in ((0, device.gate), (1, device.drain), (1, device.source)):
                around[net].append((colour, place))
            around[device.bulk].append((colour, 2))
        nets = {net: hash((nets[net], tuple(sorted(around[net])))) for net in nets}
        last, parts = parts, len(set(nets.values()))
        if parts == last:
            break
    return Counter(colours)
