"""Whether a fault changes one register only, and only while nothing reads it, by Yosys' SAT.

Proved is an invariant of the module with the fault beside the module without: all registers but the
faulty one are the same, and that one is, too, or another register is 0, which is 0 after a reset.
Both get the same inputs. The outputs are the same, but for the faulty register's own beside its
valid, as in ``write`` beside ``write_valid``: it may differ while that is 0.
"""

import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hwgen.errors import DesignError
from tests.faults.equivalent import SOLVE, WITH, WITHOUT, exposed
from verif.schemata import Fault
from verif.yosys import run_yosys

CLOCKED = "always @(posedge clk) begin"
STORED = re.compile(r"    (\S+) <= \S+ ?;")
SECONDS = 5
"""Of the solver for each register that may be the other one."""
PORTS, EXPOSED, BOTH = "ports.json", "exposed.il", "both.v"
NOW, NEXT = ".q", ".d"
"""Ends of the names of a register's ports."""
ANSWERS = re.compile(r"SAT proof finished - (no )?model found|Interrupted SAT solver: TIMEOUT")

Ports = Mapping[str, Mapping[str, Any]]


def unread(fault: Fault, modules: Mapping[str, str], register: str) -> str:
    """Return while what is 0 a fault changes a register, and nothing else; empty: not proved."""
    if not register:
        return ""
    what = f"{fault.module} beside a fault of {register}"
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        script = exposed(fault, modules, folder)
        try:
            script += f"write_json {PORTS}\nwrite_rtlil {EXPOSED}\n"
            run_yosys(script, folder, what=what)
            found = json.loads((folder / PORTS).read_text(encoding="utf-8"))["modules"]
            ports = found[WITHOUT]["ports"]
            if f"{register}{NOW}" not in ports or ports.keys() != found[WITH]["ports"].keys():
                return ""
            guards = [
                name.removesuffix(NOW)
                for name in ports
                if name.endswith(NOW) and name != f"{register}{NOW}"
            ]
            texts = [both(n, ports, register, guard) for n, guard in enumerate(guards)]
            (folder / BOTH).write_text("".join(texts), encoding="utf-8")
            said = run_yosys(proofs(len(guards)), folder, what=what)
        except DesignError:
            return ""
    answers = [answer[1] == "no " for answer in ANSWERS.finditer(said)]
    return next((guard for guard, holds in zip(guards, answers, strict=True) if holds), "")


def register_of(fault: Fault, text: str) -> str:
    """Return the register that the clocked block with a fault loads; empty: it is in none."""
    lines = text.splitlines()
    begin = next((n for n in range(fault.line - 1, 0, -1) if lines[n].startswith("  always")), 0)
    end = next((n for n in range(begin, len(lines)) if lines[n] == "  end"), 0)
    stored = STORED.fullmatch(lines[end - 1])
    inside = begin < fault.line - 1 < end and lines[begin].strip() == CLOCKED
    if not inside or stored is None:
        return ""
    # As in Yosys' JSON, where only names that begin with a dollar keep their backslash.
    return stored[1] if stored[1].startswith("\\$") else stored[1].removeprefix("\\")


def both(number: int, ports: Ports, register: str, guard: str) -> str:
    """Return a module with both side by side, and the invariant for a guard."""
    shown = is_valid_of(guard, register)
    wires: dict[str, str] = {}
    sides: dict[str, list[str]] = {WITHOUT: [], WITH: []}
    same = []
    for name, port in ports.items():
        apart = port["direction"] == "output" or name == f"{register}{NOW}"
        for side, connected in sides.items():
            wire = escaped(name, side if apart else "")
            wires[wire] = f"{port['direction']} [{len(port['bits']) - 1}:0] {wire}"
            connected.append(f".{escaped(name)}({wire})")
        if port["direction"] == "output" and name != f"{register}{NEXT}":
            may_differ = f" || !{escaped(guard + NOW)}" if shown and name == register else ""
            same.append(f"{escaped(name, WITHOUT)} == {escaped(name, WITH)}{may_differ}")
    equal = [" == ".join(escaped(register + end, side) for side in sides) for end in (NOW, NEXT)]
    idle = f"!{escaped(guard + NEXT, WITHOUT)}"
    lines = [
        f"assume ({equal[0]} || !{escaped(guard + NOW)});",
        f"assert ({equal[1]} || {idle});",
        f"assert (!rst || {idle});",
        *(f"assert ({each});" for each in same),
    ]
    placed = "".join(f"{side} {side}_here ({', '.join(each)});\n" for side, each in sides.items())
    return (
        f"module both_{number}({', '.join(wires.values())});\n{placed}"
        f"always @* begin\n{chr(10).join(lines)}\nend\nendmodule\n"
    )


def is_valid_of(guard: str, register: str) -> bool:
    """Return whether a name is that of the valid beside a register, which others may see."""
    return guard != register and guard in (
        f"{register}_valid",
        register.replace("payload", "valid"),
    )


def escaped(name: str, side: str = "") -> str:
    """Return the name of a port in Verilog; side: of the module that drives it alone."""
    plain = name.removeprefix("\\")
    return f"\\{side}.{plain} " if side else f"\\{plain} "


def proofs(count: int) -> str:
    """Return the commands that try so many guards."""
    lines = [f"read_rtlil {EXPOSED}\nread_verilog -formal -sv {BOTH}\ndesign -save all\n"]
    for number in range(count):
        lines.append(f"design -load all\nhierarchy -top both_{number}\nproc\nflatten\n")
        lines.append(f"async2sync\nchformal -lower\nopt -full\n{SOLVE.format(seconds=SECONDS)}")
    return "".join(lines)
