"""A module as gates of a technology: mapped flat by Yosys, with a tree over each net of many ends.

Tests: `tests/layout/test_layout.py`.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hwgen.physical.cells import Library
from hwgen.physical.modules import run_yosys
from hwgen.physical.netlist import MOST_SINKS, Gate, Net, Netlist, netlist_of

VERSION = 1
"""Of the script; a cached netlist of another version is made again."""
NETLIST, LIBERTY, VERILOG = "netlist.json", "library.lib", "module.v"

Spot = tuple[float, float]
"""A place in sites and rows."""


@dataclass(frozen=True)
class Port:
    """A bit of a port: its name as Verilog has it, whether it is an output, its net."""

    name: str
    is_output: bool
    net: Net


def map_module(folder: Path, name: str, text: str, library: Library, liberty: str) -> None:
    """Let Yosys write the flat netlist of a module into a folder; DesignError where it cannot."""
    (folder / VERILOG).write_text(text, encoding="utf-8")
    (folder / LIBERTY).write_text(liberty, encoding="utf-8")
    (low, low_pin), (high, high_pin) = library.tie_low, library.tie_high
    steps = f"""
read_liberty -lib -ignore_miss_func {LIBERTY}
read_verilog -sv {VERILOG}
hierarchy -check -top {name}
proc
flatten
opt
memory
opt -full
techmap
opt
setattr -unset init
dfflibmap -liberty {LIBERTY}
opt
abc -liberty {LIBERTY}
setundef -zero
opt_clean -purge
hilomap -singleton -hicell {high} {high_pin} -locell {low} {low_pin}
opt_clean -purge
check -assert
write_json {NETLIST}
"""
    (folder / "run.ys").write_text(steps, encoding="utf-8")
    run_yosys(folder, name)


def mapped(folder: Path, name: str, library: Library) -> Netlist:
    """Return the netlist that `map_module` wrote; a port that nothing reads has a buffer as load.

    Gates are named u0, u1 and so on: a layout names no line of the Verilog.
    """
    content = json.loads((folder / NETLIST).read_text(encoding="utf-8"))
    netlist = netlist_of(content, name, library)
    gates = [replace(gate, name=f"u{number}") for number, gate in enumerate(netlist.gates)]
    read = {net for gate in gates for net in gate.pins.values()}
    buffer = library.cells[library.buffer]
    for port in ports_of(netlist):
        if port.net not in read and not port.is_output:
            pins = {buffer.inputs[0]: port.net}
            gates.append(Gate(f"u{len(gates)}", buffer.name, pins))
    return replace(netlist, gates=gates)


def ports_of(netlist: Netlist) -> list[Port]:
    """Return the bits of the ports, inputs first."""
    return [
        Port(name if len(bits) == 1 else f"{name}[{bit}]", is_output, net)
        for is_output, ports in ((False, netlist.inputs), (True, netlist.outputs))
        for name, bits in ports.items()
        for bit, net in enumerate(bits)
        if net is not None
    ]


def with_trees(netlist: Netlist, library: Library, spots: Sequence[Spot]) -> Netlist:
    """Return a netlist with a tree of buffers over each net that more than ten inputs read.

    Ends that are near each other have a buffer of their own; clocks are nets as all others.
    spots: of each gate
    """
    buffer = library.cells[library.buffer]
    source, out = buffer.inputs[0], buffer.outputs[0]
    gates = [replace(gate, pins=dict(gate.pins)) for gate in netlist.gates]
    pins = [dict(gate.pins) for gate in gates]
    ends: dict[Net, list[tuple[Spot, int, str]]] = {}
    for number, gate in enumerate(gates):
        for pin, net in gate.pins.items():
            if not library.cells[gate.cell].pins[pin].is_output:
                ends.setdefault(net, []).append((spots[number], number, pin))
    fresh = max(netlist.nets, default=0) + 1
    for net in sorted(ends):
        level = ends[net]
        while len(level) > MOST_SINKS:
            above = []
            for group in near_groups(level):
                for _, number, pin in group:
                    pins[number][pin] = fresh
                middle = (
                    sum(spot[0] for spot, *_ in group) / len(group),
                    sum(spot[1] for spot, *_ in group) / len(group),
                )
                above.append((middle, len(pins), source))
                pins.append({source: net, out: fresh})
                fresh += 1
            level = above
        for _, number, pin in level:
            pins[number][pin] = net
    named = [
        Gate(f"u{number}", gates[number].cell if number < len(gates) else buffer.name, each)
        for number, each in enumerate(pins)
    ]
    return replace(netlist, gates=named, buffers=len(named) - len(gates))


def near_groups(
    ends: Sequence[tuple[Spot, int, str]],
) -> Iterator[Sequence[tuple[Spot, int, str]]]:
    """Yield ends in groups of at most ten, halved along the longer side again and again."""
    if len(ends) <= MOST_SINKS:
        yield ends
        return
    wide, high = (
        max(spot[axis] for spot, *_ in ends) - min(spot[axis] for spot, *_ in ends)
        for axis in (0, 1)
    )
    axis = 0 if wide > high else 1
    along = sorted(ends, key=lambda end: (end[0][axis], end[1]))
    parts = math.ceil(len(ends) / MOST_SINKS)
    half = math.ceil(len(ends) * (parts // 2) / parts)
    yield from near_groups(along[:half])
    yield from near_groups(along[half:])


def drivers_of(netlist: Netlist, library: Library) -> Mapping[Net, tuple[str, str]]:
    """Return what drives each net: gate and pin, or nothing and a port."""
    found = {port.net: ("", port.name) for port in ports_of(netlist) if not port.is_output}
    for gate in netlist.gates:
        for pin, net in gate.pins.items():
            if library.cells[gate.cell].pins[pin].is_output:
                found[net] = (gate.name, pin)
    return found
