"""What each percent of accuracy costs: a search for each step, among the choices that have more.

The first search has all choices of the least accuracy. The next one has those with more accuracy
than that of its design, and so on, until none is left or none fits into the power budget. The chip
of each design is measured as it is; one with too little accuracy is no step.

Tests: `tests/crossbar/pages/test_accuracy.py`.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NoReturn

from matplotlib.figure import Figure

from hwgen.chip.synthesis_request import Context, ErringChips
from hwgen.crossbar.facts.point import Point, narrowed
from hwgen.crossbar.pages.accuracy import Measured, Measuring, measuring_of
from hwgen.crossbar.pages.problem import Problem
from hwgen.crossbar.pages.reported import point_of
from hwgen.crossbar.pages.searching import RESUME, search
from hwgen.crossbar.pages.synthesis import AccuracyChoice, AccuracyStep, SynthesisAccuracy
from hwgen.crossbar.pages.synthesis_table import adc_text
from hwgen.errors import ConfigError, DesignError
from hwgen.report.svg import ACCENT, MUTED, report_picture

if TYPE_CHECKING:
    from hwgen.crossbar.synthesis.result import SearchResult

SIZE = (5.2, 3.6)
"""Inches."""


@dataclass(frozen=True, kw_only=True)
class Curve:
    """The search whose design is the answer, and what accuracy costs."""

    best: "SearchResult"
    accuracy: SynthesisAccuracy


def curve_of(context: Context, problem: Problem, chips: ErringChips) -> Curve:
    """Measure accuracies of chips that err, and search the designs of each step.

    An interrupt while a later step is searched ends the steps; what was found is the answer.
    """
    measuring = measuring_of(problem, chips)
    try:
        measuring.choose()
        designs, ended_early = searched(context, problem, measuring)
        exact = measuring.many.exact()
    except KeyboardInterrupt:
        context.say(f"stopped before accuracy was known; {RESUME}")
        raise
    steps = steps_of(designs)
    accuracy = SynthesisAccuracy(
        effects=measuring.chips.source,
        least_accuracy=measuring.least,
        data=measuring.many.about,
        exact=exact,
        images_to_choose=measuring.few.about.images,
        seeds=list(measuring.seeds),
        choices=[choice_of(point, each.mean) for point, each in measuring.tried.items()],
        curve=list(told_steps(steps)),
        ended_early=ended_early,
    )
    return Curve(best=steps[0].result, accuracy=accuracy)


@dataclass(frozen=True, kw_only=True)
class Design:
    """The design of a search, and what its chip reaches.

    few, many: accuracies of the images to choose by, and of those of the curve
    """

    result: "SearchResult"
    few: Measured
    many: Measured

    @property
    def efficiency(self) -> float:
        """GOPS/W."""
        return self.result.best.efficiency_gops_per_w

    def beats(self, other: "Design") -> bool:
        """Return whether it is nowhere worse than another design, and better in something."""
        mine, its = (self.efficiency, self.many.mean), (other.efficiency, other.many.mean)
        return mine != its and all(one >= two for one, two in zip(mine, its, strict=True))


def searched(context: Context, problem: Problem, measuring: Measuring) -> tuple[list[Design], bool]:
    """Return the design of each step, and whether an interrupt or the time limit ended them.

    Raises ConfigError if no design that was found has a chip of the least accuracy.
    """
    designs: list[Design] = []
    limit, began = problem.request.time_limit_s, time.monotonic()
    found, reached, ended_early = measuring.found, 0.0, False
    tried = [point for point, each in found.items() if each.mean >= measuring.least]
    while tried and not ended_early:
        left = None if limit is None else max(0.0, limit - (time.monotonic() - began))
        step = replace(
            problem,
            request=problem.request.within(left),
            components=narrowed(problem.components, tried),
        )
        try:
            result = search(context, step)
            measured = chip_of(measuring, result)
        except (ConfigError, DesignError):
            if not designs and not reached:
                raise
            break  # no design of more accuracy fits into the budget
        except KeyboardInterrupt:
            if not designs:
                raise
            ended_early = True
            break
        reached = max(reached, measured[-1].mean)
        if len(measured) > 1:
            designs.append(Design(result=result, few=measured[0], many=measured[1]))
        tell(context, result, measured, measuring.least)
        ended_early = result.stopped_early
        own = found[result.best.point].mean
        tried = [point for point in tried if found[point].mean > own]
    if not designs:
        refuse_accuracy(measuring, reached)
    return designs, ended_early


def chip_of(measuring: Measuring, result: "SearchResult") -> list[Measured]:
    """Return the accuracies of the chip that was found, first of few images, then of many.

    The last one alone is below the least accuracy, if any is.
    """
    measured = [measuring.of_design(result.best, measuring.few)]
    if measured[0].mean >= measuring.least:
        many = measuring.of_design(result.best, measuring.many)
        measured = [measured[0], many] if many.mean >= measuring.least else [many]
    return measured


def tell(
    context: Context, result: "SearchResult", measured: Sequence[Measured], least: float
) -> None:
    """Say what the chip of a search reaches."""
    accuracy = f"{100 * measured[-1].mean:.1f} % accuracy"
    efficiency = f"{result.best.efficiency_gops_per_w:,.1f} GOPS/W"
    if len(measured) > 1:
        context.say(f"{accuracy} with {efficiency}; is there more?")
    else:
        context.say(f"the chip of {efficiency} has {accuracy}, less than {100 * least:g} %")


def refuse_accuracy(measuring: Measuring, reached: float) -> NoReturn:
    """Raise ConfigError: no chip that was found has the least accuracy."""
    raise ConfigError(
        field="--least-accuracy",
        allowed=f"at most {reached:g}, the most of any chip that was found, with the copies of its"
        f" layers and devices of {measuring.chips.source.name}",
        given=f"{measuring.least:g}",
        source="command line",
    )


def steps_of(designs: Sequence[Design]) -> list[Design]:
    """Return the designs that no other one beats, the most efficient first."""
    kept = [each for each in designs if not any(other.beats(each) for other in designs)]
    return sorted(kept, key=lambda each: -each.efficiency)


def told_steps(steps: Sequence[Design]) -> list[AccuracyStep]:
    """Return the steps as a report tells them."""
    told = []
    for place, step in enumerate(steps):
        measured, before = step.many, steps[place - 1].many if place else None
        choice = choice_of(step.result.best.point, measured.mean)
        told.append(
            AccuracyStep(
                point=choice.point,
                bits_less=choice.bits_less,
                step=choice.step,
                accuracy=choice.accuracy,
                interval=measured.interval,
                efficiency_gops_per_w=step.efficiency,
                chosen_by=step.few.mean,
                least=min(measured.accuracies),
                most=max(measured.accuracies),
                deviation=measured.deviation,
                apart=before is None
                or measured.mean - before.mean > max(measured.deviation, before.deviation),
            )
        )
    return told


def choice_of(point: Point, accuracy: float) -> AccuracyChoice:
    """Return a choice as a report tells it."""
    less = point.lossless_bits - point.adc_bits
    step = 1 << point.step_bits
    return AccuracyChoice(point=point_of(point), bits_less=less, step=step, accuracy=accuracy)


def accuracy_picture(found: SynthesisAccuracy) -> bytes:
    """Return GOPS/W over accuracy, each step with the range of its seeds."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        mean = [100 * step.accuracy for step in found.curve]
        low = [100 * max(0.0, step.accuracy - step.least) for step in found.curve]
        high = [100 * max(0.0, step.most - step.accuracy) for step in found.curve]
        efficiency = [step.efficiency_gops_per_w for step in found.curve]
        axes.errorbar(
            mean, efficiency, xerr=(low, high), color=ACCENT, marker="o", capsize=4, label="designs"
        )
        for step in found.curve:
            place = 100 * step.accuracy, step.efficiency_gops_per_w
            axes.annotate(adc_text(step), place, (4, 5), textcoords="offset points", fontsize=7)
        axes.axvline(100 * found.exact, color=MUTED, linestyle=":", label="without effects")
        axes.set_xlabel(f"accuracy of {found.data.images} images, %")
        axes.set_ylabel("GOPS/W")
        axes.set_ylim(bottom=0)
        axes.grid()
        axes.legend(fontsize=7)

    return report_picture("svg", *SIZE, draw)
