"""How long the kit takes: wall times of predictions, of emission, of a build of the simulator.

`scripts/benchmark` calls it.

Tests: `studies/tests/test_benchmark.py`.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Literal

from pydantic import dataclasses
from rich import print as show
from rich.console import Group, RenderableType

from hwgen.chip.family import Family
from hwgen.commands.context import Context, timed
from hwgen.commands.images import choose_images
from hwgen.commands.maps import keep_maps, read_maps
from hwgen.commands.origin import commit, machine
from hwgen.commands.subject import load_chip, load_subject, program_of, program_path
from hwgen.files.load import EXACT
from hwgen.report.files import report_text
from hwgen.report.tables import NOTHING, number, table
from hwgen.report.types import Count

LIMITS = {"predict": 180.0, "emit": 3.0, "build": 120.0}
"""Seconds, on 2 cores that have nothing else to do, with six networks dense and sparse."""
SPARSITIES = ("none", "all")


@dataclasses.dataclass(frozen=True, kw_only=True, config=EXACT)
class PredictedNetwork:
    """One network with one choice of switches.

    prepare_seconds: to compile it and to compute its maps, or to find both cached
    seconds: from the cached program and maps to the cycles, of one process
    cpu_seconds: processor time of the same, which other processes hardly change
    """

    network: str
    sparsity: str
    cycles: Count
    prepare_seconds: float
    seconds: float
    cpu_seconds: float


@dataclasses.dataclass(frozen=True, kw_only=True, config=EXACT)
class BenchmarkReport:
    """Wall times in seconds on a machine that may do other work, see `load`.

    predict_seconds: all networks in `jobs` processes, their start and imports included
    emit_seconds: Verilog of the chip from a fresh process, imports included
    build_seconds: its simulator, from nothing; null: not asked for
    limits: of predict, emit and build
    load: mean number of runnable processes in the minute before
    """

    format: Literal["hwgen.report.benchmark"]
    version: Literal[1]
    architecture: str
    jobs: Count
    networks: list[PredictedNetwork]
    predict_seconds: float
    emit_seconds: float
    build_seconds: float | None
    limits: dict[str, float]
    load: float
    commit: str | None
    machine: str


def benchmark_table(report: BenchmarkReport) -> RenderableType:
    """Return the networks, then the sums with their limits."""
    rows = table(["network", "sparsity", "cycles", "prepare, s", "predict, s", "CPU, s"], left=2)
    for each in report.networks:
        seconds = (each.prepare_seconds, each.seconds, each.cpu_seconds)
        times = [f"{value:.1f}" for value in seconds]
        rows.add_row(each.network, each.sparsity, number(each.cycles), *times)
    return Group(
        f"{report.architecture}, {report.machine}, commit {report.commit or NOTHING},"
        f" {report.load:.1f} other processes",
        "",
        rows,
        "",
        *sums(report),
    )


def sums(report: BenchmarkReport) -> Iterator[str]:
    """Yield a line for each figure that has a limit."""
    for name, what in (
        ("predict", f"{len(report.networks)} predictions in {report.jobs} processes"),
        ("emit", "Verilog of the chip, imports included"),
        ("build", "simulator of the chip"),
    ):
        seconds = getattr(report, f"{name}_seconds")
        if seconds is not None:
            yield f"{what}: {seconds:.1f} s, limit {report.limits[name]:g} s"


@dataclass(frozen=True, kw_only=True)
class Cached:
    """A network with its program and maps in files; seconds: to prepare them."""

    network: str
    arch: Path
    sparsity: str
    program: Path
    maps: Path
    seconds: float


def run_benchmark(
    context: Context,
    networks: Sequence[Path],
    arch: Path,
    *,
    data: str | None,
    jobs: int,
    build: bool,
) -> BenchmarkReport:
    """Measure; build: the simulator as well, from nothing."""
    load = os.getloadavg()[0]
    cached = [
        prepared(context, network, arch, sparsity, data)
        for network, sparsity in product(networks, SPARSITIES)
    ]
    seconds: dict[str, float] = {}
    with timed(seconds, "predict"):
        found = list(predictions(cached, jobs=jobs))
    with timed(seconds, "emit"):
        emit(arch)
    if build:
        with timed(seconds, "build"):
            build_simulator(context, networks[0], arch, data)
    return BenchmarkReport(
        format="hwgen.report.benchmark",
        version=1,
        architecture=load_chip(arch, None)[1].name,
        jobs=jobs,
        networks=[
            PredictedNetwork(
                network=each.network,
                sparsity=each.sparsity,
                cycles=cycles,
                prepare_seconds=each.seconds,
                seconds=spent,
                cpu_seconds=cpu,
            )
            for each, (cycles, spent, cpu) in zip(cached, found, strict=True)
        ],
        predict_seconds=seconds["predict"],
        emit_seconds=seconds["emit"],
        build_seconds=seconds.get("build"),
        limits=LIMITS,
        load=round(load, 1),
        commit=commit(),
        machine=machine(),
    )


def prepared(
    context: Context, network: Path, arch: Path, sparsity: str, data: str | None
) -> Cached:
    """Return files with the program and the maps of a network, cached or made now."""
    seconds: dict[str, float] = {}
    with timed(seconds, "prepare"):
        subject = load_subject(network, arch, sparsity)
        batch = choose_images(subject.network, data, 1)
        program_of(context, subject)
        maps = keep_maps(context, subject, batch)
    return Cached(
        network=subject.network.graph.name,
        arch=arch,
        sparsity=sparsity,
        program=program_path(context, subject),
        maps=maps,
        seconds=seconds["prepare"],
    )


def predictions(cached: Sequence[Cached], *, jobs: int) -> Iterator[tuple[int, float, float]]:
    """Yield cycles, seconds and processor time of each network, predicted in fresh processes."""
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        yield from pool.map(predict, cached)


def predict(each: Cached) -> tuple[int, float, float]:
    """Return the cycles of one network, the seconds from its files to them, and processor time."""
    began, cpu = time.monotonic(), time.process_time()
    family, arch = load_chip(each.arch, each.sparsity)
    program = family.need(Family.programs).load_program(each.program)
    maps = read_maps(each.maps)
    cycles = family.need(Family.cycle_model).CycleModel(program, arch).predict(maps).cycles
    return cycles, round(time.monotonic() - began, 2), round(time.process_time() - cpu, 2)


def emit(arch: Path) -> None:
    """Write the Verilog of a chip from a fresh process."""
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "hwgen", "build", str(arch)]
        folder = str(Path(scratch, "verilog"))
        subprocess.run([*command, "--out", folder], check=True, stdout=subprocess.DEVNULL)


def build_simulator(context: Context, network: Path, arch: Path, data: str | None) -> None:
    """Build the simulator of a chip in an empty folder, without a cache of compiled objects."""
    subject = load_subject(network, arch, None)
    batch = choose_images(subject.network, data, 1)
    program = program_of(context, subject)
    with (
        tempfile.TemporaryDirectory() as scratch,
        environment(CCACHE_DISABLE="1", HWGEN_BUILD_ROOT=scratch),
    ):
        subject.family.need(Family.simulation).prepare(
            subject.arch, program, batch.images, builds=Path(scratch)
        )


@contextmanager
def environment(**changes: str) -> Iterator[None]:
    """Change environment variables for a while."""
    before = dict(os.environ)
    os.environ.update(changes)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and show the times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", nargs="+", type=Path, help="quantized network files (.npz)")
    parser.add_argument("architecture", type=Path)
    parser.add_argument("--data", help="images of the networks [default: random inputs]")
    parser.add_argument("--jobs", type=int, default=2, help="processes that predict")
    parser.add_argument("--no-build", dest="build", action="store_false", help="no simulator")
    parser.add_argument("--json", type=Path, help="file of the report")
    parser.add_argument("--work", type=Path, default=Path("build"))
    given = parser.parse_args(arguments)
    report = run_benchmark(
        Context(work=given.work),
        given.networks,
        given.architecture,
        data=given.data,
        jobs=given.jobs,
        build=given.build,
    )
    show(benchmark_table(report))
    if given.json is not None:
        given.json.write_text(report_text(report), encoding="utf-8")


if __name__ == "__main__":
    main()
