"""A library of cells: areas, capacitances, functions and tables, in ns, pF, um2 and uW."""

import hashlib
from bisect import bisect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hwgen.physical.functions import truth_table
from hwgen.physical.liberty import Group, broken, liberty_text, parse_liberty

Floats = NDArray[np.float64]

SETUP = ("setup_rising", "setup_falling")
EDGES = ("rising_edge", "falling_edge")
COMBINATIONAL = ("", "combinational", "combinational_rise", "combinational_fall")
SECOND_AXIS = ("total_output_net_capacitance", "related_pin_transition")
"""Variables that belong to columns."""
PREFIXES = {"f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "m": 1e-3}
XOR3, MAJORITY = 0b10010110, 0b11101000
"""Truth tables of sum and carry of a full adder; bit i is the value for the inputs i."""


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


def load_library(path: Path) -> tuple[Library, Group]:
    """Return the library of a Liberty file, and its parsed text.

    Errors: FormatError for a file that is no library, or one without flip-flop, inverter, buffer or
    tie cells: nothing can be mapped to it
    """
    text = liberty_text(path)
    group = parse_liberty(text, path)
    try:
        units = units_of(group)
        cells = {cell.name: cell_of(cell, group, units) for cell in group.of_kind("cell")}
    except (IndexError, ValueError):
        raise broken(path, "units or tables that cannot be read") from None
    usable = [cell for cell in cells.values() if not cell.dont_use]
    low, high = tied([*cells.values()], 0), tied([*cells.values()], 1)
    needed = {
        "flip-flop": next((cell.name for cell in usable if is_plain_flip_flop(cell)), None),
        "inverter": single(usable, 0b01),
        "buffer": tree_buffer(usable),
        "tie cells": low and high,
    }
    missing = [what for what, found in needed.items() if not found]
    if missing:
        raise broken(path, f"a library without {' and '.join(missing)}")
    assert low is not None and high is not None and needed["buffer"]
    return (
        Library(
            name=group.name,
            file=str(path),
            digest=hashlib.sha256(text.encode()).hexdigest(),
            voltage=group.number("nom_voltage", 1.0),
            cells=cells,
            buffer=str(needed["buffer"]),
            tie_low=low,
            tie_high=high,
            gate=clock_gate([*cells.values()]),
            adder=full_adder(usable),
        ),
        group,
    )


@dataclass(frozen=True)
class Units:
    """What the numbers of a library are multiplied with: ns, pF, uW."""

    time: float
    capacitance: float
    leakage: float
    voltage: float


def units_of(group: Group) -> Units:
    """Return the units of a library."""
    number, unit = (group.complex.get("capacitive_load_unit") or [("1", "pf")])[0]
    return Units(
        time=scale(group.simple.get("time_unit", "1ns")) / 1e-9,
        capacitance=float(number) * PREFIXES.get(unit[0].lower(), 1e-12) / 1e-12,
        leakage=scale(group.simple.get("leakage_power_unit", "1nW")) / 1e-6,
        voltage=scale(group.simple.get("voltage_unit", "1V")),
    )


def scale(unit: str) -> float:
    """Return a unit such as 1ns or 10pW in seconds or watts."""
    digits = unit.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ")
    return float(digits) * PREFIXES.get(unit[len(digits) :].strip()[:1].lower(), 1.0)


def cell_of(group: Group, library: Group, units: Units) -> Cell:
    """Return a cell."""
    flip_flop = next(group.of_kind("ff", "ff_bank"), None)
    gate = group.simple.get("clock_gating_integrated_cell", "")
    pins = {pin.name: pin_of(pin, library, units) for pin in group.of_kind("pin")}
    clock = "" if flip_flop is None else flip_flop.simple.get("clocked_on", "")
    if gate:
        clock = role(group, "clock_gate_clock_pin")
    return Cell(
        name=group.name,
        area=group.number("area"),
        leakage_uw=group.number("cell_leakage_power") * units.leakage,
        pins={name: pin for name, pin in pins.items() if pin is not None},
        dont_use=group.simple.get("dont_use", "false").lower() == "true",
        is_flip_flop=flip_flop is not None,
        gate=gate,
        clock=clock.strip("()! '"),
        data="" if flip_flop is None else stored_pin(flip_flop, pins),
        inverted=[] if flip_flop is None else inverted_pins(flip_flop, pins),
    )


def stored_pin(flip_flop: Group, pins: Mapping[str, Pin | None]) -> str:
    """Return the pin that a flip-flop stores: its next state if that is a pin, else empty."""
    state = flip_flop.simple.get("next_state", "").strip("() ")
    return state if pins.get(state) is not None else ""


def inverted_pins(flip_flop: Group, pins: Mapping[str, Pin | None]) -> list[str]:
    """Return the outputs of a flip-flop that show the inverse of what it stores."""
    inverse = flip_flop.arguments[1] if len(flip_flop.arguments) > 1 else ""
    return [name for name, pin in pins.items() if pin and pin.is_output and pin.function == inverse]


def role(group: Group, attribute: str) -> str:
    """Return the pin of a cell with an attribute."""
    for pin in group.of_kind("pin"):
        if pin.simple.get(attribute, "").lower() == "true":
            return pin.name
    return ""


def pin_of(group: Group, library: Group, units: Units) -> Pin | None:
    """Return a pin; None for an internal one."""
    direction = group.simple.get("direction", "input")
    if direction not in ("input", "output"):
        return None
    arcs = [arc for each in group.of_kind("timing") for arc in arcs_of(each, library, units)]
    return Pin(
        name=group.name,
        is_output=direction == "output",
        capacitance=group.number("capacitance") * units.capacitance,
        most_load=group.number("max_capacitance") * units.capacitance,
        function=group.simple.get("function", group.simple.get("state_function", "")),
        arcs=arcs,
        energy=transition_pj(group, units),
    )


def transition_pj(group: Group, units: Units) -> float:
    """Return the internal energy of one transition of a pin, in pJ.

    The unit of these tables is that of capacitance times voltage squared. An edge takes the mean of
    its tables at the lowest slew and the second load: the gates of this flow drive few inputs.
    """
    means = []
    for power in group.of_kind("internal_power"):
        values = [
            numbers(table.complex["values"][0])
            for table in power.of_kind("rise_power", "fall_power", "power")
            if "values" in table.complex
        ]
        means += [float(np.mean(each[: min(2, len(each))])) for each in values]
    energy = units.capacitance * units.voltage**2
    return max(float(np.mean(means)), 0.0) * energy if means else 0.0


def arcs_of(group: Group, library: Group, units: Units) -> Iterator[Arc]:
    """Yield the arcs of a group `timing` that delays and setup times need."""
    kind = group.simple.get("timing_type", "")
    if kind not in (*COMBINATIONAL, *EDGES, *SETUP):
        return
    tables = {table.kind: table_of(table, library, units) for table in group.groups}
    setup = kind in SETUP
    names = ("rise_constraint", "fall_constraint") if setup else ("cell_rise", "cell_fall")
    for related in group.simple.get("related_pin", "").split():
        yield Arc(
            related=related,
            sense=group.simple.get("timing_sense", "non_unate"),
            kind=kind,
            rise=tables.get(names[0]),
            fall=tables.get(names[1]),
            rise_slew=tables.get("rise_transition"),
            fall_slew=tables.get("fall_transition"),
        )


def table_of(group: Group, library: Group, units: Units) -> Table | None:
    """Return a table; its axes may be those of its template."""
    if "values" not in group.complex:
        return None
    template = next((each for each in library.groups if each.name == group.name), group)
    axes = []
    for axis in ("index_1", "index_2"):
        given = group.complex.get(axis) or template.complex.get(axis)
        axes.append(numbers(given[0]) if given else np.zeros(1))
    values = numbers(group.complex["values"][0])
    if values.size != len(axes[0]) * len(axes[1]):
        return None
    values = values.reshape(len(axes[0]), len(axes[1])) * units.time
    if template.simple.get("variable_1", "") in SECOND_AXIS:
        values, axes = values.T, axes[::-1]
    second = units.time if group.kind.endswith("constraint") else units.capacitance
    rows, columns = axes[0] * units.time, axes[1] * second
    return Table(rows.tolist(), columns.tolist(), values.tolist())


def numbers(strings: Sequence[str]) -> Floats:
    """Return all numbers of strings with commas between them."""
    text = " ".join(strings).replace(",", " ").replace("\\", " ")
    return np.array([float(word) for word in text.split()])


def is_plain_flip_flop(cell: Cell) -> bool:
    """Whether flip-flops of a design can be mapped to a cell: it has a clock and stores D."""
    return cell.is_flip_flop and bool(cell.clock)


def single(cells: Sequence[Cell], table: int) -> str | None:
    """Return the smallest cell with one input whose output has a truth table."""
    found = [
        cell
        for cell in cells
        if len(cell.inputs) == 1
        and len(cell.outputs) == 1
        and not cell.is_flip_flop
        and cell.table_of(cell.outputs[0]) == table
    ]
    return min(found, key=lambda cell: cell.area).name if found else None


def tree_buffer(cells: Sequence[Cell]) -> str | None:
    """Return the buffer of trees: the smallest one that drives ten of its kind."""
    found = sorted(
        (
            cell
            for cell in cells
            if len(cell.inputs) == 1
            and len(cell.outputs) == 1
            and cell.table_of(cell.outputs[0]) == 0b10
            and cell.pins[cell.outputs[0]].arcs
        ),
        key=lambda cell: cell.area,
    )
    for cell in found:
        most = cell.pins[cell.outputs[0]].most_load
        if not most or most >= 10 * cell.pins[cell.inputs[0]].capacitance:
            return cell.name
    return found[-1].name if found else None


def tied(cells: Sequence[Cell], value: int) -> tuple[str, str] | None:
    """Return cell and pin of the smallest constant."""
    found = [
        (cell.area, cell.name, name)
        for cell in cells
        if not cell.inputs
        for name in cell.outputs
        if cell.pins[name].function.strip('" ()') == str(value)
    ]
    return min(found)[1:] if found else None


def clock_gate(cells: Sequence[Cell]) -> ClockGate | None:
    """Return the smallest clock gate for rising edges, without a test input if there is one."""
    found = []
    for cell in cells:
        if not cell.gate.startswith("latch_posedge") or len(cell.outputs) != 1 or not cell.clock:
            continue
        others = [name for name in cell.inputs if name != cell.clock]
        setups = [name for name in others if any(arc.kind in SETUP for arc in cell.pins[name].arcs)]
        named = [name for name in setups if name in ENABLES] or setups
        if named:
            low = [name for name in others if name != named[0]]
            found.append((len(low), cell.area, cell.name, named[0], low))
    if not found:
        return None
    _, _, name, enable, low = min(found)
    cell = next(cell for cell in cells if cell.name == name)
    return ClockGate(cell=name, enable=enable, clock=cell.clock, out=cell.outputs[0], low=low)


ENABLES = ("E", "EN", "GATE", "CE", "ENA", "CEN")
"""Usual names of the enable of a clock gate that has a test input as well."""


def full_adder(cells: Sequence[Cell]) -> FullAdder | None:
    """Return the smallest full adder."""
    found = []
    for cell in cells:
        if len(cell.inputs) != 3 or len(cell.outputs) != 2 or cell.is_flip_flop:
            continue
        tables = {cell.table_of(name): name for name in cell.outputs}
        if XOR3 in tables and MAJORITY in tables:
            found.append((cell.area, cell.name, tables[MAJORITY], tables[XOR3]))
    if not found:
        return None
    _, name, carry, total = min(found)
    inputs = next(cell.inputs for cell in cells if cell.name == name)
    return FullAdder(cell=name, inputs=inputs, carry=carry, sum=total)
