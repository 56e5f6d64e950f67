"""Facts of pairs of layers that share macros, as the relaxed problem needs them."""

from typing import NamedTuple

import numpy as np

from hwgen.dse.crossbar.boxes import Box, least_scratchpad, scratchpad_peak
from hwgen.dse.crossbar.choices import Choices
from hwgen.dse.crossbar.costs import static_share
from hwgen.dse.crossbar.stages import spared_travel, stage_of
from hwgen.model.compiled import compiled
from hwgen.model.crossbar.tables import (
    ADC,
    FC,
    LEAKAGE,
    PEAK,
    RATE,
    STATIC,
    Ints,
    Tables,
)

PASSING = 3
"""Steps through a layer without weights: it loads, works and stores."""

NOWHERE = -1
"""Tail of a layer whose last block nobody waits for."""


class Turns(NamedTuple):
    """Who may take turns at common ADCs, and when.

    head, tail: least steps before the first and after the last conversion of a layer
    spared: steps of a transfer, or send, that a choice with a single macro is spared if its layer
        lives there with its provider, or reader
    near: [i, p] is 1 if layer i reads layer p, at once or through layers without weights; where
        pixels are sent once, if layer p reads layer i at once
    """

    head: Ints
    tail: Ints
    spared: Ints
    near: Ints


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
    near = np.zeros((count, count), np.int64)
    for i in range(count):
        for e in range(tables.provider_start[i], tables.provider_start[i + 1]):
            p = tables.provider[e]
            if tables.rules.sends:
                # The provider is spared its send, if all its readers are there.
                near[p, i] = tables.crossbars[i] > 0 and tables.crossbars[p] > 0
            elif tables.crossbars[p] > 0:
                near[i, p] = 1
            else:
                near[i] = np.maximum(near[i], near[p])
    return near


@compiled
def spared_transfers(tables: Tables, choices: Choices, box: Box, near: Ints) -> Ints:
    """Return `Turns.spared`: what `stages.pace` counts although a provider may be so near."""
    spared = np.zeros(len(choices.macros), np.int64)
    for i in range(len(tables.kind)):
        stage = stage_of(tables, i, box)
        if near[i].max() == 0:
            continue
        for c in range(choices.begin[i], choices.begin[i + 1]):
            if choices.macros[c] == 1:
                travel = spared_travel(stage, choices.copies_low[c])
                if travel <= tables.bit_steps:
                    spared[c] = travel
    return spared


@compiled
def make_turns(tables: Tables, choices: Choices, box: Box) -> Turns:
    """Return the least ways to and from the ADCs of each layer, and who is next to whom."""
    count = len(tables.kind)
    near = neighbours(tables)
    spared = spared_transfers(tables, choices, box, near)
    through = np.full(count, PASSING)
    head, tail = np.zeros(count, np.int64), np.zeros(count, np.int64)
    for i in range(count):
        begin, end = choices.begin[i], choices.begin[i + 1]
        if begin < end:
            through[i] = (choices.through[begin:end] - spared[begin:end]).min()
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
    return Turns(head, np.maximum(tail, 0), spared, near)


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
