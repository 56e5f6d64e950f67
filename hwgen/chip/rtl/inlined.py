"""Nets that are read once go into their reader, where the widths of its operands allow it."""

import re
from collections import Counter

from hwgen.chip.rtl.atoms import MARK, NAME, PRIVATE
from hwgen.chip.rtl.expressions import (
    LEVELS,
    LONGEST,
    ONE_ATOM,
    Builder,
    Expression,
    depth,
)
from hwgen.chip.rtl.netlist_text import NetlistText
from hwgen.chip.rtl.wiring import CONNECTED, definitions_first

CONDITION = re.compile(r"( *(?:end else )?if \()(.*)(\)(?: begin)?)")
CASE = re.compile(rf"( *casez? \()({MARK}\d+)(\))")
ASSIGNED = re.compile(rf"( +)((?:{NAME})(?:\[[^\]]*\])?) *(<?=) (.*);")


def inline(module: NetlistText) -> None:
    """Put nets into their readers; what is left of them keeps its own assignment."""
    values = module.definitions()
    reads = Counter(name for line in module.lines() for name in PRIVATE.findall(line))
    ready: dict[str, Expression] = {}
    large: dict[str, Expression] = {}
    words = {name: net.width for name, net in module.nets.items() if net.words}

    def find(name: str, as_whole: bool) -> Expression | None:
        found = ready.get(name) or (large.get(name) if as_whole else None)
        return found if found is not None and (reads[name] == 1 or is_short(found)) else None

    builder = Builder(module.widths, find, words)
    gone: Counter[str] = Counter()
    texts: dict[str, str] = {}
    for name in definitions_first(module):
        width = module.widths[name]
        made = builder.value(values[name], width)
        if made is None:
            continue
        texts[name] = made.text
        gone.update(builder.used)
        if made.width <= width and made.operator:
            small = depth(made) <= LEVELS and len(made.text) <= LONGEST
            (ready if small else large)[name] = made
    assigns = []
    for target, value in module.assigns:
        text = texts.get(target, value)
        width = target_width(target, module)
        if target not in texts and width:
            made = builder.value(value, width)
            if made is not None:
                text = made.text
                gone.update(builder.used)
        assigns.append((target, text))
    module.assigns = assigns
    module.blocks = [[in_block(line, builder, module, gone) for line in b] for b in module.blocks]
    module.instances = [[in_instance(x, builder, gone) for x in b] for b in module.instances]
    left = {name for name, count in gone.items() if count == reads[name]}
    module.assigns = [one for one in module.assigns if one[0] not in left]
    for name in left:
        del module.nets[name]


def is_short(found: Expression) -> bool:
    """Return whether an expression may stand in several places: a signal or its opposite."""
    return found.operator == "!" and not found.levels and len(found.text) < 40


def target_width(target: str, module: NetlistText) -> int:
    """Return the bits of what is assigned; 0: not known."""
    if target in module.widths:
        return module.widths[target]
    found = re.fullmatch(rf"({NAME})\[(\d+)(?::(\d+))?\]", target)
    if found is None or (found[1] in module.nets and module.nets[found[1]].words):
        return 0
    return int(found[2]) - int(found[3] or found[2]) + 1


def in_block(line: str, builder: Builder, module: NetlistText, gone: Counter[str]) -> str:
    """Return a line of a block with nets in it replaced."""
    if MARK not in line and "{" not in line:
        return line
    builder.used = []
    if found := CONDITION.fullmatch(line):
        line = f"{found[1]}{builder.alone(found[2]).text}{found[3]}"
    elif found := CASE.fullmatch(line):
        width = module.widths[found[2]]
        made = builder.find(found[2], False)
        if made is not None and not made.signed and made.fits(max(width, made.width)):
            builder.used = [found[2]]
            line = f"{found[1]}{made.text}{found[3]}"
    elif found := ASSIGNED.fullmatch(line):
        width = target_width(found[2], module)
        if width and ONE_ATOM.fullmatch(found[4]):
            line = f"{found[1]}{found[2]} {found[3]} {builder.whole(found[4], width).text};"
    gone.update(builder.used)
    return line


def in_instance(line: str, builder: Builder, gone: Counter[str]) -> str:
    """Return a connection of an instance with a net replaced, as wide as the port."""
    found = CONNECTED.fullmatch(line)
    if found is None:
        return line
    builder.used = []
    line = f"{found[1]}{builder.alone(found[2]).text}{found[3]}"
    gone.update(builder.used)
    return line
