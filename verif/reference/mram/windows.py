"""Reference of the windows that the former makes: 3 x 3 pixels, whatever the kernel."""

import numpy as np

from verif.reference.mram.segments import Elements

WINDOW = 3


def windows(
    stored: Elements,
    *,
    outputs: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    outside: int,
) -> Elements:
    """Return the window of every output position in raster order, (positions, 3, 3, channels).

    stored: (height, width, channels); outputs: height and width of the output map
    padding: rows above and columns left of the map; outside: all elements beside the map
    """
    height, width, channels = stored.shape
    found = np.full((*outputs, WINDOW, WINDOW, channels), outside, np.int64)
    for y in range(outputs[0]):
        for x in range(outputs[1]):
            for tap_y in range(WINDOW):
                for tap_x in range(WINDOW):
                    line = y * stride[0] - padding[0] + tap_y
                    column = x * stride[1] - padding[1] + tap_x
                    if 0 <= line < height and 0 <= column < width:
                        found[y, x, tap_y, tap_x] = stored[line, column]
    return found.reshape(-1, WINDOW, WINDOW, channels)
