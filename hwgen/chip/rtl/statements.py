"""Assignments under conditions as blocks: `if` and `case` as the source has them.

Signals that are assigned under the same conditions share a block: a state machine is one. Registers
do so if one reset sets all of them, or none; nets do if no one of them depends on another.

Tests: `tests/chip/rtl/test_statements.py`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from hwgen.chip.rtl.nodes import BIT_MASK, BIT_PLACES, ONE, ZERO, Nets, Node, is_constant

Target = tuple[str, int, int]
"""A signal, its lowest bit that is assigned, and the width."""


@dataclass(slots=True)
class Leaf:
    """An assignment."""

    target: Target
    value: Nets


@dataclass(slots=True)
class Switch:
    """A choice: the first condition of a `priority` cell that holds, by its place in it."""

    priority: int
    branches: dict[int, "Steps"] = field(default_factory=dict)


Steps = list[Leaf | Switch]


def steps_of(nodes: Sequence[Node], number: int, target: Target, at: int) -> Steps:
    """Return the assignments of a `list` cell to a signal, which is its bits from `at` on.

    The value of the cell without any assignment is not among them.
    """
    name, low, width = target
    node = nodes[number]
    found: Steps = []
    for place, start in enumerate(node.what):
        (condition,), value = node.inputs[1 + 2 * place], node.inputs[2 + 2 * place]
        path = path_of(nodes, condition)
        skipped = max(0, at - start)
        begin = max(0, start - at)
        value = value[skipped : skipped + max(0, width - begin)]
        if path is None or not value:
            continue
        insert(found, path, Leaf((name, low + begin, len(value)), value))
    return found


def path_of(nodes: Sequence[Node], condition: int) -> list[tuple[int, int]] | None:
    """Return the choices that lead to an assignment, the outermost first; None: none does."""
    path: list[tuple[int, int]] = []
    while condition != ONE:
        if condition == ZERO:
            return None
        number, bit = condition >> BIT_PLACES, condition & BIT_MASK
        path.append((number, bit))
        (enable,), inputs = nodes[number].inputs
        if inputs[bit] == ZERO or ONE in inputs[:bit]:
            return None
        condition = enable
    return path[::-1]


def insert(steps: Steps, path: Sequence[tuple[int, int]], leaf: Leaf) -> None:
    """Add an assignment behind others, into the last choice where that is its own."""
    if not path:
        steps.append(leaf)
        return
    (number, bit), *rest = path
    last = steps[-1] if steps else None
    if not isinstance(last, Switch) or last.priority != number:
        last = Switch(number)
        steps.append(last)
    insert(last.branches.setdefault(bit, []), rest, leaf)


def join(steps: Steps, more: Steps) -> None:
    """Add the assignments of another signal; choices that both have become one."""
    at = 0
    for one in more:
        if isinstance(one, Switch):
            places = range(at, len(steps))
            found = next((p for p in places if is_choice(steps[p], one.priority)), None)
            if found is not None:
                same = steps[found]
                assert isinstance(same, Switch)
                for bit, inner in one.branches.items():
                    join(same.branches.setdefault(bit, []), inner)
                at = found + 1
                continue
        steps.insert(at, one)
        at += 1


def is_choice(step: Leaf | Switch, priority: int) -> bool:
    """Return whether a step is the choice of a `priority` cell."""
    return isinstance(step, Switch) and step.priority == priority


def keys_of(steps: Steps) -> list[int]:
    """Return the choices of some steps that are in no other."""
    return [one.priority for one in steps if isinstance(one, Switch)]


def leaves_of(steps: Steps) -> Iterator[Leaf]:
    """Yield all assignments."""
    for one in steps:
        if isinstance(one, Leaf):
            yield one
        else:
            for inner in one.branches.values():
                yield from leaves_of(inner)


def choices_of(steps: Steps) -> Iterator[int]:
    """Yield the `priority` cells of all choices."""
    for one in steps:
        if isinstance(one, Switch):
            yield one.priority
            for inner in one.branches.values():
                yield from choices_of(inner)


def conditions_of(nodes: Sequence[Node], priority: int) -> list[Nets]:
    """Return what the conditions of a choice read."""
    found: dict[Nets, None] = {}
    for net in nodes[priority].inputs[1]:
        if net > ONE:
            match = nodes[net >> BIT_PLACES]
            for pattern in match.what:
                fixed = [p for p, mark in enumerate(pattern[::-1]) if mark != "-"]
                if len(fixed) == 1:
                    found[(match.inputs[0][fixed[0]],)] = None
                else:
                    found[match.inputs[0]] = None
    return list(found)


def resets(nodes: Sequence[Node], number: int, first: int) -> int:
    """Return the net that sets a register to its first value, by the last assignment; 0: none.

    number: the `list` cell of its next value
    """
    node = nodes[number]
    if not node.what or node.what[-1] != 0:
        return ZERO
    (condition,), value = node.inputs[-2:]
    if condition <= ONE or len(value) != node.width or not is_constant(value):
        return ZERO
    if sum(net << bit for bit, net in enumerate(value)) != first:
        return ZERO
    priority = nodes[condition >> BIT_PLACES]
    enable, inputs = priority.inputs
    if enable != (ONE,) or len(inputs) != 1 or inputs[0] <= ONE:
        return ZERO
    match = nodes[inputs[0] >> BIT_PLACES]
    if match.what != ("1",) or len(match.inputs[0]) != 1:
        return ZERO
    return match.inputs[0][0]
