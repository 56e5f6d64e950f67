"""The relaxed problem of a box: a linear program over all choices, its columns made when needed.

Each layer is covered by a mixture of choices, of its own or of pairs that share macros; crossbars,
power and the lengths of paths are limited in the mean. With the prices that the program puts on its
limits, the cheapest choices of layers and pairs give a lower bound of the energy (weak duality),
however far the program is solved; what stays below the target is tightened by more choices and more
paths.

Everything in the program is scaled: energy by the target, the others by their limits.
"""

from typing import Any, NamedTuple

import highspy
import numpy as np

from hwgen.dse.crossbar.choices import Box, Choices, fixed_costs
from hwgen.dse.crossbar.cuts import Cut
from hwgen.dse.crossbar.pairs import make_turns, savings_of
from hwgen.dse.crossbar.pricing import Prices, cheapest, make_groups
from hwgen.model.compiled import compiled
from hwgen.model.crossbar.design import ceil_div
from hwgen.model.crossbar.tables import NOC_POWER, POWER, RATIO, Floats, Ints, Tables

FOREVER = highspy.kHighsInf
OVER = 20.0
"""Price of exceeding a limit by all of it, in targets: far above what any design is worth."""

FIRST_CHOICES = 8
"""Choices of each layer with which the program begins."""

CLOSE = 3e-4
"""The program is solved when its value and its bound are as close as this."""

SAFETY = 1e-6
"""Share by which a bound is lowered for the rounding of the solver."""

MOST_TURNS = 40

ALONE = -1
"""Mate of a choice whose layer shares no macros."""


@compiled
def path_lengths(tables: Tables, choices: Choices, enter: Ints, leave: Ints) -> Floats:
    """Return the steps that each choice spends on a path."""
    lengths = np.zeros(len(choices.copies_low))
    for i in range(len(tables.kind)):
        if leave[i] == 0:
            continue
        for c in range(choices.begin[i], choices.begin[i + 1]):
            low, high = choices.copies_low[c], choices.copies_high[c]
            if low == high:
                blocks = ceil_div(leave[i], low) - ceil_div(enter[i], low)
            else:
                blocks = (leave[i] - enter[i]) // high
            lengths[c] = blocks * choices.per_block[c] + choices.through[c]
    return lengths


class Use(NamedTuple):
    """What columns use of a limit, or what they cost.

    choice: of each choice; spared: less of each choice that lives with its provider
    conversion, macro: less for each that a pair has in common
    """

    choice: Floats
    spared: Floats
    conversion: float
    macro: float


class Relaxation:
    """The linear program of one box.

    bound: nJ that no design of the box is below, as far as it is known
    mixture: share of each choice in the program's solution; pairs: share of each pair
    """

    def __init__(self, tables: Tables, box: Box, choices: Choices, target: float) -> None:
        self.tables, self.box, self.choices, self.target = tables, box, choices, target
        self.bound = -np.inf
        self.mixture = np.zeros(len(choices.copies_low))
        self.pairs: dict[tuple[int, int], float] = {}
        self.layers = [
            i for i in range(len(tables.kind)) if choices.begin[i] < choices.begin[i + 1]
        ]
        self.layer_of = np.repeat(np.arange(len(tables.kind)), np.diff(choices.begin))
        self.turns = make_turns(tables, choices, box)
        self.groups = make_groups(tables, choices, self.turns, box)
        self.program: Any = highspy.Highs()  # type: ignore[no-untyped-call]
        self.program.setOptionValue("output_flag", False)
        self.program.setOptionValue("threads", 1)
        self.rows = 0
        self.limits: list[tuple[int, Use]] = []
        self.column_of: dict[tuple[int, int], int] = {}
        self.columns = 0
        self._lay_rows()
        for i in self.layers:
            begin, end = choices.begin[i], choices.begin[i + 1]
            for c in np.unique(np.linspace(begin, end - 1, FIRST_CHOICES).astype(int)):
                self._add_column(int(c), ALONE)

    def _lay_rows(self) -> None:
        """Add the rows of layers and of the limits on crossbars and power."""
        tables, choices = self.tables, self.choices
        saving = savings_of(tables, self.box)
        time = self.box.steps_low * self.box.step_low
        energy, static = fixed_costs(tables, self.box)
        self.fixed = (energy + static * time) / self.target
        nothing = np.zeros(len(choices.macros))
        self.cost = Use(
            (choices.energy + choices.static * time) / self.target,
            nothing,
            saving.conversion_static * time / self.target,
            saving.macro_static * time / self.target,
        )
        self.one = np.full(len(tables.kind), -1)
        for i in self.layers:
            self.one[i] = self._add_row(1.0, 1.0, {})
        power = tables.scalars[POWER]
        if not tables.strict:
            crossbars = choices.crossbars / (power * tables.scalars[RATIO])
            self._limit(Use(crossbars, nothing, 0.0, 0.0), 0.0)
        use = Use(
            choices.power / power,
            nothing,
            saving.conversion_peak / power,
            saving.macro_peak / power,
        )
        self._limit(use, tables.scalars[NOC_POWER] / power)

    def _add_row(self, low: float, high: float, entries: dict[int, float]) -> int:
        index, values = np.array(list(entries), np.int32), np.array(list(entries.values()))
        self.program.addRow(low, high, len(index), index, values)
        self.rows += 1
        return self.rows - 1

    def _put_column(self, cost: float, entries: dict[int, float]) -> int:
        index, values = np.array(list(entries), np.int32), np.array(list(entries.values()))
        self.program.addCol(cost, 0.0, FOREVER, len(index), index, values)
        self.columns += 1
        return self.columns - 1

    def _limit(self, use: Use, fixed: float) -> None:
        """Add a limited quantity: a row, and a column that lets it be exceeded at a price."""
        entries = {column: self._used(use, *pair) for pair, column in self.column_of.items()}
        row = self._add_row(-FOREVER, 1.0 - fixed, entries)
        self.limits.append((row, use))
        self._put_column(OVER, {row: -1.0})

    def _used(self, use: Use, c: int, d: int) -> float:
        """Return what a choice alone, or with a mate, uses."""
        used = use.choice[c]
        if d != ALONE:
            choices = self.choices
            used += use.choice[d]
            used -= use.conversion * min(choices.converted[c], choices.converted[d])
            used -= use.macro * min(choices.macros[c], choices.macros[d])
            if choices.macros[c] == 1 and choices.macros[d] == 1:
                i, j = self.layer_of[c], self.layer_of[d]
                near = self.turns.near
                used -= near[i, j] * use.spared[c] + near[j, i] * use.spared[d]
        return float(used)

    def _add_column(self, c: int, d: int) -> None:
        """Add the column of a choice alone, or of two that share their macros."""
        if (c, d) in self.column_of:
            return
        entries = {self.one[self.layer_of[c]]: 1.0}
        if d != ALONE:
            entries[self.one[self.layer_of[d]]] = 1.0
        for row, use in self.limits:
            entries[row] = self._used(use, c, d)
        self.column_of[c, d] = self._put_column(self._used(self.cost, c, d), entries)

    def add_path(self, cut: Cut) -> None:
        """Limit the steps of a path; a layer in the macro of its provider is spared a transfer."""
        high = self.box.steps_high
        use = path_lengths(self.tables, self.choices, cut.enter, cut.leave) / high
        on_path = cut.leave[self.layer_of] > 0
        self._limit(Use(use, on_path * self.turns.spared / high, 0.0, 0.0), cut.fixed / high)

    def solve(self) -> bool:
        """Add columns until the bound is close to the program's value; return if it met the target.

        `mixture` is then the solution of the program, `pairs` the share of each pair.
        """
        for _ in range(MOST_TURNS):
            self.program.run()
            if self.program.getModelStatus() != highspy.HighsModelStatus.kOptimal:
                break
            prices = np.array(self.program.getSolution().row_dual)
            value = self.program.getInfo().objective_function_value
            found = cheapest(self.choices, self.groups, self.turns, self._prices(prices))
            of_layer = np.where(self.one < 0, 0.0, prices[self.one])
            gain = found.price - of_layer - of_layer[:, None] * (1 - np.eye(len(of_layer)))
            # Both layers of a pair give way by half of what it gains, a layer alone by all.
            by_layer = np.minimum(0.0, np.minimum(gain, gain.T) / 2)
            np.fill_diagonal(by_layer, np.minimum(0.0, np.diag(gain)))
            total = by_layer.min(axis=1)[self.layers].sum()
            self.bound = max(self.bound, (self.fixed + value + total) * self.target * (1 - SAFETY))
            if self.bound >= self.target or total > -CLOSE:
                break
            for i, j in np.argwhere(gain < -CLOSE / len(of_layer) / 4):
                self._add_column(int(found.first[i, j]), int(found.second[i, j]))
        self._note_mixture()
        return bool(self.bound >= self.target)

    def _note_mixture(self) -> None:
        shares = np.array(self.program.getSolution().col_value)
        self.mixture[:] = 0.0
        self.pairs = {}
        for (c, d), column in self.column_of.items():
            self.mixture[c] += shares[column]
            if d != ALONE:
                self.mixture[d] += shares[column]
                pair = int(self.layer_of[c]), int(self.layer_of[d])
                self.pairs[pair] = self.pairs.get(pair, 0.0) + shares[column]

    def _prices(self, duals: Floats) -> Prices:
        """Return what columns cost at the prices of the limits."""
        choice, spared = self.cost.choice.copy(), self.cost.spared.copy()
        conversion, macro = self.cost.conversion, self.cost.macro
        for row, use in self.limits:
            if duals[row] != 0.0:
                choice -= duals[row] * use.choice
                spared -= duals[row] * use.spared
                conversion -= duals[row] * use.conversion
                macro -= duals[row] * use.macro
        return Prices(choice, spared, conversion, macro)
