"""A netlist without what nobody reads, and the operands of what is left in their exact widths.

Nothing here changes what a register, an output or an input of what is placed gets.

Tests: `tests/chip/rtl/test_printed.py`.
"""

from collections.abc import Container, Iterable, Iterator, Sequence

from hwgen.chip.rtl.nodes import (
    BIT_MASK,
    BIT_PLACES,
    ZERO,
    Nets,
    Node,
    PartNetlist,
    outputs_of,
    standing,
)
from hwgen.chip.rtl.simpler import without_zeros

LOW_BITS = ("+", "-", "*", "&", "|", "^", "~", "m", "<<")
"""Operators whose lowest bits depend on the lowest bits of their operands alone."""
BITWISE = ("&", "|", "^", "~", "m")
SHORTENED = ("op", "list", "part", "read", "clocked read")
WHOLE = ("register", "priority", "match")
COMPARED = ("==", "!=", "u<", "u<=", "u>", "u>=", "s<", "s<=", "s>", "s>=")


class Reads:
    """Which bits of which cells are read, as masks.

    Of registers and of conditions all are as soon as one is.
    """

    def __init__(self, netlist: PartNetlist, known: Container[int] = ()) -> None:
        """Begin with nothing; known: nets for which nothing need be there."""
        self._nodes, self._known = netlist.nodes, known
        self.masks = [0] * len(netlist.nodes)
        self._done = [0] * len(netlist.nodes)
        self._taken: set[int] = set()
        self._writes: dict[int, list[int]] = {}
        for number, node in enumerate(netlist.nodes):
            if node.kind == "write":
                self._writes.setdefault(node.what[0], []).append(number)

    def follow(self, roots: Iterable[int]) -> None:
        """Mark all that cells read, which are read themselves."""
        waiting = list(roots)
        for number in waiting:
            self.masks[number] = (1 << max(1, self._nodes[number].width)) - 1
        while waiting:
            number = waiting.pop()
            old, new = self._done[number], self.masks[number]
            if old == new:
                continue
            self._done[number] = new
            node = self._nodes[number]
            if node.kind in ("read", "clocked read") and not old:
                memory = node.what if node.kind == "read" else node.what[0]
                for write in (memory, *self._writes.get(memory, ())):
                    self.masks[write] = 1
                    waiting.append(write)
            for nets in newly_read(node, old, new):
                self._want(nets, waiting)

    def is_read(self, net: int) -> bool:
        """Return whether something reads a bit."""
        if self._nodes[net >> BIT_PLACES].kind == "instance":
            return net in self._taken
        return bool(self.masks[net >> BIT_PLACES] >> (net & BIT_MASK) & 1)

    def _want(self, nets: Iterable[int], waiting: list[int]) -> None:
        nodes, masks = self._nodes, self.masks
        for net in nets:
            number = net >> BIT_PLACES
            if not number or net in self._known:
                continue
            wanted = 1 << (net & BIT_MASK)
            if masks[number] & wanted:
                if nodes[number].kind == "instance":
                    self._taken.add(net)
                continue
            if nodes[number].kind in WHOLE:
                wanted = (1 << nodes[number].width) - 1
            masks[number] |= wanted
            waiting.append(number)


def newly_read(node: Node, old: int, new: int) -> Sequence[Iterable[int]]:
    """Return what a cell reads for its bits of one mask, beside what it reads for another's."""
    if node.kind == "list":
        fresh = places_of(new & ~old)
        found: list[Iterable[int]] = [[node.inputs[0][bit] for bit in fresh]]
        for start, condition, value in assignments_of(node):
            read = [value[bit - start] for bit in fresh if start <= bit < start + len(value)]
            if read:
                found += [condition, read]
        return found
    if node.kind != "op" or node.what not in LOW_BITS:
        return [] if old else node.inputs
    if node.what in BITWISE:
        fresh = places_of(new & ~old)
        return [
            one if (node.what, place) == ("m", 0) else [one[bit] for bit in fresh]
            for place, one in enumerate(node.inputs)
        ]
    low, high = old.bit_length(), new.bit_length()
    return [
        one if (node.what, place) == ("<<", 1) else one[low:high]
        for place, one in enumerate(node.inputs)
    ]


def assignments_of(node: Node) -> Iterator[tuple[int, Nets, Nets]]:
    """Yield the lowest bit, the condition and the value of each assignment of a `list` cell."""
    yield from zip(node.what, node.inputs[1::2], node.inputs[2::2], strict=True)


def places_of(mask: int) -> Sequence[int]:
    """Return the places of the ones of a mask."""
    if not mask & (mask + 1):
        return range(mask.bit_length())
    return [place for place, digit in enumerate(f"{mask:b}"[::-1]) if digit == "1"]


def shorten(netlist: PartNetlist, reads: Reads, whole: Container[int] = ()) -> None:
    """Let cells have the bits alone that are read; of a signal all those below the highest one.

    whole: cells that stay as they are
    """
    signals = {signal.nets for signal in netlist.signals}
    moved: dict[int, int] = {}
    for number, node in enumerate(netlist.nodes):
        mask = reads.masks[number]
        if node.kind not in SHORTENED or mask in (0, (1 << node.width) - 1) or number in whole:
            continue
        if outputs_of(number, node.width) in signals:
            kept: Sequence[int] = range(mask.bit_length())
        elif node.kind == "list" or node.what in BITWISE:
            kept = places_of(mask)
        else:
            kept = range((mask & -mask).bit_length() - 1, mask.bit_length())
        cut(node, kept)
        if kept[0] or kept[-1] >= len(kept):
            first = number << BIT_PLACES
            moved |= {first + bit: first + place for place, bit in enumerate(kept)}
            reads.masks[number] = (1 << len(kept)) - 1
    if moved:
        # What is not read is no more: its place is another's.
        cells = {net >> BIT_PLACES for net in moved}
        for signal in netlist.signals:
            signal.nets = tuple(
                [moved.get(net, ZERO) if net >> BIT_PLACES in cells else net for net in signal.nets]
            )
        for node in netlist.nodes:
            node.inputs = [standing(one, moved) for one in node.inputs]
        netlist.outputs = {name: standing(nets, moved) for name, nets in netlist.outputs.items()}


def cut(node: Node, kept: Sequence[int]) -> None:
    """Let a cell have some of its bits alone."""
    low, high = kept[0], kept[-1] + 1
    if node.kind == "list":
        places = {bit: place for place, bit in enumerate(kept)}
        starts, given = [], [tuple([node.inputs[0][bit] for bit in kept])]
        for start, condition, value in assignments_of(node):
            inside = [bit for bit in kept if start <= bit < start + len(value)]
            if inside:
                starts.append(places[inside[0]])
                given += [condition, tuple([value[bit - start] for bit in inside])]
        node.inputs, node.what = given, starts
    elif node.kind == "op" and node.what in BITWISE:
        node.inputs = [
            one if (node.what, place) == ("m", 0) else tuple([one[bit] for bit in kept])
            for place, one in enumerate(node.inputs)
        ]
    elif node.kind == "op" and node.what in LOW_BITS:
        node.below = low
        node.inputs = [
            one if (node.what, place) == ("<<", 1) else one[:high]
            for place, one in enumerate(node.inputs)
        ]
    else:
        if node.what == "u>>":
            node.inputs[0] = without_zeros(node.inputs[0], high)
            node.width = len(node.inputs[0])
        node.below, node.above = low, node.width - high
    node.width = len(kept)


def without_signs(nets: Nets, least: int = 1) -> Nets:
    """Return a signed value without copies of its sign."""
    end = len(nets)
    while end > least and nets[end - 1] == nets[end - 2]:
        end -= 1
    return nets[:end]


def operands(node: Node) -> tuple[list[Nets], bool]:
    """Return the operands of an operator as they are written; True: as signed.

    Of comparisons and of `+` and `-` both have one width. Terms of a sum may lack its
    highest bit, to which they give their carry. Products may have operands of any width.
    """
    sign, given = node.what, list(node.inputs)
    width = node.width + node.below
    if sign in ("+", "-") and len(given) == 2 and width > 1:
        return with_carry(given, width)
    if sign == "*":
        return factors(given, width)
    if sign in COMPARED:
        return same_width(given, signed=sign[0] == "s", either=sign in ("==", "!="))
    if sign in ("<<", "u>>", "s>>"):
        given[1] = without_zeros(given[1])
    return given, sign == "s>>"


def factors(given: list[Nets], width: int) -> tuple[list[Nets], bool]:
    """Return the factors of a product of so many bits, each without zeros or copies of its sign."""
    zeros = [without_zeros(one) for one in given]
    if all(len(one) < width for one in zeros):
        return zeros, False
    signs = [without_signs(one) for one in given]
    if sum(map(len, signs)) < sum(map(len, zeros)):
        return signs, True
    return zeros, False


def with_carry(given: list[Nets], width: int) -> tuple[list[Nets], bool]:
    """Return the terms of a sum without their highest bit, where it is a zero or a sign."""
    if all(one[-1] == ZERO for one in given):
        return [one[: width - 1] for one in given], False
    if all(one[-1] == one[-2] for one in given):
        return [one[: width - 1] for one in given], True
    return given, False


def same_width(given: list[Nets], *, signed: bool, either: bool) -> tuple[list[Nets], bool]:
    """Return what is compared, as short as both allow; either: sign or not makes no difference."""
    zeros = max(len(without_zeros(one)) for one in given)
    signs = max(len(without_signs(one)) for one in given)
    if signed or (either and signs < zeros):
        return [one[:signs] for one in given], signed
    return [one[:zeros] for one in given], False
