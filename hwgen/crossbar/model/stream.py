"""How often images may follow each other: a stream of them, simulated exactly.

No layer, and no pair at its ADCs, can take more than an image every `Cost.interval` steps. Links of
the mesh may be slower, and images that overlap need more of the scratchpads than one that is alone.
Nothing but the first layer is held back: whatever has its inputs starts.
"""

from typing import NamedTuple

import numpy as np

from hwgen.crossbar.model.buffers import all_waiting, kilobytes_of
from hwgen.crossbar.model.design import Layout
from hwgen.crossbar.model.exact import exact_times, stream_times
from hwgen.crossbar.model.pipeline import Pipeline
from hwgen.crossbar.model.tables import KILOBYTES, Floats, Ints, Tables
from hwgen.crossbar.model.timing import Times, closed_form

FEWEST_IMAGES, IMAGES_AT_A_TIME = 8, 4
"""A stream has so many images, and more for each that is on the chip at the same time."""

LATER, FINER = 200, 100
"""Each image may be this part of an interval later than the one before, in a simulated stream; the
interval is the least but for this part of it."""


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
    tables: Tables, layout: Layout, pipeline: Pipeline, mate: Ints, memory: int, least: int
) -> Stream:
    """Return the stream with the least interval that keeps its pace and fits the scratchpads.

    An interrupt comes through between two streams that are tried.

    memory: capacity of the scratchpads, as a row of `tables.memories`
    least: interval that layers and shared ADCs allow
    """
    alone = int(exact_times(tables, layout, pipeline, mate).done.max())
    fine = max(1, least // FINER)
    too_short, interval, wider = least - 1, least, fine
    found = watch(tables, layout, pipeline, mate, interval)
    while interval < alone and not holds(tables, memory, found):
        too_short, interval, wider = interval, min(interval + wider, alone), 2 * wider
        found = watch(tables, layout, pipeline, mate, interval)
    while interval - too_short > fine:
        middle = (too_short + interval) // 2
        one = watch(tables, layout, pipeline, mate, middle)
        if holds(tables, memory, one):
            interval, found = middle, one
        else:
            too_short = middle
    return found


def watch(tables: Tables, layout: Layout, pipeline: Pipeline, mate: Ints, interval: int) -> Stream:
    """Return what is seen of a stream of so many images that several times the chip is full."""
    alone = int(closed_form(tables, layout, pipeline).done.max())
    images = FEWEST_IMAGES + IMAGES_AT_A_TIME * -(-alone // interval)
    times = stream_times(tables, layout, pipeline, mate, images, interval)
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
            waiting = most_waiting(tables, layout, pipeline, mate, images, interval)
        kilobytes = kilobytes_of(tables, layout, waiting)
    return Stream(images, interval, latency, delay, kilobytes)


def most_waiting(
    tables: Tables, layout: Layout, pipeline: Pipeline, mate: Ints, images: int, interval: int
) -> Floats:
    """Return what waits at most, see `all_waiting`, in the streams of one image to so many.

    The last images of a stream meet less traffic than those before: in a shorter one a layer may
    run ahead of its reader as it never does in the longer one.
    """
    streams = (
        stream_times(tables, layout, pipeline, mate, length, interval)
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
