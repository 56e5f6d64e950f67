"""What the scratchpads of a layer hold at least."""

from typing import NamedTuple

import numpy as np

from hwgen.model.compiled import compiled
from hwgen.model.crossbar.buffers import PUBLISHED_FILL, published_first, published_last, shape_of
from hwgen.model.crossbar.design import ceil_div
from hwgen.model.crossbar.tables import (
    CONV,
    DATA_BITS,
    FC,
    KILOBYTES,
    PEAK,
    POWER,
    RATIO,
    Floats,
    Ints,
    Tables,
)


@compiled
def held_inputs(tables: Tables, i: int, copies: int, split: bool) -> float:
    """Return the least input elements that layer i holds at a time in all scratchpads together.

    split: over several macros; the published code then looks at the copies of one of them, here as
    few as there can be
    """
    most = 0.0
    shape = shape_of(tables, i)
    start = tables.window_start[i]
    for block in range(ceil_div(tables.pixels[i], copies)):
        held = 0.0
        begin = block * copies
        for e in range(tables.provider_start[i], tables.provider_start[i + 1]):
            p = tables.provider[e]
            if tables.kind[i] == FC:
                pixels = tables.pixels[p]
            elif tables.strict:
                last = tables.last_pixel[start + min(tables.pixels[i], begin + copies) - 1]
                pixels = last - tables.first_pixel[start + begin] + 1
            else:
                last = published_last(shape, tables.side[p], begin + copies)
                for share in range(1, copies if split else 1):
                    last = min(last, published_last(shape, tables.side[p], begin + share))
                pixels = last - published_first(shape, tables.side[p], begin)
            held += pixels * tables.cout[p]
        most = max(most, held)
    return most


class Held(NamedTuple):
    """Input elements that layers hold: of layer i with D copies at begin[i] + D.

    whole: in a single macro; split: in several
    """

    begin: Ints
    whole: Floats
    split: Floats


@compiled
def most_copies(tables: Tables, i: int) -> int:
    """Return the most copies of layer i that the budget holds."""
    if tables.kind[i] != CONV:
        return 1
    watts = tables.scalars[POWER]
    if not tables.strict:
        watts *= tables.scalars[RATIO]
    most = int(watts / (tables.crossbars[i] * tables.crossbar[PEAK]))
    return int(min(most, tables.pixels[i]))


@compiled
def make_held(tables: Tables) -> Held:
    """Return what layers hold for every number of copies that the budget holds."""
    layers = len(tables.kind)
    begin = np.zeros(layers + 1, np.int64)
    for i in range(layers):
        size = most_copies(tables, i) + 1 if tables.crossbars[i] > 0 else 0
        begin[i + 1] = begin[i] + size
    whole = np.zeros(begin[-1])
    split = np.zeros(begin[-1])
    for i in range(layers):
        for copies in range(1, begin[i + 1] - begin[i]):
            whole[begin[i] + copies] = held_inputs(tables, i, copies, False)
            split[begin[i] + copies] = whole[begin[i] + copies]
            if not tables.strict:
                split[begin[i] + copies] = held_inputs(tables, i, copies, True)
    return Held(begin, whole, split)


@compiled
def first_outputs(tables: Tables, i: int) -> float:
    """Return the outputs that wait when the first reader with the least need begins."""
    begin, end = tables.reader_start[i], tables.reader_start[i + 1]
    if begin == end:
        return 0.0
    least = tables.pixels[i]
    for e in range(begin, end):
        j = tables.reader[e]
        if tables.kind[j] != FC:
            first, last = tables.window_start[j], tables.window_start[j + 1]
            least = min(least, tables.last_pixel[first:last].min())
    if tables.strict:
        return float(least * tables.cout[i])
    return float((least - 1) * tables.cout[i])


@compiled
def capacity_elements(tables: Tables, memory: int) -> float:
    """Return how many elements the scratchpads hold by these rules."""
    fill = 1.0 if tables.strict else PUBLISHED_FILL
    return float(tables.memories[memory, KILOBYTES] * 1024 * 8 / tables.scalars[DATA_BITS] / fill)
