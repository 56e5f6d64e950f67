"""The one port of each scratchpad, walked step by step with its priorities.

A part of `tests/crossbar_checker.py`. Whoever begins asks for all of its accesses; what arrives
comes first, then the engine with fewer accesses; each has to be through when its operation ends. A
send, and a result, is read before it travels. The last operation of a layer ends as much earlier as
its engine is late.
"""

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.crossbar_checker import Checker, Part

RECEIVE, ENGINE = 0, 1
LAG = 24


@dataclass
class Asked:
    """Accesses that are still to be done, from a step on, before a clock."""

    order: tuple[int, int]
    start: int
    end: int
    left: int
    what: str


def check_ports(checker: "Checker") -> list[str]:
    """Return complaints about accesses that are not through in time."""
    found = []
    clocks = checker.fabric["clock"]
    step, access = int(clocks["step_clocks"]), int(clocks["access_clocks"])
    for macro, asked in sorted(asked_of(checker).items()):
        found += walk(macro, sorted(asked, key=lambda each: each.start), step, access)
    return found


def walk(macro: int, asked: list[Asked], clocks: int, access: int) -> list[str]:
    """Serve all that ask at one port, step by step; clocks: of a step, and of an access."""
    found: list[str] = []
    waiting: list[Asked] = []
    place = step = now = 0
    while place < len(asked) or waiting:
        if not waiting:
            step = max(step, asked[place].start)
        while place < len(asked) and asked[place].start <= step:
            waiting.append(asked[place])
            place += 1
        now = max(now, step * clocks)
        step += 1
        for each in sorted(waiting, key=lambda one: one.order):
            # The last access that begins in a step may end in the next one.
            done = min(max(0, -(-(step * clocks - now) // access)), each.left)
            each.left -= done
            now += done * access
            behind = now if each.left == 0 else step * clocks + 1
            if behind > each.end:
                found.append(f"port: macro {macro}, {each.what} is late in step {step}")
                each.left = 0
        waiting = [each for each in waiting if each.left > 0]
    return found


def asked_of(checker: "Checker") -> dict[int, list[Asked]]:
    """Return what asks at the port of each macro."""
    asked: dict[int, list[Asked]] = defaultdict(list)
    nodes = {node_of(checker, macro): macro for macro in range(checker.arch["mesh"]["macros"])}
    for place, layer in enumerate(checker.arch["layers"]):
        own, where = checker.operations[place], layer["place"]
        bits = layer["raw_bits"] or checker.arch["activation_bits"]
        words = words_of(checker, layer["mapping"]["copies"], layer["output"]["channels"], bits)
        last, merge = list(own)[-1], where["merge_macro"]
        for macro, reads in reads_of(checker, layer).items():
            asked[macro] += blocks_of(
                checker, own["load"], (ENGINE, reads), f"load of layer {place}"
            )
        lag = LAG if last == "store" else 0
        asked[merge] += blocks_of(
            checker, own["store"], (ENGINE, words), f"store of layer {place}", lag
        )
        for travel in checker.fabric["travels"]:
            if travel["kind"] == "image" and travel["readers"] == [place] and "transfer" in own:
                come = words_of(checker, travel["pixels"], travel["channels"])
                for node in travel["targets"]:
                    come_in = blocks_of(
                        checker, own["transfer"], (RECEIVE, come), f"image for {place}"
                    )
                    asked[nodes[node]] += come_in
        for travel in checker.fabric["travels"]:
            if travel["layer"] != place or travel["kind"] not in ("send", "result"):
                continue
            if travel["kind"] not in own:
                continue
            sent, what = own[travel["kind"]], f"{travel['kind']} of layer {place}"
            behind = LAG + travel["clocks"]
            asked[merge] += blocks_of(checker, sent, (ENGINE, words), what, behind)
            for node in travel["targets"] if travel["kind"] == "send" else ():
                come_in = blocks_of(checker, sent, (RECEIVE, words), f"receive of {place}")
                asked[nodes[node]] += come_in
    return asked


def blocks_of(
    checker: "Checker", operation: Any, order: tuple[int, int], what: str, behind: int = 0
) -> Iterator[Asked]:
    """Yield what each block of an operation asks for; behind: clocks of it that follow.

    order: kind, and accesses
    """
    for start in operation.starts:
        end = (start + operation.steps * operation.bits) * checker.step - behind
        yield Asked(order, start, end, order[1], what)


def node_of(checker: "Checker", macro: int) -> int:
    """Return the node of a macro: even rows run to the right, odd ones back."""
    columns = checker.arch["mesh"]["columns"]
    row, column = divmod(macro, columns)
    return int(row * columns + (column if row % 2 == 0 else columns - 1 - column))


def words_of(checker: "Checker", pixels: int, channels: int, bits: int = 0) -> int:
    """Return the words of a run of whole pixels, however it lies in them."""
    return run_words(checker, pixels * channels, channels, bits)


def run_words(checker: "Checker", elements: int, channels: int, bits: int = 0) -> int:
    """Return the words of a run that begins at a multiple of what channels and words share."""
    word = int(checker.arch["scratchpad"]["bus_bits"] // (bits or checker.arch["activation_bits"]))
    return max(1, -(-(elements - math.gcd(channels, word)) // word) + 1)


def reads_of(checker: "Checker", layer: dict[str, Any]) -> dict[int, int]:
    """Return the reads of a block in each macro; a read serves all crossbars of its unit."""
    copies, merge = layer["mapping"]["copies"], layer["place"]["merge_macro"]
    kernel = layer["window"]["kernel"]
    along = layer["columns"]["kernel"] if layer["columns"] else kernel
    if layer["kind"] == "eltwise":
        count = len(layer["providers"])
        return {merge: count * words_of(checker, copies, layer["output"]["channels"])}
    if layer["kind"] == "pool":
        runs = [run_words(checker, along * share, share) for share in shares_of(checker, layer)]
        return {merge: copies * kernel * sum(runs)}
    return {part.macro: unit_reads(checker, layer, part) for part in checker.parts(layer)}


def shares_of(checker: "Checker", layer: dict[str, Any]) -> list[int]:
    """Return the channels that each provider of a layer adds to what it reads."""
    read = [checker.arch["layers"][place] for place in layer["providers"]]
    if layer["kind"] == "fc" and len({each["output"]["side"] for each in read}) > 1:
        return [each["output"]["side"] ** 2 * each["output"]["channels"] for each in read]
    return [each["output"]["channels"] for each in read] or [layer["input"]["channels"]]


def unit_reads(checker: "Checker", layer: dict[str, Any], part: "Part") -> int:
    """Return the reads of the row tiles of a macro, counted row of weights by row of weights.

    Of a kernel row that a tile cuts, each provider's elements are one run in its ring.
    """
    side, shares = checker.arch["point"]["side"], shares_of(checker, layer)
    kernel = layer["window"]["kernel"]
    along = layer["columns"]["kernel"] if layer["columns"] else kernel
    row = along * layer["input"]["channels"]
    owners = [place for place, share in enumerate(shares) for _ in range(share)]
    inside = [each for share in shares for each in range(share)]
    total = kernel * row // layer["window"]["groups"]
    reads = 0
    for tile in part.tiles:
        runs: dict[tuple[int, int], list[int]] = defaultdict(list)
        for element in range(tile * side, min(total, (tile + 1) * side)):
            pixel, channel = divmod(element % row, len(owners))
            place = owners[channel]
            runs[element // row, place].append(pixel * shares[place] + inside[channel])
        for (_, place), run in runs.items():
            reads += run_words(checker, len(run), math.gcd(shares[place], run[0]))
    return reads * len(part.copies)
