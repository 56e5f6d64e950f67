"""Rows of several maps, which end a network: a detector's list of boxes.

No chip computes them: they are the places of the answer in the maps, one behind the other.

Tests: `tests/importers/tflite/test_lists.py`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hwgen.importers.integer.moves import ZERO, Places
from hwgen.importers.integer.nodes import Unsupported
from hwgen.importers.integer.refused import RefusedError
from hwgen.importers.tflite.file import TFLiteFile
from hwgen.importers.tflite.moves import MOVES
from hwgen.importers.tflite.node import Reading, map_of

BEHIND = frozenset({"DEQUANTIZE", *MOVES})
"""What may stand behind rows of several maps."""


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A tensor of the rows of several maps.

    sources: numbers of the tensors of the maps; places: numbers of elements in these maps, one
    behind the other, of the shape of this tensor; name, operator: of the node that lists them
    """

    sources: tuple[int, ...]
    places: Places
    name: str
    operator: str

    @property
    def order(self) -> Places:
        """The places without the batch."""
        return self.places[0] if self.places.ndim > 1 and len(self.places) == 1 else self.places


def lists_rows(reading: Reading) -> bool:
    """Return whether an operator concatenates along another axis than the channels."""
    rank = len(reading.outputs[0].shape)
    return (
        reading.operator.operator == "CONCATENATION"
        and rank > 1
        and int(reading.option("Axis")) % rank != rank - 1
    )


def list_of(reading: Reading, parts: Sequence[tuple[int, Places]], image: int) -> Listed:
    """Return what a concatenation of rows has.

    parts: of each input the number of the tensor of its map, and the places of its elements there
    image: number of the tensor of the image
    """
    output = reading.outputs[0]
    values = map_of(output)
    begins: dict[int, int] = {}
    end, moved = 0, []
    for place, (source, places) in enumerate(parts):
        if values is None or reading.map(place).same_numbers != values.same_numbers:
            raise RefusedError("its inputs", "of the scale of its output", "another scale")
        if source == image:
            raise RefusedError("its inputs", "of layers, where it lists rows", "the image")
        if source not in begins:
            begins[source] = end
            end += math.prod(reading.file.tensors[source].shape)
        moved.append(np.where(places == ZERO, ZERO, places + begins[source]))
    return Listed(
        sources=(*begins,),
        places=np.concatenate(moved, axis=int(reading.option("Axis")) % len(output.shape)),
        name=reading.name,
        operator=reading.operator.operator,
    )


def further_list(listed: Listed, file: TFLiteFile, number: int) -> Unsupported:
    """Return the node in place of rows of several maps that are not the first output."""
    return Unsupported(
        name=listed.name,
        operator=listed.operator,
        inputs=tuple(file.tensors[source].name for source in listed.sources),
        output=file.tensors[number].name,
        what="rows of several maps",
        allowed="the first output of the network",
        given="a further one",
    )


def said_of(listed: Listed, file: TFLiteFile, number: int) -> str:
    """Return what the host does to have the first output."""
    sources = ", ".join(file.tensors[source].name for source in listed.sources)
    return (
        f"output {file.tensors[number].name} lists elements of the maps {sources}: chips write"
        " these; element i of the file's answer is element answer_places[i] of them, one behind"
        " the other, and hwgen compares and infers in the file's order"
    )
