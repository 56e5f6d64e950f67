"""Both ends of a TFLite file: its input as the network's image, maps of the network as its outputs.

Tests: `tests/importers/test_judge.py`.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.importers.integer.fold import before_head, passing
from hwgen.importers.integer.graph import IntegerGraph
from hwgen.importers.integer.nodes import Head, SoftmaxOfGroups
from hwgen.importers.integer.runtime import stored
from hwgen.importers.judge import Feeds, Grid, Outputs
from hwgen.importers.tflite.file import TensorFacts, read_file

Real = NDArray[np.float64]


def softmax(real: Real) -> Real:
    """Return the share of each exponential along the last axis."""
    found = np.exp(real - real.max(axis=-1, keepdims=True))
    shares: Real = found / found.sum(axis=-1, keepdims=True)
    return shares


HEADS: Mapping[str, Callable[[Real], Real]] = {
    "SOFTMAX": softmax,
    "LOG_SOFTMAX": lambda real: np.log(softmax(real)),
    "LOGISTIC": lambda real: 1 / (1 + np.exp(-real)),
    "TANH": np.tanh,
    "DEQUANTIZE": lambda real: real,
}
"""What a network leaves out behind its answer."""


class TFLiteEnds:
    """The ends of a file whose graph was read without refusals.

    grids: none; integers are known without, and real numbers by their largest
    plain: outputs that are maps
    """

    def __init__(self, path: Path, graph: IntegerGraph) -> None:
        """Read the file."""
        file = read_file(path)
        self._graph, self._image = graph, graph.maps[graph.input]
        self._given = file.tensors[file.inputs[0]]
        self._tensors = {each.name: each for each in file.tensors}
        self._outputs = [file.tensors[number].name for number in file.outputs if number >= 0]
        self.grids: dict[str, Grid] = {}
        answers = {name: before_head(graph, name) for name in self._outputs}
        self.plain = {name for name, before in answers.items() if name == before}

    def drawn(self, integers: NDArray[Any]) -> NDArray[Any]:
        """Return the images of a file that become integers of the network's image."""
        return stored(integers, self._image)

    def feeds(self, images: NDArray[Any]) -> Iterator[Feeds]:
        """Yield calls of stored images; a file that quantizes by itself gets their real values."""
        values = self._image
        for image in images:
            given = image.reshape(self._given.shape)
            if self._given.type == "float32":
                given = (values.scale * (given.astype(np.float64) - values.zero_point)).astype("f4")
            yield {self._given.name: given}

    def integers(self, feeds: Feeds) -> NDArray[Any]:
        """Return the image of a call as integers of the network's."""
        (given,) = feeds.values()
        values, real = self._image, given.astype(np.float32)
        if given.dtype.kind == "f":
            real = np.rint(real / np.float32(values.scale)) + values.zero_point
        image = values.feature_map()
        moved = (real + values.offset).clip(0, (1 << values.bits) - 1)
        return moved.astype(image.dtype).reshape(1, *image.shape)

    def outputs(self, maps: Mapping[str, NDArray[Any]]) -> Outputs:
        """Return all outputs of a call; maps: of the network, by the names of the file."""
        return {name: self._output(name, maps) for name in self._outputs}

    def _output(self, name: str, maps: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        """Return one output, as the file stores it."""
        end, about = self._graph.ends[name], self._tensors[name]
        real = self._real(end.maps[0], maps).ravel()
        real = real if end.order is None else np.append(real, 0.0)[end.order]
        if about.type == "float32":
            return real.reshape(about.shape).astype(np.float32)
        return integers_of(real.reshape(about.shape), about)

    def _real(self, name: str, maps: Mapping[str, NDArray[Any]]) -> Real:
        """Return the real numbers of a map, through what stands behind the network's answer."""
        values = self._graph.maps[name]
        if name in maps:
            integers = maps[name].astype(np.int64) - values.offset
            real: Real = (integers - values.zero_point) * np.float64(values.scale)
            return real
        node = passing(self._graph, name)
        assert node is not None
        real = self._real(node.inputs[0], maps)
        if isinstance(node, SoftmaxOfGroups):
            grouped = real.reshape(*real.shape[:-1], node.groups, -1)
            real = softmax(grouped).reshape(real.shape)
        elif isinstance(node, Head):
            real = HEADS[node.operator](real)
        about = self._tensors[name]
        if about.type == "float32" or not len(about.scales):
            return real
        again: Real = (integers_of(real, about) - about.zero_points[0]) * about.scales[0]
        return again


def integers_of(real: Real, about: TensorFacts) -> NDArray[Any]:
    """Return real numbers as a tensor stores them."""
    limits = np.iinfo(about.type)
    steps = np.rint(real / about.scales[0]) + about.zero_points[0]
    found: NDArray[Any] = steps.clip(limits.min, limits.max).astype(about.type)
    return found
