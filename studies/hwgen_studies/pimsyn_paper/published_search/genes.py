"""Genes of macro partitioning: what they mean, the rules they obey, how they change and evolve.

A gene has a number for each layer with weights, convolutions first: owner * 1000 + macros (seed
003, section IV-C2). The owner is the layer's own place in the gene, from 1, or that of the earlier
layer whose macros it shares; a pair then lives in the macros of both.

The rules (section IV-C1): a layer has one macro or more; at most two layers share; a layer is
split over at most WtDup * RT macros, which for a pair holds of the sum, for both layers.

The evolutionary search is Alg. 2 (shared sheet, section 7.2).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.random import Generator

from hwgen.crossbar.model.design import Design
from hwgen.crossbar.model.tables import ADC, CONV, FC, Ints, Tables
from hwgen_studies.pimsyn_paper.published_search.annealing import Variant

Gene = tuple[int, ...]
Macros = Literal["specialized", "identical"]
"""Whether each layer has macros of its own, or all macros hold equally many crossbars."""

BASE = 1000
"""Macros of a layer are fewer."""

SIZE_STEP, LARGEST_SIZE = 32, 512
"""Crossbars of a macro, when all are equal: multiples of 32, up to 512."""

POPULATION = 40
GENERATIONS = 200
ELITE_RATIO = 0.7
"""Of a next population, the part that are the best; the others are drawn from the rest."""

SHARE_PROBABILITY = 0.4
"""Of a mutation; otherwise the number of macros changes."""

Fitness = Callable[[Gene], float]
Scored = tuple[float, Gene]


@dataclass(frozen=True, eq=False)
class Space:
    """What genes may be for one weight duplication.

    layers: places in the network of the genes' layers
    copies: WtDup of each of them
    limits: most macros of each
    choices: for specialized macros, the numbers that each may have, rising
    firsts, others: for identical macros, by size, the number of each layer in a first gene and
        after a mutation: the published code has two formulas
    """

    layers: tuple[int, ...]
    copies: Ints
    limits: tuple[int, ...]
    choices: tuple[tuple[int, ...], ...]
    firsts: tuple[tuple[int, ...], ...]
    others: tuple[tuple[int, ...], ...]


def make_space(tables: Tables, conv_copies: Ints, macros: Macros) -> Space:
    """Return the genes of one weight duplication (shared sheet, section 7.2)."""
    convs, dense = np.flatnonzero(tables.kind == CONV), np.flatnonzero(tables.kind == FC)
    layers = np.concatenate([convs, dense])
    copies = np.concatenate([conv_copies, np.ones(len(dense), np.int64)])
    tiles = tables.row_tiles[layers]
    limits = tuple(int(each) for each in np.minimum(copies * tiles, BASE - 1))
    choices: tuple[tuple[int, ...], ...] = ()
    firsts: tuple[tuple[int, ...], ...] = ()
    others: tuple[tuple[int, ...], ...] = ()
    if macros == "specialized":
        choices = tuple(
            products(int(rows), int(each)) for rows, each in zip(tiles, copies, strict=True)
        )
    else:
        columns = tables.column_tiles[layers] * tables.slices
        sizes = macro_sizes(int(columns.max()))
        ceilings = np.array(limits)
        per_macro = [-(-size // columns) for size in sizes]
        firsts = tuple(
            tuple(np.minimum(-(-copies * tiles // each), ceilings).tolist()) for each in per_macro
        )
        others = tuple(
            tuple(np.minimum(-(-copies * tiles * columns // size), ceilings).tolist())
            for size in sizes
        )
    return Space(tuple(layers.tolist()), copies, limits, choices, firsts, others)


def products(rows: int, copies: int) -> tuple[int, ...]:
    """Return every a * b below 1000 where a divides the row tiles and b the copies."""
    by_rows = [a for a in range(1, rows + 1) if rows % a == 0]
    by_copies = [b for b in range(1, copies + 1) if copies % b == 0]
    return tuple(sorted({a * b for a in by_rows for b in by_copies if a * b < BASE}))


def macro_sizes(least: int) -> list[int]:
    """Return the crossbars that a macro may have; `least`: of one row tile of the widest layer."""
    smallest = max(SIZE_STEP, -(-least // SIZE_STEP) * SIZE_STEP)
    return [*range(smallest, LARGEST_SIZE + 1, SIZE_STEP)] or [smallest]


def join(owners: list[int], macros: list[int]) -> Gene:
    """Return the gene of owners (places from 0) and numbers of macros."""
    return tuple((o + 1) * BASE + m for o, m in zip(owners, macros, strict=True))


def split(gene: Gene) -> tuple[list[int], list[int]]:
    """Return owners (places from 0) and numbers of macros."""
    return [each // BASE - 1 for each in gene], [each % BASE for each in gene]


def partners(owners: list[int]) -> list[int]:
    """Return the place of the layer that each shares with, or -1."""
    found = [-1] * len(owners)
    for i, owner in enumerate(owners):
        if owner != i:
            found[i], found[owner] = owner, i
    return found


def obeys(space: Space, gene: Gene) -> bool:
    """Return whether a gene keeps all rules."""
    owners, macros = split(gene)
    if any(owner > i or owners[owner] != owner for i, owner in enumerate(owners)):
        return False
    for owner in set(owners):
        members = [i for i, each in enumerate(owners) if each == owner]
        if len(members) > 2 or sum(macros[i] for i in members) > limit(space, *members):
            return False
    return min(macros) >= 1


def limit(space: Space, *members: int) -> int:
    """Return the most macros of a layer, or of a pair together."""
    return min(space.limits[i] for i in members)


def first_gene(space: Space, rng: Generator) -> Gene:
    """Return a random gene of a first population; nothing is shared yet."""
    if space.firsts:
        macros = [*space.firsts[rng.integers(len(space.firsts))]]
    else:
        macros = [each[rng.integers(len(each))] for each in space.choices]
    return join([*range(len(macros))], macros)


def mutate_num(space: Space, gene: Gene, rng: Generator) -> Gene:
    """Return a child in which one layer has another number of macros.

    Identical macros: all are of another size; a pair that no longer fits together is dissolved.
    """
    owners, macros = split(gene)
    partner = partners(owners)
    if space.others:
        macros = [*space.others[rng.integers(len(space.others))]]
        for i, owner in enumerate(owners):
            if owner != i and macros[i] + macros[owner] > limit(space, i, owner):
                owners[i] = i
        return join(owners, macros)
    i = int(rng.integers(len(gene)))
    most = limit(space, i)
    if partner[i] >= 0:
        most = limit(space, i, partner[i]) - macros[partner[i]]
    allowed = [each for each in space.choices[i] if each <= most and each != macros[i]]
    if allowed:
        macros[i] = allowed[rng.integers(len(allowed))]
    return join(owners, macros)


def mutate_share(space: Space, gene: Gene, rng: Generator) -> Gene:
    """Return a child in which one layer shares if it did not, or no longer does.

    Specialized layers whose macros are too many for a pair get fewer; identical ones do not pair.
    """
    owners, macros = split(gene)
    partner = partners(owners)
    i = int(rng.integers(len(gene)))
    if partner[i] >= 0:
        owners[i], owners[partner[i]] = i, partner[i]
        return join(owners, macros)
    free = [
        j
        for j in range(len(gene))
        if j != i and partner[j] < 0 and limit(space, i, j) >= least_sum(space, macros, i, j)
    ]
    if not free:
        return gene
    j = free[rng.integers(len(free))]
    most = limit(space, i, j)
    if macros[i] + macros[j] > most:
        macros[i] = pick(space.choices[i], most - 1, rng)
        macros[j] = pick(space.choices[j], most - macros[i], rng)
    owners[max(i, j)] = min(i, j)
    return join(owners, macros)


def least_sum(space: Space, macros: list[int], i: int, j: int) -> int:
    """Return the fewest macros that a pair can have."""
    return 2 if space.choices else macros[i] + macros[j]


def pick(choices: tuple[int, ...], most: int, rng: Generator) -> int:
    """Return a random choice of at most `most`."""
    allowed = [each for each in choices if each <= most]
    return allowed[rng.integers(len(allowed))]


def design_of(tables: Tables, space: Space, gene: Gene) -> Design:
    """Return the design that a gene stands for; a pair's macros belong to its earlier layer."""
    count = len(tables.kind)
    copies, macros, clocks = (np.ones(count, np.int64) for _ in range(3))
    partner = np.full(count, -1, np.int64)
    owners, numbers = split(gene)
    copies[[*space.layers]] = space.copies
    macros[[*space.layers]] = numbers
    for i, owner in enumerate(owners):
        if owner != i:
            one, two = sorted((space.layers[i], space.layers[owner]))
            partner[one], partner[two] = two, one
            macros[one], macros[two] = numbers[i] + numbers[owner], 0
    if tables.rules.used_columns:
        clocks = dense_clocks(tables, copies)
    return Design(copies, macros, partner, clocks)


def dense_clocks(tables: Tables, copies: Ints) -> Ints:
    """Return the clocks of a bit step: so many that no fully connected layer needs more ADCs.

    For strict rules, which the seed does not know: the fewest with which a fully connected layer
    converts at most as much in a step as the convolution that converts most.
    """
    work = tables.work[:, ADC] * copies
    convs, dense = tables.kind == CONV, tables.kind == FC
    clocks = np.ones(len(work), np.int64)
    if convs.any():
        clocks[dense] = np.ceil(work[dense] / work[convs].max())
    return clocks


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
