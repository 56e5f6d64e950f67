"""Rearrangements that change rows and columns: repetition, blocks of pixels as channels, parts.

Whatever the operators are called that lead there (Resize, DepthToSpace, a chain of Reshape and
Transpose), the places of the elements say what becomes of them. But for a repetition each is a
convolution with weights of 1, behind zeros between the pixels where the map grows.

Tests: `tests/importers/test_bad_files.py`.
"""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.importers.integer import nodes as ir
from hwgen.importers.integer.maps import Shape

Step = tuple[type[Any], dict[str, Any], Shape]
"""Kind of a node, what it needs besides, and the shape of its output."""

LARGEST_GROWTH = 8
"""Times that a chip repeats pixels in one layer."""
LARGEST_KERNEL = 1 << 22
"""Weights at most of a convolution that moves elements."""


def block_steps(places: NDArray[np.int64], shape: Shape) -> list[Step]:
    """Return the nodes that rearrange a whole map of `shape`; none where these do not suffice.

    places: (rows, columns, channels) of the result, all of the map
    """
    if places.min() < 0:
        return []
    for find in (repeated, gathered, spread, turned):
        steps = find(places, shape)
        if steps:
            return steps
    return []


def numbered(shape: Shape) -> NDArray[np.int64]:
    """Return the places of a whole map."""
    return np.arange(shape[0] * shape[1] * shape[2]).reshape(shape)


def factors(places: NDArray[np.int64], shape: Shape) -> tuple[int, int] | None:
    """Return how often larger rows and columns are; None if no whole number of times, or once."""
    (down, more), (across, rest) = (divmod(places.shape[axis], shape[axis]) for axis in (0, 1))
    return (down, across) if not more and not rest and down * across > 1 else None


def repeated(places: NDArray[np.int64], shape: Shape) -> list[Step]:
    """Return a repetition of pixels: nearest neighbour."""
    factor = factors(places, shape)
    if factor is None or places.shape[2] != shape[2]:
        return []
    grown = numbered(shape).repeat(factor[0], 0).repeat(factor[1], 1)
    if not np.array_equal(grown, places):
        return []
    steps: list[Step] = []
    for each in itertools.zip_longest(*map(list, map(in_steps, factor)), fillvalue=1):
        shape = (shape[0] * each[0], shape[1] * each[1], shape[2])
        steps.append((ir.Upsampling, {"factor": each, "zeros": False}, shape))
    return steps


def in_steps(factor: int) -> Iterator[int]:
    """Yield factors that chips have, which together are one of any size: 16 is 8 times 2."""
    while factor > LARGEST_GROWTH and factor % LARGEST_GROWTH == 0:
        yield LARGEST_GROWTH
        factor //= LARGEST_GROWTH
    yield factor


def gathered(places: NDArray[np.int64], shape: Shape) -> list[Step]:
    """Return a window at equal steps whose pixels become channels: SpaceToDepth, parts of a map."""
    height, width, channels = shape
    rows, columns, made = places.shape
    down = int(places[1, 0, 0] - places[0, 0, 0]) // (width * channels) if rows > 1 else height
    across = int(places[0, 1, 0] - places[0, 0, 0]) // channels if columns > 1 else width
    if min(down, across) < 1:
        return []
    first = places[0, 0]
    origin = (
        np.arange(rows)[:, np.newaxis] * down * width + np.arange(columns) * across
    ) * channels
    if not np.array_equal(origin[..., np.newaxis] + first, places):
        return []
    y, x, picked = first // (width * channels), first // channels % width, first % channels
    kernel = (
        max(int(y.max()) + 1, height - rows * down + 1),
        max(int(x.max()) + 1, width - columns * across + 1),
    )
    if kernel[0] > height - (rows - 1) * down or kernel[1] > width - (columns - 1) * across:
        return []
    alone = np.array_equal(picked, np.arange(channels)) and len({*zip(y, x, strict=True)}) == 1
    inputs = 1 if alone else channels
    if made * kernel[0] * kernel[1] * inputs > LARGEST_KERNEL:
        return []
    weights = np.zeros((made, *kernel, inputs), np.int64)
    weights[np.arange(made), y, x, 0 if alone else picked] = 1
    keys = {"stride": (down, across), "padding": ir.NO_PADDING, "groups": channels if alone else 1}
    step = {"weights": ir.weights_of(weights, scales=1.0), **keys}
    return [(ir.Convolution, step, (rows, columns, made))]


def spread(places: NDArray[np.int64], shape: Shape) -> list[Step]:
    """Return channels as blocks of pixels: DepthToSpace in any order."""
    factor = factors(places, shape)
    if factor is None:
        return []
    height, width, channels = shape
    block = places[: factor[0], : factor[1]]
    grown = numbered(shape)[:, :, :1].repeat(factor[0], 0).repeat(factor[1], 1)
    tiled = np.tile(block, (height, width, 1))
    made = places.shape[2]
    size = made * factor[0] * factor[1] * channels
    if block.max() >= channels or not np.array_equal(grown + tiled, places):
        return []
    if size > LARGEST_KERNEL:
        return []
    weights = np.zeros((made, *factor, channels), np.int64)
    for y in range(factor[0]):
        for x in range(factor[1]):
            weights[np.arange(made), factor[0] - 1 - y, factor[1] - 1 - x, block[y, x]] = 1
    sides = factor[0] - 1, factor[1] - 1
    between = ((height - 1) * factor[0] + 1, (width - 1) * factor[1] + 1, channels)
    keys = {"stride": (1, 1), "padding": (*sides, *sides)}
    return [
        (ir.Upsampling, {"factor": factor, "zeros": True}, between),
        (ir.Convolution, {"weights": ir.weights_of(weights, scales=1.0), **keys}, places.shape),
    ]


def turned(places: NDArray[np.int64], shape: Shape) -> list[Step]:
    """Return the axes in another order."""
    whole = numbered(shape)
    for order in itertools.permutations(range(3)):
        if np.array_equal(whole.transpose(order), places):
            return [(ir.Transposition, {"order": order}, places.shape)]
    return []
