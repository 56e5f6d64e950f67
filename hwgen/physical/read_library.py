"""A library of cells from a file in the Liberty format."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hwgen.files.shipped import shipped_folder
from hwgen.physical.cells import COMBINATIONAL, EDGES, SETUP, Arc, Cell, Floats, Library, Pin, Table
from hwgen.physical.liberty import Group, broken, liberty_text, parse_liberty
from hwgen.physical.roles import (
    clock_gate,
    full_adder,
    is_plain_flip_flop,
    single,
    tied,
    tree_buffer,
)

SECOND_AXIS = ("total_output_net_capacitance", "related_pin_transition")
"""Variables that belong to columns."""
DEFAULT_LIBRARY = "sg13g2_stdcell_typ_1p20V_25C.lib.gz"
PREFIXES = {"f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "m": 1e-3}


def default_library() -> Path:
    """Return the library that ships."""
    return shipped_folder() / "liberty" / DEFAULT_LIBRARY


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
