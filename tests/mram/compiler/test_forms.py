"""Kernels side by side: which form a round takes, and what it saves."""

from dataclasses import replace

import pytest

from hwgen.mram.compiler import compile_network
from hwgen.mram.compiler.compile import lower
from hwgen.mram.compiler.forms import best_form, first_form, together
from hwgen.mram.compiler.tasks import tasks_of
from hwgen.mram.compiler.ways import Ways
from hwgen.mram.facts.arch import Arch
from hwgen.mram.facts.records import Kind
from hwgen.mram.facts.stream import decode_program
from hwgen.mram.model import CycleModel, SplitCost
from hwgen.mram.model.energy import parts_pj
from hwgen.network import INPUT, QuantizedNetwork
from tests.golden.drawn import Drawing
from tests.mram.compiler.archs import arch_of
from tests.mram.compiler.test_walks import SMALL, check, matrices

PAPER = replace(arch_of("paper"), kernels="any", answer_entries=4096)


def of_one(network: QuantizedNetwork, arch: Arch) -> tuple[int, float, int]:
    """Return cycles, nanojoules and ANDs of the first layer in the widest mode."""
    program = compile_network(network, arch, layer_cost=SplitCost(arch))
    steps = [
        step
        for step in CycleModel(program, arch).predict().found
        if step.layer not in (INPUT, "answer", "end")
    ]
    cycles = sum(step.cycles for step in steps)
    energy = sum(sum(parts_pj(step, arch).values()) for step in steps)
    return cycles, energy / 1000, sum(step.events["and_operations"] for step in steps)


@pytest.mark.promise(
    "on chips of any kernels several kernels of a position stand side by side in a row, so that a"
    " matrix of one position senses fewer rows"
)
def test_a_matrix_of_one_position_senses_a_quarter_of_the_rows() -> None:
    """64 kernels of 64 channels: four side by side in the 16 sub-arrays of two octets."""
    cycles, energy, ands = of_one(matrices(1, channels=64), PAPER)
    assert (cycles, ands) == (94, 64 * 16)
    _, _, windows = of_one(matrices(1, channels=64), arch_of("paper"))
    assert windows == 2 * 64 * 64
    assert energy < 942 / 6


def test_a_map_is_faster_where_sums_would_fill_the_slots() -> None:
    """64 positions: sums of seven positions in eight octets would take as long as ANDs."""
    network = matrices(1, side=8, channels=64)
    cycles, _, _ = of_one(network, PAPER)
    assert cycles < 1180 * 0.75
    (view,) = lower(network, PAPER).views.values()
    # Seven kernels of eight lanes, then the last eight kernels at seven positions.
    assert together(view, PAPER, Ways(PAPER, "positions", SplitCost(PAPER))) == 56


def test_kernels_above_the_sub_arrays_take_one_record() -> None:
    net = Drawing(3, modes=("1.0x",), shape=(1, 1, 16))
    network = net.build(net.conv(INPUT, (40,), kernel=(1, 1)))
    program = compile_network(network, SMALL)
    records = decode_program(program.image, SMALL, source="test").records
    found = [(each["kernels"], each["octets_log"]) for each in records if each["kind"] == Kind.CONV]
    assert found == [(40, 2)]
    assert check(network, SMALL)["more kernels than sub-arrays"] == 1


def test_a_form_takes_no_more_segments_than_copies_would() -> None:
    network, ways = matrices(1, side=4), Ways(SMALL, "positions", SplitCost(SMALL))
    (view,) = lower(network, SMALL).views.values()
    (task,) = tasks_of(view, SMALL)
    for copies in (1, 2, 3):
        first = first_form(view, task, SMALL, copies)
        effort, form = best_form(view, task, SMALL, ways, copies)
        assert form.segments <= first.segments == copies
        assert effort[0] <= ways.task_cycles(view, task, first.runs(task, SMALL))[0]


def test_chips_of_windows_hold_copies_alone() -> None:
    arch = arch_of("small")
    (view,) = lower(matrices(1, channels=12), arch).views.values()
    ways = Ways(arch, "positions", SplitCost(arch))
    assert together(view, arch, ways) == 0
    (task,) = tasks_of(view, arch)
    assert best_form(view, task, arch, ways, 1)[1] == first_form(view, task, arch, 1)
