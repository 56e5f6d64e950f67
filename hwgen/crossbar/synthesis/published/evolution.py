"""The evolutionary search over macro partitions (seed 003, Alg. 2; shared sheet, section 7.2)."""

from collections.abc import Callable
from dataclasses import dataclass

from numpy.random import Generator

from hwgen.crossbar.synthesis.published.duplication import Variant
from hwgen.crossbar.synthesis.published.genes import (
    Gene,
    Space,
    first_gene,
    mutate_num,
    mutate_share,
)

POPULATION = 40
GENERATIONS = 200
ELITE_RATIO = 0.7
"""Of a next population, the part that are the best; the others are drawn from the rest."""

SHARE_PROBABILITY = 0.4
"""Of a mutation; otherwise the number of macros changes."""

Fitness = Callable[[Gene], float]
Scored = tuple[float, Gene]


@dataclass(frozen=True, kw_only=True)
class Evolution:
    """How an evolution goes.

    variant: text: children are judged and live. code: no child is ever judged, since none is put
        into the list of children, so the best of the first population is all it finds.
    sharing: whether two layers may share macros
    evaluations: genes that are judged, exactly
    """

    variant: Variant
    sharing: bool
    evaluations: int

    def run(self, space: Space, fitness: Fitness, rng: Generator) -> None:
        """Judge genes, by calls of `fitness`, which keeps what it likes."""
        left = self.evaluations
        size = left if self.variant == "code" else min(POPULATION, left)
        population = [judge(first_gene(space, rng), fitness) for _ in range(size)]
        left -= size
        while left > 0:
            parents = population[: min(left, len(population))]
            children = [judge(self.child(space, gene, rng), fitness) for _, gene in parents]
            left -= len(children)
            population = select(population + children, rng)

    def child(self, space: Space, gene: Gene, rng: Generator) -> Gene:
        """Return a mutation of a gene."""
        if self.sharing and rng.random() < SHARE_PROBABILITY:
            return mutate_share(space, gene, rng)
        return mutate_num(space, gene, rng)


def judge(gene: Gene, fitness: Fitness) -> Scored:
    """Return a gene with its fitness."""
    return fitness(gene), gene


def select(pool: list[Scored], rng: Generator) -> list[Scored]:
    """Return the next population: the elite, best first, and random ones of the rest."""
    size = min(POPULATION, len(pool))
    elite = round(ELITE_RATIO * size)
    ranked = sorted(pool, key=lambda scored: -scored[0])
    rest = ranked[elite:]
    drawn = rng.choice(len(rest), size - elite, replace=False)
    return ranked[:elite] + [rest[k] for k in drawn]
