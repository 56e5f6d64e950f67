"""The relaxed problem of a node: a linear program over all choices, its columns made when needed.

Each layer is covered by a mixture of columns: a choice alone, or two choices that share macros.
Crossbars, power and the lengths of paths are limited in the mean (`limits`).
With the prices that the program puts on its limits, the cheapest columns give a lower bound of the
energy (weak duality), however far the program is solved; what stays below the target is tightened
by more columns and more paths.

Everything in the program is scaled: energy by the target, the others by their limits.

At these prices every choice costs something beyond what its layer pays. A design that makes the
choice costs that much more than the bound. If that is above the target, neither this node nor any
part of it has to look at the choice again (`useful`).
"""

from typing import Any, NamedTuple

import highspy
import numpy as np

from hwgen.chip.compiled import compiled
from hwgen.crossbar.model.tables import (
    ADC,
    BY_ENERGY,
    DAC,
    NOC_POWER,
    PEAK,
    POWER,
    RATE,
    STATIC,
    Bools,
    Floats,
    Ints,
    Tables,
)
from hwgen.crossbar.synthesis.choices import Choices
from hwgen.crossbar.synthesis.limits import ALONE, Limits, Mixed, Use, layers_of, path_of
from hwgen.crossbar.synthesis.nodes import (
    CLOCKS_HIGH,
    CLOCKS_LOW,
    COPIES_HIGH,
    COPIES_LOW,
    FOREVER,
    MACROS_HIGH,
    PARTNERS,
    Node,
    all_ranges,
    fixed_costs,
    rounding_up,
    static_share,
)
from hwgen.crossbar.synthesis.paths import Cut
from hwgen.crossbar.synthesis.pricing import (
    Cheapest,
    Prices,
    Savings,
    busy_steps,
    cheapest,
    make_groups,
    make_turns,
    savings_of,
)

UNLIMITED = highspy.kHighsInf

OVER, STIFF = 20.0, 2_000.0
"""Price of exceeding a limit by all of it, in targets: far above what any design is worth. `STIFF`
where energy is no part of the price: then all that a node is asked is whether it holds a design."""

FIRST_CHOICES = 8
"""Choices of each layer with which the program begins."""

CLOSE = 3e-4
"""The program is solved when its value and its bound are as close as this."""

SAFETY = 1e-6
"""Share by which a bound is lowered for the rounding of the solver."""

MOST_TURNS = 40

PER_LIMIT = 400
"""Choices that are priced while the program looks at one of its limits."""


@compiled
def useful(choices: Choices, prices: Prices, paid: Floats, spare: float, partners: Bools) -> Bools:
    """Return which choices cost no more than `spare` beyond what is paid, alone or in a pair.

    A pair converts with the ADCs of the one that needs more, and has the macros of the one with
    more: it saves at most what the one converts, and at most what the other does.

    paid: for each layer; spare: what the bound leaves to the target; partners: see `gains`
    """
    layers = len(choices.begin) - 1
    macros = prices.macro * choices.macros
    cost = prices.choice - prices.spared - macros
    saved = prices.conversion * choices.converted
    least, spending = np.full(layers, np.inf), np.full(layers, np.inf)
    for i in range(layers):
        for c in range(choices.begin[i], choices.begin[i + 1]):
            least[i] = min(least[i], cost[c])
            spending[i] = min(spending[i], cost[c] - saved[c])
    kept = np.zeros(len(cost), np.bool_)
    for i in range(layers):
        whole, part = np.inf, np.inf
        for j in range(layers):
            if j != i and partners[i, j]:
                beside = prices.pair[i, j] - paid[j]
                whole, part = min(whole, least[j] + beside), min(part, spending[j] + beside)
        for c in range(choices.begin[i], choices.begin[i + 1]):
            paired = max(cost[c] - saved[c] + whole, cost[c] + part) + macros[c]
            alone = prices.choice[c] if partners[i, i] else np.inf
            kept[c] = min(alone, paired) - paid[i] <= spare
    return kept


@compiled
def ranges_of(choices: Choices, kept: Bools, known: Ints) -> Ints:
    """Return the ranges of those choices that are kept, within ranges that are known.

    A choice stands for all macros, and all clocks, up to those of the next one.
    """
    ranges = known.copy()
    for i in range(known.shape[1]):
        begin, end = choices.begin[i], choices.begin[i + 1]
        if begin == end:
            continue
        ranges[:PARTNERS, i] = (FOREVER, 0, 0, FOREVER, 0)
        macros, clocks = FOREVER, FOREVER
        for c in range(end - 1, begin - 1, -1):
            alike = c + 1 < end and choices.copies_low[c] == choices.copies_low[c + 1]
            if alike and choices.clocks[c] == choices.clocks[c + 1]:
                macros = choices.macros[c + 1] - 1
            else:
                macros = FOREVER
                clocks = choices.clocks[c + 1] - 1 if alike else FOREVER
            if kept[c]:
                ranges[COPIES_LOW, i] = min(ranges[COPIES_LOW, i], choices.copies_low[c])
                ranges[COPIES_HIGH, i] = max(ranges[COPIES_HIGH, i], choices.copies_high[c])
                ranges[MACROS_HIGH, i] = max(ranges[MACROS_HIGH, i], macros)
                ranges[CLOCKS_LOW, i] = min(ranges[CLOCKS_LOW, i], choices.clocks[c])
                ranges[CLOCKS_HIGH, i] = max(ranges[CLOCKS_HIGH, i], clocks)
    for row in (MACROS_HIGH, CLOCKS_HIGH):
        ranges[row] = np.minimum(ranges[row], known[row])
    return ranges


def gains(found: Cheapest, paid: Floats, partners: Bools) -> Floats:
    """Return what the cheapest of each layer and pair costs beyond what its layers pay.

    partners: which may be; inf: may not
    """
    alone = np.eye(len(paid))
    return np.where(partners, found.price - paid - paid[:, None] * (1 - alone), np.inf)


class Drawn(NamedTuple):
    """Static nJ of a pipeline step, at least.

    use: of columns; fixed: whatever is chosen; least: of a whole design
    """

    use: Use
    fixed: float
    least: float


def drawn_in(tables: Tables, choices: Choices, node: Node) -> Drawn:
    """Return what leaks in a step.

    Of parts that are bought for what they have to do in a step, more leak the shorter it is: what
    they draw in a step does not depend on its length. A pair saves half of all that both could.
    """
    share = static_share(tables)
    parts, layer_of = tables.parts, layers_of(choices)
    each = tables.work / parts[:, RATE] * (parts[:, STATIC] - share * parts[:, PEAK])
    each = np.delete(each, DAC, axis=1).sum(axis=1)
    bought = choices.converted / tables.work[layer_of, ADC] * each[layer_of]
    saving = savings_of(tables, node)
    use = Use(
        choice=(choices.static - bought / node.step_high) * node.step_low + bought,
        conversion=saving.conversion_static * node.step_high,
        macro=saving.macro_static * node.step_low,
    )
    fixed = fixed_costs(tables, node)[1] * node.step_low
    saved = (use.conversion * choices.converted + use.macro * choices.macros) / 2
    least = np.full(len(tables.kind), np.inf)
    np.minimum.at(least, layer_of, use.choice - saved)
    return Drawn(use, fixed, max(0.0, fixed + least[np.unique(layer_of)].sum()))


class Relaxation:
    """The linear program of one node.

    bound: nJ that no design of the node is below, as far as it is known
    mixed: the program's solution
    kept: the choices that a design below the target may make
    priced: choices that were priced, each as often as it was, and as many more for each limit as
        take as long
    """

    def __init__(
        self,
        tables: Tables,
        node: Node,
        choices: Choices,
        target: float,
        ranges: Ints | None = None,
    ) -> None:
        self.tables, self.choices, self.target = tables, choices, target
        self.node = node
        self.over = OVER if tables.scalars[BY_ENERGY] > 0 else STIFF
        if ranges is None:
            ranges = all_ranges(len(tables.kind))
        self.partners = ranges[PARTNERS:] > 0
        self.bound = -np.inf
        self.kept = np.ones(len(choices.energy), np.bool_)
        self.layers = [
            i for i in range(len(tables.kind)) if choices.begin[i] < choices.begin[i + 1]
        ]
        self.turns = make_turns(tables, choices)
        self.groups = make_groups(tables, choices, self.turns, node)
        self.limits = Limits(choices, self.turns.near, busy_steps(tables, choices))
        self.program: Any = highspy.Highs()  # type: ignore[no-untyped-call]
        self.program.setOptionValue("output_flag", False)
        self.program.setOptionValue("threads", 1)
        self.rows = self.columns = self.priced = 0
        self.dearest: list[float] = []
        self.place_of: dict[tuple[int, int], int] = {}
        self._lay_rows()
        first = [
            (int(c), ALONE)
            for i in self.layers
            if self.partners[i, i]
            for c in np.linspace(choices.begin[i], choices.begin[i + 1] - 1, FIRST_CHOICES)
        ]
        self._add_columns(first)

    def _lay_rows(self) -> None:
        """Add the rows of layers and of the limits on crossbars and power."""
        tables, choices, node = self.tables, self.choices, self.node
        drawn = drawn_in(tables, choices, node)
        of_steps = node.steps_low / self.target
        self.fixed = fixed_costs(tables, node)[0] / self.target + drawn.fixed * of_steps
        self.cost = Use(
            choice=choices.energy / self.target + drawn.use.choice * of_steps,
            conversion=drawn.use.conversion * of_steps,
            macro=drawn.use.macro * of_steps,
        )
        # One column is how late the image is through, of all that the node allows.
        self.late = (node.steps_high - node.steps_low) / node.steps_high
        self.late_cost = drawn.least * (node.steps_high - node.steps_low) / self.target
        self.late_place = self._put_column(self.late_cost, np.empty(0, np.int32), np.empty(0))
        self.program.changeColBounds(self.late_place, 0.0, 1.0)
        saving = savings_of(tables, node)
        self.one = np.full(len(tables.kind), -1)
        for i in self.layers:
            self.one[i] = self._put_row(1.0, 1.0, np.empty(0, np.int32), np.empty(0))
            if not self.partners[i, i]:
                self._put_column(self.over, self.one[[i]], np.ones(1))
        self._limit_later_leaks(drawn)
        power = tables.scalars[POWER]
        self._limit_power(choices.power, power, saving)
        if not tables.rules.whole_parts:
            self._limit(Use(choice=choices.crossbars / (power * self.node.ratio_high)), 1.0)
            peripheral = power * (1 - self.node.ratio_low) * rounding_up(tables, self.node)
            self._limit_power(choices.power - choices.crossbars, peripheral, saving)

    def _limit_later_leaks(self, drawn: Drawn) -> None:
        """Let what leaks until the end cost as much at least as it does in the latest image.

        A design that is worth anything leaks no more in a step than the target pays for in the
        fewest steps. With `most` of that, and all `later` steps, it leaks from then on at least
        its own share of all later steps, less `most` in those by which it is through before.
        """
        energy, layer_of = self.choices.energy, layers_of(self.choices)
        least = np.full(len(self.tables.kind), np.inf)
        np.minimum.at(least, layer_of, energy)
        spent = fixed_costs(self.tables, self.node)[0] + least[self.layers].sum()
        later = (self.node.steps_high - self.node.steps_low) / self.target
        if later == 0.0:
            return
        most = max((self.target - spent) / self.node.steps_low, drawn.least)
        use = Use(
            choice=drawn.use.choice * later,
            conversion=drawn.use.conversion * later,
            macro=drawn.use.macro * later,
        )
        high = (most - drawn.fixed) * later
        self._limit(use, high, (drawn.least - most) * later, 1.0)

    def _limit_power(self, watts: Floats, power: float, saving: Savings) -> None:
        """Limit watts of choices, less what sharing saves; the mesh takes its part."""
        use = Use(
            choice=watts / power,
            conversion=saving.conversion_peak / power,
            macro=saving.macro_peak / power,
        )
        self._limit(use, 1.0 - self.tables.scalars[NOC_POWER] / power)

    def _put_row(self, low: float, high: float, index: Ints, values: Floats) -> int:
        self.program.addRow(low, high, len(index), index.astype(np.int32), values)
        self.rows += 1
        self.dearest.append(self.over)
        return self.rows - 1

    def _put_column(self, cost: float, index: Ints, values: Floats) -> int:
        self.program.addCol(cost, 0.0, UNLIMITED, len(index), index.astype(np.int32), values)
        self.columns += 1
        return self.columns - 1

    def _limit(self, use: Use, high: float, late: float = 0.0, over: float | None = None) -> None:
        """Add a limited quantity: a row, and a column that lets it be exceeded at a price.

        late: by how much the limit is higher where the image is through as late as it may
        over: the price of exceeding it by 1; None: that of all limits
        """
        index = np.append(self.limits.places, self.late_place)
        row = self._put_row(-UNLIMITED, high, index, np.append(self.limits.used(use), -late))
        self.limits.add(use, row, high, late)
        self.dearest[row] = self.over if over is None else over
        self._put_column(self.dearest[row], np.array([row]), -np.ones(1))

    def _add_columns(self, made: list[tuple[int, int]]) -> None:
        """Add columns: a choice and that of its partner, or ALONE."""
        fresh = [pair for pair in dict.fromkeys(made) if pair not in self.place_of]
        if not fresh:
            return
        c, d = np.array(fresh, np.int64).T
        costs = self.limits.used_by(self.cost, c, d)
        rows, used = self.limits.all_used_by(c, d)
        for n, (own, partner) in enumerate(fresh):
            both = [own] if partner == ALONE else [own, partner]
            index = np.concatenate((self.one[self.limits.layer_of[both]], rows))
            values = np.concatenate((np.ones(len(both)), used[:, n]))
            self.place_of[own, partner] = self._put_column(costs[n], index, values)
            self.limits.put_column(own, partner, self.columns - 1)

    def add_path(self, cut: Cut) -> None:
        """Limit the steps of a path."""
        path = path_of(self.tables, self.node, self.choices, cut)
        late = self.late if cut.one < 0 else 0.0
        self._limit(path.use, path.high - late, late)

    def solve(self) -> bool:
        """Add columns until the bound is close to the program's value; return if it met the target.

        `mixed` is then the solution of the program.
        """
        best = None
        for _ in range(MOST_TURNS):
            self.priced += len(self.choices.macros) + PER_LIMIT * self.rows
            self.program.run()
            if self.program.getModelStatus() != highspy.HighsModelStatus.kOptimal:
                break
            duals = np.array(self.program.getSolution().row_dual)
            paid = np.where(self.one < 0, 0.0, duals[self.one])
            duals = np.clip(duals, -np.array(self.dearest), 0.0)
            prices = self._prices(duals)
            found = cheapest(self.choices, self.groups, self.turns, prices, paid)
            gain = gains(found, paid, self.partners)
            value = paid.sum() + (duals[self.limits.rows] * self.limits.highs).sum()
            value += min(0.0, self.late_cost + (duals[self.limits.rows] * self.limits.lates).sum())
            # Both layers of a pair give way by half of what it gains, a layer alone by all.
            halved = np.minimum(gain, gain.T) / (2 - np.eye(len(paid)))
            given = np.minimum(0.0, halved.min(axis=1))
            bound = (self.fixed + value + given.sum()) * self.target * (1 - SAFETY)
            if best is None or bound > best[2]:
                best = prices, paid, bound
            self.bound = max(self.bound, bound)
            if self.bound >= self.target or given.sum() > -CLOSE:
                break
            better = np.argwhere(gain < -CLOSE / len(paid) / 4)
            self._add_columns(
                [(int(found.first[i, j]), int(found.second[i, j])) for i, j in better]
            )
        self._note_mixture()
        if best is not None:
            prices, paid, bound = best
            spare = 1 - bound / self.target
            self.kept &= useful(self.choices, prices, paid, spare, self.partners)
        return bool(self.bound >= self.target)

    def _note_mixture(self) -> None:
        """Keep the solution."""
        values = np.array(self.program.getSolution().col_value)
        c, d, places = self.limits.columns()
        kept = values[places] > 0.0
        self.mixed = Mixed(
            self.tables, self.node, self.choices, self.turns, c[kept], d[kept], values[places][kept]
        )
        self.mixed.early = (1 - values[self.late_place]) * self.late

    def _prices(self, duals: Floats) -> Prices:
        """Return what columns cost at the prices of the limits."""
        total = self.limits.total(duals)
        cost = self.cost
        pair, turn = np.zeros((2, len(self.tables.kind), len(self.tables.kind)))
        for (i, j), fixed, steps in total.pairs:
            pair[i, j] -= fixed
            turn[i, j] -= steps
        return Prices(
            cost.choice - total.choice,
            -total.spared,
            cost.conversion - total.conversion,
            cost.macro - total.macro,
            np.where(self.partners, pair + pair.T, np.inf),
            turn + turn.T,
        )
