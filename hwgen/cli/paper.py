"""The commands that set published figures beside ours."""

from pathlib import Path
from typing import Annotated

from typer import Option

from hwgen.cli.app import WORK, app, finish
from hwgen.cli.options import Json, Work
from hwgen.cli.outputs import CheckedTyper
from hwgen.cli.synthesis import COMPONENTS, Rules
from hwgen.flow.context import Context
from hwgen.flow.paper import Request, pimsyn_paper
from hwgen.report.paper_table import paper_table
from hwgen.spec.crossbar.published import CIFAR, CODE_POWER_W, IMAGENET

paper = CheckedTyper(help="Published tables and figures beside ours.", no_args_is_help=True)
app.add_typer(paper, name="paper")


@paper.command(epilog="Example: hwgen paper pimsyn --networks alexnet,cifar_alexnet")
def pimsyn(
    *,
    networks: Annotated[
        str, Option(metavar="NAMES", help="some of the paper's networks, with commas between")
    ] = ",".join((*IMAGENET, *CIFAR)),
    power_w: Annotated[
        float, Option(metavar="W", help="peak power, unless a row says otherwise")
    ] = CODE_POWER_W,
    components: Annotated[
        Path, Option(metavar="FILE", help="power, latency and area of the parts (.yaml)")
    ] = COMPONENTS,
    rules: Annotated[
        Rules, Option(help="published: as the published tool counts, with its omissions")
    ] = Rules.strict,
    seed: Annotated[int, Option(min=0, help="the same seed gives the same report")] = 1,
    evaluations: Annotated[
        int | None,
        Option(min=1, metavar="N", help="designs that each search tries [default: by the search]"),
    ] = None,
    workers: Annotated[int, Option(min=1, metavar="N", help="processes; changes no result")] = 2,
    work: Work = WORK,
    json: Json = None,
) -> None:
    """Set PIMSYN's tables IV and V and figures 6 to 9 beside ours, with the reasons.

    Takes up to an hour for all networks. An interrupted run goes on where it stopped when the
    same command is given again.
    """
    request = Request(
        networks=tuple(dict.fromkeys(filter(None, networks.split(",")))),
        power_w=power_w,
        components=components,
        rules=rules.value,
        seed=seed,
        evaluations=evaluations,
        workers=workers,
    )
    report = pimsyn_paper(Context(work=work), request)
    finish(report, paper_table(report), json)
