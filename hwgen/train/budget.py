"""A schedule for a budget: as many epochs of each phase as the hours hold.

The phases keep their proportions, and each its course of the learning rate, warm-up and cosine to
zero. Where the shortest phase would have less than one epoch, epochs are of fewer batches. What was
found is kept in the folder of the training, so that a resumed one goes on with it.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol, Self, TypeVar

from torch import nn

from hwgen.files.output import write_text
from hwgen.files.patience import seconds_text
from hwgen.train.loop import say
from hwgen.train.parallel import of_first, rank
from hwgen.train.recipe import Phase

SCHEDULE = "schedule.json"
SHARE = 0.95
"""Of the budget that the epochs take; the rest is for tests and files."""
MOST = 20.0
"""A budget lengthens no phase by more than this."""
STEPS = 40
"""Halvings in the search for the longest schedule that fits."""


class Scheduled(Protocol):
    """A recipe of either kind."""

    @property
    def schedule(self) -> dict[str, Phase]:
        """The phases by name."""

    def with_schedule(self, phases: Mapping[str, Phase], epoch_batches: int | None) -> Self:
        """Return the recipe with other phases of the same names."""


class Timed(Protocol):
    """A training whose phases can be timed."""

    @property
    def steps(self) -> int:
        """Batches of an epoch."""

    def trials(self) -> Iterator[tuple[str, Phase, nn.Module]]:
        """Yield each phase with each network that it trains."""

    def seconds_of_epoch(self, network: nn.Module, phase: Phase) -> float:
        """Return the seconds that an epoch of a phase takes."""


Recipe = TypeVar("Recipe", bound=Scheduled)


@dataclass(frozen=True, kw_only=True)
class Pace:
    """What an epoch of each phase takes, in seconds, and the batches that it has."""

    seconds: Mapping[str, float]
    batches: int


def fitted(run: Timed, recipe: Recipe, hours: float, *, out: Path, resume: bool) -> Recipe:
    """Return the recipe with the epochs that `hours` hold; say what it does, and until when."""
    path = out / SCHEDULE
    known = stored(path, hours) if resume else None
    pace = of_first(known or measured(run, recipe))
    chosen = within(recipe, pace, hours)
    if rank() == 0:
        facts = {"format": "hwgen.schedule", "version": 1, "hours": hours}
        facts |= {"seconds": dict(pace.seconds), "batches": pace.batches}
        write_text(path, json.dumps(facts, indent=1) + "\n", what="schedule")
        tell(chosen, pace)
    return chosen


def stored(path: Path, hours: float) -> Pace | None:
    """Return the pace that a training for the same budget began with."""
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        if facts["hours"] != hours:
            return None
        return Pace(seconds=facts["seconds"], batches=facts["batches"])
    except (OSError, ValueError, LookupError, TypeError):
        return None


def measured(run: Timed, recipe: Scheduled) -> Pace:
    """Return the pace of the phases, each by a few batches."""
    seconds = dict.fromkeys(recipe.schedule, 0.0)
    for name, phase, network in run.trials():
        if phase.epochs:
            seconds[name] += run.seconds_of_epoch(network, phase)
    return Pace(seconds=seconds, batches=run.steps)


def within(recipe: Recipe, pace: Pace, hours: float) -> Recipe:
    """Return the longest schedule in the recipe's proportions that takes no more than `hours`."""
    budget = SHARE * 3600 * hours

    def length(factor: float) -> float:
        phases = scaled(recipe.schedule, factor)
        return sum(phase.epochs * pace.seconds[name] for name, phase in phases.items())

    shortest = 1 / min(phase.epochs for phase in recipe.schedule.values() if phase.epochs)
    if length(shortest) > budget:
        batches = max(1, int(pace.batches * budget / length(shortest)))
        return recipe.with_schedule(scaled(recipe.schedule, shortest), batches)
    least, most = shortest, max(shortest, MOST)
    for _ in range(STEPS):
        middle = (least + most) / 2
        least, most = (middle, most) if length(middle) <= budget else (least, middle)
    return recipe.with_schedule(scaled(recipe.schedule, least), pace.batches)


def scaled(phases: Mapping[str, Phase], factor: float) -> dict[str, Phase]:
    """Return the phases with as many times the epochs, at least one where there were any."""
    changed = {}
    for name, phase in phases.items():
        epochs = max(1, round(phase.epochs * factor)) if phase.epochs else 0
        warm_up = max(1, round(phase.warmup_epochs * factor)) if phase.warmup_epochs else 0
        # A cosine needs epochs behind the warm-up.
        changed[name] = replace(phase, epochs=epochs, warmup_epochs=min(warm_up, epochs // 2))
    return changed


def tell(recipe: Scheduled, pace: Pace) -> None:
    """Say the epochs of each phase, and when all of them will be done."""
    whole = 0.0
    batches = getattr(recipe, "epoch_batches", None) or pace.batches
    for name, phase in recipe.schedule.items():
        seconds = pace.seconds[name] * batches / pace.batches
        whole += phase.epochs * seconds
        if phase.epochs:
            say(f"phase {name}: {phase.epochs} epochs of {seconds_text(seconds)}")
    done = datetime.now() + timedelta(seconds=whole)
    say(f"all phases take {seconds_text(whole)}; done at about {done:%H:%M on %d %B}")
