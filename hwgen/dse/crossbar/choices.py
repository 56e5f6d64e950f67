"""What one layer can be, and the least it then costs: the rows of the relaxed problem.

A choice gives a layer with weights its blocks (through its copies), macros and clocks. Everything
here is a lower bound for every design that makes this choice, lasts at most `steps` pipeline steps
and whose step is between `step_low` and `step_high` ns: a step count is taken at the longest step,
a hop as one, and what a layer without weights costs as if nothing were wasted there.
"""

from typing import NamedTuple

import numpy as np

from hwgen.model.compiled import compiled
from hwgen.model.crossbar.allocate import memory_peak
from hwgen.model.crossbar.buffers import (
    PUBLISHED_FILL,
    published_first,
    published_last,
    shape_of,
)
from hwgen.model.crossbar.design import accesses, ceil_div
from hwgen.model.crossbar.tables import (
    ACCESS_NS,
    ADC,
    BUS_BITS,
    CONV,
    DAC,
    DATA_BITS,
    DYNAMIC,
    ELTWISE,
    FC,
    FLIT_BITS,
    HOP,
    KILOBYTES,
    LATENCY,
    LEAKAGE,
    NOC_POWER,
    PEAK,
    POOL,
    POWER,
    RATE,
    RATIO,
    READ_NJ,
    SHIFT_ADD,
    STATIC,
    WRITE_NJ,
    Floats,
    Ints,
    Tables,
)
from hwgen.model.crossbar.timing import (
    ACTIVATE,
    ADD,
    CONVERT,
    LOAD,
    MERGE,
    MVM,
    SHIFT,
    STORE,
    TRANSFER,
    link,
    steps_of,
)

FINEST, COARSEST = 0.004, 0.04
"""Copies closer together than this share are one choice, with the least of each of their costs."""

MACRO_GRAIN = 0.12
"""The same for macros."""

CLOCK_GRAIN = 0.08
"""The same for clocks of fully connected layers."""

MOST_MACROS = 64
"""More macros than this for one layer are one choice: they cost as much as this many."""


class Box(NamedTuple):
    """A part of the design space: steps of an image, ns of a step, a row of scratchpads."""

    steps_low: float
    steps_high: float
    step_low: float
    step_high: float
    memory: int


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


@compiled
def static_share(tables: Tables) -> float:
    """Return the least static power that a watt of peak power of bought components brings.

    Published rules spend the whole budget whatever the step; strict rules buy what is needed.
    """
    if tables.strict:
        return 0.0
    least = 1.0
    for c in range(ADC, len(tables.parts)):
        least = min(least, tables.parts[c, STATIC] / tables.parts[c, PEAK])
    return least


@compiled
def fixed_costs(tables: Tables, box: Box) -> tuple[float, float]:
    """Return nJ and static W of what no choice changes: mesh, layers without weights."""
    energy = 0.0
    static = tables.scalars[NOC_POWER]
    bits, bus = tables.scalars[DATA_BITS], tables.scalars[BUS_BITS]
    row = tables.memories[box.memory]
    for i in range(len(tables.kind)):
        if tables.crossbars[i] > 0:
            continue
        for c in range(len(tables.parts)):
            done = tables.work[i, c] * tables.pixels[i]
            energy += tables.parts[c, LATENCY] * tables.parts[c, DYNAMIC] * done
        loads = tables.cout[i]
        if tables.kind[i] == POOL:
            loads *= tables.kernel[i] ** 2
        elif tables.strict and tables.kind[i] == ELTWISE:
            loads *= tables.provider_start[i + 1] - tables.provider_start[i]
        energy += tables.pixels[i] * loads * bits / bus * row[READ_NJ]
        energy += tables.pixels[i] * tables.cout[i] * bits / bus * row[WRITE_NJ]
    if not tables.strict:
        budget = tables.scalars[POWER] * (1 - tables.scalars[RATIO]) - tables.scalars[NOC_POWER]
        static += static_share(tables) * budget
    return energy, static


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


@compiled
def least_travel(tables: Tables, ns: float, step_ns: float) -> int:
    """Return the steps of a travel of so many flits over a single hop."""
    return steps_of(tables.scalars[HOP] * (1 + ns), step_ns)


@compiled
def loads_and_stores(
    tables: Tables, i: int, copies: int, row_shares: int, copy_shares: int
) -> tuple[float, float]:
    """Return the elements that one macro of layer i reads and writes for a block."""
    wide = tables.column_tiles[i] * tables.slices
    if tables.strict:
        share = ceil_div(copies, copy_shares)
        loaded = float(ceil_div(tables.rows[i], row_shares) * share * wide)
        return loaded, float(share * tables.cout[i])
    loaded = (tables.rows[i] / row_shares) * (copies / copy_shares) * wide
    return loaded, copies * tables.cout[i] / copy_shares


@compiled
def travels(tables: Tables, i: int, share: int, row_shares: int, box: Box) -> tuple[int, int]:
    """Return the least steps of a transfer and of a merge of layer i; 0: nothing is read."""
    bits, flit = tables.scalars[DATA_BITS], tables.scalars[FLIT_BITS]
    transfer = 0
    if tables.provider_start[i + 1] > tables.provider_start[i]:
        pixels = share * tables.stride[i] + tables.kernel[i] if tables.kind[i] == CONV else 1
        flits = np.ceil(pixels * ceil_div(tables.cin[i], row_shares) * bits / flit)
        transfer = least_travel(tables, flits, box.step_high)
    flits = np.ceil(share * tables.cout[i] * bits / flit)
    return transfer, least_travel(tables, flits, box.step_high)


@compiled
def beside_image(tables: Tables, i: int) -> bool:
    """Return whether layer i reads the image through layers without weights alone.

    They work on the very first macro; if that is the only one of layer i, nothing travels.
    """
    for e in range(tables.provider_start[i], tables.provider_start[i + 1]):
        p = tables.provider[e]
        while tables.crossbars[p] == 0:
            if tables.provider_start[p] == tables.provider_start[p + 1]:
                return True
            p = tables.provider[tables.provider_start[p]]
    return False


@compiled
def pace(
    tables: Tables, i: int, copies: int, macros: int, clocks: int, box: Box, scratch: Ints
) -> tuple[int, int]:
    """Return the least steps from block to block, and those of one block from end to end."""
    access = tables.memories[box.memory, ACCESS_NS]
    row_shares = ceil_div(macros, copies)
    copy_shares = ceil_div(macros, row_shares)
    operation, steps, to_next, to_block = scratch[0], scratch[1], scratch[2], scratch[3]
    steps[:] = 1
    n = 0
    share = ceil_div(copies, copy_shares)
    transfer, merge = travels(tables, i, share, row_shares, box)
    loaded, stored = loads_and_stores(tables, i, copies, row_shares, copy_shares)
    # A single macro may be that of the provider; then nothing travels, see `pairs`.
    if transfer > 0 and (
        macros > 1 or (transfer <= tables.bit_steps and not beside_image(tables, i))
    ):
        operation[n], steps[n] = TRANSFER, transfer
        n += 1
    operation[n], steps[n] = LOAD, steps_of(accesses(tables, loaded) * access, box.step_high)
    n += 1
    for what in (MVM, CONVERT, SHIFT, ADD):
        operation[n], steps[n] = what, clocks
        n += 1
    if tables.activated[i] > 0:
        operation[n] = ACTIVATE
        n += 1
    operation[n], steps[n] = STORE, steps_of(accesses(tables, stored) * access, box.step_high)
    n += 1
    if macros > 1:
        operation[n], steps[n] = MERGE, merge
        n += 1
    link(operation, steps, to_next, to_block, n, tables.bit_steps)
    through = to_next[:n].sum()
    last = tables.reader_start[i + 1] == tables.reader_start[i]
    if last and not tables.strict:
        through += 1 - to_next[n - 1]
    return to_block[:n].max(), through


@compiled
def least_energy(tables: Tables, i: int, copies: int, blocks: int, memory: int) -> float:
    """Return nJ an image of layer i that do not depend on time; blocks 0: none partly idle."""
    positions = float(copies * blocks) if blocks > 0 else float(tables.pixels[i])
    energy = 0.0
    for c in range(len(tables.parts)):
        repeats = tables.bit_steps if c in (DAC, ADC, SHIFT_ADD) else 1
        done = tables.work[i, c] * positions * repeats
        energy += tables.parts[c, LATENCY] * tables.parts[c, DYNAMIC] * done
    read = tables.crossbar[3] * tables.crossbar[DYNAMIC]
    energy += read * tables.crossbars[i] * positions * tables.bit_steps
    loaded = tables.rows[i] * tables.column_tiles[i] * tables.slices
    row = tables.memories[memory]
    if blocks > 0:
        energy += blocks * accesses(tables, float(copies * loaded)) * row[READ_NJ]
        energy += blocks * accesses(tables, float(copies * tables.cout[i])) * row[WRITE_NJ]
    else:
        width = tables.scalars[DATA_BITS] / tables.scalars[BUS_BITS]
        energy += positions * width * (loaded * row[READ_NJ] + tables.cout[i] * row[WRITE_NJ])
    return float(energy)


@compiled
def powers(
    tables: Tables, i: int, copies: int, macros: int, clocks: int, box: Box
) -> tuple[float, float, float]:
    """Return static W, peak W of crossbars, and peak W of all, of a choice."""
    crossbars = tables.crossbars[i] * copies
    row = tables.memories[box.memory]
    share = static_share(tables)
    static = tables.crossbar[STATIC] * crossbars + row[LEAKAGE] * macros * (1 - share)
    rram = tables.crossbar[PEAK] * crossbars
    power = rram + memory_peak(tables, box.memory) * macros
    for c in range(len(tables.parts)):
        work = tables.work[i, c] * copies
        if work == 0.0:
            continue
        part = tables.parts[c]
        if c == DAC:
            static += work * (part[STATIC] - share * part[PEAK])
            power += work * part[PEAK]
            continue
        if tables.kind[i] == FC:
            work /= clocks
        count = work / (part[RATE] * box.step_high)
        if tables.kind[i] == FC and not tables.strict:
            count = 0.0
        static += count * (part[STATIC] - share * part[PEAK])
        power += count * part[PEAK]
    return static, rram, power


@compiled
def grain_of(box: Box) -> float:
    """Return how fine the choices of a box must be: a small part of its own size."""
    size = box.steps_high / box.steps_low * box.step_high / box.step_low
    return float(min(COARSEST, max(FINEST, (size - 1) / 20)))


@compiled
def last_of_grain(value: int, grain: float) -> int:
    """Return the largest number that is one choice with `value`."""
    return int(max(value, np.floor(value * (1 + grain))))


@compiled
def range_of_copies(tables: Tables, i: int, box: Box) -> tuple[int, int]:
    """Return the fewest and the most copies of layer i within a box and the budget."""
    if tables.kind[i] == FC:
        return 1, 1
    blocks = int(max(1.0, np.floor(box.steps_high / tables.bit_steps)))
    fewest = ceil_div(tables.pixels[i], min(blocks, tables.pixels[i]))
    return fewest, most_copies(tables, i)


@compiled
def make_choices(tables: Tables, held: Held, box: Box) -> Choices:
    """Return every choice of every layer that a design within a box may make."""
    layers = len(tables.kind)
    begin = np.zeros(layers + 1, np.int64)
    size = 4096
    whole = np.empty((size, 6), np.int64)
    real = np.empty((size, 5))
    n = 0
    scratch = np.zeros((4, 9), np.int64)
    capacity = capacity_elements(tables, box.memory)
    grain = grain_of(box)
    for i in range(layers):
        begin[i] = n
        if tables.crossbars[i] == 0:
            continue
        copies, most = range_of_copies(tables, i, box)
        while copies <= most:
            upto = min(most, last_of_grain(copies, grain))
            first = held.begin[i]
            inputs = (
                held.whole[first + copies : first + upto + 1].min(),
                held.split[first + copies : first + upto + 1].min(),
            )
            clocks = 1
            while clocks < 4096:
                upto_clocks = last_of_grain(clocks, CLOCK_GRAIN)
                if n + MOST_MACROS + 1 > size:
                    size *= 2
                    whole, real = grown(whole, size), grown_real(real, size)
                n = add_choices(
                    tables,
                    i,
                    copies,
                    upto,
                    clocks,
                    upto_clocks,
                    inputs,
                    capacity,
                    box,
                    whole,
                    real,
                    n,
                    scratch,
                )
                if tables.kind[i] != FC or not tables.strict:
                    break
                clocks = upto_clocks + 1
            copies = upto + 1
    begin[layers] = n
    for i in range(layers - 1, -1, -1):
        if tables.crossbars[i] == 0:
            begin[i] = begin[i + 1]
    w, r = whole[:n].T.copy(), real[:n].T.copy()
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
        ceil_div_all(tables, begin, w[1]),
        w[4],
        w[5],
    )


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
def grown(array: Ints, size: int) -> Ints:
    """Return an array with more rows."""
    larger = np.empty((size, array.shape[1]), np.int64)
    larger[: len(array)] = array
    return larger


@compiled
def grown_real(array: Floats, size: int) -> Floats:
    """Return an array with more rows."""
    larger = np.empty((size, array.shape[1]))
    larger[: len(array)] = array
    return larger


@compiled
def is_slower(rows: Ints, per_block: int, through: int) -> bool:
    """Return whether one of some choices is as fast in both, from block to block and through."""
    return bool(np.any((rows[:, 4] <= per_block) & (rows[:, 5] <= through)))


@compiled
def add_choices(
    tables: Tables,
    i: int,
    copies: int,
    upto: int,
    clocks: int,
    upto_clocks: int,
    inputs: tuple[float, float],
    capacity: float,
    box: Box,
    whole: Ints,
    real: Floats,
    n: int,
    scratch: Ints,
) -> int:
    """Add the choices of macros that are worth their price; return the new count."""
    limit = upto * tables.row_tiles[i]
    first = n
    blocks = ceil_div(tables.pixels[i], copies) if copies == upto else 0
    energy = least_energy(tables, i, copies, blocks, box.memory)
    waiting = first_outputs(tables, i)
    macros = 1
    while macros <= limit:
        rest = macros >= MOST_MACROS
        sample = limit if rest else min(limit, last_of_grain(macros, MACRO_GRAIN))
        row_shares = ceil_div(sample, copies)
        if inputs[0 if sample == 1 else 1] / row_shares + waiting <= capacity:
            per_block, through = tables.bit_steps * clocks, 0
            if not rest:
                per_block, through = 1 << 40, 1 << 40
                # Up to as many macros as copies, more copies never load faster.
                for each in range(copies, upto + 1 if sample > copies else copies + 1):
                    other = pace(tables, i, each, sample, clocks, box, scratch)
                    per_block, through = min(per_block, other[0]), min(through, other[1])
                    # One macro more than a multiple of the copies splits rows, and merges more.
                    even = sample // each * each
                    if macros <= even < sample:
                        other = pace(tables, i, each, even, clocks, box, scratch)
                        per_block, through = min(per_block, other[0]), min(through, other[1])
            if not is_slower(whole[first:n], per_block, through):
                static, rram, power = powers(tables, i, copies, macros, upto_clocks, box)
                whole[n] = (copies, upto, macros, clocks, per_block, through)
                adc = tables.work[i, ADC] * copies
                if tables.kind[i] == FC:
                    adc = adc / upto_clocks if tables.strict else 0.0
                real[n] = (energy, static, rram, power, adc)
                n += 1
        if rest:
            break
        macros = sample + 1
    return n
