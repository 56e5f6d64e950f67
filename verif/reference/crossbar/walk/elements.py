"""From sums to rings: activation, results of two blocks, gathers, stores, sends.

Tests: `tests/verif/reference/crossbar/test_walk.py`.
"""

from dataclasses import dataclass

import numpy as np

from hwgen.crossbar.facts.arch_fabric import Held, Travel
from hwgen.crossbar.facts.chip import ChipLayer
from verif.reference.crossbar.walk.context import Stage, two_behind
from verif.reference.crossbar.walk.hazards import NEVER, Ints, Where
from verif.reference.crossbar.walk.sums import Sums
from verif.reference.crossbar.walk.traffic import Packet, Storing, Traffic


@dataclass(frozen=True)
class Words:
    """The words of the results of a layer in a macro, as they will lie: shape (blocks, words).

    begun, written: when the first and the last element of each is there; -NEVER: it has none
    """

    begun: Ints
    written: Ints


def activate(stage: Stage, layer: ChipLayer, held: Held, sums: Sums) -> Words:
    """Walk the activation of a layer in a macro; return the words of its own copies."""
    place, rates, chip = layer.place, stage.rates, stage.chip
    each, word, blocks = stage.each(place), chip.word_elements, stage.blocks(place)
    name = next(one.name for one in layer.operations if one.name in ("activation", "relu"))
    lanes = min(rates.unit * held.activation, word // each)
    go, where = stage.go(place, name), stage.where(place, name, held.macro)
    channels = layer.layer.out_channels
    count = stage.copies(layer, held) * channels
    targets = np.arange((held.copies[1] - held.copies[0]) * channels)
    chunk = targets // lanes
    read = go[:, np.newaxis] + rates.activated + chunk
    there = targets < count[:, np.newaxis]
    block = np.broadcast_to(blocks[:, np.newaxis], read.shape)
    gone = np.where(there, two_behind(sums.begun), NEVER)
    ready = np.where(there, sums.written, -NEVER)
    stage.found.expect(where, block, read, ready, gone, lambda at: f"sum {at % len(targets)}")
    final = go + rates.activated + np.maximum(0, -(-count // lanes) - 1)
    stage.found.through(where, go, final, "the activation before")
    merges = held.macro == layer.merge_macro
    lead = held.copies[0] * channels * each if merges else 0
    begin = (begins(stage, layer) if merges else np.zeros(len(blocks), np.int64)) + lead
    return pack(
        stage,
        begin,
        count * each,
        first=read[:, :1],
        chunk=lanes * each,
        latency=rates.activation,
    )


def begins(stage: Stage, layer: ChipLayer) -> Ints:
    """Return where in a word each block of a layer begins."""
    size = stage.pixels(layer.place) * layer.layer.out_channels * stage.each(layer.place)
    return (np.cumsum(size) - size) % stage.chip.word_elements


def most_words(stage: Stage, layer: ChipLayer) -> int:
    """Return the words of a block that begins anywhere in its first one."""
    size = layer.copies * layer.layer.out_channels * stage.each(layer.place)
    return (size + stage.chip.word_elements - 2) // stage.chip.word_elements + 1


def pack(stage: Stage, begin: Ints, count: Ints, *, first: Ints, chunk: int, latency: int) -> Words:
    """Return the words of parts of blocks that come chunk by chunk, a chunk a clock.

    begin: place of the first element in the words of the block; count: elements, 0: nothing comes
    first: clock of the first chunk, shape (blocks, 1); latency: from a chunk to its word
    """
    word = stage.chip.word_elements
    words = int((begin + count).max()) // word + 1
    number = np.arange(words)
    behind = (begin + count)[:, np.newaxis]
    end = np.minimum((number + 1) * word, behind)
    low = np.maximum(number * word, begin[:, np.newaxis])
    here = end > low
    # The chunk that fills the word or ends the part; of two words in one chunk the later one waits.
    filled = (end - begin[:, np.newaxis] - 1) // chunk
    before = (low - begin[:, np.newaxis] - 1) // chunk
    waits = (end == behind) & (low > begin[:, np.newaxis]) & (before == filled)
    clock = first + latency + filled + np.where(waits, stage.rates.spill, 0)
    return Words(np.where(here, clock, NEVER), np.where(here, clock, -NEVER))


def together(parts: list[Words]) -> Words:
    """Return the words of parts that lie in the same ones."""
    most = max(one.written.shape[1] for one in parts)
    wide = [(0, 0), (0, 0)]
    begun, written = [], []
    for one in parts:
        wide[1] = (0, most - one.written.shape[1])
        begun.append(np.pad(one.begun, wide, constant_values=NEVER))
        written.append(np.pad(one.written, wide, constant_values=-NEVER))
    return Words(np.minimum.reduce(begun), np.maximum.reduce(written))


def gather(stage: Stage, traffic: Traffic, layer: ChipLayer, own: dict[int, Words]) -> list[Words]:
    """Walk results on their way to the merge macro; return their words there."""
    chip, rates, place = stage.chip, stage.rates, layer.place
    macros = {one.node: one.macro for one in chip.macros}
    each, channels = stage.each(place), layer.layer.out_channels
    go, found, coming = stage.go(place, "gather"), [], []
    at = begins(stage, layer)
    for travel in chip.travels_of(place, "gather"):
        macro = macros[travel.source]
        held = next(one for one in layer.held if one.macro == macro)
        count = stage.copies(layer, held) * channels * each
        flits = stage.flits(count)
        header = go + travel.first_clock + rates.gather_wait
        where = stage.where(place, "gather", macro)
        check_gathered(stage, where, own[macro], header, count)
        stage.found.through(where, go, header - 1 + flits + 1, "the gather before")
        sent = [
            Packet(travel, block, int(clock), int(flits[block]))
            for block, clock in enumerate(header)
            if count[block]
        ]
        traffic.packets += sent
        hops = stage.hops(travel.tree, travel.source)[travel.targets[0]]
        there = header + rates.hop * (1 + hops)
        begin = at + held.copies[0] * channels * each
        first = (there + rates.flit)[:, np.newaxis]
        words = pack(
            stage,
            begin,
            count,
            first=first,
            chunk=chip.flit_elements,
            latency=rates.gathered,
        )
        found.append(words)
        coming.append((travel, there, flits, begin, count, words))
    check_gaps(stage, layer, go, coming)
    return found


def check_gathered(stage: Stage, where: Where, words: Words, header: Ints, count: Ints) -> None:
    """See that a macro has the words that it sends."""
    chip = stage.chip
    parts = chip.word_elements // chip.flit_elements
    number = np.arange(words.written.shape[1])
    begin = header[:, np.newaxis] + stage.rates.flit - 1 + number * parts
    flits = stage.flits(count)[:, np.newaxis]
    end = header[:, np.newaxis] + stage.rates.flit - 1 + np.minimum((number + 1) * parts, flits) - 1
    block = np.broadcast_to(np.arange(len(header))[:, np.newaxis], begin.shape)
    here = words.written > -NEVER
    gone = np.where(here, two_behind(words.begun), NEVER)
    never = np.full_like(gone, NEVER)
    what = "a word of its results"
    stage.found.expect(where, block, begin, words.written, never, what)
    stage.found.expect(where, block, end, np.full_like(gone, -1), gone, what)


def check_gaps(
    stage: Stage,
    layer: ChipLayer,
    go: Ints,
    coming: list[tuple[Travel, Ints, Ints, Ints, Ints, Words]],
) -> None:
    """See that behind a packet that ends in another word so many clocks are free as that takes."""
    word, chunk = stage.chip.word_elements, stage.chip.flit_elements
    where = stage.where(layer.place, "gather", layer.merge_macro)
    block = stage.blocks(layer.place)
    headers = np.array([there for _, there, *_ in coming])
    counts = np.array([count for *_, count, _ in coming])
    for number, (_, there, flits, begin, count, words) in enumerate(coming):
        last = there + flits
        final = count - (flits - 1) * chunk
        place = (begin + count - final) % word
        spills = (count > 0) & (place + final > word)
        apart = headers - last
        meets = (apart > 0) & (apart <= stage.rates.gather_gap) & (counts > 0)
        meets[number] = False
        wrong = spills & meets.any(axis=0)
        what = f"the last word of part {number}, behind which the next packet comes at once,"
        stage.found.note(where, block, last, wrong, what, "has no room")
        stage.found.through(where, go, words.written.max(axis=1), "the gather before")


def store(stage: Stage, storing: Storing, words: Words) -> None:
    """Walk the stores of a layer: words of results go into its ring."""
    layer, reads, grants = storing.layer, storing.reads, storing.grants
    where = stage.where(layer.place, "store", layer.merge_macro)
    first = np.cumsum(reads.count) - reads.count
    number = np.arange(len(reads.block)) - first[reads.block]
    gone = two_behind(words.begun)[reads.block, number]
    ready = words.written[reads.block, number]
    what = lambda at: f"word {number[at]} of its results"  # noqa: E731
    stage.found.expect(where, reads.block, grants, ready, gone, what)
    last = np.array(storing.user.last, np.int64)
    stage.found.through(where, storing.go, last, "the store before")


def send(stage: Stage, traffic: Traffic, storing: Storing) -> None:
    """Walk the sends of a layer: blocks of its ring are read back, and leave."""
    layer, reads, grants = storing.layer, storing.reads, storing.grants
    name = layer.operations[-1].name
    where = stage.where(layer.place, name, layer.merge_macro)
    region = stage.output_of(layer.merge_macro, layer.place)
    ring = traffic.ring(region)
    size = layer.layer.out_channels * stage.each(layer.place)
    ready, gone = ring.written(reads.last), ring.written(reads.first + ring.size)
    what = lambda at: f"pixel {reads.first[at] // size % layer.layer.pixels} of its map"  # noqa: E731
    stage.found.expect(where, reads.block, grants, ready, gone, what)
    leaves = storing.go.copy()
    for one in traffic.packets:
        if (one.travel.owner, one.travel.operation) == (layer.place, name):
            leaves[one.block] = one.header + one.flits
    stage.found.through(where, storing.go, leaves, "the send before")
