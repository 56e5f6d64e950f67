"""`hwgen cost --placed`: the clock of a placed netlist, with its wires.

Tests: `tests/physical/test_placement.py`.
"""

from dataclasses import dataclass
from pathlib import Path

from hwgen.commands.context import Context
from hwgen.commands.netlists import Synthesized
from hwgen.errors import ConfigError
from hwgen.files.output import write_text
from hwgen.files.shipped import shown
from hwgen.physical.cells import Library
from hwgen.physical.gates import Gates
from hwgen.physical.netlist import Net, Netlist, clock_nets, present
from hwgen.physical.placement import Floor, Placement, place
from hwgen.physical.sizing import resized
from hwgen.physical.timing import slowest_paths
from hwgen.physical.wires import NO_WIRES, FoundTable, Point, Wires, WireTable, wire_table, wires_of
from hwgen.report.cost import CostPlaced, PlacedClock
from hwgen.report.layout_plot import BLOCK, CELL, REGISTER, layout_picture
from hwgen.report.types import Source


def table_of(library: Library) -> FoundTable:
    """Return the table of wires of a library; ConfigError where none ships."""
    found = wire_table(library.name)
    if found is None:
        raise ConfigError(
            field="--placed",
            allowed="of a library whose wires are known (configs/wires)",
            given=library.name,
            source="command line",
        )
    return found


@dataclass(frozen=True)
class Placed:
    """A netlist and where it lies."""

    netlist: Netlist
    placement: Placement
    wires: Wires


def placed(
    context: Context, chip: Synthesized, floor: Floor, picture: Path | None = None
) -> CostPlaced:
    """Return the clock of a module with wires, before and after a pass of sizing.

    picture: file of the sized placement (.svg)
    """
    found, library = table_of(chip.library), chip.library
    netlist = Gates(chip.modules.netlist).whole(chip.top)
    with context.progress(f"placing {chip.top}"):
        first = laid_out(netlist, library, found.table, floor)
    with context.progress(f"sizing {chip.top}"):
        fitting = resized(netlist, library, first.wires.pf)
        second = laid_out(fitting, library, found.table, floor)
    if picture is not None:
        write_text(picture, drawn(second, library, chip.top), what="picture")
    pairs = zip(netlist.gates, fitting.gates, strict=True)
    return CostPlaced(
        wires=Source(name=found.table.library, file=shown(found.file), digest=found.digest),
        fill=floor.fill,
        aspect=floor.aspect,
        seed=floor.seed,
        gates=len(netlist.gates),
        memories=len(netlist.memories),
        width_um=second.placement.width,
        height_um=second.placement.height,
        mapped=clock_of(first, library),
        sized=clock_of(second, library),
        resized=sum(before.cell != after.cell for before, after in pairs),
    )


def drawn(made: Placed, library: Library, name: str) -> str:
    """Return the picture of a placement."""
    registers = {cell.name for cell in library.cells.values() if cell.is_flip_flop}
    found = made.placement
    boxes = []
    for number, box in enumerate(found.boxes):
        colour = BLOCK if number >= len(made.netlist.gates) else CELL
        colour = REGISTER if box.kind in registers else colour
        boxes.append((colour, box.x, box.y, box.width, box.height))
    return layout_picture(boxes, found.width, found.height, name)


def laid_out(netlist: Netlist, library: Library, table: WireTable, floor: Floor) -> Placed:
    """Return a netlist with its places and wires."""
    found = place(netlist, library, table, floor)
    return Placed(netlist, found, wired(netlist, library, table, found))


def wired(netlist: Netlist, library: Library, table: WireTable, found: Placement) -> Wires:
    """Return the wires of all nets but clocks."""
    drivers: dict[Net, Point] = {}
    readers: dict[Net, list[tuple[str, Point]]] = {}
    count = len(netlist.gates)
    for gate, box in zip(netlist.gates, found.boxes[:count], strict=True):
        middle = box.middle
        for pin, net in gate.pins.items():
            if library.cells[gate.cell].pins[pin].is_output:
                drivers[net] = middle
            else:
                readers.setdefault(net, []).append((gate.name, middle))
    for memory, box in zip(netlist.memories, found.boxes[count:], strict=True):
        middle = box.middle
        drivers.update((net, middle) for read in memory.reads for net in read[3])
        for net in dict.fromkeys(memory.inputs):
            readers.setdefault(net, []).append((memory.name, middle))
    inputs = set(present(netlist.inputs.values()))
    for net, point in found.ports.items():
        if net in inputs:
            drivers[net] = point
        else:
            readers.setdefault(net, []).append(("", point))
    for net in clock_nets(netlist, library):
        drivers.pop(net, None)
    return wires_of(table, drivers, readers)


def clock_of(made: Placed, library: Library) -> PlacedClock:
    """Return the slowest paths of a netlist, without and with its wires."""
    worst = slowest_paths(made.netlist, library, made.wires)[0]
    return PlacedClock(
        no_wires_ns=slowest_paths(made.netlist, library, NO_WIRES)[0].ns,
        ns=worst.ns,
        mhz=1000 / worst.ns,
        start=worst.start,
        end=worst.end,
        cells_um2=sum(library.cells[gate.cell].area for gate in made.netlist.gates),
        wires_mm=sum(made.wires.um.values()) / 1000,
    )
