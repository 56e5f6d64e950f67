"""What is searched, by which method, and the pieces of it: pure functions that any host can do.

An `AnnealingTask` finds the weight duplications of one RatioRram, ResRram and XbSize; a
`PartitionTask` searches the macros of one of them at one ResDAC. What a task draws at random
depends on the seed and its place alone, so any number of workers finds the same.
"""

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from hwgen.crossbar.facts.components import Components
from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.point import RRAM_RATIOS, Point, points
from hwgen.crossbar.facts.rules import PUBLISHED, Rules
from hwgen.crossbar.model.allocate import FEASIBLE
from hwgen.crossbar.model.design import Design
from hwgen.crossbar.model.evaluate import Cost, evaluate, evaluate_identical
from hwgen.crossbar.model.tables import Tables, make_tables
from hwgen_studies.pimsyn_paper.published_search.annealing import (
    ALPHA,
    CODE_CHAINS,
    TEXT_CANDIDATES,
    Variant,
    anneal,
    copies_problem,
    generator,
    proportional,
    single,
)
from hwgen_studies.pimsyn_paper.published_search.genes import (
    GENERATIONS,
    POPULATION,
    Evolution,
    Gene,
    Macros,
    Space,
    design_of,
    make_space,
)

Duplication = Literal["none", "proportional", "annealing"]

TEXT_LEAST = 200
"""Genes that a candidate of the text is worth: with fewer for each, fewer candidates are taken."""

CONFIRMED = 4
"""Genes of a task that are judged exactly, where the others are judged by the closed form."""

Copies = tuple[int, ...]
"""WtDup of each convolution."""

ANNEALING, PARTITION = range(2)
"""First number of the place of a task's random numbers."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What an accelerator is wanted for.

    ratios: RatioRram that are tried. Strict rules do not split the budget in advance, but the
        published search needs Eq. 3 all the same; its designs are then judged without a ratio.
    """

    network: CrossbarNetwork
    components: Components
    power_w: float
    rules: Rules
    ratios: tuple[float, ...] = RRAM_RATIOS

    def points(self) -> list[Point]:
        """Return the outer loop, in the published order."""
        return points(self.components, PUBLISHED, self.ratios)

    def judged_at(self, point: Point) -> Point:
        """Return the point at which designs of a point of the outer loop are judged."""
        return replace(point, rram_ratio=None) if self.rules.whole_parts else point

    def tables(self, point: Point) -> Tables:
        """Return the arrays for judging designs at a point of the outer loop."""
        place = self.judged_at(point)
        return make_tables(self.network, self.components, place, self.power_w, self.rules)


@dataclass(frozen=True, kw_only=True)
class PublishedSearch:
    """Which published search: the whole one, or one of its ablations (seed 003, Figs. 7 to 9).

    variant: as the paper's text says, or as the published code does
    duplication: one copy of each layer; in proportion to WoHo; or annealed
    macros: specialized for each layer, or identical
    sharing: whether two layers may share macros; the code never gets that far
    exact: whether genes are judged by the exact simulation, as published, or by the closed form,
        with the best of a task confirmed
    audited: whether designs must keep to the power budget, rounding included; else a few more
        crossbars and components are used, and what looks best may be above the budget, as published
    equal: whether each weight duplication has as many evaluations as each of the whole search, so
        that an ablation with one of them does not search longer for its macros
    alpha: of Eq. 4
    """

    variant: Variant
    duplication: Duplication = "annealing"
    macros: Macros = "specialized"
    sharing: bool = True
    exact: bool = True
    audited: bool = True
    equal: bool = False
    alpha: float = ALPHA

    def evaluations_at_a_point(self) -> int:
        """Return the genes that the published settings judge at a point of the outer loop."""
        if self.variant == "code":
            return self.most_candidates() * POPULATION
        return self.most_candidates() * POPULATION * (1 + GENERATIONS)

    def most_candidates(self) -> int:
        """Return the published number of weight duplications at a point."""
        if self.duplication != "annealing":
            return 1
        return CODE_CHAINS if self.variant == "code" else TEXT_CANDIDATES

    def candidates(self, evaluations: int) -> int:
        """Return the weight duplications that so many evaluations at a point are spread over.

        text: at most the published 30, of 200 genes or more; a larger budget buys generations.
        code: of 40 genes each; a larger budget buys more chains, since nothing else would help.
        """
        return self.whole(evaluations) if self.duplication == "annealing" else 1

    def whole(self, evaluations: int) -> int:
        """Return the weight duplications that the whole search spreads its evaluations over."""
        if self.variant == "code":
            return max(1, -(-evaluations // POPULATION))
        return min(TEXT_CANDIDATES, max(1, evaluations // TEXT_LEAST))

    def split(self, evaluations: int, candidates: int) -> list[int]:
        """Return the evaluations of each candidate; their sum is all of them, unless `equal`."""
        if self.equal:
            return even(evaluations, self.whole(evaluations))[:candidates]
        if self.variant == "text" or candidates == 1:
            return even(evaluations, candidates)
        full, rest = divmod(evaluations, POPULATION)
        return ([POPULATION] * full + [rest] * (rest > 0))[:candidates]


def even(total: int, parts: int) -> list[int]:
    """Return a total in equal parts; the first are larger by one where it does not divide."""
    share, rest = divmod(total, parts)
    return [share + (part < rest) for part in range(parts)]


@dataclass(frozen=True, kw_only=True)
class AnnealingTask:
    """Find weight duplications at a point; `place`: of the first point with the same crossbars."""

    problem: Problem
    method: PublishedSearch
    point: Point
    place: int
    candidates: int
    seed: int


@dataclass(frozen=True, kw_only=True)
class PartitionTask:
    """Search the macros of one weight duplication at a point.

    place: of the point in the outer loop; candidate: number of the weight duplication there
    copies: the weight duplication
    first_copies: that of the point's first candidate
    evaluations: genes to judge, those that are confirmed included
    """

    problem: Problem
    method: PublishedSearch
    point: Point
    place: int
    candidate: int
    copies: Copies
    first_copies: Copies
    evaluations: int
    seed: int


@dataclass(frozen=True, kw_only=True)
class Winner:
    """A design and how it was found.

    point: at which it is judged; ratio: RatioRram that Eq. 3 was solved with
    cost: by the exact simulation
    """

    point: Point
    ratio: float
    gene: Gene
    design: Design
    cost: Cost


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a partition task found.

    best: within the power budget, rounding included, and with scratchpads of the right size
    claimed: the best by efficiency alone, which is all that the published code looks at; only
        where every gene is judged exactly
    evaluations: of the closed form and of the exact simulation together
    steps: (evaluations, efficiency) at each improvement of `best`
    """

    best: Winner | None
    claimed: Winner | None
    evaluations: int
    exact_evaluations: int
    steps: tuple[tuple[int, float], ...]


def run_annealing(task: AnnealingTask) -> list[Copies]:
    """Return the weight duplications that macros are searched for, at least one."""
    variant = task.method.variant
    problem = copies_problem(
        task.problem.tables(task.point),
        task.point.rram_ratio or 0.0,
        variant,
        audited=task.method.audited,
    )
    if task.method.duplication == "none":
        found = [single(problem)]
    elif task.method.duplication == "proportional":
        found = [proportional(problem)]
    else:
        found = anneal(
            problem,
            variant,
            candidates=task.candidates,
            seed=task.seed,
            place=(ANNEALING, task.place),
            alpha=task.method.alpha,
        )
    return [tuple(each.tolist()) for each in found]


def run_partition(task: PartitionTask) -> Outcome:
    """Return the best macros that a task's evaluations find."""
    method = task.method
    tables = task.problem.tables(task.point)
    space = space_of(task, tables)
    exact = method.exact or task.evaluations < 2
    judge = Judge(task, tables, space, exact=exact)
    confirmed = 0 if exact else min(CONFIRMED, task.evaluations // 2)
    evolution = Evolution(
        variant=method.variant,
        sharing=method.sharing,
        evaluations=task.evaluations - confirmed,
    )
    evolution.run(space, judge, generator(task.seed, PARTITION, task.place, task.candidate))
    judge.confirm(confirmed)
    return judge.outcome()


def space_of(task: PartitionTask, tables: Tables) -> Space:
    """Return the genes of a task.

    The published code makes the list of numbers to draw from for the first candidate of a point,
    and draws those of all others from it too (shared sheet, section 8, 5).
    """
    space = make_space(tables, np.array(task.copies, np.int64), task.method.macros)
    if task.method.variant == "text" or task.copies == task.first_copies:
        return space
    first = make_space(tables, np.array(task.first_copies, np.int64), task.method.macros)
    return replace(space, choices=first.choices, limits=first.limits)


@dataclass
class Judge:
    """Counts and judges genes, and remembers the best; called by the evolution."""

    task: PartitionTask
    tables: Tables
    space: Space
    exact: bool = True
    evaluations: int = 0
    exact_evaluations: int = 0
    best: Winner | None = None
    claimed: Winner | None = None
    steps: list[tuple[int, float]] = field(default_factory=list)
    promising: dict[Gene, float] = field(default_factory=dict)

    def __call__(self, gene: Gene) -> float:
        """Return a gene's efficiency in GOPS/W, 0 if it cannot be built within the budget.

        Without an audit what breaks the budget by rounding counts too.
        """
        winner = self.judged(gene, exact=self.exact)
        cost = winner.cost
        if cost.failure != FEASIBLE:
            return 0.0
        sound = cost.converged and cost.peak_w <= self.task.problem.power_w
        if not self.exact:
            if sound:
                self.promise(gene, cost.efficiency)
        else:
            if cost.efficiency > efficiency(self.claimed):
                self.claimed = winner
            if sound and cost.efficiency > efficiency(self.best):
                self.best = winner
                self.steps.append((self.evaluations, cost.efficiency))
        return cost.efficiency if sound or not self.task.method.audited else 0.0

    def judged(self, gene: Gene, *, exact: bool) -> Winner:
        """Evaluate a gene, and count it."""
        self.evaluations += 1
        self.exact_evaluations += exact
        design = design_of(self.tables, self.space, gene)
        judge = evaluate_identical if self.task.method.macros == "identical" else evaluate
        return Winner(
            point=self.task.problem.judged_at(self.task.point),
            ratio=self.task.point.rram_ratio or 0.0,
            gene=gene,
            design=design,
            cost=judge(self.tables, design, exact),
        )

    def promise(self, gene: Gene, value: float) -> None:
        """Remember the few genes that the closed form likes best."""
        self.promising[gene] = value
        if len(self.promising) > CONFIRMED:
            del self.promising[min(self.promising, key=self.promising.__getitem__)]

    def confirm(self, count: int) -> None:
        """Judge the most promising genes exactly."""
        self.exact = True
        ranked = sorted(self.promising, key=lambda gene: -self.promising[gene])
        for gene in ranked[:count]:
            self(gene)

    def outcome(self) -> Outcome:
        """Return what was found."""
        claimed = self.claimed if self.task.method.exact else None
        return Outcome(
            best=self.best,
            claimed=claimed,
            evaluations=self.evaluations,
            exact_evaluations=self.exact_evaluations,
            steps=tuple(self.steps),
        )


def efficiency(winner: Winner | None) -> float:
    """Return GOPS/W, 0 for nobody."""
    return winner.cost.efficiency if winner else 0.0
