"""A step of a run: the common unit of cycle model, simulation and reports."""

from dataclasses import dataclass


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
