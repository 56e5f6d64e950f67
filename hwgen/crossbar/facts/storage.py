"""What a chip stores, and how much of each: for data sheets."""

from dataclasses import dataclass

from hwgen.crossbar.facts.arch import Arch, fabric_of_chip
from hwgen.crossbar.facts.chip import described
from hwgen.crossbar.facts.image_io import BANKS, answer_beats, image_beats


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Bits of one kind in the whole chip; `cells` are those of crossbars."""

    name: str
    bits: int
    meaning: str
    cells: bool = False


def storage(arch: Arch) -> list[Memory]:
    """Return what a synthesis pays for, and the buffers of the I/O node."""
    chip, fabric = described(arch), fabric_of_chip(arch, arch.name)
    crossbars = sum(one.crossbars for one in fabric.macros)
    words = sum(one.words for one in fabric.macros)
    columns = sum(held.conversions for layer in fabric.layers for held in layer.held)
    found = [
        ("cells", crossbars * arch.point.side**2 * chip.planes, "of all crossbars"),
        ("scratchpads", words * arch.scratchpad.bus_bits, "words that rings take"),
        ("accumulators", 2 * columns * chip.column_accumulator_bits, "two banks of each column"),
        ("images", BANKS * image_beats(chip) * chip.flit_bits, "in the I/O node"),
        ("answers", BANKS * answer_beats(chip) * chip.flit_bits, "in the I/O node"),
    ]
    return [
        Memory(name=name, bits=bits, meaning=meaning, cells=name == "cells")
        for name, bits, meaning in found
    ]
