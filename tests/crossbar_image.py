"""The image on its way into the rings of its readers.

A part of `tests/crossbar_checker.py`. A transfer brings the pixels up to the last one that a block
needs. A pixel leaves the ring when a block that needs no pixel up to it begins to load.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.crossbar_checker import Checker


def check_image(checker: "Checker") -> list[str]:
    """Return complaints about pixels that nobody brings, or that have no room."""
    found = []
    for place, layer in enumerate(checker.arch["layers"]):
        if layer["providers"]:
            continue
        own = checker.operations[place]
        travels = [each for each in checker.fabric["travels"] if each["readers"] == [place]]
        brought = [each for each in travels if each["kind"] == "image"]
        rings = rings_of(checker, place)
        if "transfer" not in own or len(brought) != 1 or len(rings) != layer["place"]["macros"]:
            found.append(f"image: layer {place} reads what nobody brings, or keeps it nowhere")
            continue
        found += [f"image: layer {place}, {each}" for each in walk(layer, own, brought[0], rings)]
    return found


def rings_of(checker: "Checker", place: int) -> list[int]:
    """Return the elements of the rings of a layer's inputs, by macro."""
    word = checker.arch["scratchpad"]["bus_bits"] // checker.arch["activation_bits"]
    return [
        region["words"] * word
        for region in checker.fabric["regions"]
        if region["layer"] == place and region["kind"] == "input"
    ]


def walk(
    layer: dict[str, Any], own: dict[str, Any], travel: dict[str, Any], rings: list[int]
) -> list[str]:
    """Follow the pixels of one image through the rings of its reader, block by block."""
    found, there = [], 0
    loads = own["load"].starts
    windows = windows_of(layer)
    for block, start in enumerate(own["transfer"].starts):
        last = windows[block][1]
        if last - there > travel["pixels"]:
            found.append(f"block {block} needs {last - there} new pixels")
        there = max(there, last)
        begun = [k for k, step in enumerate(loads) if step <= start]
        oldest = windows[begun[-1]][0] if begun else 1
        if (there - oldest + 1) * travel["channels"] > min(rings):
            found.append(f"block {block} has no room for its pixels")
    return found


def windows_of(layer: dict[str, Any]) -> list[tuple[int, int]]:
    """Return the first pixel (from 1) that each block or a later one needs, and the last so far."""
    if layer["kind"] == "fc":
        return [(1, 1)]
    rows, columns = (axis_of(layer, axis) for axis in ("rows", "columns"))
    wide = layer["input"]["side"] if layer["columns"] is None else layer["columns"]["in_side"]
    pixels = [
        ((row[0] - 1) * wide + column[0], (row[1] - 1) * wide + column[1])
        for row in rows
        for column in columns
    ]
    copies = layer["mapping"]["copies"]
    starts = range(0, len(pixels), copies)
    return [
        (
            min(first for first, _ in pixels[start:]),
            max(last for _, last in pixels[: start + copies]),
        )
        for start in starts
    ]


def axis_of(layer: dict[str, Any], axis: str) -> list[tuple[int, int]]:
    """Return the first and the last input row or column (from 1) of each output's window."""
    own, across = layer["window"], axis == "columns"
    sides = layer["input"]["side"], layer["output"]["side"]
    if across and layer["columns"] is not None:
        own = layer["columns"]
        sides = own["in_side"], own["out_side"]
    span = (own["kernel"] - 1) * layer["dilation"][across] + 1
    found = []
    for place in range(sides[1]):
        begin = place * own["stride"] - own["padding"]
        found.append((max(1, begin + 1), max(1, min(sides[0], begin + span))))
    return found
