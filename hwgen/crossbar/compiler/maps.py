"""A tensor that carries the image, and what each of its dimensions means.

Reshape, transpose and flatten move no work to a crossbar, but they decide what the next layer
sees. So every dimension carries a meaning: a channel shuffle (reshape, transpose, reshape)
leaves channels, rows and columns where they were, and a flatten leaves one mixed dimension.
"""

import math
from dataclasses import dataclass
from typing import Literal

Axis = Literal["batch", "channel", "row", "column", "mixed", "one"]
"""one: a dimension of size 1, which may mean anything. mixed: several of the others in one."""

LAYOUT: tuple[Axis, ...] = ("batch", "channel", "row", "column")
"""What a convolution or a pooling reads."""


@dataclass(frozen=True, kw_only=True)
class Map:
    """A tensor behind the image.

    providers: places of the layers that wrote it, in the order of concatenation; empty: the image
    shape: the batch included
    axes: the meaning of each dimension
    padding: rows at the top and columns at the left that Pad nodes have put there; shape includes
        them, and those behind
    added: rows and columns of `shape` that Pad nodes have put there, on both sides
    activated: whether a function of each element stands between the providers and this map
    channels: the first channel of each part that a Slice or a Split has cut out, and a mark where
        channels were put into another order; empty: all channels of the providers, in their order
    """

    providers: tuple[int, ...]
    shape: tuple[int, ...]
    axes: tuple[Axis, ...]
    padding: tuple[int, int] = (0, 0)
    added: tuple[int, int] = (0, 0)
    activated: bool = False
    channels: tuple[int, ...] = ()

    def size(self, *meanings: Axis) -> int:
        """Return how many values the dimensions of these meanings make together."""
        return math.prod(
            size for size, axis in zip(self.shape, self.axes, strict=True) if axis in meanings
        )

    @property
    def values(self) -> int:
        """Values for one image."""
        return math.prod(self.shape) // self.size("batch")

    @property
    def is_layered(self) -> bool:
        """Whether it is batch, channels, rows, columns, as windows read it."""
        return len(self.axes) == len(LAYOUT) and all(
            axis in (wanted, "one") or (axis == "mixed" and wanted == "channel")
            for axis, wanted in zip(self.axes, LAYOUT, strict=True)
        )


def named(shape: tuple[int, ...], axes: tuple[Axis, ...]) -> tuple[Axis, ...]:
    """Return the axes, where a dimension of size 1 means anything."""
    return tuple("one" if size == 1 else axis for size, axis in zip(shape, axes, strict=True))


def reshaped(old: Map, shape: tuple[int, ...]) -> tuple[Axis, ...]:
    """Return the meaning of each dimension after the values were cut into another shape.

    Old and new dimensions are walked together; the shortest runs of equal products belong to each
    other. A run of one meaning keeps it, however it is cut; a run of several is mixed.
    """
    before = [pair for pair in zip(old.shape, old.axes, strict=True) if pair[0] > 1]
    axes: list[Axis] = ["one"] * len(shape)
    after = [place for place, size in enumerate(shape) if size > 1]
    while after:
        run = [after.pop(0)]
        left, right = 1, shape[run[0]]
        meanings: set[Axis] = set()
        while left != right:
            if left < right:
                size, axis = before.pop(0)
                left *= size
                meanings.add(axis)
            else:
                run.append(after.pop(0))
                right *= shape[run[-1]]
        for place in run:
            axes[place] = next(iter(meanings)) if len(meanings) == 1 else "mixed"
    return tuple(axes)
