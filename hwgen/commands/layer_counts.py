"""How layers of a network differ from the maps that the runtime of its file shows.

Tests: `tests/commands/test_fit.py`.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.errors import DataError
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
    classes: list[NDArray[np.int64]] = field(default_factory=list)
    wanted: list[NDArray[np.int64]] = field(default_factory=list)
    images: int = 0
    firsts: dict[str, FirstElement] = field(default_factory=dict)
    output: Counter | None = None

    def add(self, network: QuantizedNetwork, outcome: Outcome) -> None:
        """Count some images."""
        from golden import network as golden

        images = outcome.images
        maps = golden.infer(network, images)
        answers = network.file_answer(maps).reshape(len(images), -1)
        if answers.shape[1] != outcome.answers.shape[1]:
            raise DataError(
                f"the answers must have {outcome.answers.shape[1]} elements as those of the file,"
                f" got {answers.shape[1]}"
            )
        listed = len(network.answer_parts) > 1
        scores = answers if listed else network.scores(maps[network.answer])
        self.classes.append(scores.argmax(axis=1))
        self.wanted.append(outcome.answers.argmax(axis=1))
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
            elif layer.source in outcome.further and (listed or layer.name != network.answer):
                wanted = outcome.further[layer.source].reshape(result.shape)
                self.same_inputs.setdefault(layer.name, Counter()).add(maps[layer.name], wanted)
                self.end_to_end.setdefault(layer.name, Counter()).add(maps[layer.name], wanted)
                self.note_first(layer, maps[layer.name], wanted)
        if outcome.integers is not None:
            self.add_answers(network, answers, outcome.integers)
        self.images += len(images)

    def add_answers(
        self, network: QuantizedNetwork, answers: NDArray[Any], wanted: NDArray[Any]
    ) -> None:
        """Count golden's answers against the outputs of the file itself."""
        self.output = self.output or Counter()
        self.output.add(answers, wanted)
        if len(network.answer_parts) == 1:
            self.same_inputs.setdefault(network.answer, self.output)
            self.end_to_end.setdefault(network.answer, self.output)
        for image, place in np.argwhere(answers != wanted)[:1]:
            places = network.answer_places
            element = place if places is None else max(int(places.reshape(-1)[place]), 0)
            name, where = network.answer_element(element)
            found = int(answers[image, place]), wanted[image, place].item()
            self.set_first(name, int(image), where, found)

    def note_first(self, layer: Layer, result: NDArray[Any], wanted: NDArray[Any]) -> None:
        """Note the first element of a layer that differs."""
        places = np.argwhere(result != wanted)
        if len(places):
            image, y, x, channel = (int(each) for each in places[0])
            found = int(result[image, y, x, channel]), wanted[image, y, x, channel].item()
            self.set_first(layer.name, image, (y, x, channel), found)

    def set_first(
        self, layer: str, image: int, place: tuple[int, ...], found: tuple[int, float]
    ) -> None:
        """Set the first element of a layer that differs, if there is none yet.

        image: among those that are counted now; place: row, column, channel; found: of golden and
        of the runtime
        """
        first = FirstElement(
            layer=layer,
            image=self.images + image,
            y=place[0],
            x=place[1],
            channel=place[2],
            golden=found[0],
            runtime=found[1],
        )
        self.firsts.setdefault(layer, first)
