"""Chips that add counts in rows of sub-arrays: golden's values, the model's cycles and events."""

from dataclasses import replace
from pathlib import Path

import pytest

from hwgen.errors import HwgenError
from hwgen.mram.compiler import compile_network
from hwgen.mram.facts.accumulation import load_accumulation
from hwgen.mram.facts.arch import ArraySize
from hwgen.mram.facts.stream import decode_program
from hwgen.mram.model import CycleModel
from hwgen.mram.sim import simulate
from hwgen.network.file import load_network
from tests.mram.compiler.nets import chain
from tests.verif.mram.chips import (
    DEEP_NETWORKS,
    check_cycles,
    check_maps,
    chip_arch,
    compiled,
    images_of,
    narrow_network,
)
from verif.common.drawing import draw_images
from verif.mram.random_network import OfOnes

NETWORKS = Path(__file__).parents[3] / "configs/networks"
TINY = replace(
    chip_arch("tiny"),
    array=ArraySize(rows=128, columns=64),
    input_rows=47,
    write_back=True,
    accumulate="in_array",
)
SMALL = chip_arch("small_in_array")


@pytest.mark.dear("narrow-positions")
@pytest.mark.promise(
    "counts that are added in rows of the sub-arrays give golden's values in the model's cycles"
    " and events: drawn networks, also with sizes of 1, and digits in every width"
)
@pytest.mark.parametrize("mapping", ["positions", "seed"])
@pytest.mark.parametrize("name", DEEP_NETWORKS)
def test_values_and_cycles_of_every_mode(name: str, mapping: str) -> None:
    network, modes = DEEP_NETWORKS[name](21), [0, 2, 1]
    program = compiled(network, TINY, images=len(modes), mapping=mapping)
    images = images_of(network, len(modes))
    (run,) = simulate(TINY, program, images, modes=modes, seed=5)
    check_maps(run, network, images)
    check_cycles(run, program, TINY, modes)
    assert run.events["adds"] == run.events["shifts"] == 0 < run.events["xor_operations"]


@pytest.mark.dear
@pytest.mark.parametrize("seed", range(6))
def test_sizes_of_one(seed: int) -> None:
    network, arch = OfOnes(seed).build(), replace(TINY, answer_entries=256)
    program = compile_network(network, arch)
    images = draw_images(network, 1, seed=seed)
    (run,) = simulate(arch, program, images, modes=[0], seed=seed + 1)
    check_maps(run, network, images)
    check_cycles(run, program, arch, [0])


@pytest.mark.dear
def test_digits_in_every_width() -> None:
    network = load_network(NETWORKS / "cadnn_digits.npz")
    modes = list(range(len(network.graph.modes)))
    program = compile_network(network, SMALL, images=len(modes))
    images = draw_images(network, len(modes), seed=1)
    (run,) = simulate(SMALL, program, images, modes=modes)
    check_maps(run, network, images)
    check_cycles(run, program, SMALL, modes)


def test_rows_written_are_those_of_ands_counts_and_additions() -> None:
    """Each AND is written once, its count, a row of carries, and two rows a bit that is added."""
    network = narrow_network(22)
    program = compiled(network, TINY)
    (run,) = simulate(TINY, program, images_of(network, 1), modes=[0])
    records = decode_program(program.image, TINY, source="test").records
    for plan, events in zip(program.facts.modes[0].steps, run.step_events, strict=False):
        if plan.kind == "conv":
            fields = records[plan.record]
            loads = fields["loads"] * fields["kernels"]
            one = load_accumulation(fields, TINY)
            rows = one.count_writes + one.adder_writes
            assert events["write_backs"] == events["and_operations"] + loads * rows
            assert events["xor_operations"] == loads * one.additions


def test_the_model_of_a_plain_chip_can_add_in_rows() -> None:
    network = narrow_network(23)
    plain = replace(TINY, accumulate="digital")
    program = compiled(network, TINY)
    asked = CycleModel(compiled(network, plain), plain, in_array=True).predict()
    own = CycleModel(program, TINY).predict()
    assert (asked.cycles, asked.events) == (own.cycles, own.events)


def test_sums_that_need_more_rows_are_refused() -> None:
    """Weights of 16 bits times maps of 8 do not fit rows for sums of 8 by 8 bits."""
    network = chain(1, channels=((8,),), shape=(3, 3, 8), modes=("1.0x",), weight_bits=16)
    limit = TINY.sum_rows - 1
    with pytest.raises(HwgenError, match=rf"the sums must be below 2\*\*{limit} on an mram chip"):
        compile_network(network, TINY)
