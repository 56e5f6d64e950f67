"""OpenSTA, the referee of our static timing: Debian's package `opensta`.

Its version of 2019 reads neither `assign` of several bits nor buses well: each bit is a wire here.
"""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from hwgen.errors import MissingToolError, SimulationError
from hwgen.physical.cells import Library
from hwgen.physical.netlist import Net, Netlist
from hwgen.physical.timing_model import boundary_of

SETTING = """
read_liberty library.lib
read_verilog netlist.v
link_design {name}
create_clock -period 100 {clock}
set_input_transition {slew} [all_inputs]
set_load -pin_load {load} [all_outputs]
set_input_delay 0 -clock {clock_name} [all_inputs]
set_output_delay 0 -clock {clock_name} [all_outputs]
"""
ENDS = {
    "register to register": "-from [all_registers -clock_pins] -to [all_registers -data_pins]",
    "register to output": "-from [all_registers -clock_pins] -to [all_outputs]",
    "input to output": "-from [all_inputs] -to [all_outputs]",
}
MARK = "NEXT KIND OF PATH"


def worst_times(
    netlist: Netlist, library: Library, liberty: str, folder: Path
) -> dict[str, float | None]:
    """Return the latest arrival, with the setup time where there is one, of each kind of path.

    netlist: gates alone, neither memories nor placed modules
    """
    (folder / "netlist.v").write_text("\n".join(verilog(netlist)) + "\n", encoding="utf-8")
    # A wire load model that a library names as its default would add wires, which ours has not.
    without_wires = re.sub(r"default_wire_load\w*\s*:[^;]*;", "", liberty)
    (folder / "library.lib").write_text(without_wires, encoding="utf-8")
    boundary = boundary_of(library)
    femto = "capacitive_load_unit" in liberty and re.search(r"\(\s*1\s*,\s*ff\s*\)", liberty)
    clocked = "clk" in netlist.inputs
    kinds = [kind for kind in ENDS if clocked or not kind.startswith("register")]
    script = SETTING.format(
        name=netlist.name,
        clock="clk_0" if clocked else "-name ideal",
        clock_name="clk_0" if clocked else "ideal",
        slew=boundary.slew,
        load=boundary.load * (1000 if femto else 1),
    )
    for kind in kinds:
        script += f'puts "{MARK}"\nreport_checks {ENDS[kind]} -digits 5\n'
    (folder / "run.tcl").write_text(script, encoding="utf-8")
    try:
        done = subprocess.run(
            ["sta", "-exit", "run.tcl"], cwd=folder, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise MissingToolError(
            "the program sta is needed for this: apt-get install opensta"
        ) from None
    sections = done.stdout.split(MARK)[1:]
    if done.returncode or len(sections) != len(kinds):
        raise SimulationError(f"OpenSTA must read the netlist, got {done.stdout[-300:]}")
    return {kind: latest(text) for kind, text in zip(kinds, sections, strict=True)}


def latest(text: str) -> float | None:
    """Return the latest arrival of a report, with the setup time of its register."""
    arrival = re.search(r"(-?[\d.]+)\s+data arrival time", text)
    if arrival is None:
        return None
    setup = re.search(r"^\s*(-?[\d.]+)\s+[\d.]+\s+library setup time", text, re.M)
    return float(arrival[1]) - (float(setup[1]) if setup else 0.0)


def verilog(netlist: Netlist) -> Iterator[str]:
    """Yield the lines of a netlist as Verilog, a wire a bit."""
    directions = {"input": netlist.inputs, "output": netlist.outputs}
    ports = [
        (direction, f"{port}_{bit}", net)
        for direction, held in directions.items()
        for port, bits in held.items()
        for bit, net in enumerate(bits)
        if net is not None
    ]
    name_of: dict[Net, str] = {}
    for _, name, net in ports:
        name_of.setdefault(net, name)
    yield f"module {netlist.name} ({', '.join(name for _, name, _ in ports)});"
    for direction, name, net in ports:
        yield f"  {direction} {name};"
        if name_of[net] != name:
            yield f"  assign {name} = {name_of[net]};"
    for net in sorted(netlist.nets - name_of.keys()):
        name_of[net] = f"n{net}"
        yield f"  wire n{net};"
    for number, gate in enumerate(netlist.gates):
        pins = ", ".join(f".{pin}({name_of[net]})" for pin, net in gate.pins.items())
        yield f"  {gate.cell} g{number} ({pins});"
    yield "endmodule"
