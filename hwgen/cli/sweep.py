"""The command that varies an architecture."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from hwgen import api
from hwgen.api.commands import values_of
from hwgen.cli.app import WORK, app, finish
from hwgen.cli.options import Arch, Batch, CountOfRuns, Data, Json, Mode, Network, Sparsity, Work
from hwgen.cli.outputs import OUTPUT_FILE
from hwgen.report.sweep_table import sweep_table


@app.command(
    epilog="Example: hwgen sweep network.npz chip.yaml cores=1,2 port_bits=64,128 --plot sweep.svg"
)
def sweep(
    *,
    network: Network,
    arch: Arch,
    keys: Annotated[
        list[str],
        Argument(
            metavar="KEY=VALUES...",
            help="a key of the architecture and its values, such as macro.rows=8,16",
        ),
    ],
    data: Data = None,
    images: CountOfRuns = None,
    batch: Batch = 1,
    mode: Mode = None,
    sparsity: Sparsity = None,
    workers: Annotated[
        int,
        Option("--jobs", "--workers", min=1, metavar="N", help="processes; changes no result"),
    ] = 2,
    plot: Annotated[
        Path | None,
        Option(metavar="FILE", help="picture to write (.svg or .png)"),
        OUTPUT_FILE,
    ] = None,
    work: Work = WORK,
    json: Json = None,
) -> None:
    """Predict a network on every combination of values of some keys of an architecture.

    The key sparsity stands for all switches: sparsity=none,all,weight_bits+input_bits. A
    combination that the architecture or the network refuses is a row with the reason. Every
    prediction is cached, so after an interrupt the same command resumes.
    """
    report = api.sweep(
        network,
        api.load_architecture(arch, sparsity=sparsity),
        values_of(keys),
        data=data,
        images=images,
        batch=batch,
        mode=mode,
        workers=workers,
        plot=plot,
        context=api.Context(work=work),
    )
    finish(report, sweep_table(report), json)
