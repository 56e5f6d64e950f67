"""Bits of signals that an operation reads and whose result nothing reads: they have a reader.

Yosys reads a whole signal where it adds it, and nobody reads all bits of the sum. Where the sum is
narrower, bits of the signal have no reader any more. Linters take them for forgotten, so all of a
module go into one net, whose name tells linters that nothing reads it:

    wire unused = &{ 1'h0, need[7:5], size[15:12] };

An input or a register that the netlist never reads stays without a reader: that may be a fault of
the source.
"""

import re
from collections import Counter
from collections.abc import Mapping

from hwgen.chip.rtl.atoms import CONSTANT, NAME, PRIVATE, Chunk, text_of
from hwgen.chip.rtl.clocked import TARGET
from hwgen.chip.rtl.netlist_text import NetlistText

UNUSED = "unused"
READ = re.compile(rf"(?<![.\w$])({NAME})(?:\[(\d+)(?::(\d+))?\])?")
PIN = re.compile(r"    \.(?:\\\S+ |[^(]+)\((.*)\),?")
NUMBER = re.compile(CONSTANT)
INDEX = re.compile(r"\[(.*)\]")
"""Of a target that is one signal: a part of it, or a word."""


def bits_read(module: NetlistText) -> Counter[str]:
    """Return a mask of the bits of each signal that something reads.

    What an instance drives counts as read where a second pin has it.
    """
    masks: Counter[str] = Counter()
    driven = {name for name, net in module.nets.items() if net.direction == "input"}
    for target, value in module.assigns:
        note(value, masks)
        driven.update(names_in(target))
    for lines in module.blocks:
        for line in lines:
            target, value = in_block(line)
            note(value, masks)
            if target[:1] != "{" and (index := INDEX.search(target)):
                note(index[1], masks)
                target = target[: index.start()]
            driven.update(names_in(target))
    once: Counter[str] = Counter()
    for lines in module.instances:
        for line in lines[1:]:
            found = PIN.fullmatch(line)
            for name, bits in bits_in(found[1] if found else ""):
                masks[name] |= bits if name in driven else bits & once[name]
                once[name] |= bits
    return masks


def in_block(line: str) -> tuple[str, str]:
    """Return the target of a line of a block, empty if it has none, and what the line reads."""
    found = TARGET.fullmatch(line.replace("<=", "=", 1)) or TARGET.fullmatch(line)
    return (found[2], found[3]) if found else ("", line)


def names_in(target: str) -> list[str]:
    """Return the names in a target."""
    return [name for name, _, _ in READ.findall(target)]


def note(text: str, masks: Counter[str]) -> None:
    """Note the bits that a text reads."""
    for name, bits in bits_in(text):
        masks[name] |= bits


def bits_in(text: str) -> list[tuple[str, int]]:
    """Return the names in a text, each with a mask of its bits; all: a negative number."""
    return [
        (name, (2 << int(high)) - (1 << int(low or high)) if high else -1)
        for name, high, low in READ.findall(NUMBER.sub("", text))
    ]


def unused_bits(module: NetlistText, before: Mapping[str, int]) -> str:
    """Return a net that reads what has lost its readers since `before`; empty: there is none."""
    after = bits_read(module)
    parts = []
    for name, net in module.nets.items():
        if net.direction == "output" or net.words or PRIVATE.fullmatch(name):
            continue
        lost = before.get(name, 0) & ~after[name] & ((1 << net.width) - 1)
        parts += [text_of(one, module.widths) for one in runs(name, lost)]
    name = UNUSED
    while name in module.nets:
        name += "_"
    return f"  wire {name} = &{{ 1'h0, {', '.join(parts)} }};" if parts else ""


def runs(name: str, mask: int) -> list[Chunk]:
    """Return the bits of a mask as parts of a signal, the lowest first."""
    found, low = [], 0
    while mask >> low:
        low += ((mask >> low) & -(mask >> low)).bit_length() - 1
        width = ((~(mask >> low)) & ((mask >> low) + 1)).bit_length() - 1
        found.append(Chunk(name, low, width))
        low += width
    return found
