"""How fast the blocks of one layer follow each other at least, whatever surrounds it.

A hop of the mesh is one, and a pipeline step as long as the node allows.

`hwgen.crossbar.model.traffic` says what the port of a scratchpad takes: what arrives comes first,
then loads, stores and sends, the shortest first. A choice stands for a span of copies and macros,
so one operation counts as before another only where it is so in all of the span.
"""

from typing import NamedTuple

import numpy as np

from hwgen.chip.compiled import compiled
from hwgen.chip.opaque import opaque
from hwgen.crossbar.facts.chip_plan import LAG_NS
from hwgen.crossbar.facts.rules import Rules
from hwgen.crossbar.model.pipeline import (
    ACTIVATE,
    ADD,
    CHAIN,
    CONVERT,
    GATHER,
    LOAD,
    MERGE,
    MVM,
    SEND,
    SHIFT,
    STORE,
    TRANSFER,
    link,
    steps_of,
)
from hwgen.crossbar.model.tables import (
    ACCESS_NS,
    BUS_BITS,
    CONV,
    DATA_BITS,
    FLIT_BITS,
    HOP,
    LANES,
    Ints,
    Tables,
)
from hwgen.crossbar.model.traffic import CHAIN_CLOCKS, ceil_div
from hwgen.crossbar.synthesis.nodes import Node, least_scratchpad
from hwgen.crossbar.synthesis.sharing import Sharing, is_beside_image


@opaque
class Stage(NamedTuple):
    """What the pace of a layer depends on, besides its own choice.

    reads: whether anything travels to it; sends: whether its outputs travel to layers with weights;
    beside: its single macro may be that of its image
    starts: whether its last operation counts as over when it starts (published, last layer)
    rows, wide, cin, cout, stride, kernel: of its weights, in elements; conv: 1 for a convolution
    side, row_tiles: of a crossbar, of a copy; sum_bits: of a partial sum; lanes: of a vector
    copy_reads, align, word, out_word: as in `Tables`
    hop, access, step: ns of a hop, of an access to the scratchpad, of a pipeline step
    data, flit, bus: bits
    """

    rules: Rules
    reads: bool
    sends: bool
    beside: bool
    activated: bool
    starts: bool
    conv: bool
    bit_steps: int
    rows: int
    wide: int
    cin: int
    cout: int
    stride: int
    kernel: int
    side: int
    row_tiles: int
    sum_bits: int
    lanes: int
    copy_reads: int
    align: int
    word: int
    out_word: int
    hop: float
    access: float
    step: float
    data: float
    flit: float
    bus: float


@compiled
def stage_of(tables: Tables, i: int, node: Node) -> Stage:
    """Return what the pace of layer i depends on within a node."""
    scalars = tables.scalars
    last = tables.reader_start[i + 1] == tables.reader_start[i]
    return Stage(
        tables.rules,
        bool(tables.provider_start[i + 1] > tables.provider_start[i]),
        is_read_by_weights(tables, i),
        beside_image(tables, i),
        bool(tables.activated[i] > 0),
        bool(last and not tables.rules.registers),
        bool(tables.kind[i] == CONV),
        int(tables.bit_steps),
        int(tables.rows[i]),
        int(tables.column_tiles[i] * tables.slices),
        int(tables.cin[i]),
        int(tables.cout[i]),
        int(tables.stride[i]),
        int(tables.kernel[i]),
        int(tables.crossbar_side),
        int(tables.row_tiles[i]),
        int(tables.sum_bits[i]),
        int(scalars[LANES]),
        int(tables.copy_reads[i]),
        int(tables.align[i]),
        int(tables.word),
        int(tables.out_word[i]),
        float(scalars[HOP]),
        float(least_scratchpad(tables, node)[ACCESS_NS]),
        float(node.step_high),
        float(scalars[DATA_BITS]),
        float(scalars[FLIT_BITS]),
        float(scalars[BUS_BITS]),
    )


@compiled
def is_read_by_weights(tables: Tables, i: int) -> bool:
    """Return whether a layer with weights reads layer i: one with other macros, or its mate."""
    for e in range(tables.reader_start[i], tables.reader_start[i + 1]):
        if tables.crossbars[tables.reader[e]] > 0:
            return True
    return False


@compiled
def beside_image(tables: Tables, i: int) -> bool:
    """Return whether layer i reads the image through layers without weights alone.

    They work on the very first macro; if that is the only one of layer i, nothing travels.
    """
    for e in range(tables.provider_start[i], tables.provider_start[i + 1]):
        if is_beside_image(tables, tables.provider[e]):
            return True
    return False


@compiled
def travel_ns(stage: Stage, elements: int, clocks: int) -> float:
    """Return the ns of a travel of so many elements; clocks: beside flits."""
    return float(stage.hop * (clocks + np.ceil(elements * stage.data / stage.flit)))


@compiled
def least_travel(stage: Stage, elements: int, clocks: int) -> int:
    """Return the steps of a travel of so many elements over a single hop; clocks: beside flits."""
    return steps_of(travel_ns(stage, elements, clocks), stage.step)


class Port(NamedTuple):
    """Least steps of a load and a store, and of writing what is new of the image (0: none).

    store is the last operation unless results are sent; store_ns: the port's part of it
    apart: between the beginnings of two blocks
    behind: of a block through the layers that follow
    """

    load: int
    store: int
    store_ns: float
    image: int
    apart: int
    behind: int


@compiled
def words_of(stage: Stage, elements: int) -> int:
    """Return the words of a block of so many results, however it lies in them."""
    return int(max(1, ceil_div(elements - stage.align, stage.out_word) + 1))


@compiled
def least_arriving(stage: Stage, sharing: Sharing, near: bool) -> int:
    """Return the least words that arrive for a block."""
    words = 0
    if sharing.image > 0:
        # Any alignment: a block of pixels is in as many words as it fills, at least.
        words += max(1, ceil_div(sharing.image * stage.cin, stage.word))
    if not near:
        words += sharing.received
    return int(words)


@compiled
def before(accesses: int, most: int, own: int) -> int:
    """Return the accesses of what has `most` if that surely comes before what has `own`."""
    return accesses if most <= own else 0


@compiled
def port_of(
    stage: Stage, sharing: Sharing, copies: tuple[int, int], fewest: int, reads: int, near: bool
) -> Port:
    """Return the least of a span of copies and macros.

    fewest: macros; reads: of a load, at least; near: nothing of the neighbours' need travel
    """
    most_reads = ceil_div(copies[1], min(fewest, copies[1])) * stage.copy_reads
    words = words_of(stage, copies[0] * stage.cout)
    most_words = words_of(stage, copies[1] * stage.cout)
    away = 0 if near else 1
    stored = words * (1 + away * int(stage.sends))
    arriving = 1 + 2 * least_arriving(stage, sharing, near)
    load, store = arriving + reads, arriving + stored
    if most_words <= reads:
        load += stored
    if most_reads <= words:
        store += reads
    period = arriving + reads + stored
    f = sharing.followers
    for n in range(len(f.reads)):
        own = f.words[n] * (1 + away * f.sent[n])
        period += f.reads[n] + own
        load += before(f.reads[n], f.most_reads[n], reads) + before(own, f.most_words[n], reads)
        store += before(f.reads[n], f.most_reads[n], words) + before(own, f.most_words[n], words)
    image = steps_of(arriving * stage.access, stage.step) if sharing.image > 0 else 0
    store_ns = store * stage.access
    last = away == 0 or not stage.sends
    return Port(
        steps_of(load * stage.access, stage.step),
        steps_of(store_ns + (LAG_NS if last else 0.0), stage.step),
        store_ns,
        image,
        steps_of(period * stage.access, stage.step),
        behind(stage, sharing, arriving, away),
    )


@compiled
def behind(stage: Stage, sharing: Sharing, arriving: int, away: int) -> int:
    """Return the least steps of a block through the layers that follow.

    arriving: accesses that come first; away: 1 where results are known to leave the macro
    """
    steps = 0
    f = sharing.followers
    for n in range(len(f.reads)):
        sent = away * f.sent[n]
        own = f.words[n] * (1 + sent)
        load = arriving + f.reads[n] + before(own, f.most_words[n], f.reads[n])
        store = arriving + own + before(f.reads[n], f.most_reads[n], f.words[n])
        store_ns = store * stage.access
        steps += steps_of(load * stage.access, stage.step) + 1 + f.activated[n]
        steps += steps_of(store_ns + (0.0 if sent else LAG_NS), stage.step)
        if sent:
            send_ns = store_ns + travel_ns(stage, f.elements[n], 2)
            steps += steps_of(send_ns + LAG_NS, stage.step)
    return int(steps)


class Some(NamedTuple):
    """Copies from first to last, and macros from first to last, that a choice stands for."""

    copies: int
    upto: int
    fewest: int
    macros: int


@compiled
def least_transfer(stage: Stage, share: int, row_shares: int) -> int:
    """Return the least steps in which a macro receives its share of a block; 0: nothing travels."""
    if not stage.reads or stage.rules.send_once:
        return 0
    pixels = share * stage.stride + stage.kernel if stage.conv else 1
    return least_travel(stage, pixels * ceil_div(stage.cin, row_shares), 1)


@compiled
def least_send(stage: Stage, copies: int, store_ns: float) -> int:
    """Return the least steps in which a block goes to its readers; 0: it need not travel.

    store_ns: of the port, which a send takes as long as a store
    """
    if not (stage.rules.send_once and stage.sends):
        return 0
    return steps_of(store_ns + travel_ns(stage, copies * stage.cout, 2) + LAG_NS, stage.step)


@compiled
def least_image_travel(stage: Stage, sharing: Sharing) -> int:
    """Return the least steps in which what is new of the image arrives; 0: it is not read."""
    if sharing.image == 0:
        return 0
    return least_travel(stage, sharing.image * stage.cin, 1)


@compiled
def scratchpad_steps(stage: Stage, elements: float) -> int:
    """Return the steps of reading or writing so many elements."""
    return steps_of(np.ceil(elements * stage.data / stage.bus) * stage.access, stage.step)


@compiled
def loads_and_stores(
    stage: Stage, copies: int, row_shares: int, copy_shares: int
) -> tuple[float, float]:
    """Return the elements that one macro reads and writes for a block, by published rules."""
    loaded = (stage.rows / row_shares) * (copies / copy_shares) * stage.wide
    return loaded, copies * stage.cout / copy_shares


@compiled
def pace_of(
    stage: Stage,
    clocks: int,
    transfer: int,
    load: int,
    store: int,
    merge: int,
    chain: int,
    send: int,
    scratch: Ints,
) -> tuple[int, int]:
    """Return steps from block to block, and of one block; a travel of 0 is none.

    merge: if results are merged before they are activated, that is the gather before the store
    """
    operation, steps, to_next, to_block = scratch[0], scratch[1], scratch[2], scratch[3]
    n = 0
    if transfer > 0:
        operation[n], steps[n] = TRANSFER, transfer
        n += 1
    operation[n], steps[n] = LOAD, load
    n += 1
    for what in (MVM, CONVERT, SHIFT, ADD):
        operation[n], steps[n] = what, clocks
        n += 1
    if chain > 0:
        operation[n], steps[n] = CHAIN, chain
        n += 1
    if stage.activated:
        operation[n], steps[n] = ACTIVATE, 1
        n += 1
    if merge > 0 and stage.rules.chain_before_activation:
        operation[n], steps[n] = GATHER, merge
        n += 1
    operation[n], steps[n] = STORE, store
    n += 1
    if merge > 0 and not stage.rules.chain_before_activation:
        operation[n], steps[n] = MERGE, merge
        n += 1
    if send > 0:
        operation[n], steps[n] = SEND, send
        n += 1
    link(operation, steps, to_next, to_block, n, stage.bit_steps, stage.rules.registers)
    slowest, through = 0, 0
    for k in range(n):
        slowest = max(slowest, to_block[k])
        through += to_next[k]
    if stage.starts:
        through += 1 - to_next[n - 1]
    return slowest, through


@compiled
def pace(
    stage: Stage, sharing: Sharing, copies: int, macros: int, clocks: int, scratch: Ints
) -> tuple[int, int]:
    """Return the least steps from block to block, and those of one block from end to end."""
    some = Some(copies, copies, macros, macros)
    return pace_between(stage, sharing, some, clocks, scratch, False)[:2]


@compiled
def pace_between(
    stage: Stage, sharing: Sharing, some: Some, clocks: int, scratch: Ints, near: bool
) -> tuple[int, int, int]:
    """Return the least of `pace` of some copies and macros, and steps through what follows.

    Where results are merged in whole parts: loads grow with the copies and shrink with the macros,
    a gather grows with both, and a chain grows with the macros for each copy.

    near: the layer is in a single macro with a neighbour, and whatever that spares is left out
    """
    copies, fewest = some.copies, some.fewest
    row_shares, copy_shares = split_into(stage, copies, some.macros)
    share = ceil_div(copies, copy_shares)
    transfer = least_transfer(stage, share, row_shares)
    if near or (stage.beside and some.macros == 1):
        transfer = 0
    chain = least_chain(stage, some.upto, fewest)
    send = 0
    apart = behind = 0
    if stage.rules.one_port:
        reads = share * ceil_div(stage.copy_reads, row_shares)
        port = port_of(stage, sharing, (copies, some.upto), fewest, reads, near)
        load, store = port.load, port.store
        send = 0 if near else least_send(stage, copies, port.store_ns)
        transfer, apart, behind = max(transfer, port.image), port.apart, port.behind
        transfer = max(transfer, least_image_travel(stage, sharing))
    else:
        loaded, stored = loads_and_stores(stage, copies, row_shares, copy_shares)
        load, store = scratchpad_steps(stage, loaded), scratchpad_steps(stage, stored)
    merge = least_merge(stage, copies, some, share)
    per_block, through = pace_of(stage, clocks, transfer, load, store, merge, chain, send, scratch)
    return max(per_block, apart), through, behind


@compiled
def least_merge(stage: Stage, copies: int, some: Some, share: int) -> int:
    """Return the least steps in which results come together, before or behind the store; 0: none.

    share: of the copies, in a macro
    """
    if stage.rules.chain_before_activation:
        return least_gather(stage, copies, some.fewest)
    if (some.fewest if stage.rules.whole_parts else some.macros) <= 1:
        return 0
    return least_travel(stage, share * stage.cout, 1)


@compiled
def split_into(stage: Stage, copies: int, macros: int) -> tuple[int, int]:
    """Return into how many parts rows and copies are split, as `design.shares` does."""
    if stage.rules.whole_parts:
        return max(1, macros // copies), min(macros, copies)
    row_shares = ceil_div(macros, copies)
    return row_shares, ceil_div(macros, row_shares)


@compiled
def least_chain(stage: Stage, copies: int, macros: int) -> int:
    """Return the least steps of partial sums along the macros of a copy; 0: there is one."""
    count = ceil_div(macros, copies)
    if count <= 1 or not stage.rules.chain_before_activation:
        return 0
    whole = np.ceil(stage.cout * stage.sum_bits / stage.flit)
    vector = np.ceil(stage.lanes * stage.sum_bits / stage.flit)
    ns = stage.hop * (whole + (count - 1) * (vector + CHAIN_CLOCKS))
    return steps_of(ns + LAG_NS, stage.step)


@compiled
def least_gather(stage: Stage, copies: int, macros: int) -> int:
    """Return the least steps in which all results but those of one macro meet there."""
    sources = min(copies, macros) - 1
    if sources <= 0:
        return 0
    others = copies - ceil_div(copies, min(copies, macros))
    flits = np.ceil(others * stage.cout * stage.data / stage.flit)
    return steps_of(stage.hop * (1 + sources + flits) + LAG_NS, stage.step)


@compiled
def least_pace(stage: Stage, sharing: Sharing, clocks: int, scratch: Ints) -> tuple[int, int]:
    """Return what `pace` is at least with more than one macro, if only the image takes long."""
    transfer = 1 if stage.reads and not stage.rules.send_once else 0
    transfer = max(transfer, least_image_travel(stage, sharing))
    merge = 0 if stage.rules.chain_before_activation else 1
    send = 1 if stage.rules.send_once and stage.sends else 0
    return pace_of(stage, clocks, transfer, 1, 1, merge, 0, send, scratch)
