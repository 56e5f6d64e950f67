"""What `hwgen paper dbpim` and `hwgen paper dbpim-figures` are told."""

from dataclasses import KW_ONLY, dataclass
from typing import Annotated

from hwgen.commands.fields import File, Workers
from hwgen.commands.request import Says
from hwgen_studies.request import InputCount, Page, Paper, PaperArch, PaperImages

Networks = Annotated[
    File | None,
    Says("network files by the names of the paper's [default: random ones]", metavar="FOLDER"),
]


@dataclass(frozen=True)
class NetworksRequest(Paper):
    """What both are told: a chip, and the networks of the paper with images."""

    architecture: PaperArch = None
    _: KW_ONLY
    networks: Networks = None
    workers: Workers = 2
    data: PaperImages = None
    cost: Annotated[
        File | None,
        Says("report of `hwgen cost` on the chip: times at its clock, too", metavar="FILE"),
    ] = None


@dataclass(frozen=True)
class FiguresRequest(NetworksRequest):
    """What the figures are told."""

    _: KW_ONLY
    training: Annotated[
        File | None,
        Says("table of trainings (.json) with accuracies [default: none]", metavar="FILE"),
    ] = None


@dataclass(frozen=True)
class RaceRequest(NetworksRequest):
    """What the race is told."""

    _: KW_ONLY
    images: InputCount = None
    html: Page = None
