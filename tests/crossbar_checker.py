"""Walk an architecture (version 3) and a schedule clock by clock, and say what no hardware can do.

Written from the rules of the chip (docs/crossbar-rules.md) over the two files as they lie on the
disk; it shares no code with the evaluators, the placement or the fabric. A complaint is a sentence
that begins with its category.
"""

import json
import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml

from tests.crossbar_image import check_image
from tests.crossbar_ports import check_ports
from tests.crossbar_rings import check_rings

PER_BIT = ("mvm", "adc", "shift_add")
LAG = 24
"""Clocks that the engines of a layer work behind each other."""

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass
class Operation:
    """One operation of a layer: its steps of one bit, bits, and the start of each block."""

    steps: int
    bits: int
    starts: list[int]

    def end(self, block: int) -> int:
        return self.starts[block] + self.steps * self.bits


@dataclass
class Part:
    """Copies and row tiles of a layer in one macro, counted from the rules."""

    macro: int
    copies: list[int]
    tiles: list[int]


class Span(NamedTuple):
    """When a link is taken: first step and behind the last one, first clock and behind the last."""

    first: int
    behind: int
    clock: int
    end: int
    name: str


@dataclass
class Checker:
    """Two files, and the complaints about them."""

    arch: dict[str, Any]
    operations: list[dict[str, Operation]] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    @property
    def fabric(self) -> dict[str, Any]:
        return dict(self.arch["fabric"])

    @property
    def step(self) -> int:
        """Clocks of a step."""
        return int(self.fabric["clock"]["step_clocks"])

    @property
    def bit_steps(self) -> int:
        return -(-int(self.arch["activation_bits"]) // int(self.arch["point"]["dac_bits"]))

    @property
    def slices(self) -> int:
        return -(-int(self.arch["weight_bits"]) // int(self.arch["point"]["cell_bits"]))

    @property
    def is_differential(self) -> bool:
        return self.arch["point"].get("cells") == "differential"

    def check(self) -> list[str]:
        """Return all complaints."""
        self.check_clock()
        self.check_operations()
        self.check_answers()
        self.check_adcs()
        self.check_samples()
        self.check_sums()
        self.check_units()
        self.check_words()
        self.check_registers()
        self.check_links()
        self.complaints += check_ports(self)
        self.complaints += check_image(self)
        self.complaints += check_rings(self)
        return self.complaints

    def say(self, category: str, text: str) -> None:
        self.complaints.append(f"{category}: {text}")

    def weighted(self) -> Iterator[tuple[int, dict[str, Any]]]:
        for place, layer in enumerate(self.arch["layers"]):
            if layer["kind"] in ("conv", "fc"):
                yield place, layer

    def check_clock(self) -> None:
        """A step is whole clocks, and no operation starts between two steps."""
        if self.step * self.fabric["clock"]["clock_ns"] != self.arch["step_ns"]:
            self.say("clock", f"a step of {self.arch['step_ns']} ns is no {self.step} clocks")
        if self.fabric["clock"]["lag_clocks"] < LAG:
            self.say("clock", f"engines work {LAG} clocks behind each other")

    def check_operations(self) -> None:
        """The schedule is that of the operations in the file, and no block comes too early."""
        for layer in self.fabric["layers"]:
            own = self.operations[layer["layer"]]
            if [each["name"] for each in layer["operations"]] != list(own):
                self.say("operation", f"layer {layer['layer']} has others in the schedule")
                continue
            for each in layer["operations"]:
                found, what = own[each["name"]], f"{each['name']} of layer {layer['layer']}"
                if (found.steps, found.bits) != (each["steps"], each["bit_steps"]):
                    self.say("operation", f"{what} takes other steps in the schedule")
                if each["clocks"] > each["steps"] * self.step:
                    self.say("operation", f"{what} works longer than its steps")
                gaps = [b - a for a, b in pairwise(found.starts)]
                if min(gaps, default=each["period"]) < each["period"]:
                    self.say("operation", f"{what} begins {min(gaps)} steps behind itself")

    def check_answers(self) -> None:
        """What nobody reads leaves the chip, with all its bits."""
        for place, layer in enumerate(self.arch["layers"]):
            read = any(place in other["providers"] for other in self.arch["layers"])
            results = [
                each
                for each in self.fabric["travels"]
                if each["kind"] == "result" and each["layer"] == place
            ]
            if read == ("result" in self.operations[place]) or len(results) != (not read):
                self.say("result", f"layer {place} {'is read' if read else 'does not leave'}")
            bits = layer["raw_bits"] or self.arch["activation_bits"]
            for each in results:
                if (each["bits"], each["channels"]) != (bits, layer["output"]["channels"]):
                    self.say("result", f"layer {place} has {bits} bits an element")

    def parts(self, layer: dict[str, Any]) -> list[Part]:
        """Return who holds what: whole copies, or row tiles of one copy."""
        macros, first = layer["place"]["macros"], layer["place"]["first_macro"]
        copies, tiles = layer["mapping"]["copies"], layer["mapping"]["row_tiles"]
        found = []
        for m in range(macros):
            if macros <= copies:
                own = [k for k in range(copies) if m * copies // macros <= k]
                own = [k for k in own if k < (m + 1) * copies // macros]
                found.append(Part(first + m, own, list(range(tiles))))
                continue
            k = next(k for k in range(copies) if (k + 1) * macros // copies > m)
            low, high = k * macros // copies, (k + 1) * macros // copies
            at, count = m - low, high - low
            mine = range(at * tiles // count, (at + 1) * tiles // count)
            found.append(Part(first + m, [k], list(mine)))
        return found

    def columns(self, layer: dict[str, Any]) -> list[int]:
        """Return the columns in use of each crossbar of one row tile and slice."""
        side, groups = self.arch["point"]["side"], layer["window"]["groups"]
        # Two columns of cells are one of weights where cells are differential.
        room = side // 2 if self.is_differential else side
        kernel = layer["window"]["kernel"]
        other = layer["columns"]["kernel"] if layer["columns"] else kernel
        rows = kernel * other * layer["input"]["channels"] // groups
        wide = layer["output"]["channels"] // groups
        together = min(groups, side // rows, room // wide)
        if together < 1:
            return groups * [min(room, wide - first) for first in range(0, wide, room)]
        if groups == 1:
            return [min(room, wide - first) for first in range(0, wide, room)]
        return [min(together, groups - g) * wide for g in range(0, groups, together)]

    def conversions(self, layer: dict[str, Any], part: Part) -> int:
        """Return the columns that a macro converts in a bit step."""
        tiles = len(part.copies) * len(part.tiles)
        return tiles * self.slices * sum(self.columns(layer))

    def adcs_of(self) -> dict[int, int]:
        """Return the ADCs of each macro, from the file."""
        return {each["macro"]: each["adcs"] for each in self.fabric["macros"]}

    def check_adcs(self) -> None:
        """No macro converts more in a clock than its ADCs can, and all of them are in the audit."""
        rate = self.fabric["adc_rate"]["samples"] / self.fabric["adc_rate"]["clocks"]
        built, clocks = self.adcs_of(), self.last_step() * self.step
        for name in ("adc", "shift_add", "addition", "relu", "sigmoid", "pool", "eltwise"):
            key = "adcs" if name == "adc" else name
            work = sum(each[key] for each in self.fabric["macros"])
            audited = sum(layer["counts"][name] for layer in self.arch["layers"])
            if work > audited:
                self.say("audit", f"{work} {name} work, {audited} are counted")
        used = {macro: np.zeros(clocks + 1) for macro in built}
        for place, layer in self.weighted():
            operation = self.operations[place]["adc"]
            room = operation.steps * self.step
            for part in self.parts(layer):
                count = self.conversions(layer, part)
                slots = -(-count // built[part.macro])
                if slots > math.floor(room * rate + 1e-9):
                    self.say("adc", f"layer {place} needs {slots} samples in {room} clocks")
                length = min(room, math.ceil(slots / rate))
                for block, start in enumerate(operation.starts):
                    for bit in range(operation.bits):
                        first = (start + bit * operation.steps) * self.step
                        busy = used[part.macro][first : first + length]
                        if busy.any():
                            self.say("adc", f"macro {part.macro}: two conversions, block {block}")
                        busy += 1

    def last_step(self) -> int:
        return max(
            each.end(len(each.starts) - 1) for layer in self.operations for each in layer.values()
        )

    def check_samples(self) -> None:
        """A sample is converted at once: sample-and-hold takes the next one behind it."""
        for place, _ in self.weighted():
            mvm, adc = self.operations[place]["mvm"], self.operations[place]["adc"]
            for block, (start, convert) in enumerate(zip(mvm.starts, adc.starts, strict=True)):
                if convert != start + mvm.steps:
                    self.say("sample", f"layer {place}, block {block} waits for its ADCs")

    def check_sums(self) -> None:
        """Nothing is activated or stored before it is whole; operations follow each other."""
        for place, layer in enumerate(self.arch["layers"]):
            own = self.operations[place]
            order = list(own)
            if place in dict(self.weighted()):
                self.check_present(place, layer, order)
            for one, following in pairwise(order):
                for block, start in enumerate(own[following].starts):
                    before = own[one]
                    # Bit follows bit: the next unit is one bit step behind, the last waits for all.
                    paired = one in PER_BIT and following in PER_BIT
                    ready = before.starts[block] + before.steps if paired else before.end(block)
                    if start < ready:
                        self.say("sum", f"layer {place}, block {block}: {following} before {one}")

    def check_present(self, place: int, layer: dict[str, Any], order: list[str]) -> None:
        """Partial sums are chained before the activation, results gathered before the store."""
        macros, copies = layer["place"]["macros"], layer["mapping"]["copies"]
        if macros > copies and "chain" not in order:
            self.say("sum", f"layer {place} has {macros} macros for {copies} copies, and no chain")
        if macros > 1 and copies > 1 and "gather" not in order:
            self.say("sum", f"layer {place} stores results that are in {macros} macros")
        wanted = ["addition", "chain", "activation", "gather", "store"]
        found = [name for name in order if name in wanted]
        if found != [name for name in wanted if name in found]:
            self.say("sum", f"layer {place} goes through {', '.join(order)}")

    def check_units(self) -> None:
        """No digital unit does more in a step than it can: counted macro by macro."""
        units, lanes = self.fabric["constants"]["vector_units"], self.arch["vector_lanes"]
        side = self.arch["point"]["side"]
        for place, layer in self.weighted():
            bit = self.operations[place]["adc"].steps * self.step
            wide = -(-layer["output"]["channels"] // lanes)
            chained = layer["place"]["macros"] > layer["mapping"]["copies"]
            need: dict[str, int] = defaultdict(int)
            for part in self.parts(layer):
                held = len(part.copies) * len(part.tiles)
                sums = held * self.slices * sum(-(-c // lanes) for c in self.columns(layer))
                more = wide if chained else 0
                if not self.is_differential:
                    more += held * -(-side // lanes)
                for name, work, clocks in (
                    ("shift_add", sums, bit),
                    ("addition", sums + more, bit),
                    ("relu", len(part.copies) * wide, self.step),
                ):
                    does = math.floor(clocks * units[name]["operations_per_ns"] + 1e-9)
                    need[name] += -(-work // does)
            for name in ("shift_add", "addition"):
                if need[name] > layer["counts"][name]:
                    given = layer["counts"][name]
                    self.say("audit", f"layer {place} needs {need[name]} {name}, {given} counted")

    def check_words(self) -> None:
        """No vector unit takes more than a word in a clock, a pooling that of one pixel and tap."""
        bus, bits = self.arch["scratchpad"]["bus_bits"], self.arch["activation_bits"]
        for place, layer in enumerate(self.arch["layers"]):
            copies, channels = layer["mapping"]["copies"], layer["output"]["channels"]
            kernel = layer["window"]["kernel"]
            taps = kernel * (layer["columns"]["kernel"] if layer["columns"] else kernel)
            maps = [self.arch["layers"][p]["output"]["channels"] for p in layer["providers"]]
            tap = sum(-(-each // (bus // bits)) for each in (maps if len(maps) > 1 else [channels]))
            whole = copies
            if layer["kind"] in ("conv", "fc"):
                tiles = layer["mapping"]["row_tiles"]
                whole = max(len(p.copies) for p in self.parts(layer) if tiles - 1 in p.tiles)
            out = bus // (layer["raw_bits"] or bits)
            for name, clocks in (
                ("pool", copies * taps * tap),
                ("eltwise", -(-copies * channels // (bus // bits))),
                ("activation", -(-whole * channels // out)),
            ):
                own = self.operations[place].get(name)
                if own is not None and clocks > own.steps * self.step:
                    self.say("unit", f"{name} of layer {place} takes {clocks} clocks a block")

    def check_registers(self) -> None:
        """No register is overwritten: a unit takes a block when the next one has the block before.

        Accumulators have two banks: a block is multiplied while the one before is added up.
        """
        for place, _ in enumerate(self.arch["layers"]):
            own = self.operations[place]
            order = list(own)
            for one, following in pairwise(order):
                if one in PER_BIT or one in ("store", "gather"):
                    continue
                late = max(1, own[following].steps * own[following].bits - 1)
                for block in range(len(own[one].starts) - 1):
                    if own[one].starts[block + 1] < own[following].starts[block] + late:
                        self.say(
                            "register", f"layer {place}: {one} of block {block + 1} overwrites"
                        )
            if "mvm" in own:
                for block in range(len(own["mvm"].starts) - 2):
                    if own["mvm"].starts[block + 2] < own["addition"].starts[block]:
                        self.say("register", f"layer {place}: block {block + 2} needs a third bank")

    def check_links(self) -> None:
        """No link, and no local port of a router, carries two flits in a clock."""
        spans: dict[tuple[Any, ...], list[Span]] = defaultdict(list)
        for travel in self.fabric["travels"]:
            image = travel["kind"] == "image"
            own = self.operations_of(travel)
            what = "transfer" if image else travel["kind"]
            if what not in own:
                self.say("operation", f"{what} of layer {travel['layer']} is never scheduled")
                continue
            operation = own[what]
            self.check_travel(travel, operation)
            bits = travel["pixels"] * travel["channels"] * travel["bits"]
            flits = 1 + -(-bits // self.arch["mesh"]["flit_bits"])
            depth = {travel["source"]: 0}
            for source, target in travel["tree"]:
                depth[target] = depth[source] + 1
            # The I/O node has a port of its own beside that of its router's macro.
            out = "io out" if travel["kind"] == "result" else "out"
            ports = [("io" if image else "in", travel["source"], 0)]
            ports += [(source, target, depth[source]) for source, target in travel["tree"]]
            ports += [(out, target, depth.get(target, 0)) for target in travel["targets"]]
            name = f"{what} of layer {travel['readers'] if image else travel['layer']}"
            for start in operation.starts:
                first = start * self.step + travel["first_clock"]
                steps = start, start + operation.steps
                for source, target, hop in ports:
                    span = Span(*steps, first + hop, first + hop + flits, name)
                    spans[source, target].append(span)
        for link, each in spans.items():
            for one, other in pairwise(sorted(each)):
                # Links are reserved for whole steps; within a gather its sources take turns.
                together = one.name == other.name and one.first == other.first
                if other.clock < one.end if together else other.first < one.behind:
                    self.say("link", f"{link} in step {other.first}: {one.name} and {other.name}")

    def operations_of(self, travel: dict[str, Any]) -> dict[str, Operation]:
        """Return the operations of the layer that writes what travels, or reads the image."""
        place = travel["readers"][0] if travel["layer"] is None else travel["layer"]
        return self.operations[place]

    def check_travel(self, travel: dict[str, Any], operation: Operation) -> None:
        """A travel is over when its operation is, and its links lead to all targets.

        It begins as late as its engine; the image comes from outside, at the tick.
        """
        end = travel["first_clock"] + travel["clocks"] + (LAG if travel["kind"] != "image" else 0)
        if end > operation.steps * self.step:
            self.say("link", f"{travel['kind']} of layer {travel['layer']} takes {end} clocks")
        reached, columns = {travel["source"]}, self.arch["mesh"]["columns"]
        for source, target in travel["tree"]:
            beside = abs(source % columns - target % columns) + abs(
                source // columns - target // columns
            )
            if source not in reached or target in reached or beside != 1:
                self.say("link", f"{source} to {target} is no link of a tree")
            reached.add(target)
        if not set(travel["targets"]) <= reached:
            self.say("link", f"a target of layer {travel['layer']} is not reached")


def checker_of(architecture: Path, schedule: Path) -> Checker:
    """Return a checker of two files."""
    arch = yaml.load(architecture.read_text(encoding="utf-8"), Loader=LOADER)
    found = Checker(arch, [{} for _ in arch["layers"]])
    with np.load(schedule, allow_pickle=False) as arrays:
        facts, start = json.loads(arrays["facts"].tobytes()), arrays["start"].tolist()
    for each in facts["operations"]:
        first = each["first"]
        found.operations[each["layer"]][each["operation"]] = Operation(
            each["steps"], each["bit_steps"], start[first : first + each["blocks"]]
        )
    return found
