"""The compiled program: one memory image, and what a host needs to read its results."""

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

FORMAT = "hwgen.dbpim.program"
VERSION = 1
STRICT = ConfigDict(extra="forbid", strict=True)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Region:
    """Where a map lies in the activation buffers, the same in every core.

    Channel word w of pixel (y, x) is in bank (x + bank_skew * y) mod banks at address
    base + y * row_pitch + (x // banks) * channel_words + w; channel 0 is its lowest byte.
    """

    base: int
    row_pitch: int
    channel_words: int
    height: int
    width: int
    channels: int

    @property
    def words(self) -> int:
        """Words that the map takes in every bank."""
        return self.height * self.row_pitch


@dataclass(frozen=True, kw_only=True, config=STRICT)
class LayerPlan:
    """One layer instruction, for listings and benches.

    name, op: of the network's layer
    output: region of its map; None for the head, whose logits go to memory
    sets, share: filter sets that have work x cores per set; 1 x busy cores for pool and add
    filter_groups, chunks, tiles: how often each loop runs (tiles: of the longest group)
    rows_loaded: rows of weights in the stream, summed over sets, repetitions included
    rows: rows of weights of the layer, each counted once
    k: inputs of one output; kept: fraction of weight blocks that are unpruned
    positions: output positions; filters: output channels
    """

    name: str
    op: Literal["conv", "linear", "max_pool", "average_pool", "add"]
    output: Region | None
    sets: int
    share: int
    filter_groups: int
    chunks: int
    tiles: int
    rows_loaded: int
    rows: int
    k: int
    kept: Annotated[float, Field(ge=0, le=1)]
    positions: int
    filters: int


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ProgramFacts:
    """All facts of a program beside its bytes.

    network, architecture: sha256 digests
    image_region: where the image goes; pixel_bytes: bytes of a pixel in memory (1, 2, 4 or 8)
    classes: int32 logits that the program writes
    """

    format: Literal["hwgen.dbpim.program"]
    version: Literal[1]
    network: str
    network_name: str
    architecture: str
    architecture_name: str
    image_region: Region
    pixel_bytes: int
    classes: int
    layers: list[LayerPlan]


@dataclass(frozen=True, kw_only=True, config=ConfigDict(arbitrary_types_allowed=True))
class Program:
    """A program: `image` is uint8, to be placed at an address that is a multiple of 4096."""

    facts: ProgramFacts
    image: NDArray[np.uint8]
