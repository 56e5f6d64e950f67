"""`hwgen benchmark`."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from hwgen import api
from hwgen.cli.app import WORK, app, finish
from hwgen.cli.options import Data, Json, Work
from hwgen.studies.benchmark.report import benchmark_table
from hwgen.studies.benchmark.run import run_benchmark


@app.command(epilog="Example: hwgen benchmark network.npz --arch chip.yaml")
def benchmark(
    *,
    networks: Annotated[
        list[Path], Argument(metavar="NETWORK...", help="quantized network files (.npz)")
    ],
    arch: Annotated[Path, Option(help="an architecture (.yaml)")],
    data: Data = None,
    jobs: Annotated[int, Option(min=1, help="processes that predict")] = 2,
    build: Annotated[bool, Option(help="build the simulator as well")] = True,
    work: Work = WORK,
    json: Json = None,
) -> None:
    """Measure how long predictions, emission and a build take; scripts/benchmark calls it."""
    report = run_benchmark(
        api.Context(work=work), networks, arch, data=data, jobs=jobs, build=build
    )
    finish(report, benchmark_table(report), json)
