"""Read operators that move elements: each is applied to the places of the elements.

A chain of them needs no rule of its own; what reads the result gets it as a map.

Tests: `tests/importers/tflite/test_operators.py`.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from hwgen.importers.integer.moves import Places
from hwgen.importers.integer.refused import RefusedError
from hwgen.importers.tflite.node import Reading


@dataclass(frozen=True, kw_only=True)
class Moved:
    """A tensor that only rearranges a map.

    source: number of the tensor of that map; places: in it, of the shape of this tensor
    name, operator: of the last node that moved it
    """

    source: int
    places: Places
    name: str
    operator: str


LARGEST = 1 << 25
"""Elements of a tensor at most."""

Move = Callable[[Reading, Places], list[Places]]


def check_elements(count: int) -> None:
    """Refuse a tensor of more elements than any map has."""
    if count > LARGEST:
        raise RefusedError("its elements", f"at most {LARGEST}", count)


def reshape(reading: Reading, places: Places) -> list[Places]:
    """Return a new shape with the same order of elements."""
    shape = reading.outputs[0].shape
    if math.prod(shape) != places.size:
        raise RefusedError("its output", f"of {places.size} elements", math.prod(shape))
    return [places.reshape(shape)]


def transpose(reading: Reading, places: Places) -> list[Places]:
    """Return dimensions in another order."""
    order = reading.integers(1, "its order").reshape(-1).tolist()
    if sorted(order) != list(range(places.ndim)):
        raise RefusedError("its order", f"of {places.ndim} dimensions", order)
    return [places.transpose(order)]


def strided_slice(reading: Reading, places: Places) -> list[Places]:
    """Return a part at equal steps in each dimension."""
    begin, end, step = (
        reading.integers(place, "its bounds").reshape(-1).tolist() for place in (1, 2, 3)
    )
    masks = {name: int(reading.option(f"{name}Mask", 0)) for name in MASKS}
    if masks["Ellipsis"] or masks["NewAxis"]:
        raise RefusedError("its masks", "those of begin, end and shrink", "others")
    if not len(begin) == len(end) == len(step) <= places.ndim or 0 in step:
        raise RefusedError("its bounds", f"of at most {places.ndim} dimensions", len(begin))
    picked: list[slice | int] = []
    for axis, (first, last, stride) in enumerate(zip(begin, end, step, strict=True)):
        if masks["ShrinkAxis"] >> axis & 1:
            picked.append(first)
            continue
        no_begin, no_end = masks["Begin"] >> axis & 1, masks["End"] >> axis & 1
        picked.append(slice(None if no_begin else first, None if no_end else last, stride))
    return [places[tuple(picked)]]


MASKS = ("Begin", "End", "Ellipsis", "NewAxis", "ShrinkAxis")


def part(reading: Reading, places: Places) -> list[Places]:
    """Return a SLICE: a begin and a size in each dimension."""
    begin = reading.integers(1, "its begin").reshape(-1).tolist()
    sizes = reading.integers(2, "its size").reshape(-1).tolist()
    if not len(begin) == len(sizes) == places.ndim or min(begin) < 0:
        raise RefusedError("its bounds", f"of {places.ndim} dimensions, from 0", begin)
    ends = [None if size < 0 else first + size for first, size in zip(begin, sizes, strict=True)]
    return [places[tuple(slice(*each) for each in zip(begin, ends, strict=True))]]


def split(reading: Reading, places: Places) -> list[Places]:
    """Return equal parts of a dimension."""
    axis = axis_of(reading.integers(0, "its axis").reshape(-1)[0], places)
    count = len(reading.outputs)
    if places.shape[axis] % count:
        raise RefusedError("its parts", f"a divisor of {places.shape[axis]}", count)
    return list(np.split(places, count, axis))


def split_at(reading: Reading, places: Places) -> list[Places]:
    """Return parts of a dimension with sizes of their own."""
    sizes = reading.integers(1, "its sizes").reshape(-1).tolist()
    axis = axis_of(reading.integers(2, "its axis").reshape(-1)[0], places)
    rest = places.shape[axis] - sum(size for size in sizes if size >= 0)
    sizes = [rest if size < 0 else size for size in sizes]
    if min(sizes) < 1 or sum(sizes) != places.shape[axis]:
        raise RefusedError("its sizes", f"parts of {places.shape[axis]}", sizes)
    return list(np.split(places, np.cumsum(sizes)[:-1], axis))


def gather(reading: Reading, places: Places) -> list[Places]:
    """Return entries of a dimension by constant numbers."""
    indices = reading.integers(1, "its indices")
    axis = axis_of(reading.option("Axis", 0), places)
    if reading.option("BatchDims", 0) or indices.size == 0:
        raise RefusedError("its indices", "for all images alike", "others")
    if indices.min() < 0 or indices.max() >= places.shape[axis]:
        raise RefusedError("its indices", f"from 0 to {places.shape[axis] - 1}", indices.tolist())
    return [places.take(indices, axis)]


def tile(reading: Reading, places: Places) -> list[Places]:
    """Return repetitions along each dimension."""
    times = reading.integers(1, "its multiples").reshape(-1).tolist()
    if len(times) != places.ndim or min(times) < 1:
        raise RefusedError("its multiples", f"{places.ndim}, each at least 1", times)
    check_elements(math.prod(times) * places.size)
    return [np.tile(places, times)]


def resize_nearest(reading: Reading, places: Places) -> list[Places]:
    """Return the nearest row and column of each output, as TFLite chooses it."""
    sizes = reading.integers(1, "its size").reshape(-1).tolist()
    if places.ndim != 4 or len(sizes) != 2 or not all(1 <= each < 1 << 16 for each in sizes):
        raise RefusedError("its size", "rows and columns", sizes)
    check_elements(places.shape[0] * places.shape[3] * math.prod(sizes))
    for axis, size in zip((1, 2), sizes, strict=True):
        places = places.take(nearest(reading, places.shape[axis], size), axis)
    return [places]


def nearest(reading: Reading, side: int, size: int) -> Places:
    """Return for each output the number of the nearest input along a dimension."""
    aligned = bool(reading.option("AlignCorners", False)) and size > 1
    shift = 0.5 if reading.option("HalfPixelCenters", False) else 0.0
    ratio = np.float32((side - 1) / (size - 1) if aligned else side / size)
    position = (np.arange(size, dtype=np.float32) + np.float32(shift)) * ratio
    chosen = np.floor(position + 0.5) if aligned else np.floor(position)
    inside: Places = np.clip(chosen, 0, side - 1).astype(np.int64)
    return inside


def depth_to_space(reading: Reading, places: Places) -> list[Places]:
    """Return channels as blocks of pixels."""
    size = block(reading, places)
    batch, height, width, channels = places.shape
    if channels % size**2:
        raise RefusedError("its block", f"such that it divides {channels} channels", size)
    parts = places.reshape(batch, height, width, size, size, channels // size**2)
    moved = parts.transpose(0, 1, 3, 2, 4, 5)
    return [moved.reshape(batch, height * size, width * size, -1)]


def space_to_depth(reading: Reading, places: Places) -> list[Places]:
    """Return blocks of pixels as channels."""
    size = block(reading, places)
    batch, height, width, channels = places.shape
    if height % size or width % size:
        raise RefusedError("its block", f"such that it divides {height} x {width}", size)
    parts = places.reshape(batch, height // size, size, width // size, size, channels)
    moved = parts.transpose(0, 1, 3, 2, 4, 5)
    return [moved.reshape(batch, height // size, width // size, -1)]


def block(reading: Reading, places: Places) -> int:
    """Return the side of a block."""
    size = int(reading.option("BlockSize"))
    if size < 1 or places.ndim != 4:
        raise RefusedError("its block", "at least 1, of rows and columns", size)
    return size


def axis_of(given: int, places: Places) -> int:
    """Return the number of a dimension, counted from the first; never that of the images."""
    axis = int(given) % places.ndim if -places.ndim <= given < places.ndim else 0
    if axis == 0:
        raise RefusedError("its axis", f"from 1 to {places.ndim - 1}", given)
    return axis


MOVES: Mapping[str, Move] = MappingProxyType(
    {
        "DEPTH_TO_SPACE": depth_to_space,
        "EXPAND_DIMS": reshape,
        "GATHER": gather,
        "RESHAPE": reshape,
        "RESIZE_NEAREST_NEIGHBOR": resize_nearest,
        "SLICE": part,
        "SPACE_TO_DEPTH": space_to_depth,
        "SPLIT": split,
        "SPLIT_V": split_at,
        "SQUEEZE": reshape,
        "STRIDED_SLICE": strided_slice,
        "TILE": tile,
        "TRANSPOSE": transpose,
    }
)
"""What moves the elements, by the name of the operator."""

SECOND = frozenset({"SPLIT"})
"""Operators whose second input is the map."""
