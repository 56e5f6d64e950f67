"""`hwgen paper mlperf-tiny`."""

from pathlib import Path
from typing import Annotated

from typer import Option

from hwgen import api
from hwgen.cli.app import WORK
from hwgen.cli.options import EngineOfResults, Json, Simulated, Work
from hwgen.cli.paper import (
    Folder,
    Images,
    InputCount,
    Networks,
    PaperArch,
    names_of,
    papers,
    tell_paper,
)
from hwgen.cli.synthesis import Seed, Workers

Published = Annotated[
    Path | None, Option(metavar="FOLDER", help="published network files, which --arch runs")
]


@papers.command(
    "mlperf-tiny", epilog="Example: hwgen paper mlperf-tiny --published FOLDER --arch chip.yaml"
)
def mlperf_tiny(
    *,
    published: Published = None,
    networks: Networks = None,
    seed: Seed = 1,
    workers: Workers = 2,
    arch: PaperArch = None,
    data: Images = None,
    images: InputCount = None,
    engine: EngineOfResults = Simulated.rtl,
    out: Folder = None,
    work: Work = WORK,
    json: Json = None,
) -> None:
    """MLPerf Tiny: the published int8 networks against LiteRT, and on a chip with few digits."""
    from hwgen.studies.mlperf_tiny.page import mlperf_tiny_files, mlperf_tiny_table
    from hwgen.studies.mlperf_tiny.run import Request
    from hwgen.studies.mlperf_tiny.run import mlperf_tiny as measured

    request = Request(
        networks=names_of(networks),
        seed=seed,
        workers=workers,
        published=published,
        arch=arch,
        data=data,
        images=images,
        engine=engine.value,
    )
    report = measured(api.Context(work=work), request)
    tell_paper(
        report,
        mlperf_tiny_table(report),
        lambda: mlperf_tiny_files(report),
        out=out,
        json=json,
    )
