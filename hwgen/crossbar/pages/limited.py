"""A search with a limit of accuracy: the most efficient chip that keeps it.

The first search has all choices of the least accuracy. The chip that it finds is measured as it is;
if it has too little, the next search has the choices that have more accuracy than that of the chip.

Tests: `tests/crossbar/pages/test_accuracy.py`.
"""

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hwgen.chip.synthesis_request import Context, ErringChips
from hwgen.crossbar.facts.point import Point, narrowed
from hwgen.crossbar.pages.accuracy import Measured, Measuring, measuring_of
from hwgen.crossbar.pages.problem import Problem
from hwgen.crossbar.pages.reported import point_of
from hwgen.crossbar.pages.searching import RESUME, search
from hwgen.crossbar.pages.synthesis import AccuracyChoice, ChipAccuracy, SynthesisAccuracy
from hwgen.errors import ConfigError, DesignError

if TYPE_CHECKING:
    from hwgen.crossbar.synthesis.result import SearchResult


@dataclass(frozen=True, kw_only=True)
class Design:
    """The design of a search, and what its chip reaches.

    few, many: accuracies of the images to choose by, and of those that are printed
    """

    result: "SearchResult"
    few: Measured
    many: Measured


def limited_search(
    context: Context, problem: Problem, chips: ErringChips
) -> tuple["SearchResult", SynthesisAccuracy]:
    """Measure accuracies of chips that err, and search the design that keeps the least one."""
    measuring = measuring_of(problem, chips)
    try:
        measuring.choose()
        design = searched(context, problem, measuring)
        exact = measuring.many.exact()
    except KeyboardInterrupt:
        context.say(f"stopped before accuracy was known; {RESUME}")
        raise
    accuracy = SynthesisAccuracy(
        effects=measuring.chips.source,
        least_accuracy=measuring.least,
        data=measuring.many.about,
        exact=exact,
        images_to_choose=measuring.few.about.images,
        seeds=list(measuring.seeds),
        choices=[choice_of(point, each.mean) for point, each in measuring.tried.items()],
        chip=chip_accuracy(design),
    )
    return design.result, accuracy


def searched(context: Context, problem: Problem, measuring: Measuring) -> Design:
    """Return the first design whose chip has the least accuracy.

    Raises ConfigError if no design that was found has a chip of the least accuracy.
    """
    limit, began = problem.request.time_limit_s, time.monotonic()
    found, reached = measuring.found, 0.0
    tried = [point for point, each in found.items() if each.mean >= measuring.least]
    while tried:
        left = None if limit is None else max(0.0, limit - (time.monotonic() - began))
        step = replace(
            problem,
            request=problem.request.within(left),
            components=narrowed(problem.components, tried),
        )
        try:
            result = search(context, step)
        except (ConfigError, DesignError):
            if not reached:
                raise
            break  # no design of more accuracy fits into the budget
        few = many = measuring.of_design(result.best, measuring.few)
        if few.mean >= measuring.least:
            many = measuring.of_design(result.best, measuring.many)
        if many.mean >= measuring.least:
            return Design(result=result, few=few, many=many)
        efficiency = f"{result.best.efficiency_gops_per_w:,.1f} GOPS/W"
        least = f"{100 * measuring.least:g} %"
        context.say(f"the chip of {efficiency} has {100 * many.mean:.1f} %, less than {least}")
        reached = max(reached, many.mean)
        own = found[result.best.point].mean
        tried = [point for point in tried if found[point].mean > own and not result.stopped_early]
    raise ConfigError(
        field="--least-accuracy",
        allowed=f"at most {reached:g}, the most of any chip that was found, with the copies of its"
        f" layers and devices of {measuring.chips.source.name}",
        given=f"{measuring.least:g}",
        source="command line",
    )


def choice_of(point: Point, accuracy: float) -> AccuracyChoice:
    """Return a choice as a report tells it."""
    less = point.lossless_bits - point.adc_bits
    step = 1 << point.step_bits
    return AccuracyChoice(point=point_of(point), bits_less=less, step=step, accuracy=accuracy)


def chip_accuracy(design: Design) -> ChipAccuracy:
    """Return what the chip of a design reaches as a report tells it."""
    measured, choice = design.many, choice_of(design.result.best.point, design.many.mean)
    return ChipAccuracy(
        **vars(choice),
        interval=measured.interval,
        chosen_by=design.few.mean,
        least=min(measured.accuracies),
        most=max(measured.accuracies),
        deviation=measured.deviation,
    )
