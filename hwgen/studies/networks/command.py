"""The commands that run complete networks and tabulate what was measured."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Exit, Option

from hwgen import api
from hwgen.cli.app import WORK, app, finish
from hwgen.cli.options import (
    Arch,
    CountOfRuns,
    Data,
    EngineOfResults,
    Json,
    Network,
    Simulated,
    Work,
)
from hwgen.cli.outputs import CACHE, OUTPUT_FILE
from hwgen.files.output import write_text
from hwgen.studies.networks.case import run_case
from hwgen.studies.networks.run import ResultsRequest, run_results
from hwgen.studies.networks.table import results_page, results_table


@app.command(
    no_args_is_help=True,
    epilog="Example: hwgen results --arch chip.yaml --runs build/results --out results.md"
    " network.npz",
)
def results(
    *,
    networks: Annotated[
        list[Path] | None,
        Argument(metavar="NETWORK", help="quantized network files; none: only tabulate"),
    ] = None,
    arch: Annotated[Path | None, Option(help="an architecture (.yaml), for networks")] = None,
    runs: Annotated[
        Path, Option(metavar="FOLDER", help="folder of the records", show_default=True), CACHE
    ],
    sparsity: Annotated[
        list[str] | None,
        Option(metavar="SWITCHES", help="as for hwgen run; repeatable [default: none and all]"),
    ] = None,
    batch: Annotated[
        list[int] | None, Option(metavar="N", min=1, help="images of one run; repeatable")
    ] = None,
    images: CountOfRuns = None,
    data: Data = None,
    engine: EngineOfResults = Simulated.rtl,
    jobs: Annotated[int, Option(min=1, help="runs at a time")] = 1,
    out: Annotated[
        Path | None,
        Option("--out", "-o", metavar="FILE", help="page of Markdown to write"),
        OUTPUT_FILE,
    ] = None,
    work: Work = WORK,
    json: Json = None,
) -> None:
    """Run complete networks and tabulate what was measured, a row for each run.

    Each network runs with each choice of switches and each batch, in a process that leaves a record
    in --runs. A record of the same network, chip, images and code is cached, so the same command
    resumes. The table shows all records of the folder: a run that fails or differs is a row, too.
    `training.json` beside a network file says how it was trained.
    """
    report = run_results(
        api.Context(work=work),
        ResultsRequest(
            networks=networks or [],
            arch=arch,
            data=data,
            sparsities=sparsity or ["none", "all"],
            batches=batch or [1],
            images=images,
            engine=engine.value,
            runs=runs,
            jobs=jobs,
        ),
    )
    if out is not None:
        write_text(out, results_page(report), what="page")
    finish(report, results_table(report), json)
    if not report.sound:
        raise Exit(1)


@app.command(hidden=True)
def result(
    *,
    network: Network,
    arch: Arch,
    sparsity: Annotated[str, Option()],
    batch: Annotated[int, Option(min=1)],
    images: Annotated[int, Option()],
    record: Annotated[Path, Option(metavar="FILE", help="the row to write"), OUTPUT_FILE],
    data: Data = None,
    engine: EngineOfResults = Simulated.rtl,
    work: Work = WORK,
) -> None:
    """Run one case and write its row; hwgen results calls it."""
    run_case(
        api.Context(work=work),
        network,
        arch,
        data=data,
        sparsity=sparsity,
        batch=batch,
        images=images,
        engine=engine.value,
        record=record,
    )
