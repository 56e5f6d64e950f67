"""Read padding, concatenation, growth between pixels, and heads.

Tests: `tests/importers/tflite/test_operators.py`.
"""

import numpy as np

from hwgen.importers.integer import nodes as ir
from hwgen.importers.integer.grown import bilinear, times_of
from hwgen.importers.integer.maps import QuantizedMap
from hwgen.importers.integer.refused import RefusedError
from hwgen.importers.tflite.node import Reading, map_shape
from hwgen.network.maps import BYTE_BITS

Read = tuple[list[ir.Node], list[QuantizedMap]]
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
    node = ir.Padding(
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
        return [ir.Requantization(**reading.base())], [reading.activated(reading.written())]
    return [ir.Concatenation(**reading.base())], [reading.activated(reading.written())]


def resize_bilinear(reading: Reading) -> Read:
    """Read a growth by powers of two, as a mean over equal pixels."""
    source, output = reading.map(0), reading.written()
    if source.bits > BYTE_BITS:
        raise RefusedError("its maps", "int8 or uint8", f"int{source.bits}")
    if reading.option("AlignCorners"):
        raise RefusedError("its align_corners", "false", "true")
    factor = times_of(source.shape, output.shape)
    if factor is None:
        allowed = f"{source.shape[0]} x {source.shape[1]} times 1, 2 or 4"
        raise RefusedError("its size", allowed, f"{output.shape[0]} x {output.shape[1]}")
    times, window = bilinear(factor, centres=bool(reading.option("HalfPixelCenters")))
    about = reading.base()
    repeated = f"{reading.output}/repeated"
    nodes: list[ir.Node] = [
        ir.Upsampling(
            **{**about, "name": f"{reading.name}_repeated", "output": repeated},
            factor=times,
            zeros=False,
        ),
        ir.AveragePooling(
            **{**about, "inputs": (repeated,)},
            **window,
        ),
    ]
    height, width, channels = source.shape
    return nodes, [source.reshaped((height * times[0], width * times[1], channels)), output]


def head(reading: Reading) -> Read:
    """Read a Softmax; over the channels of the answer it keeps their order."""
    source = reading.map(0)
    shape = map_shape(reading.outputs[0].shape)
    if shape != source.shape:
        raise RefusedError("its output", f"of shape {source.shape}", reading.outputs[0].shape)
    return [ir.Head(**reading.base())], [source]


def dequantize(reading: Reading) -> Read:
    """Read the step from integers to real numbers behind the answer."""
    return [ir.Head(**reading.base())], [reading.map(0)]
