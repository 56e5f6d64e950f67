"""What `hwgen paper dbpim` is told."""

from dataclasses import KW_ONLY, dataclass
from typing import Annotated

from hwgen.commands.fields import File, Workers
from hwgen.commands.paper import InputCount, Page, Paper, PaperArch, PaperImages
from hwgen.commands.request import Says


@dataclass(frozen=True)
class RaceRequest(Paper):
    """What the race is told."""

    architecture: PaperArch = None
    _: KW_ONLY
    networks: Annotated[
        File | None,
        Says("network files by the names of the paper's [default: random ones]", metavar="FOLDER"),
    ] = None
    workers: Workers = 2
    data: PaperImages = None
    images: InputCount = None
    html: Page = None
