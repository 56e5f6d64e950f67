"""What a part's docstring says of its ports: their order, and a sentence for each."""

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hwgen.chip.rtl.part import Part

SECTION = re.compile(r"^(\s*)Ports\s*$", re.M)
COLUMNS = re.compile(r"\s{2,}")
FEWEST = 4
"""Columns of a row with a sentence: name, direction, shape, sentence."""


@dataclass(frozen=True)
class Sentences:
    """What is known of a module beside its netlist.

    ports: names in their order; others come last
    of_ports: a sentence by name
    """

    ports: Sequence[str] = ()
    of_ports: Mapping[str, str] = field(default_factory=dict)


def sentences_of(part: Part) -> Sentences:
    """Return the ports of a part in the order of its docstring, and what that says of them."""
    rows = {
        name: of_this_chip(part, sentence)
        for name, sentence in rows_of(inspect.getdoc(type(part)) or "")
    }
    names = [name for name, _, _ in part.ports()]
    order = {row: place for place, row in enumerate(rows)}
    owners = {name: owner for name in names if (owner := owner_of(name, rows))}
    ports = sorted(names, key=lambda name: order.get(owners.get(name, ""), len(order)))
    said: dict[str, str] = {}
    for name in ports:
        owner = owners.get(name, "")
        # A stream is one row, and several ports: its sentence stands at the first.
        if owner and rows[owner]:
            said[name] = rows[owner]
            rows[owner] = ""
    return Sentences(ports, said)


def owner_of(port: str, rows: Mapping[str, str]) -> str:
    """Return the row that a port belongs to: its own, or that of its stream or array."""
    fitting = [row for row in rows if port == row or port.startswith(f"{row}__")]
    return max(fitting, key=len, default="")


def rows_of(docstring: str) -> Iterator[tuple[str, str]]:
    """Yield each name and its sentence, which may be empty, from the table of ports."""
    found = SECTION.search(docstring)
    if found is None:
        return
    names: list[str] = []
    sentence: list[str] = []
    indent = 0
    for line in docstring[found.end() + 1 :].splitlines():
        here = len(line) - len(line.lstrip())
        if not line.strip() or here <= len(found[1]):
            break
        indent = indent or here
        if here > indent:
            sentence.append(line.strip())
            continue
        yield from ((name, plain(sentence)) for name in names)
        columns = COLUMNS.split(line.strip(), FEWEST - 1)
        names = columns[0].split(", ")
        sentence = columns[FEWEST - 1 :]
    yield from ((name, plain(sentence)) for name in names)


def plain(sentence: list[str]) -> str:
    """Return the lines of a sentence as one, without marks of code: Verilog has macros there."""
    return " ".join(sentence).replace("`", "")


CONDITION = re.compile(r" ?\[(?:(with|without) (\w+): )?([^\]]*)\]")
"""What holds on some chips alone, in a sentence: `[with pair tiles]`, `[without signs: 0]`."""


def of_this_chip(part: Part, sentence: str) -> str:
    """Return what a sentence says of the chip of a part.

    A port that is there needs no condition. What holds with or without a key of the architecture is
    said where it holds.
    """

    def said(found: re.Match[str]) -> str:
        word, key, text = found.groups()
        if key is None or has(part, key) is not (word == "with"):
            return ""
        return f"; {text}"

    return CONDITION.sub(said, sentence)


def has(part: Part, key: str) -> bool | None:
    """Return whether the chip of a part has what a key says; None if the part does not know."""
    arch = getattr(part, "_arch", None)
    for facts in (arch, getattr(arch, "sparsity", None)):
        if hasattr(facts, key):
            return bool(getattr(facts, key))
    return None
