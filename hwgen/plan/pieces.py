"""Which units go to the chip together: all that one border alone feeds, as far as a chip takes it.

Such a piece is convex without a search: what it reads is there before it starts. It grows by
products of several borders where these share a grid of pixels. Whom a refusal names goes to the
host, and pieces are made again; where nobody is named, a piece is halved.

Tests: `tests/plan/test_pieces.py`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from hwgen.plan.units import UnitGraph, Units

MOST_TRIES = 400
"""Pieces that are tried at most; what is left then stays on the host."""
MOST_BORDERS = 4
"""Borders at most that a piece reads."""
SEVERAL = "reads several borders"


class PieceRefusedError(Exception):
    """A piece that a chip does not take; units: whom the refusal names, mostly one or nobody."""

    def __init__(self, sentence: str, units: Iterable[int] = ()) -> None:
        super().__init__(sentence)
        self.units = frozenset(units)


@dataclass(frozen=True)
class Found:
    """A piece, and the units whose further borders it grew by."""

    units: Units
    grown: frozenset[int]


@dataclass(kw_only=True)
class Search:
    """Finds the pieces of a graph.

    attempt: makes a piece of units, or raises PieceRefusedError
    together: whether borders can be one image
    host: units that stay on the host, and why
    """

    graph: UnitGraph
    attempt: Callable[[Units], object]
    together: Callable[[tuple[str, ...]], bool]
    host: dict[int, str]
    taken: set[Units] = field(default_factory=set)
    tries: int = 0
    _group: dict[int, int] = field(default_factory=dict)
    _single: set[int] = field(default_factory=set)

    def pieces(self) -> list[Units]:
        """Return the pieces that the chip takes, those with products alone."""
        while self.tries < MOST_TRIES:
            found = self._candidates()
            fresh = next((each for each in found if each.units not in self.taken), None)
            if fresh is None:
                break
            self._try(fresh)
        kept = [each.units for each in self._candidates() if each.units in self.taken]
        on_chip = [units for units in kept if self.graph.products_of(units)]
        for unit in set(range(len(self.graph.units))).difference(*map(set, kept)):
            self.host.setdefault(unit, SEVERAL)
        return on_chip

    def _try(self, found: Found) -> None:
        """Try a piece; one that is refused loses units."""
        self.tries += 1
        units = found.units
        try:
            self.attempt(units)
        except PieceRefusedError as error:
            named = error.units & set(units)
            if found.grown:
                self._single |= found.grown
            elif len(units) == 1 or (named and len(named) < len(units)):
                self.host |= dict.fromkeys(named or units, str(error))
            else:
                half = len(units) // 2
                self._group |= dict.fromkeys(units[half:], self.tries)
        else:
            self.taken.add(units)

    def _candidates(self) -> list[Found]:
        """Return the pieces of what is not on the host."""
        free = [unit for unit in range(len(self.graph.units)) if unit not in self.host]
        done: set[int] = set()
        found = []
        for place, first in enumerate(free):
            if first in done:
                continue
            piece = self._piece([unit for unit in free[place:] if unit not in done])
            if piece is not None:
                done.update(piece.units)
                found.append(piece)
        return found

    def _piece(self, free: list[int]) -> Found | None:
        """Return the piece that begins at the first of some units; None: it reads several."""
        graph, first = self.graph, free[0]
        borders = graph.units[first].inputs
        if len(borders) != 1 and not self._may_join(first, borders):
            return None
        have, units, inside, grown = set(borders), list[int](), 0, set[int]()
        for unit in free:
            if self._group.get(unit) != self._group.get(first):
                continue
            inputs = graph.units[unit].inputs
            further = tuple(name for name in inputs if name not in have)
            if len(further) == len(inputs):
                continue
            if further:
                more = (*borders, *further)
                needed = (self._behind(name) for name in further)
                if not self._may_join(unit, more) or any(each & inside for each in needed):
                    continue
                borders = more
                have.update(further)
                grown.add(unit)
            if len(borders) > 1 and any(self._behind(name) >> unit & 1 for name in borders):
                continue
            units.append(unit)
            inside |= 1 << unit
            have.update(graph.units[unit].outputs)
        return Found(tuple(units), frozenset(grown)) if units else None

    def _may_join(self, unit: int, borders: tuple[str, ...]) -> bool:
        """Return whether a unit may read several borders as one image: one with products may."""
        products = self.graph.units[unit].products and unit not in self._single
        return bool(products) and len(borders) <= MOST_BORDERS and self.together(borders)

    def _behind(self, name: str) -> int:
        """Return the units that a border depends on, its writer included, as bits."""
        writer = self.graph.writers.get(name)
        return 0 if writer is None else self.graph.before[writer] | 1 << writer


def in_steps(graph: UnitGraph, pieces: Iterable[Units]) -> list[tuple[bool, Units]]:
    """Return pieces and what is between them in order: whether it is on the chip, and its units.

    The host computes all that is ready at once, so that it is asked seldom.
    """
    waiting = list(pieces)
    rest = [unit for unit in range(len(graph.units)) if unit not in {u for p in waiting for u in p}]
    done, steps = set[str](), list[tuple[bool, Units]]()

    def ready(unit: int, inside: Mapping[str, int] | set[str]) -> bool:
        return all(
            name not in graph.writers or name in done or name in inside
            for name in graph.units[unit].inputs
        )

    def take(units: Units, *, chip: bool) -> None:
        steps.append((chip, units))
        done.update(name for unit in units for name in graph.units[unit].outputs)

    while waiting or rest:
        before = len(waiting) + len(rest)
        for piece in list(waiting):
            own = {name for unit in piece for name in graph.units[unit].outputs}
            if all(ready(unit, own) for unit in piece):
                take(piece, chip=True)
                waiting.remove(piece)
        own, now = set[str](), list[int]()
        for unit in rest:
            if ready(unit, own):
                now.append(unit)
                own.update(graph.units[unit].outputs)
        if now:
            take(tuple(now), chip=False)
            rest = [unit for unit in rest if unit not in set(now)]
        if len(waiting) + len(rest) == before:
            raise RuntimeError("pieces wait for each other")
    return steps
