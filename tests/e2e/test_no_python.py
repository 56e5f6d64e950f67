"""Emitted Verilog, a memory in Verilog and a program image, under plain Verilator.

One executable serves all: nothing is driven between start and done but clock and memory answers.
"""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from golden.network import answer
from hwgen.chip.limits import RunLimits
from hwgen.chip.sim.host import run_chip
from hwgen.data.load import load_dataset
from hwgen.dbpim.compiler import compile_network
from hwgen.dbpim.facts.arch import load_arch
from hwgen.dbpim.facts.instructions import INSTRUCTIONS, Opcode
from hwgen.dbpim.facts.program import Program
from hwgen.dbpim.facts.stream import decode_stream, header_beats, sealed_program
from hwgen.dbpim.sim.chip_run import ChipRun, Job, hosted
from hwgen.dbpim.sim.simulate import job_of
from hwgen.network import QuantizedNetwork
from hwgen.network.file import load_network
from verif.dbpim.directed_network import directed
from verif.dbpim.random_network import random_images

CONFIGS = Path(__file__).parents[2] / "configs"
ARCH = load_arch(CONFIGS / "dbpim" / "small.yaml")
DIGITS = load_network(CONFIGS / "networks" / "digits_small_cnn.npz")
IMAGES = load_dataset("digits").test_images[:2]
MIDDLE_CYCLE = 3000
LIMITS = RunLimits(cycles=200_000)


def run(what: Job, folder: Path) -> list[ChipRun]:
    return run_chip(what.work(), hosted(ARCH), folder)


def job(program: Program, images: np.ndarray) -> Job:
    return job_of(ARCH, program, images)


def logits(network: QuantizedNetwork, images: np.ndarray) -> list[list[int]]:
    found: list[list[int]] = answer(network, images)[:, 0, 0].tolist()
    return found


def shown(run: ChipRun) -> list[int]:
    found: list[int] = run.answer.view("<i4").tolist()
    return found


@pytest.mark.promise(
    "one executable runs networks of different depth, nothing driven from start to done"
)
def test_two_networks_of_different_depth_on_one_executable(tmp_path: Path) -> None:
    deep = directed("deep")
    assert len(deep.layers) != len(DIGITS.layers)
    for network, images in ((DIGITS, IMAGES), (deep, random_images(deep, 2, seed=5))):
        runs = run(job(compile_network(network, ARCH), images), tmp_path)
        assert [shown(run) for run in runs] == logits(network, images)
        assert all(run.done and not run.error for run in runs)


@pytest.mark.promise(
    "garbage in the cells, an earlier run and a reset in the middle change nothing"
)
def test_a_second_run_and_the_garbage_before_the_first_change_nothing(tmp_path: Path) -> None:
    what = job(compile_network(DIGITS, ARCH), IMAGES[[0, 1, 0]])
    first, second, third = run(what, tmp_path)
    assert (shown(first), first.cycles, first.retired_at) == (
        shown(third),
        third.cycles,
        third.retired_at,
    )
    assert shown(second) != shown(first)
    for seed in (2, 3):
        again = run(replace(what, seed=seed), tmp_path)
        assert [shown(run) for run in again] == [shown(first), shown(second), shown(first)]
        assert [run.cycles for run in again] == [first.cycles, second.cycles, first.cycles]


@pytest.mark.parametrize("cycle", [40, 700, MIDDLE_CYCLE])
def test_a_reset_in_the_middle_changes_nothing(cycle: int, tmp_path: Path) -> None:
    what = job(compile_network(DIGITS, ARCH), IMAGES[:1])
    (whole,) = run(what, tmp_path)
    cut, again = run(replace(what, reset_at=cycle), tmp_path)
    assert cut.busy
    assert len(cut.retired_at) < len(whole.retired_at)
    assert (shown(again), again.cycles, again.retired_at) == (
        shown(whole),
        whole.cycles,
        whole.retired_at,
    )


@pytest.mark.promise("the instructions decide the result")
def test_swapped_instructions_change_or_stop_the_result(tmp_path: Path) -> None:
    program = compile_network(DIGITS, ARCH)
    packets = decode_stream(program.image, ARCH)
    steps = [packet for packet in packets if packet.opcode in INSTRUCTIONS]
    layers = [packet for packet in steps if packet.opcode not in (Opcode.LOAD, Opcode.END)]
    same = [pair for pair in itertools.pairwise(layers) if pair[0].opcode is pair[1].opcode]
    (whole,) = run(job(program, IMAGES[:1]), tmp_path)
    assert len(same) > 2
    for first, second in same[:3]:
        image = program.image.copy()
        size = header_beats(first.opcode, ARCH) * ARCH.port_bytes
        places = [slice(packet.offset, packet.offset + size) for packet in (first, second)]
        image[places[0]], image[places[1]] = program.image[places[1]], program.image[places[0]]
        swapped = replace(
            job(program, IMAGES[:1]), program=sealed_program(image, ARCH).tobytes(), limits=LIMITS
        )
        (broken,) = run(swapped, tmp_path)
        assert broken.error or shown(broken) != shown(whole), f"at {first.offset}"
        assert not broken.busy, f"at {first.offset}: the chip hangs"
