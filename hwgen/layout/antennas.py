"""Antennas: metal that charges a gate while a chip is made, before its driver is joined to it.

Tests: `tests/layout/test_checks.py`.
"""

import itertools
from collections.abc import Sequence
from pathlib import Path

from klayout import db

from hwgen.layout.reference import Reference
from hwgen.layout.transistors import LAYERS


def antennas(file: Path, name: str, reference: Reference) -> int:
    """Return how many nets have too much metal, layer by layer, over the gates that they reach.

    What counts is the area of the side walls of the metal that was made last. A net that has met
    a diffusion by then is safe.
    """
    layout = db.Layout()
    layout.read(str(file))
    top = layout.cell(name)

    def region(gds: Sequence[int]) -> db.Region:
        return db.Region(top.begin_shapes_rec(layout.layer(*gds)))

    technology = reference.technology
    below = {each: region(gds) for each, gds in LAYERS.items()}
    gates, diffusion = below["diff"] & below["poly"], below["diff"] - below["poly"]
    wires = [region(gds) for gds in technology.conductors]
    count = 0
    for number, metal in enumerate(technology.metals):
        found = db.LayoutToNetlist(name, layout.dbu)
        there = [below["licon"], *wires[: 3 + 2 * number]]
        for place, each in enumerate((below["poly"], gates, diffusion, *there)):
            found.register(each, f"l{place}")
            found.connect(each)
        found.connect(gates, below["poly"])
        found.connect(below["poly"], below["licon"])
        found.connect(diffusion, below["licon"])
        for low, high in itertools.pairwise(there):
            found.connect(low, high)
        found.extract_netlist()
        walls, most = metal.thick / 1000, technology.antenna
        count += found.antenna_check(
            gates, 1.0, 0.0, there[-1], 0.0, walls, most, [(diffusion, 0.0)]
        ).count()
    return count
