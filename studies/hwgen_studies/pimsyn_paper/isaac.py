"""ISAAC, judged with the same constants and rules as any other design.

Source: Shafiee et al., ISCA 2016, sections III to VI and Table I (the configuration ISAAC-CE).
- crossbars of 128 x 128 cells of 2 bits, DACs of 1 bit, one ADC of 8 bits at each crossbar: its 128
  columns are converted one after the other in one pipeline cycle of 100 ns
- 8 crossbars an IMA, 12 IMAs a tile, 64 KB of eDRAM a tile, 168 tiles a chip, all tiles equal
- a layer is held so often that it keeps up with the others: copies in proportion to WoHo; tiles
  belong to one layer

Choices, each in ISAAC's favour where the paper leaves one:
- a macro is a tile; crossbars that a layer's last tile leaves free cost nothing; links between
  chips cost nothing
- the ADC is that of the constants: 8 bits take 1 ns (ISAAC's: 1.28 samples a ns), so a step of 128
  conversions takes 128 ns
- vector units are of the constants' width and as many as that step needs (ISAAC's own counts are of
  narrower units)
- each row of a crossbar has its DAC, used or not
- scratchpads stay at 64 KB even where our accounting asks for more, since ISAAC's paper says that
  they are enough
- published rules charge fully connected layers a hundredth of their work, at most 100 conversions:
  then ISAAC's get ADCs and DACs for that alone, too
"""

from dataclasses import dataclass

import numpy as np

from hwgen.crossbar.facts.components import Components
from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.point import Point
from hwgen.crossbar.facts.rules import Rules
from hwgen.crossbar.model.allocate import (
    FEASIBLE,
    Allocation,
    counts_for,
    layer_work,
    memory_peak,
    power_of,
    used_crossbars,
)
from hwgen.crossbar.model.design import Design, Layout, copies_for, lay_out, most_copies_for
from hwgen.crossbar.model.evaluate import Cost, energy_nj, interval_of, simulate
from hwgen.crossbar.model.tables import (
    ADC,
    DAC,
    FC,
    FLOOR,
    KILOBYTES,
    NOC_POWER,
    OPERATIONS,
    PEAK,
    RATE,
    SHIFT_ADD,
    Ints,
    Tables,
    make_tables,
    part_table,
)

POINT = Point(rram_ratio=None, cell_bits=2, side=128, dac_bits=1)
CROSSBARS_PER_IMA, IMAS_PER_TILE, TILES_PER_CHIP = 8, 12, 168
CROSSBARS_PER_TILE = CROSSBARS_PER_IMA * IMAS_PER_TILE
EDRAM_KILOBYTES = 64

TRIED = 2
"""ISAAC may take up to this many times the budgets that it needs, if that makes it better."""


@dataclass(frozen=True, kw_only=True)
class Isaac:
    """An ISAAC for a network.

    budget_w: that it was made for; cost: see `Cost`, with its audited peak power
    tiles: all of them; a chip has 168
    throughput_gops: in a steady stream of images
    """

    budget_w: float
    tables: Tables
    design: Design
    layout: Layout
    allocation: Allocation
    cost: Cost

    @property
    def tiles(self) -> int:
        """All tiles."""
        return int(self.layout.total_macros)

    @property
    def chips(self) -> int:
        """Chips of 168 tiles."""
        return -(-self.tiles // TILES_PER_CHIP)

    @property
    def throughput_gops(self) -> float:
        """Operations a ns in a steady stream of images."""
        ns = self.cost.interval * self.cost.step_ns
        return float(self.tables.scalars[OPERATIONS]) / ns


def best_isaac(
    network: CrossbarNetwork, components: Components, *, power_w: float, rules: Rules
) -> Isaac:
    """Return the best ISAAC for a network whose power is a small multiple of a budget.

    One copy of the weights may need more than one budget; then it gets several. Of those that need
    up to twice as many, the most efficient counts, so that it is not starved.
    """
    tables = make_tables(network, components, POINT, power_w, rules)
    least = peak_of(tables, copies_for(tables, int(tables.pixels.max())))
    first = max(1, int(np.ceil(least / power_w)))
    budgets = [power_w * count for count in range(first, TRIED * first + 1)]
    found = [isaac(network, components, power_w=budget, rules=rules) for budget in budgets]
    return max((each for each in found if each), key=lambda each: each.cost.efficiency)


def isaac(
    network: CrossbarNetwork, components: Components, *, power_w: float, rules: Rules
) -> Isaac | None:
    """Return the ISAAC with the most copies of its layers that a budget holds; None: not one."""
    tables = make_tables(network, components, POINT, power_w, rules)
    copies = most_copies_for(tables, lambda each: peak_of(tables, each) <= power_w)
    if peak_of(tables, copies) > power_w:
        return None
    design = design_of(tables, copies)
    layout = lay_out(tables, design)
    allocation = allocate_isaac(tables, design, layout)
    memory = edram(tables)
    times = simulate(tables, design, layout, memory, allocation.step_ns, True)
    energy = energy_nj(tables, layout, allocation, memory, times.end)
    cost = Cost(
        FEASIBLE,
        tables.scalars[OPERATIONS] / energy,
        energy,
        times.end,
        allocation.step_ns,
        interval_of(tables, design, layout, times),
        allocation.peak_w,
        memory,
        True,
    )
    return Isaac(
        budget_w=power_w,
        tables=tables,
        design=design,
        layout=layout,
        allocation=allocation,
        cost=cost,
    )


def design_of(tables: Tables, copies: Ints) -> Design:
    """Return the design: whole tiles for each layer, nothing shared, no clocks to spare."""
    tiles = -(-copies * tables.crossbars // CROSSBARS_PER_TILE)
    ones = np.ones(len(copies), np.int64)
    return Design(copies, tiles, np.full(len(copies), -1), ones)


def peak_of(tables: Tables, copies: Ints) -> float:
    """Return the peak power of an ISAAC with these copies."""
    design = design_of(tables, copies)
    return allocate_isaac(tables, design, lay_out(tables, design)).peak_w


def edram(tables: Tables) -> int:
    """Return the row of a tile's scratchpad."""
    return int(np.flatnonzero(tables.memories[:, KILOBYTES] == EDRAM_KILOBYTES)[0])


def allocate_isaac(tables: Tables, design: Design, layout: Layout) -> Allocation:
    """Return what stands on the tiles, and the step that one ADC needs for a crossbar."""
    crossbars = tables.crossbars * layout.copies
    step = max(float(tables.scalars[FLOOR]), tables.crossbar_side / float(tables.parts[ADC, RATE]))
    work = layer_work(tables, design, layout)
    counts = counts_for(tables, work, step)
    charged = crossbars > 0
    if not tables.rules.used_columns:
        charged &= tables.kind != FC
    counts[charged, ADC] = crossbars[charged]
    counts[charged, DAC] = crossbars[charged] * tables.crossbar_side
    peak = used_crossbars(tables, layout) * tables.crossbar[PEAK] + power_of(tables, counts)
    peak += layout.total_macros * memory_peak(tables, edram(tables)) + tables.scalars[NOC_POWER]
    bought = counts[:, ADC:] > 0
    rates = tables.parts[ADC:, RATE] * counts[:, ADC:]
    slowest = (work[:, ADC:][bought] / rates[bought]).max(initial=0.0)
    return Allocation(counts, max(step, float(slowest)), float(peak), FEASIBLE)


def peripheral_share(components: Components, rules: Rules) -> float:
    """Return the share of the peak power of a chip that is not of its crossbars."""
    power, crossbars = peak_power(components, rules)
    return 1 - crossbars / power


def peak_efficiency(components: Components, rules: Rules) -> float:
    """Return GOPS/W of a chip of 168 full tiles when all crossbars compute; of no network."""
    step = peak_step(components, rules)
    weights = TILES_PER_CHIP * CROSSBARS_PER_TILE * POINT.side**2 / POINT.slices(components)
    work = 2 * weights / (POINT.bit_steps(components) * step)
    return float(work / peak_power(components, rules)[0])


def peak_step(components: Components, rules: Rules) -> float:
    """Return ns of a step: an ADC converts all columns of its crossbar."""
    adc = float(part_table(components, POINT, rules)[ADC, RATE])
    return max(components.step_floor_ns, POINT.side / adc)


def peak_power(components: Components, rules: Rules) -> tuple[float, float]:
    """Return watts of a chip of 168 full tiles, and of its crossbars, when all of them compute.

    Each crossbar does 2 operations a weight in all bit steps of an input; what its ADC converts is
    shifted and added. Sums over crossbars depend on the layer, and are left out.
    """
    parts = part_table(components, POINT, rules)
    size = next(each for each in components.crossbars.sizes if each.side == POINT.side)
    memory = next(
        each for each in components.scratchpads.capacities if each.kilobytes == EDRAM_KILOBYTES
    )
    step = peak_step(components, rules)
    additions = POINT.side / components.vector_units.lanes
    units = additions / (parts[SHIFT_ADD, RATE] * step)
    crossbar = size.peak_w
    if rules.static_plus_dynamic:
        crossbar = max(crossbar, size.static_w + size.dynamic_w)
    around = parts[ADC, PEAK] + POINT.side * parts[DAC, PEAK] + units * parts[SHIFT_ADD, PEAK]
    tile = CROSSBARS_PER_TILE * (crossbar + around) + memory.leakage_w
    if rules.static_plus_dynamic:
        tile += max(memory.read_nj, memory.write_nj) / np.ceil(memory.latency_ns)
    power = TILES_PER_CHIP * tile + components.network_on_chip.power_w
    return float(power), float(TILES_PER_CHIP * CROSSBARS_PER_TILE * crossbar)
