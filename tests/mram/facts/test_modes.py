"""What a mode uses of the chip, held against the placement and against hand-made records."""

from dataclasses import replace
from pathlib import Path

import pytest

from hwgen.mram.compiler import compile_network
from hwgen.mram.facts import active_arrays, load_arch
from hwgen.mram.facts.records import Kind
from hwgen.mram.facts.stream import decode_program
from hwgen.network.file import load_network

ROOT = Path(__file__).parents[3]
SMALL = load_arch(ROOT / "configs/mram/small.yaml")
NETWORK = load_network(ROOT / "configs/networks/cadnn_digits.npz")


@pytest.mark.promise(
    "the demo shows every width of a network in RTL, with accuracy, cycles, arrays at work,"
    " events and energy in one table and one picture"
)
def test_one_kernel_a_sub_array_with_the_mapping_of_the_seed() -> None:
    program = compile_network(NETWORK, SMALL, mapping="seed")
    for mode in range(4):
        channels = NETWORK.map_of("conv1").channels_in(mode)
        convs = dict.fromkeys(("conv1", "conv2", "conv3"), channels)
        assert active_arrays(program, SMALL, mode=mode) == {**convs, "head": 10}


def test_groups_work_at_the_same_time_and_rounds_after_each_other() -> None:
    program = compile_network(NETWORK, SMALL)
    records = decode_program(program.image, SMALL, source="test").records
    plans = program.facts.modes[3].steps
    (conv,) = [plan for plan in plans if plan.layer == "conv2"]
    fields = records[conv.record]
    assert (fields["kind"], fields["kernels"]) == (Kind.CONV, 4)
    found = active_arrays(program, SMALL, mode=3)
    assert list(found) == ["conv1", "conv2", "conv3", "head"]
    assert found["conv2"] == 4 * fields["groups"] == 16
    # A second round with the record of the head: the layer keeps the larger number.
    (head,) = [plan for plan in plans if plan.layer == "head"]
    again = replace(head, layer="conv2")
    modes = [*program.facts.modes]
    modes[3] = replace(modes[3], steps=[*plans, again])
    longer = replace(program, facts=replace(program.facts, modes=modes))
    assert active_arrays(longer, SMALL, mode=3) == found
