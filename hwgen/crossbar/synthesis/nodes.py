"""Nodes: parts of the design space, what a layer costs in one at least, and a first bound of all.

A node is bounded in time, over some scratchpads and some ratios. If an image takes at most so many
steps, every convolution needs enough copies to be done by then; their crossbars, converters and
memories are there, and leak for as long as an image takes at least (`scan`).

Where designs are judged by a stream, the steps of a node are those from one image to the next: a
layer is done with an image by then, but no path through all layers is.
"""

from typing import NamedTuple

import numpy as np

from hwgen.chip.compiled import compiled
from hwgen.chip.opaque import opaque
from hwgen.crossbar.model.allocate import memory_peak
from hwgen.crossbar.model.design import accesses
from hwgen.crossbar.model.tables import (
    ADC,
    BUS_BITS,
    BY_ENERGY,
    BY_TIME,
    CONV,
    DAC,
    DATA_BITS,
    DYNAMIC,
    FC,
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
    STREAM,
    WRITE_NJ,
    Floats,
    Ints,
    Tables,
)
from hwgen.crossbar.model.traffic import ceil_div

COPIES_LOW, COPIES_HIGH, MACROS_HIGH, CLOCKS_LOW, CLOCKS_HIGH, PARTNERS = range(6)
"""Rows of ranges; columns are layers. All ends are included.

From the row `PARTNERS` on, a row for each layer: 1 under the layers that it may share macros with,
and under itself where it may have its own.
"""

FOREVER = 1 << 40

MOST_CLOCKS = 1 << 20
"""Clocks of a fully connected layer at which its converters cost nothing."""


@opaque
class Node(NamedTuple):
    """A part of the design space.

    steps_low, steps_high: of an image, or from one to the next in a stream
    step_low, step_high: ns of a step
    memory, most_memory: rows of scratchpads
    ratio_low, ratio_high: of the published RatioRram
    """

    steps_low: float
    steps_high: float
    step_low: float
    step_high: float
    memory: int
    most_memory: int
    ratio_low: float
    ratio_high: float


class Scratchpad(NamedTuple):
    """The least of each figure of the scratchpads of a node.

    row: in the form of `Tables.memories`
    leakage: W that one adds to the static power; peak: W
    """

    row: Floats
    leakage: float
    peak: float


def node_at(
    tables: Tables, steps: tuple[float, float], step_ns: tuple[float, float], memory: int
) -> Node:
    """Return a node with one size of scratchpads, at the ratio of its tables."""
    ratio = float(tables.scalars[RATIO])
    return Node(*steps, *step_ns, memory, memory, ratio, ratio)


@compiled
def least_scratchpad(tables: Tables, node: Node) -> Floats:
    """Return, in the form of `Tables.memories`, the least of each figure of a scratchpad."""
    row: Floats = tables.memories[node.memory].copy()
    for memory in range(node.memory + 1, node.most_memory + 1):
        row = np.minimum(row, tables.memories[memory])
    return row


@compiled
def scratchpad_peak(tables: Tables, node: Node) -> float:
    """Return the least peak power of a scratchpad."""
    least = memory_peak(tables, node.memory)
    for memory in range(node.memory + 1, node.most_memory + 1):
        least = min(least, memory_peak(tables, memory))
    return float(least)


@compiled
def fewest_copies(tables: Tables, i: int, steps: float) -> int:
    """Return the copies that layer i needs to convert all its blocks within so many steps."""
    if tables.kind[i] != CONV:
        return 1
    blocks = max(1, int(steps / tables.bit_steps))
    return int(ceil_div(tables.pixels[i], min(blocks, tables.pixels[i])))


@compiled
def most_copies(tables: Tables, i: int) -> int:
    """Return the most copies of layer i that the budget holds."""
    if tables.kind[i] != CONV:
        return 1
    watts = tables.scalars[POWER]
    if not tables.rules.whole_parts:
        watts *= tables.scalars[RATIO]
    most = int(watts / (tables.crossbars[i] * tables.crossbar[PEAK]))
    return int(min(most, tables.pixels[i]))


def all_ranges(layers: int) -> Ints:
    """Return ranges that hold everything."""
    ranges = np.ones((PARTNERS + layers, layers), np.int64)
    ranges[[COPIES_HIGH, MACROS_HIGH, CLOCKS_HIGH]] = FOREVER
    return ranges


@compiled
def static_share(tables: Tables) -> float:
    """Return the least static power that a watt of peak power of bought components brings.

    Published rules spend the whole budget whatever the step; strict rules buy what is needed.
    """
    if tables.rules.whole_parts:
        return 0.0
    least = 1.0
    for c in range(ADC, len(tables.parts)):
        least = min(least, tables.parts[c, STATIC] / tables.parts[c, PEAK])
    return least


@compiled
def scratchpad_of(tables: Tables, node: Node) -> Scratchpad:
    """Return what the scratchpads of a node cost at least."""
    row = least_scratchpad(tables, node)
    leakage = row[LEAKAGE] * (1 - static_share(tables))
    return Scratchpad(row, leakage, scratchpad_peak(tables, node))


@compiled
def rounding_up(tables: Tables, node: Node) -> float:
    """Return by what factor the published allocation may exceed the peripheral share of the budget.

    It spends that share, rounds all counts up, and takes the step that they then allow. The longest
    work is cut by the least part, so a step is hardly shorter than the budget paid for.
    """
    longest = 0.0
    for i in range(len(tables.kind)):
        if tables.kind[i] == CONV:
            done = (
                fewest_copies(tables, i, node.steps_high) * tables.work[i] / tables.parts[:, RATE]
            )
            longest = max(longest, done[ADC:].max())
    if longest <= node.step_high:
        return np.inf
    return float(1 / (1 - node.step_high / longest))


@compiled
def fixed_costs(tables: Tables, node: Node) -> tuple[float, float]:
    """Return nJ and static W of what no choice changes: mesh, layers without weights."""
    energy = 0.0
    static = tables.scalars[NOC_POWER]
    bits, bus = tables.scalars[DATA_BITS], tables.scalars[BUS_BITS]
    row = least_scratchpad(tables, node)
    for i in range(len(tables.kind)):
        if tables.crossbars[i] > 0:
            continue
        for c in range(len(tables.parts)):
            done = tables.work[i, c] * tables.pixels[i]
            energy += tables.parts[c, LATENCY] * tables.parts[c, DYNAMIC] * done
        if tables.rules.one_port and tables.kind[i] == POOL:
            energy += tables.pixels[i] * tables.copy_reads[i] * row[READ_NJ]
        else:
            taps = tables.taps[i] if tables.kind[i] == POOL else 1
            energy += tables.pixels[i] * tables.cout[i] * taps * bits / bus * row[READ_NJ]
        energy += tables.pixels[i] * tables.cout[i] * bits / bus * row[WRITE_NJ]
    if not tables.rules.whole_parts:
        budget = tables.scalars[POWER] * (1 - node.ratio_high) - tables.scalars[NOC_POWER]
        static += static_share(tables) * budget
    return energy, static


@compiled
def least_energy(tables: Tables, i: int, copies: int, blocks: int, row: Floats) -> float:
    """Return nJ an image of layer i that do not depend on time; blocks 0: none partly idle.

    row: of scratchpads
    """
    positions = float(copies * blocks) if blocks > 0 else float(tables.pixels[i])
    energy = 0.0
    for c in range(len(tables.parts)):
        repeats = tables.bit_steps if c in (DAC, ADC, SHIFT_ADD) else 1
        done = tables.work[i, c] * positions * repeats
        energy += tables.parts[c, LATENCY] * tables.parts[c, DYNAMIC] * done
    read = tables.crossbar[3] * tables.crossbar[DYNAMIC]
    energy += read * tables.crossbars[i] * positions * tables.bit_steps
    loaded = tables.rows[i] * tables.column_tiles[i] * tables.slices
    if tables.rules.one_port:
        energy += positions * tables.copy_reads[i] * row[READ_NJ]
        energy += positions * tables.cout[i] / tables.word * row[WRITE_NJ]
    elif blocks > 0:
        energy += blocks * accesses(tables, float(copies * loaded)) * row[READ_NJ]
        energy += blocks * accesses(tables, float(copies * tables.cout[i])) * row[WRITE_NJ]
    else:
        width = tables.scalars[DATA_BITS] / tables.scalars[BUS_BITS]
        energy += positions * width * (loaded * row[READ_NJ] + tables.cout[i] * row[WRITE_NJ])
    return float(energy)


@compiled
def powers(
    tables: Tables, i: int, copies: int, clocks: int, node: Node
) -> tuple[float, float, float]:
    """Return static W, peak W of crossbars, and peak W of all, of a choice but for its macros."""
    crossbars = tables.crossbars[i] * copies
    share = static_share(tables)
    static = tables.crossbar[STATIC] * crossbars
    rram = tables.crossbar[PEAK] * crossbars
    power = rram
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
        count = work / (part[RATE] * node.step_high)
        if tables.kind[i] == FC and not tables.rules.used_columns:
            count = 0.0
        static += count * (part[STATIC] - share * part[PEAK])
        power += count * part[PEAK]
    return static, rram, power


@compiled
def fewest_steps(tables: Tables) -> int:
    """Return steps that every image takes: those of one block through the longest way.

    A layer with weights loads, reads and converts, then feeds all bits through shift and add, adds
    and stores; another one loads, works and stores. An image may end where its last step starts.
    """
    reached = np.zeros(len(tables.kind), np.int64)
    for i in range(len(tables.kind)):
        for e in range(tables.provider_start[i], tables.provider_start[i + 1]):
            reached[i] = max(reached[i], reached[tables.provider[e]])
        reached[i] += tables.bit_steps + 5 if tables.crossbars[i] > 0 else 3
    return int(reached.max())


@compiled
def scan(tables: Tables, node: Node) -> float:
    """Return nJ that no design of a node is below; inf: none fits.

    Sharing saves at most half of all conversions, and half of the macros.
    """
    if tables.scalars[STREAM] == 0 and node.steps_high < fewest_steps(tables):
        return np.inf
    energy, static = fixed_costs(tables, node)
    scratchpad = least_scratchpad(tables, node)
    rram, power = 0.0, tables.scalars[NOC_POWER]
    part = tables.parts[ADC]
    for i in range(len(tables.kind)):
        if tables.crossbars[i] == 0:
            continue
        copies = fewest_copies(tables, i, node.steps_high)
        energy += least_energy(tables, i, copies, 0, scratchpad)
        of_layer = powers(tables, i, copies, MOST_CLOCKS, node)
        spared = 0.0
        if tables.kind[i] == CONV:
            spared = tables.work[i, ADC] * copies / (part[RATE] * node.step_high) / 2
        static += of_layer[0] - max(0.0, spared * part[STATIC])
        rram += of_layer[1]
        power += of_layer[2] - spared * part[PEAK]
        power += scratchpad_peak(tables, node) / 2
        if tables.rules.whole_parts:
            static += scratchpad[LEAKAGE] / 2
    if power > tables.scalars[POWER]:
        return np.inf
    if not tables.rules.whole_parts and rram > tables.scalars[POWER] * node.ratio_high:
        return np.inf
    return float(energy + max(0.0, static) * node.steps_low * node.step_low)


FAR = 10.0
"""No image takes more than this many times the energy of the whole budget for its time."""


def price_in(tables: Tables, node: Node, energy_nj: float) -> float:
    """Return the price that no design of a node is below; energy_nj: that none is below."""
    if energy_nj == np.inf:
        return np.inf
    price = energy_nj if tables.scalars[BY_ENERGY] > 0 else 1.0
    if tables.scalars[BY_TIME] > 0:
        price *= node.steps_low * node.step_low
    return float(price)


def energy_target(tables: Tables, node: Node, target_price: float) -> float:
    """Return nJ above which no design of a node has a price below the target; 0: none has."""
    if tables.scalars[BY_TIME] == 0:
        return target_price
    shortest = node.steps_low * node.step_low
    if tables.scalars[BY_ENERGY] > 0:
        return target_price / shortest
    longest = min(node.steps_high * node.step_high, target_price)
    return float(FAR * tables.scalars[POWER] * longest) if shortest < target_price else 0.0
