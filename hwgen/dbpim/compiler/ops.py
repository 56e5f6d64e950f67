"""The operations that a network is lowered to: each is one pass of the chip over an output map.

Tests: `tests/dbpim/compiler/test_unstored.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hwgen.dbpim.facts.stream import FilterParameters

Fields = dict[str, int]
Pair = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class MapShape:
    """A map of one image as it is stored: the image, a layer's output, or sums in between."""

    name: str
    height: int
    width: int
    channels: int

    @property
    def one_pixel(self) -> bool:
        """Whether several images are stacked along x, not along y."""
        return self.height == self.width == 1


@dataclass(frozen=True, kw_only=True)
class Window:
    """A window over a map: (vertical, horizontal); padding: above and left of the map.

    grow: the map is seen with 2**grow times its rows and columns
    """

    kernel: Pair = (1, 1)
    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    grow: Pair = (0, 0)

    @property
    def point(self) -> bool:
        """Whether an output reads the input of its own position alone."""
        return self == Window()

    def rows(self, first: int, end: int, height: int) -> tuple[int, int]:
        """Return the input rows of output rows `first` to `end`, clipped to the map."""
        top = first * self.stride[0] - self.padding[0]
        bottom = (end - 1) * self.stride[0] - self.padding[0] + self.kernel[0]
        top, bottom = top >> self.grow[0], ((bottom - 1) >> self.grow[0]) + 1
        return max(0, min(top, height)), max(0, min(bottom, height))


@dataclass(frozen=True, kw_only=True)
class ChannelWeights:
    """Depthwise weights.

    weights: int8, (channel words, taps, C); parameters: of each channel, padded to whole words
    """

    weights: NDArray[np.int8]
    parameters: Sequence[FilterParameters]


@dataclass(frozen=True, kw_only=True)
class Floats:
    """What the row unit needs of a layer: numbers and header of a ``FloatsPacket``."""

    numbers: NDArray[np.uint32]
    fields: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Op:
    """One pass over an output map, which becomes one step or several.

    name: unique; layer, op: of the network
    inputs: maps that it reads; of ADD, MULTIPLY, SQUARES, products and a fused addition two
    output: the map that it writes
    size: output positions of one image, (height, width)
    fields: of the instruction, as far as they do not depend on places and cores
    words: first channel word and their number, of a SIMD operation; of the row unit those of groups
    group_words: channel words of a group
    broadcast: map b has one pixel; whole_second: each position reads all pixels of map b
    weights: whether filters are sent; taps, table, floats: what a SIMD operation receives
    whole: whether its results are bytes of the layer's map, not sums in between
    fused: convolution that it computes on the way; then `layer` is the addition, and the last map
        that it reads is the other addend
    """

    name: str
    layer: str
    op: str
    kind: Literal["conv", "simd"]
    inputs: tuple[str, ...]
    output: str
    size: Pair
    fields: Mapping[str, int]
    window: Window = field(default_factory=Window)
    words: Pair = (0, 1)
    group_words: int = 1
    broadcast: bool = False
    whole_second: bool = False
    taps: ChannelWeights | None = None
    table: NDArray[np.uint8] | None = None
    floats: Floats | None = None
    whole: bool = True
    fused: str | None = None

    def second_rows(self, part: Pair, size: int) -> Pair:
        """Return the rows of map b, of `size`, that a part of the output's rows reads."""
        if self.whole_second:
            return 0, size
        return (0, 1) if self.broadcast else part

    @property
    def raw(self) -> bool:
        """Whether the results are int32 in the logit buffer."""
        return bool(self.fields.get("raw", 0))


@dataclass(frozen=True, kw_only=True)
class ImageLoad:
    """How the image is loaded: the fields of LOAD that tell the format of its memory."""

    shape: tuple[int, int, int]
    pixel_bytes: int
    fields: Mapping[str, int]
    whole: bool


@dataclass(frozen=True, kw_only=True)
class Lowered:
    """A network as passes.

    maps: by name; ops: in topological order; image: its format
    filters: as `Source` has them; constants: uint8 (height, width, channels) by name
    outputs: names of the maps that the host reads, in the file's order
    states: uint8 (height, width, channels), the first value of each state by name
    kept: by map the states that it becomes when the call is over
    appended: by map the appends whose new pixels it is; caches: by append its state
    """

    maps: dict[str, MapShape]
    ops: list[Op]
    image: ImageLoad
    filters: dict[str, NDArray[np.int8]]
    constants: dict[str, NDArray[np.uint8]]
    outputs: tuple[str, ...]
    states: dict[str, NDArray[np.uint8]]
    kept: dict[str, list[str]]
    appended: dict[str, list[str]]
    caches: dict[str, str]

    @property
    def remembered(self) -> set[str]:
        """Maps that lie in memory from the beginning of a call, or get new pixels there."""
        return {*self.states, *self.caches}
