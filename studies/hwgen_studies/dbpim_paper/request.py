"""What `hwgen paper dbpim`, `dbpim-figures` and `dbpim-zeros` are told."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Annotated

from hwgen.commands.fields import File, Workers
from hwgen.commands.request import INPUT, Says
from hwgen.files.shipped import networks
from hwgen_studies.request import InputCount, Page, Paper, PaperArch, PaperImages

SHIPPED = ("cifar10_resnet20_50", "cifar10_resnet20_digits", "cifar10_cct", "digits_resnet20")
"""Networks whose zero bits are counted by default."""

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
class ZerosRequest(Paper):
    """What zero bits are counted in."""

    networks: Annotated[
        Sequence[File],
        Says(
            "quantized network files, or names of networks that ship",
            metavar="NETWORK",
            argument=True,
            typed=list[Path],
            read=tuple,
            complete=networks,
        ),
    ] = SHIPPED
    _: KW_ONLY
    data: Annotated[
        str | None,
        Says(
            "folder of cifar10 and the like [default: images that ship]",
            metavar="FOLDER",
            use=INPUT,
        ),
    ] = None
    images: InputCount = 4


@dataclass(frozen=True)
class RaceRequest(NetworksRequest):
    """What the race is told."""

    _: KW_ONLY
    images: InputCount = None
    html: Page = None
