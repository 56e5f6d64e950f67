"""A search for chips by Optuna: values are drawn, chips outside the limits cost no prediction.

Chips are predicted in batches of one size and told in order, so that the result of a search does
not depend on how many processes predict. A chip that was drawn before gives way to a neighbour.

Tests: `tests/commands/test_search.py`.
"""

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

BATCH = 16
"""Chips that are predicted at a time."""
FIRST_DRAWN = 48
"""Drawn at random before what was told leads the search."""
MOST_DRAWN = 10
"""Draws for each chip that is asked for: then no other one is left, or hardly any."""
WORST = 1e9
"""Objective that is told of a chip that breaks a limit, or refuses a network."""

Values = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """What a drawn combination of values stands for.

    key: the same for equal chips
    outside: how far the chip is beyond the limits of its area; 0: it is predicted
    """

    key: str
    area_mm2: float
    outside: float


@dataclass(kw_only=True)
class Search:
    """A search for small chips of low objective: `run` predicts `points` different ones.

    axes: keys and their values; first: values of the chip that is predicted first
    candidate: what a combination of values stands for; None: there is no such chip
    predict: the objective of chips, by the values of each; None: it refuses a network
    found: objectives by the key of the chip
    """

    axes: Mapping[str, Sequence[Any]]
    first: Values
    candidate: Callable[[Values], Candidate | None]
    predict: Callable[[Sequence[Values]], Sequence[float | None]]
    points: int
    seed: int
    drawn: int = 0
    random: Random = field(init=False)
    found: dict[str, float | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)

    def run(self) -> None:
        """Draw, predict and tell until all points are predicted, or no other chip is found."""
        study = self._study()
        while len(self.found) < self.points:
            batch = self._batch(study)
            if not batch:
                break
            objectives = self.predict([values for _, values, _ in batch])
            for (trial, _, chip), objective in zip(batch, objectives, strict=True):
                self.found[chip.key] = objective
                tell(study, trial, chip, objective)

    def _study(self) -> Any:
        """Return the study of Optuna, which begins with the first chip."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            sampler = optuna.samplers.TPESampler(
                seed=self.seed, n_startup_trials=FIRST_DRAWN, constant_liar=True
            )
        study = optuna.create_study(directions=["minimize", "minimize"], sampler=sampler)
        study.enqueue_trial(
            {key: values.index(self.first[key]) for key, values in self.axes.items()}
        )
        return study

    def _batch(self, study: Any) -> list[tuple[Any, Values, Candidate]]:
        """Return trials of chips that are not known yet, and tell those that need no prediction."""
        from optuna.distributions import IntDistribution
        from optuna.trial import TrialState

        places = {key: IntDistribution(0, len(values) - 1) for key, values in self.axes.items()}
        batch: dict[str, tuple[Any, Values, Candidate]] = {}
        wanted = min(BATCH, self.points - len(self.found))
        while len(batch) < wanted and self.drawn < MOST_DRAWN * self.points:
            trial = study.ask(places)
            self.drawn += 1
            values = {key: each[trial.params[key]] for key, each in self.axes.items()}
            chip = self.candidate(values)
            if chip is None:
                study.tell(trial, state=TrialState.FAIL)
            elif chip.key in batch or chip.key in self.found:
                # Told again it would weigh more, until no other chip is drawn.
                study.tell(trial, state=TrialState.FAIL)
                study.enqueue_trial(self._neighbour(trial.params))
            elif chip.outside:
                tell(study, trial, chip, None)
            else:
                batch[chip.key] = trial, values, chip
        return list(batch.values())

    def _neighbour(self, places: Mapping[str, int]) -> dict[str, int]:
        """Return places with one or two of them a step up or down, drawn."""
        near = dict(places)
        open_keys = [key for key, values in self.axes.items() if len(values) > 1]
        for key in self.random.sample(open_keys, min(len(open_keys), self.random.choice((1, 2)))):
            step = near[key] + self.random.choice((-1, 1))
            near[key] = min(max(step, 0), len(self.axes[key]) - 1)
        return near


def tell(study: Any, trial: Any, chip: Candidate, objective: float | None) -> None:
    """Tell area and objective of a chip, on logarithmic scales; None: it has none."""
    refused = objective is None and not chip.outside
    trial.set_constraint("outside", 1.0 if refused else chip.outside)
    study.tell(trial, [math.log(chip.area_mm2), math.log(objective or WORST)])
