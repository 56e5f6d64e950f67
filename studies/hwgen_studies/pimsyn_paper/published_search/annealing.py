"""How often each layer's weights are held: the problem of Eq. 2, and how it is answered.

Simulated annealing (seed 003, section IV-A; shared sheet, section 7.1), and two answers without a
search. Only convolutions are held more than once; fully connected layers get their one copy first.
"""

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.random import PCG64, Generator, SeedSequence

from hwgen.chip.compiled import compiled
from hwgen.crossbar.model.tables import ADC, CONV, FC, PEAK, POWER, Floats, Ints, Tables

Variant = Literal["text", "code"]
"""The published search as the paper's text says it, or as the published code does it."""

TEXT_CANDIDATES = 30
CODE_CHAINS = 10
"""Candidates that the text hands on, and those that the code does: one from each chain."""

START_AT_MOST = 1e4
COOLEST = 1e-3
COOLING = 0.95
ITERATIONS = 100
"""Highest energy that the first temperature looks at, last temperature as a part of the first,
factor from one to the next, and moves at each: 13,500 moves a chain."""

ROOM_PART = 0.2
TRIES = 100
MONOTONY = 0.6
"""Part of its room that a layer may gain beyond the free crossbars; tries to get back into the
budget; least copies of a layer, as a part of those of the next one (code)."""

ALPHA = 0.0002
"""Weight of the access volume in Eq. 4, which the seed calls empirical without saying it.

Of 0.1, which the code has for an energy that it does not use, and five values from 0.01 to 0.0001
it was chosen in favour of the text: with 20,000 evaluations AlexNet reaches 670 and 675 GOPS/W by
two seeds, 644 and 643 with 0.001. On the other networks the seed matters more than these two.
"""


class CopiesProblem(NamedTuple):
    """Eq. 2 for the convolutions of a network, in their order; all arrays are over them.

    layer: place in the network
    sets: crossbars of one copy of the weights (Eq. 1)
    pixels: WoHo, output positions
    volume: elements that one copy reads and writes for a position (Eq. 4), WkWkCi + Co
    budget: crossbars, those of fully connected layers taken off; negative: not even those fit
    below, above: how far the crossbars in use may be from the budget
    """

    layer: Ints
    sets: Ints
    pixels: Ints
    volume: Floats
    budget: int
    below: float
    above: float


def copies_problem(
    tables: Tables, ratio: float, variant: Variant, *, audited: bool
) -> CopiesProblem:
    """Return the problem at one RatioRram (Eq. 3).

    text: at most the budget is used, as Eq. 2 says.
    code: up to a mean set more or less than the budget is used (shared sheet, section 3).
    audited: so many crossbars are left out that the whole chip keeps to the power budget
    """
    layer = np.flatnonzero(tables.kind == CONV)
    sets = tables.crossbars[layer]
    slack = window_of(tables, variant)
    spare = reserve_w(tables, variant) if audited else 0.0
    crossbars = math.floor((tables.scalars[POWER] * ratio - spare) / tables.crossbar[PEAK])
    return CopiesProblem(
        layer=layer,
        sets=sets,
        pixels=tables.pixels[layer],
        volume=(tables.rows[layer] + tables.cout[layer]).astype(float),
        budget=crossbars - int(tables.crossbars[tables.kind == FC].sum()),
        below=slack if variant == "code" else math.inf,
        above=slack,
    )


def window_of(tables: Tables, variant: Variant) -> float:
    """Return how many crossbars the variant may be off the budget; code: those of a mean set."""
    sets = tables.crossbars[tables.kind == CONV]
    return float(sets.mean()) if len(sets) and variant == "code" else 0.0


def reserve_w(tables: Tables, variant: Variant) -> float:
    """Return the power that crossbars must leave for the whole chip to keep to its budget.

    Strict rules need none: they round before they look at the budget.
    """
    if tables.rules.whole_parts:
        return 0.0
    return rounding_w(tables) + window_of(tables, variant) * float(tables.crossbar[PEAK])


def rounding_w(tables: Tables) -> float:
    """Return the most that rounding up the counts of components adds, in W.

    Eq. 6 spends the whole budget of the components, and each count may then grow by almost one.
    """
    bought = tables.work[:, ADC:] > 0
    return float((bought * tables.parts[ADC:, PEAK]).sum())


def holds_weights(problem: CopiesProblem, variant: Variant) -> bool:
    """Return whether one copy of all weights fits; the code wants a crossbar to be left over."""
    least = int(problem.sets.sum())
    if variant == "code" and len(problem.sets):
        return least < problem.budget
    return least <= problem.budget


@compiled
def used_by(problem: CopiesProblem, copies: Ints) -> int:
    """Return the crossbars in use."""
    used = 0
    for i in range(len(copies)):
        used += copies[i] * problem.sets[i]
    return used


def single(problem: CopiesProblem) -> Ints:
    """Return one copy for each layer: no duplication at all (seed 003, Fig. 7)."""
    return np.ones(len(problem.sets), dtype=np.int64)


def proportional(problem: CopiesProblem) -> Ints:
    """Return copies in proportion to WoHo, the heuristic of ISAAC and PipeLayer (Fig. 7).

    Each layer's share of the crossbars goes by WoHo * set, so its copies go by WoHo; rounding up
    takes too many, and the layers lose one copy in turn until what is left is near the budget.
    """
    weight = problem.sets * problem.pixels
    total = max(1, int(weight.sum()))
    shares = -(-problem.budget * weight // (total * problem.sets))
    copies: Ints = np.minimum(np.maximum(shares, 1), problem.pixels)
    over = used_by(problem, copies) - problem.budget
    while over > problem.above and (copies > 1).any():
        for i in np.flatnonzero(copies > 1):
            if over > problem.above:
                copies[i] -= 1
                over -= int(problem.sets[i])
    return copies


class Kept(NamedTuple):
    """Different states with the lowest energies met, in no order; infinite where none is yet."""

    copies: Ints
    energy: Floats


@compiled
def deviation(count: int, total: float, squares: float) -> float:
    """Return the sample standard deviation of values from their sums; of a single value 0."""
    if count < 2:
        return 0.0
    return float(np.sqrt(max(0.0, squares - total * total / count) / (count - 1)))


@compiled
def text_energy(problem: CopiesProblem, copies: Ints, alpha: float) -> float:
    """Return EnergySA of Eq. 4."""
    steps, steps_squared, access, access_squared = 0.0, 0.0, 0.0, 0.0
    for i in range(len(copies)):
        step = problem.pixels[i] / copies[i]
        volume = copies[i] * problem.volume[i]
        steps += step
        steps_squared += step * step
        access += volume
        access_squared += volume * volume
    spread = deviation(len(copies), access, access_squared)
    return deviation(len(copies), steps, steps_squared) + alpha * spread


@compiled
def code_energy(problem: CopiesProblem, copies: Ints) -> float:
    """Return the most computation blocks of a layer; infinite if copies grow too fast.

    Neither a deviation nor an access volume: what the code runs with by default.
    """
    most = 0
    for i in range(len(copies)):
        most = max(most, -(-problem.pixels[i] // copies[i]))
        if i + 1 < len(copies) and copies[i] < MONOTONY * copies[i + 1]:
            return np.inf
    return float(most)


@compiled
def energy_of(problem: CopiesProblem, copies: Ints, text: bool, alpha: float) -> float:
    """Return the energy of the variant."""
    if text:
        return text_energy(problem, copies, alpha)
    return code_energy(problem, copies)


@compiled
def move(problem: CopiesProblem, copies: Ints, rng: Generator) -> bool:
    """Give one layer what is free and some more, take from others until it fits; False: it fails.

    Room is what a layer lacks to one copy for each output position.
    """
    layer = rng.integers(0, len(copies))
    room = problem.pixels[layer] - copies[layer]
    if room < 1:
        return False
    over = used_by(problem, copies) - problem.budget
    least = max(1, -(over // problem.sets[layer]))
    gain = min(room, rng.integers(least, least + int(ROOM_PART * room) + 1))
    copies[layer] += gain
    over += gain * problem.sets[layer]
    for _ in range(TRIES):
        if -problem.below <= over <= problem.above:
            return True
        other = rng.integers(0, len(copies))
        most = min(copies[other] - 1, -(-over // problem.sets[other]))
        if other != layer and most > 0:
            loss = rng.integers(1, most + 1)
            copies[other] -= loss
            over -= loss * problem.sets[other]
    return bool(-problem.below <= over <= problem.above)


@compiled
def keep(kept: Kept, copies: Ints, energy: float) -> None:
    """Take a state in place of the worst, if it is better than that and not there yet."""
    worst = int(np.argmax(kept.energy))
    if energy >= kept.energy[worst]:
        return
    for k in range(len(kept.energy)):
        if kept.energy[k] == energy and (kept.copies[k] == copies).all():
            return
    kept.copies[worst] = copies
    kept.energy[worst] = energy


@compiled
def chain(
    problem: CopiesProblem, start: Ints, text: bool, alpha: float, rng: Generator, kept: Kept
) -> Ints:
    """Anneal from a start and return the final state; all that is met may enter `kept`."""
    copies = start.copy()
    fresh = start.copy()
    energy = energy_of(problem, copies, text, alpha)
    keep(kept, copies, energy)
    first = 10.0 ** np.floor(np.log10(min(max(energy, 1.0), START_AT_MOST)))
    temperature = first
    while temperature > first * COOLEST:
        for _ in range(ITERATIONS):
            fresh[:] = copies
            if not move(problem, fresh, rng):
                continue
            its_energy = energy_of(problem, fresh, text, alpha)
            worse = its_energy - energy
            # From an infinite energy every move is taken: both may be infinite, worse is NaN then.
            if energy < np.inf and worse > 0 and rng.random() >= np.exp(-worse / temperature):
                continue
            copies[:] = fresh
            energy = its_energy
            keep(kept, copies, energy)
        temperature *= COOLING
    return copies


def generator(seed: int, *place: int) -> Generator:
    """Return the random numbers of one task: they depend on the seed and its place alone."""
    return Generator(PCG64(SeedSequence(entropy=seed, spawn_key=place)))


def anneal(
    problem: CopiesProblem,
    variant: Variant,
    *,
    candidates: int,
    seed: int,
    place: tuple[int, ...],
    alpha: float = ALPHA,
) -> list[Ints]:
    """Return candidates for the weight duplication, the most promising first.

    text: the different states with the lowest energies that ten chains met, maybe fewer.
    code: the final state of each of as many chains as candidates, good or not, equal or not.

    Args:
        problem: at one RatioRram, ResRram and XbSize
        variant: says the energy, and what is handed on
        candidates: that are wanted, at most
        seed: of the random numbers
        place: of them, another for each problem
        alpha: of Eq. 4

    """
    start = proportional(problem)
    if len(start) == 0:
        return [start]
    text = variant == "text"
    size = candidates if text else 1
    kept = Kept(np.zeros((size, len(start)), np.int64), np.full(size, np.inf))
    final = [
        chain(problem, start, text, alpha, generator(seed, *place, number), kept)
        for number in range(CODE_CHAINS if text else candidates)
    ]
    if not text:
        return final
    order = np.lexsort((*kept.copies.T[::-1], kept.energy))
    return [kept.copies[k] for k in order if np.isfinite(kept.energy[k])]
