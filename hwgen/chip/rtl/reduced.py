"""A netlist without what nobody reads: constants worked out, like cells once, exact widths.

Nothing here changes what a register, an output or an input of what is placed gets.

Tests: `tests/chip/rtl/test_reduced.py`.
"""

from collections.abc import Container, Iterable, Iterator, Sequence
from itertools import repeat

from hwgen.chip.rtl.netlists import BIT_PLACES, ONE, ZERO, Nets, Node, PartNetlist

PASSES = 2
"""Signals are read before their cells: a second look finds what the first one made alike."""
SIMPLER = ("op", "match", "priority", "part", "read", "list")
"""Kinds of cells; all but the last are made once where two are alike."""
LOW_BITS = ("+", "-", "*", "&", "|", "^", "~", "m", "<<")
"""Operators whose lowest bits depend on the lowest bits of their operands alone."""
BITWISE = ("&", "|", "^", "~", "m")
SHORTENED = ("op", "list", "part", "read", "clocked read")
WHOLE = ("register", "priority", "match")
COMPARED = ("==", "!=", "u<", "u<=", "u>", "u>=", "s<", "s<=", "s>", "s>=")
ALWAYS = {"u>": (ONE, 0), "u<=": (ONE, 1), "u<": (ZERO, 0), "u>=": (ZERO, 1)}
"""What no number is above, or below: all bits are these, and the comparison is always that."""
BIT_MASK = (1 << BIT_PLACES) - 1


def merge(netlist: PartNetlist, apart: Container[int] = ()) -> None:
    """Let what reads a cell read what is the same and simpler: a constant, a cell before it.

    apart: cells that are no others, even where they are alike
    """
    stands: dict[int, int] = {}
    for _ in range(PASSES):
        known: dict[object, int] = {}
        for number, node in enumerate(netlist.nodes):
            if stands:
                node.inputs = [standing(one, stands) for one in node.inputs]
            first = number << BIT_PLACES
            if node.kind not in SIMPLER or not node.width or first in stands:
                continue
            simple = simpler(node)
            if simple is None and node.kind != "list" and number not in apart:
                simple = alike(number, node, known)
            for bit, net in enumerate(simple or ()):
                stands[first + bit] = net
    while changed := {net: stands[to] for net, to in stands.items() if to in stands}:
        stands |= changed
    for node in netlist.nodes:
        node.inputs = [standing(one, stands) for one in node.inputs]
    netlist.outputs = {name: standing(nets, stands) for name, nets in netlist.outputs.items()}
    for signal in netlist.signals:
        signal.nets = standing(signal.nets, stands)


def alike(number: int, node: Node, known: dict[object, int]) -> Nets | None:
    """Return the nets of a cell before this one that is like it; None: there is none."""
    without_equal_zero(node)
    like = known.setdefault((node.kind, node.what, *node.inputs), number)
    return None if like == number else outputs_of(like, node.width)


def without_equal_zero(node: Node) -> None:
    """Make the opposite of a bit of its comparison with a constant."""
    wrong = {"==": (ZERO,), "!=": (ONE,)}.get(node.what) if node.kind == "op" else None
    if wrong in node.inputs:
        node.inputs = [one for one in node.inputs if one != wrong][:1]
        node.what = "~"


def standing(nets: Nets, stands: dict[int, int]) -> Nets:
    """Return nets, each as what stands for it."""
    return tuple([stands.get(net, net) for net in nets])


def outputs_of(number: int, width: int) -> Nets:
    """Return the nets of a cell."""
    return tuple(range(number << BIT_PLACES, (number << BIT_PLACES) + width))


def is_constant(nets: Iterable[int]) -> bool:
    """Return whether all bits are constants."""
    return all(net <= ONE for net in nets)


def number_of(nets: Nets) -> int:
    """Return the unsigned value of constant bits."""
    return sum(net << bit for bit, net in enumerate(nets))


def constant(value: int, width: int) -> Nets:
    """Return the bits of a number."""
    return tuple([value >> bit & 1 for bit in range(width)])


def simpler(node: Node) -> Nets | None:
    """Return nets that always have the values of a cell's outputs; None: none are known."""
    return SIMPLE[node.kind](node) if node.kind in SIMPLE else None


def simpler_match(node: Node) -> Nets | None:
    """Return whether a constant fits one of some patterns."""
    value = node.inputs[0]
    if not is_constant(value):
        return None
    text = "".join(map(str, reversed(value)))
    return (int(any(fits(text, pattern) for pattern in node.what)),)


def simpler_part(node: Node) -> Nets | None:
    """Return the bits that a constant offset picks."""
    value, offset = node.inputs
    if not is_constant(offset):
        return None
    fill = value[-1] if node.what[0] and value else ZERO
    start = number_of(offset) * node.what[1]
    return padded(value[start : start + node.width], node.width, fill)


def simpler_list(node: Node) -> Nets | None:
    """Return what is assigned in every case."""
    if any(condition != (ONE,) for condition in node.inputs[1::2]):
        return None
    bits = list(node.inputs[0])
    for start, value in zip(node.what, node.inputs[2::2], strict=True):
        bits[start : start + len(value)] = value
    return tuple(bits[: node.width])


def fits(text: str, pattern: str) -> bool:
    """Return whether a binary number fits a pattern with dashes."""
    return all(mark in ("-", digit) for digit, mark in zip(text, pattern, strict=True))


def padded(nets: Nets, width: int, fill: int = ZERO) -> Nets:
    """Return bits with more above them."""
    return nets + tuple(repeat(fill, width - len(nets)))


def simpler_operator(node: Node) -> Nets | None:
    """Return what an operator always gives, as nets; None: it is not known."""
    sign, inputs = node.what, node.inputs
    if sign in ("+", "-", "*"):
        return simpler_sum(sign, inputs[0], inputs[-1], node.width)
    if sign in ("==", "!=") or sign in ALWAYS:
        return simpler_comparison(sign, *inputs)
    if sign in ("<<", "u>>", "s>>"):
        return simpler_shift(sign, *inputs)
    return simpler_bits(sign, inputs)


def simpler_bits(sign: str, inputs: Sequence[Nets]) -> Nets | None:
    """Return the same of a choice, and of what works bit by bit."""
    first, last = inputs[0], inputs[-1]
    found: Nets | None = None
    if sign == "m":
        if first[0] <= ONE or inputs[1] == last:
            found = inputs[1] if first[0] == ONE else last
        elif inputs[1] == (ONE,) and last == (ZERO,):
            found = first
    elif sign in ("b", "r|") and (ONE in first or is_constant(first)):
        found = (int(ONE in first),)
    elif sign in ("b", "r|", "r&", "r^") and len(first) == 1:
        found = first
    elif sign == "~" and is_constant(first):
        found = tuple([1 - net for net in first])
    elif sign in ("&", "|", "^"):
        bits = [bit_of(sign, one, other) for one, other in zip(first, last, strict=True)]
        found = None if None in bits else tuple([net for net in bits if net is not None])
    return found


def simpler_comparison(sign: str, first: Nets, last: Nets) -> Nets | None:
    """Return the same of a comparison."""
    if sign in ALWAYS:
        found = always(sign, first, last)
        return None if found is None else (found,)
    if first == last or differ(first, last):
        return (int((first == last) == (sign == "==")),)
    same = (ONE,) if sign == "==" else (ZERO,)
    if same in (first, last):
        return last if first == same else first
    return None


def simpler_shift(sign: str, first: Nets, last: Nets) -> Nets | None:
    """Return the bits that a constant shift moves."""
    if not is_constant(last):
        return None
    amount, width = number_of(last), len(first)
    if sign == "<<":
        return (tuple(repeat(ZERO, min(amount, width))) + first)[:width]
    return padded(first[amount:], width, first[-1] if sign == "s>>" else ZERO)


def always(sign: str, first: Nets, last: Nets) -> int | None:
    """Return what a comparison with the least or the largest number always is; None: either."""
    width = max(len(without_zeros(first)), len(without_zeros(last)))
    other, result = ALWAYS[sign]
    return result if last[:width] == (other,) * width else None


def simpler_sum(sign: str, first: Nets, last: Nets, width: int) -> Nets | None:
    """Return what a sum or a product with a constant always is, as nets."""
    if sign in ("+", "-", "*") and is_constant(first) and is_constant(last):
        one, other = number_of(first), number_of(last)
        value = {"+": one + other, "-": one - other, "*": one * other}[sign]
        return constant(value, width)
    if sign in ("+", "-") and first is not last:
        if is_constant(last) and not number_of(last):
            return first
        if sign == "+" and is_constant(first) and not number_of(first):
            return last
    if sign == "*":
        for one, other in ((first, last), (last, first)):
            value = number_of(one) if is_constant(one) else -1
            if value == 0:
                return constant(0, width)
            if value > 0 and not value & (value - 1):
                return (constant(0, value.bit_length() - 1) + other)[:width]
    return None


def bit_of(sign: str, one: int, other: int) -> int | None:
    """Return a net for one bit of an operator; None: there is none."""
    if one > other:
        one, other = other, one
    if sign == "^":
        return other if one == ZERO else ZERO if one == other else None
    if one in (other, ONE if sign == "&" else ZERO):
        return other
    return one if one <= ONE else None


def differ(one: Nets, other: Nets) -> bool:
    """Return whether two values have different constants somewhere."""
    return any(a != b and a <= ONE and b <= ONE for a, b in zip(one, other, strict=True))


SIMPLE = {
    "match": simpler_match,
    "part": simpler_part,
    "list": simpler_list,
    "op": simpler_operator,
}


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


def without_zeros(nets: Nets, least: int = 1) -> Nets:
    """Return an unsigned value without its leading zeros."""
    end = len(nets)
    while end > least and nets[end - 1] == ZERO:
        end -= 1
    return nets[:end]


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
