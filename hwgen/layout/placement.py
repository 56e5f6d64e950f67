"""Gates in rows between end caps and taps, buffers over nets of many ends, fillers in what is left.

Tests: `tests/layout/test_layout.py`.
"""

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from hwgen.errors import DesignError
from hwgen.layout.mapping import ports_of, with_trees
from hwgen.layout.technology import Shape, Technology
from hwgen.physical.cells import Library
from hwgen.physical.netlist import Gate, Net, Netlist
from hwgen.physical.placement import Elements, Pin, circuit_of, settle

VERSION = 1
"""Of how cells are placed; a cached placement of another version is made again."""
SPREADS = (0.78, 0.7, 0.6, 0.0)
"""Of the area that cells and the space that each is given take; less is tried where no room is."""
UNITS_OF_ROW = 6
"""Of the placer."""
LARGEST_NET = 200
"""Pins of a net that pulls its cells together."""
LEAST_ROWS = 2


@dataclass(frozen=True)
class Cell:
    """A placed cell: its name, its kind, its column and row; cells of odd rows are mirrored."""

    name: str
    kind: str
    column: int
    row: int


@dataclass(frozen=True, kw_only=True)
class Floor:
    """A placed netlist.

    columns, rows: of the area in sites and rows; cells: gates first, in the order of the netlist
    ports: by name the column, and whether at the upper edge
    """

    netlist: Netlist
    columns: int
    rows: int
    cells: Sequence[Cell]
    ports: Mapping[str, tuple[int, bool]]


def floor_of(
    netlist: Netlist,
    library: Library,
    technology: Technology,
    shapes: Mapping[str, Shape],
    *,
    fill: float,
    seed: int,
) -> Floor:
    """Return a placement of a netlist with its trees of buffers; fill: of the area, by gates.

    Errors: DesignError where the gates find no room: there is less free space than taps need
    """
    first = placed(netlist, library, technology, shapes, fill=fill, seed=seed)
    spots = [(float(each.column), float(each.row)) for each in first.cells[: len(netlist.gates)]]
    treed = with_trees(netlist, library, spots)
    if treed.buffers == 0:
        return first
    return placed(treed, library, technology, shapes, fill=fill, seed=seed)


def placed(
    netlist: Netlist,
    library: Library,
    technology: Technology,
    shapes: Mapping[str, Shape],
    *,
    fill: float,
    seed: int,
) -> Floor:
    """Return a placement of a netlist as it is."""
    widths = [shapes[gate.cell].sites for gate in netlist.gates]
    columns, rows, fixed = area_of(sum(widths), technology, shapes, fill)
    ports = edge_places(netlist, columns)
    elements = [shapes[cell.kind].sites for cell in fixed]
    count, rest = len(widths), len(fixed) + len(ports)
    at = [
        *[(0, 0)] * count,
        *((cell.column, cell.row * UNITS_OF_ROW) for cell in fixed),
        *((column, rows * UNITS_OF_ROW - 1 if up else 0) for column, up in ports.values()),
    ]
    room = rows * columns - sum(elements)
    nets = nets_of(netlist, technology, shapes, count + len(fixed))
    for spread in SPREADS:
        circuit = circuit_of(
            Elements(
                widths=[*spaced(widths, room * spread, seed), *elements, *[0] * len(ports)],
                heights=[UNITS_OF_ROW] * (count + len(fixed)) + [0] * len(ports),
                at=at,
                fixed=[False] * count + [True] * rest,
                solid=[True] * (count + len(fixed)) + [False] * len(ports),
                in_rows=count,
            ),
            nets,
            (columns, rows, UNITS_OF_ROW),
        )
        try:
            settle(circuit, seed)
        except RuntimeError:
            continue
        gates = [
            Cell(gate.name, gate.cell, x, y // UNITS_OF_ROW)
            for gate, x, y in zip(netlist.gates, circuit.cell_x, circuit.cell_y, strict=False)
        ]
        cells = [*gates, *fixed]
        cells += fillers(cells, technology, shapes, columns, rows)
        return Floor(netlist=netlist, columns=columns, rows=rows, cells=cells, ports=ports)
    raise DesignError(
        f"the gates of {netlist.name} must find room, got none at {fill:.0%}: give a smaller --fill"
    )


def area_of(
    sites: int, technology: Technology, shapes: Mapping[str, Shape], fill: float
) -> tuple[int, int, list[Cell]]:
    """Return columns, an even number of rows, and the caps and taps in them."""
    cap, tap = shapes[technology.cap].sites, shapes[technology.tap].sites
    across, every = technology.pitch[0], technology.tap_every
    rows = max(LEAST_ROWS, round(math.sqrt(sites / fill * across / technology.row)))
    rows += rows % 2
    columns = math.ceil(sites / fill / rows)
    columns += 2 * cap + tap * (1 + columns // every)
    taps = list(range(cap, columns - cap - tap, every))
    if not taps or columns - cap - taps[-1] > every // 2:
        taps.append(columns - cap - tap)
    fixed = []
    for row in range(rows):
        fixed += [
            Cell(f"cap_{row}_{end}", technology.cap, column, row)
            for end, column in enumerate((0, columns - cap))
        ]
        fixed += [
            Cell(f"tap_{row}_{number}", technology.tap, column, row)
            for number, column in enumerate(taps)
        ]
    return columns, rows, fixed


def edge_places(netlist: Netlist, columns: int) -> dict[str, tuple[int, bool]]:
    """Return places of the ports along the lower and the upper edge."""
    ports = ports_of(netlist)
    half = (len(ports) + 1) // 2
    return {
        port.name: (int((number % half + 0.5) / half * columns), number >= half)
        for number, port in enumerate(ports)
    }


def nets_of(
    netlist: Netlist, technology: Technology, shapes: Mapping[str, Shape], first_port: int
) -> list[list[Pin]]:
    """Return the pins of each net, where they are in their cells; ports follow the cells."""
    found: dict[Net, list[Pin]] = {}
    for number, gate in enumerate(netlist.gates):
        for pin, net in gate.pins.items():
            x = shapes[gate.cell].pins[pin][0].x // technology.pitch[0]
            found.setdefault(net, []).append(Pin(number, x, UNITS_OF_ROW // 2))
    for number, port in enumerate(ports_of(netlist)):
        found.setdefault(port.net, []).append(Pin(first_port + number, 0, 0))
    return [pins for pins in found.values() if len(pins) < LARGEST_NET]


def spaced(widths: Sequence[int], room: float, seed: int) -> list[int]:
    """Return the widths of gates with space that is spread among them, up to a sum."""
    found, order = list(widths), list(range(len(widths)))
    random.Random(seed).shuffle(order)
    for step in range(max(0, int(room - sum(widths)))):
        found[order[step % len(order)]] += 1
    return found


def fillers(
    cells: Sequence[Cell],
    technology: Technology,
    shapes: Mapping[str, Shape],
    columns: int,
    rows: int,
) -> Iterator[Cell]:
    """Yield fillers in all gaps of the rows, the widest that fits first."""
    taken = [bytearray(columns) for _ in range(rows)]
    for cell in cells:
        end = cell.column + shapes[cell.kind].sites
        assert not any(taken[cell.row][cell.column : end]), "two cells at one place"
        taken[cell.row][cell.column : end] = b"\1" * (end - cell.column)
    number = 0
    for row, held in enumerate(taken):
        column = 0
        while column < columns:
            gap = held.find(1, column) if 1 in held[column:] else columns
            kind = next(
                (each for each in technology.fillers if shapes[each].sites <= gap - column), None
            )
            if kind is None:
                column += 1
                continue
            yield Cell(f"fill_{number}", kind, column, row)
            number, column = number + 1, column + shapes[kind].sites


def floor_text(floor: Floor) -> dict[str, object]:
    """Return what is kept of a placement beside the mapped netlist, as JSON can hold it."""
    return {
        "columns": floor.columns,
        "rows": floor.rows,
        "gates": [[gate.name, gate.cell, dict(gate.pins)] for gate in floor.netlist.gates],
        "buffers": floor.netlist.buffers,
        "cells": [[cell.name, cell.kind, cell.column, cell.row] for cell in floor.cells],
        "ports": {name: list(place) for name, place in floor.ports.items()},
    }


def floor_from(content: Mapping[str, object], netlist: Netlist) -> Floor:
    """Return the placement that `floor_text` made of a netlist."""
    kept: dict[str, list[list[object]]] = content  # type: ignore[assignment]
    gates = [Gate(name, kind, pins) for name, kind, pins in kept["gates"]]  # type: ignore[arg-type]
    return Floor(
        netlist=replace(netlist, gates=gates, buffers=content["buffers"]),  # type: ignore[arg-type]
        columns=content["columns"],  # type: ignore[arg-type]
        rows=content["rows"],  # type: ignore[arg-type]
        cells=[Cell(*each) for each in kept["cells"]],  # type: ignore[arg-type]
        ports={name: tuple(place) for name, place in kept["ports"].items()},  # type: ignore[attr-defined]
    )
