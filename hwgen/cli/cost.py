"""The command that maps a chip to a library of cells."""

from pathlib import Path
from typing import Annotated

from typer import Exit, Option

from hwgen import api
from hwgen.cli.app import WORK, app, finish
from hwgen.cli.options import Arch, Json, Sparsity, Work
from hwgen.cli.outputs import OUTPUT_FILE
from hwgen.report.cost_table import cost_table


@app.command(epilog="Example: hwgen cost chip.yaml --period 5 --plot cost.svg")
def cost(
    *,
    arch: Arch,
    liberty: Annotated[
        Path | None,
        Option(metavar="FILE", help="a library of cells (.lib, .lib.gz) [default: IHP SG13G2]"),
    ] = None,
    period: Annotated[
        float | None,
        Option(metavar="NS", min=0.001, max=1e6, help="clock period; exit code 1 if it is missed"),
    ] = None,
    plot: Annotated[
        Path | None,
        Option(metavar="FILE", help="picture to write (.svg or .png)"),
        OUTPUT_FILE,
    ] = None,
    sparsity: Sparsity = None,
    work: Work = WORK,
    json: Json = None,
) -> None:
    """Synthesize a chip: area, flip-flops and slowest paths of its own netlists.

    Each module is mapped once, by Yosys, and cached: a second call takes seconds, a changed module
    is mapped alone. Memories are macros. There is no layout: wires cost nothing, the clock is
    ideal. The area table stands beside the netlist where both are of the same library.
    """
    report = api.cost(
        api.load_architecture(arch, sparsity=sparsity),
        liberty=liberty,
        period_ns=period,
        plot=plot,
        context=api.Context(work=work),
    )
    finish(report, cost_table(report), json)
    if report.met is False:
        raise Exit(1)
