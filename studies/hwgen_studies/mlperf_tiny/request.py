"""What `hwgen paper mlperf-tiny` is told."""

from dataclasses import KW_ONLY, dataclass
from typing import Annotated

from hwgen.commands.fields import File, Seed, Workers
from hwgen.commands.request import Says
from hwgen_studies.request import InputCount, Names, Paper, PaperArch, PaperImages, Simulated


@dataclass(frozen=True)
class TinyRequest(Paper):
    """What the study is told."""

    architecture: PaperArch = None
    _: KW_ONLY
    published: Annotated[
        File | None, Says("published network files, which ARCH runs", metavar="FOLDER")
    ] = None
    networks: Names = None
    seed: Seed = 1
    workers: Workers = 2
    data: PaperImages = None
    images: InputCount = None
    engine: Simulated = "rtl"
