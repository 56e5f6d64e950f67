"""The command that compares published figures with those of this project."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Exit, Option

from hwgen import api
from hwgen.api.commands import PaperRequest, paper_called, write_paper
from hwgen.cli.app import WORK, app, finish
from hwgen.cli.options import Json, Work
from hwgen.cli.outputs import CACHE, INPUT
from hwgen.cli.results import EngineOfResults, Simulated
from hwgen.cli.synthesis import Components, Evaluations, Rules, RulesOption, Seed, Workers


@app.command(
    no_args_is_help=True, epilog="Example: hwgen paper NAME --networks alexnet,cifar_alexnet"
)
def paper(
    *,
    name: Annotated[
        str,
        Argument(metavar="NAME", help="name of the paper; the error for an unknown one lists all"),
    ],
    networks: Annotated[
        str | None,
        Option(
            metavar="NAMES",
            help="some of the paper's networks, separated by commas [default: all]",
        ),
    ] = None,
    power_w: Annotated[
        float | None,
        Option(metavar="W", help="peak power, unless a row says otherwise [default: the paper's]"),
    ] = None,
    components: Components = None,
    rules: RulesOption = Rules.strict,
    seed: Seed = 1,
    evaluations: Evaluations = None,
    workers: Workers = 2,
    training: Annotated[
        list[Path] | None,
        Option(metavar="FILE", help="table of trainings (.json) with accuracies [default: none]"),
    ] = None,
    published: Annotated[
        Path | None, Option(metavar="FOLDER", help="published network files, which --arch runs")
    ] = None,
    arch: Annotated[Path | None, Option(help="an architecture (.yaml), for --published")] = None,
    data: Annotated[
        str | None,
        Option(metavar="FOLDER", help="images for --published [default: random inputs]"),
        INPUT,
    ] = None,
    images: Annotated[
        int | None, Option(metavar="N", min=1, help="inputs of a run, for --published")
    ] = None,
    engine: EngineOfResults = Simulated.rtl,
    out: Annotated[
        Path | None,
        Option("--out", "-o", metavar="FOLDER", help="also write page, pictures and JSON there"),
        CACHE,
    ] = None,
    work: Work = WORK,
    json: Json = None,
) -> None:
    """Compare the tables and figures of a paper with ours, with reasons where they differ.

    May take up to an hour. After an interrupt the same command resumes. Exit code 1 if a run
    differs.
    """
    page = paper_called(name)
    request = PaperRequest(
        networks=(
            None if networks is None else tuple(dict.fromkeys(filter(None, networks.split(","))))
        ),
        power_w=power_w,
        components=components,
        rules=rules.value,
        seed=seed,
        evaluations=evaluations,
        workers=workers,
        training=tuple(training or ()),
        published=published,
        arch=arch,
        data=data,
        images=images,
        engine=engine.value,
    )
    report = page.compare(api.Context(work=work), request)
    if out is not None:
        write_paper(page.files(report), out)
    finish(report, page.table(report), json)
    if not getattr(report, "sound", True):
        raise Exit(1)
