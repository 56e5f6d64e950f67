"""`hwgen paper dbpim`."""

from pathlib import Path
from typing import Annotated

from typer import Option

from hwgen import api
from hwgen.cli.app import WORK
from hwgen.cli.options import Json, Work
from hwgen.cli.paper import Folder, Images, InputCount, Page, PaperArch, papers, tell_paper
from hwgen.cli.synthesis import Workers
from hwgen.files.output import write_text

Networks = Annotated[
    Path | None,
    Option(
        metavar="FOLDER", help="network files by the names of the paper's [default: random ones]"
    ),
]


@papers.command(epilog="Example: hwgen paper dbpim --networks FOLDER --html race.html")
def dbpim(
    *,
    networks: Networks = None,
    workers: Workers = 2,
    arch: PaperArch = None,
    data: Images = None,
    images: InputCount = None,
    out: Folder = None,
    html: Page = None,
    work: Work = WORK,
    json: Json = None,
) -> None:
    """DB-PIM: speed, energy and utilization of six networks, each with each choice of switches."""
    from hwgen.studies.dbpim_paper.page import race_html
    from hwgen.studies.dbpim_paper.race import Request, race
    from hwgen.studies.dbpim_paper.table import NAME, race_files, race_table

    request = Request(
        networks=networks,
        workers=workers,
        arch=arch,
        data=None if data is None else Path(data),
        images=images,
    )
    report = race(api.Context(work=work), request)
    if html is not None:
        write_text(html, race_html(report), what="page")
    tell_paper(
        report,
        race_table(report),
        lambda: race_files(report) | {f"{NAME}.html": race_html(report)},
        out=out,
        json=json,
    )
