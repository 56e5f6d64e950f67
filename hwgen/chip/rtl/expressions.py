"""Values of a netlist as Verilog: each operand as wide as what it goes into.

An operator that is read once, as a whole, stands in its reader; others are nets. So are those that
Verilog would work out with the width or the sign of their reader: a sum that gives a carry to the
bit above it, a product, what is signed. They stand alone, in braces, or at a port.

A net without a signal is called by its cell, as in ``§12§``, until all have their names.

Tests: `tests/chip/rtl/test_printed.py`.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from hwgen.chip.rtl.nodes import BIT_MASK, BIT_PLACES, ONE, Nets, Node, is_constant, number_of
from hwgen.chip.rtl.places import MANY, Places
from hwgen.chip.rtl.reduced import operands

MARK = "§"
MARKED = re.compile(rf"{MARK}(\d+){MARK}")
LONGEST = 100
"""Characters of what stands in its reader."""
LEVELS = 3
SHORT = 40
"""Characters of a value that may stand in several readers: a comparison, an opposite."""
ATOM, PREFIXED, WHOLE = 0, 1, 2
CHAINED = ("&", "|", "^")
INSIDE = ("op", "match")
"""Kinds of cells that may stand in their readers."""


@dataclass(slots=True)
class Text:
    """An expression: how it binds, its operator, its levels, and whether a reader may hold it.

    firm: its value does not depend on the width or the sign of what reads it
    """

    text: str
    binds: int = ATOM
    sign: str = ""
    levels: int = 0
    firm: bool = True


class Expressions:
    """Texts of values; `wires` are those of cells that are nets, by their number."""

    def __init__(self, nodes: Sequence[Node], places: Places) -> None:
        self._nodes, self._places = nodes, places
        self._reads: Counter[int] = Counter()
        self._split: set[int] = set()
        self._made: dict[int, Text] = {}
        self._operands: dict[int, tuple[list[Nets], bool]] = {}
        self.asked: set[int] = set()
        self.forced: set[int] = set()

    # --- what is read ---------------------------------------------------------------------------

    def operands(self, number: int) -> tuple[list[Nets], bool]:
        """Return the operands of an operator as they are written; see `reduced.operands`."""
        found = self._operands.get(number)
        if found is None:
            found = operands(self._nodes[number])
            self._operands[number] = found
        return found

    def count(self, values: Iterable[Nets]) -> None:
        """Note that each of some values is read once more."""
        for nets in values:
            for owner, low, width in self.runs(nets):
                if isinstance(owner, int) and owner:
                    self._reads[owner] += 1
                    if low or width != self._nodes[owner].width:
                        self._split.add(owner)

    def runs(self, nets: Nets) -> Iterator[tuple[str | int, int, int]]:
        """Yield what a value is made of, the lowest first: a name or cell, lowest bit, width.

        Of constants the cell is 0, and the lowest bit is their value.
        """
        of = self._places.of
        at, end = 0, len(nets)
        while at < end:
            net = nets[at]
            start = at
            at += 1
            if net <= ONE:
                while at < end and nets[at] <= ONE:
                    at += 1
                yield 0, number_of(nets[start:at]), at - start
                continue
            owner, low = of.get(net) or (net >> BIT_PLACES, net & BIT_MASK)
            following = low + 1
            while at < end:
                net = nets[at]
                if net <= ONE:
                    break
                if (of.get(net) or (net >> BIT_PLACES, net & BIT_MASK)) != (owner, following):
                    break
                at += 1
                following += 1
            yield owner, low, at - start

    # --- values ---------------------------------------------------------------------------------

    def whole(self, nets: Nets) -> Text:
        """Return a value that is assigned to what is as wide."""
        runs = list(self.runs(nets))
        if len(runs) == 1:
            return self._run(*runs[0])
        texts: list[list[object]] = []
        for owner, low, width in runs:
            text = self._firm(owner, low, width).text
            if texts and texts[-1][0] == text:
                texts[-1][1] += 1  # type: ignore[operator]
            else:
                texts.append([text, 1])
        parts = [str(text) if count == 1 else f"{{{count}{{{text}}}}}" for text, count in texts]
        if len(parts) == 1:
            return Text(parts[0])
        return Text(f"{{{', '.join(reversed(parts))}}}")

    def operand(self, nets: Nets) -> Text:
        """Return a value that is an operand, at a port, or an index."""
        found = self.whole(nets)
        if found.firm:
            return found
        ((owner, low, width),) = self.runs(nets)
        return self._firm(owner, low, width)

    def _firm(self, owner: str | int, low: int, width: int) -> Text:
        """Return a run whose value does not depend on its reader."""
        found = self._run(owner, low, width)
        if found.firm:
            return found
        assert isinstance(owner, int)
        self.forced.add(owner)
        return self._run(owner, low, width)

    def plain(self, nets: Nets) -> str:
        """Return a value that is a name, a slice or a constant, or several in braces."""
        found = self.whole(nets)
        if found.binds == ATOM:
            return found.text
        ((owner, low, width),) = self.runs(nets)
        assert isinstance(owner, int)
        self.forced.add(owner)
        return self._run(owner, low, width).text

    def _run(self, owner: str | int, low: int, width: int) -> Text:
        if isinstance(owner, str):
            return Text(self._places.slice(owner, low, width))
        if not owner:
            return Text(f"{width}'h{low:x}")
        if low == 0 and width == self._nodes[owner].width and self._stands_inside(owner):
            return self._made[owner]
        self.asked.add(owner)
        mark = f"{MARK}{owner}{MARK}"
        if width == self._nodes[owner].width:
            return Text(mark)
        if width == 1 and MANY <= low == self._nodes[owner].width - 1:
            return Text(f"{mark}[{low + 1} - 1]")
        return Text(f"{mark}[{low}]" if width == 1 else f"{mark}[{low + width - 1}:{low}]")

    def _stands_inside(self, number: int) -> bool:
        node = self._nodes[number]
        if number in self.forced or number in self._split:
            return False
        if node.kind not in INSIDE or node.below or node.above:
            return False
        found = self.made(number)
        if self._reads[number] > 1:
            return found.firm and len(found.text) <= SHORT and is_repeated(found)
        return found.levels <= LEVELS and len(found.text) <= LONGEST

    # --- cells ----------------------------------------------------------------------------------

    def made(self, number: int) -> Text:
        """Return the expression of an operator, a comparison or a choice of bits."""
        found = self._made.get(number)
        if found is None:
            node = self._nodes[number]
            matches = node.kind == "match"
            found = self.compared(node) if matches else self._operator(number, node)
            self._made[number] = found
        return found

    def _operator(self, number: int, node: Node) -> Text:
        given, signed = self.operands(number)
        sign = node.what
        found = None
        if len(given) == 1:
            found = self._unary(sign, given[0], node.width)
        elif sign in ("m", "u//", "u%"):
            found = self._choice(sign, given)
        elif signed:
            found = self._signed(sign, given)
        elif sign in ("==", "!="):
            found = self._with_name(sign, *given)
        return found or self._binary(node, given)

    def _choice(self, sign: str, given: list[Nets]) -> Text:
        if sign == "m":
            condition, *arms = map(self.operand, given)
            texts = [inside(condition), *map(inside, arms)]
            levels = deeper(condition, *arms)
            return Text(f"{texts[0]} ? {texts[1]} : {texts[2]}", WHOLE, "?", levels)
        one, other = map(self.operand, given)
        zero = f"{len(given[0])}'h0"
        quotient = f"{inside(one)} {sign.removeprefix('u')[0]} {inside(other)}"
        text = f"({inside(other)} == {zero}) ? {zero} : ({quotient})"
        return Text(text, WHOLE, "?", deeper(one, other))

    def _binary(self, node: Node, given: list[Nets]) -> Text:
        sign = node.what
        carries = sign == "*" or (sign in ("+", "-") and len(given[0]) < node.width + node.below)
        if carries:
            # What would be worked out with more bits than it has is a net of its own.
            text = f" {sign} ".join(map(self.plain, given))
            return Text(text, WHOLE, sign, 1, firm=False)
        left, right = map(self.operand, given)
        text = sign.removeprefix("u")
        if sign not in CHAINED:
            parts = f"{inside(left)} {text} {inside(right)}"
        else:
            parts = f"{inside(left, sign)} {text} {inside(right, sign)}"
        return Text(parts, WHOLE, sign, deeper(left, right))

    def _signed(self, sign: str, given: list[Nets]) -> Text:
        left = self.operand(given[0])
        if sign == "s>>":
            right = self.operand(given[1])
            text = f"$signed({left.text}) >>> {inside(right)}"
        else:
            right = self.operand(given[1])
            text = f"$signed({left.text}) {sign.removeprefix('s')} $signed({right.text})"
        compares = sign not in ("+", "-", "*", "s>>")
        return Text(text, WHOLE, sign, deeper(left, right), firm=compares)

    def _unary(self, sign: str, nets: Nets, width: int) -> Text:
        one = self.operand(nets)
        if sign == "~":
            mark = "!" if width == 1 else "~"
        else:
            mark = {"b": "|", "r|": "|", "r&": "&", "r^": "^", "-": "-"}[sign]
        text = one.text if one.binds == ATOM else f"({one.text})"
        binds = PREFIXED if mark in ("!", "~") else WHOLE
        return Text(f"{mark}{text}", binds, mark, deeper(one) if one.binds else 0)

    def _with_name(self, sign: str, left: Nets, right: Nets) -> Text | None:
        """Return a comparison with a value of an enum."""
        if is_constant(left):
            left, right = right, left
        if not is_constant(right):
            return None
        meaning = self._places.meaning(left)
        if meaning is None:
            return None
        name = self._places.value(meaning, number_of(right), len(right))
        if name is None:
            return None
        one = self.operand(left)
        return Text(f"{inside(one)} {sign} {name}", WHOLE, sign, deeper(one))

    def compared(self, node: Node) -> Text:
        """Return whether a value fits one of the patterns of a cell."""
        value = node.inputs[0]
        named = len(value) == 1 and self.has_names(value)
        if len(node.what) == 1 and bits_in(node.what[0]) == 1 and not named:
            place = next(p for p, mark in enumerate(node.what[0][::-1]) if mark != "-")
            bit = self.operand((value[place],))
            return bit if node.what[0][::-1][place] == "1" else opposite(bit)
        found = [self._fits(value, pattern, named=named) for pattern in node.what]
        if len(found) == 1:
            return found[0]
        if not found:
            return Text("1'h0")
        joined = " | ".join(inside(one) for one in found)
        return Text(joined, WHOLE, "|", deeper(*found))

    def _fits(self, value: Nets, pattern: str, *, named: bool) -> Text:
        """Return whether a value fits a pattern; named: it is a bit whose values have names."""
        marks = pattern[::-1]
        fixed = [place for place, mark in enumerate(marks) if mark != "-"]
        if not fixed:
            return Text("1'h1")
        if len(fixed) == 1 and not named:
            one = self.operand((value[fixed[0]],))
            return one if marks[fixed[0]] == "1" else opposite(one)
        if len(fixed) == len(pattern):
            one = self.operand(value)
            text = f"{inside(one)} == {self.label(value, pattern)}"
            return Text(text, WHOLE, "==", deeper(one))
        kept = tuple(value[place] for place in fixed)
        number = sum(int(marks[place]) << bit for bit, place in enumerate(fixed))
        return Text(f"{self.plain(kept)} == {len(kept)}'h{number:x}", WHOLE, "==", 1)

    def has_names(self, value: Nets) -> bool:
        """Return whether the values of nets have names."""
        return self._places.meaning(value) is not None

    def label(self, value: Nets, pattern: str) -> str:
        """Return a pattern without dashes as a constant: the name of a value, or a number."""
        number = int(pattern, 2)
        meaning = self._places.meaning(value)
        name = self._places.value(meaning, number, len(pattern)) if meaning else None
        return name or f"{len(pattern)}'h{number:x}"


def bits_in(pattern: str) -> int:
    """Return how many bits of a value a pattern compares."""
    return len(pattern) - pattern.count("-")


def opposite(one: Text) -> Text:
    """Return the opposite of a single bit."""
    if one.sign == "!":
        return Text(one.text[1:], ATOM, "", one.levels)
    text = one.text if one.binds == ATOM else f"({one.text})"
    return Text(f"!{text}", PREFIXED, "!", one.levels + (one.binds > ATOM))


def inside(one: Text, chain: str = "") -> str:
    """Return an operand, in parentheses where it binds weaker; chain: an operator of its reader."""
    if one.binds < WHOLE or (chain and one.sign == chain):
        return one.text
    return f"({one.text})"


def deeper(*operands: Text) -> int:
    """Return the levels of an expression of some operands."""
    return 1 + max(one.levels for one in operands)


def is_repeated(one: Text) -> bool:
    """Return whether an expression may stand in several places: it is as short as a name."""
    return one.levels <= 1 and (one.sign in ("==", "!=") or one.binds < WHOLE)
