"""Faults under load: slow memory, resets and bus errors in batch runs whose maps are spilled."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from golden.network import infer
from hwgen.chip.axi import PAGE_BYTES
from hwgen.chip.limits import RunLimits
from hwgen.chip.sim.host import run_chip
from hwgen.chip.trouble import Trouble
from hwgen.dbpim.compiler import unstored
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import ErrorCode, Opcode
from hwgen.dbpim.facts.program import Program, StepPlan
from hwgen.dbpim.facts.stream import decode_stream, encode_header, header_beats
from hwgen.dbpim.model import CycleModel
from hwgen.dbpim.sim import SimulatedRun, simulate
from hwgen.dbpim.sim.chip_run import ChipRun, Job, hosted
from hwgen.dbpim.sim.simulate import job_of
from hwgen.network import INPUT, QuantizedNetwork
from tests.verif.dbpim.chips import check_values, chip_arch, compiled
from verif.dbpim.random_network import Recipe, random_images, random_network

RECIPE = Recipe(
    channels=3, kinds=("conv", "depthwise", "residual", "max_pool", "squeeze"), filters=(12, 16)
)
BATCH = 2
LIMITS = RunLimits(cycles=2_000_000)
CHIPS = ("tiny", pytest.param("small", marks=pytest.mark.long))
DELAYS = ((1, 90), (333, 0), (997, 20))
"""Latency of the memory in cycles, and percent of cycles in which a channel stalls."""
DELAY_IDS = [f"latency{latency}-stall{stall}" for latency, stall in DELAYS]


class Case(NamedTuple):
    """A batch program whose maps do not fit the buffers."""

    arch: Arch
    network: QuantizedNetwork
    program: Program
    images: np.ndarray

    @property
    def steps(self) -> list[StepPlan]:
        return self.program.facts.steps

    def job(self, *, stall: int = 0, runs: int = 1) -> Job:
        images = np.concatenate([self.images] * runs)
        return replace(
            job_of(self.arch, self.program, images, trouble=Trouble(stall=stall)), limits=LIMITS
        )

    def find(self, kind: str, space: str, *, image: int = 0) -> int:
        """Return the number of the first such step of an image."""
        for number, step in enumerate(self.steps):
            at = step.memory and step.memory.space
            if (step.kind, at, step.images[0]) == (kind, space, image):
                return number
        raise LookupError(f"a {kind} of {space} for image {image}")


@cache
def spilling(name: str, batch: int = BATCH) -> Case:
    arch = replace(chip_arch(name), name=f"{name}_spilling", buffer_bytes=1024, logit_entries=64)
    network = random_network(RECIPE, seed=3)
    program = compiled(network, arch, batch=batch)
    return Case(arch, network, program, random_images(network, batch, seed=5))


def run(what: Job, case: Case, folder: Path) -> list[ChipRun]:
    return run_chip(what.work(), hosted(case.arch), folder)


def check_run(found: SimulatedRun, case: Case, want: dict[str, np.ndarray], where: str) -> None:
    maps = {name: of.tolist() for name, of in want.items()}
    missing = unstored(case.network, case.program, case.arch)
    check_values(found, case.network, maps, where, missing)


def expect_stop(stopped: ChipRun, code: ErrorCode, step: int) -> None:
    """Expect an error in a step: those before it are over, and it is not."""
    assert (stopped.busy, stopped.done, stopped.error) == (False, False, code)
    assert len(stopped.retired_at) == step


@pytest.mark.dear("tiny")
@pytest.mark.promise(
    "slow memory under batch runs with spilled maps changes no value; without stalls cycles are"
    " the model's"
)
@pytest.mark.parametrize("name", ["tiny", "small"])
def test_the_program_spills_maps_of_several_images(name: str) -> None:
    case = spilling(name)
    assert case.program.facts.scratch_bytes > 0
    for image in range(BATCH):
        assert case.find("store", "scratch", image=image) < case.find(
            "load", "scratch", image=image
        )
        assert case.steps[case.find("load", "image", image=image)].layer == INPUT


@pytest.mark.dear
@pytest.mark.parametrize("batch", [1, BATCH])
@pytest.mark.parametrize(("latency", "stall"), DELAYS, ids=DELAY_IDS)
@pytest.mark.parametrize("name", CHIPS)
def test_a_slow_memory_changes_no_value(name: str, latency: int, stall: int, batch: int) -> None:
    """Without stalls the cycles are the model's too; with them they are at least these."""
    case = spilling(name, batch)
    arch = replace(case.arch, memory_latency_cycles=latency)
    want = infer(case.network, case.images)
    least = CycleModel(case.program, arch).predict(want).cycles
    (found,) = simulate(
        arch,
        case.program,
        case.images,
        trouble=Trouble(stall=stall, seed=latency + stall),
        seed=latency + stall,
    )
    check_run(found, case, want, f"{arch.name}, latency {latency}, stall {stall}")
    assert found.cycles > least if stall else found.cycles == least


@pytest.mark.dear("store-scratch-tiny")
@pytest.mark.promise("a reset in the middle of any transfer leaves nothing behind")
@pytest.mark.parametrize("name", CHIPS)
@pytest.mark.parametrize(
    ("kind", "space"),
    [("load", "image"), ("store", "scratch"), ("load", "scratch"), ("store", "answer")],
)
def test_a_reset_on_the_bus_changes_nothing(
    name: str, kind: str, space: str, tmp_path: Path
) -> None:
    """A reset while a step moves data: the next start is as if there had been none before."""
    case = spilling(name)
    what, step = case.job(), case.find(kind, space)
    (whole,) = run(what, case, tmp_path)
    begin, end = [0, *whole.retired_at][step], whole.retired_at[step]
    cut, again = run(replace(what, reset_at=(begin + end) // 2), case, tmp_path)
    assert cut.busy
    assert cut.retired_at == whole.retired_at[:step]
    assert again.done
    assert np.array_equal(again.answer, whole.answer)
    assert (again.cycles, again.retired_at) == (whole.cycles, whole.retired_at)


@pytest.mark.dear("tiny-0")
@pytest.mark.promise(
    "a bus error in any image of a batch or in a spilled map stops the chip in that step"
)
@pytest.mark.parametrize("stall", [0, 60])
@pytest.mark.parametrize("name", CHIPS)
def test_a_read_error_in_the_last_image_of_a_batch(name: str, stall: int, tmp_path: Path) -> None:
    case = spilling(name)
    what = case.job(stall=stall, runs=2)
    step = case.find("load", "image", image=BATCH - 1)
    memory = case.steps[step].memory
    assert memory is not None and memory.offset
    wrong = what.addresses["image"] + memory.offset
    broken, right = run(
        replace(what, trouble=Trouble(stall=stall, error_address=wrong)), case, tmp_path
    )
    expect_stop(broken, ErrorCode.READ_ERROR, step)
    (whole,) = run(case.job(), case, tmp_path)
    assert right.done and np.array_equal(right.answer, whole.answer)


@pytest.mark.dear("tiny-0")
@pytest.mark.parametrize("stall", [0, 60])
@pytest.mark.parametrize("name", CHIPS)
def test_a_write_error_in_a_spilled_map(name: str, stall: int, tmp_path: Path) -> None:
    case = spilling(name)
    what = case.job(stall=stall, runs=2)
    step = case.find("store", "scratch", image=BATCH - 1)
    memory = case.steps[step].memory
    assert memory is not None
    last_beat = memory.offset + memory.size - case.arch.port_bytes
    wrong = replace(
        what, trouble=Trouble(stall=stall, error_address=what.addresses["scratch"] + last_beat)
    )
    for stopped in run(wrong, case, tmp_path):
        expect_stop(stopped, ErrorCode.WRITE_ERROR, step)


@pytest.mark.dear("tiny-60")
@pytest.mark.parametrize("stall", [0, 60])
@pytest.mark.parametrize("name", CHIPS)
def test_a_read_error_in_a_spilled_map(name: str, stall: int, tmp_path: Path) -> None:
    """The LOAD is led to a page that no STORE writes, so that only its data is wrong."""
    case = spilling(name)
    what = case.job(stall=stall, runs=2)
    step = case.find("load", "scratch", image=BATCH - 1)
    page = -(-case.program.facts.scratch_bytes // PAGE_BYTES) * PAGE_BYTES
    moved = replace(
        what,
        program=with_offset(case, step, page),
        scratch_bytes=2 * page,
        trouble=Trouble(stall=stall, error_address=what.addresses["scratch"] + page),
    )
    for stopped in run(moved, case, tmp_path):
        expect_stop(stopped, ErrorCode.READ_ERROR, step)


def with_offset(case: Case, step: int, offset: int) -> bytes:
    """Return the program whose LOAD of a step reads from another offset."""
    loads = [number for number, plan in enumerate(case.steps) if plan.kind == "load"]
    image = case.program.image.copy()
    packets = [p for p in decode_stream(image, case.arch) if p.opcode is Opcode.LOAD]
    packet = packets[loads.index(step)]
    fields = {name: value for name, value in packet.fields.items() if name != "opcode"}
    changed = encode_header(Opcode.LOAD, {**fields, "offset": offset}, case.arch)
    assert len(changed) == header_beats(Opcode.LOAD, case.arch) * case.arch.port_bytes
    image[packet.offset :][: len(changed)] = np.frombuffer(changed, np.uint8)
    return image.tobytes()
