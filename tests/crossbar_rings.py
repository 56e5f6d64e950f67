"""The rings of what is read: one for each reader and provider, large enough for one image.

A part of `tests/crossbar_checker.py`. A pixel is in the ring of results from the start of its store
until it is sent, or needed no more where it is read in place; in the ring of a reader elsewhere
from the same step until a block begins to load that needs no pixel up to it.
"""

from typing import TYPE_CHECKING, Any

from tests.crossbar_image import windows_of

if TYPE_CHECKING:
    from tests.crossbar_checker import Checker


def check_rings(checker: "Checker") -> list[str]:
    """Return complaints about rings that are not there, or too small."""
    found = []
    for place, layer in enumerate(checker.arch["layers"]):
        for provider in layer["providers"]:
            if not is_in_place(checker, provider, layer):
                oldest = needed_by(checker, provider, layer, checker.operations[place])
                found += check_ring(checker, place, provider, "input", oldest)
        readers = [each for each in checker.arch["layers"] if place in each["providers"]]
        oldest = sent_from(checker, place)
        for reader in readers:
            if is_in_place(checker, place, reader):
                own = checker.operations[checker.arch["layers"].index(reader)]
                both = zip(oldest, needed_by(checker, place, reader, own), strict=True)
                oldest = [min(one, other) for one, other in both]
        found += check_ring(checker, place, place, "output", oldest)
    return found


def is_in_place(checker: "Checker", provider: int, reader: dict[str, Any]) -> bool:
    """Return whether the only macro of a reader is that in which a provider's results wait."""
    where = reader["place"]
    merge = checker.arch["layers"][provider]["place"]["merge_macro"]
    return bool(where["macros"] == 1 and where["first_macro"] == merge)


def pixels_of(layer: dict[str, Any]) -> int:
    """Return the pixels of a layer's map."""
    side = layer["output"]["side"]
    return int(side * (layer["columns"]["out_side"] if layer["columns"] else side))


def needed_by(
    checker: "Checker", provider: int, reader: dict[str, Any], own: dict[str, Any]
) -> list[int]:
    """Return the oldest pixel (from 1) of a provider that a reader needs, at each of its stores."""
    whole = pixels_of(checker.arch["layers"][provider])
    windows = windows_of(reader) if reader["kind"] != "eltwise" else one_by_one(reader)
    loads, found = own["load"].starts, []
    for now in checker.operations[provider]["store"].starts:
        begun = sum(step <= now for step in loads)
        found.append(min(whole, windows[begun - 1][0]) if begun else 1)
    return found


def one_by_one(layer: dict[str, Any]) -> list[tuple[int, int]]:
    """Return the first and the last pixel of each block of an addition."""
    pixels, copies = pixels_of(layer), layer["mapping"]["copies"]
    return [(min(pixels, k + 1), min(pixels, k + copies)) for k in range(0, pixels, copies)]


def sent_from(checker: "Checker", place: int) -> list[int]:
    """Return the oldest pixel that was not sent, at each store; a large one if none is sent."""
    own, copies = checker.operations[place], checker.arch["layers"][place]["mapping"]["copies"]
    sent = own.get("send", own.get("result"))
    starts = own["store"].starts
    if sent is None:
        return [1 << 60] * len(starts)
    ends = [sent.end(block) for block in range(len(sent.starts))]
    return [copies * sum(end <= now for end in ends) + 1 for now in starts]


def check_ring(
    checker: "Checker", place: int, provider: int, kind: str, oldest: list[int]
) -> list[str]:
    """Compare the most that waits at a store with the words of a ring in all its macros."""
    layer, source = checker.arch["layers"][place], checker.arch["layers"][provider]
    what = f"ring: {kind} of layer {place} from layer {provider}"
    where = layer["place"]
    macros = set(range(where["first_macro"], where["first_macro"] + where["macros"]))
    rings = [
        each
        for each in checker.fabric["regions"]
        if (each["kind"], each["layer"], each["provider"]) == (kind, place, provider)
    ]
    wanted = macros if kind == "input" else {where["merge_macro"]}
    if sorted(each["macro"] for each in rings) != sorted(wanted):
        return [f"{what} is not in each of its macros"]
    whole, copies = pixels_of(source), source["mapping"]["copies"]
    stored = [min(whole, (block + 1) * copies) for block in range(len(oldest))]
    most = max(have - first + 1 for have, first in zip(stored, oldest, strict=True))
    bits = source["raw_bits"] or checker.arch["activation_bits"]
    room = min(each["words"] for each in rings) * (checker.arch["scratchpad"]["bus_bits"] // bits)
    if most * source["output"]["channels"] > room:
        return [f"{what} holds {most} pixels at a time"]
    return []
