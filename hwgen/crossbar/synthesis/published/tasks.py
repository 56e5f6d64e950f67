"""The pieces of a published search: pure functions of a description that can be sent elsewhere.

An `AnnealingTask` finds the weight duplications of one RatioRram, ResRram and XbSize; a
`PartitionTask` searches the macros of one of them at one ResDAC. What a task draws at random
depends on the seed and its place alone, so any number of workers finds the same.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from hwgen.crossbar.facts.point import Point
from hwgen.crossbar.model.allocate import FEASIBLE
from hwgen.crossbar.model.design import Design
from hwgen.crossbar.model.evaluate import Cost, evaluate, evaluate_identical
from hwgen.crossbar.model.tables import Tables
from hwgen.crossbar.synthesis.published.annealing import anneal, generator
from hwgen.crossbar.synthesis.published.duplication import copies_problem, proportional, single
from hwgen.crossbar.synthesis.published.evolution import Evolution
from hwgen.crossbar.synthesis.published.genes import Gene, Space, design_of, make_space
from hwgen.crossbar.synthesis.published.method import CONFIRMED, Problem, PublishedSearch

Copies = tuple[int, ...]
"""WtDup of each convolution."""

ANNEALING, PARTITION = range(2)
"""First number of the place of a task's random numbers."""


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
