"""What each percent of accuracy costs: a search for each step, among the choices that have more.

The first search has all choices of the least accuracy. The next one has those with more accuracy
than its design, and so on, until none is left or none fits into the power budget.

Tests: `tests/crossbar/pages/test_accuracy.py`.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from hwgen.commands.context import Context
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


def curve_of(context: Context, problem: Problem) -> Curve:
    """Measure accuracies, and search the designs of each step.

    An interrupt while a later step is searched ends the steps; what was found is the answer.
    """
    measuring = measuring_of(context, problem)
    try:
        measuring.choose()
        results, ended_early = searched(context, problem, measuring.found, measuring.least)
        steps = steps_of(results)
        again = measuring.measure([each.best.point for each in steps], measuring.many)
        exact = measuring.exact()
    except KeyboardInterrupt:
        context.say(f"stopped before accuracy was known; {RESUME}")
        raise
    accuracy = SynthesisAccuracy(
        effects=measuring.devices.source,
        least_accuracy=measuring.least,
        data=measuring.many.about,
        exact=exact,
        images_to_choose=len(measuring.few.images),
        seeds=list(measuring.seeds),
        choices=[choice_of(point, each.mean) for point, each in measuring.found.items()],
        curve=list(told_steps(measuring, steps, again)),
        ended_early=ended_early,
    )
    return Curve(best=steps[0], accuracy=accuracy)


def searched(
    context: Context, problem: Problem, found: Mapping[Point, Measured], least: float
) -> "tuple[list[SearchResult], bool]":
    """Return the search of each step, and whether an interrupt or the time limit ended them."""
    results: list[SearchResult] = []
    limit, began = problem.request.time_limit_s, time.monotonic()
    tried = [point for point, each in found.items() if each.mean >= least]
    while tried:
        left = None if limit is None else max(0.0, limit - (time.monotonic() - began))
        step = replace(
            problem,
            request=replace(problem.request, time_limit_s=left),
            components=narrowed(problem.components, tried),
        )
        try:
            result = search(context, step)
        except (ConfigError, DesignError):
            if not results:
                raise
            break  # no design of more accuracy fits into the budget
        except KeyboardInterrupt:
            if not results:
                raise
            return results, True
        results.append(result)
        if result.stopped_early:
            return results, True
        reached = found[result.best.point].mean
        context.say(
            f"{100 * reached:.1f} % accuracy with"
            f" {result.best.efficiency_gops_per_w:,.1f} GOPS/W; is there more?"
        )
        tried = [point for point in tried if found[point].mean > reached]
    return results, False


def steps_of(results: "Sequence[SearchResult]") -> "list[SearchResult]":
    """Return the searches whose design no later one beats, which has more accuracy, too."""
    efficiencies = [each.best.efficiency_gops_per_w for each in results]
    return [
        each
        for place, each in enumerate(results)
        if all(efficiencies[place] > later for later in efficiencies[place + 1 :])
    ]


def told_steps(
    measuring: Measuring, steps: "Sequence[SearchResult]", again: Sequence[Measured]
) -> "list[AccuracyStep]":
    """Return the steps as a report tells them; again: their accuracies, of more images."""
    told = []
    for place, (step, measured) in enumerate(zip(steps, again, strict=True)):
        before = again[place - 1] if place else None
        choice = choice_of(step.best.point, measured.mean)
        told.append(
            AccuracyStep(
                point=choice.point,
                bits_less=choice.bits_less,
                accuracy=choice.accuracy,
                efficiency_gops_per_w=step.best.efficiency_gops_per_w,
                chosen_by=measuring.found[step.best.point].mean,
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
    return AccuracyChoice(point=point_of(point), bits_less=less, accuracy=accuracy)


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
