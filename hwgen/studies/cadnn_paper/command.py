"""`hwgen paper mram`."""

from pathlib import Path
from typing import Annotated

from typer import Option

from hwgen import api
from hwgen.cli.app import WORK
from hwgen.cli.options import Json, Work
from hwgen.cli.paper import Folder, papers, tell_paper

Training = Annotated[
    list[Path] | None,
    Option(metavar="FILE", help="table of trainings (.json) with accuracies [default: none]"),
]
Energies = Annotated[
    Path | None, Option(metavar="FILE", help="energy of the parts (.yaml) [default: of 45 nm]")
]


@papers.command(epilog="Example: hwgen paper mram --out build/mram-paper")
def mram(
    *,
    components: Energies = None,
    training: Training = None,
    out: Folder = None,
    work: Work = WORK,
    json: Json = None,
) -> None:
    """CA-DNN: tables I to IV and the figures of section V; takes seconds."""
    from hwgen.studies.cadnn_paper.page import paper_files
    from hwgen.studies.cadnn_paper.rows import adaptive_paper
    from hwgen.studies.cadnn_paper.table import paper_table

    report = adaptive_paper(
        api.Context(work=work), components=components, training=tuple(training or ())
    )
    tell_paper(report, paper_table(report), lambda: paper_files(report), out=out, json=json)
