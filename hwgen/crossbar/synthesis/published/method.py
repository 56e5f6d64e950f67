"""What is searched, and by which of the published methods."""

from dataclasses import dataclass, replace
from typing import Literal

from hwgen.crossbar.facts.components import Components
from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.point import RRAM_RATIOS, Point, points
from hwgen.crossbar.facts.rules import PUBLISHED, Rules
from hwgen.crossbar.model.tables import Tables, make_tables
from hwgen.crossbar.synthesis.published.annealing import ALPHA, CODE_CHAINS, TEXT_CANDIDATES
from hwgen.crossbar.synthesis.published.duplication import Variant
from hwgen.crossbar.synthesis.published.evolution import GENERATIONS, POPULATION
from hwgen.crossbar.synthesis.published.genes import Macros

Duplication = Literal["none", "proportional", "annealing"]

TEXT_LEAST = 200
"""Genes that a candidate of the text is worth: with fewer for each, fewer candidates are taken."""

CONFIRMED = 4
"""Genes of a task that are judged exactly, where the others are judged by the closed form."""


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
