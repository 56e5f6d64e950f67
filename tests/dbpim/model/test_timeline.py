"""The timeline of a run: exact where every cycle has its span, of bounded size, without effect."""

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from golden.network import infer
from hwgen.chip.timeline import Interval, Track, merged
from hwgen.dbpim.compiler.compile import compile_network
from hwgen.dbpim.model import CycleModel, timeline
from hwgen.dbpim.model.spans import BEATS, BUS_WORDS, account, keep_rest, keep_span, new_spans
from hwgen.dbpim.model.state import BUSY, CAUSES, SIMD
from hwgen.dbpim.model.timeline import MOST_SPANS
from tests.dbpim.compiler.archs import TINY
from verif.dbpim.directed_network import directed
from verif.dbpim.random_network import random_images

LATE = replace(TINY, memory_latency_cycles=40)


@pytest.fixture(scope="module")
def run() -> tuple[Any, Any]:
    """A program, and the maps of its images."""
    network = directed("narrow")
    images = random_images(network, 1, seed=0)
    return compile_network(network, LATE, images=1), infer(network, images)


@pytest.mark.promise(
    "a timeline shows what each unit does, cycle by cycle, in spans where a run is long, and"
    " changes no figure"
)
def test_spans_add_up_to_the_causes_of_the_steps(run: tuple[Any, Any]) -> None:
    program, maps = run
    plain = CycleModel(program, LATE).predict(maps)
    found = CycleModel(program, LATE).spans(maps, most=4096)
    assert (found.cycles, found.load, found.span_cycles) == (plain.cycles, plain.load, 1)
    macros = LATE.cores * LATE.macros_per_core
    cores = found.spans[:, : LATE.cores]
    assert (cores[: found.cycles].sum(axis=(1, 2)) == macros).all()
    assert not cores[found.cycles :].any()
    assert (cores.sum(axis=(0, 1)) == found.causes.sum(axis=0)).all()
    retired = [0, *found.retired.tolist()]
    for step, (begin, end) in enumerate(itertools.pairwise(retired)):
        assert (cores[begin:end].sum(axis=(0, 1)) == found.causes[step]).all()
    units = found.spans[: found.cycles, LATE.cores]
    assert 0 < units[:, BEATS].sum() <= found.cycles and units[:, BUS_WORDS].max() <= 1


@pytest.mark.parametrize("most", [2, 16])
def test_a_long_run_has_no_more_spans_than_wanted(run: tuple[Any, Any], most: int) -> None:
    program, maps = run
    exact = CycleModel(program, LATE).spans(maps, most=4096)
    found = CycleModel(program, LATE).spans(maps, most=most)
    width = found.span_cycles
    assert (
        width == 1 << (width.bit_length() - 1) and most // 2 * width <= found.cycles < most * width
    )
    parts = np.add.reduceat(exact.spans[: exact.cycles], range(0, exact.cycles, width))
    assert (found.spans[: len(parts)] == parts).all()
    assert not found.spans[len(parts) :].any()
    assert (found.causes == exact.causes).all()


def test_spans_double_when_all_are_full() -> None:
    spans, kept = new_spans(1, 4), np.zeros((2, len(CAUSES)), np.int64)
    spent, cycles = kept.copy(), 1
    for t in range(1, 12):
        spent[0, t % 2] += t
        cycles = keep_span(t, spans, spent, kept, cycles, (True, t % 3 == 0, False))
    assert cycles == 4
    assert spans[:2, 0, :2].tolist() == [[6, 4], [14, 12]] and not spans[2:].any()
    assert spans[:2, 1, :3].tolist() == [[4, 1, 0], [4, 1, 0]]
    keep_rest(11, spans, spent, kept, cycles)
    assert spans[2, 0, :2].tolist() == [10, 20]


def test_a_step_has_what_no_step_before_it_has() -> None:
    causes, spent = np.zeros((2, 3), np.int64), np.arange(9).reshape(3, 3)
    assert account(spent, causes, 0, 0) == 0 and not causes.any()
    assert account(spent, causes, 0, 1) == 1
    assert account(spent + 1, causes, 1, -1) == -1
    assert causes.tolist() == [[3, 5, 7], [2, 2, 2]]


def unit(tracks: list[Track], name: str) -> Track:
    (found,) = [track for track in tracks if track.unit == name]
    return found


def test_every_unit_has_a_track(run: tuple[Any, Any]) -> None:
    program, maps = run
    tracks = timeline(program, LATE, maps)
    names = [f"core {core}" for core in range(LATE.cores)]
    units = [*names, "SIMD units", "loader", "rows of weights", "write bus"]
    assert [track.unit for track in tracks] == units
    found = CycleModel(program, LATE).spans(maps, most=MOST_SPANS)
    for core in range(LATE.cores):
        intervals = unit(tracks, f"core {core}").intervals
        assert (intervals[0].begin, intervals[-1].end) == (0, found.cycles)
        assert all(one.end == two.begin for one, two in itertools.pairwise(intervals))
        assert all(one.what != two.what for one, two in itertools.pairwise(intervals))
        most = found.spans[: found.cycles, core].argmax(axis=1)
        busy = sum(each.end - each.begin for each in intervals if each.what == "busy")
        assert busy == np.count_nonzero(most == BUSY)
    for name, column in (("loader", BEATS), ("write bus", BUS_WORDS)):
        shown = sum(each.end - each.begin for each in unit(tracks, name).intervals)
        assert shown == found.spans[:, LATE.cores, column].sum()
    simd = sum(each.end - each.begin for each in unit(tracks, "SIMD units").intervals)
    assert simd == np.count_nonzero(found.spans[:, : LATE.cores, SIMD].sum(axis=1))


def test_intervals_that_touch_become_one() -> None:
    def interval(begin: int, end: int, what: str, fraction: float) -> Interval:
        return Interval(begin=begin, end=end, what=what, fraction=fraction)

    given = [interval(0, 2, "a", 1.0), interval(2, 4, "a", 0.5), interval(4, 5, "b", 1.0)]
    later = interval(6, 7, "b", 1.0)
    assert list(merged([*given, later])) == [interval(0, 4, "a", 0.75), given[2], later]
    assert list(merged([])) == []
