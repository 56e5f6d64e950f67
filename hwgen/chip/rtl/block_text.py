"""Blocks as lines: `if`, `case` and `casez`, or an expression where no register wakes a block.

Tests: `tests/chip/rtl/test_printed.py`.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from hwgen.chip.rtl import nodes as kinds
from hwgen.chip.rtl.blocks import Block, Blocks
from hwgen.chip.rtl.expressions import WHOLE, Text, inside, opposite
from hwgen.chip.rtl.statements import (
    Leaf,
    Steps,
    Switch,
    Target,
    leaves_of,
    steps_of,
)

STEP = "  "
NAME = re.compile(r"[A-Za-z_]\w*")


class BlockText(Blocks):
    """The lines of blocks."""

    def block_lines(self) -> Iterator[str]:
        """Yield the blocks."""
        for block in self.blocks:
            if block.event != "*":
                yield from self._clocked(block)
            elif not self._is_short(block):
                lines = list(self._block_of_nets(block))
                if self._wakes(lines) and self._round.isdisjoint(block.numbers):
                    for (name, _, _), _ in block.targets:
                        self.registers.setdefault(name, -1)
                    yield from lines
                else:
                    yield from self._as_assigns(block)

    def _block_of_nets(self, block: Block) -> Iterator[str]:
        yield "  always @* begin"
        for target, default in block.targets:
            if not is_assigned(block.steps, target, self._nodes):
                value = self._leaf_value(Leaf(target, default)).text
                yield f"    {self._places.slice(*target)} = {value};"
        yield from self._lines(block.steps, "=", 2)
        yield "  end"

    def _wakes(self, lines: Sequence[str]) -> bool:
        """Return whether a block reads a register, whose first value lets it run.

        Inputs may be the same from the beginning, as an address that a bench sets where it declares
        it: what reads nothing else is assigned without a block. Two blocks that go from one
        module to another and back, as valid and ready do, would also wake each other for ever under
        Icarus, for a block gives its nets a default first.
        """
        return any(name in self._clocked_names for line in lines for name in NAME.findall(line))

    def _as_assigns(self, block: Block) -> Iterator[str]:
        """Yield the nets of a block as expressions, those bits together that one step assigns."""
        own = {target for target, _ in block.targets}
        for number in dict.fromkeys(block.numbers):
            default = self._nodes[number].inputs[0]
            for target, at in self.targets_of(number):
                if target not in own:
                    continue
                name, low, width = target
                leaves = list(leaves_of(steps_of(self._nodes, number, target, at)))
                cuts = {0, width}
                for leaf in leaves:
                    cuts |= {leaf.target[1] - low, leaf.target[1] + leaf.target[2] - low}
                for first, end in pairwise(sorted(cuts)):
                    part = (name, low + first, end - first)
                    steps = steps_of(self._nodes, number, part, at + first)
                    text = self._chosen(steps, Leaf(part, default[at + first : at + end])).text
                    yield f"  assign {self._places.slice(*part)} = {text};"

    def _chosen(self, steps: Steps, default: Leaf) -> Text:
        """Return the value of a net that is one expression, behind some steps."""
        found: Leaf | Text = default
        for step in steps:
            if isinstance(step, Leaf):
                found = step
                continue
            before = self._value_text(found)
            result = before
            inputs = self._nodes[step.priority].inputs[1]
            apart = self._are_apart(inputs)
            for bit, net in reversed(list(enumerate(inputs))):
                inner = step.branches.get(bit)
                if net == kinds.ZERO or (apart and inner is None):
                    continue
                value = before if inner is None else self._chosen(inner, default)
                if net == kinds.ONE:
                    result = value
                    continue
                result = chosen(self._condition(net), value, result)
            found = result
        return self._value_text(found)

    def _are_apart(self, inputs: kinds.Nets) -> bool:
        """Return whether conditions are numbers that a value is compared with."""
        if kinds.ONE in inputs:
            return False
        matches = [self._nodes[net >> kinds.BIT_PLACES] for net in inputs if net != kinds.ZERO]
        return len({one.inputs[0] for one in matches}) == 1 and not any(
            "-" in pattern for one in matches for pattern in one.what
        )

    def _value_text(self, one: Leaf | Text) -> Text:
        return self._leaf_value(one, alone=False) if isinstance(one, Leaf) else one

    def _leaf_value(self, leaf: Leaf, *, alone: bool = True) -> Text:
        if kinds.is_constant(leaf.value):
            meaning = self._places.meaning_of(*leaf.target)
            number, width = kinds.number_of(leaf.value), len(leaf.value)
            if meaning and (name := self._places.value(meaning, number, width)):
                return Text(name)
        return self._texts.whole(leaf.value) if alone else self._texts.operand(leaf.value)

    def _condition(self, net: int) -> Text:
        return self._texts.made(net >> kinds.BIT_PLACES)

    def _clocked(self, block: Block) -> Iterator[str]:
        yield f"  always @({block.event}) begin"
        if not block.reset:
            yield from self._lines(block.steps, "<=", 2)
        else:
            reset = self._texts.whole((block.reset,)).text
            yield f"    if ({reset}) begin"
            for target, value in block.targets:
                text = self._leaf_value(Leaf(target, value)).text
                yield f"      {self._places.slice(*target)} <= {text};"
            inner = list(self._lines(block.steps, "<=", 2))
            if len(block.steps) == 1 and inner and inner[0].startswith("    if ("):
                yield f"    end else {inner[0].strip()}"
                yield from inner[1:]
            else:
                yield "    end else begin"
                yield from (f"{STEP}{line}" for line in inner)
                yield "    end"
        yield "  end"

    def _lines(self, steps: Steps, how: str, depth: int) -> Iterator[str]:
        pad = STEP * depth
        for one in steps:
            if isinstance(one, Leaf):
                value = self._leaf_value(one).text
                yield f"{pad}{self._places.slice(*one.target)} {how} {value};"
            else:
                yield from self._switch(one, how, depth)

    def _switch(self, switch: Switch, how: str, depth: int) -> Iterator[str]:
        inputs = self._nodes[switch.priority].inputs[1]
        arms: list[tuple[int, Steps]] = []
        otherwise: Steps = []
        for bit, net in enumerate(inputs):
            if net == kinds.ONE:
                otherwise = switch.branches.get(bit, [])
                break
            if net != kinds.ZERO:
                arms.append((net, switch.branches.get(bit, [])))
        full = [net for net, body in arms if body]
        if (
            self._is_case(arms)
            and len(full) + bool(otherwise) > 1
            and not (otherwise and len(full) < len(arms))
        ):
            yield from self._case(arms, otherwise, how, depth)
        else:
            yield from self._ifs(arms, otherwise, how, depth)

    def _is_case(self, arms: Sequence[tuple[int, Steps]]) -> bool:
        """Return whether conditions compare one value of several bits."""
        matches = [self._nodes[net >> kinds.BIT_PLACES] for net, _ in arms]
        values = {one.inputs[0] for one in matches}
        single = all(
            len(one.what) == 1 and sum(mark != "-" for mark in one.what[0]) == 1 for one in matches
        )
        if len(values) != 1:
            return False
        (value,) = values
        return not single or (len(value) == 1 and self._texts.has_names(value))

    def _ifs(
        self, arms: Sequence[tuple[int, Steps]], otherwise: Steps, how: str, depth: int
    ) -> Iterator[str]:
        pad, begun = STEP * depth, False
        passed: list[str] = []
        while arms and not arms[-1][1] and not otherwise:
            arms = arms[:-1]
        for net, body in arms:
            condition = self._condition(net)
            if not body:
                passed.append(opposite(condition).text)
                continue
            text = " & ".join([*passed, inside(condition, "&") if passed else condition.text])
            yield f"{pad}{'end else ' if begun else ''}if ({text}) begin"
            begun = True
            yield from self._lines(body, how, depth + 1)
        if otherwise:
            if passed:
                yield f"{pad}{'end else ' if begun else ''}if ({' & '.join(passed)}) begin"
            elif begun:
                yield f"{pad}end else begin"
            else:
                yield from self._lines(otherwise, how, depth)
                return
            yield from self._lines(otherwise, how, depth + 1)
            begun = True
        if begun:
            yield f"{pad}end"

    def _case(
        self, arms: Sequence[tuple[int, Steps]], otherwise: Steps, how: str, depth: int
    ) -> Iterator[str]:
        pad = STEP * depth
        matches = [self._nodes[net >> kinds.BIT_PLACES] for net, _ in arms]
        value = matches[0].inputs[0]
        patterns = [pattern for one in matches for pattern in one.what]
        wild = any("-" in pattern for pattern in patterns)
        # The last value of all is the default, unless one of the others does nothing.
        whole = all(body for _, body in arms) and not wild and len(set(patterns)) == 1 << len(value)
        yield f"{pad}case{'z' if wild else ''} ({self._texts.plain(value)})"
        last = len(arms) - 1
        for place, (one, (_, body)) in enumerate(zip(matches, arms, strict=True)):
            if whole and place == last:
                otherwise = body
                break
            if body:
                labels = ", ".join(self._label(value, pattern, wild) for pattern in one.what)
                yield from self._arm(labels, body, how, depth)
        if otherwise:
            yield from self._arm("default", otherwise, how, depth)
        else:
            yield f"{pad}{STEP}default: ;"
        yield f"{pad}endcase"

    def _label(self, value: kinds.Nets, pattern: str, wild: bool) -> str:
        if wild:
            return f"{len(pattern)}'b{pattern.replace('-', '?')}"
        return self._texts.label(value, pattern)

    def _arm(self, labels: str, body: Steps, how: str, depth: int) -> Iterator[str]:
        pad = STEP * (depth + 1)
        lines = list(self._lines(body, how, depth + 2))
        if len(lines) == 1:
            yield f"{pad}{labels}: {lines[0].strip()}"
        else:
            yield f"{pad}{labels}: begin"
            yield from lines
            yield f"{pad}end"


def is_assigned(steps: Steps, target: Target, nodes: Sequence[kinds.Node]) -> bool:
    """Return whether each way through some steps assigns a whole signal."""
    for step in steps:
        if isinstance(step, Leaf):
            if step.target == target:
                return True
            continue
        inputs = nodes[step.priority].inputs[1]
        if is_full(inputs, nodes) and all(
            is_assigned(step.branches.get(bit, []), target, nodes)
            for bit, net in enumerate(inputs)
            if net != kinds.ZERO and kinds.ONE not in inputs[:bit]
        ):
            return True
    return False


def is_full(inputs: kinds.Nets, nodes: Sequence[kinds.Node]) -> bool:
    """Return whether one of some conditions always holds."""
    if kinds.ONE in inputs:
        return True
    matches = [nodes[net >> kinds.BIT_PLACES] for net in inputs if net != kinds.ZERO]
    patterns = {pattern for one in matches for pattern in one.what}
    same = len({one.inputs[0] for one in matches}) == 1
    whole = same and not any("-" in pattern for pattern in patterns)
    return whole and len(patterns) == 1 << len(matches[0].inputs[0])


def chosen(condition: Text, value: Text, other: Text) -> Text:
    """Return one of two values; of single bits as an operation where that is shorter."""
    levels = 1 + max(condition.levels, value.levels, other.levels)
    if value.text == "1'h1" and other.text == "1'h0":
        return condition
    if value.text == "1'h0" and other.text == "1'h1":
        return opposite(condition)
    if other.text == "1'h0":
        return Text(f"{inside(condition, '&')} & {inside(value, '&')}", WHOLE, "&", levels)
    if value.text == "1'h1":
        return Text(f"{inside(condition, '|')} | {inside(other, '|')}", WHOLE, "|", levels)
    text = f"{inside(condition)} ? {inside(value)} : {inside(other, '?')}"
    return Text(text, WHOLE, "?", levels)
