"""Maximum over a window."""

from typing import Any

from numpy.typing import NDArray

from golden.ops.windows import NO_PADDING, Pair, Sides, windows


def max_pool(
    maps: NDArray[Any], *, kernel: Pair, stride: Pair, padding: Sides = NO_PADDING
) -> NDArray[Any]:
    """Return the largest integer of each window; the border is 0, so that it never wins."""
    seen = windows(maps, kernel=kernel, stride=stride, padding=padding)
    largest: NDArray[Any] = seen.max(axis=(3, 4))
    return largest
