"""The words that a core requests for a layer, in their order, as the microarchitecture says."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from golden.dbpim.activation_buffer import place
from golden.ops.windows import windows
from hwgen.spec.dbpim.addressing import region_at
from hwgen.spec.dbpim.arch import Arch
from hwgen.spec.dbpim.program import Region


class Cut(NamedTuple):
    """Consecutive words of a window: one tile."""

    first: int
    words: int


@dataclass(frozen=True)
class Tile:
    """A tile as it comes to one core; `turn` is the same in all tiles of a chunk."""

    cut: Cut
    first: bool
    last: bool
    last_group: bool
    turn: int


@dataclass(frozen=True)
class Position:
    """An output position; beyond the end of the map it is not active."""

    y: int
    x: int
    active: bool


@dataclass(frozen=True)
class Word:
    """A word of the input for each macro.

    tile, vector: numbers in the order of the walk, and within the chunk; word: within the tile
    k: word of the window; positions: one for each macro
    """

    tile: int
    vector: int
    word: int
    k: int
    vector_end: bool
    tile_end: bool
    positions: list[Position]


@dataclass(kw_only=True)
class Layer:
    """A convolution, its input map, and how it is cut.

    groups: for each filter group its tiles; turns: of the chunk before the first
    seen: golden's window at each position, by words; stored: the words in the banks
    """

    arch: Arch
    image: NDArray[np.uint8]
    base: int
    kernel: tuple[int, int]
    stride: int
    padding: int
    zero_point: int
    cores_per_set_log2: int
    core: int
    chunk_vectors: int
    groups: list[list[Cut]]
    turns: int = 0
    seen: NDArray[np.uint8] = field(init=False)
    region: Region = field(init=False)
    stored: dict[tuple[int, int], tuple[int, ...]] = field(init=False)

    def __post_init__(self) -> None:
        height, width, channels = self.image.shape
        self.region = region_at(
            self.base, height=height, width=width, channels=channels, arch=self.arch
        )
        channels_of_word = self.arch.macro.compartments
        self.stored = place(
            self.image, region=self.region, word_channels=channels_of_word, banks=self.arch.banks
        )
        seen = windows(
            self.image[None],
            kernel=self.kernel,
            stride=(self.stride, self.stride),
            padding=(self.padding,) * 4,
            fill=self.zero_point,
        )[0]
        self.seen = seen.reshape(*seen.shape[:2], -1, channels_of_word)

    @property
    def width(self) -> int:
        """Columns of the output map."""
        return len(self.seen[0])

    @property
    def positions(self) -> int:
        """Positions of the output map."""
        return len(self.seen) * self.width

    @property
    def cores_per_set(self) -> int:
        """Cores of a set, which compute the same filter groups."""
        return 1 << self.cores_per_set_log2

    @property
    def core_in_set(self) -> int:
        """Index of the core in its set."""
        return self.core % self.cores_per_set

    @property
    def vectors(self) -> list[int]:
        """The position vectors of the core, by their numbers in the whole map."""
        macros = self.arch.macros_per_core
        return list(range(-(-self.positions // macros)))[self.core_in_set :: self.cores_per_set]

    @property
    def chunks(self) -> list[list[int]]:
        """The position vectors of each chunk."""
        starts = range(0, len(self.vectors), self.chunk_vectors)
        return [self.vectors[start : start + self.chunk_vectors] for start in starts]

    def fields(self) -> dict[str, int]:
        """Return the fields of the instruction that the walker reads."""
        macros, cores = self.arch.macros_per_core, self.cores_per_set
        vectors = -(-self.positions // macros)
        unit, step = divmod(macros, self.width), divmod(macros * cores, self.width)
        return {
            "input_base": self.base,
            "input_row_pitch": self.region.row_pitch,
            "input_channel_words": self.region.channel_words,
            "input_height": self.region.height,
            "input_width": self.region.width,
            "input_zero_point": self.zero_point,
            "kernel_height": self.kernel[0],
            "kernel_width": self.kernel[1],
            "stride": self.stride,
            "padding": self.padding,
            "output_width": self.width,
            "unit_y": unit[0],
            "unit_x": unit[1],
            "step_y": step[0],
            "step_x": step[1],
            "count_base": vectors // cores,
            "count_extra": vectors % cores,
            "cores_per_set_log2": self.cores_per_set_log2,
            "last_positions": self.positions - (vectors - 1) * macros,
            "last_core_in_set": (vectors - 1) % cores,
            "chunk_vectors": self.chunk_vectors,
        }

    def tiles(self) -> Iterator[Tile]:
        """Yield the tiles in the order in which the core walks them."""
        turn = self.turns
        for number, group in enumerate(self.groups):
            for _ in self.chunks:
                turn += 1
                for index, cut in enumerate(group):
                    yield Tile(
                        cut,
                        first=index == 0,
                        last=index == len(group) - 1,
                        last_group=number == len(self.groups) - 1,
                        turn=turn % 8,
                    )

    def walk(self) -> Iterator[Word]:
        """Yield the words: for each filter group, chunk, tile, vector, and word of the tile."""
        tiles = list(self.tiles())
        number = 0
        for group in self.groups:
            for chunk in self.chunks:
                for _ in group:
                    for vector in range(len(chunk)):
                        yield from self._words(number, tiles[number], chunk, vector)
                    number += 1

    def _words(self, number: int, tile: Tile, chunk: list[int], vector: int) -> Iterator[Word]:
        """Yield the words of one position vector in one tile."""
        for word in range(tile.cut.words):
            yield Word(
                number,
                vector,
                word,
                tile.cut.first + word,
                vector_end=word == tile.cut.words - 1,
                tile_end=vector == len(chunk) - 1,
                positions=self._positions(chunk[vector], tile.turn),
            )

    def _positions(self, vector: int, turn: int) -> list[Position]:
        """Return the positions of a vector by macro: position i goes to macro (i + turn) mod M."""
        macros = self.arch.macros_per_core
        found: dict[int, Position] = {}
        for index in range(macros):
            raster = vector * macros + index
            y, x = divmod(raster, self.width)
            found[(index + turn) % macros] = Position(y, x, raster < self.positions)
        return [found[macro] for macro in range(macros)]

    def bytes_at(self, position: Position, k: int) -> tuple[int, ...]:
        """Return what golden's window at a position holds in its word `k`."""
        return tuple(self.seen[position.y, position.x, k].tolist())
