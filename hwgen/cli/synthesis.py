"""The commands that start from a network and a power budget."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from typer import Argument, Exit, Option

from hwgen import api
from hwgen.api.arguments import LARGEST_SEED
from hwgen.api.commands import default_tables, graphs
from hwgen.cli.app import WORK, app, finish
from hwgen.cli.options import ImageSize, Json, Work, sides_of
from hwgen.cli.outputs import INPUT, OUTPUT_FILE, OUTPUT_FOLDER, ReadByDefault


class Rules(StrEnum):
    """How a design is judged."""

    strict = "strict"
    published = "published"


class Objective(StrEnum):
    """Whose efficiency designs are chosen for."""

    image = "image"
    stream = "stream"


class Method(StrEnum):
    """How designs are searched."""

    bounded = "bounded"
    text = "text"
    code = "code"


NetworkName = Annotated[
    str,
    Argument(metavar="NETWORK", help="a network that ships, such as vgg16, or an ONNX file"),
    INPUT,
]
Components = Annotated[
    Path | None,
    Option(
        metavar="FILE",
        help="power, latency and area of the parts (.yaml) [default: the table of the family]",
    ),
    ReadByDefault(default_tables),
]
RulesOption = Annotated[
    Rules, Option(help="published: as the published tool counts, with its omissions")
]
ObjectiveOption = Annotated[
    Objective, Option(help="stream: efficiency of an image in a steady stream; no bound is known")
]
Identical = Annotated[
    bool, Option("--identical", help="macros with as many of each component as the fullest has")
]
Seed = Annotated[int, Option(min=0, max=LARGEST_SEED, help="the same seed gives the same result")]
Evaluations = Annotated[
    int | None, Option(min=1, metavar="N", help="designs to try [default: by the method]")
]
Workers = Annotated[
    int,
    Option("--jobs", "--workers", min=1, metavar="N", help="processes; changes no result"),
]
PowerBudget = Annotated[float, Option(metavar="W", help="peak power of the whole chip at most")]
MethodOption = Annotated[
    Method, Option(help="text, code: the published search, as described or as shipped")
]
Scheduler = Annotated[
    str | None, Option(metavar="tcp://...", help="a Dask scheduler, instead of processes")
]
TimeLimit = Annotated[
    float | None,
    Option(min=0, metavar="S", help="seconds of search; the best design until then is the answer"),
]
OutFolder = Annotated[
    Path | None,
    Option("--out", "-o", metavar="FOLDER", help="folder to write [default: one in --work]"),
    OUTPUT_FOLDER,
]
Page = Annotated[
    Path | None,
    Option(metavar="FILE", help="write the page with the pictures here as well"),
    OUTPUT_FILE,
]


@app.command(epilog="Example: hwgen synthesize vgg16 --power-w 49 --seed 1 --out build/vgg16")
def synthesize(
    *,
    network: NetworkName,
    power_w: PowerBudget,
    image_size: ImageSize = None,
    components: Components = None,
    rules: RulesOption = Rules.strict,
    objective: ObjectiveOption = Objective.image,
    identical: Identical = False,
    seed: Seed = 1,
    method: MethodOption = Method.bounded,
    evaluations: Evaluations = None,
    workers: Workers = 2,
    scheduler: Scheduler = None,
    time_limit_s: TimeLimit = None,
    out: OutFolder = None,
    work: Work = WORK,
    json: Json = None,
    html: Page = None,
) -> None:
    """Find the most efficient accelerator for a network within a power budget.

    Writes architecture.yaml, schedule.npz, report.json and report.html into one folder. After an
    interrupt the same command resumes the search. Exit code 1 if the chip needs more than the
    budget, which only the published rules allow.
    """
    context = api.Context(work=work)
    made = api.synthesize(
        network,
        power_w,
        components=components,
        rules=rules.value,
        objective=objective.value,
        identical=identical,
        seed=seed,
        method=method.value,
        evaluations=evaluations,
        workers=workers,
        scheduler=scheduler,
        time_limit_s=time_limit_s,
        out=out,
        html=html,
        image_size=sides_of(image_size),
        context=context,
    )
    finish(made.report, made.table, json)
    context.say(f"{made.folder}: {', '.join(made.files)}")
    if not made.within_budget:
        raise Exit(1)


@app.command(epilog="Example: hwgen onnx resnet18 --out build/resnet18.onnx")
def onnx(
    *,
    network: Annotated[
        str, Argument(metavar="NETWORK", help="a network that ships, such as vgg16")
    ],
    out: Annotated[
        Path, Option("--out", "-o", metavar="FILE", help="file to write (.onnx)"), OUTPUT_FILE
    ],
) -> None:
    """Write a network that ships for synthesis as an ONNX file, without weights."""
    print(graphs().write_network(network, out))
