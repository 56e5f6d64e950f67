"""Signals of emitted Verilog that nothing reads, whole or in part: what a lint says of them.

Tests: `tests/chip/rtl/test_unread.py`.
"""

import re
from collections.abc import Mapping

from hwgen.chip.rtl.check_text import without_assertions
from hwgen.chip.rtl.manifest import ports_in

DECLARED = re.compile(
    r"^  (?:input|output|wire|reg)(?: reg)? (?:signed )?(?:\[(\d+):0\] )?(\w+)([,;]?| \[.*)"
    r"(?:  //.*)?$",
    re.M,
)
CONSTANT = re.compile(r"^  localparam (\w+) = (\d+);", re.M)
NO_READS = re.compile(r"^  (?:input|output|wire|reg|localparam)\b.*$|//.*$|\d*'h[0-9a-f]+", re.M)
TARGET = re.compile(r"^( *)(?:assign )?(?:\{[^=;]*\}|\w+(?:\[[^=;]*?\])*) (?:<=|=) ", re.M)
PLACED = re.compile(r"^  (\w+) (?:#\(.*\) )?\w+ \(\n(.*?)^  \);", re.M | re.S)
PIN = re.compile(r"\.(\w+)\((.*?)\)(?=,?$)", re.M | re.S)
READ = re.compile(r"(?<![\w.$'])([A-Za-z_]\w*)(?:\[([^\]\[]*)\])?")


def unread(text: str, ports: Mapping[str, Mapping[str, tuple[str, int]]]) -> dict[str, bool]:
    """Return the signals of a module of which bits are not read; True: none is.

    ports: direction and width by name, of each module that it places
    """
    text = without_assertions(text)
    outputs = {name for name, (direction, _) in ports_in(text).items() if direction == "output"}
    places = {name: int(value) for name, value in CONSTANT.findall(text)}
    sizes = {name: int(high or 0) + 1 for high, name, _ in DECLARED.findall(text)}
    left = {name: (1 << size) - 1 for name, size in sizes.items() if name not in outputs}

    def inputs(found: re.Match[str]) -> str:
        known = ports.get(found[1], {})
        pins = PIN.findall(found[2])
        return "\n".join(value for port, value in pins if known.get(port, ("input",))[0] == "input")

    body = TARGET.sub(r"\1", PLACED.sub(inputs, NO_READS.sub("", text.partition(");\n")[2])))
    for name, index in READ.findall(body):
        if name in left:
            left[name] &= ~bits_at(index, places, sizes[name])
    return {
        name: bits == (1 << sizes[name]) - 1
        for name, bits in left.items()
        if bits and not name.startswith("unused")
    }


def bits_at(index: str, places: Mapping[str, int], size: int) -> int:
    """Return a mask of the bits at an index; of one that is no number all.

    Verilator takes `[LAST]`, a bit whose place has a name, as any bit.
    """
    every = (1 << size) - 1
    if ":" not in index and not set(index) <= set("0123456789+-* "):
        return every
    terms = [number_of(term, places) for term in re.split(r"\+:|:", index)]
    if not index or None in terms:
        return every
    low = terms[-1] if "+:" not in index else terms[0]
    width = terms[-1] if "+:" in index else (terms[0] or 0) - (terms[-1] or 0) + 1
    return ((1 << (width or 0)) - 1) << (low or 0)


def number_of(term: str, places: Mapping[str, int]) -> int | None:
    """Return the value of sums and products of constants; None: it has signals."""
    total = 0
    for addend in term.replace("-", "+ -").split("+"):
        product = 1
        for factor in addend.split("*"):
            word = factor.strip()
            sign, word = (-1, word[1:].strip()) if word.startswith("-") else (1, word)
            value = int(word) if word.isdigit() else places.get(word)
            if value is None:
                return None
            product *= sign * value
        total += product
    return total
