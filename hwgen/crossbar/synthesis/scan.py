"""A first bound of a box, in a moment: the copies that every layer needs to be through in time.

If an image takes at most so many steps, every convolution needs enough copies to be done by then;
their crossbars, converters and memories are there, and leak for as long as an image takes at least.
"""

import numpy as np

from hwgen.chip.compiled import compiled
from hwgen.crossbar.model.tables import (
    ADC,
    CONV,
    LEAKAGE,
    NOC_POWER,
    PEAK,
    POWER,
    RATE,
    STATIC,
    Tables,
)
from hwgen.crossbar.synthesis.boxes import Box, fewest_copies, least_scratchpad, scratchpad_peak
from hwgen.crossbar.synthesis.costs import fixed_costs, least_energy, powers

MOST_CLOCKS = 1 << 20
"""Clocks of a fully connected layer at which its converters cost nothing."""


@compiled
def fewest_steps(tables: Tables) -> int:
    """Return steps that every image takes: those of one block through the longest way.

    A layer with weights loads, reads and converts, then feeds all bits through shift and add, adds
    and stores; another one loads, works and stores. An image may end where its last step starts.
    """
    reached = np.zeros(len(tables.kind), np.int64)
    for i in range(len(tables.kind)):
        for e in range(tables.provider_start[i], tables.provider_start[i + 1]):
            reached[i] = max(reached[i], reached[tables.provider[e]])
        reached[i] += tables.bit_steps + 5 if tables.crossbars[i] > 0 else 3
    return int(reached.max())


@compiled
def scan(tables: Tables, box: Box) -> float:
    """Return nJ that no design of a box is below; inf: none fits.

    Sharing saves at most half of all conversions, and half of the macros.
    """
    if box.steps_high < fewest_steps(tables):
        return np.inf
    energy, static = fixed_costs(tables, box)
    scratchpad = least_scratchpad(tables, box)
    rram, power = 0.0, tables.scalars[NOC_POWER]
    part = tables.parts[ADC]
    for i in range(len(tables.kind)):
        if tables.crossbars[i] == 0:
            continue
        copies = fewest_copies(tables, i, box.steps_high)
        energy += least_energy(tables, i, copies, 0, scratchpad)
        of_layer = powers(tables, i, copies, MOST_CLOCKS, box)
        spared = 0.0
        if tables.kind[i] == CONV:
            spared = tables.work[i, ADC] * copies / (part[RATE] * box.step_high) / 2
        static += of_layer[0] - max(0.0, spared * part[STATIC])
        rram += of_layer[1]
        power += of_layer[2] - spared * part[PEAK]
        power += scratchpad_peak(tables, box) / 2
        if tables.rules.whole_parts:
            static += scratchpad[LEAKAGE] / 2
    if power > tables.scalars[POWER]:
        return np.inf
    if not tables.rules.whole_parts and rram > tables.scalars[POWER] * box.ratio_high:
        return np.inf
    return float(energy + max(0.0, static) * box.steps_low * box.step_low)
