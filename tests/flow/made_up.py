"""Made-up results of simulations, for tests of the code that compares them."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from hwgen.flow.capabilities import SIMULATION
from hwgen.flow.families import families
from hwgen.flow.protocols import Predictor
from hwgen.spec.step import Step


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
    fused: list[str] = field(default_factory=list)
    written: dict[str, int] = field(default_factory=dict)
    waves: Path | None = None

    def written_at(self, image: int, layer: str, element: tuple[int, int, int]) -> int | None:
        return self.written.get(layer)


def simulation() -> ModuleType:
    """Return the module whose `simulate` the flow calls for the DB-PIM family."""
    return importlib.import_module(families()["dbpim"].module_of(SIMULATION))


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
    )
