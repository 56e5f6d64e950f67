"""What columns of the relaxed problem use of each limit: crossbars, power, steps of paths.

A path limits all designs, or those for which a condition holds: that two layers convert in turns
between its parts, or that one layer is on it for long. Then of every other layer at most `reach`
counts, and what a design takes less is given back whatever the condition; so the sum is at most 0
where it does not hold, and at most all steps where it does.

A solution is a mixture of choices (`Mixed`), which may exceed what is not yet a limit.
"""

from typing import Any, NamedTuple

import numpy as np

from hwgen.chip.compiled import compiled
from hwgen.crossbar.model.tables import Floats, Ints, Tables
from hwgen.crossbar.synthesis.choices import Choices
from hwgen.crossbar.synthesis.nodes import Node
from hwgen.crossbar.synthesis.paths import Cut, blocks_between
from hwgen.crossbar.synthesis.pricing import Turns, busy_steps

ALONE = -1
"""Partner of a choice whose layer shares no macros."""

ALMOST = 0.999
"""Share of a share that is all of it, after rounding."""

NO_PAIR = (-1, -1)
NOTHING = np.zeros(0)


class Use(NamedTuple):
    """What columns use of a limit, or what they cost.

    choice: of each choice
    spared: less of each choice whose layer lives in a single macro with a neighbour; empty: none
    conversion, macro: less for each that a pair has in common
    pair: two layers that use `fixed` if they are one, and `turn` for each step at their ADCs
    """

    choice: Floats
    spared: Floats = NOTHING
    conversion: float = 0.0
    macro: float = 0.0
    pair: tuple[int, int] = NO_PAIR
    fixed: float = 0.0
    turn: float = 0.0


class Total(NamedTuple):
    """All limits together, each times its price; `pairs`: pair, fixed, turn of those that have."""

    choice: Floats
    spared: Floats
    conversion: float
    macro: float
    pairs: list[tuple[tuple[int, int], float, float]]


@compiled
def path_lengths(tables: Tables, choices: Choices, cut: Cut) -> tuple[Floats, Floats]:
    """Return the steps of each choice on a path, and how many less they are near a neighbour."""
    lengths, spared = np.zeros((2, len(choices.copies_low)))
    for i in range(len(tables.kind)):
        if cut.leave[i] == 0:
            continue
        blocks, copies = 0, 0
        last_pixel = tables.last_pixel[tables.window_start[i] : tables.window_start[i + 1]]
        wait, enter, leave = cut.wait[i], cut.enter[i], cut.leave[i]
        for c in range(choices.begin[i], choices.begin[i + 1]):
            if choices.copies_low[c] != choices.copies_high[c]:
                blocks = (leave - cut.safe[i]) // choices.copies_high[c]
            elif choices.copies_low[c] != copies:
                copies = choices.copies_low[c]
                blocks = blocks_between(last_pixel, copies, wait, enter, leave)
            lengths[c] = blocks * choices.per_block[c] + choices.through[c]
            if wait == 0:
                linked = blocks * choices.linked[c] + choices.linked_through[c]
                lengths[c] = max(lengths[c], linked)
            near = blocks * choices.near_per_block[c] + choices.near_through[c]
            if cut.past[i]:
                lengths[c] += choices.behind[c]
                near += choices.near_behind[c]
            spared[c] = lengths[c] - near
    return lengths, spared


class Path(NamedTuple):
    """What columns use of a path, as a share of all steps, and its limit."""

    use: Use
    high: float


@compiled
def path_of(tables: Tables, node: Node, choices: Choices, cut: Cut) -> Path:
    """Return the steps that columns spend on a path."""
    steps = node.steps_high
    lengths, less = path_lengths(tables, choices, cut)
    if cut.one < 0:
        use = Use(lengths / steps, less / steps, 0.0, 0.0, NO_PAIR, 0.0, 0.0)
        return Path(use, 1.0 - cut.fixed / steps)
    lengths -= less
    missing = np.zeros(len(lengths))
    total = cut.fixed - steps
    for i in np.flatnonzero(cut.leave):
        span = slice(choices.begin[i], choices.begin[i + 1])
        missing[span] = np.maximum(0.0, cut.reach[i] - lengths[span])
        total += cut.reach[i]
    if cut.two < 0:
        span = slice(choices.begin[cut.one], choices.begin[cut.one + 1])
        total -= cut.reach[cut.one]
        counts = lengths[span] >= cut.least
        missing[span] = np.where(counts, -(lengths[span] + total), 0.0)
        use = Use(-missing / steps, np.zeros(0), 0.0, 0.0, NO_PAIR, 0.0, 0.0)
        return Path(use, 0.0)
    pair = (cut.one, cut.two)
    use = Use(-missing / steps, np.zeros(0), 0.0, 0.0, pair, total / steps, 1 / steps)
    return Path(use, 0.0)


@compiled
def conditional(
    tables: Tables, choices: Choices, mixture: Floats, cut: Cut, share: float
) -> Floats:
    """Return `Cut.reach` of a path that counts where a condition holds, in so large a share.

    Of each layer counts what is no more than in that share of the mixture where it is shortest.
    """
    lengths, spared = path_lengths(tables, choices, cut)
    lengths -= spared
    reach = np.zeros(len(cut.leave))
    for i in np.flatnonzero(cut.leave):
        begin = choices.begin[i]
        there = begin + np.flatnonzero(mixture[begin : choices.begin[i + 1]])
        order = there[np.argsort(lengths[there], kind="mergesort")]
        upto, so_far = 0, mixture[order[0]]
        while upto + 1 < len(order) and so_far < share * ALMOST:
            upto += 1
            so_far += mixture[order[upto]]
        reach[i] = max(0.0, lengths[order[upto]])
    return reach


def layers_of(choices: Choices) -> Ints:
    """Return the layer of each choice."""
    return np.repeat(np.arange(len(choices.begin) - 1), np.diff(choices.begin))


class Limits:
    """All limits and all columns of a relaxed problem, and who uses how much.

    places: where the columns are in the program
    """

    def __init__(self, choices: Choices, near: Ints, busy: Ints) -> None:
        self.choices, self.near, self.busy = choices, near, busy
        self.layer_of = layers_of(choices)
        self.uses: list[Use] = []
        self.rows: list[int] = []
        self.highs: list[float] = []
        self.lates: list[float] = []
        self._own: list[int] = []
        self._partner: list[int] = []
        self._places: list[int] = []

    @property
    def places(self) -> Ints:
        """Where the columns are in the program."""
        return np.array(self._places, np.int64)

    def columns(self) -> tuple[Ints, Ints, Ints]:
        """Return of each column the choice, that of its partner or ALONE, and its place."""
        return np.array(self._own, np.int64), np.array(self._partner, np.int64), self.places

    def put_column(self, own: int, partner: int, place: int) -> None:
        """Remember a column of the program."""
        self._own.append(own)
        self._partner.append(partner)
        self._places.append(place)

    def add(self, use: Use, row: int, high: float, late: float) -> None:
        """Remember a limit, a row of the program; late: how much of it is for a late image."""
        self.uses.append(use)
        self.rows.append(row)
        self.highs.append(high)
        self.lates.append(late)

    def used(self, use: Use) -> Floats:
        """Return what all columns use."""
        own, partner, _ = self.columns()
        return self.used_by(use, own, partner)

    def all_used_by(self, own: Ints, partner: Ints) -> tuple[Ints, Floats]:
        """Return the rows of all limits, and what some columns use of each."""
        used = np.array([self.used_by(use, own, partner) for use in self.uses])
        return np.array(self.rows, np.int64), used.reshape(len(self.rows), len(own))

    def used_by(self, use: Use, own: Ints, partner: Ints) -> Floats:
        """Return what some columns use."""
        used = use.choice[own].copy()
        paired = np.flatnonzero(partner != ALONE)
        if not len(paired):
            return used
        c, d = own[paired], partner[paired]
        choices = self.choices
        more = use.choice[d]
        if use.conversion:
            more = more - use.conversion * np.minimum(choices.converted[c], choices.converted[d])
        if use.macro:
            more = more - use.macro * np.minimum(choices.macros[c], choices.macros[d])
        i, j = self.layer_of[c], self.layer_of[d]
        if use.pair != NO_PAIR:
            both = (i == use.pair[0]) & (j == use.pair[1])
            more = more + both * (use.fixed + use.turn * (self.busy[c] + self.busy[d]))
        if len(use.spared):
            single = (choices.macros[c] == 1) & (choices.macros[d] == 1)
            near = self.near[i, j] * use.spared[c] + self.near[j, i] * use.spared[d]
            more = more - single * near
        used[paired] += more
        return used

    def total(self, duals: Floats) -> Total:
        """Return the sum of all limits, each times its price."""
        choice, spared = np.zeros((2, len(self.busy)))
        conversion = macro = 0.0
        pairs = []
        for row, use in zip(self.rows, self.uses, strict=True):
            price = float(duals[row])
            if price == 0.0:
                continue
            choice += price * use.choice
            if len(use.spared):
                spared += price * use.spared
            conversion += price * use.conversion
            macro += price * use.macro
            if use.pair != NO_PAIR:
                pairs.append((use.pair, price * use.fixed, price * use.turn))
        return Total(choice, spared, conversion, macro, pairs)


class Mixed:
    """A mixture of columns: choices alone, and of two layers that share macros.

    choices: those that have a share, and no others; shares: of each
    pairs: the share of each pair of layers; common: conversions in a bit step that they share
    early: how much sooner than the node allows the image is through, as a share of all steps
    """

    def __init__(
        self,
        tables: Tables,
        node: Node,
        choices: Choices,
        turns: Turns,
        own: Ints,
        partner: Ints,
        shares: Floats,
    ) -> None:
        self.tables, self.node = tables, node
        kept = np.unique(np.concatenate((own, partner[partner != ALONE])))
        begin = np.searchsorted(kept, choices.begin)
        arrays = {name: getattr(choices, name)[kept] for name in choices._fields[1:]}
        self.choices = Choices(begin=begin, **arrays)
        self.turns = turns
        self._limits = Limits(self.choices, turns.near, busy_steps(tables, self.choices))
        self._own = np.searchsorted(kept, own)
        self._partner = np.where(partner == ALONE, ALONE, np.searchsorted(kept, partner))
        self._columns = shares
        self.early = 0.0
        self.shares = np.zeros(len(kept))
        self.pairs: dict[tuple[int, int], float] = {}
        self.common: dict[tuple[int, int], float] = {}
        layer_of = self._limits.layer_of
        for c, d, share in zip(self._own, self._partner, shares, strict=True):
            self.shares[c] += share
            if d != ALONE:
                self.shares[d] += share
                pair = int(layer_of[c]), int(layer_of[d])
                self.pairs[pair] = self.pairs.get(pair, 0.0) + float(share)
                both = min(self.choices.converted[c], self.choices.converted[d])
                self.common[pair] = self.common.get(pair, 0.0) + float(share * both)

    def span(self, i: int) -> slice:
        """Return the place of the choices of layer i."""
        return slice(int(self.choices.begin[i]), int(self.choices.begin[i + 1]))

    def condition(self, cut: Cut, share: float, **more: Any) -> Cut:
        """Return a path that counts where a condition holds, in so large a share of the mixture.

        more: of the path, with which it differs from `cut`
        """
        args = self.tables, self.choices, self.shares, cut, share
        return cut._replace(reach=conditional(*args), **more)

    def excess_of(self, cut: Cut) -> float:
        """Return by how much the mixture exceeds the limit of a path, as a share of all steps."""
        path = path_of(self.tables, self.node, self.choices, cut)
        used = self._limits.used_by(path.use, self._own, self._partner)
        high = path.high - self.early if cut.one < 0 else path.high
        return float((used * self._columns).sum() - high)
