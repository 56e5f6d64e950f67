"""Where each net of a part has a name: bits of a signal, by the names that the source has.

A slice of a signal with a layout is written with constants of the module, after the fields:

    layer[ADDS]                       localparam ADDS = 286;
    layer[MULT_LSB +: 16]             localparam MULT_LSB = 287;
    bytes[3 * 8 +: 8]                 byte 3; also without a layout, for places above 15
    sum[26 - 1]                       the highest of 26 bits, for places above 15
    sums[2 * 40 + SHIFT_LSB +: 6]     localparam SHIFT_LSB = 32; in each of the sums

A value of an enum, or of a state machine, is one too: `localparam [2:0] STATE_LOAD = 3'h1;`.

Tests: `tests/chip/rtl/test_places.py`.
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from types import MappingProxyType
from typing import Any

from amaranth.hdl import Shape
from amaranth.lib import data

from hwgen.chip.rtl.hints import hint_at
from hwgen.chip.rtl.nodes import BIT_MASK, BIT_PLACES, ONE, Named, Nets, PartNetlist, outputs_of
from hwgen.chip.rtl.reduced import Reads
from hwgen.chip.rtl.words import TAKEN

LSB = "_LSB"
MANY = 16
"""Places of bits from here on are those of a lane, where there are lanes: `[3 * 8 +: 8]`."""
OTHER = re.compile(r"\W+")
FSM = re.compile(r"(?:^|_)FSM(?=_STATE)")


@dataclass(frozen=True, slots=True)
class Field:
    """Bits of a signal with a layout.

    terms: what its lowest bit is the sum of: constants by name, and texts for places in arrays
    title, values: of an enum, its name and its members
    """

    low: int
    width: int
    terms: tuple[tuple[str, int], ...]
    title: str = ""
    values: Mapping[int, str] = field(default_factory=dict)


def fields_of(
    layout: Any, low: int = 0, terms: tuple[tuple[str, int], ...] = ()
) -> Iterator[Field]:
    """Yield the fields of a layout, and those of each; what has fields comes before them."""
    if isinstance(layout, type) and issubclass(layout, data.View):
        layout = data.Layout.cast(layout)
    if not isinstance(layout, data.Layout):
        return
    inside = bool(terms) and terms[-1][1] >= 0
    within, (path, begin) = (terms[:-1], terms[-1]) if inside else (terms, ("", 0))
    for key, one in layout:
        shape, width = one.shape, Shape.cast(one.shape).width
        if isinstance(layout, data.ArrayLayout):
            own = (*terms, (f"{key} * {width}", -1))
        else:
            name = OTHER.sub("_", f"{path}_{key}" if path else str(key)).upper()
            own = (*within, (name, begin + one.offset))
        values, title = {}, ""
        if isinstance(shape, type) and hasattr(shape, "__members__"):
            values = {int(member.value): each for each, member in shape.__members__.items()}
            title = shape.__name__
        yield Field(low + one.offset, width, own, title, values)
        yield from fields_of(shape, low + one.offset, own)


class Fields:
    """The fields of a signal, found by their place."""

    def __init__(self, layout: Any) -> None:
        every = [one for one in fields_of(layout) if one.width]
        self.exact: dict[tuple[int, int], Field] = {}
        leaves: dict[int, Field] = {}
        for one in every:
            self.exact.setdefault((one.low, one.width), one)
            # What has fields comes before them: the last one that begins here is the smallest.
            leaves[one.low] = one
        self._lows = sorted(leaves)
        self._leaves = leaves

    def at(self, low: int, width: int) -> Field | None:
        """Return the field that bits are, or that they begin in; None: there is none."""
        found = self.exact.get((low, width))
        if found is None and self._lows and low >= self._lows[0]:
            found = self._leaves[self._lows[bisect_right(self._lows, low) - 1]]
        return found


class Places:
    """Names of nets, and slices of what has them.

    of: name and bit of each net that has one
    named: names of signals, by their place among those of the netlist
    widths: bits of each signal by its name, in the order in which they got theirs
    constants: of the module, those that a text has used: value and width, 0 where it is a place
    declared: those of them that are there already
    """

    def __init__(
        self,
        netlist: PartNetlist,
        reads: Reads,
        behind: "Places | None" = None,
        known: Mapping[int, tuple[str, int]] = MappingProxyType({}),
    ) -> None:
        """Name all that is read.

        behind: of the same part, whose names are taken, and which are those of `known` nets
        """
        self.is_read = reads.is_read
        self.of = dict(known)
        self.named: dict[int, str] = {}
        self.widths: dict[str, int] = {}
        self.constants: dict[str, tuple[int, int]] = {}
        self._layouts: dict[str, Any] = {}
        self._enums: dict[str, Named] = {}
        if behind is not None:
            self.widths |= {n: w for n, w in behind.widths.items() if n.isidentifier()}
            self.constants |= behind.constants
            self._layouts |= behind._layouts
            self._enums |= behind._enums
        self.declared = frozenset(self.constants)
        self._fields: dict[str, Fields | None] = {}
        self._values: dict[Nets, tuple[str, Mapping[int, str]]] = {}
        self._nodes = netlist.nodes
        signals = {one.name: one for one in netlist.signals}
        ports = {} if behind else netlist.inputs | netlist.outputs
        for name, nets in ports.items():
            # What is no cell's output as it is has the names of signals, if there are any: signals
            # go round otherwise.
            number = nets[0] >> BIT_PLACES if nets else 0
            whole = name in netlist.inputs or nets == outputs_of(number, self._nodes[number].width)
            self.add(name, nets if whole and self._is_one_kind(nets) else ())
            self.widths[name] = len(nets)
            if name in signals:
                self._know(name, signals[name])
        self._name_signals(netlist)
        for name, nets in ports.items():
            if self._is_one_kind(nets):
                self.add(name, nets)
        self._name_registers(netlist)
        self._name_ports(netlist)
        self._name_rest(netlist)
        for signal in netlist.signals:
            if signal.values:
                self._values.setdefault(signal.nets, (signal.title, signal.values))

    def add(self, name: str, nets: Nets) -> None:
        """Give a name to those of some nets that have none."""
        self.widths[name] = len(nets)
        for bit, net in enumerate(nets):
            if net > ONE:
                self.of.setdefault(net, (name, bit))

    def _is_one_kind(self, nets: Nets) -> bool:
        """Return whether all bits of a signal can be assigned in one way: in blocks, or outside."""
        kinds = {
            self._nodes[net >> BIT_PLACES].kind if net > ONE and net not in self.of else ""
            for net in nets
        }
        if kinds and kinds <= {"register", "clocked read"}:
            return len(set(nets)) == len(nets)
        if "list" in kinds:
            return len(kinds) == len({net >> BIT_PLACES for net in nets}) == 1
        return not kinds & {"register", "clocked read"}

    def _know(self, name: str, signal: Named) -> None:
        self._layouts[name] = signal.layout
        if signal.values:
            self._enums[name] = signal

    def _name_signals(self, netlist: PartNetlist) -> None:
        """Name the signals that are bits of one cell, then those that are of several.

        Those of one name are numbered in the order of the source.
        """
        named: set[int] = set(self.of)
        found: dict[int, Nets] = {}
        several: dict[int, Nets] = {}
        order = sorted(range(len(netlist.signals)), key=lambda one: not self._is_own(netlist, one))
        for place in order:
            nets = netlist.signals[place].nets
            while nets and not (nets[-1] > ONE and self.is_read(nets[-1])):
                nets = nets[:-1]
            whole = bool(nets) and len(set(nets)) == len(nets)
            if not whole or not all(net > ONE and net not in named for net in nets):
                continue
            if len({net >> BIT_PLACES for net in nets}) > 1:
                several[place] = nets
            elif any(map(self.is_read, nets)):
                found[place] = nets
                named.update(nets)
        for place, nets in several.items():
            if named.isdisjoint(nets) and all(map(self.is_read, nets)) and self._is_one_kind(nets):
                found[place] = nets
                named.update(nets)
        names = [netlist.signals[place].name for place in sorted(found)]
        counts, numbers = Counter(names), Counter[str]()
        for place in sorted(found):
            signal = netlist.signals[place]
            name = signal.name
            if counts[name] > 1 or name in self.widths:
                name = f"{name}_{numbers[name]}"
                numbers[signal.name] += 1
            name = free_name(name, self.widths)
            self.add(name, found[place])
            self.named[place] = name
            self._know(name, signal)

    def _is_own(self, netlist: PartNetlist, place: int) -> bool:
        """Return whether a cell was made for the values of a signal, and is no other's too.

        So is an output with a layout of what is placed.
        """
        signal = netlist.signals[place]
        net = signal.nets[0]
        node = netlist.nodes[net >> BIT_PLACES]
        if signal.layout is not None and node.kind == "instance":
            return (net & BIT_MASK, len(signal.nets)) in node.what[3].values()
        if net <= ONE or net & BIT_MASK:
            return False
        made = node.kind in ("register", "list") and node.place == signal.place
        return made and node.width == len(signal.nets)

    def _name_registers(self, netlist: PartNetlist) -> None:
        """Name registers that are some bits of a signal, or of none.

        After the field, or the lowest bit; after the variable that holds them.
        """
        for signal in netlist.signals:
            at, nets = 0, signal.nets
            while at < len(nets):
                start = at
                at += 1
                if not self._is_free_register(nets[start], signal):
                    continue
                while at < len(nets) and nets[at] == nets[at - 1] + 1:
                    if not self._is_free_register(nets[at], signal):
                        break
                    at += 1
                found = Fields(signal.layout).exact.get((start, at - start))
                last = found.terms[-1] if found else ("", -1)
                name = last[0].lower() if last[1] >= 0 else str(start)
                self.add(free_name(f"{signal.name}_{name}", self.widths), nets[start:at])
        left = {
            number: hint_at(node.place)
            for number, node in enumerate(netlist.nodes)
            if node.kind == "register" and not any(map(self.of.get, outputs_of(number, node.width)))
        }
        numbers = Counter[str]()
        for number, hint in left.items():
            nets = outputs_of(number, netlist.nodes[number].width)
            if self.is_read(nets[0]):
                self.add(self._numbered(hint or "register", numbers), nets)

    def _numbered(self, stem: str, numbers: Counter[str]) -> str:
        while True:
            name = f"{stem}_{numbers[stem]}"
            numbers[stem] += 1
            if name not in self.widths:
                return name

    def _is_free_register(self, net: int, signal: Named) -> bool:
        if net <= ONE or net in self.of or not self.is_read(net):
            return False
        node = self._nodes[net >> BIT_PLACES]
        return node.kind == "register" and node.place == signal.place

    def _name_rest(self, netlist: PartNetlist) -> None:
        """Name the bits of cells of which others have names."""
        numbers = Counter[str]()
        for number, node in enumerate(netlist.nodes):
            if node.kind in ("instance", "priority", "match", "top"):
                continue
            nets = outputs_of(number, node.width)
            free = [net not in self.of and self.is_read(net) for net in nets]
            if not any(free) or not any(net in self.of for net in nets):
                continue
            at = 0
            for is_free, run in groupby(free):
                width = len(list(run))
                if is_free:
                    hint = hint_at(node.place) or "rest"
                    name = hint if hint not in self.widths else self._numbered(hint, numbers)
                    self.add(free_name(name, self.widths), nets[at : at + width])
                at += width

    def _name_ports(self, netlist: PartNetlist) -> None:
        """Name the outputs of what is placed that are no signals of the part."""
        for number, node in enumerate(netlist.nodes):
            if node.kind != "instance":
                continue
            for port, (start, width) in node.what[3].items():
                nets = tuple(
                    range((number << BIT_PLACES) + start, (number << BIT_PLACES) + start + width)
                )
                left = [net for net in nets if net not in self.of and self.is_read(net)]
                if left:
                    name = free_name(f"{node.what[1]}_{port}", self.widths)
                    self.add(name, nets if len(left) == width else tuple(left))

    def slice(self, name: str, low: int, width: int) -> str:
        """Return bits of a signal as a text."""
        if width == self.widths[name]:
            return name
        fields = self.fields(name)
        found = fields.at(low, width) if fields else None
        if found is None and low >= MANY and width > 1 and low % width == 0:
            return f"{name}[{low // width} * {width} +: {width}]"
        if found is None and width == 1 and MANY <= low == self.widths[name] - 1:
            return f"{name}[{low + 1} - 1]"
        if found is None:
            return f"{name}[{low}]" if width == 1 else f"{name}[{low + width - 1}:{low}]"
        last = len(found.terms) - 1
        sums = []
        for at, (text, value) in enumerate(found.terms):
            one = f"{text}{LSB if found.width > 1 or at < last else ''}"
            sums.append(self.constant(one, value, 0, name) if value >= 0 else text)
        if low > found.low:
            above = low - found.low
            lane = above >= MANY and width > 1 and above % width == 0
            sums.append(f"{above // width} * {width}" if lane else str(above))
        place = " + ".join(sums)
        return f"{name}[{place}]" if width == 1 else f"{name}[{place} +: {width}]"

    def fields(self, name: str) -> Fields | None:
        """Return the fields of a signal; None: it has no layout."""
        if name not in self._fields:
            layout = self._layouts.get(name)
            self._fields[name] = None if layout is None else Fields(layout)
        return self._fields[name]

    def constant(self, name: str, value: int, width: int, owner: str) -> str:
        """Return the name of a constant of the module; with its owner's where another has it."""
        for one in (name, f"{OTHER.sub('_', owner).upper()}_{name}"):
            if one not in self.widths and self.constants.setdefault(one, (value, width)) == (
                value,
                width,
            ):
                return one
        raise ValueError(f"a constant must have one value, got {name} of {owner}")

    def meaning(self, nets: Nets) -> tuple[str, Mapping[int, str]] | None:
        """Return title and names of the values of nets; None: they are a number."""
        if found := self._values.get(nets):
            return found
        if not nets or nets[0] not in self.of:
            return None
        name, low = self.of[nets[0]]
        if self.of.get(nets[-1]) != (name, low + len(nets) - 1):
            return None
        return self.meaning_of(name, low, len(nets))

    def meaning_of(self, name: str, low: int, width: int) -> tuple[str, Mapping[int, str]] | None:
        """Return the same for bits of a signal."""
        signal = self._enums.get(name)
        if signal is not None and not low and width == self.widths[name]:
            return signal.title, signal.values
        fields = self.fields(name)
        found = fields.exact.get((low, width)) if fields else None
        return (found.title, found.values) if found and found.values else None

    def value(self, meaning: tuple[str, Mapping[int, str]], number: int, width: int) -> str | None:
        """Return a value of an enum or a state machine by its name; None: it has none."""
        title, values = meaning
        if number not in values:
            return None
        stem = FSM.sub("", OTHER.sub("_", in_capitals(title)).upper()).strip("_")
        name = OTHER.sub("_", f"{stem}_{values[number]}").upper()
        return self.constant(name, number, width, title)


def in_capitals(title: str) -> str:
    """Return the name of a class in capitals, with its words apart."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", title).upper()


def free_name(name: str, taken: Container[str]) -> str:
    """Return a name that is no word of Verilog, and that nothing has yet."""
    name = OTHER.sub("_", name)
    while name in TAKEN or name in taken or name[0].isdigit():
        name += "_"
    return name
