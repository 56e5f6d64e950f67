"""What is cut: the units of a network, and the borders between them.

A border is a map of bytes, uint8 or int8. A unit is what hangs together between borders: it is on
the chip or on the host as a whole.

Tests: `tests/plan/test_units.py`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from graphlib import CycleError, TopologicalSorter

import numpy as np
from numpy.typing import NDArray

Units = tuple[int, ...]
"""Numbers of units, in order: what a unit reads is written before it."""
BYTES = frozenset({"uint8", "int8"})
"""Types of borders."""
Tensors = dict[str, NDArray[np.generic]]
"""Tensors of the file by name, as the file stores them."""


@dataclass(frozen=True, kw_only=True)
class TensorFacts:
    """A tensor of the file: the name of its type in numpy, and its sides."""

    type: str
    sides: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Unit:
    """What hangs together between borders.

    nodes: their numbers in the file; inputs, outputs: tensors that cross its border
    products: multiply-accumulates of one call
    """

    nodes: tuple[int, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    products: int


@dataclass(frozen=True, kw_only=True)
class UnitGraph:
    """The units of a network in order, and the tensors between them.

    names, operators: of each node; inputs, outputs: of the file; of_node: the unit of a node
    """

    units: Sequence[Unit]
    tensors: Mapping[str, TensorFacts]
    names: Sequence[str]
    operators: Sequence[str]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    of_node: Mapping[int, int] = field(default_factory=dict)

    @cached_property
    def writers(self) -> dict[str, int]:
        """The unit that writes each tensor between units."""
        return {name: number for number, unit in enumerate(self.units) for name in unit.outputs}

    @cached_property
    def before(self) -> list[int]:
        """Of each unit all that it depends on: bit k is unit k."""
        found: list[int] = []
        for unit in self.units:
            bits = 0
            for name in unit.inputs:
                if name in self.writers:
                    bits |= found[self.writers[name]] | 1 << self.writers[name]
            found.append(bits)
        return found

    @cached_property
    def readers(self) -> dict[str, set[int]]:
        """The units that read each tensor between units."""
        found: dict[str, set[int]] = {}
        for number, unit in enumerate(self.units):
            for name in unit.inputs:
                found.setdefault(name, set()).add(number)
        return found

    @cached_property
    def products(self) -> int:
        """Multiply-accumulates of one call of the file."""
        return sum(unit.products for unit in self.units)

    def products_of(self, units: Iterable[int]) -> int:
        """Return the multiply-accumulates of some units."""
        return sum(self.units[unit].products for unit in units)

    def ends_of(self, units: Units) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return what units read from outside, and what is read of them outside."""
        inside, mine = {name for unit in units for name in self.units[unit].outputs}, set(units)
        inputs = [name for unit in units for name in self.units[unit].inputs if name not in inside]
        outputs = [
            name
            for unit in units
            for name in self.units[unit].outputs
            if name in self.outputs or self.readers.get(name, set()) - mine
        ]
        return tuple(dict.fromkeys(inputs)), tuple(outputs)

    def is_border(self, name: str) -> bool:
        """Return whether a tensor is a map of bytes."""
        return name in self.tensors and self.tensors[name].type in BYTES

    def staying(self) -> dict[int, str]:
        """Return the units that no chip takes, with the reason."""
        found = {}
        for number, unit in enumerate(self.units):
            if not all(map(self.is_border, unit.inputs)):
                found[number] = "reads numbers that are no bytes"
            elif not unit.outputs or not all(map(self.is_border, unit.outputs)):
                found[number] = "writes numbers that are no bytes"
        return found


def in_units(
    reads: Mapping[int, Iterable[str]], writes: Mapping[str, int], borders: Iterable[str]
) -> list[tuple[int, ...]]:
    """Return the nodes of each unit, in an order in which what a unit reads is written before it.

    reads: tensors that each node reads; writes: the node that writes a tensor. Units that depend on
    each other are one.
    """
    between = set(borders)
    before = {
        node: [(writes[name], name in between) for name in names if writes.get(name) in reads]
        for node, names in reads.items()
    }
    sets = DisjointSets({node: node for node in reads})
    for node, found in before.items():
        for writer, apart in found:
            if not apart:
                sets.join(writer, node)
    while True:
        edges: dict[int, set[int]] = {sets.of(node): set() for node in reads}
        for node, found in before.items():
            edges[sets.of(node)] |= {sets.of(writer) for writer, _ in found} - {sets.of(node)}
        try:
            order = list(TopologicalSorter(edges).static_order())
            break
        except CycleError as error:
            for each in error.args[1]:
                sets.join(error.args[1][0], each)
    members: dict[int, list[int]] = {unit: [] for unit in order}
    for node in reads:
        members[sets.of(node)].append(node)
    return [tuple(sorted(each)) for each in members.values()]


@dataclass
class DisjointSets:
    """Sets that are joined; each has one of its members for a name."""

    parent: dict[int, int]

    def of(self, node: int) -> int:
        """Return the name of the set of a node."""
        while self.parent[node] != node:
            self.parent[node] = node = self.parent[self.parent[node]]
        return node

    def join(self, one: int, other: int) -> None:
        """Make one set of two."""
        self.parent[self.of(other)] = self.of(one)
