"""Netlists of our own: cells with their inputs, and signals with what the source says of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

BIT_PLACES = 20
"""A net is the number of its cell, shifted, and its bit. Amaranth's 16 places are too few for the
sums of a macro with thousands of ADCs.
"""
BIT_MASK = (1 << BIT_PLACES) - 1
Nets = tuple[int, ...]
"""Bits, the lowest first: 0 and 1 are constants, others `cell << BIT_PLACES | bit`."""
ZERO, ONE = 0, 1


@dataclass(slots=True)
class Node:
    """A cell of a netlist.

    kind: "op", "match", "priority", "list", "part", "register", "memory", "write", "read",
        "clocked read", "instance", "property"; "top" for number 0, whose inputs are the outputs
    width: bits of its output
    what: by kind: operator; patterns; none; lowest bit of each assignment; (signed, stride);
        (value at first, edge, whether reset is asynchronous); (name, words, values at first);
        (memory, edge); memory; (memory, edge); (module, name, inputs, outputs, parameters); message
    place: file and line of the source
    below, above: bits of a sum, a shift or a memory that nothing reads, under and over its output
    """

    kind: str
    inputs: list[Nets]
    width: int
    what: Any
    place: tuple[str, int] | None
    below: int = 0
    above: int = 0


@dataclass(slots=True)
class Named:
    """A signal: its name in the part, its nets, its layout if it has one, names of its values.

    place: file and line of the source, those of the cells that are made for its own values too
    """

    name: str
    nets: Nets
    layout: Any = None
    values: Mapping[int, str] = field(default_factory=dict)
    title: str = ""
    place: tuple[str, int] | None = None


@dataclass(slots=True)
class PartNetlist:
    """Cells of a part by number, ports with their nets, and signals in the order of the source."""

    name: str
    nodes: list[Node]
    inputs: dict[str, Nets]
    outputs: dict[str, Nets]
    signals: list[Named]


def outputs_of(number: int, width: int) -> Nets:
    """Return the nets of a cell."""
    return tuple(range(number << BIT_PLACES, (number << BIT_PLACES) + width))


def standing(nets: Nets, stands: dict[int, int]) -> Nets:
    """Return nets, each as what stands for it."""
    return tuple([stands.get(net, net) for net in nets])


def is_constant(nets: Iterable[int]) -> bool:
    """Return whether all bits are constants."""
    return all(net <= ONE for net in nets)


def number_of(nets: Nets) -> int:
    """Return the unsigned value of constant bits."""
    return sum(net << bit for bit, net in enumerate(nets))


def constant(value: int, width: int) -> Nets:
    """Return the bits of a number."""
    return tuple([value >> bit & 1 for bit in range(width)])
