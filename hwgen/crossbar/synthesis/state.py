"""The state of a search: what is left to spend, designs, and nodes with what is proven of them.

Designs were confirmed, or wait to be annealed. What may be spent is counts, never a time.
"""

import heapq
import itertools
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.point import Point
from hwgen.crossbar.model.tables import Tables
from hwgen.crossbar.synthesis.anneal import COLD, HOT
from hwgen.crossbar.synthesis.bound import grain_of, halves, is_wide
from hwgen.crossbar.synthesis.nodes import Node, price_in, scan
from hwgen.crossbar.synthesis.result import Candidate, Chosen
from hwgen.crossbar.synthesis.work import root_nodes

EFFORT, PER_LAYER = 640_000_000, 80
"""Computation blocks of all designs that a search evaluates by default; a layer counts as some
besides."""

PRICED, PER_NODE = 200_000_000, 8_000
"""Choices that relaxed problems price by then (see `Relaxation`); the time grows so. A node counts
as some besides."""

PHASES, GROWING, GROWTH = 10, 6, 4
"""Phases of a search by default, how many of them have more effort than the one before, and how
much more. The others, and any after them, have as much as the last of those; the first of each two
begins afresh: what it finds does not descend from what was found before."""

CLIMBING = 0.5
"""Share of the effort of a phase that the search around the best designs has in its end."""

CLIMBERS, CLIMBS = 8, 3
"""Designs that are improved side by side in the end of a phase at first, and how often some are,
each time with as much effort."""

PIECES, SMALLEST_PIECE = 48, 8
"""Pieces of work that annealing in a phase is spent in, and the fewest evaluations that one has in
the first phase; they double while phases grow."""

Json = dict[str, Any]

STARTS = 4
"""Designs that are annealed in one round."""

LINEAGES = 4
"""Points and scratchpads whose best designs a phase goes on from: what is a little better than the
others while it is rough need not be the best when all of them are refined."""

IsOpen = Callable[[Point, int], bool]
"""Whether a point may hold something better with scratchpads of a size."""

Ratios = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What a search may spend; None: as much as suits the network.

    method: bounded, or the name of a search whose design is adopted
    evaluations: designs that are judged, by the closed form or block by block
    nodes: of the design space that are bounded
    sharing: whether two layers may share macros
    time_limit_s: the answer then depends on the machine, and says so
    """

    method: str = "bounded"
    evaluations: int | None = None
    nodes: int | None = None
    sharing: bool = True
    time_limit_s: float | None = None


class RemainingBudget:
    """What a search may still spend, in phases.

    What a phase is and how large its pieces are does not depend on the budget. So a search with a
    larger one does all that a search with a smaller one does, and then more.

    is_empty: whether a piece of work was asked for that the evaluations left do not pay for
    """

    def __init__(self, budget: Budget, network: CrossbarNetwork) -> None:
        self._network = network
        self._left = budget.evaluations
        self._nodes = budget.nodes or sys.maxsize
        self._phase = -1
        self._effort = self._all_effort = 0
        self._priced = self._all_priced = 0
        self.is_empty = False

    def begin_phase(self, *, more: bool) -> bool:
        """Begin the next phase; return False where the search is over instead.

        more: whether evaluations may pay for more phases than there are by default
        """
        is_long = self._phase + 1 >= PHASES
        if self.is_empty or (is_long and (self._left is None or not more)):
            return False
        self._phase += 1
        self._effort = self._all_effort = int((1 - CLIMBING) * effort_of(self._phase))
        self._priced += priced_until(self._phase) - priced_until(self._phase - 1)
        self._all_priced = max(1, self._priced)
        return True

    @property
    def afresh(self) -> bool:
        """Whether this phase goes on from its own designs alone, not from all."""
        after = self._phase - GROWING
        return after >= 0 and after % 2 == 0

    @property
    def nodes(self) -> int:
        """Nodes that may still be split in this phase; 0 if nothing may."""
        return self._nodes if self._priced > 0 and not self.is_empty else 0

    @property
    def annealing(self) -> bool:
        """Whether this phase has effort left for annealing."""
        return self._effort > 0 and not self.is_empty

    @property
    def annealing_is_due(self) -> bool:
        """Whether more is left of the effort than of the nodes, which become better starts."""
        return self._effort * self._all_priced >= self._priced * self._all_effort

    def split(self, nodes: int) -> None:
        """Pay for nodes that were split."""
        self._nodes -= nodes

    def price(self, nodes: int, priced: int) -> None:
        """Pay for what relaxed problems have priced in some nodes."""
        self._priced -= priced + PER_NODE * nodes

    def annealed(self, start: Chosen) -> int:
        """Pay for annealing from a start; return the evaluations, 0 if they are not left."""
        each = self.effort_of(start)
        piece = self._all_effort // PIECES
        count = self._pay(max(SMALLEST_PIECE << grown(self._phase), piece // each))
        self._effort -= count * each
        return count

    def climbed(self, start: Chosen, climbs: int) -> int:
        """Pay for one of so many climbs of a phase; return the evaluations, 0 for no climb."""
        effort = CLIMBING * effort_of(self._phase)
        count = int(effort // climbs // self.effort_of(start))
        return self._pay(count) if count > 1 else 0

    def end(self) -> None:
        """Anneal no more in this phase."""
        self._effort = 0

    def _pay(self, count: int) -> int:
        """Return a number of evaluations if they are left, else 0."""
        if self._left is None:
            return count
        if count > self._left:
            self.is_empty = True
        if self.is_empty:
            return 0
        self._left -= count
        return count

    def effort_of(self, chosen: Chosen) -> int:
        """Return what one evaluation takes of a design like this one."""
        layers = self._network.layers
        blocks = sum(
            -(-layer.pixels // max(1, copies))
            for layer, copies in zip(layers, chosen.copies, strict=True)
            if layer.kind == "conv"
        )
        return blocks + PER_LAYER * len(layers)


def grown(phase: int) -> int:
    """Return how often the effort of a phase has grown."""
    return min(phase, GROWING - 1)


def share_until(phase: int) -> float:
    """Return the effort of all phases until the end of one, as a share of that by default."""
    return efforts_until(phase) / efforts_until(PHASES - 1)


def efforts_until(phase: int) -> int:
    """Return the effort of all phases until the end of one, in those of the first."""
    return sum(GROWTH ** grown(each) for each in range(phase + 1))


def effort_of(phase: int) -> float:
    """Return the computation blocks of the designs that are evaluated in a phase."""
    return EFFORT * (share_until(phase) - share_until(phase - 1))


def priced_until(phase: int) -> int:
    """Return the choices that are priced until the end of a phase: bounds need most at first."""
    return int(PRICED * math.sqrt(share_until(phase)))


class Start(NamedTuple):
    """A design to anneal from: where, with which scratchpads, and the first threshold.

    budget_w: what its step was made for; None: the budget of the search
    """

    point: Point
    budget_w: float | None
    memory: int
    design: Json
    hot: float


class Waiting(NamedTuple):
    """A design that a relaxed problem points at; the lowest comes first, then the earliest."""

    height: float
    number: int
    point: Point
    memory: int
    design: Json


@dataclass
class Designs:
    """The designs of one search.

    candidates: those that were confirmed, the best first
    own: those of them that the search goes on from, see `begin_phase`
    turns: how often starts were asked for
    """

    candidates: list[Candidate] = field(default_factory=list)
    own: list[Candidate] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    turns: int = 0

    @property
    def best(self) -> Candidate | None:
        """The most efficient design so far."""
        return self.candidates[0] if self.candidates else None

    def keep(self, candidate: Candidate) -> None:
        """Put a confirmed design among the candidates, the best first, each once."""
        for kept in (self.candidates, self.own):
            if candidate not in kept:
                kept.append(candidate)
                kept.sort(key=lambda each: -each.efficiency_gops_per_w)

    def begin_phase(self, *, afresh: bool) -> None:
        """Go on from all designs, or only from what is found now, where nodes point at any."""
        self.own = [] if afresh and self.waiting else self.candidates.copy()

    def spread(self, count: int) -> list[Candidate]:
        """Return some of the best designs: the best of each lineage, then the second of each."""
        lineages: dict[tuple[Point, int], list[Candidate]] = {}
        for each in self.own:
            place = each.point, each.memory
            if place in lineages or len(lineages) < LINEAGES:
                lineages.setdefault(place, []).append(each)
        ranks = itertools.zip_longest(*lineages.values())
        return [each for rank in ranks for each in rank if each is not None][:count]

    def climbers(self, turn: int) -> list[Candidate]:
        """Return designs to climb from, fewer each time, so that the best come to their tops.

        In the last turn they are the best of all and, if that is another, the best of this phase.
        """
        if turn < CLIMBS - 1:
            return self.spread(CLIMBERS >> turn)
        return self.candidates[:1] + [each for each in self.own[:1] if each != self.best]

    def wait(self, waiting: Waiting) -> None:
        """Remember a design that a relaxed problem points at."""
        heapq.heappush(self.waiting, waiting)

    def starts(self, is_open: IsOpen, hopeless_price: float) -> list[Start]:
        """Return what is annealed next.

        Half of them go on from the best designs, the best and those of other lineages in turn, with
        a smaller threshold, or, every other time, into smaller scratchpads. Where nothing better is
        known, even a hopeless design is somewhere to begin.
        """
        chosen: list[Start] = []
        best = self.spread(LINEAGES)
        if best[1:]:
            best[1:] = [best[1 + self.turns // 2 % len(best[1:])]]
        self.turns += 1
        for place, candidate in enumerate(best):
            hot, memory = max(COLD, HOT / (2 + 2 * place)), candidate.memory
            if self.turns % 2 == 0 and is_open(candidate.point, memory - 1):
                hot, memory = HOT, memory - 1
            design = candidate.chosen.as_json()
            chosen.append(Start(candidate.point, candidate.budget_w, memory, design, hot))
        while self.waiting and len(chosen) < STARTS:
            if chosen and self.waiting[0].height >= hopeless_price:
                break
            next_one = heapq.heappop(self.waiting)
            chosen.append(Start(next_one.point, None, next_one.memory, next_one.design, HOT))
        return chosen


def confirmed(point: Point, result: Json) -> Candidate:
    """Return what annealing found at a point as a candidate."""
    return Candidate(point=point, chosen=Chosen(**result["design"]), **result["cost"])


def own_point(point: Point, entry: Json) -> Point:
    """Return the point of the design that a node points at: its ratio is of the node."""
    return replace(point, rram_ratio=entry["ratio"])


def widest_of(points: list[Point]) -> list[int]:
    """Return for each point the one with the largest ratio of those that are else like it."""
    places: dict[Point, list[int]] = {}
    for place, point in enumerate(points):
        places.setdefault(replace(point, rram_ratio=None), []).append(place)
    largest = {
        like: max(found, key=lambda n: points[n].rram_ratio or 0.0)
        for like, found in places.items()
    }
    return [largest[replace(point, rram_ratio=None)] for point in points]


@dataclass(order=True)
class OpenNode:
    """A node that may hold something better, the most promising first."""

    price: float
    number: int
    point: int = field(compare=False)
    entry: Json = field(compare=False)


class Frontier:
    """All nodes of all points.

    Points that differ in their ratio alone begin as one, under the number of that with the largest.

    open: those that may hold something better
    closed_price: the least bound of the others, by point and ratios
    number: of nodes so far
    """

    def __init__(self) -> None:
        self.open: list[OpenNode] = []
        self.closed_price: dict[tuple[int, Ratios], float] = {}
        self.number = 0
        self._tables: dict[int, Tables] = {}

    def begin(self, point: int, tables: Tables, ratio_low: float, target_price: float) -> None:
        """Open the nodes of one more point and all like it with smaller ratios."""
        self._tables[point] = tables
        for node in root_nodes(tables, ratio_low):
            self._look(point, node, 0.0, target_price)

    def _look(self, point: int, node: Node, known_price: float, target_price: float) -> None:
        """Open a node with its first bound, or that of the one around it, unless that closes it."""
        tables = self._tables[point]
        price = max(known_price, price_in(tables, node, scan(tables, node)))
        entry = {"node": list(node), "cuts": [], "ranges": None, "split": None, "whole": True}
        self.put(point, entry, price, target_price)

    def put(self, point: int, entry: Json, price: float, target_price: float) -> bool:
        """Open a node of which a bound is known, or close it; return whether it is open."""
        self.number += 1
        if price >= target_price:
            self.close(point, entry, price)
            return False
        heapq.heappush(self.open, OpenNode(price, self.number, point, entry))
        return True

    def put_back(self, nodes: list[OpenNode]) -> None:
        """Open nodes again that nobody has split: they still hold what they held."""
        for node in nodes:
            heapq.heappush(self.open, node)

    def close(self, point: int, entry: Json, price: float) -> None:
        """Remember the least bound among the nodes of a point that are closed."""
        where = point, ratios_of(entry)
        self.closed_price[where] = min(self.closed_price.get(where, price), price)

    def take(self, count: int, target_price: float) -> list[OpenNode]:
        """Take some nodes with the best bounds; what is too wide is split on the way."""
        chosen: list[OpenNode] = []
        while self.open and len(chosen) < count:
            node = heapq.heappop(self.open)
            where = Node(*node.entry["node"])
            if node.price >= target_price:
                self.close(node.point, node.entry, node.price)
            elif node.entry["whole"] and is_wide(where):
                for half in halves(where, grain=grain_of(self._tables[node.point])):
                    self._look(node.point, half, node.price, target_price)
            else:
                chosen.append(node)
        return chosen

    def least_price(self, point: int | None = None, ratio: float = 0.0) -> float:
        """Return the energy that no design in any node is below, or none of a point and a ratio."""
        known = [((node.point, ratios_of(node.entry)), node.price) for node in self.open]
        known += self.closed_price.items()
        energies = [
            energy
            for (where, (low, high)), energy in known
            if point is None or (point == where and low <= ratio <= high)
        ]
        return min(energies, default=float("inf"))

    def is_open(self, point: int, ratio: float, memory: int) -> bool:
        """Return whether a design with such scratchpads may be better than all so far."""
        nodes = (Node(*node.entry["node"]) for node in self.open if node.point == point)
        return any(
            node.memory <= memory <= node.most_memory and node.ratio_low <= ratio <= node.ratio_high
            for node in nodes
        )


def ratios_of(entry: Json) -> Ratios:
    """Return the ratios of a node."""
    node = Node(*entry["node"])
    return node.ratio_low, node.ratio_high
