"""Accuracy as a limit of a synthesis: measured for each choice of crossbars and converters.

A choice is a side, bits of a cell, of a DAC and of an ADC, which may be some below lossless, and
the step of the ADC: with as many bits a coarser step leaves a wider range. Of the steps the most
accurate one is kept, the finest of those alike. The accuracy of a choice is that of a plain chip of
the budget, the mean over seeds, each measured once and kept in the work folder. Of a choice whose
accuracy is too low with every step none with fewer bits is measured.
Copies err each in a way of its own, so a choice has as many as the plain chip, and a chip that a
search finds is measured again, as it is.

Tests: `tests/crossbar/pages/test_accuracy.py`.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from hwgen.chip.effects import DeviceEffects
from hwgen.chip.synthesis_request import Choice, ErringChips, LabelledImages, SynthesisRequest
from hwgen.crossbar.facts.buildable import with_buildable_adcs
from hwgen.crossbar.facts.components import Components
from hwgen.crossbar.facts.point import (
    Point,
    clipped,
    combinations,
    point_of,
    points,
    stepped,
    with_known_adcs,
)
from hwgen.crossbar.pages.problem import Problem
from hwgen.errors import ConfigError

if TYPE_CHECKING:
    from hwgen.crossbar.synthesis.result import Candidate

FAMILY = "crossbar"
DRAWN = ("variation", "drift", "stuck_at_zero", "stuck_at_full", "failed_writes")
"""Effects of cells that a seed draws."""

WITH_WEIGHTS = ("conv", "fc")
"""Kinds of layers that have copies which err."""

NORMAL = 1.96
"""Deviations of a normal draw within which 95 % of them are."""


@dataclass(frozen=True, kw_only=True)
class CopiedLayer:
    """What golden asks of a layer with weights: its copies."""

    copies: int
    kind: str = "conv"

    @property
    def mapping(self) -> "CopiedLayer":
        """What tells the copies, as in an architecture."""
        return self


@dataclass(frozen=True, kw_only=True)
class Copied:
    """What golden asks of a chip: its point, and the copies of each layer with weights, in order.

    layers: empty: one copy of each
    """

    point: Point
    weight_bits: int
    activation_bits: int
    layers: tuple[CopiedLayer, ...] = ()

    @property
    def adc_bits(self) -> int:
        """Bits of its converters."""
        return self.point.adc_bits

    @property
    def slices(self) -> int:
        """Cells that hold one weight."""
        return self.point.slices(self)

    @property
    def bit_steps(self) -> int:
        """Bit steps that feed one input."""
        return self.point.bit_steps(self)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Accuracies of one choice: the images, and the accuracy of each seed."""

    images: int
    accuracies: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Over the seeds."""
        return float(np.mean(self.accuracies))

    @property
    def deviation(self) -> float:
        """Of one chip from another."""
        return float(np.std(self.accuracies))

    @property
    def interval(self) -> tuple[float, float]:
        """Least and most, in which the mean of all such chips on all such images is, at 95 %.

        Images: the interval of Wilson (1927). Chips: Student's t for their mean. Both lie around
        the mean as if independent; with one chip it is that of this chip.
        """
        mean, images, chips = self.mean, self.images, len(self.accuracies)
        of_chips = 0.0
        if chips > 1:
            of_chips = student(chips - 1) * float(np.std(self.accuracies, ddof=1)) / chips**0.5
        square = NORMAL**2
        middle = (mean + square / (2 * images)) / (1 + square / images)
        half = NORMAL / (1 + square / images)
        half *= (mean * (1 - mean) / images + square / (4 * images**2)) ** 0.5
        low, high = (abs(each - mean) for each in (middle - half, middle + half))
        return (
            max(0.0, mean - float(np.hypot(low, of_chips))),
            min(1.0, mean + float(np.hypot(high, of_chips))),
        )


@dataclass(kw_only=True)
class Measuring:
    """The accuracies that a request asks for.

    chips: that err
    few, many: images to choose by, and those that are printed; all if they are fewer
    seeds: of the devices; a single one where nothing is drawn
    found: by choice, on the images to choose by, the best step of each; tried: every step
    """

    problem: Problem
    chips: ErringChips
    few: LabelledImages
    many: LabelledImages
    seeds: tuple[int, ...]
    found: dict[Point, Measured] = field(default_factory=dict)
    tried: dict[Point, Measured] = field(default_factory=dict)

    @property
    def request(self) -> SynthesisRequest:
        """What was asked for."""
        return self.problem.request

    @property
    def least(self) -> float:
        """The least accuracy of a choice."""
        return self.request.least_accuracy or 0.0

    def choose(self) -> None:
        """Measure all choices; ConfigError if none has the least accuracy."""
        components = self.problem.components
        hopeful = combinations(components, self.problem.rules)
        most = max(each.lossless_bits for each in hopeful)
        every = [each for less in range(most) for each in clipped(hopeful, less)]
        components = with_buildable_adcs(components, every)[0]
        for less in range(most):
            whole = {each: one for one in hopeful for each in clipped([one], less)}
            tried = with_known_adcs(whole, components)
            for point, kept in zip(tried, self.best_of(tried), strict=True):
                if self.found[kept].mean < self.least:
                    del whole[point]
            hopeful = list(whole.values())
        best = max((each.mean for each in self.found.values()), default=0.0)
        if best < self.least:
            raise ConfigError(
                field="--least-accuracy",
                allowed=f"at most {best:g}, the most of any choice on"
                f" {self.few.about.images} images with devices of {self.chips.source.name}",
                given=f"{self.least:g}",
                source="command line",
            )

    def best_of(self, points: Sequence[Point]) -> list[Point]:
        """Measure all steps of some points, and return the best of each, which are then found."""
        every = [stepped(point) for point in points]
        all_steps = [point for steps in every for point in steps]
        self.tried |= zip(all_steps, self.measure(all_steps, self.few), strict=True)
        best = [max(steps, key=lambda point: self.tried[point].mean) for steps in every]
        self.found |= {point: self.tried[point] for point in best}
        return best

    def measure(self, points: Sequence[Point], images: LabelledImages) -> list[Measured]:
        """Return the accuracies of some points, with the copies of plain chips of the budget."""
        return self.of_chips([self.plain_chip(point) for point in points], images)

    def of_design(self, design: "Candidate", images: LabelledImages) -> Measured:
        """Return the accuracies of the chip that a design is, with all its copies."""
        (found,) = self.of_chips([self.copied(design.point, design.chosen.copies)], images)
        return found

    def plain_chip(self, point: Point) -> Choice:
        """Return a chip of a point with copies in proportion to pixels; one each if none fits.

        Where nothing is drawn all copies are alike, and one of each does.
        """
        from hwgen.crossbar.synthesis.anneal import first_fitting

        problem = self.problem
        plain = None
        if is_drawn(self.chips.effects):
            power_w, rules = problem.request.power_w, problem.rules
            plain = first_fitting(problem.network, problem.components, point, power_w, rules)
        if plain is None:
            return of_one_copy(point, problem.components)
        return self.copied(point, plain.copies.tolist())

    def copied(self, point: Point, copies: Sequence[int]) -> Choice:
        """Return a chip of a point; copies: of every layer, with weights or not."""
        placed = zip(self.problem.network.layers, copies, strict=True)
        kept = [copies for layer, copies in placed if layer.kind in WITH_WEIGHTS]
        return {**of_one_copy(point, self.problem.components), "copies": kept}

    def of_chips(self, choices: Sequence[Choice], images: LabelledImages) -> list[Measured]:
        """Return the accuracies of some chips, which are computed if they are not kept."""
        count = images.about.images
        return [
            Measured(images=count, accuracies=tuple(each))
            for each in images.accuracies(choices, self.seeds)
        ]


def student(freedom: int) -> float:
    """Return the deviations within which 95 % of Student's t are, for degrees of freedom.

    Cornish and Fisher (1938), four terms; of one to four degrees the table.
    """
    if freedom <= len(FEW_CHIPS):
        return FEW_CHIPS[freedom - 1]
    z = NORMAL
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return z + sum(term / float(freedom) ** power for power, term in enumerate(terms, 1))


FEW_CHIPS = (12.706, 4.303, 3.182, 2.776)
"""Student's t at 95 % of one to four degrees of freedom."""


def measuring_of(problem: Problem, chips: ErringChips) -> Measuring:
    """Return the measurement that a request asks for.

    Raises ConfigError for effects that the devices of crossbars do not have.
    """
    request, components = problem.request, problem.components
    # Before a seed is computed.
    chips.check(of_one_copy(points(components, problem.rules)[0], components))
    return Measuring(
        problem=problem,
        chips=chips,
        few=chips.first(request.images_to_choose),
        many=chips.first(request.images),
        seeds=tuple(range(1, 1 + (request.effect_seeds if is_drawn(chips.effects) else 1))),
    )


def options_of(chips: ErringChips | None) -> dict[str, bool]:
    """Return what a chip is built with for its file of effects, if there is one."""
    if chips is None:
        return {}
    given = chips.effects
    return {
        "effects": True,
        "read_noise": given.read.deviation > 0,
        "nonlinear_converters": given.converters.largest_nonlinearity > 0,
    }


def is_drawn(effects: DeviceEffects) -> bool:
    """Return whether chips of different seeds differ."""
    drawn = any(getattr(effects.cells, name) for name in DRAWN)
    others = effects.converters.offset_lsb, effects.levels, effects.read.deviation
    return bool(drawn or any(others))


def of_one_copy(point: Point, components: Components) -> Choice:
    """Return what tells a chip of a point with one copy of each layer."""
    return {
        "point": asdict(point),
        "weight_bits": components.weight_bits,
        "activation_bits": components.activation_bits,
    }


def erring_chip(choice: Choice) -> Copied:
    """Return the chip of a choice; copies: of each layer with weights, one each without the key."""
    return Copied(
        point=point_of(choice["point"]),
        weight_bits=choice["weight_bits"],
        activation_bits=choice["activation_bits"],
        layers=tuple(CopiedLayer(copies=copies) for copies in choice.get("copies", ())),
    )
