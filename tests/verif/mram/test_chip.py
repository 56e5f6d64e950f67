"""The whole chip under Verilator: values are golden's, cycles and events those of the model."""

import numpy as np
import pytest

from hwgen.chip.trouble import Trouble
from hwgen.mram.compiler import recompile
from hwgen.mram.model import CycleModel
from hwgen.mram.sim import simulate
from tests.verif.mram.chips import (
    check_cycles,
    check_maps,
    chip_arch,
    compiled,
    images_of,
    narrow_network,
    residual_network,
)

ARCH = chip_arch("tiny")
NETWORKS = {"residual": residual_network, "narrow": narrow_network}


@pytest.mark.dear("narrow-2-seed")
@pytest.mark.promise(
    "every map of every image in every mode is that of the integer reference, whatever the"
    " placement"
)
@pytest.mark.promise(
    "cycles, steps, counters and events of a chip are those of the cycle model, exactly"
)
@pytest.mark.parametrize("mapping", ["positions", "seed"])
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", NETWORKS)
def test_values_and_cycles_of_every_mode(name: str, seed: int, mapping: str) -> None:
    network = NETWORKS[name](seed)
    modes = [0, 2, 1, 1, 0, 2]
    program = compiled(network, ARCH, images=len(modes), mapping=mapping)
    images = images_of(network, len(modes))
    (run,) = simulate(ARCH, program, images, modes=modes, seed=seed)
    check_maps(run, network, images)
    check_cycles(run, program, ARCH, modes)
    assert run.loading == CycleModel(program, ARCH).predict_load()
    assert run.counters["refused_row_writes"] == 0


@pytest.mark.promise("the mode is switched between two images in one cycle, while the chip is busy")
def test_a_mode_switch_costs_one_cycle() -> None:
    network = residual_network(3)
    program = compiled(network, ARCH, images=2)
    images = images_of(network, 2)
    cycles = {}
    for modes in ([0, 0], [1, 1], [0, 1]):
        (run,) = simulate(ARCH, program, images, modes=modes)
        begins = [step.begin for step in run.steps if step.layer == "input"]
        cycles[tuple(modes)] = begins[1], run.cycles - begins[1]
        assert run.image_cycles == cycles[tuple(modes)]
    assert cycles[0, 1] == (cycles[0, 0][0], cycles[1, 1][1])
    assert cycles[0, 0][1] != cycles[1, 1][1]


def test_images_in_several_runs_are_the_same() -> None:
    network = narrow_network(4)
    images, modes = images_of(network, 5), [0, 1, 2, 2, 1]
    program = compiled(network, ARCH, images=2)
    runs = simulate(ARCH, program, images, modes=modes)
    assert [run.images for run in runs] == [(0, 1), (2, 3), (4,)]
    for run in runs:
        check_maps(run, network, images)
    check_cycles(runs[1], program, ARCH, [2, 2])


@pytest.mark.dear("20")
@pytest.mark.promise("a memory that stalls changes no value")
@pytest.mark.parametrize("stall", [20, 70])
def test_a_slow_memory_changes_no_value(stall: int) -> None:
    network = residual_network(5)
    images, modes = images_of(network, 3), [2, 0, 1]
    program = compiled(network, ARCH, images=3)
    (run,) = simulate(
        ARCH, program, images, modes=modes, trouble=Trouble(stall=stall, seed=stall), seed=stall
    )
    check_maps(run, network, images)
    (fast,) = simulate(ARCH, program, images, modes=modes)
    assert run.events == fast.events
    assert run.cycles > fast.cycles


@pytest.mark.promise(
    "a width table that arrives after the load brings tables alone and runs on resident weights"
)
def test_tables_that_arrive_later_run_on_resident_weights() -> None:
    network = residual_network(6)
    program = compiled(network, ARCH, images=2)
    tables = recompile(program, network, ARCH)
    images, modes = images_of(network, 2), [1, 0]
    (run,) = simulate(ARCH, program, images, modes=modes, tables=tables)
    check_maps(run, network, images)
    predicted = CycleModel(tables, ARCH, resident=program).predict(modes=modes)
    assert run.counters == predicted.counters
    assert run.counters["weight_row_writes"] == ARCH.sub_arrays * program.facts.weight_rows
    assert len(run.loads) == 2 and run.loads[1] < run.loads[0]


@pytest.mark.promise(
    "each element is written between begin and end of its layer's step, in the cycle that the"
    " simulation reports"
)
def test_elements_are_written_before_their_step_ends() -> None:
    network = residual_network(7)
    (run,) = simulate(ARCH, compiled(network, ARCH), images_of(network, 1))
    ends = {step.layer: step for step in run.steps}
    for layer, written in run.written[0].items():
        assert written.all(), layer
        step = ends[layer]
        assert step.begin < int(written.min()) <= int(written.max()) <= step.end, layer
        assert run.written_at(0, layer, (0, 0, 0)) == int(written[0, 0, 0])
    assert np.array_equal(run.modes, [0])
