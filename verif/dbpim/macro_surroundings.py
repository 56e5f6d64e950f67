"""Surroundings of a macro in its bench: the ring of rows, and words for its ports."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hwgen.dbpim.rtl.layouts import queue_head, result
from verif.dbpim.component import arch_from_environment
from verif.dbpim.macro_stimulus import Expected, Head, Tile
from verif.dbpim.weight_rows import row_words
from verif.unpacked import Unpacked, packed

ARCH = arch_from_environment()
HEAD, RESULT = queue_head(ARCH), result(ARCH)
HEAD_BITS = HEAD.size


@dataclass(frozen=True)
class RowWrite:
    """A row on its way into the array."""

    row: int
    cells: int
    meta: int


class RowRing:
    """Acts as the core: reserves rows for one tile after the other and writes them."""

    def __init__(self, tiles: list[Tile]) -> None:
        self._tiles = list(tiles)
        self._rows: list[RowWrite] = []
        self._free = ARCH.macro.rows
        self.loaded: set[int] = set()

    def next_row(self) -> RowWrite | None:
        """Return the row that may be written in this cycle, if any."""
        if not self._rows and self._tiles and len(self._tiles[0].codes) <= self._free:
            tile = self._tiles.pop(0)
            self._free -= len(tile.codes)
            self._rows = list(row_writes(tile))
        return self._rows[0] if self._rows else None

    def knows(self, tile: Tile) -> bool:
        """Return whether the tile has its rows: only then can its groups reach the macro."""
        return tile not in self._tiles

    def write(self) -> None:
        """Note that the row is being written: from the next cycle on it may be used."""
        self.loaded.add(self._rows.pop(0).row)

    def retire(self, tile: Tile) -> None:
        """Give the rows of a finished tile free."""
        self._free += len(tile.codes)
        self.loaded -= {row_of(tile, number) for number in range(len(tile.codes))}


def row_of(tile: Tile, number: int) -> int:
    """Return the ring row of a tile's row."""
    return (tile.row_base + number) % ARCH.macro.rows


def row_writes(tile: Tile) -> Iterator[RowWrite]:
    """Yield the rows of a tile as cells and metadata."""
    for number, codes in enumerate(tile.codes):
        row = row_of(tile, number)
        cells, meta = row_words(codes, tile.counts, ARCH, double=tile.double)
        yield RowWrite(row, cells, meta)


def head_word(head: Head) -> int:
    """Return the payload of a group."""
    tile, vector = head.tile, head.vector
    tag = {
        "row": row_of(tile, head.number),
        "start": head.start,
        "end": head.end,
        "tile": tile.slot,
        "first": tile.first,
        "last": tile.last,
        "tile_end": head.tile_end,
        "vector": vector.number,
    }
    position = {"row": vector.row, "column": vector.column, "active": vector.active}
    fields = {"bytes": head.group.tolist(), "tag": tag, "position": position}
    return packed(HEAD, fields)


def fields_of(expected: Expected) -> dict[str, Any]:
    """Return what a result must hold."""
    return {
        "sums": expected.sums,
        "tile": expected.tile.slot,
        "row": expected.vector.row,
        "column": expected.vector.column,
        "emit": int(expected.emit),
        "tile_end": int(expected.tile_end),
    }


def shown_fields(word: int, sums: int) -> dict[str, Any]:
    """Return what a result of so many sums holds."""
    shown = Unpacked(RESULT, word)
    fields = {name: shown[name] for name in ("tile", "row", "column", "emit", "tile_end")}
    return {"sums": [shown.sums[f] for f in range(sums)], **fields}
