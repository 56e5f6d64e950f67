"""Cells that are simpler than they look: constants worked out, and like cells once.

Nothing here changes what a register, an output or an input of what is placed gets.

Tests: `tests/chip/rtl/test_printed.py`.
"""

from collections.abc import Container, Sequence
from itertools import repeat

from hwgen.chip.rtl import nodes

PASSES = 2
"""Signals are read before their cells: a second look finds what the first one made alike."""
SIMPLER = ("op", "match", "priority", "part", "read", "list")
"""Kinds of cells; all but the last are made once where two are alike."""
ALWAYS = {
    "u>": (nodes.ONE, 0),
    "u<=": (nodes.ONE, 1),
    "u<": (nodes.ZERO, 0),
    "u>=": (nodes.ZERO, 1),
}
"""What no number is above, or below: all bits are these, and the comparison is always that."""


def merge(netlist: nodes.PartNetlist, apart: Container[int] = ()) -> None:
    """Let what reads a cell read what is the same and simpler: a constant, a cell before it.

    apart: cells that are no others, even where they are alike
    """
    stands: dict[int, int] = {}
    for _ in range(PASSES):
        known: dict[object, int] = {}
        for number, node in enumerate(netlist.nodes):
            if stands:
                node.inputs = [nodes.standing(one, stands) for one in node.inputs]
            first = number << nodes.BIT_PLACES
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
        node.inputs = [nodes.standing(one, stands) for one in node.inputs]
    netlist.outputs = {name: nodes.standing(nets, stands) for name, nets in netlist.outputs.items()}
    for signal in netlist.signals:
        signal.nets = nodes.standing(signal.nets, stands)


def alike(number: int, node: nodes.Node, known: dict[object, int]) -> nodes.Nets | None:
    """Return the nets of a cell before this one that is like it; None: there is none."""
    without_equal_zero(node)
    like = known.setdefault((node.kind, node.what, *node.inputs), number)
    return None if like == number else nodes.outputs_of(like, node.width)


def without_equal_zero(node: nodes.Node) -> None:
    """Make the opposite of a bit of its comparison with a constant."""
    wrong = {"==": (nodes.ZERO,), "!=": (nodes.ONE,)}.get(node.what) if node.kind == "op" else None
    if wrong in node.inputs:
        node.inputs = [one for one in node.inputs if one != wrong][:1]
        node.what = "~"


def simpler(node: nodes.Node) -> nodes.Nets | None:
    """Return nets that always have the values of a cell's outputs; None: none are known."""
    return SIMPLE[node.kind](node) if node.kind in SIMPLE else None


def simpler_match(node: nodes.Node) -> nodes.Nets | None:
    """Return whether a constant fits one of some patterns."""
    value = node.inputs[0]
    if not nodes.is_constant(value):
        return None
    text = "".join(map(str, reversed(value)))
    return (int(any(fits(text, pattern) for pattern in node.what)),)


def simpler_part(node: nodes.Node) -> nodes.Nets | None:
    """Return the bits that a constant offset picks."""
    value, offset = node.inputs
    if not nodes.is_constant(offset):
        return None
    fill = value[-1] if node.what[0] and value else nodes.ZERO
    start = nodes.number_of(offset) * node.what[1]
    return padded(value[start : start + node.width], node.width, fill)


def simpler_list(node: nodes.Node) -> nodes.Nets | None:
    """Return what is assigned in every case."""
    if any(condition != (nodes.ONE,) for condition in node.inputs[1::2]):
        return None
    bits = list(node.inputs[0])
    for start, value in zip(node.what, node.inputs[2::2], strict=True):
        bits[start : start + len(value)] = value
    return tuple(bits[: node.width])


def fits(text: str, pattern: str) -> bool:
    """Return whether a binary number fits a pattern with dashes."""
    return all(mark in ("-", digit) for digit, mark in zip(text, pattern, strict=True))


def padded(nets: nodes.Nets, width: int, fill: int = nodes.ZERO) -> nodes.Nets:
    """Return bits with more above them."""
    return nets + tuple(repeat(fill, width - len(nets)))


def simpler_operator(node: nodes.Node) -> nodes.Nets | None:
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


def simpler_bits(sign: str, inputs: Sequence[nodes.Nets]) -> nodes.Nets | None:
    """Return the same of a choice, and of what works bit by bit."""
    first, last = inputs[0], inputs[-1]
    found: nodes.Nets | None = None
    if sign == "m":
        if first[0] <= nodes.ONE or inputs[1] == last:
            found = inputs[1] if first[0] == nodes.ONE else last
        elif inputs[1] == (nodes.ONE,) and last == (nodes.ZERO,):
            found = first
    elif sign in ("b", "r|") and (nodes.ONE in first or nodes.is_constant(first)):
        found = (int(nodes.ONE in first),)
    elif sign in ("b", "r|", "r&", "r^") and len(first) == 1:
        found = first
    elif sign == "~" and nodes.is_constant(first):
        found = tuple([1 - net for net in first])
    elif sign in ("&", "|", "^"):
        bits = [bit_of(sign, one, other) for one, other in zip(first, last, strict=True)]
        found = None if None in bits else tuple([net for net in bits if net is not None])
    return found


def simpler_comparison(sign: str, first: nodes.Nets, last: nodes.Nets) -> nodes.Nets | None:
    """Return the same of a comparison."""
    if sign in ALWAYS:
        found = always(sign, first, last)
        return None if found is None else (found,)
    if first == last or differ(first, last):
        return (int((first == last) == (sign == "==")),)
    same = (nodes.ONE,) if sign == "==" else (nodes.ZERO,)
    if same in (first, last):
        return last if first == same else first
    return None


def simpler_shift(sign: str, first: nodes.Nets, last: nodes.Nets) -> nodes.Nets | None:
    """Return the bits that a constant shift moves."""
    if not nodes.is_constant(last):
        return None
    amount, width = nodes.number_of(last), len(first)
    if sign == "<<":
        return (tuple(repeat(nodes.ZERO, min(amount, width))) + first)[:width]
    return padded(first[amount:], width, first[-1] if sign == "s>>" else nodes.ZERO)


def simpler_quotient(sign: str, first: nodes.Nets, last: nodes.Nets) -> nodes.Nets | None:
    """Return the bits that a division by a power of two picks, or leaves."""
    value = nodes.number_of(last) if nodes.is_constant(last) else 0
    if not value or value & (value - 1):
        return None
    bits = value.bit_length() - 1
    return padded(first[bits:] if sign == "u//" else first[:bits], len(first))


def always(sign: str, first: nodes.Nets, last: nodes.Nets) -> int | None:
    """Return what a comparison with the least or the largest number always is; None: either."""
    width = max(len(without_zeros(first)), len(without_zeros(last)))
    other, result = ALWAYS[sign]
    return result if last[:width] == (other,) * width else None


def simpler_sum(sign: str, first: nodes.Nets, last: nodes.Nets, width: int) -> nodes.Nets | None:
    """Return what a sum or a product with a constant always is, as nets."""
    if sign in ("+", "-", "*") and nodes.is_constant(first) and nodes.is_constant(last):
        a, b = nodes.number_of(first), nodes.number_of(last)
        return nodes.constant({"+": a + b, "-": a - b, "*": a * b}[sign], width)
    if sign in ("+", "-") and first is not last:
        if nodes.is_constant(last) and not nodes.number_of(last):
            return first
        if sign == "+" and nodes.is_constant(first) and not nodes.number_of(first):
            return last
    if sign == "*":
        for one, other in ((first, last), (last, first)):
            value = nodes.number_of(one) if nodes.is_constant(one) else -1
            if value == 0:
                return nodes.constant(0, width)
            if value > 0 and not value & (value - 1):
                return (nodes.constant(0, value.bit_length() - 1) + other)[:width]
    return None


def bit_of(sign: str, one: int, other: int) -> int | None:
    """Return a net for one bit of an operator; None: there is none."""
    if one > other:
        one, other = other, one
    if sign == "^":
        return other if one == nodes.ZERO else nodes.ZERO if one == other else None
    if one in (other, nodes.ONE if sign == "&" else nodes.ZERO):
        return other
    return one if one <= nodes.ONE else None


def differ(one: nodes.Nets, other: nodes.Nets) -> bool:
    """Return whether two values have different constants somewhere."""
    return any(
        a != b and a <= nodes.ONE and b <= nodes.ONE for a, b in zip(one, other, strict=True)
    )


def without_zeros(nets: nodes.Nets, least: int = 1) -> nodes.Nets:
    """Return an unsigned value without its leading zeros."""
    end = len(nets)
    while end > least and nets[end - 1] == nodes.ZERO:
        end -= 1
    return nets[:end]


SIMPLE = {
    "match": simpler_match,
    "part": simpler_part,
    "list": simpler_list,
    "op": simpler_operator,
}
