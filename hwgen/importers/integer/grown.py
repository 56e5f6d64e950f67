"""Growth by powers of two whose new pixels are means of their neighbours, as two nodes.

Of a map in which each pixel stands 2 * factor times along a side, a window as large sees two
neighbours as often as a new pixel between them weighs them, and what is outside is left out.

Tests: `tests/importers/onnx/test_resize.py`.
"""

from typing import Any

from hwgen.importers.integer.maps import Shape

GROWTHS = frozenset({1, 2, 4})
"""Times that a side grows."""
Factor = tuple[int, int]


def times_of(source: Shape, output: Shape) -> Factor | None:
    """Return how often larger rows and columns are; None for a growth that is not read."""
    factor = output[0] // source[0], output[1] // source[1]
    grown = (source[0] * factor[0], source[1] * factor[1])
    return factor if output[:2] == grown and set(factor) <= GROWTHS else None


def bilinear(factor: Factor, *, centres: bool) -> tuple[Factor, dict[str, Any]]:
    """Return how often pixels are repeated, and the window of the mean behind.

    centres: new pixels count from their middle
    """
    times = copies(factor[0], centres), copies(factor[1], centres)
    before, behind = zip(*(border(each, centres) for each in factor), strict=True)
    stride = times[0] // factor[0], times[1] // factor[1]
    return times, {"kernel": times, "stride": stride, "padding": (*before, *behind)}


def copies(factor: int, centres: bool) -> int:
    """Return how often a pixel stands beside itself; centres: new ones count from their middle."""
    return factor * 2 if centres and factor > 1 else factor


def border(factor: int, centres: bool) -> tuple[int, int]:
    """Return how far the first and the last window lie outside the map."""
    return (factor - 1, factor - 1) if centres else (0, factor - 1)
