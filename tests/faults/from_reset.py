"""Whether a fault cannot be told from a reset on, by the searches for invariants of ABC.

The module with the fault runs beside the module without, both with the same inputs, from a clock of
reset on. Proved is that their outputs are the same in every clock, whatever the inputs, and so are
the inputs of memories inside; but for those of `COUNTS` while they do not count. A memory gives
any value, the same one on both sides. What else the module places is part of it.
"""

import json
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

from hwgen.errors import DesignError
from tests.faults.equivalent import INSTANCE, WITH, WITHOUT
from tests.faults.unread import Ports, escaped
from verif.schemata import Fault, faulty
from verif.yosys import run_yosys

SECONDS = 20
"""Of each of its two searches."""
COUNTS = {
    "valid": ("data", "count", "last", "opens", "data_half"),
    "store": ("store_index", "store_beats", "store_address"),
    "write_en": ("write_index", "write_data"),
    "enables_0": ("index_0", "data_0"),
}
"""Names of outputs and inputs of memories that count only while their owner's first is not 0."""
FLIT = "link"
"""An output whose lowest bit says whether the others count."""
PORTS, BOTH, GATES = "ports.json", "both.v", "both.aig"
MEMORY = re.compile(r"^ +(?:reg|integer) .*\[\d\w*[:-].*\];$", re.MULTILINE)
CLOCKED = re.compile(r"^  always @\(posedge clk\) begin\n(.*?)^  end$", re.MULTILINE | re.DOTALL)
EXPOSE = """
hierarchy -top {top}
proc
flatten
opt_clean
rename {top} {side}
rename -hide w:*
expose -evert {side}
write_rtlil {side}.il
design -reset
"""
SIDES = f"read_rtlil {WITHOUT}.il\nread_rtlil {WITH}.il\n"
MAP = f"""
{SIDES}read_verilog -sv {BOTH}
hierarchy -top both
proc
flatten
opt -full
techmap
opt -fast
dffunmap
aigmap
opt_clean
setundef -zero
write_aiger -zinit {GATES}
"""
PROVE = "read_aiger {file}; strash; pdr -T {seconds}; read_aiger {file}; scorr; pdr -T {seconds}"
PROVED = "Property proved"


def same_from_reset(fault: Fault, modules: Mapping[str, str]) -> bool:
    """Return whether a fault is proved to change nothing that counts; False: that is not known.

    A module with registers without a reset, which begin with any value, is not tried.
    """
    top = fault.module
    inside = {top, *placed_below(top, modules)}
    boxes = {name for name in inside if MEMORY.search(modules[name])}
    if top in boxes or any(lacks_a_reset(modules[name]) for name in inside - boxes):
        return False
    wrong = {**modules, top: faulty(modules[top], fault)}
    with tempfile.TemporaryDirectory() as scratch:
        folder, what = Path(scratch), f"{top} beside a fault of it"
        try:
            script = ""
            for side, texts in ((WITHOUT, modules), (WITH, wrong)):
                for name in sorted(inside):
                    (folder / f"{side}_{name}.v").write_text(texts[name], encoding="utf-8")
                    library = "-lib " if name in boxes else ""
                    script += f"read_verilog -sv {library}{side}_{name}.v\n"
                script += EXPOSE.format(top=top, side=side)
            run_yosys(f"{script}{SIDES}write_json {PORTS}\n", folder, what=what)
            found = json.loads((folder / PORTS).read_text(encoding="utf-8"))["modules"]
            ports = found[WITHOUT]["ports"]
            if ports.keys() != found[WITH]["ports"].keys():
                return False
            (folder / BOTH).write_text(both(ports), encoding="utf-8")
            run_yosys(MAP, folder, what=what)
        except DesignError:
            return False
        return PROVED in run_abc(folder)


def placed_below(module: str, modules: Mapping[str, str]) -> Iterator[str]:
    """Yield the modules inside a module, those of a memory without what is inside them."""
    for name in sorted(set(INSTANCE.findall(modules[module])) & modules.keys()):
        yield name
        if not MEMORY.search(modules[name]):
            yield from placed_below(name, modules)


def lacks_a_reset(text: str) -> bool:
    """Return whether a register of a module has no reset."""
    return any("if (rst) begin" not in block for block in CLOCKED.findall(text))


def both(ports: Ports) -> str:
    """Return a module with both side by side whose output is 1 where they differ."""
    wires, same = [], []
    sides: dict[str, list[str]] = {WITHOUT: [], WITH: []}
    for port, facts in ports.items():
        bits, output = len(facts["bits"]), facts["direction"] == "output"
        for side in sides if output else ("",):
            wires.append(f"{'wire' if output else 'input'} [{bits - 1}:0] {escaped(port, side)};\n")
        for side, connected in sides.items():
            value = "reset" if port == "rst" else escaped(port, side if output else "")
            connected.append(f".{escaped(port)}({value})")
        if output and not port.endswith("clk"):
            same += equal(port, ports)
    inputs = [escaped(port) for port, facts in ports.items() if facts["direction"] == "input"]
    placed = "".join(f"{side} {side}_here ({', '.join(each)});\n" for side, each in sides.items())
    return (
        f"module both({', '.join(inputs)}, bad);\noutput bad;\n{''.join(wires)}"
        "reg begun = 1'b0;\nwire reset = rst | ~begun;\nalways @(posedge clk) begun <= 1'b1;\n"
        f"{placed}assign bad = begun && !({' && '.join(same)});\nendmodule\n"
    )


def equal(port: str, ports: Ports) -> Iterator[str]:
    """Yield when an output is the same on both sides, as far as it counts."""
    one, other = escaped(port, WITHOUT), escaped(port, WITH)
    owner, dot, name = port.rpartition(".")
    if name == FLIT:
        yield f"{one}[0] == {other}[0] && ({one} == {other} || !{one}[0])"
        return
    for counts, names in COUNTS.items():
        if name in names and f"{owner}{dot}{counts}" in ports:
            yield f"({one} == {other} || !(|{escaped(f'{owner}{dot}{counts}', WITHOUT)}))"
            return
    yield f"{one} == {other}"


def run_abc(folder: Path) -> str:
    """Return what ABC says of the gates in a folder."""
    package = find_spec("pyosys")
    if package is None or package.origin is None:
        return ""
    command = [str(Path(package.origin).with_name("yosys-abc"))]
    command += ["-c", PROVE.format(file=GATES, seconds=SECONDS)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout
