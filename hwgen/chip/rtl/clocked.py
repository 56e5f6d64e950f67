"""Registers as a person writes them: reset first, then what they take at the clock edge.

Yosys writes a register as two blocks. One computes its next value whenever any signal that it reads
changes, the reset included; one stores the value at the clock edge.

    always @* begin                 always @(posedge clk) begin
      §7 = sum;                       if (rst) begin
      if (load) begin                   total <= 8'h00;
        §7 = start;                   end else begin
      end                               total <= sum;
      if (rst) begin                    if (load) begin
        §7 = 8'h00;                       total <= start;
      end                               end
    end                               end
    always @(posedge clk)           end
      total <= §7;

The last assignment wins in both. Simulators evaluate the second form once a cycle: where Verilator
compiles a module on its own, it evaluates several times a cycle all logic that a port reaches.
"""

import re
from collections import Counter
from collections.abc import Sequence

from hwgen.chip.rtl.atoms import MARK, NAME, PRIVATE
from hwgen.chip.rtl.netlist_text import NetlistText

EDGE = "  always @(posedge clk)"
STORE = re.compile(rf"    ({NAME}) *<= ({MARK}\d+);")
TARGET = re.compile(r"( +)(?![ /(])((?:\{[^}]*\}|[^={}]*?)) += (.*;)")
"""An assignment in a block: the left side is a signal, a part of one, or several in braces."""
RESET = "    if (rst) begin"


def clock_registers(module: NetlistText) -> None:
    """Join each block that computes a next value with the register that alone reads it.

    A block stays as it is if it assigns another signal, too, or reads its own.
    """
    uses = Counter(name for line in module.lines() for name in PRIVATE.findall(line))
    uses.update(name for target, _ in module.assigns for name in PRIVATE.findall(target))
    stores = {
        found[2]: found[1]
        for lines in module.blocks
        if lines[0] == EDGE and len(lines) == 2 and (found := STORE.fullmatch(lines[1]))
    }
    blocks, joined = [], set()
    for lines in module.blocks:
        name = only_target(lines)
        own = Counter(each for line in lines for each in PRIVATE.findall(line))
        if name in stores and uses[name] == own[name] + 1 and not reads_itself(lines, name):
            blocks.append(at_the_edge(lines, name, stores[name]))
            joined.add(name)
            del module.nets[name]
        else:
            blocks.append(lines)
    module.blocks = [
        lines
        for lines in blocks
        if not (lines[0] == EDGE and (s := STORE.fullmatch(lines[1])) and s[2] in joined)
    ]


def only_target(lines: Sequence[str]) -> str:
    """Return the one net that a combinational block assigns; empty: more, or a signal."""
    if lines[0] != "  always @* begin":
        return ""
    names: set[str] = set()
    for line in lines[1:]:
        if found := TARGET.fullmatch(line):
            names.update(re.findall(NAME, found[2]))
    return names.pop() if len(names) == 1 and MARK in next(iter(names)) else ""


def reads_itself(lines: Sequence[str], name: str) -> bool:
    """Return whether a block reads the net that it assigns."""
    for line in lines:
        found = TARGET.fullmatch(line)
        if name in PRIVATE.findall(found[3] if found else line):
            return True
    return False


def at_the_edge(lines: Sequence[str], name: str, register: str) -> list[str]:
    """Return the block of a register, its reset first."""
    body = [taken(line, name, register) for line in lines[1:-1]]
    if body and body[0] == f"    {register} <= {register};":
        body = body[1:]
    reset: list[str] = []
    if len(body) >= 3 and body[-3] == RESET and body[-1] == "    end":
        body, reset = body[:-3], body[-3:]
    if not reset:
        return [f"{EDGE} begin", *body, "  end"]
    if not body:
        return [f"{EDGE} begin", *reset, "  end"]
    if is_one_if(body):
        return [f"{EDGE} begin", *reset[:-1], f"    end else {body[0].strip()}", *body[1:], "  end"]
    inner = [f"  {line}" for line in body]
    return [f"{EDGE} begin", *reset[:-1], "    end else begin", *inner, "    end", "  end"]


def taken(line: str, name: str, register: str) -> str:
    """Return a line of a block with a register in place of its next value."""
    found = TARGET.fullmatch(line)
    if found is None:
        return line
    target = PRIVATE.sub(lambda one: register if one[0] == name else one[0], found[2])
    return f"{found[1]}{target} <= {found[3]}"


def is_one_if(body: Sequence[str]) -> bool:
    """Return whether lines are one `if` with all that belongs to it."""
    outer = [line for line in body if not line.startswith("     ")]
    first, rest = outer[0], outer[1:]
    return first.startswith("    if (") and all(line.startswith("    end") for line in rest)
