"""The loader under test: a strided convolution on three macros, of which it serves the last one."""

from dataclasses import replace
from typing import Any

from hwgen.crossbar.facts.arch_fabric import Held, Region
from hwgen.crossbar.facts.holdings import Cut
from hwgen.crossbar.facts.layout import first_needed, last_needed
from hwgen.crossbar.facts.rules import STRICT
from hwgen.crossbar.rtl.loader import Loader
from verif.common.packing import pack
from verif.crossbar.macro_case import MacroCase
from verif.crossbar.macro_schedule import case_of

IMAGES = 3
LAYER = {"name": "conv", "kind": "conv", "kernel": 3, "stride": 2, "padding": 1, "groups": 1}
LAYER |= {"in_channels": 5, "out_channels": 3, "in_side": 7, "out_side": 4}


class LoaderCase:
    """A macro case, and what its last macro holds; the ring is shorter than two maps."""

    def __init__(self) -> None:
        case: MacroCase = case_of(
            {
                "layers": [LAYER | {"activation": "none"}],
                "copies": [5],
                "macros": 3,
            }
        )
        self.chip = case.chip
        self.cut: Cut = case.cut(0)
        self.held: Held = self.chip.layers[0].held[-1]
        self.channels = case.layers[0].in_channels
        region = next(one for one in self.chip.regions if one.kind == "input")
        self.region: Region = replace(region, first_word=3, words=16)

    def loader(self) -> Loader:
        """Return the component."""
        words = self.region.first_word + self.region.words
        return Loader(chip=self.chip, words=words, units=self.held.units, side=self.chip.side)


CASE = LoaderCase()


class Ring:
    """The ring, filled as far as a block needs; what is not needed any more is overwritten."""

    def __init__(self, maps: Any, case: LoaderCase) -> None:
        self._case, self._images = case, [each.reshape(-1).tolist() for each in maps]
        self._elements = case.region.words * case.chip.word_elements
        self._content = [0] * self._elements
        self._filled = 0

    def fill(self, image: int, block: int) -> bool:
        """Write all that a block needs; return whether the ring has wrapped."""
        layer, copies = self._case.chip.layers[0].layer, self._case.chip.layers[0].copies
        last = last_needed(layer, STRICT)[min(layer.pixels, (block + 1) * copies) - 1]
        size = len(self._images[0])
        end = image * size + last * self._case.channels
        first = first_needed(layer)[min(layer.pixels - 1, block * copies)] - 1
        begin = image * size + first * self._case.channels
        assert end - begin <= self._elements, "the ring is too short for a block"
        while self._filled < end:
            value = self._images[self._filled // size][self._filled % size]
            self._content[self._filled % self._elements] = value
            self._filled += 1
        return end > self._elements

    def word(self, index: int) -> int:
        """Return a word of the scratchpad."""
        count = self._case.chip.word_elements
        place = (index - self._case.region.first_word) * count
        assert 0 <= place < self._elements, f"word {index} is not of the ring"
        bits = self._case.chip.activation_bits
        return pack(self._content[place : place + count], bits=bits)
