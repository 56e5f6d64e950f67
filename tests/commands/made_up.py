"""Made-up results of simulations, for tests of the code that compares them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from hwgen.chip.family import Family
from hwgen.chip.protocols import Predictor
from hwgen.chip.runs import summed
from hwgen.chip.step import Step
from hwgen.commands.context import Context
from hwgen.commands.engines import expected_maps, predicted_cycles
from hwgen.commands.families import families
from hwgen.commands.images import choose_images
from hwgen.commands.subject import Subject


@dataclass
class Simulated:
    """Made-up result of one run, which may have several images."""

    images: list[int]
    cycles: int
    load_cycles: int
    steps: list[Step]
    maps: list[dict[str, Any]]
    counters: dict[str, int]
    events: dict[str, int] = field(default_factory=dict)
    step_events: list[dict[str, int]] = field(default_factory=list)
    written: dict[str, int] = field(default_factory=dict)
    waves: Path | None = None
    image_cycles: list[int] = field(default_factory=list)
    weight_row_writes: int = 0
    modes: tuple[int, ...] = ()
    loading: int = 0
    held_clocks: int = 0

    def written_at(self, image: int, layer: str, element: tuple[int, int, int]) -> int | None:
        return self.written.get(layer)


def simulation() -> Any:
    """Return the module whose `simulate` the flow calls for the DB-PIM family."""
    return families()["dbpim"].need(Family.simulation)


def step_events_of(prediction: Any) -> list[dict[str, int]]:
    """Return the events of each step; those that may happen beside any step are of the last one."""
    *others, last = map(dict, prediction.own_events)
    own = summed(prediction.own_events)
    rest = {name: count - own.get(name, 0) for name, count in prediction.events.items()}
    return [*others, summed([last, rest])]


def made_up_run(maps: Mapping[str, Any], model: Predictor, image: int) -> Simulated:
    """Return the run of a faultless chip for one image."""
    prediction = model.predict({name: found[image : image + 1] for name, found in maps.items()})
    return Simulated(
        images=[image],
        cycles=prediction.cycles,
        load_cycles=prediction.load,
        steps=list(prediction.steps),
        maps=[{name: maps[name][image].copy() for name in maps}],
        counters=dict(prediction.counters),
        events=dict(prediction.events),
        step_events=step_events_of(prediction),
    )


def chip_with_modes(monkeypatch: pytest.MonkeyPatch, subject: Subject) -> dict[str, int]:
    """Put a faultless chip in the place of a simulation whose images have modes.

    The entries that are returned are its faults: `element` changes a value of the last image,
    `switch` adds cycles to the second image if its mode is another one, `writes` are of each run.
    """
    wrong = {"element": 0, "switch": 0, "writes": 0}
    quiet = Context(console=None)

    def simulate(
        arch: Any, program: Any, images: Any, *, modes: Sequence[int], **_: Any
    ) -> list[Simulated]:
        size = program.facts.images
        batch = choose_images(subject.network, None, len(images))
        assert (batch.images == images).all()
        maps = expected_maps(quiet, subject, replace(batch, modes=tuple(modes)))
        predictions = predicted_cycles(quiet, subject, program, maps, modes)
        runs = []
        for index, each in enumerate(predictions):
            of_run = range(index * size, (index + 1) * size)
            run = Simulated(
                images=list(of_run),
                cycles=each.cycles,
                load_cycles=each.load,
                steps=list(each.steps),
                maps=[{name: maps[name][image].copy() for name in maps} for image in of_run],
                counters=dict(each.counters),
                events=dict(each.events),
                step_events=step_events_of(each),
                image_cycles=list(each.image_cycles),
                loading=each.loading,
                modes=tuple(modes[image] for image in of_run),
                weight_row_writes=wrong["writes"],
            )
            if size > 1 and modes[0] != modes[1]:
                run.image_cycles[1] += wrong["switch"]
            runs.append(run)
        runs[-1].maps[-1]["conv1"][0, 0, 0] ^= wrong["element"]
        return runs

    module = subject.family.need(Family.simulation)
    monkeypatch.setattr(module, "simulate", simulate)
    return wrong
