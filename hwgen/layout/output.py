"""The folder of a layout: its GDS and all that stands beside it.

Tests: `tests/layout/test_layout.py`.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwgen.layout import files
from hwgen.layout.drawing import Drawn, write_gds
from hwgen.layout.lattice import Lattice
from hwgen.layout.mapping import drivers_of
from hwgen.layout.placement import Floor, floor_text
from hwgen.layout.reference import CIRCUITS, REFERENCE, RTL
from hwgen.layout.router import Router
from hwgen.layout.technology import Drawings, Technology
from hwgen.layout.trees import trees_of, wires_of
from hwgen.physical.cells import Library
from hwgen.physical.timing import slowest_paths
from hwgen.physical.wires import NO_WIRES


@dataclass(frozen=True)
class Output:
    """Writes the files of a layout; name: of the module."""

    folder: Path
    name: str
    lattice: Lattice
    router: Router
    drawings: Drawings

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the die in um."""
        return self.lattice.width / 1000, self.lattice.height / 1000

    def write(self, rtl: str) -> list[Drawn]:
        """Write all files; return what each net takes. rtl: what was mapped."""
        lattice, router, name = self.lattice, self.router, self.name
        technology, netlist = lattice.technology, lattice.floor.netlist
        library = technology.library(technology.corners[0])
        drawn = write_gds(self.folder / f"{name}.gds", name, lattice, router, self.drawings.gds)
        trees = trees_of(lattice, router)
        circuits = (technology.folder / CIRCUITS).read_text(encoding="utf-8")
        texts = {
            f"{name}.v": files.verilog(netlist, name),
            f"{name}.power.v": files.verilog(netlist, name, technology.power),
            f"{name}.spice": files.spice(lattice, name, circuits),
            f"{name}.lef": files.lef(lattice, name),
            f"{name}.def": files.placed_def(lattice, router, name),
            f"{name}.spef": files.spef(netlist, name, library, trees),
            RTL: rtl,
            REFERENCE: json.dumps(self.reference()) + "\n",
        }
        for file, text in texts.items():
            (self.folder / file).write_text(text, encoding="utf-8")
        return drawn

    def reference(self) -> dict[str, Any]:
        """Return what a check compares with."""
        lattice = self.lattice
        netlist = lattice.floor.netlist
        return {
            "technology": lattice.technology.name,
            "corner": [lattice.left, lattice.low],
            "inputs": dict(netlist.inputs),
            "outputs": dict(netlist.outputs),
            **floor_text(lattice.floor),
        }

    def boxes(self, register: str, other: str) -> list[tuple[str, float, float, float, float]]:
        """Return the gates of a picture; their colours are given."""
        lattice = self.lattice
        technology = lattice.technology
        library = technology.library(technology.corners[0])
        across, high = lattice.pitch_x / 1000, technology.row / 1000
        return [
            (
                register if library.cells[cell.kind].is_flip_flop else other,
                (lattice.left / 1000 + cell.column * across),
                (lattice.low / 1000 + cell.row * high),
                self.drawings.shapes[cell.kind].sites * across,
                high,
            )
            for cell in lattice.floor.cells
            if cell.kind in library.cells
        ]


def gates_um2(floor: Floor, library: Library) -> float:
    """Return the area of the gates."""
    return sum(library.cells[gate.cell].area for gate in floor.netlist.gates)


def wires_taken(technology: Technology, drawn: Sequence[Drawn]) -> Iterator[dict[str, Any]]:
    """Yield by metal its wires in um, and the cuts below it."""
    cuts = [technology.pin_cut, *technology.cuts]
    for number, (metal, cut) in enumerate(zip(technology.metals, cuts, strict=True)):
        yield {
            "metal": metal.name,
            "um": sum(net.um[number] for net in drawn) / 1000,
            "cut": cut.name,
            "cuts": sum(net.cuts[cut.name] for net in drawn),
        }


def clocks_of(lattice: Lattice, router: Router) -> Iterator[dict[str, Any]]:
    """Yield by corner the slowest path between registers without and with wires, in ns."""
    netlist, technology = lattice.floor.netlist, lattice.technology
    trees = trees_of(lattice, router)
    kinds = {gate.name: gate.cell for gate in netlist.gates}
    for corner in technology.corners:
        library = technology.library(corner)
        wires = wires_of(trees, drivers_of(netlist, library), kinds, library)
        paths = [slowest_paths(netlist, library, each) for each in (NO_WIRES, wires)]
        if all(paths):
            yield {"corner": corner, "no_wires_ns": paths[0][0].ns, "ns": paths[1][0].ns}
