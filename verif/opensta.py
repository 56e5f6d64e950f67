"""OpenSTA, the referee of our static timing: Debian's package `opensta`.

Its version of 2019 reads neither `assign` of several bits nor buses well: each bit is a wire here.
"""

import re
import subprocess
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from hwgen.errors import MissingToolError, SimulationError
from hwgen.physical.cells import Library
from hwgen.physical.netlist import Memory, Net, Netlist
from hwgen.physical.timing_model import Boundary, boundary_of, memory_ns

SETTING = """
read_liberty library.lib
read_liberty memories.lib
read_verilog netlist.v
link_design {name}
create_clock -period 100 {clock}
set_input_transition {slew} [all_inputs]
set_load -pin_load {load} [all_outputs]
"""
PORTS = """
set_input_delay 0 -clock {clock_name} [all_inputs]
set_output_delay 0 -clock {clock_name} [all_outputs]
"""
ENDS = {
    "register to register": "-from [all_registers -clock_pins] -to [all_registers -data_pins]",
    "register to output": "-from [all_registers -clock_pins] -to [all_outputs]",
    "input to output": "-from [all_inputs] -to [all_outputs]",
}
MARK = "NEXT KIND OF PATH"


@dataclass(frozen=True)
class Slowest:
    """The slowest path between registers, in ns with the setup time; points: pins on its way."""

    ns: float
    points: Sequence[str]


def worst_times(
    netlist: Netlist, library: Library, liberty: str, folder: Path
) -> dict[str, float | None]:
    """Return the latest arrival, with the setup time where there is one, of each kind of path.

    netlist: gates alone, neither memories nor placed modules
    """
    clocked = "clk" in netlist.inputs
    kinds = [kind for kind in ENDS if clocked or not kind.startswith("register")]
    text = PORTS.format(clock_name="clk_0" if clocked else "ideal")
    for kind in kinds:
        text += f'puts "{MARK}"\nreport_checks {ENDS[kind]} -digits 5\n'
    netlists = {netlist.name: netlist}
    sections = run(netlists, netlist.name, text, library=library, liberty=liberty, folder=folder)
    return {kind: latest(part) for kind, part in zip(kinds, sections, strict=True)}


def slowest_path(
    netlists: Mapping[str, Netlist], top: str, *, library: Library, liberty: str, folder: Path
) -> Slowest:
    """Return the slowest path between registers of a module with all that it places.

    netlists: by name, each behind those that it places, with the trees of buffers; the module last
    """
    checks = f'puts "{MARK}"\nreport_checks -path_delay max -digits 5\n'
    (text,) = run(netlists, top, checks, library=library, liberty=liberty, folder=folder)
    ns = latest(text)
    if ns is None:
        raise SimulationError(f"OpenSTA must find a path between registers of {top}, got {text}")
    return Slowest(ns, re.findall(r"[v^]\s+(\S+/\S+) \(", text))


def run(
    netlists: Mapping[str, Netlist],
    top: str,
    checks: str,
    *,
    library: Library,
    liberty: str,
    folder: Path,
) -> list[str]:
    """Return what OpenSTA prints behind each mark of some checks."""
    boundary = boundary_of(library)
    constants = {library.tie_low[0], library.tie_high[0]}
    memories = {shape(m): m for netlist in netlists.values() for m in netlist.memories}
    with (folder / "netlist.v").open("w", encoding="utf-8") as file:
        wires: dict[str, Wires] = {}
        for name, netlist in netlists.items():
            wires[name] = Wires(netlist, wires)
            lines = verilog(netlist, wires, constants=constants, is_top=name == top)
            file.writelines(f"{line}\n" for line in lines)
    (folder / "memories.lib").write_text(
        "\n".join(memory_library(memories, boundary)), encoding="utf-8"
    )
    # A wire load model that a library names as its default would add wires, which ours has not.
    without_wires = re.sub(r"default_wire_load\w*\s*:[^;]*;", "", liberty)
    (folder / "library.lib").write_text(without_wires, encoding="utf-8")
    femto = "capacitive_load_unit" in liberty and re.search(r"\(\s*1\s*,\s*ff\s*\)", liberty)
    script = SETTING.format(
        name=top,
        clock="clk_0" if "clk" in netlists[top].inputs else "-name ideal",
        slew=boundary.slew,
        load=boundary.load * (1000 if femto else 1),
    )
    (folder / "run.tcl").write_text(script + checks, encoding="utf-8")
    try:
        done = subprocess.run(
            ["sta", "-exit", "run.tcl"], cwd=folder, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise MissingToolError(
            "the program sta is needed for this: apt-get install opensta"
        ) from None
    sections = done.stdout.split(MARK)[1:]
    if done.returncode or len(sections) != checks.count(MARK):
        raise SimulationError(f"OpenSTA must read the netlist, got {done.stdout[-300:]}")
    return sections


def latest(text: str) -> float | None:
    """Return the latest arrival of a report, with the setup time of its register."""
    arrival = re.search(r"(-?[\d.]+)\s+data arrival time", text)
    if arrival is None:
        return None
    setup = re.search(r"^\s*(-?[\d.]+)\s+[\d.]+\s+library setup time", text, re.M)
    return float(arrival[1]) - (float(setup[1]) if setup else 0.0)


class Wires:
    """The nets of a module as wires: one where placed modules show a net on several ports.

    name_of: of each net; ports: direction, pin and net of each bit; shown: of each pin the first
    one with the same wire, which alone is a port where the module is placed
    """

    def __init__(self, netlist: Netlist, below: Mapping[str, "Wires"]) -> None:
        self._joined: dict[Net, Net] = {}
        for placed in netlist.placed:
            pins = bits_of(placed.pins)
            for pin, first in below[placed.module].shown.items():
                if pin in pins and first in pins:
                    self._join(pins[pin], pins[first])
        inputs, outputs = bits_of(netlist.inputs), bits_of(netlist.outputs)
        self.ports = [("input", pin, net) for pin, net in inputs.items()]
        self.ports += [("output", pin, net) for pin, net in outputs.items()]
        names: dict[Net, str] = {}
        for _, pin, net in self.ports:
            names.setdefault(self._root(net), pin)
        self.wires = [f"n{net}" for net in netlist.nets if self._root(net) == net not in names]
        self.name_of = {
            net: names.get(self._root(net), f"n{self._root(net)}") for net in netlist.nets
        }
        self.shown: dict[str, str] = {pin: self.name_of[net] for _, pin, net in self.ports}

    def _root(self, net: Net) -> Net:
        """Return the net that stands for one."""
        while net in self._joined:
            net = self._joined[net]
        return net

    def _join(self, one: Net, other: Net) -> None:
        """Let one net stand for two."""
        if self._root(one) != self._root(other):
            self._joined[self._root(one)] = self._root(other)


def bits_of(ports: Mapping[str, Sequence[Net | None]]) -> dict[str, Net]:
    """Return the net of each bit of some ports that has one, by the name of its pin."""
    return {
        f"{port}_{bit}": net
        for port, bits in ports.items()
        for bit, net in enumerate(bits)
        if net is not None
    }


def verilog(
    netlist: Netlist, wires: Mapping[str, Wires], *, constants: Container[str], is_top: bool
) -> Iterator[str]:
    """Yield the lines of a netlist as Verilog, a wire a bit.

    wires: of it and what it places; constants: cells that drive one
    """
    own = wires[netlist.name]
    ports = [(way, pin) for way, pin, _ in own.ports if is_top or own.shown[pin] == pin]
    yield f"module {netlist.name} ({', '.join(pin for _, pin in ports)});"
    for direction, pin in ports:
        yield f"  {direction} {pin};"
        if own.shown[pin] != pin:
            yield f"  assign {pin} = {own.shown[pin]};"
    yield from (f"  wire {wire};" for wire in own.wires)
    for number, gate in enumerate(netlist.gates):
        # A constant would close ways through gates behind it, in each instance others.
        if gate.cell not in constants:
            yield instance(gate.cell, f"g{number}", gate.pins, own.name_of)
    clock = bits_of(netlist.inputs).get("clk_0")
    for number, memory in enumerate(netlist.memories):
        clocked = {} if clock is None else {"clk": clock}
        pins = clocked | dict(chain.from_iterable(memory_pins(memory)))
        yield instance(shape(memory), f"m{number}", pins, own.name_of)
    for number, placed in enumerate(netlist.placed):
        shown = wires[placed.module].shown
        held = bits_of(placed.pins).items()
        pins = {pin: net for pin, net in held if shown.get(pin) == pin}
        yield instance(placed.module, f"u{number}", pins, own.name_of)
    yield "endmodule"


def instance(cell: str, name: str, pins: Mapping[str, Net], name_of: Mapping[Net, str]) -> str:
    """Return the line of an instance."""
    return f"  {cell} {name} ({', '.join(f'.{pin}({name_of[net]})' for pin, net in pins.items())});"


def shape(memory: Memory) -> str:
    """Return the name of the cell of a memory: all of a name have the same pins and times."""
    clocks = "".join("r" if registered else "c" for registered, *_ in memory.reads)
    widths = "_".join(str(len(part)) for part in memory_pins(memory))
    return f"memory_{memory.words}_{clocks}_{widths}"


def memory_pins(memory: Memory) -> list[list[tuple[str, Net]]]:
    """Return pins and nets: of each read those that it reads and its data, then all written."""
    found = []
    for number, (_, address, enable, data) in enumerate(memory.reads):
        found.append([(f"a{number}_{bit}", net) for bit, net in enumerate((*address, *enable))])
        found.append([(f"d{number}_{bit}", net) for bit, net in enumerate(data)])
    return [*found, [(f"w_{bit}", net) for bit, net in enumerate(sorted(memory.written))]]


LIBRARY = """library (memories) {
  delay_model : table_lookup; time_unit : "1ns"; capacitive_load_unit (1, pf);
  voltage_unit : "1V"; current_unit : "1mA";
  leakage_power_unit : "1nW"; pulling_resistance_unit : "1kohm";
  input_threshold_pct_rise : 50; input_threshold_pct_fall : 50;
  output_threshold_pct_rise : 50; output_threshold_pct_fall : 50;
  slew_lower_threshold_pct_rise : 30; slew_lower_threshold_pct_fall : 30;
  slew_upper_threshold_pct_rise : 70; slew_upper_threshold_pct_fall : 70;"""


def memory_library(memories: Mapping[str, Memory], boundary: Boundary) -> Iterator[str]:
    """Yield the lines of a library of memories, by the assumptions of our timing."""
    yield LIBRARY
    check = (
        'timing () { related_pin : "clk"; timing_type : setup_rising;'
        ' rise_constraint (scalar) { values ("0"); } fall_constraint (scalar) { values ("0"); } }'
    )
    for name, memory in memories.items():
        read = memory_values(memory_ns(memory.words, boundary), boundary.slew)
        pins = memory_pins(memory)
        yield f"  cell ({name}) {{ pin (clk) {{ direction : input; clock : true; }}"
        for number, (registered, *_) in enumerate(memory.reads):
            address, data = pins[2 * number], pins[2 * number + 1]
            yield from (input_pin(pin, boundary, check if registered else "") for pin, _ in address)
            related = "clk" if registered else " ".join(pin for pin, _ in address)
            kind = "rising_edge" if registered else "combinational"
            arc = (
                f'timing () {{ related_pin : "{related}"; timing_type : {kind};'
                f" timing_sense : non_unate; {read} }}"
            )
            for pin, _ in data:
                yield f"    pin ({pin}) {{ direction : output; {arc if related else ''} }}"
        yield from (input_pin(pin, boundary, check) for pin, _ in pins[-1])
        yield "  }"
    yield "}"


def memory_values(ns: float, slew: float) -> str:
    """Return delay and slew of both edges, whatever the load."""
    return " ".join(
        f'{kind} (scalar) {{ values ("{value}"); }}'
        for kind, value in (
            ("cell_rise", ns),
            ("cell_fall", ns),
            ("rise_transition", slew),
            ("fall_transition", slew),
        )
    )


def input_pin(pin: str, boundary: Boundary, check: str) -> str:
    """Return the line of an input."""
    return f"    pin ({pin}) {{ direction : input; capacitance : {boundary.load / 4}; {check} }}"
