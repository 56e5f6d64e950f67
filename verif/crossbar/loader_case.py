"""The loader under test: small layers from a seed, each with what one macro holds of it."""

import random
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from hwgen.chip.widths import bits_for_index
from hwgen.crossbar.facts.arch_fabric import Held, Region
from hwgen.crossbar.facts.chip import Chip, ChipLayer
from hwgen.crossbar.facts.holdings import most_macros
from hwgen.crossbar.facts.layout import first_needed, last_needed
from hwgen.crossbar.facts.network import Columns
from hwgen.crossbar.facts.rules import STRICT
from verif.common.packing import pack
from verif.crossbar.macro_schedule import case_of
from verif.crossbar.small_parts import Sizes

IMAGES = 3
DRAWS = 4000
"""Layers that are drawn at most until one fits; of the first half only windows of several tiles."""


@dataclass(frozen=True, kw_only=True)
class LoaderCase:
    """A layer and what a macro holds of it; the ring may be shorter than two maps."""

    chip: Chip
    held: Held
    region: Region

    @property
    def layer(self) -> ChipLayer:
        """The layer."""
        return self.chip.layers[0]

    @property
    def image_elements(self) -> int:
        """Elements of an image that windows reach."""
        return last_needed(self.layer.layer, STRICT)[-1] * self.layer.layer.in_channels

    @cached_property
    def spans(self) -> list[tuple[int, int]]:
        """First element of an image that each block needs or a later one does; behind its last."""
        layer, copies, found = self.layer.layer, self.layer.copies, []
        firsts, lasts = first_needed(layer), last_needed(layer, STRICT)
        for block in range(self.layer.blocks):
            first = firsts[min(layer.pixels - 1, block * copies)] - 1
            last = lasts[min(layer.pixels, (block + 1) * copies) - 1]
            found.append((first * layer.in_channels, last * layer.in_channels))
        return found

    @property
    def tiles(self) -> list[tuple[int, int]]:
        """Section and row tile of each unit of a copy."""
        if self.layer.cut is None:
            return [(0, 0)]
        sections = range(self.layer.cut.sections)
        return [(section, tile) for section in sections for tile in range(*self.held.row_tiles)]


def layer_facts(rng: random.Random, sizes: Sizes, *, kind: str) -> dict[str, Any]:
    """Return a random layer with its copies, as `case_of` takes it."""
    fields: dict[str, Any] = {"name": "one", "kind": kind, "activation": "none"}
    columns: dict[str, Any] = {}
    for own in (fields, columns):
        side, kernel = rng.randint(1, 7), rng.randint(1, 3)
        padding, stride = rng.randint(0, kernel // 2), rng.randint(1, 3)
        side = max(side, kernel - padding)
        out_side = (side + padding - kernel) // stride + 1 + rng.randint(0, int(padding > 0))
        own |= {"kernel": kernel, "stride": stride, "padding": padding}
        own |= {"in_side": side, "out_side": out_side}
    channels = rng.randint(1, max(12, sizes.side // 4))
    groups = rng.choice((1, channels)) if kind == "conv" else 1
    fields |= {"in_channels": channels, "groups": groups, "columns": Columns(**columns)}
    fields["out_channels"] = channels if kind == "pool" else groups * rng.randint(1, 3)
    copies = rng.randint(1, fields["out_side"] * columns["out_side"])
    facts = {"layers": [fields], "copies": [copies], "bits": sizes.bits}
    facts |= {"side": sizes.side, "cell_bits": 8, "word_bits": sizes.word * sizes.bits}
    return facts


def drawn(sizes: Sizes, seed: int) -> LoaderCase:
    """Return a layer, a macro and a ring that have room in a loader; of odd seeds in parts."""
    rng = random.Random(seed)
    for draw in range(DRAWS):
        facts = layer_facts(rng, sizes, kind=rng.choice(("conv", "conv", "pool")))
        case = case_of(facts)
        if case.layers[0].has_weights:
            most = most_macros(case.cut(0), case.copies[0])
            case = case_of(facts | {"macros": rng.choice((1, min(3, most), min(5, most)))})
        chip = case.chip
        held = rng.choice(chip.layers[0].held)
        found = LoaderCase(chip=chip, held=held, region=chip.regions[0])
        copies = held.copies[1] - held.copies[0]
        fits = copies * len(found.tiles) <= 1 << bits_for_index(sizes.units)
        if found.layer.cut is not None:
            fits &= found.layer.cut.row_tiles > 1 or not seed % 2 or draw > DRAWS // 2
        else:
            fits &= seed % 2 == 0 or draw > DRAWS // 2
            fits &= found.layer.layer.taps * found.layer.layer.in_channels <= sizes.side
        least = -(-max(behind - first for first, behind in found.spans) // sizes.word)
        if fits and least <= sizes.loader_words:
            words = rng.randint(least, min(sizes.loader_words, 3 * least))
            first = rng.randint(0, sizes.loader_words - words)
            return replace(found, region=replace(found.region, first_word=first, words=words))
    raise ValueError(f"no layer of {DRAWS} fits into {sizes}")


class Ring:
    """The ring, filled as far as a block needs; what is not needed any more is overwritten."""

    def __init__(self, maps: Any, case: LoaderCase) -> None:
        self._case = case
        self._images = [each.reshape(-1).tolist() for each in maps]
        self._elements = case.region.words * case.chip.word_elements
        self._content = [0] * self._elements
        self._filled = 0

    def fill(self, image: int, block: int) -> bool:
        """Write all that a block needs; return whether the ring has wrapped."""
        size = self._case.image_elements
        _, behind = self._case.spans[block]
        end = image * size + behind
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
