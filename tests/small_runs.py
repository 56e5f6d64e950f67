"""A small network on a small chip of each family: program, model, golden, and what a host runs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from golden.network import infer
from hwgen.chip.family import Family
from hwgen.chip.sim.host import HostedChip, Work, run_hosted
from hwgen.commands.compare import Results, compare
from hwgen.commands.context import Context
from hwgen.commands.families import families
from hwgen.commands.schedules import starts_of
from hwgen.commands.subject import Subject, compiled_now
from hwgen.crossbar.facts.chip import described
from hwgen.crossbar.model.record import make_arch
from hwgen.crossbar.sim.chip_run import hosted as crossbar_chip
from hwgen.crossbar.sim.simulate import job_of as crossbar_job
from hwgen.crossbar.sim.simulate import simulated_runs as crossbar_runs
from hwgen.dbpim.sim.chip_run import hosted as dbpim_chip
from hwgen.dbpim.sim.simulate import job_of as dbpim_job
from hwgen.dbpim.sim.simulate import simulated_runs as dbpim_runs
from hwgen.mram.facts.arch import ArraySize
from hwgen.mram.sim.chip_run import hosted as mram_chip
from hwgen.mram.sim.simulate import job_of as mram_job
from hwgen.mram.sim.simulate import simulated_runs as mram_runs
from tests.verif.crossbar.whole import answers_design, answers_network, design
from tests.verif.dbpim.chips import chip_arch as dbpim_arch
from tests.verif.mram.chips import chip_arch as mram_arch
from tests.verif.mram.chips import images_of, residual_network
from verif.common.drawing import Drawing, draw_images
from verif.dbpim.directed_network import directed
from verif.dbpim.random_network import random_images
from verif.toolchain import BUILD_ROOT

ROOMY = ArraySize(rows=256, columns=64)
"""Of MRAM chips of one octet."""
FAMILIES = ("dbpim", "mram", "crossbar")
STREAM = (0, 2, 1)
"""Modes of the images of the family that has modes."""


@dataclass(frozen=True, kw_only=True)
class SmallCase:
    """A network on a chip: its program, its images, each in a mode."""

    subject: Subject
    program: Any
    images: Any
    modes: Sequence[int]

    @property
    def chip(self) -> HostedChip[Any]:
        """The chip with what its host is told."""
        arch: Any = self.subject.arch
        match self.subject.family.name:
            case "dbpim":
                return dbpim_chip(arch)
            case "mram":
                return mram_chip(arch)
        return crossbar_chip(described(arch))

    @property
    def work(self) -> Work:
        """What the host has the chip do."""
        arch: Any = self.subject.arch
        match self.subject.family.name:
            case "dbpim":
                return dbpim_job(arch, self.program, self.images).work()
            case "mram":
                return mram_job(arch, self.program, self.images, modes=self.modes).work()
        return crossbar_job(described(arch), self.program, self.images).work()

    def runs(self, traced: Sequence[Any]) -> list[Any]:
        """Return the runs of a trace."""
        arch: Any = self.subject.arch
        match self.subject.family.name:
            case "dbpim":
                return list(dbpim_runs(traced, [self.program] * len(traced), arch, self.images))
            case "mram":
                return list(mram_runs(traced, self.program, arch))
        return list(crossbar_runs(traced, self.program, described(arch)))

    def results(self, traced: Sequence[Any]) -> Results:
        """Return the results of the engines; traced: what the host wrote down."""
        network, family = self.subject.network, self.subject.family
        maps = golden_maps(network, self.images, self.modes)
        size = self.program.facts.images
        model: Any = family.need(Family.cycle_model).CycleModel(self.program, self.subject.arch)
        predictions = []
        for first in range(0, len(self.images), size):
            of_run = {name: found[first : first + size] for name, found in maps.items()}
            modes = {"modes": self.modes[first : first + size]} if family.name == "mram" else {}
            predictions.append(model.predict(of_run, **modes))
        return Results(
            modes=[network.graph.modes[mode] for mode in self.modes],
            run_images=size,
            maps=maps,
            unstored=family.need(Family.compiler).unstored(
                network, self.program, self.subject.arch
            ),
            predictions=predictions,
            runs=self.runs(traced),
            compared=True,
            zero_bit_planes={},
        )

    def equal(self, results: Results) -> bool:
        """Return what a report would say of results."""
        if not compare(self.subject.network, results).equal:
            return False
        starts = starts_of(self.subject, self.program, results.predictions, results.runs)
        return starts is None or starts.first is None


def golden_maps(network: Any, images: Any, modes: Sequence[int]) -> dict[str, list[Any]]:
    """Return the maps of all images, each in its mode."""
    each = [infer(network, images[n : n + 1], mode=mode) for n, mode in enumerate(modes)]
    return {name: [maps[name][0] for maps in each] for name in each[0]}


def with_output(network: Any, op: str) -> Any:
    """Return a network whose first layer of a kind is a second output."""
    second = next(layer.name for layer in network.layers if layer.op == op)
    return replace(network, graph=replace(network.graph, outputs=(network.answer, second)))


def drawn_dbpim(cores: int) -> Any:
    """Return a tiny chip of some cores, whose other sizes are drawn."""
    rng = np.random.default_rng(cores)
    return replace(
        dbpim_arch("tiny"),
        cores=cores,
        macros_per_core=1 << int(rng.integers(0, 2)),
        switch_rate=1 << int(rng.integers(0, 3)),
        queue_depth=int(rng.integers(1, 4)),
        port_bits=64 << int(rng.integers(0, 2)),
        logit_entries=32,
    )


def drawn_crossbar(cores: int, seed: int | None = None) -> tuple[Any, Any]:
    """Return convolutions in a row, each on a macro of its own, whose channels are drawn."""
    seed = cores if seed is None else seed
    rng, drawing = np.random.default_rng(seed), Drawing(seed, modes=("full",), shape=(3, 2, 2))
    now = "input"
    for _ in range(cores):
        now = drawing.conv(now, (int(rng.integers(2, 8)),))
    network = drawing.build(now)
    found = design(network, copies=[1] * cores, macros=[1] * cores, side=16)
    return network, make_arch(found, f"drawn_{cores}")


@cache
def small_case(family: str, reset: str = "all", cores: int = 0) -> SmallCase:
    """Return runs of two images on a small chip: fused layers, modes, two answers.

    reset: what it reaches, see the architectures; cores: of a drawn chip, or its octets, or its
    macros; 0: the chip that tests share
    """
    modes: Sequence[int] = (0,) * 4
    network: Any
    arch: Any
    if family == "dbpim":
        network, arch = directed("residuals"), drawn_dbpim(cores) if cores else dbpim_arch("tiny")
        network = with_output(network, "add")
        images = random_images(network, 4, seed=0)
    elif family == "mram":
        network, arch, modes = residual_network(1), mram_arch("tiny"), STREAM
        network = with_output(network, "average_pool")
        if cores:
            arch = replace(arch, sub_arrays=arch.block * cores, array=ROOMY)
        images = images_of(network, len(STREAM))
    else:
        network, arch = answers_network(), make_arch(answers_design(), "answers")
        if cores:
            network, arch = drawn_crossbar(cores)
        images = draw_images(network, 4, seed=3)
    subject = Subject(
        network=network,
        network_file=Path("network.npz"),
        family=families()[family],
        arch=replace(arch, reset=reset),
        arch_file=Path("nowhere/chip.yaml"),
        run_images=2,
    )
    program: Any = compiled_now(Context(console=None), subject)
    return SmallCase(subject=subject, program=program, images=images, modes=modes)


@cache
def traced(family: str) -> list[Any]:
    """Return what the host of a small case wrote down."""
    case = small_case(family)
    found, _ = run_hosted(case.work, case.chip, builds=BUILD_ROOT)
    return found
