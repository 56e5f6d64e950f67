"""The words that a core requests for a step, in their order, as the microarchitecture says."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from golden.ops.windows import windows
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import Opcode
from hwgen.dbpim.facts.program import Placement
from verif.reference.dbpim.activation_buffer import Place, place

Bytes = NDArray[np.uint8]


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
    """An output position: image, row and column of its map; active within the rows of the step."""

    image: int
    y: int
    x: int
    active: bool


@dataclass(frozen=True)
class Word:
    """A word of the input for each macro.

    positions, bytes: one for each macro; bytes only where the position is active
    second: it is of map b
    flags: the fields of the tags that the plan knows, by tag
    tile, word: of a CONV: number of the tile in the order of the walk, word within the tile
    """

    positions: list[Position]
    bytes: list[bytes | None]
    second: bool
    flags: dict[str, dict[str, int]]
    tile: int = 0
    word: int = 0


@dataclass(kw_only=True)
class StoredMap:
    """Maps (image, y, x, channel) as one core holds them: a slice of their stored rows."""

    maps: Bytes
    placement: Placement
    stored: dict[Place, bytes] = field(init=False)

    def store(self, arch: Arch) -> None:
        """Lay the words of core 0 out as golden does."""
        words = place(
            self.maps,
            placement=self.placement,
            core=0,
            word_channels=arch.word,
            banks=arch.banks,
        )
        self.stored = {at: bytes(word) for at, word in words.items()}

    def fields(self, prefix: str) -> dict[str, int]:
        """Return the fields of the instruction that say where it is."""
        return {
            f"{prefix}_base": self.placement.base,
            f"{prefix}_row_pitch": self.placement.row_pitch,
            f"{prefix}_channel_words": self.placement.channel_words,
            f"{prefix}_image_rows": self.placement.image_rows,
            f"{prefix}_image_columns": self.placement.image_columns,
        }


@dataclass(kw_only=True)
class Step(ABC):
    """A step of one core.

    padding: top, left, bottom, right; rows: first output row, and the row after the last one
    grow, zeros: exponents of two by which the map is larger than it is stored, and whether the
        pixels between are `outside`; of a SIMD step
    output_images: stored rows and columns of the output from one image to the next
    start, count: position vectors of the core, of all in their order
    """

    arch: Arch
    source: StoredMap
    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int, int, int]
    outside: int
    rows: tuple[int, int]
    patch: bool
    output_images: tuple[int, int]
    start: int
    count: int
    grow: tuple[int, int] = (0, 0)
    zeros: bool = False
    seen: NDArray[np.uint8] = field(init=False)
    """Golden's windows: (image, y, x, ky, kx, channel)."""

    def __post_init__(self) -> None:
        self.seen = windows(
            self.grown(),
            kernel=self.kernel,
            stride=self.stride,
            padding=self.padding,
            fill=self.outside,
        )

    def grown(self) -> Bytes:
        """Return the map that the windows see."""
        down, across = (1 << each for each in self.grow)
        repeated = self.source.maps.repeat(down, 1).repeat(across, 2)
        if not self.zeros:
            return repeated
        spread = np.full_like(repeated, self.outside)
        spread[:, ::down, ::across] = self.source.maps
        return spread

    @property
    def skips(self) -> int:
        """Cycles from the first one in which the core walks up to its first word."""
        return 0

    @property
    def width(self) -> int:
        """Columns of the output map."""
        return int(self.seen.shape[2])

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of a position vector."""
        macros = self.arch.macros_per_core
        return (2, macros // 2) if self.patch else (1, macros)

    def all_vectors(self) -> list[tuple[int, int, int]]:
        """Return image, row and column of the first position of all vectors of the step."""
        height, width = self.size
        return [
            (image, y, x)
            for image in range(len(self.seen))
            for y in range(*self.rows, height)
            for x in range(0, self.width, width)
        ]

    @property
    def vectors(self) -> list[tuple[int, int, int]]:
        """The vectors of the core."""
        return self.all_vectors()[self.start : self.start + self.count]

    def positions(self, vector: tuple[int, int, int], turn: int) -> list[Position]:
        """Return the positions of a vector by macro: position i goes to macro (i + turn) mod M."""
        macros, columns = self.arch.macros_per_core, self.size[1]
        image, first_y, first_x = vector
        found: dict[int, Position] = {}
        for index in range(macros):
            y, x = first_y + index // columns, first_x + index % columns
            active = x < self.width and y < self.rows[1]
            found[(index + turn) % macros] = Position(image, y, x, active)
        return [found[macro] for macro in range(macros)]

    def stored_at(self, position: Position) -> tuple[int, int]:
        """Return stored row and column of an output position."""
        rows, columns = self.output_images
        return position.image * rows + position.y, position.image * columns + position.x

    def fields(self) -> dict[str, int]:
        """Return the fields of the instruction that the walker reads."""
        _, height, width, _ = self.source.maps.shape
        return {
            **self.source.fields("input"),
            "input_height": height,
            "input_width": width,
            "outside": self.outside,
            "kernel_height": self.kernel[0],
            "kernel_width": self.kernel[1],
            "stride_y": self.stride[0],
            "stride_x": self.stride[1],
            "padding_top": self.padding[0],
            "padding_left": self.padding[1],
            "output_image_rows": self.output_images[0],
            "output_image_columns": self.output_images[1],
            "output_width": self.width,
            "output_first_row": self.rows[0],
            "output_end_row": self.rows[1],
            "patch": int(self.patch),
        }

    def work(self) -> dict[str, int]:
        """Return the fields of the core that the walker reads."""
        image, y, x = self.vectors[0]
        return {
            "input_first": self.source.placement.first[0],
            "start_image": image,
            "start_y": y,
            "start_x": x,
            "vectors": len(self.vectors),
        }

    @abstractmethod
    def walk(self) -> Iterator[Word]:
        """Yield the words in their order."""

    def tiles(self) -> Iterator[Tile]:
        """Yield the tiles in the order in which the core walks them; none of a SIMD step."""
        yield from ()


@dataclass(kw_only=True)
class Conv(Step):
    """A convolution.

    groups: for each filter group its tiles; turns: turn of the chunk before the first
    """

    chunk_vectors: int
    groups: list[list[Cut]]
    turns: int = 0

    @property
    def chunks(self) -> list[list[tuple[int, int, int]]]:
        """The position vectors of each chunk."""
        starts = range(0, len(self.vectors), self.chunk_vectors)
        return [self.vectors[start : start + self.chunk_vectors] for start in starts]

    def fields(self) -> dict[str, int]:
        """Return the fields of the instruction that the walker reads."""
        return {**super().fields(), "opcode": Opcode.CONV, "chunk_vectors": self.chunk_vectors}

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

    def _words(
        self, number: int, tile: Tile, chunk: list[tuple[int, int, int]], vector: int
    ) -> Iterator[Word]:
        """Yield the words of one position vector in one tile."""
        positions = self.positions(chunk[vector], tile.turn)
        for word in range(tile.cut.words):
            tag = {
                "vector_end": int(word == tile.cut.words - 1),
                "tile_end": int(vector == len(chunk) - 1),
                "first": int(tile.first),
                "last": int(tile.last),
                "vector": vector,
            }
            content = [self.content(at, tile.cut.first + word) for at in positions]
            yield Word(positions, content, False, {"tag": tag}, number, word)

    def content(self, at: Position, k: int) -> bytes | None:
        """Return what golden's window at a position holds in its word `k`."""
        if not at.active:
            return None
        words = self.seen[at.image, at.y, at.x].reshape(-1, self.arch.word)
        return bytes(words[k].tolist())
