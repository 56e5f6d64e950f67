"""Wires between placed cells: their length, capacitance and delay, by a table of the library.

A net is as long as half the perimeter of its pins times a factor of the number of its pins. Each
reader has a way of its own from the driver, with its share of the capacitance.

Tests: `tests/physical/test_placement.py`.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass as checked

from hwgen.chip.figures import Positive
from hwgen.files.load import EXACT, load_spec
from hwgen.files.shipped import shipped_folder
from hwgen.physical.netlist import Net

FOLDER = "wires"
"""Of the tables that ship."""
FEW_PINS, SOME_PINS = 3, 50
"""Up to so many pins half the perimeter is the length, and up to so many its factor grows fast."""
NS_OF_OHM_PF = 1e-3
SLEW_OF_DELAY = 2.2
"""Slew from 10 to 90 % that a wire of a delay alone has."""

Text = Annotated[str, Field(min_length=1)]
Point = tuple[float, float]
"""x, y in um."""


@checked(frozen=True, kw_only=True, config=EXACT)
class WireTable:
    """The metals of a library as one mean wire, and the size of its rows and memories.

    row_um, site_um: height of a row of cells, and the step of their widths
    bit_um2: of a small memory; macro_um2, macro_bit_um2: of one where that is less; null: never
    """

    format: Literal["hwgen.wires"]
    version: Literal[1]
    library: Text
    row_um: Positive
    site_um: Positive
    ohm_a_um: Positive
    pf_a_um: Positive
    bit_um2: Positive
    macro_um2: Positive | None
    macro_bit_um2: Positive | None
    source: Text

    def memory_um2(self, bits: int) -> float:
        """Return the area of a memory of some bits."""
        small = self.bit_um2 * bits
        if self.macro_um2 is None or self.macro_bit_um2 is None:
            return small
        return min(small, self.macro_um2 + self.macro_bit_um2 * bits)


@dataclass(frozen=True)
class FoundTable:
    """A table of wires and the file that it came from."""

    table: WireTable
    file: Path

    @property
    def digest(self) -> str:
        """sha256 of the file."""
        return hashlib.sha256(self.file.read_bytes()).hexdigest()


def wire_table(library: str) -> FoundTable | None:
    """Return the table of a library that ships; None: there is none."""
    for file in sorted((shipped_folder() / FOLDER).glob("*.yaml")):
        table = load_spec(WireTable, file)
        if table.library == library:
            return FoundTable(table, file)
    return None


@dataclass(frozen=True)
class Wires:
    """Wires of a netlist.

    um: length by net; pf: capacitance by net; legs: ohm and pF of the way to a reader, by net and
    name of the reader
    """

    um: Mapping[Net, float]
    pf: Mapping[Net, float]
    legs: Mapping[tuple[Net, str], tuple[float, float]]

    def ns(self, net: Net, reader: str, pin_pf: float) -> float:
        """Return the delay of the way to a pin of a reader."""
        ohm, pf = self.legs.get((net, reader), (0.0, 0.0))
        return ohm * (pf + pin_pf) * NS_OF_OHM_PF


NO_WIRES = Wires({}, {}, {})


def wires_of(
    table: WireTable,
    drivers: Mapping[Net, Point],
    readers: Mapping[Net, Sequence[tuple[str, Point]]],
) -> Wires:
    """Return the wires between the driver of each net and its readers, by their places."""
    um: dict[Net, float] = {}
    legs: dict[tuple[Net, str], tuple[float, float]] = {}
    for net, start in drivers.items():
        ends = readers.get(net, ())
        if not ends:
            continue
        um[net] = length_um([start, *(place for _, place in ends)])
        ways = [abs(x - start[0]) + abs(y - start[1]) for _, (x, y) in ends]
        total = sum(ways) or 1.0
        for (name, _), way in zip(ends, ways, strict=True):
            pf = table.pf_a_um * um[net] * way / total
            legs[net, name] = table.ohm_a_um * way / 2, pf
    return Wires(um, {net: table.pf_a_um * length for net, length in um.items()}, legs)


def length_um(pins: Sequence[Point]) -> float:
    """Return the length of a net from the places of its pins."""
    across = max(x for x, _ in pins) - min(x for x, _ in pins)
    up = max(y for _, y in pins) - min(y for _, y in pins)
    return (across + up) * steiner(len(pins))


def steiner(pins: int) -> float:
    """Return how much longer a tree over some pins is than half the perimeter around them.

    Fitted to a routed module of 4,834 gates.
    """
    if pins <= FEW_PINS:
        return 1.0
    return float(0.89 * pins**0.22 if pins < SOME_PINS else 0.5 * pins**0.37)
