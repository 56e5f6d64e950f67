"""The relaxed problem of a box: a linear program over all choices, its columns made when needed.

Each layer takes a mixture of choices; crossbars, power and the lengths of paths are limited in the
mean. A choice is made with one mate or none; a pair saves at most the smaller of two means over the
choices that its layers make with each other, and takes turns at its ADCs. With the prices that the
program puts on its limits, the cheapest choice of every layer gives a lower bound of the energy
(weak duality), however far the program is solved; what stays below the target is tightened by more
choices and more paths.

Everything in the program is scaled: energy by the target, the others by their limits.
"""

from typing import Any

import highspy
import numpy as np

from hwgen.dse.crossbar.choices import Box, Choices, fixed_costs
from hwgen.dse.crossbar.cuts import Cut
from hwgen.dse.crossbar.pairs import busy_steps, make_turns, savings_of
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


@compiled
def cheapest(choices: Choices, costs: Floats, prices: Floats, busy: Floats, chosen: Ints) -> Floats:
    """Write the cheapest choice of each layer with each mate, and return what it costs.

    prices: (layers, layers, 4) of layer i with mate j: of the pair, of a conversion, of a macro, of
    a busy step; an entry of its own, [i, i], is for a layer without a mate, whose price is infinite
    where there is no such layer
    """
    count = len(choices.begin) - 1
    least = np.full((count, count), np.inf)
    for i in range(count):
        for j in range(count):
            chosen[i, j] = -1
            if np.isinf(prices[i, j, 0]):
                continue
            pair, adc, macro, step = prices[i, j]
            for c in range(choices.begin[i], choices.begin[i + 1]):
                cost = costs[c] + pair + adc * choices.converted[c]
                cost += macro * choices.macros[c] + step * busy[c]
                if cost < least[i, j]:
                    least[i, j] = cost
                    chosen[i, j] = c
    return least


class Relaxation:
    """The linear program of one box.

    bound: nJ that no design of the box is below, as far as it is known
    mixture: share of each choice in the program's solution
    """

    def __init__(self, tables: Tables, box: Box, choices: Choices, target: float) -> None:
        self.tables, self.box, self.choices, self.target = tables, box, choices, target
        self.bound = -np.inf
        self.mixture = np.zeros(len(choices.copies_low))
        time = box.steps_low * box.step_low
        energy, static = fixed_costs(tables, box)
        self.fixed = (energy + static * time) / target
        self.cost = (choices.energy + choices.static * time) / target
        self.layers = [
            i for i in range(len(tables.kind)) if choices.begin[i] < choices.begin[i + 1]
        ]
        self.turns = make_turns(tables, choices, box)
        self.program: Any = highspy.Highs()  # type: ignore[no-untyped-call]
        self.program.setOptionValue("output_flag", False)
        self.program.setOptionValue("threads", 1)
        self.rows = 0
        self.uses: list[tuple[int, Floats]] = []
        self.column_of: dict[tuple[int, int], int] = {}
        self.columns = 0
        self._lay_rows()
        self._add_pairs(time)
        for i in self.layers:
            begin, end = choices.begin[i], choices.begin[i + 1]
            for c in np.unique(np.linspace(begin, end - 1, FIRST_CHOICES).astype(int)):
                self._add_choice(i, int(c), i)

    def _add_row(self, low: float, high: float) -> int:
        self.program.addRow(low, high, 0, np.empty(0, np.int32), np.empty(0))
        self.rows += 1
        return self.rows - 1

    def _add_column(self, cost: float, high: float, entries: dict[int, float]) -> int:
        index = np.array(list(entries), np.int32)
        self.program.addCol(cost, 0.0, high, len(index), index, np.array(list(entries.values())))
        self.columns += 1
        return self.columns - 1

    def _limit(self, use: Floats, fixed: float, others: dict[int, float] | None = None) -> int:
        """Add a limited quantity: a row, and a column that lets it be exceeded at a price.

        use: of each choice; others: of other columns
        """
        entries = {column: use[c] for (c, _), column in self.column_of.items() if use[c] != 0.0}
        entries |= others or {}
        index = np.array(list(entries), np.int32)
        values = np.array(list(entries.values()))
        self.program.addRow(-FOREVER, 1.0 - fixed, len(index), index, values)
        row = self.rows
        self.rows += 1
        self.uses.append((row, use))
        self._add_column(OVER, FOREVER, {row: -1.0})
        return row

    def _lay_rows(self) -> None:
        """Add the rows of layers and of the limits on crossbars and power."""
        tables, choices = self.tables, self.choices
        power = tables.scalars[POWER]
        self.one = {i: self._add_row(1.0, 1.0) for i in self.layers}
        self.busy = busy_steps(tables, choices) / self.box.steps_high
        self.scale = max(1.0, float(choices.converted.max()))
        if not tables.strict:
            self._limit(choices.crossbars / (power * tables.scalars[RATIO]), 0.0)
        self.power = self._limit(choices.power / power, tables.scalars[NOC_POWER] / power)

    def _add_pairs(self, time: float) -> None:
        """Add for each pair whether it is one, the conversions and the macros that it saves.

        Rows of layer i with mate j: its choices with that mate are as many as the pair is; what is
        saved is at most what they convert, and the macros they have. One row for both: their turns.
        """
        saving = savings_of(self.tables, self.box)
        power = self.tables.scalars[POWER]
        self.pair_rows: dict[tuple[int, int], tuple[int, int, int, int]] = {}
        self.pair_column: dict[tuple[int, int], int] = {}
        for n, i in enumerate(self.layers):
            for j in self.layers[n + 1 :]:
                turn = self._add_row(-FOREVER, 0.0)
                for pair in ((i, j), (j, i)):
                    link = self._add_row(0.0, 0.0)
                    adc, macros = self._add_row(-FOREVER, 0.0), self._add_row(-FOREVER, 0.0)
                    self.pair_rows[pair] = (link, adc, macros, turn)
                one, two = self.pair_rows[i, j], self.pair_rows[j, i]
                entries = {one[0]: -1.0, two[0]: -1.0, turn: -self._window(i, j)}
                self.pair_column[i, j] = self._add_column(0.0, FOREVER, entries)
                watts = saving.conversion_static * self.scale * time / self.target
                entries = {one[1]: 1.0, two[1]: 1.0}
                entries[self.power] = -saving.conversion_peak * self.scale / power
                self._add_column(-watts, FOREVER, entries)
                entries = {one[2]: 1.0, two[2]: 1.0, self.power: -saving.macro_peak / power}
                self._add_column(-time * saving.macro_static / self.target, FOREVER, entries)

    def _window(self, i: int, j: int) -> float:
        """Return the share of the image in which a pair may use its ADCs."""
        turns = self.turns
        lost = min(turns.head[i], turns.head[j]) + min(turns.tail[i], turns.tail[j])
        return 1.0 - float(lost) / self.box.steps_high

    def _add_choice(self, i: int, c: int, mate: int) -> None:
        """Add the column of a choice of layer i, with a mate or (`mate` is i) without."""
        if (c, mate) in self.column_of:
            return
        entries = {self.one[i]: 1.0}
        if mate != i:
            link, adc, macros, turn = self.pair_rows[i, mate]
            entries[link] = 1.0
            entries[adc] = -self.choices.converted[c] / self.scale
            entries[macros] = -float(self.choices.macros[c])
            entries[turn] = self.busy[c]
        for row, use in self.uses:
            if use[c] != 0.0:
                entries[row] = use[c]
        self.column_of[c, mate] = self._add_column(self.cost[c], FOREVER, entries)

    def add_path(self, cut: Cut) -> None:
        """Limit the steps of a path; a layer in the macro of its provider is spared a transfer."""
        high = self.box.steps_high
        use = path_lengths(self.tables, self.choices, cut.enter, cut.leave) / high
        spared = {
            column: -float(self.turns.travel[j]) / high
            for (i, j), column in self.pair_column.items()
            if self.turns.near[j, i] and cut.leave[j] > 0
        }
        self._limit(use, cut.fixed / high, spared)

    def solve(self) -> bool:
        """Add choices until the bound is close to the program's value; return if it met the target.

        `mixture` is then the solution of the program, `pairs` the share of each pair.
        """
        count = len(self.tables.kind)
        chosen = np.empty((count, count), np.int64)
        for _ in range(MOST_TURNS):
            self.program.run()
            if self.program.getModelStatus() != highspy.HighsModelStatus.kOptimal:
                break
            prices = np.array(self.program.getSolution().row_dual)
            value = self.program.getInfo().objective_function_value
            costs, of_pairs = self._reduced(prices)
            least = cheapest(self.choices, costs, of_pairs, self.busy, chosen)
            gain = sum(min(0.0, float(least[i].min())) for i in self.layers)
            self.bound = max(self.bound, (self.fixed + value + gain) * self.target * (1 - SAFETY))
            if self.bound >= self.target or gain > -CLOSE:
                break
            for i in self.layers:
                for j in self.layers:
                    if least[i, j] < -CLOSE / count / 4:
                        self._add_choice(i, int(chosen[i, j]), j)
        found = np.array(self.program.getSolution().col_value)
        self.mixture[:] = 0.0
        for (c, _), column in self.column_of.items():
            self.mixture[c] += found[column]
        self.pairs = {pair: found[column] for pair, column in self.pair_column.items()}
        return bool(self.bound >= self.target)

    def _reduced(self, prices: Floats) -> tuple[Floats, Floats]:
        """Return what choices cost beyond what limits pay for them, and the prices of mates."""
        costs = self.cost.copy()
        for row, use in self.uses:
            if prices[row] != 0.0:
                costs -= prices[row] * use
        count = len(self.tables.kind)
        of_pairs = np.full((count, count, 4), np.inf)
        for i in self.layers:
            of_pairs[i, i] = (-prices[self.one[i]], 0.0, 0.0, 0.0)
        for (i, j), (link, adc, macros, turn) in self.pair_rows.items():
            of_pairs[i, j] = (
                -prices[self.one[i]] - prices[link],
                prices[adc] / self.scale,
                prices[macros],
                -prices[turn],
            )
        return costs, of_pairs
