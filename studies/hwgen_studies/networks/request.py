"""What the commands are told that run complete networks."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Annotated

from hwgen.commands.fields import ArchFile, Batch, Count, CountOfRuns, Data, File, Network
from hwgen.commands.request import CACHE, OUTPUT_FILE, Says, Working
from hwgen.files.earlier import REPORTS, RESULTS
from hwgen_studies.request import Simulated


@dataclass(frozen=True)
class ResultsRequest(Working):
    """What `hwgen results` is told."""

    networks: Annotated[
        Sequence[File],
        Says(
            "quantized network files; without any: only tabulate",
            metavar="NETWORK",
            argument=True,
            typed=list[Path],
            read=tuple,
        ),
    ] = ()
    architecture: Annotated[
        File | None,
        Says("an architecture (.yaml), behind the networks", metavar="ARCH", argument=True),
    ] = None
    _: KW_ONLY
    runs: Annotated[File, Says("folder of the records", metavar="FOLDER", use=CACHE)]
    sparsity: Annotated[
        Sequence[str],
        Says(
            "as for hwgen run; repeatable [default: none and all]",
            metavar="SWITCHES",
            typed=list[str],
            read=tuple,
        ),
    ] = ("none", "all")
    batch: Annotated[
        Sequence[Count],
        Says(
            "images of one run; repeatable [default: 1]", metavar="N", typed=list[int], read=tuple
        ),
    ] = (1,)
    images: CountOfRuns = None
    data: Data = None
    engine: Simulated = "rtl"
    jobs: Annotated[Count, Says("runs at a time")] = 1
    out: Annotated[
        File | None,
        Says("page of Markdown to write", metavar="FILE", use=OUTPUT_FILE, replaces=RESULTS),
    ] = None

    def check(self) -> None:
        """Refuse networks without a chip, and a chip without networks."""
        if bool(self.networks) != (self.architecture is not None):
            what = "an architecture behind the networks" if self.networks else "behind networks"
            raise self.refusal("ARCH", what, "none")


@dataclass(frozen=True)
class CaseRequest(Working):
    """What a case is told: a network, a chip, switches, a batch."""

    network: Network
    architecture: ArchFile
    _: KW_ONLY
    sparsity: Annotated[str, Says("switches")]
    batch: Batch
    images: Annotated[Count, Says("of the case")]
    record: Annotated[
        File, Says("the row to write", metavar="FILE", use=OUTPUT_FILE, replaces=REPORTS)
    ]
    data: Data = None
    engine: Simulated = "rtl"
