"""One pass of sizing by load: each gate becomes a cell that drives what it has to drive.

Tests: `tests/physical/test_placement.py`.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from hwgen.physical.cells import Cell, Library
from hwgen.physical.netlist import Gate, Net, Netlist
from hwgen.physical.timing_model import boundary_of

MOST_BUFFERS = 0.9
"""What a gate takes for its load, in delays of a buffer that drives four."""


def resized(netlist: Netlist, library: Library, wires_pf: Mapping[Net, float]) -> Netlist:
    """Return the netlist with the smallest cells that drive their pins and wires fast enough.

    wires_pf: of each net. No cell becomes smaller. Loads are those before the pass.
    """
    boundary = boundary_of(library)
    most = MOST_BUFFERS * boundary.delay
    loads: dict[Net, float] = defaultdict(float, wires_pf)
    for gate in netlist.gates:
        for pin, net in gate.pins.items():
            loads[net] += library.cells[gate.cell].pins[pin].capacitance
    alike = families_of(library)

    def fit(gate: Gate) -> Gate:
        cell = library.cells[gate.cell]
        load = max((loads[gate.pins[pin]] for pin in cell.outputs if pin in gate.pins), default=0.0)
        if cell.name in library.ties or slope(cell, boundary.slew, load) <= most:
            return gate
        larger = [each for each in alike[key_of(cell)] if each.area >= cell.area]
        if not larger:
            return gate
        fast = (each for each in larger if slope(each, boundary.slew, load) <= most)
        best = next(fast, min(larger, key=lambda each: slope(each, boundary.slew, load)))
        return replace(gate, cell=best.name)

    return replace(netlist, gates=[fit(gate) for gate in netlist.gates])


def families_of(library: Library) -> Mapping[object, Sequence[Cell]]:
    """Return the cells that do the same, the smallest first."""
    found: dict[object, list[Cell]] = defaultdict(list)
    for cell in sorted(library.cells.values(), key=lambda cell: cell.area):
        if not cell.dont_use:
            found[key_of(cell)].append(cell)
    return found


def key_of(cell: Cell) -> object:
    """Return what a cell does: its pins and their functions."""
    pins = tuple((pin.name, pin.is_output, pin.function) for pin in cell.pins.values())
    return pins, cell.is_flip_flop, cell.gate, cell.clock, cell.data


def slope(cell: Cell, slew: float, load: float) -> float:
    """Return how much later the slowest output of a cell comes for its load than for none."""
    return max(
        (
            table.at(slew, load) - table.at(slew, 0.0)
            for pin in cell.outputs
            for arc in cell.pins[pin].arcs
            for table in (arc.rise, arc.fall)
            if table is not None
        ),
        default=0.0,
    )
