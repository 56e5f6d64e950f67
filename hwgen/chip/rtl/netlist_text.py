"""Reads a module as Yosys writes it into its parts: ports, nets, assignments, blocks, instances."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from hwgen.chip.rtl.atoms import MARK, NAME, PRIVATE

STARTED = r"\\\$auto\$verilog_backend\S+ "
START = re.compile(rf"^ +(?:reg {STARTED} = 0;|if \({STARTED}\) begin end)\n", re.M)
"""A register that wakes each `always @*` at time zero; `awake.py` keeps one where it is needed."""
ESCAPED = re.compile(r"\\(\S+) ")
HINT = re.compile(r"\$(?:([A-Za-z_]\w*)\$)?\d+")
UNNAMED = "signal"
"""Amaranth's name for a signal without one."""
PLAIN = re.compile(r"[A-Za-z_]\w*\$[\w$]*")
HEADER = re.compile(r"module (\\\S+ |\w+)\((.*?)\);\n", re.S)
DECLARED = re.compile(
    rf"  (input|output|wire|reg) (signed )?(?:\[(-?\d+):0\] )?({NAME})"
    r"(?: *= (.*))?(?: \[(\d+:\d+)\])?;"
)
ASSIGN = re.compile(r"  assign (.*?) = (.*);")
INSTANCE = re.compile(rf"  {NAME} ?(?:#\(|{NAME} ?\()$")


@dataclass(slots=True)
class Net:
    """A declared name; words: range of a memory; initial: value at power-on, both as texts."""

    width: int
    is_register: bool = False
    signed: bool = False
    direction: str = ""
    initial: str = ""
    words: str = ""


@dataclass
class NetlistText:
    """A module: its nets by name, assignments as target and value, and all else as lines.

    ports: in the order of the header
    hints: by nets without a signal, the variable of the source that holds their value
    """

    name: str
    ports: list[str]
    nets: dict[str, Net] = field(default_factory=dict)
    widths: dict[str, int] = field(default_factory=dict)
    assigns: list[tuple[str, str]] = field(default_factory=list)
    blocks: list[list[str]] = field(default_factory=list)
    instances: list[list[str]] = field(default_factory=list)
    hints: dict[str, str] = field(default_factory=dict)

    def definitions(self) -> dict[str, str]:
        """Return the value of each net without a signal that has one assignment as a whole."""
        counts = Counter(target for target, _ in self.assigns)
        return {
            target: value
            for target, value in self.assigns
            if PRIVATE.fullmatch(target) and counts[target] == 1
        }

    def lines(self) -> Iterator[str]:
        """Yield what reads nets: assigned values, and lines of blocks and instances."""
        for _, value in self.assigns:
            yield value
        for lines in (*self.blocks, *self.instances):
            yield from lines


def read_netlist(text: str) -> NetlistText:
    """Return the parts of a module of Yosys' text. Raises ValueError for an unknown line."""
    marks: dict[str, str] = {}
    hints: dict[str, str] = {}

    def renamed(found: re.Match[str]) -> str:
        name = found[1]
        if name[0] != "$":
            return name if PLAIN.fullmatch(name) else found[0]
        mark = marks.get(name)
        if mark is None:
            mark = marks[name] = f"{MARK}{len(marks) + 1}"
            hint = HINT.fullmatch(name)
            hints[mark] = hint[1] if hint and hint[1] not in (None, UNNAMED) else ""
        return mark

    text = ESCAPED.sub(renamed, START.sub("", text))
    header = HEADER.match(text)
    if header is None:
        raise ValueError(text.partition("\n")[0])
    ports = [name.strip() for name in header[2].replace("\n", "").split(",") if name.strip()]
    module = NetlistText(header[1], ports, hints=hints)
    # An escaped name ends with a space, in the header too.
    module.ports = [f"{name} " if name[0] == "\\" else name for name in ports]
    lines = iter(text[header.end() :].split("\n"))
    for line in lines:
        if line == "endmodule":
            break
        read_line(module, line, lines)
    return module


def read_line(module: NetlistText, line: str, lines: Iterator[str]) -> None:
    """Read what begins with a line."""
    if assign := ASSIGN.fullmatch(line):
        # An escaped name ends with a space.
        target = assign[1] if assign[1][0] == "\\" else assign[1].rstrip()
        module.assigns.append((target, assign[2]))
    elif declared := DECLARED.fullmatch(line):
        declare(module, declared)
    elif line.startswith(("  always @", "  initial ")):
        module.blocks.append([line, *rest_of_block(line, lines)])
    elif INSTANCE.fullmatch(line):
        module.instances.append([line, *until(lines, "  );")])
    elif line and not line.lstrip().startswith(("(*", "//")):
        raise ValueError(line)


def declare(module: NetlistText, found: re.Match[str]) -> None:
    """Add a declaration: Yosys writes two lines for a port, of which the second has its type."""
    kind, signed, high, name, initial, words = found.groups()
    if high == "-1":
        return  # No bits: nothing reads them.
    net = module.nets.setdefault(name, Net(int(high or 0) + 1))
    net.signed |= bool(signed)
    if kind in ("input", "output"):
        net.direction = kind
    elif kind == "reg":
        net.is_register = True
        net.initial, net.words = initial or "", words or ""
    module.widths[name] = net.width


def rest_of_block(line: str, lines: Iterator[str]) -> Iterator[str]:
    """Yield the lines of a block behind its first."""
    if line.endswith(" begin"):
        yield from until(lines, "  end")
    elif not line.endswith(";"):
        yield next(lines)


def until(lines: Iterator[str], last: str) -> Iterator[str]:
    """Yield lines to the last one."""
    for line in lines:
        yield line
        if line == last:
            return
