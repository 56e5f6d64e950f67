"""Cells that are simpler than they look: constants worked out, and like cells once.

Nothing here changes what a register, an output or an input of what is placed gets.

Tests: `tests/chip/rtl/test_printed.py`.
"""

from collections.abc import Container, Sequence
from itertools import repeat

from hwgen.chip.rtl.nodes import (
    BIT_PLACES,
    ONE,
    ZERO,
    Nets,
    Node,
    PartNetlist,
    constant,
    is_constant,
    number_of,
    outputs_of,
    standing,
)

PASSES = 2
"""Signals are read before their cells: a second look finds what the first one made alike."""
SIMPLER = ("op", "match", "priority", "part", "read", "list")
"""Kinds of cells; all but the last are made once where two are alike."""
ALWAYS = {"u>": (ONE, 0), "u<=": (ONE, 1), "u<": (ZERO, 0), "u>=": (ZERO, 1)}
"""What no number is above, or below: all bits are these, and the comparison is always that."""


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
    if sign in ("u//", "u%"):
        return simpler_quotient(sign, *inputs)
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


def simpler_quotient(sign: str, first: Nets, last: Nets) -> Nets | None:
    """Return the bits that a division by a power of two picks, or leaves."""
    value = number_of(last) if is_constant(last) else 0
    if not value or value & (value - 1):
        return None
    bits = value.bit_length() - 1
    return padded(first[bits:] if sign == "u//" else first[:bits], len(first))


def always(sign: str, first: Nets, last: Nets) -> int | None:
    """Return what a comparison with the least or the largest number always is; None: either."""
    width = max(len(without_zeros(first)), len(without_zeros(last)))
    other, result = ALWAYS[sign]
    return result if last[:width] == (other,) * width else None


def simpler_sum(sign: str, first: Nets, last: Nets, width: int) -> Nets | None:
    """Return what a sum or a product with a constant always is, as nets."""
    if sign in ("+", "-", "*") and is_constant(first) and is_constant(last):
        a, b = number_of(first), number_of(last)
        return constant({"+": a + b, "-": a - b, "*": a * b}[sign], width)
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


def without_zeros(nets: Nets, least: int = 1) -> Nets:
    """Return an unsigned value without its leading zeros."""
    end = len(nets)
    while end > least and nets[end - 1] == ZERO:
        end -= 1
    return nets[:end]


SIMPLE = {
    "match": simpler_match,
    "part": simpler_part,
    "list": simpler_list,
    "op": simpler_operator,
}
