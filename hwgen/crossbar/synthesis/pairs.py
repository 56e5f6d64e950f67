"""Facts of pairs of layers that share macros, as the relaxed problem needs them."""

from typing import NamedTuple

import numpy as np

from hwgen.chip.compiled import compiled
from hwgen.chip.opaque import opaque
from hwgen.crossbar.model.tables import (
    ADC,
    FC,
    LEAKAGE,
    PEAK,
    RATE,
    STATIC,
    IntGrid,
    Ints,
    Tables,
)
from hwgen.crossbar.synthesis.boxes import Box, least_scratchpad, scratchpad_peak
from hwgen.crossbar.synthesis.choices import Choices
from hwgen.crossbar.synthesis.costs import static_share
from hwgen.crossbar.synthesis.cuts import passing

NOWHERE = -1
"""Tail of a layer whose last block nobody waits for."""


@opaque
class Turns(NamedTuple):
    """Who may take turns at common ADCs, and when.

    head, tail: least steps before the first and after the last conversion of a layer
    near: [i, j] is 1 if layer i reads layer j or is read by it, at once or through layers without
        weights: in a single macro with it, less need travel
    """

    head: Ints
    tail: Ints
    near: IntGrid


class Savings(NamedTuple):
    """Peak W and static W that sharing saves: of a conversion in each step, and of a macro."""

    conversion_peak: float
    conversion_static: float
    macro_peak: float
    macro_static: float


@compiled
def savings_of(tables: Tables, box: Box) -> Savings:
    """Return what sharing saves."""
    share = static_share(tables)
    part = tables.parts[ADC]
    count = 1 / (part[RATE] * box.step_high)
    return Savings(
        count * part[PEAK],
        count * max(0.0, part[STATIC] - share * part[PEAK]),
        scratchpad_peak(tables, box),
        least_scratchpad(tables, box)[LEAKAGE] * (1 - share),
    )


@compiled
def neighbours(tables: Tables) -> Ints:
    """Return `Turns.near`."""
    count = len(tables.kind)
    reads = np.zeros((count, count), np.int64)
    for i in range(count):
        for e in range(tables.provider_start[i], tables.provider_start[i + 1]):
            p = tables.provider[e]
            if tables.crossbars[p] > 0:
                reads[i, p] = 1
            else:
                reads[i] = np.maximum(reads[i], reads[p])
    near = np.zeros((count, count), np.int64)
    for i in range(count):
        if tables.crossbars[i] > 0:
            near[i] = np.maximum(near[i], reads[i])
            near[:, i] = np.maximum(near[:, i], reads[i])
    return near


@compiled
def make_turns(tables: Tables, choices: Choices) -> Turns:
    """Return the least ways to and from the ADCs of each layer, and who is next to whom."""
    count = len(tables.kind)
    through = np.array([passing(tables, i) for i in range(count)])
    head, tail = np.zeros(count, np.int64), np.zeros(count, np.int64)
    for i in range(count):
        begin, end = choices.begin[i], choices.begin[i + 1]
        if begin < end:
            through[i] = choices.near_through[begin:end].min()
        for e in range(tables.provider_start[i], tables.provider_start[i + 1]):
            p = tables.provider[e]
            head[i] = max(head[i], head[p] + through[p])
    for i in range(count - 1, -1, -1):
        if tables.reader_start[i] < tables.reader_start[i + 1]:
            tail[i] = NOWHERE
        for e in range(tables.reader_start[i], tables.reader_start[i + 1]):
            r = tables.reader[e]
            if tail[r] > NOWHERE and needs_all(tables, r, i):
                tail[i] = max(tail[i], tail[r] + through[r])
    return Turns(head, np.maximum(tail, 0), neighbours(tables))


@compiled
def needs_all(tables: Tables, i: int, provider: int) -> bool:
    """Return whether the last block of layer i waits for the last one of a provider.

    A stride may leave out the last pixels of a map; they come when they like.
    """
    if tables.kind[i] == FC:
        return True
    return bool(tables.last_pixel[tables.window_start[i + 1] - 1] >= tables.pixels[provider])


@compiled
def busy_steps(tables: Tables, choices: Choices) -> Ints:
    """Return the steps for which each choice takes its ADCs."""
    return tables.bit_steps * choices.blocks * choices.clocks


@compiled
def windows(turns: Turns, box: Box) -> Ints:
    """Return the steps in which each pair [i, j] may use common ADCs."""
    count = len(turns.head)
    steps = np.zeros((count, count), np.int64)
    for i in range(count):
        for j in range(count):
            lost = min(turns.head[i], turns.head[j]) + min(turns.tail[i], turns.tail[j])
            steps[i, j] = int(box.steps_high) - lost
    return steps
