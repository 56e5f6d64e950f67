"""`hwgen benchmark`.

Tests: `tests/commands/benchmark/test_run.py`.
"""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Annotated

from rich.console import RenderableType

from hwgen.commands.benchmark.report import BenchmarkReport, benchmark_table
from hwgen.commands.benchmark.run import run_benchmark
from hwgen.commands.fields import ArchFile, Count, File
from hwgen.commands.request import INPUT, Says, Working


@dataclass(frozen=True)
class Benchmark(Working, command="benchmark", example="network.npz chip.yaml"):
    """Measure how long predictions, emission and a build take; scripts/benchmark calls it."""

    networks: Annotated[
        Sequence[File],
        Says(
            "quantized network files (.npz)",
            metavar="NETWORK...",
            argument=True,
            typed=list[Path],
            read=tuple,
        ),
    ]
    architecture: ArchFile
    _: KW_ONLY
    data: Annotated[
        str | None,
        Says("images of the networks [default: random inputs]", metavar="FOLDER", use=INPUT),
    ] = None
    jobs: Annotated[Count, Says("processes that predict")] = 2
    build: Annotated[bool, Says("build the simulator as well")] = True

    def run(self) -> BenchmarkReport:
        """Measure."""
        return run_benchmark(
            self.quiet,
            [Path(file) for file in self.networks],
            Path(self.architecture),
            data=self.data,
            jobs=self.jobs,
            build=self.build,
        )

    def table(self, report: BenchmarkReport) -> RenderableType:
        """Return the times."""
        return benchmark_table(report)
