"""Modules that have figures in the place of a netlist: memories and arrays of others."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hwgen.physical.cells import Library
from hwgen.physical.liberty import Group, liberty_text, parse_liberty
from hwgen.physical.modules import ModuleCost, Ports
from hwgen.physical.read_library import arcs_of, cell_of, units_of
from hwgen.physical.timing_model import (
    NEVER,
    Arcs,
    InputPort,
    OutputPort,
    Place,
    TimingModel,
    boundary_of,
)

CELLS = Place("cells")
"""Where paths of a macro begin and end."""


@dataclass(frozen=True)
class Macro:
    """A module that is given, and not mapped.

    ports: of the module; ways: from an input to an output without a clock between them
    access_ns: from the clock, or from such an input, to an output
    """

    module: str
    ports: Ports
    ways: Sequence[tuple[str, str]]
    area_um2: float
    leakage_uw: float
    access_ns: float


def macro_cost(macro: Macro, library: Library) -> ModuleCost:
    """Return what a macro costs where modules of a library place it.

    Its inputs load a driver as four buffers do, and need no setup time.
    """
    boundary = boundary_of(library)
    inputs, outputs = {}, {}
    widths = {name: width for name, _, width in macro.ports}
    through = {source for source, _ in macro.ways}
    for name, direction, width in macro.ports:
        if direction == "output":
            outputs[name] = OutputPort(
                launch=[macro.access_ns] * width,
                starts=[CELLS] * width,
                slew=[boundary.slew] * width,
                resistance=[0.0] * width,
            )
            continue
        captured = name not in through
        inputs[name] = InputPort(
            capacitance=[boundary.load] * width,
            capture=[0.0 if captured else NEVER] * width,
            ends=[CELLS if captured else None] * width,
            readers=[1] * width,
        )
    arcs = [
        Arcs(
            source=source,
            target=target,
            through=(),
            before=[macro.access_ns] * widths[source],
            behind=[0.0] * widths[target],
        )
        for source, target in macro.ways
    ]
    return ModuleCost(
        module=macro.module,
        logic_um2=0.0,
        buffers_um2=0.0,
        macros_um2=macro.area_um2,
        leakage_uw=macro.leakage_uw,
        flip_flops=0,
        gated=0,
        memories=(),
        cells={},
        timing=TimingModel(macro.module, inputs, outputs, arcs, ()),
    )


@dataclass(frozen=True)
class LibertyFigures:
    """What a Liberty file says of one cell: its slowest arc is the time of an access."""

    area_um2: float
    leakage_uw: float
    access_ns: float | None


def liberty_figures(path: Path, module: str) -> LibertyFigures | None:
    """Return the figures of a module in a Liberty file; None: the file has no such cell.

    Errors: FormatError for a file that is no library
    """
    group = parse_liberty(liberty_text(path), path)
    found = next((cell for cell in group.of_kind("cell") if cell.name == module), None)
    if found is None:
        return None
    units = units_of(group)
    cell = cell_of(found, group, units)
    times = [
        value
        for timing in timings_of_outputs(found)
        for arc in arcs_of(timing, group, units)
        for table in (arc.rise, arc.fall)
        if table is not None
        for row in table.values
        for value in row
    ]
    return LibertyFigures(cell.area, cell.leakage_uw, max(times, default=None))


def timings_of_outputs(cell: Group) -> Iterator[Group]:
    """Yield the timing of the outputs of a cell: of pins, of buses, and of pins within buses."""
    for port in cell.of_kind("pin", "bus"):
        for each in (port, *port.of_kind("pin")):
            if each.simple.get("direction", port.simple.get("direction")) == "output":
                yield from each.of_kind("timing")
