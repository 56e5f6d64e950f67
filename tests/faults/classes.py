"""What a fault is that no network catches: proved, by a rule on its signal, by a bench, by hand."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.faults.equivalent import equivalent
from tests.faults.from_reset import same_from_reset
from tests.faults.parts import killers
from tests.faults.places import as_placed
from tests.faults.unread import is_valid_of, register_of, unread
from verif.schemata import Fault, in_lines

BY_HAND = Path(__file__).with_name("by_hand.yaml")
TRACE = re.compile(r"\b(trace|pulses)\w*")
CLOCKED = "always @(posedge clk) begin"
RESET, GO = "if (rst) begin", "end else if (go) begin"
"""The arms of a clocked block that a reset and a `go` open."""
WORKS = "    end else begin"
"""Behind the reset of a clocked block, where more than one condition follows."""


def classes_of(
    faults: Sequence[Fault], modules: Mapping[str, str], family: str, chip: Any
) -> dict[Fault, tuple[str, str]]:
    """Return the class of each fault of a chip that no network catches, and what says so.

    Proofs take longer than benches, and come for what no bench kills.
    """
    killed = {
        fault: ("part", f"the bench of `{bench}`")
        for fault, bench in killers(faults, modules, family, chip)
    }
    return {fault: killed.get(fault) or by_itself(fault, modules) for fault in faults}


def by_itself(fault: Fault, modules: Mapping[str, str]) -> tuple[str, str]:
    """Return the class of a fault that no bench kills, and what says so; long proofs are last."""
    text, places = modules[fault.module], as_placed(fault.module, modules)
    if all(equivalent(fault, each) for each in places):
        return "equivalent", "SAT"
    if leads_to_the_trace(fault, text):
        return "test ports", "the signal is one of the trace"
    if only_loads_more(fault, text):
        return "power or enable only", "the register loads in every clock"
    if gone_with_go(fault, text):
        return "reset only", "every `go` sets the register, and the unit works behind one alone"
    if reason := by_hand(fault):
        return "by hand", reason
    return by_guard(fault, text, places) or by_reset(fault, places)


def by_reset(fault: Fault, places: Sequence[Mapping[str, str]]) -> tuple[str, str]:
    """Return the class of a fault of which nothing else is proved."""
    if all(same_from_reset(fault, each) for each in places):
        return "equivalent", "ABC: nothing that counts differs, whatever follows a reset"
    return "open", ""


def by_guard(
    fault: Fault, text: str, places: Sequence[Mapping[str, str]]
) -> tuple[str, str] | None:
    """Return the class of a fault of a register that is not read while others are 0, or None."""
    register = register_of(fault, text)
    guards = {unread(fault, each, register) for each in places} if register else {""}
    guard = guards.pop() if len(guards) == 1 else ""
    if not guard:
        return None
    if is_valid_of(guard, register):
        return "power or enable only", f"SAT: `{register}` differs only while `{guard}` is 0"
    return "equivalent", f"SAT: nothing reads `{register}` while `{guard}` is 0"


def leads_to_the_trace(fault: Fault, text: str) -> bool:
    """Return whether the line with the fault drives a signal of the trace by itself."""
    driven, _, _ = in_lines(text).splitlines()[fault.line - 1].partition("=")
    return TRACE.search(driven) is not None


def only_loads_more(fault: Fault, text: str) -> bool:
    """Return whether a fault makes a register load in a clock in which it would hold, no more.

    The condition of a clocked block that holds the register otherwise becomes always true.
    """
    lines = in_lines(text).splitlines()
    begin = max((n for n in range(fault.line) if lines[n].startswith("  always")), default=0)
    end = next((n for n in range(fault.line, len(lines)) if lines[n] == "  end"), len(lines))
    body = lines[begin + 1 : end]
    outer = 4
    if WORKS in body:
        body, outer = body[body.index(WORKS) + 1 :], 6
    return (
        lines[begin].strip() == CLOCKED
        and not any(re.match(rf" {{{outer}}}\S.* <= ", line) for line in body)
        and fault.wrong == "1'h1"
        and lines[fault.line - 1].strip().startswith(("if (", "end else if ("))
    )


def gone_with_go(fault: Fault, text: str) -> bool:
    """Return whether a fault is what a reset gives to a register of a place that every `go` sets.

    Not of a register that says whether the unit works: `busy` or `valid`.
    """
    lines = in_lines(text).splitlines()
    begin = max((n for n in range(fault.line) if lines[n].startswith("  always")), default=0)
    body = [line.strip() for line in lines[begin + 1 :]]
    if body[0] != RESET or GO not in body:
        return False
    register, _, _ = body[fault.line - begin - 2].partition(" <= ")
    go = body.index(GO)
    end = next(n for n in range(go + 1, len(body)) if body[n].startswith("end"))
    sets = any(line.startswith(f"{register} <= ") for line in body[go:end])
    return fault.line - begin - 2 < go and sets and register not in ("busy", "valid")


def by_hand(fault: Fault) -> str:
    """Return why a fault cannot be seen, if a person has said so; empty: nobody has."""
    entries = yaml.safe_load(BY_HAND.read_text(encoding="utf-8")) or []
    for entry in entries:
        names = ("module", "line", "right", "wrong")
        if [str(entry[name]).strip() for name in names] == [
            str(getattr(fault, name)).strip() for name in names
        ]:
            return str(entry["reason"])
    return ""
