"""What runtimes of files give, in the integers of the network file.

Tests: `tests/importers/tflite/test_operators.py`.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hwgen.importers.integer.maps import QuantizedMap

Maps = dict[str, NDArray[Any]]
"""Unsigned maps by their name in the file: (images, height, width, channels)."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a runtime gives for some images.

    images: as the file quantized them; where steps stand before, not every integer occurs
    maps: those that were asked for and that the runtime shows
    """

    images: NDArray[Any]
    maps: Maps


class Runtime(Protocol):
    """A file in the runtime of its format; name: with its version, for reports."""

    name: str

    def run(self, images: NDArray[Any], names: list[str]) -> Outcome:
        """Run unsigned NHWC images and return the maps of `names`."""


def stored(images: NDArray[Any], values: QuantizedMap) -> NDArray[Any]:
    """Return unsigned images as the integers of the file: int8, uint8 or int16."""
    kind = f"{'' if values.signed else 'u'}int{8 if values.bits <= 8 else 16}"
    return (images.astype(np.int64) - values.offset).astype(kind)


def unsigned(integers: NDArray[Any], values: QuantizedMap) -> NDArray[Any]:
    """Return integers of the file as a map of the network: offset, (images, h, w, c)."""
    kind = values.feature_map().dtype
    moved = integers.astype(np.int64) + values.offset
    return moved.astype(kind).reshape(len(integers), *values.shape)
