"""Tiles, vectors and groups for one macro: directed extremes, all-zero groups, mixes of phi."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.timing import TILE_SLOTS
from verif.dbpim.weight_rows import every_code
from verif.dbpim.weight_rows import random_codes as any_codes
from verif.reference.dbpim.macro import dense_macro, macro, pair_macro
from verif.reference.dbpim.ppu import ppu

Bytes = NDArray[np.uint8]

FULL = 255
SPARSE_EXTREMES = (0xB3, 0xF7)
"""Cells of 64 and 128, and of -64 and -128."""
GROUPS_OF_A_TILE = 40
"""About as many at most, so that large macros do not simulate for ever."""
COLUMN_MASKS = (0x00, 0x01, 0x80, 0x24, 0xFF)


@dataclass(frozen=True, eq=False)
class Vector:
    """One position of this macro in one tile: a group of bytes for each row."""

    number: int
    row: int
    column: int
    active: bool
    groups: Bytes


@dataclass(frozen=True, kw_only=True, eq=False)
class Tile:
    """Rows of weight codes (rows, compartments, filters), and what meets them.

    counts: (filters, 2), which columns of a filter count
    row_base: ring row of the first row; slot: tile slot
    double: the cells of a code are of two filter groups
    """

    codes: Bytes
    counts: NDArray[np.bool_]
    row_base: int
    slot: int
    first: bool
    last: bool
    double: bool = False
    vectors: Sequence[Vector] = field(default_factory=tuple)


@dataclass(frozen=True, kw_only=True)
class Head:
    """One group at the head of the queue, and its place in the work."""

    tile: Tile
    vector: Vector
    number: int

    @property
    def group(self) -> Bytes:
        """The bytes of the group."""
        group: Bytes = self.vector.groups[self.number]
        return group

    @property
    def start(self) -> bool:
        """Whether this is the position vector's first group in the tile."""
        return self.number == 0

    @property
    def end(self) -> bool:
        """Whether this is the position vector's last group in the tile."""
        return self.number == len(self.tile.codes) - 1

    @property
    def tile_end(self) -> bool:
        """Whether the position vector is the chunk's last."""
        return self.vector is self.tile.vectors[-1]

    @property
    def ends_result(self) -> bool:
        """Whether a result leaves after the group."""
        return self.end and (self.tile.last or self.tile_end)


@dataclass(frozen=True, kw_only=True)
class Expected:
    """A result that golden expects."""

    sums: list[int]
    tile: Tile
    vector: Vector

    @property
    def tile_end(self) -> bool:
        """Whether the tile is done with it."""
        return self.vector is self.tile.vectors[-1]

    @property
    def emit(self) -> bool:
        """Whether the sums go out."""
        return self.tile.last and self.vector.active


def random_tiles(rng: np.random.Generator, arch: Arch, *, count: int) -> list[Tile]:
    """Return at least `count` tiles: filter groups of one to three tiles over chunks of vectors."""
    tiles: list[Tile] = []
    base = 0
    while len(tiles) < count:
        parts = int(rng.integers(1, 4))
        rows_of_parts = [random_rows(rng, arch) for _ in range(parts)]
        double = arch.pairs and bool(rng.integers(2))
        most_vectors = min(
            arch.psum_vectors >> double, max(1, GROUPS_OF_A_TILE // max(rows_of_parts))
        )
        positions = random_positions(rng, int(rng.integers(1, most_vectors + 1)))
        for part, rows in enumerate(rows_of_parts):
            codes = random_codes(rng, arch, rows)
            vectors = [
                Vector(number, y, x, active, random_groups(rng, arch, rows))
                for number, (y, x, active) in enumerate(positions)
            ]
            tiles.append(
                Tile(
                    codes=codes,
                    counts=random_counts(rng, arch),
                    row_base=base,
                    slot=len(tiles) % TILE_SLOTS,
                    first=part == 0,
                    last=part == parts - 1,
                    double=double,
                    vectors=vectors,
                )
            )
            base = (base + rows) % arch.macro.rows
    return tiles


def extreme_tiles(arch: Arch) -> list[Tile]:
    """Return three tiles with the largest, then three with the smallest sums of full groups."""
    tiles: list[Tile] = []
    rows, compartments, filters = arch.tile_rows, arch.macro.compartments, arch.filters
    for code in extremes(arch):
        for part in range(3):
            groups = np.full((rows, compartments), FULL, np.uint8)
            tiles.append(
                Tile(
                    codes=np.full((rows, compartments, filters), code, np.uint8),
                    counts=np.ones((filters, 2), bool),
                    row_base=len(tiles) * rows % arch.macro.rows,
                    slot=part,
                    first=part == 0,
                    last=part == 2,
                    vectors=[Vector(0, 1023, 1023, True, groups)],
                )
            )
    return tiles


def extremes(arch: Arch) -> tuple[int, ...]:
    """Return the codes of the largest and of the smallest weight."""
    if arch.sparsity.weight_bits:
        return SPARSE_EXTREMES
    codes = every_code(arch)
    weights = codes.view(np.int8)
    return int(codes[weights.argmax()]), int(codes[weights.argmin()])


def short_tiles(rng: np.random.Generator, arch: Arch, *, count: int) -> list[Tile]:
    """Return tiles of one row, each vector of which gives a result after 1 or 2 bit planes."""
    shape = (1, arch.macro.compartments)
    return [
        Tile(
            codes=random_codes(rng, arch, 1),
            counts=random_counts(rng, arch),
            row_base=number % arch.macro.rows,
            slot=number % TILE_SLOTS,
            first=True,
            last=True,
            vectors=[
                Vector(
                    vector, 0, vector, True, rng.integers(0, rng.choice([2, 4]), shape, np.uint8)
                )
                for vector in range(arch.psum_vectors)
            ],
        )
        for number in range(count)
    ]


def random_rows(rng: np.random.Generator, arch: Arch) -> int:
    """Return one row, as many as a tile may have, or any number between."""
    between = int(rng.integers(1, arch.tile_rows + 1))
    return int(rng.choice([1, arch.tile_rows, between]))


def random_positions(rng: np.random.Generator, count: int) -> list[tuple[int, int, bool]]:
    """Return positions of a chunk; some lie behind the end of the map."""
    return [
        (int(rng.integers(256)), int(rng.integers(256)), bool(rng.random() < 0.8))
        for _ in range(count)
    ]


def random_codes(rng: np.random.Generator, arch: Arch, rows: int) -> Bytes:
    """Return random codes; some filters have one extreme code throughout."""
    shape = (rows, arch.macro.compartments, arch.filters)
    codes = any_codes(rng, shape, arch)
    for index in np.flatnonzero(rng.random(arch.filters) < 0.2):
        codes[..., index] = rng.choice(extremes(arch))
    return codes


def random_counts(rng: np.random.Generator, arch: Arch) -> NDArray[np.bool_]:
    """Return which columns count: phi 0, 1 or 2, and the second column alone."""
    if arch.sparsity.weight_bits:
        return rng.random((arch.filters, 2)) < 0.6
    return np.repeat(rng.random((arch.filters, 1)) < 0.8, 2, axis=1)


def random_groups(rng: np.random.Generator, arch: Arch, rows: int) -> Bytes:
    """Return groups with all, some, one or none of their bit planes."""
    groups = rng.integers(0, 256, (rows, arch.macro.compartments), np.uint8)
    mixed = np.where(rng.random(groups.shape) < 0.2, groups, 0)
    kinds = rng.integers(4, size=(rows, 1))
    masks = np.choose(
        kinds, [rng.choice(COLUMN_MASKS, (rows, 1)), 1 << rng.integers(8, size=(rows, 1)), 255, 255]
    ).astype(np.uint8)
    return np.where(kinds == 2, mixed, groups & masks).astype(np.uint8)


def heads(tiles: Sequence[Tile]) -> Iterator[Head]:
    """Yield the groups in the order in which the macro meets them."""
    for tile in tiles:
        for vector in tile.vectors:
            for number in range(len(tile.codes)):
                yield Head(tile=tile, vector=vector, number=number)


def expected_results(arch: Arch, tiles: Sequence[Tile]) -> Iterator[Expected]:
    """Yield what golden makes of the tiles, in the order in which results leave the macro."""
    of_one = macro if arch.sparsity.weight_bits else dense_macro
    partial: dict[int, list[int]] = {}
    for tile in tiles:
        product = pair_macro if tile.double else of_one
        for vector in tile.vectors:
            added = product(tile.codes, vector.groups, filter_enable=tile.counts).tolist()
            start = [0] * len(added) if tile.first else partial[vector.number]
            sums = [ppu([(0, more)], start=less) for more, less in zip(added, start, strict=True)]
            partial[vector.number] = sums
            result = Expected(sums=sums, tile=tile, vector=vector)
            if tile.last or result.tile_end:
                yield result
