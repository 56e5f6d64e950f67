"""Parts of a macro side by side, so that their benches share one executable."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from hwgen.chip.rtl.part import Part
from hwgen.crossbar.facts.chip import Chip
from hwgen.crossbar.rtl.block_reader import BlockReader
from hwgen.crossbar.rtl.chain import Chain
from hwgen.crossbar.rtl.counters import WindowCounter
from hwgen.crossbar.rtl.gather import Gatherer
from hwgen.crossbar.rtl.links import Receiver
from hwgen.crossbar.rtl.loader import Loader
from hwgen.crossbar.rtl.pad import Packer, Pad
from hwgen.crossbar.rtl.requantizer import Requantizer
from hwgen.crossbar.rtl.result_collector import ResultCollector
from verif.common.side_by_side import SideBySide, stem
from verif.crossbar.macro_schedule import case_of

SETTINGS = "CROSSBAR_PARTS"
"""Environment variable: sizes that differ from those below, as JSON."""


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Sizes of all parts.

    chunk: elements that the packer takes at a time; word: elements of a word, of `bits` each
    flit_bits: of links
    words, writers, readers, access: of the scratchpad, the last one clocks of an access
    channels, copies, lanes: of the requantizer; chains have as many channels
    sums: bits of sums of chains; the first ones are also those of the requantizer
    ring_words, rings: of the receiver, words of the scratchpad; first and last word of each ring
    gathered, gathered_last: of the gather, elements of a block that each macro has, the merge
        macro last; of a last block
    results: of the collector, side of the map, channels, pixels of a block, bits
    block_words, block: of the block reader, words of the scratchpad, elements of the longest block
    loader_words, units, side: of the loader, words of the scratchpad; units, and rows of one
    window: bits of positions of the window counter
    raw: whether elements of the requantizer are its sums
    """

    chunk: int = 6
    word: int = 16
    bits: int = 8
    flit_bits: int = 64
    words: int = 12
    writers: int = 2
    readers: int = 2
    access: int = 2
    channels: int = 5
    copies: int = 3
    lanes: int = 4
    sums: Sequence[int] = (32, 48)
    ring_words: int = 40
    rings: Sequence[Sequence[int]] = ((2, 6), (9, 20))
    gathered: Sequence[int] = (7, 15, 9, 2)
    gathered_last: Sequence[int] = (7, 0, 4, 0)
    block_words: int = 9
    block: int = 70
    loader_words: int = 19
    units: int = 8
    side: int = 16
    window: int = 9
    raw: bool = False
    results: Sequence[Sequence[int]] = ((1, 3, 1, 8), (5, 2, 4, 8), (3, 7, 2, 32))


def settings(**sizes: Any) -> dict[str, str]:
    """Return the environment that gives a bench sizes, named as in `Sizes`."""
    return {SETTINGS: json.dumps(sizes)}


SIZES = Sizes(**json.loads(os.environ.get(SETTINGS, "{}")))
CHAIN: dict[str, dict[str, Any]] = {
    "first": {"receives": False, "reads": 0},
    "middle": {"receives": True, "reads": 0},
    "last": {"receives": True, "reads": 1},
}


def case(sizes: Sizes = SIZES) -> Chip:
    """Return a chip with the words and flits of the parts."""
    layer = {"name": "one", "kind": "conv", "kernel": 1, "stride": 1, "padding": 0}
    layer |= {"in_channels": 1, "out_channels": 1, "groups": 1, "in_side": 1, "out_side": 1}
    layers = [layer | {"activation": "none"}]
    facts = {"layers": layers, "copies": [1], "bits": sizes.bits}
    chip = case_of(facts | {"word_bits": sizes.word * sizes.bits}).chip
    return replace(chip, flit_bits=sizes.flit_bits)


def collected(sizes: Sizes = SIZES) -> Chip:
    """Return a chip with these results."""
    layer = {"kind": "conv", "kernel": 1, "stride": 1, "padding": 0, "activation": "none"}
    layer |= {"in_channels": 1, "groups": 1}
    layers = [
        layer | {"name": f"r{k}", "out_channels": channels, "in_side": side, "out_side": side}
        for k, (side, channels, *_) in enumerate(sizes.results)
    ]
    chip = case_of({"layers": layers, "copies": [copies for *_, copies, _ in sizes.results]}).chip
    travels = tuple(
        replace(
            chip.travels[-1], id=place, layer=place, channels=channels, pixels=copies, bits=bits
        )
        for place, (_, channels, copies, bits) in enumerate(sizes.results)
    )
    return replace(chip, travels=travels, flit_bits=sizes.flit_bits)


def parts_of(sizes: Sizes) -> dict[str, Part]:
    """Return all parts by name; those of chains have the bits of their sums behind it."""
    chip, bits = case(sizes), sizes.bits
    found: dict[str, Part] = {
        "packer": Packer(chunk=sizes.chunk, word=sizes.word, bits=bits),
        "pad": Pad(
            words=sizes.words,
            elements=sizes.word,
            bits=bits,
            writers=sizes.writers,
            readers=sizes.readers,
            access_clocks=sizes.access,
        ),
        "requantizer": Requantizer(
            channels=sizes.channels,
            copies=sizes.copies,
            lanes=sizes.lanes,
            sum_bits=sizes.sums[0],
            bits=sizes.sums[0] if sizes.raw else bits,
            raw=sizes.raw,
        ),
        "receiver": Receiver(chip=chip, words=sizes.ring_words, rings=len(sizes.rings)),
        "gather": Gatherer(
            chip=chip, elements=sum(sizes.gathered), sources=len(sizes.gathered) - 1
        ),
        "block_reader": BlockReader(chip=chip, words=sizes.block_words, elements=sizes.block),
        "loader": Loader(chip=chip, words=sizes.loader_words, units=sizes.units, side=sizes.side),
        "window_counter": WindowCounter(bits=sizes.window),
        "result_collector": ResultCollector(chip=collected(sizes)),
    }
    for name, facts in CHAIN.items():
        for own in sizes.sums:
            found[f"{name} {own}"] = Chain(
                chip=chip, channels=sizes.channels, sum_bits=own, **facts
            )
    return found


PARTS = parts_of(SIZES)


def small_parts() -> SideBySide:
    """Return all parts."""
    return SideBySide(parts=list(PARTS.values()))


def alone(bench: str, **given: Any) -> SideBySide:
    """Return the parts of one bench, of sizes that are named as in `Sizes`."""
    sizes = Sizes(**given)
    parts = parts_of(sizes)
    names = [bench] if bench in parts else list(parts)[-len(CHAIN) * len(sizes.sums) :]
    return SideBySide(parts=[parts[name] for name in names])


def ports_of(dut: Any, name: str) -> dict[str, Any]:
    """Return the ports of a part."""
    part = PARTS[name]
    return {port: getattr(dut, f"{stem(part)}__{port}") for port in part.signature.members}
