"""A routed module as GDS: cells, wires, cuts, pins with their names.

Tests: `tests/layout/test_layout.py`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from klayout import db

from hwgen.layout.lattice import Lattice, Rectangle
from hwgen.layout.router import Router, Way

PIN_LENGTH = 340
"""Of a pin from the edge of the die, in nm."""
Layer = tuple[int, int]


@dataclass
class Drawn:
    """The shapes of a net, and what it takes: um by number of the metal, cuts by name."""

    shapes: dict[Layer, list[Rectangle]] = field(default_factory=lambda: defaultdict(list))
    um: Counter[int] = field(default_factory=Counter)
    cuts: Counter[str] = field(default_factory=Counter)

    def add(self, layer: Sequence[int], x: int, y: int, across: int, up: int) -> None:
        """Add a rectangle around a point, by half its width and height."""
        self.shapes[layer[0], layer[1]].append((x - across, y - up, x + across, y + up))


def drawn_net(lattice: Lattice, router: Router, way: Way) -> Drawn:
    """Return the shapes of a net."""
    found, technology = Drawn(), lattice.technology
    metals = technology.metals
    for one, two in way.edges.tolist():
        (layer, place), (other, end) = divmod(one, router.area), divmod(two, router.area)
        x, y = lattice.at(place)
        if layer == other:
            to_x, to_y = lattice.at(end)
            half = metals[layer].width // 2
            across, up = abs(to_x - x), abs(to_y - y)
            gds = metals[layer].gds
            found.add(gds, (x + to_x) // 2, (y + to_y) // 2, across // 2 + half, up // 2 + half)
            found.um[layer] += across + up
            continue
        low = min(layer, other)
        cut = technology.cuts[low]
        found.add(cut.gds, x, y, cut.size // 2, cut.size // 2)
        found.cuts[cut.name] += 1
        for pad, metal in ((cut.below, metals[low]), (cut.above, metals[low + 1])):
            found.add(metal.gds, x, y, pad[0] // 2, pad[1] // 2)
    for number in way.pads.tolist():
        draw_access(found, lattice, router, number)
    return found


def draw_access(found: Drawn, lattice: Lattice, router: Router, number: int) -> None:
    """Draw what joins an access to its track: a cut down to the pin, and metal aside."""
    technology = lattice.technology
    node, pad = int(router.grid.access[number, 0]), int(router.grid.access[number, 5])
    x, y = lattice.at(node % router.area)
    if pad < 0:
        metal = technology.metals[technology.pin.metal]
        half, up = metal.width // 2, y > lattice.height // 2
        low, high = (y - half, lattice.height) if up else (0, y + half)
        found.shapes[metal.gds[0], metal.gds[1]].append((x - half, low, x + half, high))
        return
    first, (at_x, at_y, below) = technology.metals[0], lattice.pads[pad]
    if below:
        cut = technology.pin_cut
        found.add(first.gds, at_x, at_y, cut.above[0] // 2, cut.above[1] // 2)
        found.add(cut.gds, at_x, at_y, cut.size // 2, cut.size // 2)
        found.cuts[cut.name] += 1
    half, middle = first.width // 2, (x + at_x) // 2
    found.add(first.gds, middle, at_y, abs(x - at_x) // 2 + half, half)


def write_gds(file: Path, name: str, lattice: Lattice, router: Router, cells: Path) -> list[Drawn]:
    """Write the layout of a module; return what each net takes. cells: the file of the cells."""
    layout = db.Layout()
    layout.dbu = 0.001
    top = layout.create_cell(name)
    place_cells(layout, top, lattice, cells)

    def layer(gds: Sequence[int]) -> int:
        return int(layout.layer(gds[0], gds[1]))

    for gds, box in lattice.fixed:
        top.shapes(layer(gds)).insert(db.Box(*box))
    die = db.Box(0, 0, lattice.width, lattice.height)
    top.shapes(layer(lattice.technology.boundary)).insert(die)
    nets = [drawn_net(lattice, router, way) for way in router.ways if way is not None]
    metals = {(metal.gds[0], metal.gds[1]): metal for metal in lattice.technology.metals}
    for net in nets:
        for gds, boxes in net.shapes.items():
            shapes = top.shapes(layer(gds))
            if gds in metals:
                metal = metals[gds]
                shapes.insert(closed(boxes, metal.space // 2, 2 * metal.area))
            else:
                for box in set(boxes):
                    shapes.insert(db.Box(*box))
    for net_name, pin, label, box in pins_of(lattice):
        top.shapes(layer(pin)).insert(db.Box(*box))
        middle = db.Trans((box[0] + box[2]) // 2, (box[1] + box[3]) // 2)
        top.shapes(layer(label)).insert(db.Text(net_name, middle))
    options = db.SaveLayoutOptions()
    options.gds2_write_timestamps = False
    layout.write(str(file), options)
    return nets


def place_cells(layout: Any, top: Any, lattice: Lattice, cells: Path) -> None:
    """Place the cells of a floor, mirrored in odd rows."""
    library = db.Layout()
    library.read(str(cells))
    index = {}
    for kind in sorted({cell.kind for cell in lattice.floor.cells}):
        made = layout.create_cell(kind)
        made.copy_tree(library.cell(kind))
        index[kind] = made.cell_index()
    high = lattice.technology.row
    for cell in lattice.floor.cells:
        x = lattice.left + cell.column * lattice.pitch_x
        y = lattice.low + cell.row * high
        where = db.Trans(db.Trans.M0, x, y + high) if cell.row % 2 else db.Trans(x, y)
        top.insert(db.CellInstArray(index[cell.kind], where))


def closed(boxes: Sequence[Rectangle], half: int, least: int) -> db.Region:
    """Return the metal of a net without gaps narrower than the space, and without small holes."""
    region = db.Region()
    for box in boxes:
        region.insert(db.Box(*box))
    region = region.merged()
    if len(boxes) > 1:
        region = (region.sized(half, half, 2).sized(-half, -half, 2) + region).merged()
    holes = db.Region()
    for hole in region.holes().each():
        if hole.area() < least:
            holes.insert(hole)
    return (region + holes).merged()


def pins_of(lattice: Lattice) -> Iterator[tuple[str, Sequence[int], Sequence[int], Rectangle]]:
    """Yield name, layers of pin and name, and rectangle of each port and strap."""
    technology = lattice.technology
    pin = technology.pin
    half = technology.metals[pin.metal].width // 2
    for name, (place, up) in lattice.port_places.items():
        x, _ = lattice.at(place)
        low = lattice.height - PIN_LENGTH if up else 0
        yield name, pin.gds, pin.label, (x - half, low, x + half, low + PIN_LENGTH)
    power, wide = technology.power_pin, technology.straps.width // 2
    rails = lattice.floor.rows * technology.row
    for net, x in lattice.straps:
        box = (x - wide, lattice.low, x + wide, lattice.low + rails)
        yield technology.power[net], power.gds, power.label, box
