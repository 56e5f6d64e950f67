"""Cells of a library by what they do: those that a synthesis needs by name.

Tests: `tests/physical/test_library.py`.
"""

from collections.abc import Sequence

from hwgen.physical.cells import SETUP, Cell, ClockGate, FullAdder

XOR3, MAJORITY = 0b10010110, 0b11101000
"""Truth tables of sum and carry of a full adder; bit i is the value for the inputs i."""
ENABLES = ("E", "EN", "GATE", "CE", "ENA", "CEN")
"""Usual names of the enable of a clock gate that has a test input as well."""


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
