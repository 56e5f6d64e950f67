"""Whether a fault changes one register only, and only while nothing reads it, by Yosys' SAT.

Proved is an invariant of the module with the fault beside the module without: all registers but the
faulty one are the same, and that one is, too, or another register is 0, or two of a bit, which are
0 after a reset.
Both get the same inputs. The outputs are the same, but for the faulty register's own beside its
valid, as in ``write`` beside ``write_valid``: it may differ while that is 0.
"""

import json
import re
import tempfile
from collections.abc import Iterable, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

from hwgen.errors import DesignError
from tests.faults.equivalent import SOLVE, WITH, WITHOUT, exposed
from verif.schemata import Fault, in_lines
from verif.yosys import run_yosys

CLOCKED = "always @(posedge clk) begin"
STORED = re.compile(r" +(\\\S+|[\w$]+)(?: ?\[[\d:]+\])? +<= .*;")
SECONDS = 5
"""Of the solver for each register that may be the other one."""
AXI_CHANNEL = re.compile(r"(?<=__)(aw|ar|w|b|r)(addr|len|data|strb|last|resp)$")
"""End of the name of a port of AXI that counts beside the valid of its channel."""
PORTS, EXPOSED, BOTH = "ports.json", "exposed.il", "both.v"
IDLE, WORKS = "idle", "works"
"""Cases of a proof: the guard is 0, and the register differs; the register is the same."""
NOW, NEXT = ".q", ".d"
"""Ends of the names of a register's ports."""
ANSWERS = re.compile(r"SAT proof finished - (no )?model found|Interrupted SAT solver: TIMEOUT")

Ports = Mapping[str, Mapping[str, Any]]
Guard = tuple[str, ...]
MOST_FLAGS = 6
"""Registers of a bit of which pairs are tried."""
NAME = re.compile(r"\\\S+ |[a-zA-Z_][\w$]*")
ASSIGNED = re.compile(r"  assign (\\\S+ |\w+) = ")
DECLARED = re.compile(r"  (?:reg|wire|input|output)\b|module |  //")
PORT = re.compile(r"  output\b([^,;/]*)")


def unread(fault: Fault, modules: Mapping[str, str], register: str) -> str:
    """Return while what is 0 a fault changes a register, and nothing else; empty: not proved."""
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
            guards = guards_of(ports, register)
            tops = {
                f"{kind}_{number}": both(
                    f"{kind}_{number}", ports, register, guard, idle=kind == IDLE
                )
                for number, guard in enumerate(guards)
                for kind in (IDLE, WORKS)
            }
            (folder / BOTH).write_text("".join(tops.values()), encoding="utf-8")
            said = run_yosys(proofs(tops), folder, what=what)
        except DesignError:
            return ""
    answers = [answer[1] == "no " for answer in ANSWERS.finditer(said)]
    holds = [idle and works for idle, works in zip(answers[::2], answers[1::2], strict=True)]
    found = next((guard for guard, each in zip(guards, holds, strict=True) if each), ())
    return " and ".join(found)


def guards_of(ports: Ports, register: str) -> list[tuple[str, ...]]:
    """Return the registers that may tell that one is not read: each, and pairs of a bit each."""
    names = [name.removesuffix(NOW) for name in ports if name.endswith(NOW)]
    others = [name for name in names if name != register]
    flags = [name for name in others if len(ports[f"{name}{NOW}"]["bits"]) == 1]
    pairs = combinations(flags, 2) if len(flags) <= MOST_FLAGS else ()
    return [*((name,) for name in others), *pairs]


def register_of(fault: Fault, text: str) -> str:
    """Return the one register that a fault changes; empty: there is none, or more.

    It is the one that its clocked block loads, or the only one behind its assignment.
    """
    lines = in_lines(text).splitlines()
    assigned = ASSIGNED.match(lines[fault.line - 1])
    if assigned:
        return behind(assigned[1].strip(), lines)
    return register_of_block(fault.line - 1, lines)


def register_of_block(number: int, lines: list[str]) -> str:
    """Return the register that the clocked block around a line loads; empty: it is in none."""
    begin = next((n for n in range(number, 0, -1) if lines[n].startswith("  always")), 0)
    end = next((n for n in range(begin, len(lines)) if lines[n] == "  end"), 0)
    stored = {found[1] for line in lines[begin:end] if (found := STORED.fullmatch(line))}
    inside = begin < number < end and lines[begin].strip() == CLOCKED
    return stored.pop().removeprefix("\\") if inside and len(stored) == 1 else ""


def behind(signal: str, lines: list[str]) -> str:
    """Return the only register that a signal leads to; empty: there are more, or it leaves."""
    reached, todo, registers = {signal}, [signal], set()
    ports = {name for line in lines if (found := PORT.match(line)) for name in names_of(found[1])}
    if signal in ports:
        return ""
    while todo:
        name = todo.pop()
        for number, line in enumerate(lines):
            if name not in names_of(line.partition(" = ")[2] or line) or DECLARED.match(line):
                continue
            found = ASSIGNED.match(line)
            if found is None:
                one = register_of_block(number, lines)
                if not one:
                    return ""
                registers.add(one)
            elif found[1].strip() not in reached:
                reached.add(found[1].strip())
                todo.append(found[1].strip())
    return registers.pop() if len(registers) == 1 and not reached & ports else ""


def names_of(text: str) -> set[str]:
    """Return all names in a piece of Verilog, without what ends an escaped one."""
    return {name.strip() for name in NAME.findall(text)}


def both(name: str, ports: Ports, register: str, guard: Guard, *, idle: bool) -> str:
    """Return a module with both side by side, and what is to be proved.

    idle: each guard is 0, and the register has any two values; else it has the same one twice
    """
    sides: dict[str, list[str]] = {WITHOUT: [], WITH: []}
    wires: dict[str, str] = {}
    idles = {one + NOW for one in guard}
    zero = " && ".join(f"!{escaped(one + NEXT, WITHOUT)}" for one in guard)
    same = [f"!rst || ({zero})"]
    for port, facts in ports.items():
        bits = len(facts["bits"])
        apart = facts["direction"] == "output" or (idle and port == register + NOW)
        for side, connected in sides.items():
            wire = escaped(port, side if apart else "")
            wires[wire] = f"{facts['direction']} [{bits - 1}:0] {wire}"
            # By a constant Yosys removes what cannot matter, such as multipliers.
            value = f"{bits}'d0" if idle and port in idles else wire
            connected.append(f".{escaped(port)}({value})")
        may_differ = idle and port == register and is_valid_of(" ".join(guard), register)
        if facts["direction"] == "output" and not may_differ:
            rest = f" || ({zero})" if port == register + NEXT else ""
            same.append(f"{escaped(port, WITHOUT)} == {escaped(port, WITH)}{rest}")
    placed = "".join(f"{side} {side}_here ({', '.join(each)});\n" for side, each in sides.items())
    asserts = "".join(f"assert ({each});\n" for each in same)
    return (
        f"module {name}({', '.join(wires.values())});\n{placed}"
        f"always @* begin\n{asserts}end\nendmodule\n"
    )


def is_valid_of(guard: str, register: str) -> bool:
    """Return whether a name is that of the valid beside a register, which others may see."""
    valids = {
        f"{register}_valid",
        register.replace("payload", "valid"),
        AXI_CHANNEL.sub(r"\1valid", register),
    }
    return guard in valids - {register}


def escaped(name: str, side: str = "") -> str:
    """Return the name of a port in Verilog; side: of the module that drives it alone."""
    plain = name.removeprefix("\\")
    return f"\\{side}.{plain} " if side else f"\\{plain} "


def proofs(tops: Iterable[str]) -> str:
    """Return the commands that try to prove what modules assert."""
    lines = [f"read_rtlil {EXPOSED}\nread_verilog -formal -sv {BOTH}\ndesign -save all\n"]
    for top in tops:
        lines.append(f"design -load all\nhierarchy -top {top}\nproc\nflatten\n")
        lines.append(f"async2sync\nchformal -lower\nopt -full\n{SOLVE.format(seconds=SECONDS)}")
    return "".join(lines)
