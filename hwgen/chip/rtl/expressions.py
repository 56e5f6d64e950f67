"""Expressions and the widths in which they are right, by the rules of IEEE 1364-2005, 5.4.

Verilog evaluates an operand as wide as its context. A net cut its value to its own width; where its
expression takes its place, the context must give the same value. So each expression knows from how
many bits on, and up to how many, a context leaves its value as it is:

    a == b, !a, |a        any: operands see each other alone
    a & b, a | b, a ? b : c   from the width of the net on: more bits are zeros
    a + b                 the same if the net has the carry, else the width of the net alone
    ~a, -a, a - b, a << b     the width of the net alone
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from hwgen.chip.rtl.atoms import ATOM, MARK, NAME, PRIVATE, SIGNED, Widths, width_of
from hwgen.chip.rtl.masks import as_and

UNARY = re.compile(rf"([~!&|^-]|~\^) ({ATOM})")
BINARY = re.compile(
    rf"({ATOM}) +(\+|-|\*|/|%|&&|\|\||&|\||\^|==|!=|===|<=|>=|<<<|>>>|<<|>>|<|>) +({ATOM})"
)
CHOICE = re.compile(rf"({ATOM}) +\? ({ATOM}) : ({ATOM})")
WORD = re.compile(rf"({NAME})\[({NAME})\]")
ONE_ATOM = re.compile(ATOM)
ONE_BIT = {"==", "!=", "===", "<", "<=", ">", ">=", "&&", "||"}
BITWISE = {"&", "|", "^"}
ASSOCIATIVE = {"&", "|", "^", "+", "&&", "||"}
UNBRACKETED = {"", "!", "~"}
SHIFTS = {"<<", ">>", "<<<", ">>>"}
ANY = 1 << 30
LEVELS = 2
"""Nets inside nets that one expression shows."""
LONGEST = 110
"""Characters of an expression that takes the place of a net."""


@dataclass(slots=True)
class Expression:
    """Text with its self-determined width, and the widths of contexts that leave it right.

    operator: empty for what needs no brackets
    levels: of expressions in it that were nets
    """

    text: str
    width: int
    low: int
    high: int = ANY
    operator: str = ""
    signed: bool = False
    levels: int = 0

    def fits(self, context: int) -> bool:
        """Return whether a context of so many bits leaves its value as it is."""
        return self.low <= context <= self.high


Find = Callable[[str, bool], Expression | None]
"""Returns the expression that may stand for a net, at last as a whole value of a signal that may
be long; None: it stays a net.
"""


class Builder:
    """Makes expressions of values as Yosys writes them; `find` says what may stand for a net."""

    def __init__(self, widths: Widths, find: Find, words: Widths) -> None:
        self.widths, self.find, self.words = widths, find, words
        self.used: list[str] = []

    def value(self, text: str, target: int) -> Expression | None:
        """Return the expression of a value that is assigned to so many bits; None: not known."""
        self.used = []
        if ONE_ATOM.fullmatch(text):
            return self.whole(text, target)
        if found := BINARY.fullmatch(text):
            return self.binary(found[1], found[2], found[3], target)
        if found := UNARY.fullmatch(text):
            return self.unary(found[1], found[2], target)
        if found := CHOICE.fullmatch(text):
            return self.choice(found[1], found[2], found[3], target)
        if found := WORD.fullmatch(text):
            index = self.alone(found[2])
            width = self.words[found[1]]
            return Expression(f"{found[1]}[{index.text}]", width, width, levels=index.levels)
        return None

    def leaf(self, atom: str) -> Expression:
        """Return an atom as an expression, with what may stand in braces and in `$signed`."""
        if atom.startswith(SIGNED):
            inner = self.alone(atom[len(SIGNED) : -1])
            text = f"{SIGNED}{inner.text})"
            return Expression(text, inner.width, inner.width, signed=True, levels=inner.levels)
        width = width_of(atom, self.widths)
        text, operator = as_and(atom, self.widths) if atom[0] == "{" else (atom, "")
        if text == atom and atom[0] == "{" and MARK in atom:
            items = [self.alone(item) for item in atom[2:-2].split(", ")]
            text = f"{{ {', '.join(item.text for item in items)} }}"
            return Expression(text, width, width, levels=max(item.levels for item in items))
        return Expression(text, width, width, operator=operator)

    def net(self, atom: str) -> Expression | None:
        """Return what may stand for an atom."""
        return self.find(atom, False) if PRIVATE.fullmatch(atom) else None

    def alone(self, atom: str) -> Expression:
        """Return the expression of an operand whose width is its own: in braces, as an index."""
        found = self.net(atom)
        if found is None or found.signed:
            return self.leaf(atom)
        if found.width == self.widths[atom] and found.fits(found.width):
            self.used.append(atom)
            return found
        return self.leaf(atom)

    def whole(self, atom: str, target: int) -> Expression:
        """Return the expression of a value that is one atom: it is assigned as it is."""
        found = self.find(atom, True) if PRIVATE.fullmatch(atom) else None
        if found is not None and found.width <= target:
            same = target == self.widths[atom]
            if same or (not found.signed and found.fits(max(target, found.width))):
                self.used.append(atom)
                return found
        return self.leaf(atom)

    def together(self, atoms: list[str], target: int) -> tuple[list[Expression], int]:
        """Return the expressions of operands that see each other's widths, and the context."""
        found = [self.net(atom) for atom in atoms]
        chosen = [None if one is None or one.signed else one for one in found]
        leaves: dict[str, Expression] = {}
        while True:
            for one, atom in zip(chosen, atoms, strict=True):
                if one is None and atom not in leaves:
                    leaves[atom] = self.leaf(atom)
            each = [one or leaves[atom] for one, atom in zip(chosen, atoms, strict=True)]
            context = max(target, *(one.width for one in each))
            wrong = [k for k, one in enumerate(chosen) if one and not one.fits(context)]
            if not wrong:
                self.used += [atom for one, atom in zip(chosen, atoms, strict=True) if one]
                return each, context
            for k in wrong:
                chosen[k] = None

    def binary(self, left: str, operator: str, right: str, target: int) -> Expression:
        """Return an expression with two operands."""
        if operator in ("&&", "||"):
            a, b = self.alone(left), self.alone(right)
            return combined(operator, [a, b], 1, 1, ANY)
        if operator in ONE_BIT:
            (a, b), _ = self.together([left, right], 0)
            return combined(operator, [a, b], 1, 1, ANY)
        if operator in SHIFTS:
            amount = self.alone(right)
            (a,), _ = self.together([left], target)
            found = combined(operator, [a, amount], a.width, target, target)
            found.signed = a.signed
            return found
        (a, b), _ = self.together([left, right], target)
        widths = [width_of(left, self.widths), width_of(right, self.widths)]
        has_all = {"+": target > max(widths), "*": target >= sum(widths)}
        exact = operator in BITWISE or operator in "/%" or has_all.get(operator, False)
        high = ANY if exact else target
        found = combined(operator, [a, b], max(a.width, b.width), target, high)
        found.signed = a.signed or b.signed
        return limited(found, [a, b])

    def unary(self, operator: str, operand: str, target: int) -> Expression:
        """Return an expression with one operand."""
        if operator == "~" and target == 1 and width_of(operand, self.widths) == 1:
            operator = "!"
        if operator not in "~-":
            inner = self.alone(operand)
            if operator == inner.operator == "!":
                # Icarus knows no "!!".
                return Expression(f"|{inner.text[1:]}", 1, 1, ANY, "|", levels=inner.levels)
            return combined(operator, [inner], 1, 1, ANY)
        (inner,), _ = self.together([operand], target)
        found = combined(operator, [inner], inner.width, target, target)
        found.signed = inner.signed
        return limited(found, [inner])

    def choice(self, condition: str, yes: str, no: str, target: int) -> Expression:
        """Return a choice between two values."""
        chosen = self.alone(condition)
        (a, b), _ = self.together([yes, no], target)
        text = f"{bracketed(chosen)} ? {bracketed(a)} : {bracketed(b)}"
        levels = max(depth(one) for one in (chosen, a, b))
        found = Expression(text, max(a.width, b.width), target, operator="?", levels=levels)
        found.signed = a.signed or b.signed
        return limited(found, [a, b])


def limited(found: Expression, operands: list[Expression]) -> Expression:
    """Return an expression whose contexts are those of its operands, too."""
    inner = [one for one in operands if one.operator]
    found.low = max([found.low, *(one.low for one in inner)])
    found.high = min([found.high, *(one.high for one in inner)])
    return found


def combined(
    operator: str, operands: list[Expression], width: int, low: int, high: int
) -> Expression:
    """Return an operator with its operands; those of an associative one need no brackets."""
    texts, levels = [], 0
    for one in operands:
        flat = operator in ASSOCIATIVE and one.operator == operator and len(operands) == 2
        texts.append(one.text if flat else bracketed(one))
        levels = max(levels, one.levels if flat else depth(one))
    text = f" {operator} ".join(texts) if len(texts) == 2 else f"{operator}{texts[0]}"
    return Expression(text, width, low, high, operator, levels=levels)


def depth(one: Expression) -> int:
    """Return the levels that an operand brings."""
    return one.levels + (one.operator not in UNBRACKETED)


def bracketed(one: Expression) -> str:
    """Return the text of an operand."""
    return one.text if one.operator in UNBRACKETED else f"({one.text})"
