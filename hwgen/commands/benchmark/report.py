"""The report of `hwgen benchmark`: how long the kit itself takes.

Tests: `tests/commands/benchmark/test_run.py`.
"""

from collections.abc import Iterator
from typing import Literal

from pydantic.dataclasses import dataclass
from rich.console import Group, RenderableType

from hwgen.files.load import EXACT
from hwgen.report.tables import NOTHING, number, table
from hwgen.report.types import Count


@dataclass(frozen=True, kw_only=True, config=EXACT)
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


@dataclass(frozen=True, kw_only=True, config=EXACT)
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


REPORTS: dict[str, type] = {"benchmark": BenchmarkReport}
"""By the name of the schema."""
