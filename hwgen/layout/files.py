"""What stands beside a GDS: netlists, LEF, DEF, SPEF and SPICE of a routed module.

Tests: `tests/layout/test_layout.py`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from hwgen.layout.drawing import pins_of
from hwgen.layout.lattice import Lattice
from hwgen.layout.mapping import ports_of
from hwgen.layout.router import Router
from hwgen.layout.trees import Tree
from hwgen.physical.abstracts import pin_lines
from hwgen.physical.cells import Library
from hwgen.physical.netlist import Net, Netlist

DBU = 1000
"""Units of a um in DEF and LEF."""


def nm(value: float) -> str:
    """Return nm as um with three digits."""
    return f"{value / 1000:.3f}"


def net_names(netlist: Netlist) -> dict[Net, str]:
    """Return a name for each net: its port where it has one, else n and its number."""
    found = {net: f"n{net}" for net in netlist.nets}
    for port in reversed(ports_of(netlist)):
        found[port.net] = port.name
    return found


def verilog(netlist: Netlist, name: str, power: Sequence[str] = ()) -> str:
    """Return the netlist of gates as Verilog; power: names of the power pins, if it has any."""
    names = net_names(netlist)
    ports = ports_of(netlist)
    own = {port.net for port in ports}
    heads = [
        f"{'output' if bits in netlist.outputs.values() else 'input'}"
        f" {f'[{len(bits) - 1}:0] ' if len(bits) > 1 else ''}{port}"
        for port, bits in (*netlist.inputs.items(), *netlist.outputs.items())
    ]
    heads = [*(f"inout {pin}" for pin in power), *heads]
    lines = ["// SPDX-License-Identifier: Apache-2.0", f"module {name}("]
    lines += [f"  {head}," for head in heads[:-1]] + [f"  {heads[-1]}", ");"]
    lines += [f"  wire {names[net]};" for net in sorted(netlist.nets - own)]
    for gate in netlist.gates:
        pins = [f".{pin}({names[net]})" for pin, net in gate.pins.items()]
        pins += [f".{pin}({pin})" for pin in power]
        lines.append(f"  {gate.cell} {gate.name} ({', '.join(pins)});")
    lines += [
        f"  assign {port.name} = {names[port.net]};"
        for port in ports
        if port.is_output and names[port.net] != port.name
    ]
    return "\n".join([*lines, "endmodule", ""])


def spice(lattice: Lattice, name: str, circuits: str) -> str:
    """Return the placed cells as SPICE, behind their own circuits, with taps and fillers."""
    technology, netlist = lattice.technology, lattice.floor.netlist
    orders = {
        words[1]: words[2:]
        for words in (line.split() for line in circuits.splitlines() if line.startswith(".subckt"))
    }
    names = net_names(netlist)
    pins = {
        gate.name: {pin: names[net] for pin, net in gate.pins.items()} for gate in netlist.gates
    }
    ports = [port.name for port in ports_of(netlist)]
    lines = [circuits.rstrip(), f".subckt {name} {' '.join([*ports, *technology.power])}"]
    for cell in lattice.floor.cells:
        held = pins.get(cell.name, {})
        nets = [
            held.get(pin)
            or (technology.net_of(pin) if technology.net_of(pin) in technology.power else None)
            or f"{cell.name}_{pin}"
            for pin in orders[cell.kind]
        ]
        lines.append(f"X{cell.name} {' '.join(nets)} {cell.kind}")
    lines += [
        f"R{port.name} {names[port.net]} {port.name} 0"
        for port in ports_of(netlist)
        if names[port.net] != port.name
    ]
    return "\n".join([*lines, ".ends", ""])


def lef(lattice: Lattice, name: str) -> str:
    """Return the abstract of a layout: outline, pins, and metals blocked but at the edge."""
    technology = lattice.technology
    metals = technology.metals
    inputs = {port.name for port in ports_of(lattice.floor.netlist) if not port.is_output}
    lines = [
        "VERSION 5.8 ;",
        'BUSBITCHARS "[]" ;',
        'DIVIDERCHAR "/" ;',
        f"MACRO {name}",
        "  CLASS BLOCK ;",
        "  ORIGIN 0 0 ;",
        f"  FOREIGN {name} 0 0 ;",
        f"  SIZE {nm(lattice.width)} BY {nm(lattice.height)} ;",
        "  SYMMETRY X Y R90 ;",
    ]
    for pin, boxes in groupby(sorted(pins_of(lattice)), key=lambda each: each[0]):
        supply = pin in technology.power
        way = "INOUT" if supply else "INPUT" if pin in inputs else "OUTPUT"
        use = ("GROUND", "POWER")[technology.power.index(pin)] if supply else "SIGNAL"
        layer = metals[(technology.power_pin if supply else technology.pin).metal].name
        for first, (_, _, _, box) in enumerate(boxes):
            sides = tuple(each / 1000 for each in box)
            found = pin_lines(pin, way, use, layer, (sides[0], sides[1], sides[2], sides[3]))
            if first:
                del lines[-2:]
                found = found[4:]
            lines += found
    lines.append("  OBS")
    for metal in metals:
        lines += [
            f"    LAYER {metal.name} ;",
            f"      RECT 0.000 0.400 {nm(lattice.width)} {nm(lattice.height - 400)} ;",
        ]
    return "\n".join([*lines, "  END", f"END {name}", "END LIBRARY", ""])


def placed_def(lattice: Lattice, router: Router, name: str) -> str:
    """Return the placed and routed module as DEF; wires by the tracks' middles."""
    technology, netlist = lattice.technology, lattice.floor.netlist
    names, high = net_names(netlist), technology.row
    lines = [
        "VERSION 5.8 ;",
        'DIVIDERCHAR "/" ;',
        'BUSBITCHARS "[]" ;',
        f"DESIGN {name} ;",
        f"UNITS DISTANCE MICRONS {DBU} ;",
        f"DIEAREA ( 0 0 ) ( {lattice.width} {lattice.height} ) ;",
        f"COMPONENTS {len(lattice.floor.cells)} ;",
    ]
    for cell in lattice.floor.cells:
        x = lattice.left + cell.column * lattice.pitch_x
        y = lattice.low + cell.row * high
        turned = "FS" if cell.row % 2 else "N"
        lines.append(f"- {cell.name} {cell.kind} + PLACED ( {x} {y} ) {turned} ;")
    ports = ports_of(netlist)
    lines += ["END COMPONENTS", f"PINS {len(ports)} ;"]
    boxes = {each[0]: each[3] for each in pins_of(lattice)}
    layer = technology.metals[technology.pin.metal].name
    for port in ports:
        left, low, right, up = boxes[port.name]
        lines.append(
            f"- {port.name} + NET {names[port.net]} + DIRECTION"
            f" {'OUTPUT' if port.is_output else 'INPUT'} + USE SIGNAL + LAYER {layer}"
            f" ( 0 0 ) ( {right - left} {up - low} ) + FIXED ( {left} {low} ) N ;"
        )
    lines += ["END PINS", f"NETS {len(router.nets)} ;"]
    for net, way in zip(router.nets, router.ways, strict=True):
        ends = (lattice.terminals[number] for number in lattice.ends[net])
        met = " ".join(f"( {gate or 'PIN'} {pin} )" for gate, pin in ends)
        wires = list(wire_lines(lattice, router, [] if way is None else way.edges.tolist()))
        head = f"- {names[net]} {met}"
        lines.append("\n".join([head, *wires, ";"]) if wires else f"{head} ;")
    return "\n".join([*lines, "END NETS", "END DESIGN", ""])


def wire_lines(lattice: Lattice, router: Router, edges: Sequence[Sequence[int]]) -> Iterator[str]:
    """Yield the wires and cuts of a net in DEF."""
    technology = lattice.technology
    word = "+ ROUTED"
    for one, two in edges:
        (layer, place), (other, end) = divmod(one, router.area), divmod(two, router.area)
        x, y = lattice.at(place)
        if layer == other:
            to_x, to_y = lattice.at(end)
            then = f"( {to_x} {to_y} )"
        else:
            then = technology.cuts[min(layer, other)].name
        yield f"  {word} {technology.metals[layer].name} ( {x} {y} ) {then}"
        word = "NEW"


def spef(netlist: Netlist, name: str, library: Library, trees: Mapping[Net, Tree]) -> str:
    """Return resistances and capacitances of the wires as SPEF; nodes are numbered by net."""
    names = {net: re.sub(r"([\[\]])", r"\\\1", each) for net, each in net_names(netlist).items()}
    lines = ['*SPEF "IEEE 1481-1998"', f'*DESIGN "{name}"', '*PROGRAM "hwgen layout"']
    lines += ["*DIVIDER /", "*DELIMITER :", "*BUS_DELIMITER [ ]"]
    lines += ["*T_UNIT 1 NS", "*C_UNIT 1 PF", "*R_UNIT 1 OHM", "*L_UNIT 1 HENRY", ""]
    outputs = {
        (gate.name, pin)
        for gate in netlist.gates
        for pin in gate.pins
        if library.cells[gate.cell].pins[pin].is_output
    }
    inputs = {port.name for port in ports_of(netlist) if not port.is_output}
    for net, tree in trees.items():
        own = names[net]
        lines.append(f"*D_NET {own} {sum(tree.pf.values()):.6f}")
        lines.append("*CONN")
        for gate, pin in tree.ends:
            if gate:
                lines.append(f"*I {gate}:{pin} {'O' if (gate, pin) in outputs else 'I'}")
            else:
                lines.append(f"*P {pin} {'I' if pin in inputs else 'O'}")
        lines.append("*CAP")
        numbers = {node: number for number, node in enumerate(tree.pf, start=1)}
        lines += [
            f"{count} {own}:{numbers[node]} {pf:.7f}"
            for count, (node, pf) in enumerate(tree.pf.items(), start=1)
        ]
        lines.append("*RES")
        joined = [
            (f"{own}:{numbers[one]}", f"{own}:{numbers[two]}", ohm) for one, two, ohm in tree.ohm
        ]
        joined += [
            (f"{gate}:{pin}" if gate else pin, f"{own}:{numbers[node]}", max(ohm, 0.001))
            for (gate, pin), (node, ohm) in tree.ends.items()
        ]
        lines += [
            f"{count} {one} {two} {ohm:.4f}" for count, (one, two, ohm) in enumerate(joined, 1)
        ]
        lines += ["*END", ""]
    return "\n".join(lines)
