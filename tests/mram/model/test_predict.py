"""Runs: steps from retirement to retirement, images, modes, LOAD, and the cycles of each kind."""

import math
from itertools import pairwise

import pytest

from hwgen.chip import axi
from hwgen.dbpim.facts import timing as dbpim_timing
from hwgen.mram.compiler import compile_network, recompile
from hwgen.mram.facts import timing
from hwgen.mram.facts.events import EVENTS
from hwgen.mram.facts.records import Kind
from hwgen.mram.facts.stream import decode_program, section_beats
from hwgen.mram.model import CycleModel, SplitCost, bound_of, utilization_of, where_cycles_go
from tests.mram.compiler.archs import arch_of
from tests.mram.compiler.nets import chain, residual

TINY = arch_of("tiny", answer_entries=64)
NETWORK = residual(1, widths=((4, 3, 2), (8, 5, 2)), size=8)
PROGRAM = compile_network(NETWORK, TINY)
RECORDS = decode_program(PROGRAM.image, TINY, source="test").records
FIRST_WORK = 6
"""First cycle of a run in which a unit works."""


@pytest.mark.promise(
    "a run of an MRAM chip is predicted from retirement to retirement, for images in any modes,"
    " and so is LOAD"
)
def test_the_steps_of_an_image_are_those_of_its_records() -> None:
    prediction = CycleModel(PROGRAM, TINY).predict()
    plans = PROGRAM.facts.modes[0].steps
    assert [step.name for step in prediction.steps] == [*(plan.name for plan in plans), "end"]
    assert prediction.steps[0].begin == 0
    assert all(before.end == step.begin for before, step in pairwise(prediction.steps))
    assert prediction.steps[-1].end == prediction.cycles
    assert prediction.counters["layers"] == len(plans)
    assert prediction.counters["images_done"] == 1
    assert prediction.counters["and_operations"] == prediction.events["and_operations"] > 0


def test_the_first_image_takes_the_latency_of_the_memory() -> None:
    step = CycleModel(PROGRAM, TINY).predict().found[0]
    beats = RECORDS[0]["loads"]
    # Command at A, its burst asked for at A + 1 and accepted at A + 2, then the latency, the FIFO.
    first = FIRST_WORK + 3 + TINY.memory_latency_cycles
    assert (step.cycles, beats) == (first + beats - 1, 32)


def test_pool_and_answer_take_their_taps_and_beats() -> None:
    found = CycleModel(PROGRAM, TINY).predict().found
    plans = PROGRAM.facts.modes[0].steps
    for plan, step in zip(plans, found, strict=False):
        fields = RECORDS[plan.record]
        if fields["kind"] == Kind.POOL:
            taps = math.prod(fields[f"kernel_{side}"] for side in ("height", "width"))
            taps *= fields["out_height"] * fields["out_width"] * fields["blocks"]
            assert step.cycles == 3 + (taps - 1) + 8
    # Eight words of four bytes are four beats: they and their response follow the start.
    assert RECORDS[plans[-1].record]["loads"] == 8
    assert found[-2].cycles == 3 + 4 + 1
    assert found[-1].cycles == 1


def test_images_follow_each_other_in_any_modes() -> None:
    program = compile_network(NETWORK, TINY, images=3)
    model = CycleModel(program, TINY)
    alone = [CycleModel(PROGRAM, TINY).predict(modes=[mode]) for mode in range(3)]
    run = model.predict(modes=[0, 2, 1])
    # Of an image alone the first record begins at cycle 6, of the next ones 4 after a retirement.
    apart = sum(alone[mode].cycles for mode in (0, 2, 1)) - 2 * (FIRST_WORK - 4) - 2
    assert run.cycles == apart
    assert run.steps[0].name == "0.image"
    assert run.counters["images_done"] == 3
    assert run.counters["active_mode"] == 1
    # The first image has the start, the last one the end; each but the first follows a retirement.
    cycles = [alone[mode].cycles for mode in (0, 2, 1)]
    assert run.image_cycles == (cycles[0] - 1, cycles[1] - 3, cycles[2] - 2)
    assert alone[0].image_cycles == (alone[0].cycles,)
    assert run.counters["layers"] == sum(each.counters["layers"] for each in alone)
    assert run.events == {name: sum(each.events[name] for each in alone) for name in EVENTS}
    assert model.predict().cycles > run.cycles
    assert model.predict(modes=[]).cycles == 3
    assert model.predict(modes=[]).counters["active_mode"] == 0
    assert model.predict(modes=[]).image_cycles == ()


def test_a_run_writes_no_weights_after_the_load() -> None:
    rows = len(decode_program(PROGRAM.image, TINY, source="test").weights)
    counters = CycleModel(PROGRAM, TINY).predict().counters
    assert counters["weight_row_writes"] == rows * TINY.sub_arrays > 0
    assert counters["refused_row_writes"] == 0
    tables = recompile(PROGRAM, NETWORK, TINY)
    assert CycleModel(tables, TINY).predict().counters["weight_row_writes"] == 0
    later = CycleModel(tables, TINY, resident=PROGRAM).predict().counters
    assert later["weight_row_writes"] == rows * TINY.sub_arrays


def test_load_cycles_are_those_of_image_and_answer() -> None:
    prediction = CycleModel(PROGRAM, TINY).predict()
    image, answer = prediction.found[0], prediction.found[-2]
    assert prediction.load == 1 + (image.cycles - 5) + (answer.cycles - 2)
    assert prediction.compute == prediction.cycles - prediction.load


def test_a_program_is_loaded_beat_by_beat_after_its_header() -> None:
    size = section_beats(TINY)
    beats = len(PROGRAM.image) // TINY.port_bytes
    # The header's last beat at h; the rest is asked for at h + 2, three cycles and the latency on.
    header = 3 + 3 + TINY.memory_latency_cycles + size.header - 1
    rest = header + 2 + 3 + TINY.memory_latency_cycles + beats - size.header - 1
    assert CycleModel(PROGRAM, TINY).predict_load() == rest + 4


def test_where_cycles_go_and_how_many_columns_work() -> None:
    prediction = CycleModel(PROGRAM, TINY).predict()
    where = where_cycles_go(prediction)
    assert sum(where.values()) == prediction.cycles
    assert {"and", "input", "image", "answer", "pool", "end"} <= set(where)
    found = utilization_of([prediction])
    assert found is not None
    assert 0 < found < 1
    assert utilization_of([prediction], layer="max_pool_1") is None
    assert utilization_of([prediction], layer="conv_0") != found
    most = {"conv_0": "and", "max_pool_1": "pool", "answer": "answer", "nobody": None}
    assert {layer: bound_of([prediction], layer=layer) for layer in most} == most


def test_the_seed_with_write_back_is_three_times_as_slow_in_its_ands() -> None:
    program = compile_network(NETWORK, TINY, mapping="seed")
    plain = CycleModel(program, TINY).predict()
    back = CycleModel(program, TINY, write_back=True).predict()
    ands = where_cycles_go(plain)["and"]
    assert where_cycles_go(back)["and"] == 3 * ands
    assert back.cycles == plain.cycles + 2 * ands
    assert back.events["write_backs"] == back.events["and_operations"]
    assert plain.events["write_backs"] == 0


@pytest.mark.promise(
    "latency follows width on an MRAM chip, and does not with the mapping of the seed"
)
def test_idle_sub_arrays_that_take_positions_save_cycles() -> None:
    seed = CycleModel(compile_network(NETWORK, TINY, mapping="seed"), TINY)
    fast = [CycleModel(PROGRAM, TINY).predict(modes=[mode]).cycles for mode in range(3)]
    slow = [seed.predict(modes=[mode]).cycles for mode in range(3)]
    assert fast[0] < slow[0]
    assert fast[2] / fast[0] < slow[2] / slow[0]


def test_the_model_rates_placements_for_the_compiler() -> None:
    cost = SplitCost(TINY)
    for record, plan in zip(RECORDS, PROGRAM.facts.modes[0].steps, strict=False):
        if plan.kind == "conv":
            step = next(
                step for step in CycleModel(PROGRAM, TINY).predict().found if step.name == plan.name
            )
            assert cost(plan.layer, record) == step.cycles
    rated = compile_network(NETWORK, TINY, layer_cost=cost)
    assert rated.facts.weight_rows <= TINY.weight_rows


def test_engines_have_the_same_sizes_in_all_families() -> None:
    assert axi.READ_FIFO_BEATS == timing.READ_FIFO_BEATS
    assert axi.BURST_BEATS == timing.BURST_BEATS == dbpim_timing.BURST_BEATS
    assert axi.RESPONSE_CYCLES == dbpim_timing.RESPONSE_CYCLES


@pytest.mark.parametrize("seed", range(3))
def test_every_event_has_a_count_for_every_step(seed: int) -> None:
    network = chain(seed, channels=((4, 3, 1), (6, 3, 2)), shape=(4, 4, 2))
    program = compile_network(network, TINY)
    prediction = CycleModel(program, TINY).predict(modes=[seed])
    assert all(set(events) == set(EVENTS) for events in prediction.step_events)
    assert sum(each["dpu_results"] for each in prediction.step_events) == sum(
        plan.positions * plan.kernels
        for plan in program.facts.modes[seed].steps
        if plan.kind in ("conv", "pool")
    )
