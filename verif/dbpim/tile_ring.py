"""Reference of the tile store, with lists instead of rings."""

from dataclasses import dataclass, field

from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.timing import TILE_SLOTS

Header = dict[str, int]


@dataclass
class Tile:
    """A tile that has begun.

    masks: words stored so far; rows: rows written so far
    parameters: of its filter group, the same list in all tiles of the group
    """

    header: Header
    mask_base: int
    row_base: int
    parameters: list[int]
    masks: list[int] = field(default_factory=list)
    rows: int = 0


@dataclass(frozen=True, kw_only=True)
class Actions:
    """Events of one cycle at the store."""

    begin: Header | None = None
    masks: list[int] = field(default_factory=list)
    push: bool = False
    parameters: int | None = None
    row_write: bool = False
    tile_done: bool = False
    popped: int = 0


class TileRing:
    """All tiles since the reset, and how many of them are pushed, walked, ended and retired.

    rings: what a tile takes entries of, by the field of its header
    """

    def __init__(self, arch: Arch) -> None:
        self._arch = arch
        self.tiles: list[Tile] = []
        self.rings = ("rows", "mask_words") if arch.sparse_parts else ("rows",)
        self.pushed = self.walked = self.retired = 0
        self.ended = [0] * arch.macros_per_core

    @property
    def alive(self) -> range:
        """Numbers of the tiles that have begun and not retired."""
        return range(self.retired, len(self.tiles))

    def free(self, name: str) -> int:
        """Return the number of free `rows` or `mask_words`."""
        size = {"rows": self._arch.macro.rows, "mask_words": self._arch.mask_words}[name]
        return size - sum(self.tiles[number].header[name] for number in self.alive)

    def room(self, header: Header) -> bool:
        """Return whether a tile may begin."""
        enough = all(header[name] <= self.free(name) for name in self.rings)
        return len(self.alive) < TILE_SLOTS and enough

    def row_at(self, number: int, row: int) -> int:
        """Return the ring row of a row of a tile."""
        return (self.tiles[number].row_base + row) % self._arch.macro.rows

    def loaded(self) -> set[int]:
        """Return the rows written for tiles that have not retired."""
        tiles = ((number, self.tiles[number]) for number in self.alive)
        return {self.row_at(number, row) for number, tile in tiles for row in range(tile.rows)}

    @property
    def retires(self) -> bool:
        """Whether every macro has ended the oldest tile."""
        return min(self.ended) > self.retired

    def clock(self, actions: Actions) -> None:
        """Advance by one cycle."""
        retires = self.retires
        if actions.begin is not None:
            self._begin(actions.begin)
        latest = self.tiles[-1] if self.tiles else None
        if latest is not None:
            latest.masks += actions.masks
            latest.rows += actions.row_write
            if actions.parameters is not None:
                latest.parameters.append(actions.parameters)
        self.pushed += actions.push
        self.walked += actions.tile_done
        self.ended = [
            count + (actions.popped >> macro & 1) for macro, count in enumerate(self.ended)
        ]
        self.retired += retires

    def _begin(self, header: Header) -> None:
        """Add a tile behind the one before."""
        mask_base = row_base = 0
        parameters: list[int] = []
        if self.tiles:
            before = self.tiles[-1]
            ring = max(1, self._arch.mask_words)
            mask_base = (before.mask_base + before.header["mask_words"]) % ring
            row_base = self.row_at(len(self.tiles) - 1, before.header["rows"])
            parameters = [] if header["parameters"] else before.parameters
        self.tiles.append(Tile(header, mask_base, row_base, parameters))
