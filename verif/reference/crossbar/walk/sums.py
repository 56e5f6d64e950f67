"""From what is loaded to sums: input registers, converters, accumulators, windows, chains.

Tests: `tests/verif/reference/crossbar/test_walk.py`.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from hwgen.crossbar.facts.arch_fabric import Held
from hwgen.crossbar.facts.chip import ChipLayer
from verif.reference.crossbar.walk.context import Stage, behind, two_behind
from verif.reference.crossbar.walk.hazards import NEVER, Ints
from verif.reference.crossbar.walk.reads import Reads
from verif.reference.crossbar.walk.traffic import Loading, Packet, Traffic


@dataclass(frozen=True)
class Sums:
    """The sums of a layer in a macro: when each is begun and written, shape (blocks, targets)."""

    begun: Ints
    written: Ints


def per_block(blocks: int, block: Ints, clock: Ints, *, first: bool) -> Ints:
    """Return the first or last of some clocks of each block; of none NEVER, or -NEVER."""
    found = np.full(blocks, NEVER if first else -NEVER)
    (np.minimum if first else np.maximum).at(found, block, clock)
    return found


def multiply(stage: Stage, loading: Loading) -> Sums:
    """Walk a layer with weights in a macro up to the sums of its own units."""
    layer, held = loading.layer, loading.held
    macro, place, rates = held.macro, layer.place, stage.rates
    reads, grants = loading.reads[0], loading.grants()
    blocks = stage.blocks(place)
    feed, hold = stage.bits(place, "mvm"), stage.bits(place, "adc")
    rows = grants + rates.load_rows
    last = per_block(len(blocks), reads.block, rows, first=False)
    first = per_block(len(blocks), reads.block, rows, first=True)
    where = stage.where(place, "mvm", macro)
    taken = behind(first, 1)
    what = "an input of its units"
    stage.found.expect(where, blocks, feed[:, 0], last, np.full_like(taken, NEVER), what)
    stage.found.expect(where, blocks, feed[:, -1], np.full_like(taken, -1), taken, what)
    every_feed, every_hold = np.ravel(feed), np.ravel(hold)
    of_bit = np.repeat(blocks, feed.shape[1])
    converted = stage.where(place, "adc", macro)
    fed_again = behind(every_feed, 1)
    stage.found.expect(converted, of_bit, every_hold, every_feed, fed_again, "what its DACs feed")
    return accumulate(stage, loading, hold)


def accumulate(stage: Stage, loading: Loading, hold: Ints) -> Sums:
    """Walk conversions and additions; hold: strobes of conversions, shape (blocks, bit steps)."""
    layer, held = loading.layer, loading.held
    macro, place, rates = held.macro, layer.place, stage.rates
    unit, target = columns_of(layer, held, stage.chip.slices)
    lanes, slots = lanes_in(stage, macro), slots_in(stage, held)
    behind_go = np.array([rates.slot(number, stage.adc) for number in range(slots)])
    blocks, found = stage.blocks(place), stage.found
    converted, added = stage.where(place, "adc", macro), stage.where(place, "addition", macro)
    every = np.ravel(hold)
    of_bit = np.repeat(blocks, hold.shape[1])
    found.expect(
        converted, of_bit, every + behind_go[-1], every, behind(every, 1), "a sample that is held"
    )
    if not stage.chip.pairs:
        first = hold[:, 0]
        check_input_sums(stage, loading, hold=first, behind_go=behind_go, unit=unit, lanes=lanes)
    begun = hold[:, :1] + behind_go + rates.accumulated
    done = hold[:, -1:] + behind_go + rates.accumulated
    go = stage.go(place, "addition")
    found.through(added, go, go + rates.added + slots - 1, "the addition before")
    walk = go[:, np.newaxis] + rates.added + np.arange(slots)
    of_slot = np.broadcast_to(blocks[:, np.newaxis], walk.shape)
    found.expect(added, of_slot, walk, done, two_behind(begun), "an accumulator")
    count = (held.copies[1] - held.copies[0]) * layer.layer.out_channels
    slot = np.arange(len(target)) // lanes
    first, last = np.full(count, slots), np.zeros(count, np.int64)
    np.minimum.at(first, target, slot)
    np.maximum.at(last, target, slot)
    return Sums(walk[:, first] + rates.summed, walk[:, last] + rates.summed)


def lanes_in(stage: Stage, macro: int) -> int:
    """Return the columns that a macro converts in a clock; a fast ADC has more lanes."""
    return stage.chip.macros[macro].adcs * stage.chip.adc_samples_at_once


def slots_in(stage: Stage, held: Held) -> int:
    """Return the columns of a lane of a layer in a macro."""
    return -(-held.conversions // lanes_in(stage, held.macro))


def columns_of(layer: ChipLayer, held: Held, slices: int) -> tuple[Ints, Ints]:
    """Return the unit and the sum of each column of a macro: order unit, slice, channel."""
    cut = layer.cut
    assert cut is not None
    units, targets, number = [], [], 0
    for copy in range(held.copies[1] - held.copies[0]):
        for section in range(cut.sections):
            first = cut.first_channel(section)
            own = np.arange(first, first + cut.groups_of(section) * cut.group_columns)
            for _ in range(*held.row_tiles):
                targets.append(np.tile(copy * layer.layer.out_channels + own, slices))
                units.append(np.full(slices * len(own), number))
                number += 1
    return np.concatenate(units), np.concatenate(targets)


def check_input_sums(
    stage: Stage, loading: Loading, *, hold: Ints, behind_go: Ints, unit: Ints, lanes: int
) -> None:
    """See that the sum of the inputs of each unit is there in the first bit step."""
    reads, rates = loading.reads[0], stage.rates
    place, macro = loading.layer.place, loading.held.macro
    count, blocks = int(unit.max()) + 1, stage.blocks(place)
    written = np.full((len(blocks), count), -NEVER)
    np.maximum.at(written, (reads.block, reads.unit), loading.grants() + rates.load_sum)
    first = np.searchsorted(unit, np.arange(count), "left") // lanes
    last = (np.searchsorted(unit, np.arange(count), "right") - 1) // lanes
    none = np.full_like(written, NEVER)
    overwritten = two_behind(np.where(written < 0, NEVER, written))
    where, what = stage.where(place, "adc", macro), "the sum of the inputs of a unit"
    of_unit = np.broadcast_to(blocks[:, np.newaxis], written.shape)
    read = hold[:, np.newaxis] + behind_go[first] + rates.accumulated
    stage.found.expect(where, of_unit, read, written, none, what)
    read = hold[:, np.newaxis] + behind_go[last] + rates.accumulated
    stage.found.expect(where, of_unit, read, np.full_like(none, -1), overwritten, what)


def check_shared_adcs(stage: Stage) -> None:
    """See that of two layers that share ADCs one converts at a time."""
    for layer in stage.chip.layers:
        if layer.partner is None or layer.partner > layer.place:
            continue
        spans = []
        for own in (layer, stage.chip.layers[layer.partner]):
            slots = max(slots_in(stage, one) for one in own.held)
            first, last = stage.rates.slot(0, stage.adc), stage.rates.slot(slots - 1, stage.adc)
            hold = stage.bits(own.place, "adc")
            spans += [
                (int(clock) + first, int(clock) + last, own.place, block)
                for block, clocks in enumerate(hold)
                for clock in clocks
            ]
        for one, two in pairwise(sorted(spans)):
            if two[0] <= one[1] and one[2] != two[2]:
                where = stage.where(two[2], "adc", layer.held[0].macro)
                what = f"its conversion, while {stage.name_of(one[2])} has the ADCs,"
                stage.found.add(where, two[3], two[0], what, "has no room")


def reduce_windows(stage: Stage, loading: Loading) -> Sums:
    """Walk a pooling: windows that are kept, then an element of some channels a clock."""
    layer, held, rates = loading.layer, loading.held, stage.rates
    own, place, word = layer.layer, layer.place, stage.chip.word_elements
    reads = loading.reads[0]
    shares = stage.chip.shares_of(place)
    steps = next(one for one in layer.operations if one.name == "pool").busy
    channels = shares if len(shares) > 1 else (own.out_channels,)
    lanes = rates.pool_lanes(layer.copies, own.taps, channels, steps * stage.chip.step_clocks, word)
    first, last, done = pool_walk(layer, shares, lanes, word, at_once=rates.pool_pixels)
    go, blocks = stage.go(place, "pool"), stage.blocks(place)
    where = stage.where(place, "pool", held.macro)
    turns = -(-layer.copies // rates.pool_pixels)
    length = turns * own.taps * sum(-(-each // lanes) for each in channels)
    stage.found.through(where, go, go + rates.operand + length - 1, "the pooling before")
    words = first.shape[0]
    kept = kept_words(stage, reads, loading.grants() + rates.load_rows + rates.pool_word, words)
    begin = go[:, np.newaxis] + rates.operand
    of_word = np.broadcast_to(blocks[:, np.newaxis], kept.shape)
    here = kept > -NEVER
    overwritten = two_behind(np.where(here, kept, NEVER))
    what = "a word of its windows"
    never = np.full_like(kept, NEVER)
    stage.found.expect(where, of_word, begin + first, kept, never, what)
    last_read = np.where(here, begin + last, 0)
    stage.found.expect(where, of_word, last_read, np.full_like(kept, -1), overwritten, what)
    written = begin + done + rates.reduced
    return Sums(written, written)


def pool_walk(
    layer: ChipLayer, shares: tuple[int, ...], lanes: int, word: int, *, at_once: int = 1
) -> tuple[Ints, Ints, Ints]:
    """Return the first and last clock in which each word of a block is read, and of each sum.

    Clocks count from the first one; the sum is made of what is read in its clock, and before.
    """
    own = layer.layer
    columns, inputs = own.kernels[1], sum(shares)
    counts = shares if len(shares) > 1 else (own.out_channels,)
    tap = np.arange(own.taps)
    at, targets, ends = [], [], []
    clock, done, before = 0, 0, 0
    for share, count in zip(shares, counts, strict=True):
        for first in range(0, count, lanes):
            row, column = np.divmod(tap, columns)
            begin = row * columns * inputs + columns * before + column * share + first
            size = max(0, min(lanes, share - first))
            at += [(clock + k, int(begin[k]), int(begin[k]) + size - 1) for k in tap]
            clock += own.taps
            targets += list(range(done + first, done + min(first + lanes, count)))
            ends += [clock - 1] * (min(first + lanes, count) - first)
        done, before = done + count, before + share
    when, low, high = np.array(at).T
    pixel = np.arange(layer.copies)[:, np.newaxis]
    turn, size = pixel // at_once, own.taps * inputs
    when, low, high = (
        np.ravel(one) for one in (turn * clock + when, pixel * size + low, pixel * size + high)
    )
    words = -(-layer.copies * own.taps * inputs // word)
    earliest, latest = np.full(words, NEVER), np.full(words, -NEVER)
    for edge in (low, high):
        inside = high >= low
        np.minimum.at(earliest, edge[inside] // word, when[inside])
        np.maximum.at(latest, edge[inside] // word, when[inside])
    sums = np.zeros(done, np.int64)
    sums[targets] = ends
    return earliest, latest, np.ravel(turn * clock + sums)


def kept_words(stage: Stage, reads: Reads, clock: Ints, words: int) -> Ints:
    """Return when each word of a block is kept, shape (blocks, words); -NEVER: it has none.

    clock: at which what each access brought is in a word that is full, or ends with it
    """
    word = stage.chip.word_elements
    kept = np.full((len(reads.count), words), -NEVER)
    end = reads.taken + reads.length
    final = np.append(reads.block[1:] != reads.block[:-1], True)
    here, there = reads.taken // word, end // word
    full = there > here
    kept[reads.block[full], here[full]] = clock[full]
    rest = final & (end % word > 0)
    late = clock + np.where(full, stage.rates.spill, 0)
    kept[reads.block[rest], there[rest]] = late[rest]
    return kept


def add_maps(stage: Stage, loading: Loading) -> Sums:
    """Walk an addition of maps: words of two blocks, some elements a clock."""
    layer, held, rates = loading.layer, loading.held, stage.rates
    place, word = layer.place, stage.chip.word_elements
    elements = layer.copies * layer.layer.out_channels
    steps = next(one for one in layer.operations if one.name == "eltwise").busy
    lanes = rates.eltwise_lanes(elements, steps * stage.chip.step_clocks, word)
    go, blocks = stage.go(place, "eltwise"), stage.blocks(place)
    where = stage.where(place, "eltwise", held.macro)
    length = -(-elements // lanes)
    stage.found.through(where, go, go + rates.operand + length - 1, "the addition before")
    words = -(-elements // word)
    begin = go[:, np.newaxis] + rates.operand
    first = np.arange(words) * word // lanes
    last = (np.minimum((np.arange(words) + 1) * word, elements) - 1) // lanes
    of_word = np.broadcast_to(blocks[:, np.newaxis], (len(blocks), words))
    for number, reads in enumerate(loading.reads):
        kept = kept_words(stage, reads, loading.grants(number) + rates.read_word, words)
        overwritten = two_behind(np.where(kept > -NEVER, kept, NEVER))
        what = f"a word of operand {number}"
        stage.found.expect(where, of_word, begin + first, kept, np.full_like(kept, NEVER), what)
        there = np.where(kept > -NEVER, begin + last, 0)
        stage.found.expect(where, of_word, there, np.full_like(kept, -1), overwritten, what)
    written = begin + np.arange(elements) // lanes + rates.reduced
    return Sums(written, written)


def chain(stage: Stage, traffic: Traffic, layer: ChipLayer, own: dict[int, Sums]) -> None:
    """Walk partial sums from macro to macro; `own` then has the whole sums of the last ones."""
    chip, rates, place = stage.chip, stage.rates, layer.place
    macros = {one.node: one.macro for one in chip.macros}
    following = {macros[one.source]: one for one in chip.travels_of(place, "chain")}
    targets = {macros[one.targets[0]] for one in following.values()}
    go, channels, bits = stage.go(place, "chain"), layer.layer.out_channels, layer.partial_sum_bits
    flits = -(-channels * bits // chip.flit_bits)
    number = np.arange(flits)
    low = number * chip.flit_bits // bits
    high = np.minimum(channels - 1, ((number + 1) * chip.flit_bits - 1) // bits)
    ends = (np.arange(1, channels + 1) * bits - 1) // chip.flit_bits
    for start in [one.macro for one in layer.held if one.macro not in targets]:
        macro, read = start, go[:, np.newaxis] + rates.chain_read + number
        while True:
            check_own_sums(stage, layer, macro, own[macro], read=read, span=(low, high))
            travel = following.get(macro)
            if travel is None:
                break
            header = read[:, 0] - rates.flit + rates.chain_pass
            traffic.packets += [
                Packet(travel, block, int(clock), flits) for block, clock in enumerate(header)
            ]
            where = stage.where(place, "chain", macro)
            stage.found.through(where, go, read[:, -1], "the chain before")
            depth = stage.hops(travel.tree, travel.source)[travel.targets[0]]
            macro = macros[travel.targets[0]]
            read = read + rates.chain_pass + rates.hop * (1 + depth)
        if macro != start:
            kept = read[:, ends] + rates.chain_kept
            where = stage.where(place, "chain", macro)
            stage.found.through(where, go, kept[:, -1], "the chain before")
            own[macro] = Sums(kept, kept)


def check_own_sums(
    stage: Stage,
    layer: ChipLayer,
    macro: int,
    own: Sums,
    *,
    read: Ints,
    span: tuple[Ints, Ints],
) -> None:
    """See that a macro of a chain has its sums; span: the first and last one of each flit."""
    where = stage.where(layer.place, "chain", macro)
    block = np.broadcast_to(stage.blocks(layer.place)[:, np.newaxis], read.shape)
    for edge in span:
        stage.found.expect(
            where, block, read, own.written[:, edge], two_behind(own.begun)[:, edge], "a sum"
        )
