"""What one layer can be, and the least it then costs: the rows of the relaxed problem.

A choice gives a layer with weights its blocks (through its copies), macros and clocks. Everything
here is a lower bound for every design that makes this choice, lasts at most `steps` pipeline steps
and whose step is between `step_low` and `step_high` ns: a step count is taken at the longest step,
a hop as one, and what a layer without weights costs as if nothing were wasted there.
"""

from typing import NamedTuple

import numpy as np

from hwgen.chip.compiled import compiled
from hwgen.chip.opaque import opaque
from hwgen.crossbar.model.tables import (
    ADC,
    CONV,
    FC,
    Floats,
    Grid,
    IntGrid,
    Ints,
    Tables,
)
from hwgen.crossbar.model.traffic import ceil_div
from hwgen.crossbar.synthesis.nodes import (
    CLOCKS_HIGH,
    CLOCKS_LOW,
    COPIES_HIGH,
    COPIES_LOW,
    FOREVER,
    MACROS_HIGH,
    Node,
    fewest_copies,
    least_energy,
    most_copies,
    powers,
)
from hwgen.crossbar.synthesis.pace import (
    Layer,
    Some,
    layer_in,
    least_pace,
    linked_between,
    pace,
    pace_between,
)
from hwgen.crossbar.synthesis.scratchpads import Contents, capacity_elements
from hwgen.crossbar.synthesis.sharing import Sharing, least_received, most_blocks, sharing_of

FINEST, COARSEST = 0.004, 0.06
"""Copies closer together than this share are one choice, with the least of each of their costs."""

MACRO_GRAIN = 0.35
"""The same for macros."""

CLOCK_GRAIN = 0.08
"""The same for clocks of fully connected layers."""

MOST_CLOCKS = 4096
"""More clocks than this for a layer are one choice: its ADCs then cost nothing."""

MOST_MACROS = 64
"""More macros than this for one layer are one choice: they cost as much as this many."""


@opaque
class Choices(NamedTuple):
    """All choices of all layers with weights, layer after layer.

    begin: where the choices of layer i begin; as long as the layers, plus one
    copies_low, copies_high: range of copies that a choice stands for; macros, clocks
    energy: nJ an image that does not depend on time
    static: W while the image lasts
    crossbars: peak W of crossbars; power: peak W of all
    converted: conversions of the ADCs in a bit step
    blocks: the fewest computation blocks
    per_block: steps from a block to the next; through: steps of one block alone
    near_per_block, near_through: the same if a neighbour is in the only macro of the layer
    behind, near_behind: steps of a block through all layers that follow
    linked, linked_through: see `linked_between`
    """

    begin: Ints
    copies_low: Ints
    copies_high: Ints
    macros: Ints
    clocks: Ints
    energy: Floats
    static: Floats
    crossbars: Floats
    power: Floats
    converted: Floats
    blocks: Ints
    per_block: Ints
    through: Ints
    near_per_block: Ints
    near_through: Ints
    behind: Ints
    near_behind: Ints
    linked: Ints
    linked_through: Ints


@opaque
class Rows(NamedTuple):
    """Choices while they are made, a row each: whole numbers and others, see `make_choices`."""

    whole: IntGrid
    real: Grid


class Span(NamedTuple):
    """Copies and clocks that a choice stands for, from first to last, and macros at most."""

    copies: int
    upto: int
    clocks: int
    upto_clocks: int
    most_macros: int


class Room(NamedTuple):
    """Elements of some copies of a layer in scratchpads, at least.

    whole: inputs in a single macro; split: in several, all together
    left: for inputs of one macro, by what outputs leave; negative: nothing fits at all
    """

    whole: float
    split: float
    left: float


@compiled
def grain_of(node: Node) -> float:
    """Return how fine the choices of a node must be: a small part of its own size."""
    size = node.steps_high / node.steps_low * node.step_high / node.step_low
    return float(min(COARSEST, max(FINEST, (size - 1) / 12)))


@compiled
def last_of_grain(value: int, grain: float) -> int:
    """Return the largest number that is one choice with `value`."""
    return int(max(value, np.floor(value * (1 + grain))))


@compiled
def room_of(contents: Contents, i: int, copies: int, upto: int, capacity: float) -> Room:
    """Return what some copies of layer i hold at least, and what room their outputs leave."""
    some = slice(contents.begin[i] + copies, contents.begin[i] + upto + 1)
    room = float(capacity - contents.outputs[some].min())
    if contents.following[some].min() > capacity:
        room = -1.0
    return Room(contents.whole[some].min(), contents.split[some].min(), room)


@compiled
def make_choices(tables: Tables, contents: Contents, node: Node, ranges: Ints) -> Choices:
    """Return every choice of every layer that a design within a node and ranges may make."""
    layers = len(tables.kind)
    begin = np.zeros(layers + 1, np.int64)
    rows, n = Rows(np.empty((4096, 12), np.int64), np.empty((4096, 5))), 0
    slowest = most_blocks(tables, node)
    for i in range(layers):
        begin[i] = n
        if tables.crossbars[i] > 0:
            received = least_received(tables, i, slowest)
            layer = layer_in(tables, i, node)
            rows, n = put_layer(layer, contents, ranges[:, i], received, rows, n)
    begin[layers] = n
    w, r = rows.whole[:n].T.copy(), rows.real[:n].T.copy()
    blocks = ceil_div_all(tables, begin, w[1])
    return Choices(
        begin,
        w[0],
        w[1],
        w[2],
        w[3],
        r[0],
        r[1],
        r[2],
        r[3],
        r[4],
        blocks,
        w[4],
        w[5],
        w[6],
        w[7],
        w[8],
        w[9],
        w[10],
        w[11],
    )


@compiled
def put_layer(
    layer: Layer, contents: Contents, ranges: Ints, received: int, rows: Rows, n: int
) -> tuple[Rows, int]:
    """Add the choices of a layer; return the rows, which may have grown, and their count.

    ranges, received (see `Sharing`): of this layer; n: rows that are filled
    """
    tables, i, node = layer.tables, layer.i, layer.node
    grain = grain_of(node)
    capacity = capacity_elements(tables, node.most_memory)
    copies = max(ranges[COPIES_LOW], fewest_copies(tables, i, node.steps_high))
    most = min(ranges[COPIES_HIGH], most_copies(tables, i))
    while copies <= most:
        upto = min(most, last_of_grain(copies, grain))
        room = room_of(contents, i, copies, upto, capacity)
        sharing = sharing_of(tables, i, copies, upto, received)
        clocks = ranges[CLOCKS_LOW]
        while clocks < min(MOST_CLOCKS, ranges[CLOCKS_HIGH] + 1) and room.left >= 0:
            upto_clocks = min(ranges[CLOCKS_HIGH], last_of_grain(clocks, CLOCK_GRAIN))
            if upto_clocks >= MOST_CLOCKS:
                upto_clocks = FOREVER
            if n + MOST_MACROS + 1 > len(rows.whole):
                rows = grown(rows)
            span = Span(copies, upto, clocks, upto_clocks, ranges[MACROS_HIGH])
            n = add_choices(layer, sharing, span, room, rows, n)
            if tables.kind[i] != FC or not tables.rules.used_columns:
                break
            clocks = upto_clocks + 1
        copies = upto + 1
    return rows, n


@compiled
def ceil_div_all(tables: Tables, begin: Ints, copies: Ints) -> Ints:
    """Return the fewest blocks of each choice."""
    blocks = np.ones(len(copies), np.int64)
    for i in range(len(tables.kind)):
        for c in range(begin[i], begin[i + 1]):
            if tables.kind[i] == CONV:
                blocks[c] = ceil_div(tables.pixels[i], copies[c])
    return blocks


@compiled
def grown(rows: Rows) -> Rows:
    """Return rows with room for twice as many."""
    filled, columns = rows.whole.shape
    whole = np.empty((2 * filled, columns), np.int64)
    whole[:filled] = rows.whole
    real = np.empty((2 * filled, rows.real.shape[1]))
    real[:filled] = rows.real
    return Rows(whole, real)


@compiled
def is_slower(
    rows: Ints, per_block: int, through: int, behind: int, linked: tuple[int, int]
) -> bool:
    """Return whether one of some choices is as fast in all: block to block, through, behind."""
    for row in rows:
        as_linked = row[10] <= linked[0] and row[11] <= linked[1]
        if row[4] <= per_block and row[5] <= through and row[8] <= behind and as_linked:
            return True
    return False


@compiled
def best_pace(
    layer: Layer, sharing: Sharing, span: Span, macros: int, sample: int
) -> tuple[int, int, int]:
    """Return the least `pace` of a span of copies, with `macros` to `sample` macros."""
    if layer.rules.whole_parts:
        some = Some(span.copies, span.upto, macros, sample)
        return pace_between(layer, sharing, some, span.clocks, False)
    per_block, through = 1 << 40, 1 << 40
    # Up to as many macros as copies, more copies never load faster.
    last = span.upto if sample > span.copies else span.copies
    for each in range(span.copies, last + 1):
        other = pace(layer, sharing, each, sample, span.clocks)
        per_block, through = min(per_block, other[0]), min(through, other[1])
        # One macro more than a multiple of the copies splits rows, and merges more.
        even = sample // each * each
        if macros <= even < sample:
            other = pace(layer, sharing, each, even, span.clocks)
            per_block, through = min(per_block, other[0]), min(through, other[1])
    return per_block, through, 0


@compiled
def add_choices(layer: Layer, sharing: Sharing, span: Span, room: Room, rows: Rows, n: int) -> int:
    """Add the choices of macros that are worth their price; return the new count of rows."""
    tables, i, scratchpad = layer.tables, layer.i, layer.scratchpad
    whole, real = rows.whole, rows.real
    copies, upto, clocks = span.copies, span.upto, span.clocks
    limit = min(span.most_macros, upto * tables.row_tiles[i])
    first = n
    blocks = ceil_div(tables.pixels[i], copies) if copies == upto else 0
    energy = least_energy(tables, i, copies, blocks, scratchpad.row)
    macros = 1
    least = least_pace(layer, sharing, clocks)
    static, rram, power = powers(tables, i, copies, span.upto_clocks, layer.node)
    adc = tables.work[i, ADC] * copies
    if tables.kind[i] == FC:
        adc = adc / span.upto_clocks if tables.rules.used_columns else 0.0
    rest = False
    while macros <= limit:
        rest = rest or macros >= MOST_MACROS
        sample = limit if rest else min(limit, last_of_grain(macros, MACRO_GRAIN))
        per_block, through, behind = least[0], least[1], 0
        if layer.rules.whole_parts or not rest:
            per_block, through, behind = best_pace(layer, sharing, span, macros, sample)
        contents = (room.whole if sample == 1 else room.split) / ceil_div(sample, copies)
        linked = linked_between(layer, sharing, Some(copies, upto, macros, sample))
        slower = is_slower(whole[first:n], per_block, through, behind, linked)
        if contents <= room.left and not slower:
            near = (per_block, through, behind)
            if sample == 1:
                some = Some(copies, upto, 1, 1)
                other = pace_between(layer, sharing, some, clocks, True)
                near = (min(near[0], other[0]), min(near[1], other[1]), min(near[2], other[2]))
            whole[n, :6] = (copies, upto, macros, clocks, per_block, through)
            whole[n, 6:] = (near[0], near[1], behind, near[2], linked[0], linked[1])
            real[n, 0], real[n, 2], real[n, 4] = energy, rram, adc
            real[n, 1] = static + macros * scratchpad.leakage
            real[n, 3] = power + macros * scratchpad.peak
            n += 1
        if rest:
            break
        # Blocks follow each other as fast as they can: more macros save a few steps, once.
        rest = per_block <= least[0]
        macros = sample + 1
    return n
