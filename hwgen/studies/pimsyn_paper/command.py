"""`hwgen paper pimsyn`."""

from typing import Annotated

from typer import Option

from hwgen import api
from hwgen.cli.app import WORK
from hwgen.cli.options import Json, Work
from hwgen.cli.paper import Folder, Networks, names_of, papers, tell_paper
from hwgen.cli.synthesis import Components, Evaluations, Rules, RulesOption, Seed, Workers

Power = Annotated[
    float | None,
    Option(metavar="W", help="peak power, unless a row says otherwise [default: the paper's]"),
]


@papers.command(epilog="Example: hwgen paper pimsyn --networks alexnet,cifar_alexnet")
def pimsyn(
    *,
    networks: Networks = None,
    power_w: Power = None,
    components: Components = None,
    rules: RulesOption = Rules.strict,
    seed: Seed = 1,
    evaluations: Evaluations = None,
    workers: Workers = 2,
    out: Folder = None,
    work: Work = WORK,
    json: Json = None,
) -> None:
    """PIMSYN: tables IV and V and figures 6 to 9; up to an hour for all networks."""
    from hwgen.crossbar.facts.rules import rules_of
    from hwgen.crossbar.pages.published import CIFAR, CODE_POWER_W, IMAGENET
    from hwgen.crossbar.pages.synthesize import COMPONENTS
    from hwgen.studies.pimsyn_paper.compare import Request, pimsyn_paper
    from hwgen.studies.pimsyn_paper.table import paper_files, paper_table

    names = names_of(networks)
    request = Request(
        networks=(*IMAGENET, *CIFAR) if names is None else names,
        power_w=CODE_POWER_W if power_w is None else power_w,
        components=components or COMPONENTS,
        rules=rules_of(rules.value),
        seed=seed,
        evaluations=evaluations,
        workers=workers,
    )
    report = pimsyn_paper(api.Context(work=work), request)
    tell_paper(report, paper_table(report), lambda: paper_files(report), out=out, json=json)
