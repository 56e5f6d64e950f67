"""Ways for all nets: routed one by one, those in conflict again, until none is left.

Tests: `tests/layout/test_layout.py`.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from hwgen.layout.lattice import Lattice
from hwgen.layout.search import (
    FOUND,
    Grid,
    Ints,
    Scratch,
    Taken,
    conflicts,
    route,
    take,
)
from hwgen.physical.netlist import Net

MOST_ROUNDS = 80
MARGINS = (12, 60, 400)
"""Tracks around a net that its way may use: more where there is none."""
ROOM = 4
"""Entries of a heap by node."""
FIRST_PRICE, DEARER, LAST_PRICE = 0.6, 1.3, 40.0
"""Of a conflict: in the first round, from round to round, and at most."""
BUMP = 0.5
"""To the history of a place with a conflict, a round."""
LONE_LAYER = 2
"""From here on a node that cuts alone meet is too small."""
PATIENCE, SETTLING = 5, 12
"""Rounds before and after which what lies around conflicts is ripped up, too."""
WIDEST = 9


@dataclass(frozen=True)
class Way:
    """The way of a net: its nodes, cuts of the lowest kind, pads; edges; access of each end."""

    nodes: Ints
    cuts: Ints
    pads: Ints
    edges: Ints
    chosen: Ints


@dataclass
class Router:
    """Routes the nets of a lattice.

    rounds: conflicts that each round left
    """

    lattice: Lattice
    seed: int
    rounds: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.grid: Grid = self.lattice.grid()
        grid = self.grid
        self.area = grid.columns * grid.rows
        nodes = self.area * grid.layers
        area = self.area
        self.taken = Taken(
            wires=np.zeros(nodes, np.int16),
            pads=np.zeros(area, np.int16),
            cuts=np.zeros(area, np.int16),
            pad_cuts=np.zeros(area, np.int16),
            used=np.zeros(len(self.lattice.pads) + 1, np.int16),
            history=np.zeros(nodes, np.float32),
            cut_history=np.zeros(area, np.float32),
        )
        self.scratch = Scratch(
            cost=np.zeros(nodes + 1, np.float32),
            origin=np.zeros(nodes + 1, np.int32),
            seen=np.zeros(nodes + 1, np.int32),
            tree=np.zeros(nodes + 1, np.int32),
            tree_access=np.zeros(nodes + 1, np.int32),
            stamps=np.zeros(2, np.int32),
            keys=np.zeros(ROOM * nodes + 100, np.float32),
            heap=np.zeros(ROOM * nodes + 100, np.int32),
        )
        ends = self.lattice.ends
        self.nets: list[Net] = sorted(
            (net for net in ends if len(ends[net]) > 1), key=lambda net: (self._span(net), net)
        )
        self._ends = [np.array(ends[net], np.int32) for net in self.nets]
        self.ways: list[Way | None] = [None] * len(self.nets)
        self._price = FIRST_PRICE

    def _span(self, net: Net) -> int:
        """Return half the perimeter of the ends of a net, in tracks."""
        grid = self.grid
        places = grid.access[grid.starts[self.lattice.ends[net]], 0] % self.area
        rows, columns = np.divmod(places, grid.columns)
        return int(np.ptp(rows) + np.ptp(columns))

    def _take(self, way: Way, sign: int) -> None:
        """Let a way take its place, or give it back."""
        take(way.nodes, way.cuts, way.pads, sign, self.grid, self.taken)

    def _conflicts(self, way: Way, bump: float) -> Ints:
        """Return the places of the conflicts of a way that is there."""
        self._take(way, -1)
        found: Ints = conflicts(
            way.nodes, way.cuts, way.pads, np.float32(bump), self.grid, self.taken
        )
        self._take(way, 1)
        return found

    def _remove(self, number: int) -> None:
        """Rip up a net."""
        way = self.ways[number]
        if way is not None:
            self._take(way, -1)
            self.ways[number] = None

    def _route(self, number: int, turn: int) -> None:
        """Route a net that has no way."""
        status = -1
        for margin in MARGINS:
            status, nodes, edges, chosen = route(
                self._ends[number],
                margin + 6 * turn,
                self._price,
                LONE_LAYER,
                self.grid,
                self.taken,
                self.scratch,
            )
            if status == FOUND:
                break
        else:
            return
        layers = edges // self.area
        lowest = edges[(layers.sum(axis=1) == 1), 0] % self.area
        way = Way(
            np.unique(nodes).astype(np.int32),
            np.unique(lowest).astype(np.int32),
            chosen[chosen >= 0],
            edges,
            chosen,
        )
        self.ways[number] = way
        self._take(way, 1)

    def run(self, done: Callable[[int], None] = lambda conflicts: None) -> bool:
        """Route until no conflict is left, or too many rounds are over; return which.

        done: called after each round with its conflicts
        """
        rng = random.Random(self.seed)
        worst: Sequence[int] = range(len(self.nets))
        spots: set[int] = set()
        wide, last = 0, 1 << 30
        for turn in range(MOST_ROUNDS):
            if wide:
                self._around(worst, spots, wide, turn, rng)
            else:
                for number in worst:
                    way = self.ways[number]
                    if way is None or len(self._conflicts(way, 0.0)):
                        self._remove(number)
                        self._route(number, turn)
            worst, spots = self._left()
            self.rounds.append(len(worst))
            done(len(worst))
            if not worst:
                return True
            fewer = len(worst) < last
            if (fewer and turn < SETTLING) or turn <= PATIENCE:
                wide = 0
            else:
                wide = 1 if fewer else min(wide + 1, WIDEST)
            last = min(last, len(worst))
            self._price = min(self._price * DEARER, LAST_PRICE)
        return False

    def _left(self) -> tuple[list[int], set[int]]:
        """Return nets in conflict, and where."""
        worst, spots = [], set[int]()
        for number, way in enumerate(self.ways):
            found = () if way is None else self._conflicts(way, BUMP).tolist()
            if way is None or found:
                worst.append(number)
                spots.update(found)
        return worst, spots

    def _around(
        self, worst: Sequence[int], spots: set[int], wide: int, turn: int, rng: random.Random
    ) -> None:
        """Rip up what lies around conflicts, too, and let it come back after the nets in them."""
        grid, reach = self.grid, 1 + wide // 2
        owner = np.full(grid.layers * self.area, -1, np.int32)
        for number, way in enumerate(self.ways):
            if way is not None:
                owner[way.nodes] = number
        layers = owner.reshape(grid.layers, grid.rows, grid.columns)[: 4 if wide > 3 else 2]
        near: set[int] = set()
        for spot in spots:
            row, column = divmod(spot, grid.columns)
            rows = slice(max(0, row - reach), row + reach + 1)
            columns = slice(max(0, column - reach), column + reach + 1)
            near.update(layers[:, rows, columns].reshape(-1).tolist())
        first, then = list(worst), sorted(near - {-1} - set(worst))
        rng.shuffle(first)
        rng.shuffle(then)
        for number in (*first, *then):
            self._remove(number)
        for number in (*first, *then):
            self._route(number, turn)
