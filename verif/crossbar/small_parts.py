"""Parts of a macro side by side, so that their benches share one executable."""

from dataclasses import replace
from typing import Any

from hwgen.chip.rtl.part import Part
from hwgen.crossbar.facts.chip import Chip
from hwgen.crossbar.rtl.chain import Chain
from hwgen.crossbar.rtl.gather import Gatherer
from hwgen.crossbar.rtl.links import Receiver
from hwgen.crossbar.rtl.pad import Packer, Pad
from hwgen.crossbar.rtl.requantizer import Requantizer
from hwgen.crossbar.rtl.result_collector import ResultCollector
from verif.common.side_by_side import SideBySide, stem
from verif.crossbar.macro_case import MacroCase
from verif.crossbar.macro_schedule import case_of

CHUNK, WORD, BITS = 6, 16, 8
"""Of the packer: elements of a chunk and of a word, bits of an element."""
WORDS, WRITERS, READERS, ACCESS = 12, 2, 2, 2
"""Of the scratchpad."""
CHANNELS, COPIES, LANES, SUM_BITS, WIDE_BITS = 5, 3, 4, 32, 48
"""Of the requantizer; chains have as many channels, with sums of either width."""


def case() -> MacroCase:
    """Return a chip with the flits of the bench."""
    layer = {"name": "one", "kind": "conv", "kernel": 1, "stride": 1, "padding": 0}
    layer |= {"in_channels": 1, "out_channels": 1, "groups": 1, "in_side": 1, "out_side": 1}
    return case_of({"layers": [layer | {"activation": "none"}], "copies": [1]})


PARTS: dict[str, Part] = {
    "packer": Packer(chunk=CHUNK, word=WORD, bits=BITS),
    "pad": Pad(
        words=WORDS,
        elements=WORD,
        bits=BITS,
        writers=WRITERS,
        readers=READERS,
        access_clocks=ACCESS,
    ),
    "requantizer": Requantizer(
        channels=CHANNELS, copies=COPIES, lanes=LANES, sum_bits=SUM_BITS, bits=BITS, raw=False
    ),
}
RING_WORDS, RINGS = 40, ((2, 6), (9, 20))
"""Of the receiver: words of the scratchpad; first and last word of each ring."""
PARTS["receiver"] = Receiver(chip=case().chip, words=RING_WORDS, rings=len(RINGS))

CHAIN: dict[str, dict[str, Any]] = {
    "first": {"receives": False, "reads": 0},
    "middle": {"receives": True, "reads": 0},
    "last": {"receives": True, "reads": 1},
}
for name, facts in CHAIN.items():
    for bits in (SUM_BITS, WIDE_BITS):
        PARTS[f"{name} {bits}"] = Chain(chip=case().chip, channels=CHANNELS, sum_bits=bits, **facts)


GATHERED, GATHERED_LAST = (7, 15, 9, 2), (7, 0, 4, 0)
"""Of the gather: elements of a block that each macro has, the merge macro last; of a last block."""
PARTS["gather"] = Gatherer(chip=case().chip, elements=sum(GATHERED), sources=len(GATHERED) - 1)


def collected() -> Chip:
    """Return a chip with three results: of one pixel, of several blocks, and of raw sums."""
    layer = {"kind": "conv", "kernel": 1, "stride": 1, "padding": 0, "activation": "none"}
    layer |= {"in_channels": 1, "groups": 1}
    sizes = [(1, 3, 1), (5, 2, 4), (3, 7, 2)]
    layers = [
        layer | {"name": f"r{k}", "out_channels": channels, "in_side": side, "out_side": side}
        for k, (side, channels, _) in enumerate(sizes)
    ]
    chip = case_of({"layers": layers, "copies": [copies for *_, copies in sizes]}).chip
    travels = tuple(
        replace(
            chip.travels[-1], id=place, layer=place, channels=channels, pixels=copies, bits=bits
        )
        for place, ((_, channels, copies), bits) in enumerate(zip(sizes, (8, 8, 32), strict=True))
    )
    return replace(chip, travels=travels)


PARTS["result_collector"] = ResultCollector(chip=collected())


def small_parts() -> SideBySide:
    """Return all parts."""
    return SideBySide(parts=list(PARTS.values()))


def ports_of(dut: Any, name: str) -> dict[str, Any]:
    """Return the ports of a part."""
    part = PARTS[name]
    return {port: getattr(dut, f"{stem(part)}__{port}") for port in part.signature.members}
