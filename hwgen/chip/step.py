"""A step of a run: the common unit of cycle model, simulation and reports."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Protocol

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as checked


@dataclass(frozen=True, kw_only=True)
class Step:
    """A part of a program with begin and end: a layer, a part of one, or work outside the layers.

    name: unique in a program
    layer: the layer that its cycles count for; equal to `name` if it belongs to no layer
    begin, end: clock cycles after the accepted start; it takes `end - begin` cycles. Steps may
        overlap where a family overlaps work.
    """

    name: str
    layer: str
    begin: int
    end: int


class Timed(Protocol):
    """A step of which only the cycles are known."""

    @property
    def name(self) -> str: ...
    @property
    def layer(self) -> str: ...
    @property
    def cycles(self) -> int: ...


def in_a_row(found: Sequence[Timed]) -> tuple[Step, ...]:
    """Return steps of which each begins where the one before it ends, the first in cycle 0."""
    ends = accumulate(step.cycles for step in found)
    return tuple(
        Step(name=step.name, layer=step.layer, begin=end - step.cycles, end=end)
        for step, end in zip(found, ends, strict=True)
    )


@checked(frozen=True, kw_only=True, config=ConfigDict(extra="forbid"))
class PlannedStep:
    """A step as a program plans it.

    kind: of its instruction; op: the layer's operation, or what the chip does
    images: first image of the run and number of images; rows: first row, and the one after the last
    cores: that take part
    output: where its results are, in words; empty: it has none
    """

    name: str
    layer: str
    kind: str
    op: str
    images: tuple[int, int]
    rows: tuple[int, int]
    cores: int
    output: str
