"""What people read of a program: steps and tiling."""

import pytest

from hwgen.mram.compiler import compile_network, step_list, tiling
from hwgen.mram.facts.stream import decode_program
from tests.mram.compiler.archs import arch_of
from tests.mram.compiler.nets import chain, residual

TINY = arch_of("tiny", answer_entries=64)
NETWORK = residual(1, widths=((4, 3, 2), (8, 5, 2)), size=8)
PROGRAM = compile_network(NETWORK, TINY, images=2)


@pytest.mark.promise("steps of an MRAM program name their mode and where their results lie")
def test_steps_name_their_mode_and_place() -> None:
    steps = step_list(PROGRAM, TINY)
    assert len(steps) == sum(len(mode.steps) for mode in PROGRAM.facts.modes)
    first = steps[0]
    assert (first.name, first.images, first.output) == (
        "1.0x/image",
        (0, 2),
        "bank 0, 2 blocks a pixel",
    )
    assert [step.output for step in steps if step.name == "1.0x/linear_10"] == ["answer buffer"]
    stored = [step for step in steps if step.kind == "answer"]
    assert [(step.output, step.rows) for step in stored] == [("memory", (0, 1))] * 3
    assert all(0 < step.cores <= TINY.octets for step in steps if step.kind == "conv")


def test_one_mode_needs_no_prefix() -> None:
    network = chain(1, channels=((4,),), shape=(4, 4, 2), modes=("1.0x",))
    assert step_list(compile_network(network, TINY), TINY)[0].name == "image"


def test_the_tiling_tells_groups_positions_and_rows() -> None:
    found = {each.name: each for each in tiling(PROGRAM, TINY)}
    assert {"conv_0", "max_pool_1", "conv_3", "average_pool_9", "linear_10"} <= set(found)
    assert "add_4" not in found
    content = decode_program(PROGRAM.image, TINY, source="test")
    for plan in PROGRAM.facts.modes[0].steps:
        if plan.kind != "conv":
            continue
        fields = content.records[plan.record]
        layer = found[plan.fused[0] if plan.fused else plan.layer]
        assert (layer.sets, layer.tiles_m) == (1 << fields["octets_log"], fields["loads"])
        assert layer.share == fields["groups"] * fields["positions"]
        assert layer.rows == 8 * (1 + fields["two_rows"]) <= layer.rows_loaded
    pool = found["max_pool_1"]
    assert (pool.kernel, pool.shape, pool.rows, pool.weights_kept) == ((2, 2), (8, 8, 4), 0, None)


def test_rounds_of_a_layer_are_one_tiling() -> None:
    network = chain(
        2,
        channels=((2,),),
        shape=(1, 1, 2),
        modes=("1.0x",),
        head=(11,),
        kernel=(1, 1),
        padding=(0, 0, 0, 0),
    )
    (head,) = (each for each in tiling(compile_network(network, TINY), TINY) if each.tiles_n == 2)
    assert (head.filters, head.shape) == (11, (1, 1, 11))
