"""What `hwgen paper dbpim` is told."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Annotated

from hwgen.commands.fields import File, Workers, names
from hwgen.commands.request import Says
from hwgen.files import shipped
from hwgen_studies.request import DocumentPaper, InputCount, PaperArch, PaperImages

SHIPPED = ("cifar10_resnet20_50", "cifar10_resnet20_digits", "cifar10_cct", "digits_resnet20")
"""Networks whose zero bits are counted by default."""
PARTS = ("race", "figures", "zeros")


@dataclass(frozen=True)
class DbpimRequest(DocumentPaper):
    """A chip, the networks of the paper with images, and which parts of the comparison."""

    architecture: PaperArch = None
    _: KW_ONLY
    parts: Annotated[
        tuple[str, ...],
        Says(
            "some of race, figures, zeros, separated by commas [default: all]",
            metavar="NAMES",
            typed=list[str],
            read=names,
        ),
    ] = PARTS
    networks: Annotated[
        File | None,
        Says("network files by the names of the paper's [default: random ones]", metavar="FOLDER"),
    ] = None
    workers: Workers = 2
    data: PaperImages = None
    images: InputCount = None
    cost: Annotated[
        File | None,
        Says("report of `hwgen cost` on the chip: times at its clock, too", metavar="FILE"),
    ] = None
    training: Annotated[
        File | None,
        Says("table of trainings (.json) with accuracies [default: none]", metavar="FILE"),
    ] = None
    counted: Annotated[
        Sequence[File],
        Says(
            "a network whose zero bits are counted; may be given again [default: four that ship]",
            metavar="NETWORK",
            typed=list[Path],
            read=tuple,
            complete=shipped.networks,
        ),
    ] = SHIPPED

    def check(self) -> None:
        """Refuse a part that there is not, and none."""
        super().check()
        for name in self.parts or ("nothing",):
            if name not in PARTS:
                raise self.refusal("parts", f"some of {', '.join(PARTS)}", name)
