"""Read padding, concatenation, growth between pixels, and heads.

Tests: `tests/importers/tflite/test_operators.py`.
"""

import numpy as np

from hwgen.importers.integer.maps import QuantizedMap
from hwgen.importers.integer.nodes import (
    AveragePooling,
    Concatenation,
    Head,
    Node,
    Padding,
    Requantization,
    Upsampling,
)
from hwgen.importers.integer.refused import RefusedError
from hwgen.importers.tflite.node import Reading, map_shape
from hwgen.network.maps import BYTE_BITS

Read = tuple[list[Node], list[QuantizedMap]]
GROWTHS = {1, 2, 4}
"""Times by which bilinear growth multiplies rows and columns."""
PAD_VALUE = 2
"""Place of the value of PADV2."""


def pad(reading: Reading) -> Read:
    """Read rows, columns and channels of real zeros around a map, or of its lowest number."""
    source, output = reading.map(0), reading.written()
    rank = len(reading.tensor(0).shape)
    sides = reading.integers(1, "its padding")
    if sides.shape != (rank, 2) or rank < 2 or sides[0].any():
        raise RefusedError("its padding", f"{rank} x 2, none of images", sides.tolist())
    lowest = False
    if reading.number(PAD_VALUE) is not None:
        value = reading.constant(PAD_VALUE, "its value").reshape(-1).tolist()
        lowest = value != [source.zero_point] and value == [source.low]
        if not lowest and value != [source.zero_point]:
            allowed = f"the zero point ({source.zero_point}), or the lowest integer ({source.low})"
            raise RefusedError("its value", allowed, value)
    spatial = np.zeros((2, 2), np.int64)
    spatial[: rank - 2] = sides[1:-1]
    (top, bottom), (left, right) = spatial.tolist()
    front, behind = sides[-1].tolist()
    node = Padding(
        sides=(top, left, bottom, right),
        channels=(front, behind),
        lowest=lowest,
        **reading.base(),
    )
    return [node], [output]


def concatenation(reading: Reading) -> Read:
    """Read a concatenation by channels; that of one map changes nothing."""
    rank = len(reading.outputs[0].shape)
    axis = int(reading.option("Axis"))
    if rank < 2 or axis % rank != rank - 1:
        raise RefusedError("its axis", f"the channels ({rank - 1})", axis)
    places = range(len(reading.operator.inputs))
    if not all(reading.is_computed(place) for place in places):
        raise RefusedError("its inputs", "maps", "a constant")
    for place in places:
        reading.map(place)
    if len(places) == 1:
        return [Requantization(**reading.base())], [reading.activated(reading.written())]
    return [Concatenation(**reading.base())], [reading.activated(reading.written())]


def resize_bilinear(reading: Reading) -> Read:
    """Read a growth by powers of two, as a mean over equal pixels.

    Of a map in which each pixel stands 2 * factor times along a side, a window as large sees two
    neighbours as often as a new pixel between them weighs them, and what is outside is left out.
    """
    source, output = reading.map(0), reading.written()
    if source.bits > BYTE_BITS:
        raise RefusedError("its maps", "int8 or uint8", f"int{source.bits}")
    if reading.option("AlignCorners"):
        raise RefusedError("its align_corners", "false", "true")
    factor = tuple(new // old for new, old in zip(output.shape[:2], source.shape[:2], strict=True))
    grown = (source.shape[0] * factor[0], source.shape[1] * factor[1])
    if output.shape[:2] != grown or not set(factor) <= GROWTHS:
        allowed = f"{source.shape[0]} x {source.shape[1]} times 1, 2 or 4"
        raise RefusedError("its size", allowed, f"{output.shape[0]} x {output.shape[1]}")
    centres = bool(reading.option("HalfPixelCenters"))
    times = (copies(factor[0], centres), copies(factor[1], centres))
    before, behind = zip(*(border(each, centres) for each in factor), strict=True)
    about = reading.base()
    repeated = f"{reading.output}/repeated"
    nodes: list[Node] = [
        Upsampling(
            **{**about, "name": f"{reading.name}_repeated", "output": repeated},
            factor=times,
            zeros=False,
        ),
        AveragePooling(
            **{**about, "inputs": (repeated,)},
            kernel=times,
            stride=(times[0] // factor[0], times[1] // factor[1]),
            padding=(*before, *behind),
        ),
    ]
    height, width, channels = source.shape
    return nodes, [source.reshaped((height * times[0], width * times[1], channels)), output]


def copies(factor: int, centres: bool) -> int:
    """Return how often a pixel stands beside itself; centres: new ones count from their middle."""
    return factor * 2 if centres and factor > 1 else factor


def border(factor: int, centres: bool) -> tuple[int, int]:
    """Return how far the first and the last window lie outside the map."""
    return (factor - 1, factor - 1) if centres else (0, factor - 1)


def head(reading: Reading) -> Read:
    """Read a Softmax; over the channels of the answer it keeps their order."""
    source = reading.map(0)
    shape = map_shape(reading.outputs[0].shape)
    if shape != source.shape:
        raise RefusedError("its output", f"of shape {source.shape}", reading.outputs[0].shape)
    return [Head(**reading.base())], [source]


def dequantize(reading: Reading) -> Read:
    """Read the step from integers to real numbers behind the answer."""
    return [Head(**reading.base())], [reading.map(0)]
