"""Streams of images: event for event as the reference, and no shorter interval than holds."""

import random

import pytest

from hwgen.crossbar.facts.layout import Choice
from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.point import Point
from hwgen.crossbar.facts.rules import PUBLISHED, STRICT, Rules
from hwgen.crossbar.model.breakdown import break_down
from hwgen.crossbar.model.buffers import inputs_held, kilobytes_above, kilobytes_of
from hwgen.crossbar.model.design import Layout, lay_out
from hwgen.crossbar.model.evaluate import (
    FEASIBLE,
    FINER,
    LATER,
    evaluate,
    holds,
    most_waiting,
    seen_latencies,
    steady_stream,
    watch,
)
from hwgen.crossbar.model.exact import exact_times, stream_times
from hwgen.crossbar.model.pipeline import Pipeline, make_pipeline
from hwgen.crossbar.model.record import confirm, make_arch, make_schedule
from hwgen.crossbar.model.tables import KILOBYTES, Ints, Tables
from tests.crossbar.model.designs import case_of, compiled_of
from tests.crossbar.model.layers import conv, fc
from tests.crossbar.model.random_designs import random_case
from verif.reference.crossbar import Case
from verif.reference.crossbar.simulator import Trace
from verif.reference.crossbar.stream import kilobytes_of_streams, run_stream

SEEDS = range(4000, 4030)


def prepared(case: Case, memory: int, step_ns: float) -> tuple[Tables, Layout, Pipeline, Ints]:
    """Return what a simulation takes."""
    tables, design = compiled_of(case)
    layout = lay_out(tables, design)
    return (
        tables,
        layout,
        make_pipeline(tables, layout, design.clocks, memory, step_ns),
        design.partner,
    )


def by_operation(trace: Trace, name: str) -> list[int]:
    """Return when each block of each layer begins an operation; -1: a layer has none."""
    found = []
    for layer, flow in enumerate(trace.dataflow.layers):
        has_it = flow.place_of(name) is not None
        found += trace.steps_of(layer, name) if has_it else [-1] * flow.blocks
    return found


@pytest.mark.dear("4009-published")
@pytest.mark.promise(
    "rings have room for a stream of any length up to the simulated one, ports for all blocks"
    " that a fast provider sends"
)
@pytest.mark.promise(
    "a stream of images behaves as the plain simulation of it, event for event, with what"
    " scratchpads then hold; its interval is the least that keeps the pace and fits them"
)
@pytest.mark.parametrize("rules", [PUBLISHED, STRICT])
@pytest.mark.parametrize("seed", SEEDS)
def test_events_and_needs(seed: int, rules: Rules) -> None:
    """Intervals are drawn from far too short to so long that no images meet."""
    rng = random.Random(seed)
    case = random_case(seed, rules)
    parts = prepared(case, 0, case.components.step_floor_ns)
    tables, layout, pipeline, partner = parts
    alone = int(exact_times(tables, layout, pipeline, partner).done.max())
    images = rng.randint(2, 4)
    interval = max(1, int(alone * rng.choice((0.05, 0.4, 0.7, 0.9, 1.1))))
    wanted = run_stream(
        case,
        case.memories()[0],
        case.components.step_floor_ns,
        images=images,
        interval=interval,
    )
    times = stream_times(tables, layout, pipeline, partner, images, interval)
    assert list(times.load) == by_operation(wanted.trace, "load")
    assert list(times.adc) == by_operation(wanted.trace, "adc")
    assert list(times.store) == by_operation(wanted.trace, "store")
    seen = [
        latency
        for image, latency in enumerate(wanted.latencies)
        if image * interval + latency <= images * interval
    ]
    assert list(seen_latencies(layout, times, images, interval)) == seen
    if rules == STRICT:
        floor = case.memories()[0], case.components.step_floor_ns
        needed = kilobytes_of_streams(case, *floor, images=images, interval=interval)
        found = kilobytes_of(tables, layout, most_waiting(*parts, images, interval))
        assert found == pytest.approx(needed, rel=1e-12)
        assert kilobytes_above(tables, layout, times, 0.0) <= found


LIMITS: dict[tuple[int, Rules], set[str]] = {
    (4003, STRICT): set(),
    (4004, STRICT): set(),
    (4000, STRICT): {"pace", "scratchpad"},
    (4013, STRICT): {"scratchpad"},
    (4001, STRICT): {"pace"},
    (4010, STRICT): {"pace"},
    (4007, STRICT): {"pace", "scratchpad"},
    (4000, PUBLISHED): set(),
    (4051, PUBLISHED): {"pace"},
}
"""Designs whose stream is held back, and by what: scratchpads that are too small, or links."""


@pytest.mark.parametrize(("seed", "rules"), LIMITS)
def test_interval(seed: int, rules: Rules) -> None:
    case = random_case(seed, rules)
    cost = evaluate(*compiled_of(case), True)
    assert cost.failure == FEASIBLE
    tables, layout, pipeline, partner = prepared(case, cost.memory, cost.step_ns)
    alone = exact_times(tables, layout, pipeline, partner).done.max()
    found = steady_stream(tables, layout, pipeline, partner, cost.memory, cost.interval)
    assert found == watch(tables, layout, pipeline, partner, found.interval)
    assert holds(tables, cost.memory, found)
    at_least = watch(tables, layout, pipeline, partner, cost.interval)
    capacity = tables.memories[cost.memory, KILOBYTES]
    keeps_pace = 0 <= at_least.delay <= cost.interval // LATER
    limits = set() if keeps_pace else {"pace"}
    limits |= {"scratchpad"} if at_least.kilobytes > capacity else set()
    assert limits == LIMITS[seed, rules]
    assert (found.interval > cost.interval) == bool(limits)
    close = range(found.interval - max(1, cost.interval // FINER), found.interval)
    tried = [watch(tables, layout, pipeline, partner, one) for one in close]
    assert not all(holds(tables, cost.memory, one) for one in tried)
    assert cost.interval <= found.interval <= alone <= found.latency


@pytest.mark.parametrize("rules", [PUBLISHED, STRICT])
@pytest.mark.parametrize("seed", (4008, 4009, 4044))
def test_nothing_is_faster_than_its_layers(seed: int, rules: Rules) -> None:
    """Of some of these streams nothing is through in time."""
    case = random_case(seed, rules)
    cost = evaluate(*compiled_of(case), True)
    assert cost.failure == FEASIBLE
    parts = prepared(case, cost.memory, cost.step_ns)
    for share in (0.3, 0.5, 0.7, 0.9):
        found = watch(*parts, max(1, int(share * cost.interval)))
        assert not holds(parts[0], cost.memory, found)


def test_what_is_handed_on() -> None:
    """Schedule and throughput are those of the stream that holds."""
    case = random_case(4010, STRICT)
    _, design = compiled_of(case)
    found = confirm(
        case.network,
        case.components,
        point=case.point,
        rules=case.rules,
        power_w=case.power_w,
        design=design,
    )
    arch = make_arch(found, "random")
    assert found.stream.interval > found.cost.interval
    assert make_schedule(found, arch).facts.interval_steps == found.stream.interval
    gops = case.operations() / (found.stream.interval * found.cost.step_ns)
    assert break_down(found, arch).throughput_gops == pytest.approx(gops)
    assert found.reaches(0.99 * gops)
    layers = case.operations() / (found.cost.interval * found.cost.step_ns)
    assert not found.reaches(layers) and not found.reaches(1.01 * layers)


TWO = (
    conv("conv", (), (3, 10), (4, 4), window=(3, 1, 1), activation="none"),
    fc("head", (0,), (160, 10), activation="none"),
)


def test_two_maps_at_a_time() -> None:
    """The map of an image waits for the head, which is not through when the next one is stored.

    Head: 16 bits of 5 steps each, with two banks of accumulators: 80 steps from image to image. The
    convolution, one block, stores in step 23, and of the next image in 103, when the head, whose
    last operation, the result, is over after 124 steps, still needs the map of the first one.
    """
    choice = Choice(copies=(16, 1), macros=(1, 1), partner=(-1, -1), clocks=(1, 5))
    network = CrossbarNetwork(name="two", input_channels=3, input_side=4, layers=TWO)
    point = Point(rram_ratio=0.5, cell_bits=2, side=128, dac_bits=1)
    case = case_of(network, point, 100.0, STRICT, choice)
    cost = evaluate(*compiled_of(case), True)
    assert (cost.failure, cost.steps, cost.interval) == (FEASIBLE, 124, 80)
    parts = prepared(case, cost.memory, cost.step_ns)
    found = steady_stream(*parts, cost.memory, cost.interval)
    assert (found.interval, found.latency) == (80, cost.steps)
    tables, layout, _, _ = parts
    for interval, maps in ((80, 2), (cost.steps, 1)):
        times = stream_times(*parts, 4, interval)
        words = -(-maps * 160 // 64)
        assert inputs_held(tables, layout, times, 1) == words * 64
    # In the macro of the head two maps, and its results; in the other one the image, two words, and
    # a map in three.
    assert found.kilobytes == (5 + 1) * 64 * 16 / 8 / 1024
