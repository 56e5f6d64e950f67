"""A library of cells: areas, capacitances, functions and tables, in ns, pF, um2 and uW."""

from bisect import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwgen.physical.functions import truth_table

Floats = NDArray[np.float64]

SETUP = ("setup_rising", "setup_falling")
EDGES = ("rising_edge", "falling_edge")
COMBINATIONAL = ("", "combinational", "combinational_rise", "combinational_fall")


@dataclass(frozen=True)
class Table:
    """A table, linear between its points and outside of them.

    Of a delay: rows by input slew, columns by load. Of a setup time: rows by the slew of the data,
    columns by that of the clock.
    """

    rows: Sequence[float]
    columns: Sequence[float]
    values: Sequence[Sequence[float]]

    def at(self, row: float, column: float) -> float:
        """Return the value at a point."""
        i, u = place(self.rows, row)
        j, v = place(self.columns, column)
        below, above = self.values[i], self.values[i + 1 if u else i]
        k = j + 1 if v else j
        low = below[j] + (below[k] - below[j]) * v
        return low + (above[j] + (above[k] - above[j]) * v - low) * u


def place(axis: Sequence[float], value: float) -> tuple[int, float]:
    """Return the interval of an axis that holds a value, and how far in it the value lies."""
    if len(axis) == 1:
        return 0, 0.0
    index = min(max(bisect(axis, value) - 1, 0), len(axis) - 2)
    return index, (value - axis[index]) / (axis[index + 1] - axis[index])


@dataclass(frozen=True, kw_only=True)
class Arc:
    """Timing from an input to an output, or a setup time of an input to a clock.

    sense: positive_unate, negative_unate or non_unate; kind: timing_type, empty: combinational
    rise, fall: delay of that edge of the output, or the setup time of that edge of the input
    rise_slew, fall_slew: None for a setup time
    """

    related: str
    sense: str
    kind: str
    rise: Table | None
    fall: Table | None
    rise_slew: Table | None
    fall_slew: Table | None


@dataclass(frozen=True, kw_only=True)
class Pin:
    """A pin of a cell; energy: pJ of a transition, the mean of all tables, loads excluded."""

    name: str
    is_output: bool
    capacitance: float
    most_load: float
    function: str
    arcs: Sequence[Arc]
    energy: float


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A cell of a library.

    gate: kind of a clock gate (clock_gating_integrated_cell), else empty
    clock: pin of the clock of a flip-flop or clock gate, else empty
    data: pin that a flip-flop stores; inverted: its outputs that show the inverse
    """

    name: str
    area: float
    leakage_uw: float
    pins: Mapping[str, Pin]
    dont_use: bool
    is_flip_flop: bool
    gate: str
    clock: str
    data: str
    inverted: Sequence[str]

    @property
    def inputs(self) -> list[str]:
        """The input pins, in the order of the library."""
        return [pin.name for pin in self.pins.values() if not pin.is_output]

    @property
    def outputs(self) -> list[str]:
        """The output pins, in the order of the library."""
        return [pin.name for pin in self.pins.values() if pin.is_output]

    def table_of(self, output: str) -> int | None:
        """Return the truth table of an output; bit i: inputs i, the first input lowest."""
        return truth_table(self.pins[output].function, self.inputs)


@dataclass(frozen=True, kw_only=True)
class ClockGate:
    """The clock gate that is used: its cell, pins, and inputs that are tied low."""

    cell: str
    enable: str
    clock: str
    out: str
    low: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class FullAdder:
    """The full adder that is used: its cell, three inputs, carry and sum."""

    cell: str
    inputs: Sequence[str]
    carry: str
    sum: str


@dataclass(frozen=True, kw_only=True)
class Library:
    """A library of cells, and those that are found by what they do.

    digest: sha256 of its text; voltage: V; inverter, buffer: the smallest and the one of trees
    tie_low, tie_high: (cell, pin); gate, adder: None where the library has none
    """

    name: str
    file: str
    digest: str
    voltage: float
    cells: Mapping[str, Cell]
    buffer: str
    tie_low: tuple[str, str]
    tie_high: tuple[str, str]
    gate: ClockGate | None
    adder: FullAdder | None

    @property
    def ties(self) -> set[str]:
        """The cells that drive a constant."""
        return {self.tie_low[0], self.tie_high[0]}
