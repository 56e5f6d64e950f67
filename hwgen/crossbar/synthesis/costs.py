"""What a layer costs at least: energy of an image, static power, peak power."""

import numpy as np

from hwgen.chip.compiled import compiled
from hwgen.crossbar.model.design import accesses
from hwgen.crossbar.model.tables import (
    ADC,
    BUS_BITS,
    CONV,
    DAC,
    DATA_BITS,
    DYNAMIC,
    FC,
    LATENCY,
    NOC_POWER,
    PEAK,
    POOL,
    POWER,
    RATE,
    READ_NJ,
    SHIFT_ADD,
    STATIC,
    WRITE_NJ,
    Floats,
    Tables,
)
from hwgen.crossbar.synthesis.boxes import Box, fewest_copies, least_scratchpad


@compiled
def static_share(tables: Tables) -> float:
    """Return the least static power that a watt of peak power of bought components brings.

    Published rules spend the whole budget whatever the step; strict rules buy what is needed.
    """
    if tables.rules.whole_parts:
        return 0.0
    least = 1.0
    for c in range(ADC, len(tables.parts)):
        least = min(least, tables.parts[c, STATIC] / tables.parts[c, PEAK])
    return least


@compiled
def rounding_up(tables: Tables, box: Box) -> float:
    """Return by what factor the published allocation may exceed the peripheral share of the budget.

    It spends that share, rounds all counts up, and takes the step that they then allow. The longest
    work is cut by the least part, so a step is hardly shorter than the budget paid for.
    """
    longest = 0.0
    for i in range(len(tables.kind)):
        if tables.kind[i] == CONV:
            done = fewest_copies(tables, i, box.steps_high) * tables.work[i] / tables.parts[:, RATE]
            longest = max(longest, done[ADC:].max())
    if longest <= box.step_high:
        return np.inf
    return float(1 / (1 - box.step_high / longest))


@compiled
def fixed_costs(tables: Tables, box: Box) -> tuple[float, float]:
    """Return nJ and static W of what no choice changes: mesh, layers without weights."""
    energy = 0.0
    static = tables.scalars[NOC_POWER]
    bits, bus = tables.scalars[DATA_BITS], tables.scalars[BUS_BITS]
    row = least_scratchpad(tables, box)
    for i in range(len(tables.kind)):
        if tables.crossbars[i] > 0:
            continue
        for c in range(len(tables.parts)):
            done = tables.work[i, c] * tables.pixels[i]
            energy += tables.parts[c, LATENCY] * tables.parts[c, DYNAMIC] * done
        if tables.rules.one_port and tables.kind[i] == POOL:
            energy += tables.pixels[i] * tables.copy_reads[i] * row[READ_NJ]
        else:
            taps = tables.taps[i] if tables.kind[i] == POOL else 1
            energy += tables.pixels[i] * tables.cout[i] * taps * bits / bus * row[READ_NJ]
        energy += tables.pixels[i] * tables.cout[i] * bits / bus * row[WRITE_NJ]
    if not tables.rules.whole_parts:
        budget = tables.scalars[POWER] * (1 - box.ratio_high) - tables.scalars[NOC_POWER]
        static += static_share(tables) * budget
    return energy, static


@compiled
def least_energy(tables: Tables, i: int, copies: int, blocks: int, row: Floats) -> float:
    """Return nJ an image of layer i that do not depend on time; blocks 0: none partly idle.

    row: of scratchpads
    """
    positions = float(copies * blocks) if blocks > 0 else float(tables.pixels[i])
    energy = 0.0
    for c in range(len(tables.parts)):
        repeats = tables.bit_steps if c in (DAC, ADC, SHIFT_ADD) else 1
        done = tables.work[i, c] * positions * repeats
        energy += tables.parts[c, LATENCY] * tables.parts[c, DYNAMIC] * done
    read = tables.crossbar[3] * tables.crossbar[DYNAMIC]
    energy += read * tables.crossbars[i] * positions * tables.bit_steps
    loaded = tables.rows[i] * tables.column_tiles[i] * tables.slices
    if tables.rules.one_port:
        energy += positions * tables.copy_reads[i] * row[READ_NJ]
        energy += positions * tables.cout[i] / tables.word * row[WRITE_NJ]
    elif blocks > 0:
        energy += blocks * accesses(tables, float(copies * loaded)) * row[READ_NJ]
        energy += blocks * accesses(tables, float(copies * tables.cout[i])) * row[WRITE_NJ]
    else:
        width = tables.scalars[DATA_BITS] / tables.scalars[BUS_BITS]
        energy += positions * width * (loaded * row[READ_NJ] + tables.cout[i] * row[WRITE_NJ])
    return float(energy)


@compiled
def powers(
    tables: Tables, i: int, copies: int, clocks: int, box: Box
) -> tuple[float, float, float]:
    """Return static W, peak W of crossbars, and peak W of all, of a choice but for its macros."""
    crossbars = tables.crossbars[i] * copies
    share = static_share(tables)
    static = tables.crossbar[STATIC] * crossbars
    rram = tables.crossbar[PEAK] * crossbars
    power = rram
    for c in range(len(tables.parts)):
        work = tables.work[i, c] * copies
        if work == 0.0:
            continue
        part = tables.parts[c]
        if c == DAC:
            static += work * (part[STATIC] - share * part[PEAK])
            power += work * part[PEAK]
            continue
        if tables.kind[i] == FC:
            work /= clocks
        count = work / (part[RATE] * box.step_high)
        if tables.kind[i] == FC and not tables.rules.used_columns:
            count = 0.0
        static += count * (part[STATIC] - share * part[PEAK])
        power += count * part[PEAK]
    return static, rram, power
