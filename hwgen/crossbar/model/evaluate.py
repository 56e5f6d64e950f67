"""What a design costs at its converged scratchpad size: of one image, and of a stream of them.

No layer, and no pair at its ADCs, can take more than an image every `Cost.interval` steps. Links of
the mesh may be slower, and images that overlap need more of the scratchpads than one that is alone.
So a stream is simulated exactly. Nothing but the first layer is held back: whatever has its inputs
starts.
"""

from typing import NamedTuple

import numpy as np

from hwgen.chip.compiled import compiled
from hwgen.crossbar.model.allocate import (
    FEASIBLE,
    NO_MEMORY,
    TOO_MANY_MACROS,
    Allocation,
    allocate,
    chain_additions,
    is_raised,
)
from hwgen.crossbar.model.buffers import all_waiting, kilobytes_of, memory_class
from hwgen.crossbar.model.design import Design, Layout, accesses, lay_out, most_macros
from hwgen.crossbar.model.exact import exact_times, stream_times
from hwgen.crossbar.model.pipeline import Pipeline, make_pipeline
from hwgen.crossbar.model.tables import (
    ADC,
    ADDITION,
    BY_ENERGY,
    BY_TIME,
    DAC,
    DYNAMIC,
    FLOOR,
    KILOBYTES,
    LATENCY,
    LEAKAGE,
    NOC_POWER,
    OPERATIONS,
    POOL,
    READ_NJ,
    SHIFT_ADD,
    STATIC,
    STREAM,
    WRITE_NJ,
    Floats,
    Ints,
    Tables,
)
from hwgen.crossbar.model.timing import Times, closed_form
from hwgen.crossbar.model.traffic import block_reads, block_words

PUBLISHED_ROUNDS = 10

FEWEST_IMAGES, IMAGES_AT_A_TIME = 8, 4
"""A stream has so many images, and more for each that is on the chip at the same time."""

LATER, FINER = 200, 100
"""Each image may be this part of an interval later than the one before, in a simulated stream; the
interval is the least but for this part of it."""


class Energy(NamedTuple):
    """nJ an image: components, crossbars, accesses of scratchpads, their leakage, the mesh."""

    components: float
    crossbars: float
    accesses: float
    leakage: float
    mesh: float


class Cost(NamedTuple):
    """What a design costs for one image.

    failure: FEASIBLE or why it cannot be built; then nothing else means anything
    efficiency: operations over `price_of`: a nJ, which is GOPS/W, a ns, or a nJ ns
    energy_nj: of one image alone
    converged: the scratchpads are of the size that the times ask for
    """

    failure: int
    efficiency: float
    energy_nj: float
    steps: int
    step_ns: float
    interval: int
    peak_w: float
    memory: int
    converged: bool


@compiled
def energy_of(
    tables: Tables, layout: Layout, allocation: Allocation, memory: int, steps: int
) -> Energy:
    """Return the energy of one image (sheet, section 3)."""
    time = steps * allocation.step_ns
    parts = tables.parts
    components = 0.0
    crossbars = 0.0
    accessed = 0.0
    for i in range(len(tables.kind)):
        copies, blocks = layout.copies[i], layout.blocks[i]
        for c in range(len(parts)):
            repeats = tables.bit_steps if c in (DAC, ADC, SHIFT_ADD) else 1
            done = tables.work[i, c] * copies * blocks * repeats
            if c == ADDITION:
                done += chain_additions(tables, layout, i) * blocks
            components += parts[c, STATIC] * allocation.counts[i, c] * time
            components += parts[c, LATENCY] * parts[c, DYNAMIC] * done
        if tables.crossbars[i] > 0:
            count = tables.crossbars[i] * copies
            crossbars += tables.crossbar[STATIC] * count * time
            read = tables.crossbar[3] * tables.crossbar[DYNAMIC]
            crossbars += read * count * blocks * tables.bit_steps
        accessed += image_energy(tables, layout, memory, i)
        accessed += blocks * block_energy(tables, layout, memory, i)
    leakage = layout.total_macros * tables.memories[memory, LEAKAGE] * time
    return Energy(components, crossbars, accessed, leakage, tables.scalars[NOC_POWER] * time)


@compiled
def energy_nj(
    tables: Tables, layout: Layout, allocation: Allocation, memory: int, steps: int
) -> float:
    """Return the energy of one image."""
    energy = energy_of(tables, layout, allocation, memory, steps)
    return energy.components + energy.crossbars + energy.accesses + energy.leakage + energy.mesh


def price_of(
    tables: Tables, layout: Layout, allocation: Allocation, memory: int, steps: int
) -> float:
    """Return what the objective makes small, of an image of so many steps: nJ, ns, or nJ ns."""
    price = 1.0
    if tables.scalars[BY_ENERGY] > 0:
        price = energy_nj(tables, layout, allocation, memory, steps)
    if tables.scalars[BY_TIME] > 0:
        price *= steps * allocation.step_ns
    return float(price)


@compiled
def block_energy(tables: Tables, layout: Layout, memory: int, i: int) -> float:
    """Return the energy of all accesses to scratchpads of a block of layer i, its send's too."""
    row = tables.memories[memory]
    if not tables.rules.one_port:
        loaded, stored = published_accesses(tables, layout, i)
        return float(loaded * row[READ_NJ] + stored * row[WRITE_NJ])
    words = block_words(tables, i, layout.copies[i])
    reads, writes = block_reads(tables, i, layout.copies[i]), words
    reads += words if layout.transfer[i] > 0 else 0
    for e in range(tables.reader_start[i], tables.reader_start[i + 1]):
        r = tables.reader[e]
        if layout.shared_macros[r] > 1 or layout.first_macro[r] != layout.merge_macro[i]:
            writes += words * layout.shared_macros[r]
    return float(reads * row[READ_NJ] + writes * row[WRITE_NJ])


@compiled
def published_accesses(tables: Tables, layout: Layout, i: int) -> tuple[float, float]:
    """Return the reads and writes of a block; each crossbar reads its own inputs."""
    loaded = stored = float(layout.copies[i] * tables.cout[i])
    if tables.crossbars[i] > 0:
        loaded = float(layout.copies[i] * tables.rows[i])
        loaded *= tables.column_tiles[i] * tables.slices
    elif tables.kind[i] == POOL:
        loaded *= tables.taps[i]
    return accesses(tables, loaded), accesses(tables, stored)


@compiled
def image_energy(tables: Tables, layout: Layout, memory: int, i: int) -> float:
    """Return the energy of writing the image in all macros of layer i."""
    words = accesses(tables, float(tables.image[i]))
    return float(words * layout.shared_macros[i] * tables.memories[memory, WRITE_NJ])


def simulate(
    tables: Tables, design: Design, layout: Layout, memory: int, step_ns: float, exact: bool
) -> Times:
    """Return the times of a design; `memory` -1: before anything is known of scratchpads."""
    pipeline = make_pipeline(tables, layout, design.clocks, memory, step_ns)
    if exact:
        return exact_times(tables, layout, pipeline, design.partner)
    return closed_form(tables, layout, pipeline)


def failed(why: int) -> Cost:
    """Return the cost of what cannot be built."""
    return Cost(why, 0.0, 0.0, 0, 0.0, 0, 0.0, 0, False)


@compiled
def within_limits(tables: Tables, design: Design, layout: Layout) -> bool:
    """Return whether each macro has at least one row tile of one copy (rule c)."""
    for i in range(len(tables.kind)):
        if tables.crossbars[i] == 0:
            continue
        if layout.shared_macros[i] > most_macros(tables, layout.copies[i], i):
            return False
        if layout.shared_macros[i] < 1:
            return False
    return True


def cost_of(
    tables: Tables,
    design: Design,
    layout: Layout,
    allocation: Allocation,
    memory: int,
    times: Times,
    converged: bool,
) -> Cost:
    """Return the cost of a design that can be built and has these times."""
    interval = interval_of(tables, design, layout, times)
    steps = interval if tables.scalars[STREAM] > 0 else times.end
    return Cost(
        FEASIBLE,
        float(tables.scalars[OPERATIONS] / price_of(tables, layout, allocation, memory, steps)),
        energy_nj(tables, layout, allocation, memory, times.end),
        times.end,
        allocation.step_ns,
        interval,
        allocation.peak_w,
        memory,
        converged,
    )


def evaluate(tables: Tables, design: Design, exact: bool) -> Cost:
    """Return the cost of a design; with `exact` conflicts count, else times are a lower bound.

    Scratchpad capacity and times depend on each other. The published code repeats until the
    capacity stays, ten times at most; strict rules let it only grow, so it always converges.
    Tables say whether macros are identical.
    """
    return settled(tables, design, exact, is_raised(tables))


def evaluate_identical(tables: Tables, design: Design, exact: bool) -> Cost:
    """Return the cost of a design with identical macros, whatever the tables say."""
    return settled(tables, design, exact, True)


def settled(tables: Tables, design: Design, exact: bool, raised: bool) -> Cost:
    """Return the cost at the scratchpad size that times ask for; raised: see `allocate`."""
    layout = lay_out(tables, design)
    if not within_limits(tables, design, layout):
        return failed(TOO_MANY_MACROS)
    memory = 0
    if not tables.rules.one_port:
        times = simulate(tables, design, layout, -1, tables.scalars[FLOOR], exact)
        memory = memory_class(tables, layout, times)
    for _ in range(PUBLISHED_ROUNDS):
        if memory >= len(tables.memories):
            return failed(NO_MEMORY)
        allocation = allocate(tables, design, layout, memory, raised)
        if allocation.failure != FEASIBLE:
            return failed(allocation.failure)
        times = simulate(tables, design, layout, memory, allocation.step_ns, exact)
        needed = memory_class(tables, layout, times)
        converged = needed <= memory if tables.rules.one_port else needed == memory
        used = memory
        memory = needed
        if converged:
            break
    return cost_of(tables, design, layout, allocation, used, times, converged)


@compiled
def interval_of(tables: Tables, design: Design, layout: Layout, times: Times) -> int:
    """Return the least steps from one image to the next: the slowest layer, or pair at its ADCs."""
    interval = times.interval
    for i in range(len(tables.kind)):
        j = design.partner[i]
        if j > i:
            turns = layout.blocks[i] * design.clocks[i] + layout.blocks[j] * design.clocks[j]
            interval = max(interval, tables.bit_steps * turns)
    return interval


class Stream(NamedTuple):
    """What was seen of a stream that goes on for ever.

    images: that were simulated
    interval: steps from one image to the next
    latency: steps of the slowest image, of those that were through before images ended to come
    delay: steps by which the later ones of them took longer, for each image; -1: too few were seen
    kilobytes: what the fullest scratchpad must have room for, so that a stream of any length up to
        this one finds it, or this one alone if it does not keep its pace; 0 by published rules,
        which do not ask
    """

    images: int
    interval: int
    latency: int
    delay: int
    kilobytes: float


def steady_stream(
    tables: Tables, layout: Layout, pipeline: Pipeline, partner: Ints, memory: int, least: int
) -> Stream:
    """Return the stream with the least interval that keeps its pace and fits the scratchpads.

    An interrupt comes through between two streams that are tried.

    memory: capacity of the scratchpads, as a row of `tables.memories`
    least: interval that layers and shared ADCs allow
    """
    alone = int(exact_times(tables, layout, pipeline, partner).done.max())
    fine = max(1, least // FINER)
    too_short, interval, wider = least - 1, least, fine
    found = watch(tables, layout, pipeline, partner, interval)
    while interval < alone and not holds(tables, memory, found):
        too_short, interval, wider = interval, min(interval + wider, alone), 2 * wider
        found = watch(tables, layout, pipeline, partner, interval)
    while interval - too_short > fine:
        middle = (too_short + interval) // 2
        one = watch(tables, layout, pipeline, partner, middle)
        if holds(tables, memory, one):
            interval, found = middle, one
        else:
            too_short = middle
    return found


def watch(
    tables: Tables, layout: Layout, pipeline: Pipeline, partner: Ints, interval: int
) -> Stream:
    """Return what is seen of a stream of so many images that several times the chip is full."""
    alone = int(closed_form(tables, layout, pipeline).done.max())
    images = FEWEST_IMAGES + IMAGES_AT_A_TIME * -(-alone // interval)
    times = stream_times(tables, layout, pipeline, partner, images, interval)
    latencies = seen_latencies(layout, times, images, interval)
    half = len(latencies) // 2
    delay, latency = -1, 0
    if half > 0:
        later = int(latencies[half:].max() - latencies[:half].max())
        delay, latency = -(-max(0, later) // half), int(latencies.max())
    kilobytes = 0.0
    if tables.rules.send_once:
        waiting = all_waiting(tables, layout, times)
        if keeps_pace(delay, interval):
            waiting = most_waiting(tables, layout, pipeline, partner, images, interval)
        kilobytes = kilobytes_of(tables, layout, waiting)
    return Stream(images, interval, latency, delay, kilobytes)


def most_waiting(
    tables: Tables, layout: Layout, pipeline: Pipeline, partner: Ints, images: int, interval: int
) -> Floats:
    """Return what waits at most, see `all_waiting`, in the streams of one image to so many.

    The last images of a stream meet less traffic than those before: in a shorter one a layer may
    run ahead of its reader as it never does in the longer one.
    """
    streams = (
        stream_times(tables, layout, pipeline, partner, length, interval)
        for length in range(1, images + 1)
    )
    most: Floats = np.max([all_waiting(tables, layout, times) for times in streams], axis=0)
    return most


def seen_latencies(layout: Layout, times: Times, images: int, interval: int) -> Ints:
    """Return the steps of each image that is through before no more come, which spares it turns."""
    last = np.arange(1, images + 1) * layout.blocks[:, None] - 1
    ends = times.done[times.block_start[:-1, None] + last].max(axis=0)
    latencies: Ints = (ends - np.arange(images) * interval)[ends <= images * interval]
    return latencies


def holds(tables: Tables, memory: int, stream: Stream) -> bool:
    """Return whether a stream keeps its pace and its scratchpads are large enough."""
    enough = stream.kilobytes <= tables.memories[memory, KILOBYTES]
    return bool(enough and keeps_pace(stream.delay, stream.interval))


def keeps_pace(delay: int, interval: int) -> bool:
    """Return whether later images of a stream take no longer than those before, see `Stream`."""
    return 0 <= delay <= interval // LATER
