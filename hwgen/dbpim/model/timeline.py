"""The timeline of a run: what cores, SIMD units, loader and write bus do, from equal spans."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from hwgen.chip.timeline import Interval, Track, merged
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.program import Program
from hwgen.dbpim.model.predict import CycleModel
from hwgen.dbpim.model.sources import Maps
from hwgen.dbpim.model.spans import BEATS, BUS_WORDS, ROWS
from hwgen.dbpim.model.state import CAUSES, SIMD, Ints

MOST_SPANS = 4096
"""A run of up to so many cycles is shown cycle by cycle."""
UNITS = {
    "loader": (BEATS, "beats"),
    "rows of weights": (ROWS, "writes"),
    "write bus": (BUS_WORDS, "words"),
}
"""Units of the chip: what they do, and its name in the timeline."""


class Span(NamedTuple):
    """Cycles from begin on; counts: as a row of `hwgen.dbpim.model.spans.Spans`."""

    begin: int
    end: int
    counts: Ints


def timeline(
    program: Program, arch: Arch, maps: Maps, *, most_spans: int = MOST_SPANS
) -> list[Track]:
    """Return a track for each core, for the SIMD units, the loader and the write bus.

    A span of cycles has the name of what the macros of a core did most of the time.
    """
    found = CycleModel(program, arch).spans(maps, most=most_spans)
    width = found.span_cycles
    spans = [
        Span(begin, min(begin + width, found.cycles), counts)
        for begin, counts in zip(range(0, found.cycles, width), found.spans, strict=False)
    ]
    cores = [
        Track(unit=f"core {core}", intervals=tuple(merged(list(core_intervals(spans, core)))))
        for core in range(arch.cores)
    ]
    simd = Track(unit="SIMD units", intervals=tuple(merged(list(simd_intervals(spans, arch)))))
    units = [
        Track(unit=unit, intervals=tuple(merged(list(unit_intervals(spans, arch, *what)))))
        for unit, what in UNITS.items()
    ]
    return [*cores, simd, *units]


def core_intervals(spans: list[Span], core: int) -> Iterator[Interval]:
    """Yield what a core does most in each span."""
    for span in spans:
        counts = span.counts[core]
        total = int(counts.sum())
        if total:
            most = int(np.argmax(counts))
            yield Interval(
                begin=span.begin,
                end=span.end,
                what=CAUSES[most].replace("_", " "),
                fraction=int(counts[most]) / total,
            )


def simd_intervals(spans: list[Span], arch: Arch) -> Iterator[Interval]:
    """Yield the spans in which SIMD units work."""
    for span in spans:
        counts = int(span.counts[: arch.cores, SIMD].sum())
        if counts:
            most = (span.end - span.begin) * arch.cores * arch.macros_per_core
            yield Interval(
                begin=span.begin, end=span.end, what="parts of words", fraction=counts / most
            )


def unit_intervals(spans: list[Span], arch: Arch, unit: int, what: str) -> Iterator[Interval]:
    """Yield the spans in which a unit of the chip works."""
    for span in spans:
        counts = int(span.counts[arch.cores, unit])
        if counts:
            fraction = counts / (span.end - span.begin)
            yield Interval(begin=span.begin, end=span.end, what=what, fraction=fraction)
