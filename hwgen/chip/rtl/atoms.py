"""Operands as Yosys writes them: a name, a part of it, a constant, several in braces, `$signed`.

Between reading and writing, a net without a signal is called by a mark and a number, as in `§12`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

MARK = "§"
PRIVATE = re.compile(rf"{MARK}\d+")
NAME = rf"(?:\\\S+ |[A-Za-z_][\w$]*|{MARK}\d+)"
PART = r"(?:\[\d+(?::\d+)?\])?"
CONSTANT = r"\d+'s?[hdbo][0-9a-fA-FxzXZ?_]+"
PLAIN = rf"(?:{CONSTANT}|{NAME}{PART})"
ATOM = rf"(?:{PLAIN}|\{{[^{{}}]*\}}|\$signed\((?:{PLAIN}|\{{[^{{}}]*\}})\))"
SIGNED = "$signed("
ONE_PART = re.compile(rf"({NAME})(?:\[(\d+)(?::(\d+))?\])?")
NUMBER = re.compile(r"(\d+)'(s?)([hdbo])([0-9a-fA-FxzXZ?_]+)")
BASES = {"h": 16, "d": 10, "b": 2, "o": 8}

Widths = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bits `low` to `low + width - 1` of a signal, or a constant; name: empty for a constant."""

    name: str
    low: int
    width: int
    text: str = ""


def chunks(atom: str, widths: Widths) -> list[Chunk]:
    """Return what an atom without `$signed` is made of, the highest first.

    Raises ValueError for what is no atom, KeyError for an unknown name
    """
    if atom[0] == "{":
        return [one for item in atom[2:-2].split(", ") for one in chunks(item, widths)]
    if number := NUMBER.fullmatch(atom):
        return [Chunk("", 0, int(number[1]), atom)]
    found = ONE_PART.fullmatch(atom)
    if found is None:
        raise ValueError(atom)
    name, high, low = found.groups()
    if high is None:
        return [Chunk(name, 0, widths[name])]
    bottom = int(low or high)
    return [Chunk(name, bottom, int(high) - bottom + 1)]


def width_of(atom: str, widths: Widths) -> int:
    """Return the bits of an atom. Raises ValueError or KeyError as `chunks`."""
    if atom.startswith(SIGNED):
        atom = atom[len(SIGNED) : -1]
    if atom[0] != "{" and atom[-1] != "]":
        number = NUMBER.fullmatch(atom)
        return int(number[1]) if number else widths[atom]
    return sum(one.width for one in chunks(atom, widths))


def sliced(parts: list[Chunk], low: int, width: int) -> list[Chunk] | None:
    """Return bits of a row of chunks; None where a constant that is no number would be cut."""
    found: list[Chunk] = []
    at = 0
    for one in reversed(parts):
        first, last = max(low, at), min(low + width, at + one.width)
        if first < last:
            cut = cut_of(one, first - at, last - first)
            if cut is None:
                return None
            found.insert(0, cut)
        at += one.width
    return found


def cut_of(one: Chunk, low: int, width: int) -> Chunk | None:
    """Return bits of a chunk."""
    if width == one.width:
        return one
    if one.name:
        return Chunk(one.name, one.low + low, width)
    number = NUMBER.fullmatch(one.text)
    if number is None or set(number[4]) & set("xzXZ?_"):
        return None
    value = int(number[4], BASES[number[3]]) >> low & ((1 << width) - 1)
    return Chunk("", 0, width, f"{width}'h{value:0{(width + 3) // 4}x}")


def written(parts: list[Chunk], widths: Widths) -> str:
    """Return chunks as an atom; neighbours of one signal are one."""
    texts = [text_of(one, widths) for one in joined(parts)]
    return texts[0] if len(texts) == 1 else f"{{ {', '.join(texts)} }}"


def joined(parts: list[Chunk]) -> Iterator[Chunk]:
    """Yield chunks, those that follow each other in one signal together."""
    last: Chunk | None = None
    for one in parts:
        if last and one.name and one.name == last.name and one.low + one.width == last.low:
            last = Chunk(one.name, one.low, one.width + last.width)
            continue
        if last is not None:
            yield last
        last = one
    if last is not None:
        yield last


def text_of(one: Chunk, widths: Widths) -> str:
    """Return a chunk as Verilog."""
    if not one.name:
        return one.text
    if one.low == 0 and one.width == widths[one.name]:
        return one.name
    high = one.low + one.width - 1
    return f"{one.name}[{high}:{one.low}]" if one.width > 1 else f"{one.name}[{high}]"
