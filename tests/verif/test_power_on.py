"""Whole chips whose registers and memories are undefined at power-on: only resets give values."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any

import pytest

from hwgen.chip.limits import RunLimits
from hwgen.chip.sim.host import run_hosted
from hwgen.dbpim.sim.chip_run import hosted as dbpim_chip
from hwgen.dbpim.sim.simulate import job_of as dbpim_job
from hwgen.mram.compiler import compile_network
from hwgen.mram.sim.chip_run import hosted as mram_chip
from hwgen.mram.sim.simulate import job_of as mram_job
from tests.small_runs import FAMILIES, small_case
from tests.verif.dbpim.chips import chip_arch as dbpim_arch
from tests.verif.dbpim.chips import compiled
from tests.verif.dbpim.test_rows import norm_network
from tests.verif.mram.chips import chip_arch as mram_arch
from tests.verif.mram.chips import images_of, narrow_network
from verif.common.drawing import draw_images
from verif.dbpim.directed_network import directed
from verif.dbpim.random_network import random_images
from verif.power_on import read_as, run_under_icarus
from verif.toolchain import BUILD_ROOT

ONES = -1
SEEDS = (1, 2)
"""Of what registers hold at power-on."""
RESETS = ("all", "control")
FEW = [("dbpim", "control", 2), ("mram", "control", 1), ("crossbar", "control", 1)]
"""Family, what the reset reaches, and cores, octets or macros of a drawn chip; 0: the shared."""
MANY = [
    (family, reset, cores)
    for family in FAMILIES
    for reset in RESETS
    for cores in (0, 1, 2, 4)
    if (family, reset, cores) not in FEW
]
MOST_RESET = {"dbpim": 0.67, "mram": 0.67, "crossbar": 0.85}
"""Share of the bits that have a reset, counted once a module, that keep it with `control`."""
LIMITS = RunLimits(cycles=20_000, stores=20_000)
"""Of chips that hang; sound ones take a third of it."""
RESET_BLOCK = re.compile(r"if \(rst\) begin\n(.*?)\n *end", re.S)
GIVEN = re.compile(r"<= (\d+)'h")


@pytest.mark.promise("no register of an emitted chip has a value that silicon does not give it")
@pytest.mark.parametrize("family", FAMILIES)
def test_every_register_of_a_chip_is_undefined(family: str) -> None:
    chip = small_case(family).chip
    for name, text in chip.modules.items():
        initial = [line.strip() for line in text.splitlines() if re.search(r"\binitial\b", line)]
        assert not initial, name
        assert not re.search(r"\breg [^;,=]*=", text), name


def dbpim_answers() -> tuple[Any, Any]:
    """Return a chip whose beats are wider than a filter group, and answers of three images."""
    network = directed("one_pixel")
    arch = replace(dbpim_arch("tiny"), name="wide", port_bits=256, logit_entries=64)
    program = compiled(network, arch, batch=3)
    return dbpim_chip(arch), dbpim_job(arch, program, random_images(network, 3, seed=0)).work()


def mram_answers() -> tuple[Any, Any]:
    """Return a chip whose pixels of an answer have a block that the narrowest mode leaves out."""
    network, arch = narrow_network(1), mram_arch("tiny")
    program = compile_network(network, arch)
    job = mram_job(arch, program, images_of(network, 1), modes=[2])
    return mram_chip(arch), job.work()


def crossbar_answers() -> tuple[Any, Any]:
    """Return a chip with two answers, whose last flits are not full."""
    case = small_case("crossbar")
    return case.chip, replace(case, images=case.images[:1]).work


@pytest.mark.dear("mram_answers")
@pytest.mark.promise(
    "no AXI output of any family is ever undefined, and bytes that hold no answer have no strobe"
)
@pytest.mark.parametrize("answers", [dbpim_answers, mram_answers, crossbar_answers])
def test_every_axi_output_is_defined(answers: Any, icarus: str, tmp_path: Path) -> None:
    """READY, VALID and irq always, the rest of a channel with its VALID."""
    chip, work = answers()
    run_under_icarus(replace(work, limits=LIMITS), chip, tmp_path)


def test_an_undefined_output_ends_the_run(icarus: str, tmp_path: Path) -> None:
    """A write engine that drives what its buffer holds behind an answer is found."""
    chip, work = mram_answers()
    broken = dict(chip.modules)
    text = broken["mram_write_engine"]
    wrong, count = re.subn("(assign memory__wdata = )[^;]*;", r"\1read_data;", text)
    assert count == 1
    broken["mram_write_engine"] = wrong
    with pytest.raises(CalledProcessError) as error:
        run_under_icarus(work, replace(chip, name="broken", write=lambda: broken), tmp_path)
    assert "memory WDATA is undefined" in error.value.stdout


@pytest.mark.dear("retire 12 0 x")
@pytest.mark.parametrize(
    "line", ["retire 12 0 x", "rest 0 X", "read 00c 0000000x", "answer 0 3 x", "image x"]
)
def test_a_count_must_be_defined(line: str, tmp_path: Path) -> None:
    (tmp_path / "events.txt").write_text(f"start 0 0\n{line}\nfinish\n", encoding="ascii")
    (tmp_path / "stores.txt").write_text("", encoding="ascii")
    into = tmp_path / "read"
    into.mkdir()
    with pytest.raises(ValueError, match="must be defined"):
        read_as("0", tmp_path, small_case("dbpim").chip, into)


@pytest.mark.promise(
    "a chip whose reset reaches its control alone answers, counts and takes cycles as one whose"
    " reset reaches all, whatever its registers hold at power-on"
)
@pytest.mark.parametrize("family", FAMILIES)
def test_data_need_no_reset(family: str) -> None:
    """Bits of data keep what they have; of a small crossbar chip most registers are control."""
    every, control = (reset_bits(small_case(family, reset).chip.modules) for reset in RESETS)
    assert 0 < control < MOST_RESET[family] * every


@pytest.mark.promise(
    "a chip whose registers and memories are undefined at power-on answers and counts without"
    " x, under both simulators"
)
@pytest.mark.dear("crossbar-control-1")
@pytest.mark.parametrize(("family", "reset", "cores"), FEW)
def test_answers_and_events_without_x(
    family: str, reset: str, cores: int, icarus: str, tmp_path: Path
) -> None:
    """Whatever undefined digits of stored words are, all is as golden and the model say."""
    case, into = small_case(family, reset, cores), tmp_path / "read"
    into.mkdir()
    run_under_icarus(replace(case.work, limits=LIMITS), case.chip, tmp_path)
    for digit in "0f":
        starts = read_as(digit, tmp_path, case.chip, into)
        assert case.equal(case.results(starts))


@pytest.mark.long
@pytest.mark.parametrize(("family", "reset", "cores"), MANY)
def test_drawn_chips_without_x(
    family: str, reset: str, cores: int, icarus: str, tmp_path: Path
) -> None:
    test_answers_and_events_without_x(family, reset, cores, icarus, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize(("family", "reset", "cores"), [*FEW, *MANY])
def test_any_values_at_power_on(family: str, reset: str, cores: int) -> None:
    """Under Verilator every register has ones or drawn bits before the reset."""
    case = small_case(family, reset, cores)
    for seed in (ONES, *SEEDS):
        work = replace(case.work, seed=seed, limits=LIMITS)
        starts, _ = run_hosted(work, case.chip, builds=BUILD_ROOT)
        assert case.equal(case.results(starts)), f"seed {seed}"


@pytest.mark.long
def test_any_values_in_a_row_unit(icarus: str, tmp_path: Path) -> None:
    """Arithmetic of float32 has its data from no reset either, and its answers without x."""
    network, arch = norm_network(2), replace(dbpim_arch("small_rows"), reset="control")
    chip, program = dbpim_chip(arch), compiled(network, arch)
    images = draw_images(network, 1, seed=2)
    work = replace(dbpim_job(arch, program, images).work(), limits=LIMITS)
    sound, _ = run_hosted(work, chip, builds=BUILD_ROOT)
    for seed in SEEDS:
        starts, _ = run_hosted(replace(work, seed=seed), chip, builds=BUILD_ROOT)
        assert counted(starts) == counted(sound), f"seed {seed}"
        assert answers(starts) == answers(sound), f"seed {seed}"
    run_under_icarus(work, chip, tmp_path)
    starts = read_as("0", tmp_path, chip, tmp_path)
    assert counted(starts) == counted(sound) and answers(starts) == answers(sound)


def answers(starts: list[Any]) -> list[dict[int, list[int]]]:
    """Return the bytes of all answers."""
    return [{label: found.tolist() for label, found in one.answers.items()} for one in starts]


def reset_bits(modules: Mapping[str, str]) -> int:
    """Return how many bits of registers reset gives a value, in modules that stand once each."""
    blocks = [block for text in modules.values() for block in RESET_BLOCK.findall(text)]
    return sum(int(bits) for block in blocks for bits in GIVEN.findall(block))


def counted(starts: list[Any]) -> list[Any]:
    """Return all counts and cycles of a trace."""
    return [(each.begun, each.retired, each.rest, each.registers) for each in starts]
