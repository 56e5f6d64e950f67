"""The inside of a module: constants, declarations, values at first, logic, names for nets.

Tests: `tests/chip/rtl/test_printed.py`.
"""

import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence, Set
from types import MappingProxyType

from hwgen.chip.rtl.expressions import MARKED, Expressions
from hwgen.chip.rtl.hints import hint_at
from hwgen.chip.rtl.logic import Logic
from hwgen.chip.rtl.nodes import Nets, Node
from hwgen.chip.rtl.places import Places, free_name

NAMELESS = "_n"
WORD = re.compile(r"[A-Za-z_§][\w§]*")


class Body:
    """The lines of some cells: made once, when `lines` is called, before the others.

    taken: names that are not free, beside those of `places`
    at_first: `garbage`, memories hold anything at first; `started`, registers have values
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        places: Places,
        numbers: Sequence[int],
        *,
        given: Container[str],
        taken: Iterable[str] = (),
        at_first: Mapping[str, bool] = MappingProxyType({}),
    ) -> None:
        self._nodes, self._places, self._numbers = nodes, places, numbers
        self._given, self._at_first = given, at_first
        self.texts = Expressions(nodes, places)
        self.logic = Logic(nodes, places, self.texts, numbers)
        placed = [nodes[number].what[1] for number in numbers if nodes[number].kind == "instance"]
        self.taken = {*taken, *placed}
        self._names: dict[int, str] = {}

    def count(self, values: Iterable[Nets]) -> None:
        """Note all that is read: by the cells, and values for ports or conditions."""
        self.logic.prepare()
        self.texts.count(values)

    def lines(self, outputs: Mapping[str, Nets], more: Sequence[str] = ()) -> list[str]:
        """Return constants, declarations and logic.

        outputs: ports, those that are no output of a cell are assigned; more: lines behind others
        """
        logic = self.logic
        instances = list(logic.instances())
        assigns = [*logic.assigns(), *self._outputs(outputs)]
        blocks = [*logic.block_lines(), *logic.memory_lines()]
        wires = dict(logic.wires())
        self._find_names(wires)
        body = [*wires.values(), *assigns, *instances, *blocks, *more]
        read = set(WORD.findall("\n".join(body)))
        whole = [*self._constants(), *self._declared(read), *self._initial(read), *body]
        return list(map(self.named, whole))

    def named(self, line: str) -> str:
        """Return a line with the names of nets without a signal."""
        return MARKED.sub(lambda found: self._names[int(found[1])], line)

    def _outputs(self, outputs: Mapping[str, Nets]) -> Iterator[str]:
        of = self._places.of
        for name, nets in outputs.items():
            own = [of.get(net) == (name, bit) for bit, net in enumerate(nets)]
            at = 0
            while at < len(nets):
                start = at
                while at < len(nets) and own[at] == own[start]:
                    at += 1
                if not own[start]:
                    value = self.texts.whole(nets[start:at]).text
                    yield f"  assign {self._places.slice(name, start, at - start)} = {value};"

    def _find_names(self, wires: Mapping[int, str]) -> None:
        """Find a name for each net without a signal; those of one are numbered in their order."""
        self.taken |= self._places.widths.keys()
        asked = sorted(self.texts.asked | wires.keys())
        hints = {number: hint_at(self._nodes[number].place) for number in asked}
        counts = Counter(hints.values())
        numbers: Counter[str] = Counter()
        for number in asked:
            hint = hints[number]
            name = free_name(hint, ()) if hint and counts[hint] == 1 else ""
            while not name or name in self.taken:
                name = f"{hint}_{numbers[hint]}" if hint else f"{NAMELESS}{numbers[hint] + 1}"
                numbers[hint] += 1
            self.taken.add(name)
            self._names[number] = name

    def _constants(self) -> Iterator[str]:
        for name, (value, width) in sorted(self._places.constants.items(), key=place_of):
            if name in self._places.declared:
                continue
            if width:
                yield f"  localparam {bits_of(width)}{name} = {width}'h{value:x};"
            else:
                yield f"  localparam {name} = {value};"

    def _declared(self, read: Set[str]) -> Iterator[str]:
        registers = self.logic.registers
        widths = dict(self._places.widths) | self.logic.unused
        for number in self._names:
            widths.setdefault(f"§{number}§", self._nodes[number].width)
        mine = {n: w for n, w in widths.items() if n in read and n not in self._given}
        yield from (f"  reg {bits_of(w)}{n};" for n, w in mine.items() if n in registers)
        for node in self._memories():
            name, width, words = node.what
            yield f"  reg {bits_of(width)}{name} [{len(words) - 1}:0];"
        yield from (f"  wire {bits_of(w)}{n};" for n, w in mine.items() if n not in registers)

    def _memories(self) -> Iterator[Node]:
        for number in self._numbers:
            if self._nodes[number].kind == "memory":
                yield self._nodes[number]

    def _initial(self, read: Set[str]) -> Iterator[str]:
        """Yield the first values of memories, and of registers that have some before a reset."""
        registers = self.logic.registers if self._at_first.get("started") else {}
        for name, value in registers.items():
            if value >= 0 and (name in read or name in self._given):
                yield f"  initial {name} = {self._places.widths[name]}'h{value:x};"
        for node in () if self._at_first.get("garbage") else self._memories():
            name, width, words = node.what
            yield "  initial begin"
            for place, word in enumerate(words):
                yield f"    {name}[{place}] = {width}'h{word:x};"
            yield "  end"


def place_of(constant: tuple[str, tuple[int, int]]) -> tuple[bool, int]:
    """Return what constants of a module are sorted by: places before values."""
    _, (value, width) = constant
    return bool(width), value


def bits_of(width: int) -> str:
    """Return the range of a signal, a space behind it; empty for one bit."""
    return f"[{width - 1}:0] " if width > 1 else ""
