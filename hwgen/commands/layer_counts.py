"""How layers of a network differ from the maps that the runtime of its file shows.

Tests: `tests/commands/test_fit.py`.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.importers.integer.runtime import Outcome
from hwgen.network import Layer, QuantizedNetwork
from hwgen.report.agreement import Differences, FirstElement

ONE_STEP = 1


@dataclass
class Counter:
    """Differences of one map, summed over images; what lies between two steps differs by one."""

    elements: int = 0
    one_step: int = 0
    larger: int = 0
    largest: int = 0

    def add(self, given: NDArray[Any], wanted: NDArray[Any]) -> None:
        """Count the differences of some images."""
        steps = np.ceil(np.abs(given.astype(np.float64) - wanted.astype(np.float64)))
        self.elements += steps.size
        self.one_step += int((steps == ONE_STEP).sum())
        self.larger += int((steps > ONE_STEP).sum())
        self.largest = max(self.largest, int(steps.max(initial=0)))

    def differences(self) -> Differences:
        """Return the sums."""
        different = self.one_step + self.larger
        return Differences(
            elements=self.elements,
            equal=1 - different / self.elements,
            one_step=self.one_step,
            larger=self.larger,
            largest=self.largest,
        )


@dataclass
class Counters:
    """Everything that is counted, over all images."""

    same_inputs: dict[str, Counter] = field(default_factory=dict)
    end_to_end: dict[str, Counter] = field(default_factory=dict)
    images: int = 0
    firsts: dict[str, FirstElement] = field(default_factory=dict)

    def add(self, network: QuantizedNetwork, outcome: Outcome) -> None:
        """Count some images."""
        from golden import network as golden

        images = outcome.images
        maps = golden.infer(network, images)
        # Maps of the runtime; behind a layer that it does not show, those of golden.
        given = {"input": images}
        for layer in network.layers:
            result = maps[layer.name]
            if layer.inputs:
                read = [given[name] for name in layer.inputs]
                result = golden.infer_layer(network, layer, read)
            shown = outcome.maps.get(layer.source)
            given[layer.name] = result if shown is None else shown.reshape(result.shape)
            if shown is not None:
                wanted = given[layer.name]
                self.same_inputs.setdefault(layer.name, Counter()).add(result, wanted)
                self.end_to_end.setdefault(layer.name, Counter()).add(maps[layer.name], wanted)
                self.note_first(layer, result, wanted)
        self.images += len(images)

    def note_first(self, layer: Layer, result: NDArray[Any], wanted: NDArray[Any]) -> None:
        """Note the first element of a layer that differs, if there is none yet."""
        places = np.argwhere(result != wanted)
        if len(places) and layer.name not in self.firsts:
            image, y, x, channel = (int(each) for each in places[0])
            self.firsts[layer.name] = FirstElement(
                layer=layer.name,
                image=self.images + image,
                y=y,
                x=x,
                channel=channel,
                golden=int(result[image, y, x, channel]),
                runtime=int(wanted[image, y, x, channel]),
            )
