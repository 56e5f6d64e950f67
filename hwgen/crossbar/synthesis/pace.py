"""How fast the blocks of one layer follow each other at least, whatever surrounds it.

A hop of the mesh is one, and a pipeline step as long as the node allows.

`hwgen.crossbar.model.traffic` says what the port of a scratchpad takes: what arrives comes first,
then loads, stores and sends, the shortest first. A choice stands for a span of copies and macros,
so one operation counts as before another only where it is so in all of the span.
"""

from typing import NamedTuple

import numpy as np

from hwgen.chip.compiled import compiled, inlined
from hwgen.chip.opaque import opaque
from hwgen.crossbar.facts.chip_plan import LAG_CLOCKS
from hwgen.crossbar.facts.operations import OPERATIONS
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
    CLOCK,
    CONV,
    DATA_BITS,
    FLIT_BITS,
    HOP,
    LANES,
    IntGrid,
    Tables,
)
from hwgen.crossbar.model.traffic import CHAIN_CLOCKS, ceil_div
from hwgen.crossbar.synthesis.nodes import Node, Scratchpad, scratchpad_of
from hwgen.crossbar.synthesis.sharing import Sharing, is_beside_image


class Mesh(NamedTuple):
    """Of the mesh: ns of a hop; bits of an element, and of a flit."""

    hop: float
    data: float
    flit: float


@opaque
class Layer(NamedTuple):
    """A layer with weights within a node: all that its choices depend on, besides themselves.

    scratchpad: of the node; scratch: rows to write operations of a block to
    reads: whether anything travels to it; sends: whether its outputs travel to layers with weights;
    beside: its single macro may be that of its image
    starts: whether its last operation counts as over when it starts (published, last layer)
    rows, wide, cin, cout, stride, kernel: of its weights, in elements; conv: 1 for a convolution
    sum_bits: of a partial sum; lanes: of a vector
    copy_reads, align, word, out_word: as in `Tables`
    access, step, clock: ns of an access to the scratchpad, of a pipeline step, of a clock
    bus: bits of an access
    """

    tables: Tables
    i: int
    node: Node
    scratchpad: Scratchpad
    scratch: IntGrid
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
    sum_bits: int
    lanes: int
    copy_reads: int
    align: int
    word: int
    out_word: int
    mesh: Mesh
    access: float
    step: float
    clock: float
    bus: float


@inlined
def lag_ns(layer: Layer) -> float:
    """Return how long the engines of a layer work behind each other, all together."""
    return LAG_CLOCKS * layer.clock


@compiled
def layer_in(tables: Tables, i: int, node: Node) -> Layer:
    """Return layer i within a node."""
    scalars, scratchpad = tables.scalars, scratchpad_of(tables, node)
    last = tables.reader_start[i + 1] == tables.reader_start[i]
    return Layer(
        tables,
        i,
        node,
        scratchpad,
        np.zeros((4, len(OPERATIONS)), np.int64),
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
        int(tables.sum_bits[i]),
        int(scalars[LANES]),
        int(tables.copy_reads[i]),
        int(tables.align[i]),
        int(tables.word),
        int(tables.out_word[i]),
        Mesh(float(scalars[HOP]), float(scalars[DATA_BITS]), float(scalars[FLIT_BITS])),
        float(scratchpad.row[ACCESS_NS]),
        float(node.step_high),
        float(scalars[CLOCK]),
        float(scalars[BUS_BITS]),
    )


@compiled
def is_read_by_weights(tables: Tables, i: int) -> bool:
    """Return whether a layer with weights reads layer i: one with other macros, or its partner."""
    for e in range(tables.reader_start[i], tables.reader_start[i + 1]):
        if tables.crossbars[tables.reader[e]] > 0:
            return True
    return False


@compiled
def leaves(layer: Layer) -> bool:
    """Return whether the results of a layer leave the chip."""
    start, i = layer.tables.reader_start, layer.i
    return bool(layer.rules.send_once and start[i + 1] == start[i])


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
def travel_ns(layer: Layer, elements: int, clocks: int) -> float:
    """Return the ns of a travel of so many elements; clocks: beside flits."""
    return float(layer.mesh.hop * (clocks + np.ceil(elements * layer.mesh.data / layer.mesh.flit)))


@compiled
def least_travel(layer: Layer, elements: int, clocks: int) -> int:
    """Return the steps of a travel of so many elements over a single hop; clocks: beside flits."""
    return steps_of(travel_ns(layer, elements, clocks), layer.step)


class Some(NamedTuple):
    """Copies from first to last, and macros from first to last, that a choice stands for."""

    copies: int
    upto: int
    fewest: int
    macros: int


class Lasting(NamedTuple):
    """Steps of the operations of a block that differ between choices; a travel of 0 is none.

    activate: where the layer is activated
    merge: if results are merged before they are activated, that is the gather before the store
    """

    transfer: int
    load: int
    activate: int
    store: int
    merge: int
    chain: int
    send: int


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
def words_of(layer: Layer, elements: int) -> int:
    """Return the words of a block of so many results, however it lies in them."""
    return int(max(1, ceil_div(elements - layer.align, layer.out_word) + 1))


@compiled
def least_arriving(layer: Layer, sharing: Sharing, near: bool) -> int:
    """Return the least words that arrive for a block."""
    words = 0
    if sharing.image > 0:
        # Any alignment: a block of pixels is in as many words as it fills, at least.
        words += max(1, ceil_div(sharing.image * layer.cin, layer.word))
    if not near:
        words += sharing.received
    return int(words)


@compiled
def before(accesses: int, most: int, own: int) -> int:
    """Return the accesses of what has `most` if that surely comes before what has `own`."""
    return accesses if most <= own else 0


@compiled
def port_of(layer: Layer, sharing: Sharing, some: Some, reads: int, near: bool) -> Port:
    """Return the least of some copies and macros.

    reads: of a load, at least; near: nothing of the neighbours' need travel
    """
    most_reads = ceil_div(some.upto, min(some.fewest, some.upto)) * layer.copy_reads
    words = words_of(layer, some.copies * layer.cout)
    most_words = words_of(layer, some.upto * layer.cout)
    away = 0 if near else 1
    gone = 1 if leaves(layer) else away * int(layer.sends)
    stored = words * (1 + gone)
    arriving = 1 + 2 * least_arriving(layer, sharing, near)
    load, store = arriving + reads, arriving + stored
    if most_words <= reads:
        load += stored
    if most_reads <= words:
        store += reads
    period = arriving + reads + stored
    f = sharing.followers
    for n in range(len(f.reads)):
        own = f.words[n] * (1 + max(f.leaves[n], away * f.sent[n]))
        period += f.reads[n] + own
        load += before(f.reads[n], f.most_reads[n], reads) + before(own, f.most_words[n], reads)
        store += before(f.reads[n], f.most_reads[n], words) + before(own, f.most_words[n], words)
    image = steps_of(arriving * layer.access, layer.step) if sharing.image > 0 else 0
    store_ns = store * layer.access
    lag = lag_ns(layer) if gone == 0 else 0.0
    return Port(
        steps_of(load * layer.access, layer.step),
        steps_of(store_ns + lag, layer.step),
        store_ns,
        image,
        steps_of(period * layer.access, layer.step),
        behind(layer, sharing, arriving, away),
    )


@compiled
def behind(layer: Layer, sharing: Sharing, arriving: int, away: int) -> int:
    """Return the least steps of a block through the layers that follow.

    arriving: accesses that come first; away: 1 where results are known to leave the macro
    """
    steps = 0
    f = sharing.followers
    for n in range(len(f.reads)):
        sent = max(f.leaves[n], away * f.sent[n])
        own = f.words[n] * (1 + sent)
        load = arriving + f.reads[n] + before(own, f.most_words[n], f.reads[n])
        store = arriving + own + before(f.reads[n], f.most_reads[n], f.words[n])
        store_ns = store * layer.access
        steps += steps_of(load * layer.access, layer.step)
        steps += steps_of(f.pooled[n] * layer.clock, layer.step)
        if f.activated[n] > 0:
            steps += steps_of(f.activated[n] * layer.clock, layer.step)
        lag = 0.0 if sent else lag_ns(layer)
        steps += steps_of(store_ns + lag, layer.step)
        if sent:
            send_ns = store_ns + travel_ns(layer, f.elements[n], 2 - f.leaves[n])
            steps += steps_of(send_ns + lag_ns(layer), layer.step)
    return int(steps)


@compiled
def least_transfer(layer: Layer, share: int, row_shares: int) -> int:
    """Return the least steps in which a macro receives its share of a block; 0: nothing travels."""
    if not layer.reads or layer.rules.send_once:
        return 0
    pixels = share * layer.stride + layer.kernel if layer.conv else 1
    return least_travel(layer, pixels * ceil_div(layer.cin, row_shares), 1)


@compiled
def least_send(layer: Layer, copies: int, store_ns: float) -> int:
    """Return the least steps in which a block goes to its readers, or off the chip; 0: it need not.

    store_ns: of the port, which a send takes as long as a store
    """
    if leaves(layer):
        bits = layer.tables.out_bits[layer.i]
        flits = np.ceil(copies * layer.cout * bits / layer.mesh.flit)
        return steps_of(store_ns + layer.mesh.hop * (1 + flits) + lag_ns(layer), layer.step)
    if not (layer.rules.send_once and layer.sends):
        return 0
    return steps_of(store_ns + travel_ns(layer, copies * layer.cout, 2) + lag_ns(layer), layer.step)


@compiled
def least_image_travel(layer: Layer, sharing: Sharing) -> int:
    """Return the least steps in which what is new of the image arrives; 0: it is not read."""
    if sharing.image == 0:
        return 0
    return least_travel(layer, sharing.image * layer.cin, 1)


@compiled
def scratchpad_steps(layer: Layer, elements: float) -> int:
    """Return the steps of reading or writing so many elements."""
    return steps_of(np.ceil(elements * layer.mesh.data / layer.bus) * layer.access, layer.step)


@compiled
def loads_and_stores(
    layer: Layer, copies: int, row_shares: int, copy_shares: int
) -> tuple[float, float]:
    """Return the elements that one macro reads and writes for a block, by published rules."""
    loaded = (layer.rows / row_shares) * (copies / copy_shares) * layer.wide
    return loaded, copies * layer.cout / copy_shares


@compiled
def pace_of(layer: Layer, clocks: int, lasting: Lasting) -> tuple[int, int]:
    """Return steps from block to block, and of one block."""
    scratch = layer.scratch
    operation, steps, to_next, to_block = scratch[0], scratch[1], scratch[2], scratch[3]
    n = 0
    if lasting.transfer > 0:
        operation[n], steps[n] = TRANSFER, lasting.transfer
        n += 1
    operation[n], steps[n] = LOAD, lasting.load
    n += 1
    for what in (MVM, CONVERT, SHIFT, ADD):
        operation[n], steps[n] = what, clocks
        n += 1
    if lasting.chain > 0:
        operation[n], steps[n] = CHAIN, lasting.chain
        n += 1
    if layer.activated:
        operation[n], steps[n] = ACTIVATE, lasting.activate
        n += 1
    if lasting.merge > 0 and layer.rules.chain_before_activation:
        operation[n], steps[n] = GATHER, lasting.merge
        n += 1
    operation[n], steps[n] = STORE, lasting.store
    n += 1
    if lasting.merge > 0 and not layer.rules.chain_before_activation:
        operation[n], steps[n] = MERGE, lasting.merge
        n += 1
    if lasting.send > 0:
        operation[n], steps[n] = SEND, lasting.send
        n += 1
    link(operation, steps, to_next, to_block, n, layer.bit_steps, layer.rules.registers)
    slowest, through = 0, 0
    for k in range(n):
        slowest = max(slowest, to_block[k])
        through += to_next[k]
    if layer.starts:
        through += 1 - to_next[n - 1]
    return slowest, through


@compiled
def pace(layer: Layer, sharing: Sharing, copies: int, macros: int, clocks: int) -> tuple[int, int]:
    """Return the least steps from block to block, and those of one block from end to end."""
    some = Some(copies, copies, macros, macros)
    return pace_between(layer, sharing, some, clocks, False)[:2]


@compiled
def pace_between(
    layer: Layer, sharing: Sharing, some: Some, clocks: int, near: bool
) -> tuple[int, int, int]:
    """Return the least of `pace` of some copies and macros, and steps through what follows.

    Where results are merged in whole parts: loads grow with the copies and shrink with the macros,
    a gather grows with both, and a chain grows with the macros for each copy.

    near: the layer is in a single macro with a neighbour, and whatever that spares is left out
    """
    copies = some.copies
    row_shares, copy_shares = split_into(layer, copies, some.macros)
    share = ceil_div(copies, copy_shares)
    transfer = least_transfer(layer, share, row_shares)
    if near or (layer.beside and some.macros == 1):
        transfer = 0
    chain = least_chain(layer, some.upto, some.fewest)
    send = apart = behind = 0
    if layer.rules.one_port:
        reads = share * ceil_div(layer.copy_reads, row_shares)
        port = port_of(layer, sharing, some, reads, near)
        load, store = port.load, port.store
        send = 0
        if leaves(layer) or not near:
            send = least_send(layer, copies, port.store_ns)
        transfer, apart, behind = max(transfer, port.image), port.apart, port.behind
        transfer = max(transfer, least_image_travel(layer, sharing))
    else:
        loaded, stored = loads_and_stores(layer, copies, row_shares, copy_shares)
        load, store = scratchpad_steps(layer, loaded), scratchpad_steps(layer, stored)
    merge = least_merge(layer, copies, some, share)
    lasting = Lasting(transfer, load, least_activation(layer, share), store, merge, chain, send)
    per_block, through = pace_of(layer, clocks, lasting)
    return max(per_block, apart), through, behind


@compiled
def linked_between(layer: Layer, sharing: Sharing, some: Some) -> tuple[int, int]:
    """Return the least of steps that blocks are apart in a port of the mesh, and of the last one.

    What is new of the image, partial sums and results all arrive at the macro where the results
    meet, through the same local port of its router: of so many blocks, one after the other, and
    behind the last results their store and send. 0: only one of them arrives, if at all.
    """
    both = layer.rules.image_travels and layer.rules.chain_before_activation
    if sharing.image == 0 or layer.reads or not both:
        return 0, 0
    gathered = least_gather(layer, some.copies, some.fewest)
    gathered += least_chain(layer, some.upto, some.fewest)
    if gathered == 0:
        return 0, 0
    row_shares, copy_shares = split_into(layer, some.copies, some.macros)
    reads = ceil_div(some.copies, copy_shares) * ceil_div(layer.copy_reads, row_shares)
    port = port_of(layer, sharing, some, reads, False)
    linked = gathered + max(port.image, least_image_travel(layer, sharing))
    return linked, linked + port.store + least_send(layer, some.copies, port.store_ns)


@compiled
def least_merge(layer: Layer, copies: int, some: Some, share: int) -> int:
    """Return the least steps in which results come together, before or behind the store; 0: none.

    share: of the copies, in a macro
    """
    if layer.rules.chain_before_activation:
        return least_gather(layer, copies, some.fewest)
    if (some.fewest if layer.rules.whole_parts else some.macros) <= 1:
        return 0
    return least_travel(layer, share * layer.cout, 1)


@compiled
def split_into(layer: Layer, copies: int, macros: int) -> tuple[int, int]:
    """Return into how many parts rows and copies are split, as `design.shares` does."""
    if layer.rules.whole_parts:
        return max(1, macros // copies), min(macros, copies)
    row_shares = ceil_div(macros, copies)
    return row_shares, ceil_div(macros, row_shares)


@compiled
def least_chain(layer: Layer, copies: int, macros: int) -> int:
    """Return the least steps of partial sums along the macros of a copy; 0: there is one."""
    count = ceil_div(macros, copies)
    if count <= 1 or not layer.rules.chain_before_activation:
        return 0
    whole = np.ceil(layer.cout * layer.sum_bits / layer.mesh.flit)
    vector = np.ceil(layer.lanes * layer.sum_bits / layer.mesh.flit)
    ns = layer.mesh.hop * (whole + (count - 1) * (vector + CHAIN_CLOCKS))
    return steps_of(ns + lag_ns(layer), layer.step)


@compiled
def least_activation(layer: Layer, share: int) -> int:
    """Return the least steps of an activation of a block; share: of the copies, in a macro."""
    if not layer.rules.whole_parts:
        return 1
    return steps_of(ceil_div(share * layer.cout, layer.out_word) * layer.clock, layer.step)


@compiled
def least_gather(layer: Layer, copies: int, macros: int) -> int:
    """Return the least steps in which all results but those of one macro meet there."""
    sources = min(copies, macros) - 1
    if sources <= 0:
        return 0
    others = copies - ceil_div(copies, min(copies, macros))
    flits = np.ceil(others * layer.cout * layer.mesh.data / layer.mesh.flit)
    return steps_of(layer.mesh.hop * (1 + sources + flits) + lag_ns(layer), layer.step)


@compiled
def least_pace(layer: Layer, sharing: Sharing, clocks: int) -> tuple[int, int]:
    """Return what `pace` is at least with more than one macro, if only the image takes long."""
    transfer = 1 if layer.reads and not layer.rules.send_once else 0
    transfer = max(transfer, least_image_travel(layer, sharing))
    merge = 0 if layer.rules.chain_before_activation else 1
    send = 1 if leaves(layer) or (layer.rules.send_once and layer.sends) else 0
    return pace_of(
        layer, clocks, Lasting(transfer, 1, least_activation(layer, 1), 1, merge, 0, send)
    )
