"""Remove nets that nothing reads from emitted Verilog: Amaranth names every field of every view."""

import re
from collections import Counter
from collections.abc import Iterator

# A name, but not that of a connected port (`.name(`), which belongs to another module.
NAME = re.compile(r"(?<![.\\\w$])(?:\\\S+|[A-Za-z_]\w*(?:\$\w+)*)")
ATTRIBUTE = re.compile(r"^  \(\*.*\*\)$")
NET = re.compile(r"^  wire (?:signed )?(?:\[\d+:\d+\] )?(\\\S+ |\w+)\s*;$")
ASSIGNMENT = re.compile(r"^  assign (\\\S+|\w+)\s+= .*;$")


def without_unused_nets(module: str) -> str:
    """Return the text of a module without nets that are assigned but never read.

    module: as Yosys writes it, one declaration or assignment a line. A net that only feeds
    unread nets goes, too. Ports, registers and nets that an instance drives stay.
    """
    lines = module.split("\n")
    names = [NAME.findall(line) for line in lines]
    uses = Counter(name for found in names for name in found)
    declared: dict[str, int] = {}
    assigned: dict[str, list[int]] = {}
    for number, line in enumerate(lines):
        if net := NET.match(line):
            declared[net[1].strip()] = number
        elif target := ASSIGNMENT.match(line):
            assigned.setdefault(target[1], []).append(number)
    removed: set[int] = set()
    waiting = list(declared)
    while waiting:
        name = waiting.pop()
        own = [declared[name], *assigned.get(name, [])]
        if declared[name] in removed or uses[name] != len(own):
            continue
        removed.update(own)
        removed.update(attributes_of(declared[name], lines))
        for number in own:
            uses.subtract(names[number])
            waiting += [other for other in names[number] if other != name and other in declared]
    return "\n".join(line for number, line in enumerate(lines) if number not in removed)


def attributes_of(number: int, lines: list[str]) -> Iterator[int]:
    """Yield the lines of attributes that belong to a declaration: those directly above it."""
    while ATTRIBUTE.match(lines[number - 1]):
        number -= 1
        yield number
