"""The compiled program: a memory image, and the step list that says what each instruction does."""

import math
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT

FORMAT = "hwgen.dbpim.program"
VERSION: Literal[4] = 4

Natural = Annotated[int, Field(ge=0, lt=1 << 32)]
Signed = Annotated[int, Field(ge=-(1 << 31), lt=1 << 31)]
Counted = Annotated[int, Field(ge=1, lt=1 << 32)]
Side = Annotated[int, Field(ge=1, le=65535)]
Shape = tuple[Side, Side, Side]
"""Height, width, channels."""
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]

MemorySpace = Literal["image", "scratch", "answer", "program"]

StepKind = Literal["load", "conv", "simd", "store", "end"]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Placement:
    """Where a map of one or several images lies in the activation buffers.

    Image n of the placement has pixel (y, x) at stored row n * image_rows + y and stored column
    n * image_columns + x. Core c holds `rows[c]` stored rows from `first[c]` on, its slice, which
    may begin with an image before image 0; no row: 0. Channel word w of stored row R and column X
    is in bank (X + bank_skew * R) mod banks of a core at address
    base + (R - first[c]) * row_pitch + (X // banks) * channel_words + w; channel 0 is its lowest
    byte.
    """

    base: Natural
    row_pitch: Natural
    channel_words: Natural
    image_rows: Natural
    image_columns: Natural
    first: Annotated[list[Signed], Field(min_length=1)]
    rows: Annotated[list[Natural], Field(min_length=1)]

    @property
    def words(self) -> int:
        """Words that it takes in every bank: those of the largest slice."""
        return max(self.rows) * self.row_pitch


@dataclass(frozen=True, kw_only=True, config=EXACT)
class MemoryPlace:
    """Bytes in memory: `offset` from the address of the space, the program's own included."""

    space: MemorySpace
    offset: Natural
    size: Counted


@dataclass(frozen=True, kw_only=True, config=EXACT)
class StepPlan:
    """One instruction: what it computes of which layer, and where its results are.

    name: differs from that of every other step
    layer: of the network whose map it writes (of a fused addition the addition); `input` for the
        image, `store` for an answer to memory, `end`
    fused: layers that it computes on the way and whose maps are never stored
    inputs: layers whose maps it reads, `input` for the image; of an add or a product two, and of
        a convolution with a fused addition, the other addend last; empty where it reads no map
    kind: of the instruction; op: the layer's operation, or what the chip does (load, store, ...)
    images: first image of the run and number of images; the placement's image 0 is the first
    rows: first row of the output map, and the row after the last one
    whole_words: whether its results are bytes of the layer's map; false for sums in between
    output: in the buffers; memory: in memory; None where there is none
    sets, share: filter sets that have work x cores per set; 1 x busy cores without weights
    filter_groups, chunks, tiles: how often each loop runs (tiles: of the longest group)
    rows_loaded: rows of weights in the stream, summed over sets, repetitions included
    weight_rows: rows of weights of the layer, each counted once
    k: inputs of one output; kept: fraction of weight blocks that are unpruned
    positions: output positions; filters: output channels
    """

    name: str
    layer: str
    fused: list[str]
    inputs: list[str]
    kind: StepKind
    op: str
    images: tuple[Natural, Natural]
    rows: tuple[Natural, Natural]
    whole_words: bool
    output: Placement | None
    memory: MemoryPlace | None
    sets: Natural
    share: Natural
    filter_groups: Natural
    chunks: Natural
    tiles: Natural
    rows_loaded: Natural
    weight_rows: Natural
    k: Natural
    kept: Annotated[float, Field(ge=0, le=1)]
    positions: Natural
    filters: Natural


@dataclass(frozen=True, kw_only=True, config=EXACT)
class ImagePlan:
    """How one image lies in memory.

    shape: height, width, channels; pixel_bytes: of a packed pixel (1, 2, 4 or 8), zeros above its
    channels; 0: each pixel takes whole words of C bytes
    stride: bytes from one image to the next
    """

    shape: Shape
    pixel_bytes: Natural
    stride: Counted


@dataclass(frozen=True, kw_only=True, config=EXACT)
class AnswerPlan:
    """How the answer of one image lies in memory, after the address of the answers.

    shape: height, width, channels; raw: int32, else bytes, each pixel in whole words of C bytes
    offsets: of each image of the run, in bytes; size: bytes of one image
    """

    layer: str
    shape: Shape
    raw: bool
    offsets: Annotated[list[Natural], Field(min_length=1)]
    size: Counted


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Fold:
    """A map whose tokens, in raster order, have another height and width in the buffers.

    sides: height and width in the network and in memory; stored: in the buffers, where positions
        behind the last token repeat it
    groups, kept: of channels, of whose stored ones the first `kept` count; 0: all
    channels, fill: stored ones of a group, and the byte of those that do not count
    """

    sides: tuple[Side, Side]
    stored: tuple[Side, Side]
    groups: Counted = 1
    kept: Natural = 0
    channels: Natural = 0
    fill: Natural = 0

    def unfolded(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return a map as the network has it, (height, width, channels)."""
        tokens = values.reshape(-1, values.shape[-1])[: math.prod(self.sides)]
        if self.kept:
            tokens = tokens.reshape(len(tokens), self.groups, -1)[:, :, : self.kept]
        return tokens.reshape(*self.sides, -1)

    def stored_values(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return maps of the network, (images, height, width, channels), as stored."""
        tokens = self.stored_tokens(values)
        if not self.kept:
            return tokens
        grouped = tokens.reshape(*tokens.shape[:3], self.groups, self.kept)
        more = [(0, 0)] * 4 + [(0, self.channels - self.kept)]
        grown = np.pad(grouped, more, constant_values=self.fill)
        return grown.reshape(*tokens.shape[:3], -1)

    def stored_tokens(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return maps of the network, (images, ..., channels), in the places of their tokens."""
        images, channels = len(values), values.shape[-1]
        tokens = values.reshape(images, -1, channels)
        more = math.prod(self.stored) - tokens.shape[1]
        grown = np.pad(tokens, ((0, 0), (0, more), (0, 0)), mode="edge")
        return grown.reshape(images, *self.stored, channels)


@dataclass(frozen=True, kw_only=True, config=EXACT)
class StatePlan:
    """Where a state lies in the scratch space, whatever else does: a stream is an address.

    offset, size: bytes; first: its bytes before the first call, hexadecimal
    pixel_bytes: of a state that pixels are appended to, those of one, whole beats; else 0
    """

    layer: str
    offset: Natural
    size: Counted
    pixel_bytes: Natural
    first: Annotated[str, Field(pattern="^[0-9a-f]*$")]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class ProgramFacts:
    """All facts of a program beside its bytes.

    network, architecture: sha256 digests
    images: images of one run; scratch_bytes: memory for spilled maps
    answer: the first output; further: the others, in the file's order
    steps: in the order of the instructions, END included
    folds: of each map that has another shape in the buffers, by layer, `input` for the image
    states: what a run leaves for the next; positions: that a host gives a run, 0: none
    """

    format: Literal["hwgen.dbpim.program"]
    version: Literal[4]
    network: Digest
    network_name: str
    architecture: Digest
    architecture_name: str
    images: Counted
    image: ImagePlan
    answer: AnswerPlan
    scratch_bytes: Natural
    steps: Annotated[list[StepPlan], Field(min_length=1)]
    further: list[AnswerPlan] = Field(default_factory=list)
    folds: dict[str, Fold] = Field(default_factory=dict)
    states: list[StatePlan] = Field(default_factory=list)
    positions: Annotated[int, Field(ge=0, le=65535)] = 0

    @property
    def pixel_bytes(self) -> int:
        """Bytes that the states get for each position, 0 where they get none."""
        return max((state.pixel_bytes for state in self.states), default=0)

    @property
    def state_bytes(self) -> bytes:
        """What the scratch space holds before the first run of a stream, up to the last state."""
        content = bytearray(max((each.offset + each.size for each in self.states), default=0))
        for each in self.states:
            content[each.offset : each.offset + each.size] = bytes.fromhex(each.first)
        return bytes(content)

    @property
    def answers(self) -> list[AnswerPlan]:
        """All outputs, in the file's order."""
        return [self.answer, *self.further]

    @property
    def answer_bytes(self) -> int:
        """Bytes of all answers of a run."""
        return max(max(plan.offsets) + plan.size for plan in self.answers)


@dataclass(frozen=True, kw_only=True, config=ConfigDict(arbitrary_types_allowed=True))
class Program:
    """A program: `image` is uint8, to be placed at an address that is a multiple of 4096."""

    facts: ProgramFacts
    image: NDArray[np.uint8]
