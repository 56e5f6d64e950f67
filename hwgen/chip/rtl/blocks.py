"""Signals that are assigned together, as blocks.

Tests: `tests/chip/rtl/test_printed.py`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from hwgen.chip.rtl.expressions import MARK, Expressions
from hwgen.chip.rtl.nodes import (
    BIT_PLACES,
    ZERO,
    Nets,
    Node,
    constant,
    outputs_of,
)
from hwgen.chip.rtl.places import Places
from hwgen.chip.rtl.statements import (
    Leaf,
    Steps,
    Target,
    choices_of,
    conditions_of,
    join,
    keys_of,
    leaves_of,
    resets,
    steps_of,
)

CONTINUOUS = ("op", "match", "part", "read")
COMBINATIONAL = (*CONTINUOUS, "priority", "list")
FEW = 2
"""Assignments of a net that is one expression."""


@dataclass(slots=True)
class Block:
    """Signals that are assigned together; defaults: of nets, or of registers their reset.

    event: what the block waits for; reset: the net that sets registers, 0: none
    """

    event: str
    targets: list[tuple[Target, Nets]]
    steps: Steps
    reset: int = ZERO
    numbers: list[int] = field(default_factory=list)


class Blocks:
    """Cells of a netlist, those together that share a block."""

    def __init__(
        self,
        nodes: Sequence[Node],
        places: Places,
        expressions: Expressions,
        numbers: Iterable[int],
    ) -> None:
        self._nodes, self._places = nodes, places
        self._texts = expressions
        self._numbers = list(numbers)
        self.registers: dict[str, int] = {}
        self.unused: dict[str, int] = {}
        self._clocked_names: set[str] = set()
        self._round: set[int] = set()
        self._owned: dict[int, int] = {}
        self.blocks: list[Block] = []
        self.assigned: dict[int, Steps] = {}

    def prepare(self) -> None:
        """Find blocks, and count what everything reads."""
        readers: dict[int, int] = {}
        for number in self._numbers:
            for owner in {net >> BIT_PLACES for one in self._nodes[number].inputs for net in one}:
                readers[owner] = readers.get(owner, 0) + 1
        clocked: list[Block] = []
        for number in self._numbers:
            if self._nodes[number].kind == "register":
                clocked += self._register(number, readers)
        inner = [
            number
            for number in self._numbers
            if self._nodes[number].kind == "list" and number not in self._owned
        ]
        nets = [block for number in inner for block in self._net(number)]
        self.blocks = [*self._together(nets), *grouped(clocked)]
        for block in self.blocks:
            self._count(block)
        for number in self._numbers:
            node = self._nodes[number]
            if node.kind == "op":
                self._texts.count(self._texts.operands(number)[0])
            elif node.kind not in ("list", "register", "match", "priority"):
                self._texts.count(node.inputs)

    def targets_of(self, number: int) -> list[tuple[Target, int]]:
        """Return the signals that are the outputs of a cell, each with its lowest bit there."""
        found: list[tuple[Target, int]] = []
        at = 0
        for owner, low, width in self._texts.runs(outputs_of(number, self._nodes[number].width)):
            name = owner if isinstance(owner, str) else f"{MARK}{owner}{MARK}"
            if not isinstance(owner, str):
                self._places.widths.setdefault(name, self._nodes[number].width)
                self._texts.asked.add(owner)
            found.append(((name, low, width), at))
            at += width
        return found

    def _register(self, number: int, readers: dict[int, int]) -> Iterator[Block]:
        node = self._nodes[number]
        data, (clock,), (asynchronous,) = node.inputs
        first, edge, _ = node.what
        source = data[0] >> BIT_PLACES
        owned = (
            self._nodes[source].kind == "list"
            and readers.get(source) == 1
            and data == outputs_of(source, self._nodes[source].width)
            and not any(net in self._places.of for net in data)
        )
        reset = asynchronous
        if owned:
            self._owned[source] = number
        event = f"{edge}edge {self._texts.whole((clock,)).text}"
        if asynchronous:
            event += f" or posedge {self._texts.whole((asynchronous,)).text}"
        own = outputs_of(number, node.width)
        for target, at in self.targets_of(number):
            name, low, width = target
            self._clocked_names.add(name)
            self.registers[name] = self.registers.get(name, 0) | (
                (first >> at & ((1 << width) - 1)) << low
            )
            steps: Steps = []
            if owned:
                node_of = self._nodes[source]
                held = node_of.inputs[0][at : at + width]
                steps = [] if held == own[at : at + width] else [Leaf(target, held)]
                further = steps_of(self._nodes, source, target, at)
                if not asynchronous and (net := resets(self._nodes, source, first)):
                    reset = net
                    further = further[:-1]
                steps += further
            else:
                steps = [Leaf(target, data[at : at + width])]
            value = constant(first >> at, width)
            yield Block(event, [(target, value)], steps, reset, [number])

    def _net(self, number: int) -> Iterator[Block]:
        default = self._nodes[number].inputs[0]
        for target, at in self.targets_of(number):
            _, _, width = target
            steps = steps_of(self._nodes, number, target, at)
            if not steps:
                self.assigned[number] = []
            yield Block("*", [(target, default[at : at + width])], steps, ZERO, [number])

    def _together(self, blocks: list[Block]) -> list[Block]:
        """Return blocks of nets, those together that no other of theirs depends on."""
        levels = self._levels([block.numbers[0] for block in blocks])
        for block in blocks:
            block.event = f"* {levels[block.numbers[0]]}" if keys_of(block.steps) else "*"
        found = grouped([one for one in blocks if not self._is_short(one)])
        short = [one for one in blocks if self._is_short(one)]
        for block in (*short, *found):
            block.event = "*"
        return [*short, *found]

    def _is_short(self, block: Block) -> bool:
        """Return whether a net is one expression."""
        leaves = list(leaves_of(block.steps))
        (target, _), *more = block.targets
        return not more and len(leaves) <= FEW and all(one.target == target for one in leaves)

    def _levels(self, numbers: list[int]) -> dict[int, int]:
        """Return for each `list` cell how many others are on the longest way to it."""
        members, found = set(numbers), dict[int, int]()
        below: dict[int, set[int]] = {}
        for number in numbers:
            below[number] = self._members_below(number, members)
            if number in below[number]:
                self._round.add(number)

        def level(number: int, way: frozenset[int]) -> int:
            if number not in found:
                further = below[number] - way
                found[number] = 1 + max(
                    (level(one, way | {number}) for one in sorted(further)), default=0
                )
            return found[number]

        for number in numbers:
            level(number, frozenset())
        return found

    def _members_below(self, number: int, members: set[int]) -> set[int]:
        seen, found = set[int](), set[int]()
        waiting = [number]
        while waiting:
            for one in self._nodes[waiting.pop()].inputs:
                for owner in {net >> BIT_PLACES for net in one}:
                    if owner in seen or self._nodes[owner].kind not in COMBINATIONAL:
                        continue
                    seen.add(owner)
                    if owner in members:
                        found.add(owner)
                    else:
                        waiting.append(owner)
        return found

    def _count(self, block: Block) -> None:
        values = [value for _, value in block.targets]
        values += [leaf.value for leaf in leaves_of(block.steps)]
        for priority in dict.fromkeys(choices_of(block.steps)):
            values += conditions_of(self._nodes, priority)
        self._texts.count(values)


def grouped(blocks: Sequence[Block]) -> list[Block]:
    """Return blocks, those as one that share a choice, an event and a reset."""
    found: list[Block] = []
    first: dict[tuple[object, ...], Block] = {}
    for block in blocks:
        keys = keys_of(block.steps) or [0]
        marks = [(block.event, block.reset, key) for key in keys]
        known = next((first[mark] for mark in marks if mark in first), None)
        if known is None:
            found.append(block)
            known = block
        else:
            known.targets += block.targets
            known.numbers += block.numbers
            join(known.steps, block.steps)
        for mark in marks:
            first.setdefault(mark, known)
    return found
