"""The logic of a module as lines: assignments, instances, memories, and its blocks.

Tests: `tests/chip/rtl/test_printed.py`.
"""

from collections.abc import Iterator, Sequence

from hwgen.chip.rtl import nodes
from hwgen.chip.rtl.block_text import BlockText
from hwgen.chip.rtl.expressions import inside
from hwgen.chip.rtl.places import free_name
from hwgen.chip.rtl.statements import (
    Leaf,
)


class Logic(BlockText):
    """Lines of some cells of a netlist."""

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
        return any(net in of for net in nodes.outputs_of(number, self._nodes[number].width))

    def _assign(self, number: int, text: str) -> str:
        return f"  assign {self._target(number)} = {text};"

    def _target(self, number: int) -> str:
        """Return what the outputs of a cell go to, with names for bits that nothing reads."""
        node = self._nodes[number]
        targets = [target for target, _ in self.targets_of(number)]
        places = [self._places.slice(*target) for target in targets]
        owner, low, taken = targets[0]
        # Each element of an array drops bits of its own.
        place = "" if taken == self._places.widths[owner] else f"_{low}"
        for width, side in ((node.below, "below"), (node.above, "above")):
            if width:
                name = f"unused_{side}_{owner}{place}"
                self.unused[name] = width
                places = [name, *places] if side == "below" else [*places, name]
        return joined(places)

    def _part(self, number: int, node: nodes.Node) -> str:
        value, offset = node.inputs
        signed, stride = node.what
        steps = stride.bit_length() - 1
        amount = (nodes.ZERO,) * steps + offset if stride == 1 << steps else offset
        last = nodes.number_of(nodes.constant(-1, len(offset))) * stride + node.width
        place = self._texts.plain(amount)
        if stride != 1 << steps:
            width = len(offset) + stride.bit_length()
            wide = offset + (nodes.ZERO,) * (width - len(offset))
            place = f"{self._texts.plain(wide)} * {width}'h{stride:x}"
        runs = list(self._texts.runs(value))
        if (
            node.below == node.above == 0
            and last <= len(value)
            and len(runs) == 1
            and isinstance(name := runs[0][0], str)
        ):
            low = runs[0][1]
            if low == 0 and len(value) == self._places.widths[name]:
                return f"{name}[{place} +: {node.width}]"
        fill = value[-1] if signed else nodes.ZERO
        width = max(len(value), node.width)
        whole = self._texts.operand(value + (fill,) * (width - len(value)))
        by = place if place.isidentifier() else f"({place})"
        return f"$signed({whole.text}) >>> {by}" if signed else f"{inside(whole)} >> {by}"

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
                first = (number << nodes.BIT_PLACES) + start
                ports[port] = self._taken(name, port, tuple(range(first, first + width)))
            set_ = ", ".join(f".{n}({value})" for n, value in parameters.items())
            yield f"  {module} {f'#({set_}) ' if set_ else ''}{name} ("
            rows = [f"    .{port}({text})" for port, text in sorted(ports.items())]
            yield from (f"{row}," for row in rows[:-1])
            yield from rows[-1:]
            yield "  );"

    def _taken(self, name: str, port: str, nets: nodes.Nets) -> str:
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
        writes: dict[tuple[int, str, int], list[nodes.Node]] = {}
        for number in self._numbers:
            node = self._nodes[number]
            if node.kind == "write":
                memory, edge = node.what
                writes.setdefault((memory, edge, node.inputs[3][0]), []).append(node)
            elif node.kind == "clocked read":
                memory, edge = node.what
                address, enable, clock = node.inputs
                known = set(self.unused)
                place = self._target(number)
                names = [name for (name, _, _), _ in self.targets_of(number)]
                self._clocked_names.update(names)
                for each in (*names, *(name for name in self.unused if name not in known)):
                    self.registers.setdefault(each, -1)
                yield f"  always @({edge}edge {self._texts.whole(clock).text}) begin"
                word = f"{self._nodes[memory].what[0]}[{self._texts.operand(address).text}]"
                yield from self._guarded(enable[0], f"{place} <= {word};")
                yield "  end"
        for (_, edge, net_of_clock), ports in writes.items():
            yield f"  always @({edge}edge {self._texts.whole((net_of_clock,)).text}) begin"
            for node in ports:
                data, address, enable, _ = node.inputs
                word = f"{self._nodes[node.what[0]].what[0]}[{self._texts.operand(address).text}]"
                for net, low, width in equal_runs(enable):
                    value = self._texts.whole(data[low : low + width]).text
                    bits = "" if width == len(data) else f"[{low + width - 1}:{low}]"
                    yield from self._guarded(net, f"{word}{bits} <= {value};")
            yield "  end"

    def _guarded(self, enable: int, line: str) -> Iterator[str]:
        if enable == nodes.ONE:
            yield f"    {line}"
        elif enable != nodes.ZERO:
            yield f"    if ({self._texts.whole((enable,)).text}) begin"
            yield f"      {line}"
            yield "    end"


def equal_runs(enable: nodes.Nets) -> Iterator[tuple[int, int, int]]:
    """Yield each run of one net: net, lowest place, length."""
    at = 0
    while at < len(enable):
        start = at
        while at < len(enable) and enable[at] == enable[start]:
            at += 1
        yield enable[start], start, at - start


def joined(places: Sequence[str]) -> str:
    """Return signals that are assigned together, the lowest first."""
    return places[0] if len(places) == 1 else f"{{{', '.join(reversed(places))}}}"
