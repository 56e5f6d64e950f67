"""Reference of kernels that fill the places of their segments: which pixel stands where."""

import numpy as np

from verif.reference.mram.segments import Elements

PLACES = 9


def places(taps: Elements, *, tap_places: int, block: int) -> Elements:
    """Return (.., 3, 3, segments * block) of values (.., taps, channels), one place after another.

    A tap has `tap_places` places, each for `block` channels; what has none is 0.
    """
    *outer, count, channels = taps.shape
    segments = -(-count * tap_places // PLACES)
    found = np.zeros((*outer, 3, 3, segments * block), np.int64)
    for tap in range(count):
        for number, first in enumerate(range(0, channels, block)):
            segment, place = divmod(tap * tap_places + number, PLACES)
            values = taps[..., tap, first : first + block]
            begin = segment * block
            found[..., place // 3, place % 3, begin : begin + values.shape[-1]] = values
    return found


def taps_of(
    stored: Elements,
    *,
    kernel: tuple[int, int],
    outputs: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    outside: int,
) -> Elements:
    """Return what a kernel sees at every output position: (positions, taps, channels)."""
    height, width, channels = stored.shape
    found = []
    for y in range(outputs[0]):
        for x in range(outputs[1]):
            for tap_y in range(kernel[0]):
                for tap_x in range(kernel[1]):
                    line = y * stride[0] - padding[0] + tap_y
                    column = x * stride[1] - padding[1] + tap_x
                    inside = 0 <= line < height and 0 <= column < width
                    found.append(stored[line, column] if inside else [outside] * channels)
    return np.array(found, np.int64).reshape(-1, kernel[0] * kernel[1], channels)
