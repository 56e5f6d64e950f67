"""The command that compares published figures with those of this project."""

from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Exit, Option

from hwgen import api
from hwgen.api.commands import PaperRequest, compare_paper, paper_called, papers, write_paper
from hwgen.cli.app import WORK, app, finish
from hwgen.cli.options import Json, Work
from hwgen.cli.outputs import CACHE, INPUT, OUTPUT_FILE, PlainCommand
from hwgen.cli.results import EngineOfResults, Simulated
from hwgen.cli.synthesis import Components, Evaluations, Rules, RulesOption, Seed, Workers

Name = Annotated[
    str,
    Argument(metavar="NAME", help="name of the paper"),
]
Networks = Annotated[
    str | None,
    Option(
        metavar="NAMES|FOLDER",
        help="some of the paper's networks, separated by commas, or a folder with network files"
        " [default: all]",
    ),
    INPUT,
]
Power = Annotated[
    float | None,
    Option(metavar="W", help="peak power, unless a row says otherwise [default: the paper's]"),
]
Training = Annotated[
    list[Path] | None,
    Option(metavar="FILE", help="table of trainings (.json) with accuracies [default: none]"),
]
Published = Annotated[
    Path | None, Option(metavar="FOLDER", help="published network files, which --arch runs")
]
ArchOption = Annotated[
    Path | None,
    Option(help="an architecture (.yaml) that runs the networks [default: the paper's]"),
]
Images = Annotated[
    str | None,
    Option("--data", metavar="FOLDER", help="images of the networks [default: random inputs]"),
    INPUT,
]
Count = Annotated[int | None, Option("--images", metavar="N", min=1, help="inputs of a run")]
Folder = Annotated[
    Path | None,
    Option("--out", "-o", metavar="FOLDER", help="also write page, pictures and JSON there"),
    CACHE,
]
Page = Annotated[
    Path | None,
    Option(metavar="FILE", help="write one page with all tables and pictures"),
    OUTPUT_FILE,
]


class PaperCommand(PlainCommand):
    """A command whose help lists the papers that the installed families know."""

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(f"Papers: {', '.join(papers())}")
        super().format_epilog(ctx, formatter)


@app.command(
    cls=PaperCommand,
    no_args_is_help=True,
    epilog="Example: hwgen paper NAME --networks alexnet,cifar_alexnet",
)
def paper(
    *,
    name: Name,
    networks: Networks = None,
    power_w: Power = None,
    components: Components = None,
    rules: RulesOption = Rules.strict,
    seed: Seed = 1,
    evaluations: Evaluations = None,
    workers: Workers = 2,
    training: Training = None,
    published: Published = None,
    arch: ArchOption = None,
    data: Images = None,
    images: Count = None,
    engine: EngineOfResults = Simulated.rtl,
    out: Folder = None,
    html: Page = None,
    work: Work = WORK,
    json: Json = None,
) -> None:
    """Compare the tables and figures of a paper with ours, with reasons where they differ.

    A paper refuses options that it does not have. May take up to an hour; after an interrupt the
    same command resumes. Exit code 1 if a run differs.
    """
    page = paper_called(name)
    request = PaperRequest(
        networks=names_of(networks),
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
        html=html,
    )
    report = compare_paper(api.Context(work=work), page, request)
    if out is not None:
        write_paper(page.files(report), out)
    finish(report, page.table(report), json)
    if not getattr(report, "sound", True):
        raise Exit(1)


def names_of(text: str | None) -> tuple[str, ...] | None:
    """Return the names that an option separates by commas, each once."""
    return None if text is None else tuple(dict.fromkeys(filter(None, text.split(","))))
