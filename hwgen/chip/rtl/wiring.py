"""Makes fewer nets: those that only pass bits on, copies, unread ones, and bits that none reads.

All change a module in place, and leave what its outputs and registers compute.
"""

import re
from collections import Counter
from collections.abc import Callable

from hwgen.chip.rtl.atoms import (
    BASES,
    MARK,
    NAME,
    NUMBER,
    ONE_PART,
    PLAIN,
    PRIVATE,
    SIGNED,
    Chunk,
    Widths,
    chunks,
    sliced,
    text_of,
    width_of,
    written,
)
from hwgen.chip.rtl.expressions import BINARY, CHOICE, ONE_ATOM, UNARY
from hwgen.chip.rtl.netlist_text import NetlistText

CONNECTED = re.compile(rf"(    \.\S+\()({MARK}\d+)(\),?)")
PIN = re.compile(rf"^(    \.\S+\s*\()({NAME})(\),?)$")
EXTENDED = re.compile(rf"\+ ({PLAIN}|\{{[^{{}}]*\}})")
READ = re.compile(rf"({MARK}\d+)(?:\[(\d+)(?::(\d+))?\])?")
BRACES = re.compile(r"\{[^{}]*\}")
LOWER_BITS = {"+", "-", "*", "&", "|", "^"}
"""Operators whose lower bits depend on lower bits alone."""
UNDEFINED = set("xzXZ?")
MANY_CHUNKS = 3
NAMES = re.compile(rf"(?<![.\w$]){NAME}")


def replace_reads(module: NetlistText, change: Callable[[str], str]) -> None:
    """Change all texts of a module that read nets; targets of assignments stay."""
    module.assigns = [(target, change(value)) for target, value in module.assigns]
    module.blocks = [[change(line) for line in lines] for lines in module.blocks]
    module.instances = [[change(line) for line in lines] for lines in module.instances]


def definitions_first(module: NetlistText) -> list[str]:
    """Return the nets that have one assignment, each behind those that it reads."""
    values = module.definitions()
    found: dict[str, None] = {}
    for root in values:
        way = [root]
        while way:
            name = way[-1]
            left = [
                each
                for each in PRIVATE.findall(values[name])
                if each in values and each not in found and each not in way
            ]
            if left and name not in found:
                way.append(left[0])
                continue
            found[name] = None
            way.pop()
    return list(found)


def whole_assignments(module: NetlistText) -> None:
    """Assign each net without a signal once: not part by part, nor by an extension with zeros.

    A net stays as it is where a part of it is assigned what is no atom, or by nothing.
    """
    sums_with_carry(module)
    module.assigns = [each for one in module.assigns for each in apart(*one, module.widths)]
    places: dict[str, list[int]] = {}
    mixed: set[str] = set()
    for place, (target, _) in enumerate(module.assigns):
        found = ONE_PART.fullmatch(target)
        if found is None:
            mixed.update(PRIVATE.findall(target))
        elif PRIVATE.fullmatch(found[1]):
            places.setdefault(found[1], []).append(place)
    assigns: list[tuple[str, str] | None] = list(module.assigns)
    for name, each in places.items():
        value = None if name in mixed else in_one(name, [module.assigns[k] for k in each], module)
        if value is not None:
            assigns[each[0]] = (name, value)
            for place in each[1:]:
                assigns[place] = None
    module.assigns = [one for one in assigns if one is not None]


def sums_with_carry(module: NetlistText) -> None:
    """Assign a net first, then a signal from it, where Yosys assigns both at once.

    { §1[8], sum } = a + b        §1 = a + b
    §1[7:0] = sum                 sum = §1[7:0]
    """
    assigned = dict(module.assigns)
    changed: dict[str, list[tuple[str, str]]] = {}
    gone: set[str] = set()
    for target, value in module.assigns:
        found = PRIVATE.search(target)
        if target[0] != "{" or found is None:
            continue
        name, parts = found[0], chunks(target, module.widths)
        low = sum(one.width for one in parts)
        if low != module.widths[name]:
            continue
        copies = []
        for one in parts:
            low -= one.width
            if one.name != name:
                copies.append((text_of(one, module.widths), Chunk(name, low, one.width)))
            elif one.low != low:
                break
        else:
            here = [(text_of(bits, module.widths), signal) for signal, bits in copies]
            if all(assigned.get(bits) == signal for bits, signal in here):
                changed[target] = [(name, value), *((signal, bits) for bits, signal in here)]
                gone.update(bits for bits, _ in here)
    module.assigns = [
        new for old in module.assigns if old[0] not in gone for new in changed.get(old[0], [old])
    ]


def apart(target: str, value: str, widths: Widths) -> list[tuple[str, str]]:
    """Return the assignment of bits to several signals as one for each."""
    if target[0] != "{" or not ONE_ATOM.fullmatch(value) or value.startswith(SIGNED):
        return [(target, value)]
    parts, given = chunks(target, widths), chunks(value, widths)
    low = sum(one.width for one in parts)
    if low != sum(one.width for one in given):
        return [(target, value)]
    found = []
    for one in parts:
        low -= one.width
        bits = sliced(given, low, one.width)
        if bits is None:
            return [(target, value)]
        found.append((text_of(one, widths), written(bits, widths)))
    return found


def in_one(name: str, assigns: list[tuple[str, str]], module: NetlistText) -> str | None:
    """Return the one value of a net that is assigned in parts; None: it has none."""
    found: list[tuple[int, list[Chunk]]] = []
    for target, value in assigns:
        place = chunks(target, module.widths)[0]
        extended = EXTENDED.fullmatch(value)
        atom = extended[1] if extended else value
        if not ONE_ATOM.fullmatch(atom) or atom.startswith(SIGNED):
            return None
        parts = chunks(atom, module.widths)
        missing = place.width - sum(one.width for one in parts)
        if missing < 0 or (missing and not extended):
            return None
        zeros = [Chunk("", 0, missing, f"{missing}'h{0:0{(missing + 3) // 4}x}")] if missing else []
        found.append((place.low, [*zeros, *parts]))
    found.sort(key=lambda one: -one[0])
    every = [one for _, parts in found for one in parts]
    low = module.widths[name]
    for start, parts in found:
        low -= sum(one.width for one in parts)
        if start != low:
            return None
    return None if low else written(every, module.widths)


def without_wiring(module: NetlistText) -> None:
    """Let readers of nets that only pass bits on read those bits."""
    values = module.definitions()
    reads = Counter(name for line in module.lines() for name in PRIVATE.findall(line))
    plain: dict[str, str] = {}
    for name in definitions_first(module):
        value = with_bits_passed(values[name], plain, module.widths)
        if ONE_ATOM.fullmatch(value) and not value.startswith(SIGNED):
            parts = chunks(value, module.widths)
            same = sum(one.width for one in parts) == module.widths[name]
            defined = not any(set(one.text) & UNDEFINED for one in parts)
            if same and defined and (len(parts) <= MANY_CHUNKS or reads[name] == 1):
                plain[name] = value
    if plain:
        replace_reads(module, lambda text: with_bits_passed(text, plain, module.widths))
        module.assigns = [one for one in module.assigns if one[0] not in plain]
        for name in plain:
            del module.nets[name]


def with_bits_passed(text: str, plain: dict[str, str], widths: Widths) -> str:
    """Return a text in which reads of nets that only pass bits on are reads of those bits."""
    if MARK not in text:
        return text
    return flat(READ.sub(lambda found: passed(found, plain, widths), text), widths)


def passed(found: re.Match[str], plain: dict[str, str], widths: Widths) -> str:
    """Return what a read of a net reads in truth."""
    value = plain.get(found[1])
    if value is None:
        return found[0]
    if found[2] is None:
        return value
    low = int(found[3] or found[2])
    part = sliced(chunks(value, widths), low, int(found[2]) - low + 1)
    return found[0] if part is None else written(part, widths)


def flat(text: str, widths: Widths) -> str:
    """Return a text whose braces hold no braces."""
    if text.count("{") < 2 or not re.search(r"\{[^{}]*\{", text):
        return text
    while True:
        inner = re.sub(r"(\{[^{}]*)\{ ([^{}]*) \}", r"\1\2", text)
        if inner == text:
            return BRACES.sub(lambda found: tidy(found[0], widths), text)
        text = inner


def tidy(atom: str, widths: Widths) -> str:
    """Return braces whose neighbours of one signal are one; as they are where not understood."""
    try:
        return written(chunks(atom, widths), widths)
    except (ValueError, KeyError):
        return atom


def without_copies(module: NetlistText) -> None:
    """Let readers of a net read the first one with the same value, a signal if there is one."""
    signals = {
        (value, module.widths[target]): target
        for target, value in module.assigns
        if not PRIVATE.fullmatch(target) and target in module.widths and MARK not in value
    }
    values = module.definitions()
    first: dict[tuple[str, int], str] = {}
    same: dict[str, str] = {}
    for name in definitions_first(module):
        value = PRIVATE.sub(lambda found: same.get(found[0], found[0]), values[name])
        if ONE_ATOM.fullmatch(value):
            continue
        key = (value, module.widths[name])
        other = signals.get(key) or first.setdefault(key, name)
        if other != name:
            same[name] = other
            if not module.hints.get(other) and module.hints.get(name):
                module.hints[other] = module.hints[name]
    if same:
        replace_reads(module, lambda text: PRIVATE.sub(lambda f: same.get(f[0], f[0]), text))
        module.assigns = [one for one in module.assigns if one[0] not in same]
        for name in same:
            del module.nets[name]


def without_unread(module: NetlistText) -> None:
    """Remove nets that nothing reads, and what only they read; registers and ports stay."""
    reads = Counter(name for line in module.lines() for name in NAMES.findall(line))
    assigned: dict[str, list[str]] = {}
    mixed: set[str] = set()
    for target, value in module.assigns:
        name = owner_of(target)
        if name in module.nets:
            assigned.setdefault(name, []).append(value)
        else:
            mixed.update(NAMES.findall(target))
    removed = unread(module, reads, {k: v for k, v in assigned.items() if k not in mixed})
    module.assigns = [one for one in module.assigns if owner_of(one[0]) not in removed]
    in_blocks = {name for lines in module.blocks for line in lines for name in NAMES.findall(line)}

    def pin(found: re.Match[str]) -> str:
        name = found[2]
        driven = name in assigned or name in mixed or name in in_blocks
        if reads[name] > 1 or driven or name not in module.nets or module.nets[name].direction:
            return found[0]
        reads[name] = 0
        return f"{found[1]}{found[3]}"

    module.instances = [[PIN.sub(pin, line) for line in each] for each in module.instances]
    placed = (*module.blocks, *module.instances)
    used = {name for lines in placed for line in lines for name in NAMES.findall(line)}
    used |= mixed | {owner_of(target) for target, _ in module.assigns}
    for name, net in list(module.nets.items()):
        stays = reads[name] or name in used or net.direction or net.is_register
        if name in removed or not stays:
            del module.nets[name]


def unread(module: NetlistText, reads: Counter[str], assigned: dict[str, list[str]]) -> set[str]:
    """Return the nets whose values nothing reads, and take what these read out of the counts."""
    waiting, removed = list(assigned), set[str]()
    while waiting:
        name = waiting.pop()
        net = module.nets.get(name)
        if net is None or net.direction or reads[name] or name in removed or name not in assigned:
            continue
        removed.add(name)
        for value in assigned[name]:
            for each in NAMES.findall(value):
                reads[each] -= 1
                waiting.append(each)
    return removed


def owner_of(target: str) -> str:
    """Return the signal that a target is, or is a part of; empty: it is several."""
    found = ONE_PART.fullmatch(target)
    return found[1] if found else ""


def narrowed(module: NetlistText) -> None:
    """Let sums, shifts to the left and bitwise operators be no wider than what is read of them."""
    most: Counter[str] = Counter()
    values = module.definitions()
    for target, value in module.assigns:
        if target not in values:
            note_reads(value, most, module.widths)
    for lines in (*module.blocks, *module.instances):
        for line in lines:
            note_reads(line, most, module.widths)
    changed: dict[str, str] = {}
    for name in reversed(definitions_first(module)):
        width = most[name]
        narrow = cut(values[name], width, module.widths) if width < module.widths[name] else None
        if width and narrow is not None:
            changed[name] = narrow
            module.nets[name].width = module.widths[name] = width
        note_reads(changed.get(name, values[name]), most, module.widths)
    if changed:
        module.assigns = [(target, changed.get(target, value)) for target, value in module.assigns]
        replace_reads(module, lambda text: READ.sub(lambda f: whole(f, module.widths), text))


def note_reads(text: str, most: Counter[str], widths: Widths) -> None:
    """Note how many of the lowest bits of each net a text reads."""
    for name, high, _ in READ.findall(text):
        most[name] = max(most[name], int(high) + 1 if high else widths[name])


def cut(value: str, width: int, widths: Widths) -> str | None:
    """Return an operator's lower bits, from operands no wider than those; None: not so simple."""
    if found := BINARY.fullmatch(value):
        if found[2] == "<<":
            texts = lower_bits([found[1]], width, widths)
            return f"{texts[0]} << {found[3]}" if texts else None
        known = found[2] in LOWER_BITS
        texts = lower_bits([found[1], found[3]], width, widths) if known else []
        return f"{texts[0]} {found[2]} {texts[1]}" if texts else None
    if found := UNARY.fullmatch(value):
        texts = lower_bits([found[2]], width, widths) if found[1] in "~-" else []
        return f"{found[1]} {texts[0]}" if texts else None
    if found := CHOICE.fullmatch(value):
        texts = lower_bits([found[2], found[3]], width, widths)
        return f"{found[1]} ? {texts[0]} : {texts[1]}" if texts else None
    return None


def lower_bits(operands: list[str], width: int, widths: Widths) -> list[str]:
    """Return operands without a sign whose lower bits are those of the given ones; empty: none.

    One with a sign is extended by it, which does not matter if there is nothing to extend, or if
    the sign is 0.
    """
    if any(one.startswith(SIGNED) for one in operands):
        if not all(one.startswith(SIGNED) for one in operands):
            return []
        operands = [one[len(SIGNED) : -1] for one in operands]
        if not all(width_of(one, widths) >= width or is_positive(one) for one in operands):
            return []
    found = [lower(one, width, widths) for one in operands]
    return [] if None in found else [one for one in found if one is not None]


def is_positive(atom: str) -> bool:
    """Return whether the highest bit of an atom is a constant 0."""
    number = NUMBER.match(atom.removeprefix("{ "))
    if number is None or set(number[4]) & UNDEFINED or number[2]:
        return False
    return int(number[4], BASES[number[3]]) >> (int(number[1]) - 1) == 0


def lower(atom: str, width: int, widths: Widths) -> str | None:
    """Return the lower bits of an atom, all of it if it has no more."""
    if width_of(atom, widths) <= width:
        return atom
    part = sliced(chunks(atom, widths), 0, width)
    return None if part is None else written(part, widths)


def whole(found: re.Match[str], widths: Widths) -> str:
    """Return a read of all bits of a net without its bits."""
    if found[2] is None or int(found[3] or found[2]) or int(found[2]) + 1 != widths[found[1]]:
        return found[0]
    return found[1]
