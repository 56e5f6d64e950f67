"""A map that one call leaves for the next: the memory of a recurrent or a streaming network.

Tests: `tests/network/test_states.py`.
"""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.network.constant import elements_complaints
from hwgen.network.layer import LayerBase, Surroundings, one_mode_complaints
from hwgen.network.maps import Complaint, FeatureMap, Shape


@dataclass(frozen=True, kw_only=True, config=EXACT)
class State(LayerBase):
    """What the layer `next` made in the call before.

    Array `map` uint8 (height, width, channels): the first value. All states change together, when
    a call is over: whoever reads one in a call reads the old value.

    next: name of a layer that is no state, of the same shape and quantization
    """

    op: Literal["state"]
    next: str

    INPUT_COUNT: ClassVar[tuple[int, int]] = (0, 0)
    ARRAY_TYPES: ClassVar[dict[str, tuple[Any, ...]]] = {"map": (np.uint8,)}

    def output_shape(self, sources: Sequence[FeatureMap]) -> Shape:
        """Return the shape that the file gives it."""
        return self.output.shape

    def complaints(self, around: Surroundings) -> Iterator[Complaint]:
        """Check that the first value is bytes of the range of the map."""
        yield from one_mode_complaints(self.name, around)
        yield from elements_complaints(self.name, self.output, around.arrays["map"])


def next_complaints(
    state: State, maps: dict[str, FeatureMap], states: set[str]
) -> Iterator[Complaint]:
    """Check what follows on a state; maps: of all layers."""
    where = f"{state.name}.next"
    if state.next not in maps or state.next in states:
        yield where, "the name of a layer that is no state", state.next
        return
    found = maps[state.next]
    if found.shape != state.output.shape:
        yield where, f"a map of shape {state.output.shape}", found.shape
    if (found.bits, found.quantization) != (state.output.bits, state.output.quantization):
        yield where, f"of the bits and the quantization of {state.name}", "others"
