"""Simulations that never ran, for tests of what is done with their results."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hwgen.flow.protocols import CycleModel
from hwgen.spec.network import QuantizedNetwork


@dataclass
class Simulated:
    """What a simulation of one image would show."""

    cycles: int
    load_cycles: int
    retirements: list[int]
    maps: dict[str, Any]
    logits: Any
    waves: Path | None = None


def made_up_run(
    network: QuantizedNetwork, maps: Mapping[str, Any], model: CycleModel, image: int
) -> Simulated:
    """Return what a chip without fault would show of one image."""
    inputs = [maps[layer.inputs[0]][image] for layer in network.layers]
    prediction = model.predict(inputs)
    head = network.layers[-1].name
    return Simulated(
        cycles=prediction.cycles,
        load_cycles=prediction.load,
        retirements=np.cumsum([layer.cycles for layer in prediction.layers]).tolist(),
        maps={name: maps[name][image].copy() for name in maps if name != head},
        logits=maps[head][image].copy(),
    )
