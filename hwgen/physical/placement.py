"""Placement of a flat netlist by coloquinte: cells in rows, memories as blocks, ports around them.

Tests: `tests/physical/test_placement.py`.
"""

import math
import os
import random
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from hwgen.physical.cells import Library
from hwgen.physical.netlist import Net, Netlist, clock_nets, present
from hwgen.physical.wires import Point, WireTable

SPREAD = 0.86
"""Of the area that cells and the space that each is given take: the rest is left to the placer."""
EFFORT = 3
"""Of coloquinte, of 1 to 9."""


@dataclass(frozen=True, kw_only=True)
class Box:
    """A placed cell or memory: what it is, its lower left corner and its size in um."""

    kind: str
    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> Point:
        """Its middle."""
        return self.x + self.width / 2, self.y + self.height / 2


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where everything lies.

    width, height: of the area in um; boxes: of gates, then of memories, in their order
    ports: places of nets that are ports
    """

    width: float
    height: float
    boxes: Sequence[Box]
    ports: Mapping[Net, Point]


@dataclass(frozen=True, kw_only=True)
class Floor:
    """What is asked of a placement: share of the area that cells take, height over width, seed."""

    fill: float
    aspect: float
    seed: int


@dataclass(frozen=True)
class Pin:
    """A pin of a gate or memory: its element, its place from the corner in units."""

    element: int
    x: int
    y: int


def place(netlist: Netlist, library: Library, table: WireTable, floor: Floor) -> Placement:
    """Return a placement of a netlist without placed modules."""
    import coloquinte

    made = Sizes(netlist, library, table)
    sizes = [w * h for w, h in zip(made.widths, made.heights, strict=True)]
    area = sum(sizes[: made.gates]) / floor.fill + sum(sizes[made.gates :])
    across = math.sqrt(area * made.unit_x * made.unit_y / floor.aspect)
    columns = max(math.ceil(across / made.unit_x), *made.widths)
    rows = max(math.ceil(across * floor.aspect / table.row_um), max(made.heights) // made.row)
    pins, count = made.pins(), len(made.widths)
    ports = around(netlist, pins, columns, rows * made.row)
    for number, net in enumerate(ports):
        pins[net].append(Pin(count + number, 0, 0))
    rest = len(ports)
    elements = Elements(
        widths=[*inflated(made, columns * rows * made.row, floor.seed), *[0] * rest],
        heights=[*made.heights, *[0] * rest],
        at=[*[(0, 0)] * count, *ports.values()],
        fixed=[False] * count + [True] * rest,
        solid=[True] * count + [False] * rest,
        in_rows=made.gates,
    )
    circuit = circuit_of(elements, pins.values(), (columns, rows, made.row))
    if netlist.memories:
        # Blocks find their places among the cells; then the cells find theirs around them.
        effort = coloquinte.ColoquinteParameters(EFFORT, floor.seed)
        with silent():
            circuit.place_global(effort)
            circuit.legalize(effort)
        circuit.cell_is_fixed = [False] * made.gates + [True] * (count + rest - made.gates)
    settle(circuit, floor.seed)
    return Placement(
        width=columns * made.unit_x,
        height=rows * table.row_um,
        boxes=[
            Box(
                kind=kind,
                x=x * made.unit_x,
                y=y * made.unit_y,
                width=w * made.unit_x,
                height=h * made.unit_y,
            )
            for kind, x, y, w, h in zip(
                made.kinds, circuit.cell_x, circuit.cell_y, made.widths, made.heights, strict=False
            )
        ],
        ports={net: (x * made.unit_x, y * made.unit_y) for net, (x, y) in ports.items()},
    )


@dataclass(frozen=True, kw_only=True)
class Elements:
    """What the placer is given, in units; fixed elements stay where they are.

    solid: others may not lie on it; in_rows: so many of the first stand in rows, as rows are turned
    """

    widths: Sequence[int]
    heights: Sequence[int]
    at: Sequence[tuple[int, int]]
    fixed: Sequence[bool]
    solid: Sequence[bool]
    in_rows: int


def circuit_of(
    elements: Elements, nets: Iterable[Sequence[Pin]], area: tuple[int, int, int]
) -> Any:
    """Return what coloquinte places; area: columns, rows, and units of a row."""
    import coloquinte

    circuit: Any = coloquinte.Circuit(len(elements.widths))
    circuit.cell_width, circuit.cell_height = list(elements.widths), list(elements.heights)
    circuit.cell_is_fixed, circuit.cell_is_obstruction = list(elements.fixed), list(elements.solid)
    circuit.cell_x = [x for x, _ in elements.at]
    circuit.cell_y = [y for _, y in elements.at]
    same, free = coloquinte.CellRowPolarity.SAME, coloquinte.CellRowPolarity.ANY
    others = len(elements.widths) - elements.in_rows
    circuit.cell_row_polarity = [same] * elements.in_rows + [free] * others
    for held in nets:
        if len(held) > 1:
            circuit.add_net(
                [pin.element for pin in held], [pin.x for pin in held], [pin.y for pin in held]
            )
    columns, rows, row = area
    circuit.setup_rows(coloquinte.Rectangle(0, columns, 0, rows * row), row, True, True)
    return circuit


def settle(circuit: Any, seed: int) -> None:
    """Let coloquinte place; RuntimeError where there is no room."""
    import coloquinte

    effort = coloquinte.ColoquinteParameters(EFFORT, seed)
    with silent():
        for step in (circuit.place_global, circuit.legalize, circuit.place_detailed):
            step(effort)


@contextmanager
def silent() -> Iterator[None]:
    """Let nothing be written to standard output: the placer tells each of its steps there."""
    sys.stdout.flush()
    kept = os.dup(1)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


class Sizes:
    """Sizes of gates and memories in units: a site across, a fraction of a row up.

    row: units of a row; kinds: cell of a gate, or the size of a memory
    """

    def __init__(self, netlist: Netlist, library: Library, table: WireTable) -> None:
        self._netlist, self._library = netlist, library
        self.row = round(table.row_um / table.site_um)
        self.unit_x, self.unit_y = table.site_um, table.row_um / self.row
        self.gates = len(netlist.gates)
        self.kinds = [gate.cell for gate in netlist.gates]
        areas = (library.cells[cell].area for cell in self.kinds)
        self.widths = [
            max(1, math.ceil(area / table.row_um / table.site_um - 0.01)) for area in areas
        ]
        self.heights = [self.row] * self.gates
        for memory in netlist.memories:
            um2 = table.memory_um2(memory.words * memory.bits)
            high = max(1, round(math.sqrt(um2) / table.row_um))
            self.kinds.append(f"{memory.words} x {memory.bits}")
            self.heights.append(high * self.row)
            self.widths.append(max(1, math.ceil(um2 / (high * table.row_um) / table.site_um)))

    def pins(self) -> dict[Net, list[Pin]]:
        """Return the pins of each net but clocks: in the middle of a cell, around a memory."""
        found: dict[Net, list[Pin]] = {}
        clocks = clock_nets(self._netlist, self._library)
        for number, gate in enumerate(self._netlist.gates):
            middle = Pin(number, self.widths[number] // 2, self.row // 2)
            for net in gate.pins.values():
                if net not in clocks:
                    found.setdefault(net, []).append(middle)
        for number, memory in enumerate(self._netlist.memories, start=self.gates):
            data = [net for read in memory.reads for net in read[3]]
            nets = list(dict.fromkeys([*memory.inputs, *data]))
            for place_of, net in enumerate(nets):
                x = round(self.widths[number] * (place_of + 0.5) / len(nets))
                y = 0 if place_of % 2 else self.heights[number]
                found.setdefault(net, []).append(Pin(number, x, y))
        return found


def inflated(made: Sizes, units: int, seed: int) -> Iterator[int]:
    """Yield the widths of cells with space that is spread among them."""
    rng, widths = random.Random(seed), list(made.widths)
    taken = sum(w * h for w, h in zip(made.widths, made.heights, strict=True))
    order = list(range(made.gates))
    rng.shuffle(order)
    for step in range(max(0, int((units * SPREAD - taken) / made.row))):
        widths[order[step % made.gates]] += 1
    yield from widths


def around(
    netlist: Netlist, pins: Mapping[Net, object], columns: int, height: int
) -> dict[Net, tuple[int, int]]:
    """Return places for the ports with pins, one beside the other around the area, in units."""
    both = (*netlist.inputs.values(), *netlist.outputs.values())
    nets = [net for net in dict.fromkeys(present(both)) if net in pins]
    found = {}
    for number, net in enumerate(nets):
        side, along = divmod((number + 0.5) / len(nets) * 4, 1)
        x, y = (
            (along * columns, 0),
            (columns - 1, along * height),
            ((1 - along) * columns, height - 1),
            (0, (1 - along) * height),
        )[int(side)]
        found[net] = (int(x), int(y))
    return found
