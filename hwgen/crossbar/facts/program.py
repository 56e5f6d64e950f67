"""The compiled program of a crossbar chip: what is loaded into macros, and for whom.

A header of `HEADER_BEATS` beats of the memory port, then packets as they go over the links
(`hwgen.crossbar.facts.loads`), a flit a beat, macro after macro.

Tests: `tests/crossbar/compiler/test_compile.py`.
"""

from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from hwgen.chip.program_file import IMAGE_KEY, check_origin, read_program, write_program
from hwgen.crossbar.facts.arch import Arch
from hwgen.crossbar.facts.image_io import HEADER_BEATS
from hwgen.crossbar.facts.registers import VERSION as IMAGE_VERSION
from hwgen.errors import FormatError
from hwgen.files.load import EXACT
from hwgen.network import QuantizedNetwork

FORMAT: Literal["hwgen.crossbar.program"] = "hwgen.crossbar.program"
VERSION: Literal[2] = 2
BEAT = np.dtype("<u8")
"""A beat of the memory port, which is a flit."""

Counted = Annotated[int, Field(ge=1, lt=1 << 16)]
Side = Annotated[int, Field(ge=1, le=65535)]
Shape = tuple[Side, Side, Side]
"""Height, width, channels."""
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class ImagePlan:
    """An image: height, width, channels."""

    shape: Shape


@dataclass(frozen=True, kw_only=True, config=EXACT)
class AnswerPlan:
    """The answer: of which layer, height, width, channels."""

    layer: str
    shape: Shape


@dataclass(frozen=True, kw_only=True, config=EXACT)
class LayerPlan:
    """A layer of the chip, as the network calls the map that it stores, and its operation.

    answers: the map of another layer that it hands to the memory; None: its own
    """

    name: str
    op: str
    answers: str | None = None

    @property
    def map(self) -> str:
        """What the network calls the map that arrives in memory, where it is a result."""
        return self.answers or self.name


@dataclass(frozen=True, kw_only=True, config=EXACT)
class ProgramFacts:
    """All facts of a program beside its bytes.

    network, architecture: sha256 digests; images: of one run, which follow each other as a stream
    layers: in the order of the architecture
    fused: layers of the network whose maps the chip never stores
    """

    format: Literal["hwgen.crossbar.program"]
    version: Literal[2]
    network: Digest
    network_name: str
    architecture: Digest
    architecture_name: str
    images: Counted
    image: ImagePlan
    answer: AnswerPlan
    layers: Annotated[list[LayerPlan], Field(min_length=1)]
    fused: list[str]


@dataclass(frozen=True, kw_only=True, config=ConfigDict(arbitrary_types_allowed=True))
class Program:
    """A program: `image` is uint8, to be placed at an address that is a multiple of 4096."""

    facts: ProgramFacts
    image: NDArray[np.uint8]

    @property
    def beats(self) -> int:
        """Beats of the image, its header included."""
        return self.image.size // BEAT.itemsize


def save_program(program: Program, path: Path) -> None:
    """Write the program; the file is whole or absent, and its bytes depend on content only."""
    write_program(program.facts, program.image, path)


def load_program(path: Path) -> Program:
    """Return the program in `path`; every mistake in the file is one sentence."""
    facts, image = read_program(path, ProgramFacts, file_format=FORMAT, version=VERSION)
    if image.dtype != np.uint8 or image.ndim != 1 or not begins_as(image, facts):
        raise FormatError(
            field=IMAGE_KEY,
            allowed="whole beats that begin with the header of its facts",
            given="others",
            source=str(path),
        )
    return Program(facts=facts, image=image)


def begins_as(image: NDArray[np.uint8], facts: ProgramFacts) -> bool:
    """Return whether bytes are as long, and of the architecture, as their header says."""
    if image.size % BEAT.itemsize or image.size < HEADER_BEATS * BEAT.itemsize:
        return False
    first, behind = (int(beat) for beat in image.view(BEAT)[:2])
    wanted = IMAGE_VERSION | int(facts.architecture[:8], 16) << 32
    return (first, behind) == (wanted, image.size // BEAT.itemsize - HEADER_BEATS)


def check_match(program: Program, arch: Arch, network: QuantizedNetwork) -> None:
    """Refuse a program that was compiled for another architecture or another network."""
    check_origin(program.facts, arch, network)
