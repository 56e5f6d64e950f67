"""A step of a run: the common unit of cycle model, simulation and reports."""

from dataclasses import dataclass

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
