"""Count in the emitted Verilog what a chip consists of, and say where its architecture has others.

A program of its own: it reads text and `architecture.yaml` as it lies on the disk. Banks, ADCs,
lanes, memories and routers are instances, a bank says in its parameters how large it is, a loader
in its constant which rows it writes, and links are what the inputs of routers are. A complaint is
a sentence that begins with its category.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from hwgen.crossbar.rtl.loader import WALK

INSTANCE = re.compile(r"^  (\w+) \\?(\w+)\S* +\(\n(.*?)^  \);", re.MULTILINE | re.DOTALL)
MEMORY = re.compile(r"^ *reg +(?:\[(\S+):0\] +)?\S+ +\[(\S+):(\S+)\] *;", re.MULTILINE)
PARAMETER = re.compile(r"(\w+) = (\d+)")
PORT = re.compile(r"^ *(?:input|output) (?:reg )?(?:\[(\d+):0\] )?(\w+)[,;]?(?: |$)", re.MULTILINE)
CONSTANT = re.compile(r"(\d+)'h[0-9a-f_]+")
OUTPUT = re.compile(r"(\w+)\[(\d+) \* (\d+) \+: (\d+)\]")
CONNECTED = re.compile(r"\.(\w+)\((.*?) ?\),?\n", re.DOTALL)
NUMBER = re.compile(r"(\d+)'h([0-9a-f]+)")
CELLS = "cells"
"""The memory of a bank whose bits are in the crossbars."""

ROUTER_PORTS = ("north", "east", "south", "west", "macro", "io")


@dataclass(frozen=True)
class Instance:
    """One use of a module: its name, what is connected to its ports, and the module."""

    name: str
    connected: Mapping[str, str]
    module: "Text"


@dataclass(frozen=True)
class Text:
    """A module of a folder of Verilog."""

    name: str
    modules: Mapping[str, str]

    @property
    def text(self) -> str:
        return self.modules[self.name]

    @cached_property
    def instances(self) -> list[Instance]:
        """The instances that are placed in it."""
        return [
            Instance(name, dict(CONNECTED.findall(ports)), Text(module, self.modules))
            for module, name, ports in INSTANCE.findall(self.text)
            if module in self.modules
        ]

    def is_a(self, kind: str) -> bool:
        """Whether its name is the family, a kind, and sizes."""
        return bool(re.fullmatch(rf"crossbar_{kind}(_\d.*)?", self.name))

    def below(self, kind: str) -> Iterator["Text"]:
        """Yield each use of a kind of module in it, however deep."""
        for one in self.instances:
            if one.module.is_a(kind):
                yield one.module
            yield from one.module.below(kind)

    def all_below(self) -> Iterator[tuple["Text", "Text"]]:
        """Yield every use of a module, with the one that it is placed in."""
        for one in self.instances:
            yield self, one.module
            yield from one.module.all_below()

    @property
    def parameters(self) -> dict[str, int]:
        """Its numbers by name."""
        lines = re.findall(r"^ *localparam integer (.*?);", self.text, re.MULTILINE)
        return {name: int(number) for line in lines for name, number in PARAMETER.findall(line)}

    def width(self, port: str) -> int:
        """Return the bits of a port."""
        return next(int(top or 0) + 1 for top, name in PORT.findall(self.text) if name == port)

    @property
    def memory_words(self) -> int:
        """The words of its only memory."""
        ((_, one, other),) = MEMORY.findall(self.text)
        return abs(self.number(one) - self.number(other)) + 1

    @property
    def memory_bits(self) -> int:
        """The bits of its memories, but for the cells of a bank."""
        found = 0
        for match in MEMORY.finditer(self.text):
            if CELLS not in match[0]:
                words = abs(self.number(match[2]) - self.number(match[3])) + 1
                found += words * (self.number(match[1] or "0") + 1)
        return found

    def number(self, text: str) -> int:
        """Return a number that may be a sum of products of parameters."""
        for name, value in self.parameters.items():
            text = re.sub(rf"\b{name}\b", str(value), text)
        if not re.fullmatch(r"[\d*+-]+", text):
            raise ValueError(f"a size of {self.name} must be a number, got {text}")
        return int(eval(text))


def check_chip(arch: dict[str, Any], modules: Mapping[str, str]) -> list[str]:
    """Return all complaints about a chip; arch: its architecture as a file says it."""
    top = next(Text(name, modules) for name in modules if name == "crossbar_chip")
    placed = {one.name: one.module for one in top.instances}
    found = check_mesh(arch, top)
    for macro in arch["fabric"]["macros"]:
        found += check_macro(arch, macro, placed[f"macro{macro['macro']}"])
    return found


def check_macro(arch: dict[str, Any], macro: dict[str, Any], text: Text) -> list[str]:
    """Compare what is in the text of a macro with what the architecture has in it."""
    rate = Fraction(arch["fabric"]["adc_rate"]["samples"], arch["fabric"]["adc_rate"]["clocks"])
    engines = {int(one.name.removeprefix("layer_")): one.module for one in layers_in(text)}
    held = {layer["layer"]: one for layer, one in held_in(arch, macro["macro"])}
    if sorted(engines) != sorted(held):
        return [f"layers: macro {macro['macro']} has {sorted(engines)}, not {sorted(held)}"]
    counted: Counter[str] = Counter(adcs=sum(1 for _ in text.below("adc")))
    lanes = macro["adcs"] * max(1, int(rate))
    found = []
    for place, engine in engines.items():
        for bank in engine.below("bank"):
            counted.update(in_bank(arch, bank, engine))
        for array in engine.below("array"):
            if sum(1 for _ in array.below("lane")) != lanes:
                found.append(f"lanes: layer {place} in macro {macro['macro']} has not {lanes}")
        found += check_activation(arch, place, engine, held[place])
    (memory,) = text.below("pad_memory")
    words = 1 << max(1, (macro["words"] - 1).bit_length())
    if memory.memory_words != words or words > capacity(arch):
        found.append(f"words: macro {macro['macro']} has {memory.memory_words} words")
    for name in ("crossbars", "dacs", "adcs"):
        if counted[name] != macro[name]:
            found.append(f"{name}: macro {macro['macro']} has {counted[name]}, not {macro[name]}")
    return found + check_units(arch, macro, text)


def layers_in(text: Text) -> list[Instance]:
    """Return the engines of a macro."""
    return [one for one in text.instances if re.fullmatch(r"layer_\d+", one.name)]


def held_in(arch: dict[str, Any], macro: int) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield the layers of a macro, each with what the macro holds of it."""
    for layer in arch["fabric"]["layers"]:
        for one in layer["held"]:
            if one["macro"] == macro:
                yield layer, one


def in_bank(arch: dict[str, Any], bank: Text, engine: Text) -> dict[str, int]:
    """Return the crossbars of a bank, and the DACs: of each crossbar the rows that are written.

    A bank has cells in all rows; its loader knows how many of a copy's rows have weights.
    """
    sizes, slices = bank.parameters, -(-arch["weight_bits"] // arch["point"]["cell_bits"])
    # Sections of a grouped convolution need not be equally wide, and none is wider than a side.
    tiles = -(-(sizes["COLUMNS"] // (sizes["UNITS"] * slices)) // sizes["SIDE"])
    of_a_unit = slices * max(1, tiles)
    (walk,) = [
        one.connected["walk"] for one in engine.instances if one.module.is_a("(joined_)?loader")
    ]
    number = 0
    # A long constant stands in pieces, the highest first.
    for width, digits in NUMBER.findall(walk):
        number = number << int(width) | int(digits, 16)
    field = {
        name: number >> WALK[name].offset & ((1 << WALK[name].width) - 1)
        for name in ("copies", "sections", "unit_rows", "last_unit_rows")
    }
    rows = (field["sections"] - 1) * field["unit_rows"] + field["last_unit_rows"]
    return {
        "crossbars": sizes["UNITS"] * of_a_unit,
        "dacs": field["copies"] * rows * of_a_unit,
    }


def check_activation(
    arch: dict[str, Any], place: int, engine: Text, held: dict[str, Any]
) -> list[str]:
    """Requantizers take as many elements a clock as is paid for, or a word."""
    units = arch["fabric"]["constants"]["vector_units"]
    table = arch["fabric"]["layers"][place]["table"]
    a_unit = int(units["lanes"] * units["relu"]["operations_per_ns"])
    bits = arch["fabric"]["layers"][place]["output_bits"]
    word = arch["scratchpad"]["bus_bits"] // arch["activation_bits"]
    word //= -(-bits // arch["activation_bits"])
    lanes = sum(1 for _ in engine.below("requantizer_lane"))
    name = "sigmoid" if table else "relu"
    if lanes != min(a_unit * held["activation"], word):
        return [f"{name}: layer {place} in macro {held['macro']} has {lanes} lanes"]
    return []


def check_units(arch: dict[str, Any], macro: dict[str, Any], text: Text) -> list[str]:
    """No digital unit does more than is paid for in its macro.

    There are as many adders as lanes: they add all columns, in the clocks of an operation. Lanes of
    poolings and of additions of maps are rounded up to powers of two.
    """
    units, found = arch["fabric"]["constants"]["vector_units"], []
    does: Counter[str] = Counter()
    for one in layers_in(text):
        columns = sum(bank.parameters["COLUMNS"] for bank in one.module.below("bank"))
        for name in ("shift_add", "addition") if columns else ():
            does[name] += math.ceil(columns / clocks_of(arch, int(one.name[6:]), name))
        for name in ("pool", "eltwise"):
            does[name] += sum((adders(unit) + 1) // 2 for unit in one.module.below(name))
    for name, elements in does.items():
        paid = macro[name] * units["lanes"] * units[name]["operations_per_ns"]
        if elements > paid:
            found.append(f"{name}: macro {macro['macro']} does {elements} a clock, {paid} are paid")
    return found


def clocks_of(arch: dict[str, Any], place: int, name: str) -> int:
    """Return the clocks that an operation of a layer has, once."""
    every = arch["fabric"]["layers"][place]["operations"]
    steps = next(each["steps"] for each in every if each["name"] == name)
    return int(steps * arch["fabric"]["clock"]["step_clocks"])


def adders(unit: Text) -> int:
    """Return how many sums a unit writes in a clock."""
    (sums,) = unit.below("sums")
    return sums.width("en")


def capacity(arch: dict[str, Any]) -> int:
    """Return the words of a scratchpad that is paid for."""
    return int(arch["scratchpad"]["kilobytes"] * 1024 * 8 // arch["scratchpad"]["bus_bits"])


def check_mesh(arch: dict[str, Any], top: Text) -> list[str]:
    """Return complaints about routers and the links between them."""
    rows, columns = arch["mesh"]["rows"], arch["mesh"]["columns"]
    routers = [one for one in top.instances if one.module.is_a("router")]
    if sorted(one.name for one in routers) != sorted(f"router{n}" for n in range(rows * columns)):
        return [f"routers: there are {len(routers)}, the mesh has {rows} x {columns} nodes"]
    wanted = set()
    for node in range(rows * columns):
        row, column = divmod(node, columns)
        around = {"north": (row - 1, column), "south": (row + 1, column)}
        around |= {"west": (row, column - 1), "east": (row, column + 1)}
        for there in around.values():
            if 0 <= there[0] < rows and 0 <= there[1] < columns:
                wanted.add((there[0] * columns + there[1], node))
    found = links_of(top, routers)
    return [f"links: {a} to {b} is missing or too much" for a, b in sorted(wanted ^ found)]


def links_of(top: Text, routers: list[Instance]) -> set[tuple[int, int]]:
    """Return from which router to which a link goes, by what the inputs of routers are."""
    outputs = {parts_of(one.connected["outputs"])[-1]: int(one.name[6:]) for one in routers}
    opposite = {"north": "south", "east": "west", "south": "north", "west": "east"}
    found = set()
    for one in routers:
        link, low = one.module.width("inputs") // len(ROUTER_PORTS), 0
        for part in reversed(parts_of(one.connected["inputs"])):
            to = ROUTER_PORTS[low // link]
            constant, output = CONSTANT.fullmatch(part), OUTPUT.fullmatch(part)
            if output and output[1] in outputs and int(output[3]) == int(output[4]) == link:
                come = ROUTER_PORTS[int(output[2])]
                if not low % link and opposite.get(to) == come:
                    found.add((outputs[output[1]], int(one.name[6:])))
            low += int(constant[1]) if constant else link
    return found


def parts_of(connected: str) -> list[str]:
    """Return the parts of a concatenation, the highest first; a lone signal is the only one."""
    return " ".join(connected.split()).strip("{ }").split(", ")


def memory_bits(modules: Mapping[str, str]) -> Counter[str]:
    """Return the bits of memories by the kinds of module, of all uses; cells and scratchpads apart.

    A name is that of the module with the memory, and of the one that it is placed in.
    """
    found: Counter[str] = Counter()
    for owner, module in Text("crossbar_chip", modules).all_below():
        if not module.is_a("pad_memory") and module.memory_bits:
            found[f"{kind_of(module)} of {kind_of(owner)}"] += module.memory_bits
    return found


def kind_of(text: Text) -> str:
    """Return the name of a module without family and sizes."""
    return re.sub(r"_\d.*", "", text.name.removeprefix("crossbar_"))
