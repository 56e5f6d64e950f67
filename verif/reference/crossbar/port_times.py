"""What the one port of each scratchpad makes of loads, stores and sends, in accesses.

What arrives comes first, then all others, the shortest first; each begins once in a period.
Gathered results wait in registers, not in the scratchpad. Of a provider two blocks may arrive in a
period, and more if it makes several blocks in the time of that period: a crowd.

Tests: `tests/verif/reference/crossbar/test_durations.py`.
"""

import math
from dataclasses import astuple, dataclass

from hwgen.crossbar.facts.chip_plan import ChipPlan
from hwgen.crossbar.facts.layout import most_arriving
from hwgen.crossbar.facts.ports import (
    elements_in_a_word,
    shares_of,
    tile_reads,
    window_reads,
    words_of_run,
)


@dataclass
class PortTimes:
    """Accesses until an operation of a layer is through, in its slowest macro; 0: it has none.

    load, store, send: with all that may come before; a result takes as long as a send
    transfer: until what is new of the image is written
    load_period, store_period: between the starts of two blocks; a send has that of its store
    """

    load: int = 0
    store: int = 0
    send: int = 0
    transfer: int = 0
    load_period: int = 0
    store_period: int = 0

    @property
    def period(self) -> int:
        """Accesses between two blocks of a layer, at least."""
        return max(self.load_period, self.store_period)

    def behind(self, crowd: int) -> "PortTimes":
        """Return the times behind a crowd of words that arrive."""
        return PortTimes(*(each + crowd if each else 0 for each in astuple(self)))


def words_of(chip: ChipPlan, place: int, copies: int) -> int:
    """Return the words of the results of some copies, however they lie in them."""
    channels = chip.network.layers[place].out_channels
    word = elements_in_a_word(chip.bus_bits, chip.output_bits(place))
    return words_of_run(copies * channels, channels, word)


def reads_of(chip: ChipPlan, place: int) -> list[int]:
    """Return the reads of each macro of a layer for a block."""
    layer, placed = chip.network.layers[place], chip.plan.layers[place]
    word = elements_in_a_word(chip.bus_bits, chip.activation_bits)
    shares = shares_of(chip.network, place)
    if layer.kind == "pool":
        return [placed.copies * window_reads(layer, word, shares)]
    if layer.kind == "eltwise":
        read = [(p, chip.network.layers[p].pixels) for p in layer.providers]
        return [sum(words_of(chip, p, 1 if pixels == 1 else placed.copies) for p, pixels in read)]
    tiles = tile_reads(layer, chip.cut(place), word, shares)
    return [
        len(one.copies) * sum(tiles[tile] for tile in one.row_tiles) for one in chip.holdings(place)
    ]


def all_reads(chip: ChipPlan, place: int) -> int:
    """Return the reads of all macros of a layer for a block."""
    return sum(reads_of(chip, place))


def is_sent(chip: ChipPlan, place: int) -> bool:
    """Return whether blocks of a layer are read back to leave its merge macro."""
    here = {chip.plan.layers[place].merge_macro}
    return not chip.readers(place) or bool(chip.reader_macros(place) - here)


def image_words(chip: ChipPlan, place: int) -> int:
    """Return the words of what is new of the image for a block of a layer; 0: it reads none."""
    layer = chip.network.layers[place]
    if layer.providers:
        return 0
    word = elements_in_a_word(chip.bus_bits, chip.activation_bits)
    run = most_arriving(layer, chip.plan.layers[place].copies) * layer.in_channels
    return words_of_run(run, layer.in_channels, word)


def received(chip: ChipPlan, place: int) -> int:
    """Return the words that arrive for a block of a layer in each of its macros."""
    words = image_words(chip, place)
    for provider in chip.network.layers[place].providers:
        if chip.is_remote(provider, place):
            words += words_of(chip, provider, chip.plan.layers[provider].copies)
    return words


def port_times(chip: ChipPlan) -> list[PortTimes]:
    """Return the times of each layer."""
    places = range(len(chip.plan.layers))
    found = [PortTimes() for _ in places]
    reads = [max(reads_of(chip, place)) for place in places]
    words = [words_of(chip, place, chip.plan.layers[place].copies) for place in places]
    come = [received(chip, place) for place in places]
    sent = [is_sent(chip, place) for place in places]
    for macro in range(chip.plan.macros):
        inside = [place for place in places if macro in chip.plan.layers[place].macros]
        stored = [place for place in places if macro == chip.plan.layers[place].merge_macro]
        first = 1 + 2 * sum(come[place] for place in inside)
        asked = [reads[place] for place in inside]
        asked += [words[place] for place in stored for _ in range(1 + sent[place])]
        period = first + sum(asked)
        for place in inside:
            own = found[place]
            own.load = max(own.load, turn(first, asked, reads[place]))
            own.load_period = max(own.load_period, period)
            own.transfer = max(own.transfer, first if image_words(chip, place) else 0)
        for place in stored:
            own = found[place]
            own.store = own.send = turn(first, asked, words[place])
            own.store_period = period
    crowds = [crowd(chip, found, place) for place in places]
    return [own.behind(words) for own, words in zip(found, crowds, strict=True)]


def crowd(chip: ChipPlan, times: list[PortTimes], place: int) -> int:
    """Return the words that arrive in the macros of a layer beyond two blocks of each provider.

    times: without crowds. As more arrives the period is longer, until no further block may begin.
    """
    macros = set(chip.plan.layers[place].macros)
    arriving = [
        (words_of(chip, provider, chip.plan.layers[provider].copies), provider)
        for reader, layer in enumerate(chip.network.layers)
        for provider in layer.providers
        if macros & set(chip.plan.layers[reader].macros) and chip.is_remote(provider, reader)
    ]
    more, before = 0, -1
    while more > before:
        steps = steps_of(chip, times[place].period + more)
        begun = most_begun(chip, times, steps)
        before, more = more, sum(words * max(0, begun[one] - 2) for words, one in arriving)
    return more


def most_begun(chip: ChipPlan, times: list[PortTimes], steps: int) -> list[int]:
    """Return how many blocks of each layer may begin in some steps; times: without crowds.

    A layer without weights begins none before its providers have made what it reads.
    """
    found: list[int] = []
    for place, (layer, placed) in enumerate(
        zip(chip.network.layers, chip.plan.layers, strict=True)
    ):
        least = steps_of(chip, times[place].period)
        if layer.has_weights:
            least = max(least, chip.bit_steps * chip.clocks_per_bit[place])
        most = min(placed.blocks, 1 + -(-steps // least))
        if not layer.has_weights:
            made = [
                found[one] * -(-chip.plan.layers[one].copies // placed.copies)
                for one in layer.providers
            ]
            most = min([most, *made])
        found.append(most)
    return found


def steps_of(chip: ChipPlan, accesses: int) -> int:
    """Return the steps that some accesses take."""
    return math.ceil(accesses * chip.access_ns / chip.step_ns)


def turn(first: int, asked: list[int], most: int) -> int:
    """Return the accesses up to the last one of an operation that has `most`."""
    return first + sum(each for each in asked if each <= most)
