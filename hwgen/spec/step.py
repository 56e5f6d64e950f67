"""A step of a run, as cycle model, simulation and reports speak of it."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Step:
    """A part of a program that begins and ends: a layer, some of its work, or the chip's own.

    name: unique in a program; layer: the layer that its cycles are counted for, its own name if
        it is no layer's
    begin, end: clock cycles after the accepted start; it takes `end - begin` cycles. Steps may
        overlap where a family overlaps work.
    """

    name: str
    layer: str
    begin: int
    end: int
