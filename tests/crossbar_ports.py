"""The one port of each scratchpad, walked step by step with its priorities.

A part of `tests/crossbar_checker.py`. Whoever begins asks for all of its accesses; what arrives
comes first, then the engine with fewer accesses; each has to be through when its operation ends.
"""

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.crossbar_checker import Checker, Part

RECEIVE, ENGINE = 0, 1


@dataclass
class Asked:
    """Accesses that are still to be done, from a step on, before another."""

    order: tuple[int, int]
    start: int
    end: int
    left: int
    what: str


def check_ports(checker: "Checker") -> list[str]:
    """Return complaints about accesses that are not through in time."""
    found = []
    clocks = checker.fabric["clock"]
    room = int(clocks["step_clocks"]) // int(clocks["access_clocks"])
    for macro, asked in sorted(asked_of(checker).items()):
        found += walk(macro, sorted(asked, key=lambda each: each.start), room)
    return found


def walk(macro: int, asked: list[Asked], room: int) -> list[str]:
    """Serve all that ask at one port, step by step."""
    found: list[str] = []
    waiting: list[Asked] = []
    place = step = 0
    while place < len(asked) or waiting:
        if not waiting:
            step = max(step, asked[place].start)
        while place < len(asked) and asked[place].start <= step:
            waiting.append(asked[place])
            place += 1
        free = room
        for each in sorted(waiting, key=lambda one: one.order):
            done = min(free, each.left)
            each.left -= done
            free -= done
        step += 1
        late = [each for each in waiting if each.left > 0 and each.end <= step]
        found += [f"port: macro {macro}, {each.what} is late in step {step}" for each in late]
        waiting = [each for each in waiting if each.left > 0 and each.end > step]
    return found


def asked_of(checker: "Checker") -> dict[int, list[Asked]]:
    """Return what asks at the port of each macro."""
    asked: dict[int, list[Asked]] = defaultdict(list)
    nodes = {node_of(checker, macro): macro for macro in range(checker.arch["mesh"]["macros"])}
    for place, layer in enumerate(checker.arch["layers"]):
        own, where = checker.operations[place], layer["place"]
        words = words_of(checker, layer["mapping"]["copies"], layer["output"]["channels"])
        for macro, reads in reads_of(checker, layer).items():
            ask(asked[macro], own["load"], reads, ENGINE, f"load of layer {place}")
        ask(asked[where["merge_macro"]], own["store"], words, ENGINE, f"store of layer {place}")
        for travel in checker.fabric["travels"]:
            if travel["kind"] == "image" and travel["readers"] == [place] and "transfer" in own:
                come = words_of(checker, travel["pixels"], travel["channels"])
                for node in travel["targets"]:
                    ask(asked[nodes[node]], own["transfer"], come, RECEIVE, f"image for {place}")
        if "send" not in own:
            continue
        ask(asked[where["merge_macro"]], own["send"], words, ENGINE, f"send of layer {place}")
        for travel in checker.fabric["travels"]:
            if travel["kind"] == "send" and travel["layer"] == place:
                for node in travel["targets"]:
                    ask(asked[nodes[node]], own["send"], words, RECEIVE, f"receive of {place}")
    return asked


def ask(asked: list[Asked], operation: Any, accesses: int, kind: int, what: str) -> None:
    """Add the accesses of each block of an operation."""
    for start in operation.starts:
        end = start + operation.steps * operation.bits
        asked.append(Asked((kind, accesses), start, end, accesses, what))


def node_of(checker: "Checker", macro: int) -> int:
    """Return the node of a macro: even rows run to the right, odd ones back."""
    columns = checker.arch["mesh"]["columns"]
    row, column = divmod(macro, columns)
    return int(row * columns + (column if row % 2 == 0 else columns - 1 - column))


def in_a_word(checker: "Checker") -> int:
    """Return the elements of a word."""
    return int(checker.arch["scratchpad"]["bus_bits"] // checker.arch["activation_bits"])


def words_of(checker: "Checker", pixels: int, channels: int) -> int:
    """Return the words of a run of whole pixels, however it lies in them."""
    return run_words(checker, pixels * channels, channels)


def run_words(checker: "Checker", elements: int, channels: int) -> int:
    """Return the words of a run that begins at a multiple of what channels and words share."""
    word = in_a_word(checker)
    return max(1, -(-(elements - math.gcd(channels, word)) // word) + 1)


def reads_of(checker: "Checker", layer: dict[str, Any]) -> dict[int, int]:
    """Return the reads of a block in each macro; a read serves all crossbars of its unit."""
    copies, channels = layer["mapping"]["copies"], layer["input"]["channels"]
    kernel = layer["window"]["kernel"]
    along = layer["columns"]["kernel"] if layer["columns"] else kernel
    merge = layer["place"]["merge_macro"]
    if layer["kind"] == "eltwise":
        count = len(layer["providers"])
        return {merge: count * words_of(checker, copies, layer["output"]["channels"])}
    if layer["kind"] == "pool":
        return {merge: copies * kernel * run_words(checker, along * channels, channels)}
    return {part.macro: unit_reads(checker, layer, part) for part in checker.parts(layer)}


def unit_reads(checker: "Checker", layer: dict[str, Any], part: "Part") -> int:
    """Return the reads of the row tiles of a macro: a run of each kernel row that they cut."""
    side, channels = checker.arch["point"]["side"], layer["input"]["channels"]
    kernel = layer["window"]["kernel"]
    along = layer["columns"]["kernel"] if layer["columns"] else kernel
    row = along * channels
    total = kernel * row // layer["window"]["groups"]
    reads = 0
    for tile in part.tiles:
        first, end = tile * side, min(total, (tile + 1) * side)
        while first < end:
            behind = min(end, (first // row + 1) * row)
            reads += run_words(checker, behind - first, channels)
            first = behind
    return reads * len(part.copies)
