"""A first bound of a whole point, in a millisecond: nothing but the busiest layer and its copies.

If an image takes at most so many steps, every convolution needs enough copies to be through by then;
their crossbars, DACs and memories are there and leak for that long. The bound is the least over all
lengths of an image.
"""

import numpy as np

from hwgen.dse.crossbar.choices import Box, fixed_costs, least_energy, powers
from hwgen.model.compiled import compiled
from hwgen.model.crossbar.design import ceil_div
from hwgen.model.crossbar.tables import CONV, FLOOR, NOC_POWER, POWER, RATIO, Tables

RATIO_OF_LENGTHS = 1.1
LONGEST_STEP = 1e12
"""ns: a bound for any step takes nothing for granted that a longer step makes cheaper."""


@compiled
def scan(tables: Tables, memory: int) -> float:
    """Return nJ that no design of a point with scratchpads of one size is below; inf: none fits."""
    floor = tables.scalars[FLOOR]
    box = Box(1.0, 1.0, floor, LONGEST_STEP, memory)
    energy, static = fixed_costs(tables, box)
    most = 1
    for i in range(len(tables.kind)):
        if tables.crossbars[i] > 0:
            energy += least_energy(tables, i, 1, 0, memory)
            most = max(most, tables.pixels[i])
    least = np.inf
    low = float(tables.bit_steps)
    while low <= most * tables.bit_steps:
        high = low * RATIO_OF_LENGTHS
        leaking, rram, power = static, 0.0, tables.scalars[NOC_POWER]
        for i in range(len(tables.kind)):
            if tables.crossbars[i] == 0:
                continue
            copies = 1
            if tables.kind[i] == CONV:
                blocks = max(1, int(high / tables.bit_steps))
                copies = ceil_div(tables.pixels[i], min(blocks, tables.pixels[i]))
            of_layer = powers(tables, i, copies, 0, 1, box)
            leaking += of_layer[0]
            rram += of_layer[1]
            power += of_layer[2]
        fits = power <= tables.scalars[POWER]
        if not tables.strict:
            fits = fits and rram <= tables.scalars[POWER] * tables.scalars[RATIO]
        if fits:
            least = min(least, energy + max(0.0, leaking) * low * floor)
        low = high
    return float(least)
