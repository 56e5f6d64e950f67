"""The command of the demo."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Exit, Option

from hwgen import api
from hwgen.cli.app import WORK, app, finish
from hwgen.cli.options import Arch, Count, Json, Work
from hwgen.studies.demo.run import run_demo
from hwgen.studies.demo.table import demo_table


@app.command(epilog="Example: hwgen demo recipe.yaml chip.yaml")
def demo(
    *,
    recipe: Annotated[Path, Argument(metavar="RECIPE", help="how to train (.yaml)")],
    arch: Arch,
    images: Count = 16,
    adaptive: Annotated[
        tuple[Path, Path] | None,
        Option(metavar="NETWORK ARCH", help="a network with several modes, and its architecture"),
    ] = None,
    work: Work = WORK,
    json: Json = None,
) -> None:
    """Train a network and compare its dense and its sparse chip in RTL; scripts/demo calls it.

    --adaptive: then run another network in each of its modes, and switch between them.
    """
    context = api.Context(work=work)
    report = run_demo(context, recipe, arch, images=images, adaptive=adaptive)
    finish(report, demo_table(report), json)
    if not report.equal:
        raise Exit(1)
