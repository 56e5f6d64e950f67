"""The compiled program: a memory image, and the steps that say what each record does."""

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT

FORMAT = "hwgen.mram.program"
VERSION: Literal[2] = 2

Natural = Annotated[int, Field(ge=0, lt=1 << 32)]
Counted = Annotated[int, Field(ge=1, lt=1 << 32)]
Side = Annotated[int, Field(ge=1, le=65535)]
Shape = tuple[Side, Side, Side]
"""Height, width, channels."""
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]

StepKind = Literal["image", "conv", "pool", "answer", "add"]
Mapping = Literal["positions", "seed"]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class MapPlace:
    """Where a step stores which part of its layer's map.

    Pixel (y, x) of a map begins at byte (y * width + x) * pixel_blocks * block_bytes of its bank;
    channel c of the map is element c of the pixel.

    bank: 0 to 3; pixel_blocks: blocks that a pixel takes, a power of two
    shape: height, width, channels of the map in this mode
    first_channel, channels: that this step writes
    """

    bank: Annotated[int, Field(ge=0, le=3)]
    pixel_blocks: Natural
    shape: Shape
    first_channel: Natural
    channels: Natural


@dataclass(frozen=True, kw_only=True, config=EXACT)
class StepPlan:
    """One record: what it computes of which layer.

    name: differs from that of every other step of the mode
    layer: whose map it writes (of a fused addition the addition); `input` for the image, `answer`
        for the store to memory
    fused: layers that it computes on the way and whose maps are never stored
    inputs: layers whose maps it reads, `input` for the image
    kind: of the record; op: the layer's operation, or what the chip does
    record: index in the record table
    output: None for results in the answer buffer, and for the store to memory
    positions: output positions; kernels: of this record
    """

    name: str
    layer: str
    fused: list[str]
    inputs: list[str]
    kind: StepKind
    op: str
    record: Natural
    output: MapPlace | None
    positions: Natural
    kernels: Natural


@dataclass(frozen=True, kw_only=True, config=EXACT)
class PlacedSegment:
    """What a segment of a row set holds, equal in all groups of a placement.

    weight_row: row of weight plane 0; segment: its number
    layer: of the kernels; copy: position within a load; block: block of channels
    first_kernel: kernel in sub-array 0 of a group; octets: of a group; planes: rows that it takes
    mode: for which the cells hold zeros past its channels; None: the cells serve all modes
    """

    weight_row: Natural
    segment: Natural
    layer: str
    copy: Natural
    block: Natural
    first_kernel: Natural
    octets: Natural
    planes: Natural
    mode: int | None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class ImagePlan:
    """How one image lies in memory, as in a bank.

    shape: height, width, channels; bits: of an element
    pixel_blocks: blocks that a pixel takes; stride: bytes from one image to the next
    """

    shape: Shape
    bits: Natural
    pixel_blocks: Natural
    stride: Counted


@dataclass(frozen=True, kw_only=True, config=EXACT)
class AnswerPlan:
    """How an output of one image lies in memory.

    layer: whose map it is; shape: height, width, channels
    raw: signed sums; else values of a map, extended by zeros
    pixel_blocks: blocks of elements from one pixel to the next
    stride: bytes from one image's outputs to those of the next
    offset: bytes from the first output of an image to this one
    """

    layer: str
    shape: Shape
    raw: bool
    pixel_blocks: Natural
    stride: Counted
    offset: Natural = 0


@dataclass(frozen=True, kw_only=True, config=EXACT)
class ModePlan:
    """One mode: its name in the network, and its steps in the order of its records."""

    name: str
    steps: Annotated[list[StepPlan], Field(min_length=1)]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class ProgramFacts:
    """All facts of a program beside its bytes.

    network, architecture: sha256 digests
    images: images of one run
    mapping: `positions`, or `seed`: one kernel a sub-array, one position at a time
    weight_rows: rows of every sub-array that it writes; 0: it brings tables for resident weights
    answer: the first output; further: the others, in the file's order
    """

    format: Literal["hwgen.mram.program"]
    version: Literal[2]
    network: Digest
    network_name: str
    architecture: Digest
    architecture_name: str
    images: Counted
    mapping: Mapping
    weight_rows: Natural
    image: ImagePlan
    answer: AnswerPlan
    modes: Annotated[list[ModePlan], Field(min_length=1)]
    segments: list[PlacedSegment]
    further: list[AnswerPlan] = Field(default_factory=list)

    @property
    def answers(self) -> list[AnswerPlan]:
        """All outputs, in the file's order."""
        return [self.answer, *self.further]

    def answer_of(self, layer: str) -> AnswerPlan:
        """Return how the output of a layer lies in memory."""
        return next(plan for plan in self.answers if plan.layer == layer)


@dataclass(frozen=True, kw_only=True, config=ConfigDict(arbitrary_types_allowed=True))
class Program:
    """A program: `image` is uint8, to be placed at an address that is a multiple of 4096."""

    facts: ProgramFacts
    image: NDArray[np.uint8]
