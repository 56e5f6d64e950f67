"""What all units do in equal spans of cycles: the raw material of a timeline, of bounded size.

A span begins as one cycle. When all spans are full, two neighbours become one, and a span has
twice the cycles.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.compiled import compiled
from hwgen.dbpim.model.state import CAUSES, Ints

Spans = NDArray[np.int64]
"""(spans, cores + 1, len(CAUSES)): cycles of the macros of each core by cause; in the last row,
what the chip does: BEATS, ROWS and BUS_WORDS."""

BEATS, ROWS, BUS_WORDS = range(3)
"""Cycles in which the loader moves a beat, a row of weights is written, a word is on the bus."""


def new_spans(cores: int, most: int) -> Spans:
    """Return empty spans, at most `most` (an even number); 0: no timeline."""
    return np.zeros((most, cores + 1, len(CAUSES)), np.int64)


@compiled
def new_counts(cores: int) -> Ints:
    """Return counts of a row of spans: nothing is spent."""
    return np.zeros((cores + 1, len(CAUSES)), np.int64)


@compiled
def account(spent: Ints, causes: Ints, step: int, now: int) -> int:
    """Return the step that runs now; another one gets what all cores spent and none before has."""
    if step == now:
        return step
    for cause in range(causes.shape[1]):
        before = causes[:, cause].sum()
        causes[step, cause] += spent[:-1, cause].sum() - before
    return now


@compiled
def keep_span(
    t: int, spans: Any, spent: Ints, kept: Ints, cycles: int, units: tuple[bool, bool, bool]
) -> int:
    """Keep what was spent in the span that ends with cycle t, if one does; return its cycles.

    units: whether the loader moves a beat, a row is written, a word is on the bus
    """
    spent[-1, BEATS] += units[0]
    spent[-1, ROWS] += units[1]
    spent[-1, BUS_WORDS] += units[2]
    if t % cycles:
        return cycles
    place = t // cycles - 1
    spans[place] = spent - kept
    kept[:] = spent
    if place < len(spans) - 1:
        return cycles
    half = len(spans) // 2
    for pair in range(half):
        spans[pair] = spans[2 * pair] + spans[2 * pair + 1]
    spans[half:] = 0
    return 2 * cycles


@compiled
def keep_rest(t: int, spans: Any, spent: Ints, kept: Ints, cycles: int) -> None:
    """Keep what was spent since the last span, at the end of a run of t cycles."""
    if len(spans) and t % cycles:
        spans[t // cycles] = spent - kept
