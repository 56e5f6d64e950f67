"""The logic of a module as lines: assignments, blocks, instances, memories.

Tests: `tests/chip/rtl/test_blocks.py`.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from hwgen.chip.rtl.expressions import MARK, WHOLE, Expressions, Text, inside, opposite
from hwgen.chip.rtl.netlists import BIT_PLACES, ONE, ZERO, Nets, Node
from hwgen.chip.rtl.places import Places, free_name
from hwgen.chip.rtl.reduced import constant, is_constant, number_of, outputs_of
from hwgen.chip.rtl.statements import (
    Leaf,
    Steps,
    Switch,
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
STEP = "  "
NAME = re.compile(r"[A-Za-z_]\w*")
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


class Logic:
    """Lines of some cells of a netlist."""

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

    # --- what belongs together ------------------------------------------------------------------

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

    # --- lines ----------------------------------------------------------------------------------

    def assigns(self) -> Iterator[str]:
        """Yield assignments of nets that are one expression, but for those without a signal."""
        for number in self._numbers:
            node = self._nodes[number]
            if node.kind in ("op", "match") and self._has_name(number):
                yield self._assign(number, self._texts.made(number).text)
            elif node.kind == "part":
                yield self._assign(number, self._part(number, node))
            elif node.kind == "read":
                memory = self._nodes[node.what].what[0]
                yield self._assign(number, f"{memory}[{self._texts.operand(node.inputs[0]).text}]")
        for block in self.blocks:
            if block.event == "*" and self._is_short(block):
                ((target, default),) = block.targets
                text = self._chosen(block.steps, Leaf(target, default)).text
                yield f"  assign {self._places.slice(*target)} = {text};"

    def wires(self) -> Iterator[tuple[int, str]]:
        """Yield the operators without a signal that something reads, each as an assignment."""
        done: set[int] = set()
        while waiting := sorted(self._texts.asked - done):
            for number in waiting:
                done.add(number)
                if self._nodes[number].kind in ("op", "match") and not self._has_name(number):
                    yield number, self._assign(number, self._texts.made(number).text)

    def _has_name(self, number: int) -> bool:
        of = self._places.of
        return any(net in of for net in outputs_of(number, self._nodes[number].width))

    def _assign(self, number: int, text: str) -> str:
        return f"  assign {self._target(number)} = {text};"

    def _target(self, number: int) -> str:
        """Return what the outputs of a cell go to, with names for bits that nothing reads."""
        node = self._nodes[number]
        targets = [target for target, _ in self.targets_of(number)]
        places = [self._places.slice(*target) for target in targets]
        for width, side in ((node.below, "below"), (node.above, "above")):
            if width:
                name = f"unused_{side}_{targets[0][0]}"
                self.unused[name] = width
                places = [name, *places] if side == "below" else [*places, name]
        return joined(places)

    def _part(self, number: int, node: Node) -> str:
        value, offset = node.inputs
        signed, stride = node.what
        steps = stride.bit_length() - 1
        amount = (ZERO,) * steps + offset if stride == 1 << steps else offset
        last = number_of(constant(-1, len(offset))) * stride + node.width
        place = self._texts.plain(amount)
        if stride != 1 << steps:
            width = len(offset) + stride.bit_length()
            wide = offset + (ZERO,) * (width - len(offset))
            place = f"{self._texts.plain(wide)} * {width}'h{stride:x}"
        runs = list(self._texts.runs(value))
        if (
            node.below == node.above == 0
            and last <= len(value)
            and len(runs) == 1
            and isinstance(runs[0][0], str)
        ):
            name, low, _ = runs[0]
            if low == 0 and len(value) == self._places.widths[name]:
                return f"{name}[{place} +: {node.width}]"
        fill = value[-1] if signed else ZERO
        width = max(len(value), node.width)
        whole = self._texts.operand(value + (fill,) * (width - len(value)))
        by = place if place.isidentifier() else f"({place})"
        return f"$signed({whole.text}) >>> {by}" if signed else f"{inside(whole)} >> {by}"

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
                if net == ZERO or (apart and inner is None):
                    continue
                value = before if inner is None else self._chosen(inner, default)
                if net == ONE:
                    result = value
                    continue
                result = chosen(self._condition(net), value, result)
            found = result
        return self._value_text(found)

    def _are_apart(self, inputs: Nets) -> bool:
        """Return whether conditions are numbers that a value is compared with."""
        if ONE in inputs:
            return False
        matches = [self._nodes[net >> BIT_PLACES] for net in inputs if net != ZERO]
        return len({one.inputs[0] for one in matches}) == 1 and not any(
            "-" in pattern for one in matches for pattern in one.what
        )

    def _value_text(self, one: Leaf | Text) -> Text:
        return self._leaf_value(one, alone=False) if isinstance(one, Leaf) else one

    def _leaf_value(self, leaf: Leaf, *, alone: bool = True) -> Text:
        if is_constant(leaf.value):
            meaning = self._places.meaning_of(*leaf.target)
            number, width = number_of(leaf.value), len(leaf.value)
            if meaning and (name := self._places.value(meaning, number, width)):
                return Text(name)
        return self._texts.whole(leaf.value) if alone else self._texts.operand(leaf.value)

    def _condition(self, net: int) -> Text:
        return self._texts.made(net >> BIT_PLACES)

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
        it: what reads nothing else is assigned without a block.
        """
        return any(name in self._clocked_names for line in lines for name in NAME.findall(line))

    def _as_assigns(self, block: Block) -> Iterator[str]:
        """Yield the nets of a block as expressions, those bits together that one step assigns."""
        for number in block.numbers:
            default = self._nodes[number].inputs[0]
            for target, at in self.targets_of(number):
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
            if net == ONE:
                otherwise = switch.branches.get(bit, [])
                break
            if net != ZERO:
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
        matches = [self._nodes[net >> BIT_PLACES] for net, _ in arms]
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
        matches = [self._nodes[net >> BIT_PLACES] for net, _ in arms]
        value = matches[0].inputs[0]
        patterns = [pattern for one in matches for pattern in one.what]
        wild = any("-" in pattern for pattern in patterns)
        whole = not wild and len(set(patterns)) == 1 << len(value)
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

    def _label(self, value: Nets, pattern: str, wild: bool) -> str:
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

    def instances(self) -> Iterator[str]:
        """Yield what is placed, a port a line."""
        for number in self._numbers:
            node = self._nodes[number]
            if node.kind != "instance":
                continue
            module, name, given, taken, parameters = node.what
            name = free_name(name, self._places.widths)
            ports = {
                n: self._texts.operand(one).text for n, one in zip(given, node.inputs, strict=True)
            }
            for port, (start, width) in taken.items():
                first = (number << BIT_PLACES) + start
                ports[port] = self._taken(name, port, tuple(range(first, first + width)))
            set_ = ", ".join(f".{n}({value})" for n, value in parameters.items())
            yield f"  {module} {f'#({set_}) ' if set_ else ''}{name} ("
            rows = [f"    .{port}({text})" for port, text in sorted(ports.items())]
            yield from (f"{row}," for row in rows[:-1])
            yield from rows[-1:]
            yield "  );"

    def _taken(self, name: str, port: str, nets: Nets) -> str:
        """Return what an output is connected to: signals, or nets whose names say unused."""
        places, of = [], self._places.of
        at = 0
        while at < len(nets):
            if nets[at] in of:
                (owner, low, width), *_ = self._texts.runs(nets[at:])
                places.append(self._places.slice(str(owner), low, width))
            else:
                width = next((n for n, net in enumerate(nets[at:]) if net in of), len(nets) - at)
                unused = f"unused_{name}_{port}" + (f"_{at}" if width < len(nets) else "")
                self.unused[unused] = width
                places.append(unused)
            at += width
        return joined(places)

    def memory_lines(self) -> Iterator[str]:
        """Yield reads and writes of memories at a clock edge; ports of one clock in their order."""
        writes: dict[tuple[int, str, int], list[Node]] = {}
        for number in self._numbers:
            node = self._nodes[number]
            if node.kind == "write":
                memory, edge = node.what
                writes.setdefault((memory, edge, node.inputs[3][0]), []).append(node)
            elif node.kind == "clocked read":
                memory, edge = node.what
                address, enable, clock = node.inputs
                place = self._target(number)
                for (name, _, _), _ in self.targets_of(number):
                    self._clocked_names.add(name)
                    for each in (name, f"unused_below_{name}", f"unused_above_{name}"):
                        self.registers.setdefault(each, -1)
                yield f"  always @({edge}edge {self._texts.whole(clock).text}) begin"
                word = f"{self._nodes[memory].what[0]}[{self._texts.operand(address).text}]"
                yield from self._guarded(enable[0], f"{place} <= {word};")
                yield "  end"
        for (memory, edge, clock), ports in writes.items():
            yield f"  always @({edge}edge {self._texts.whole((clock,)).text}) begin"
            for node in ports:
                data, address, enable, _ = node.inputs
                word = f"{self._nodes[memory].what[0]}[{self._texts.operand(address).text}]"
                for net, low, width in equal_runs(enable):
                    value = self._texts.whole(data[low : low + width]).text
                    bits = "" if width == len(data) else f"[{low + width - 1}:{low}]"
                    yield from self._guarded(net, f"{word}{bits} <= {value};")
            yield "  end"

    def _guarded(self, enable: int, line: str) -> Iterator[str]:
        if enable == ONE:
            yield f"    {line}"
        elif enable != ZERO:
            yield f"    if ({self._texts.whole((enable,)).text}) begin"
            yield f"      {line}"
            yield "    end"


def is_assigned(steps: Steps, target: Target, nodes: Sequence[Node]) -> bool:
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
            if net != ZERO and ONE not in inputs[:bit]
        ):
            return True
    return False


def is_full(inputs: Nets, nodes: Sequence[Node]) -> bool:
    """Return whether one of some conditions always holds."""
    if ONE in inputs:
        return True
    matches = [nodes[net >> BIT_PLACES] for net in inputs if net != ZERO]
    patterns = {pattern for one in matches for pattern in one.what}
    same = len({one.inputs[0] for one in matches}) == 1
    whole = same and not any("-" in pattern for pattern in patterns)
    return whole and len(patterns) == 1 << len(matches[0].inputs[0])


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


def joined(places: Sequence[str]) -> str:
    """Return signals that are assigned together, the lowest first."""
    return places[0] if len(places) == 1 else f"{{{', '.join(reversed(places))}}}"


def equal_runs(enable: Nets) -> Iterator[tuple[int, int, int]]:
    """Yield each run of one net: net, lowest place, length."""
    at = 0
    while at < len(enable):
        start = at
        while at < len(enable) and enable[at] == enable[start]:
            at += 1
        yield enable[start], start, at - start


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
