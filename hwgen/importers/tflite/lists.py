"""Rows of several maps, which end a network: a detector's list of boxes.

No chip computes them: they are the places of the answer in the maps, one behind the other.

Tests: `tests/importers/tflite/test_lists.py`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hwgen.importers.integer.moves import ZERO, Places
from hwgen.importers.integer.refused import RefusedError
from hwgen.importers.tflite.file import TFLiteFile
from hwgen.importers.tflite.moves import MOVES
from hwgen.importers.tflite.node import Reading, map_of

EACH = frozenset(
    {"ELU", "GELU", "HARD_SWISH", "LEAKY_RELU", "LOGISTIC", "QUANTIZE", "RELU", "RELU6",
     "RELU_0_TO_1", "RELU_N1_TO_1", "TANH"}
)  # fmt: skip
"""Functions of one element: what is done to rows is done to their maps."""
BEHIND = frozenset({"CONCATENATION", "DEQUANTIZE", *EACH, *MOVES})
"""What may stand behind rows of several maps."""
LAYERS = frozenset(
    {"AVERAGE_POOL_2D", "BATCH_MATMUL", "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED",
     "MAX_POOL_2D", "MEAN", "TRANSPOSE_CONV"}
)  # fmt: skip
"""Layers, which no host computes."""


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A tensor of the rows of several maps.

    sources: numbers of the tensors of the maps; places: numbers of elements in these maps, one
    behind the other, of the shape of this tensor
    """

    sources: tuple[int, ...]
    places: Places

    @property
    def order(self) -> Places:
        """The places without the batch."""
        return self.places[0] if self.places.ndim > 1 and len(self.places) == 1 else self.places


@dataclass(frozen=True, kw_only=True)
class Left:
    """What the host computes of lists, such as boxes that it decodes.

    lists: numbers of their tensors; steps: the operators and their nodes
    """

    lists: tuple[int, ...]
    steps: tuple[str, ...]


def lists_rows(reading: Reading) -> bool:
    """Return whether an operator concatenates along another axis than the channels."""
    rank = len(reading.outputs[0].shape)
    return (
        reading.operator.operator == "CONCATENATION"
        and rank > 1
        and int(reading.option("Axis")) % rank != rank - 1
    )


def list_of(reading: Reading, parts: Sequence[Listed], image: int) -> Listed:
    """Return what a concatenation of rows has; parts: of each input; image: its tensor."""
    output = reading.outputs[0]
    values = map_of(output)
    begins: dict[int, int] = {}
    end, moved = 0, []
    for place, part in enumerate(parts):
        if values is None or reading.map(place).same_numbers != values.same_numbers:
            raise RefusedError("its inputs", "of the scale of its output", "another scale")
        if image in part.sources:
            raise RefusedError("its inputs", "of layers, where it lists rows", "the image")
        here, before = np.full_like(part.places, ZERO), 0
        for source in part.sources:
            size = math.prod(reading.file.tensors[source].shape)
            if source not in begins:
                begins[source] = end
                end += size
            inside = (part.places >= before) & (part.places < before + size)
            here[inside] = part.places[inside] - before + begins[source]
            before += size
        moved.append(here)
    places = np.concatenate(moved, axis=int(reading.option("Axis")) % len(output.shape))
    return Listed(sources=(*begins,), places=places)


def of_each(reading: Reading, listed: Listed) -> tuple[TFLiteFile, list[Reading]]:
    """Return a function of rows as one of each of their maps, and a file with these maps."""
    file, operator = reading.file, reading.operator
    tensors, found = list(file.tensors), []
    for place, source in enumerate(listed.sources):
        made = replace(
            reading.outputs[0],
            name=f"{reading.output}/{place}",
            shape=file.tensors[source].shape,
        )
        own = replace(operator, inputs=(source, *operator.inputs[1:]), outputs=(len(tensors),))
        tensors.append(made)
        found.append(replace(reading, operator=own))
    file = replace(file, tensors=tuple(tensors))
    return file, [replace(each, file=file) for each in found]
