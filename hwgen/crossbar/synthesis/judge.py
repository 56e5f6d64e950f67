"""What annealing makes small: energy, and more where a design is too large for its place.

Where tables say so, static power counts for the interval of a stream of images.
"""

import numpy as np

from hwgen.crossbar.model.allocate import (
    FEASIBLE,
    NO_MEMORY,
    NO_POWER,
    TOO_MANY_MACROS,
    allocate,
    is_raised,
)
from hwgen.crossbar.model.buffers import kilobytes_above
from hwgen.crossbar.model.conflicts import take_turns
from hwgen.crossbar.model.design import Design, lay_out
from hwgen.crossbar.model.evaluate import (
    Cost,
    cost_of,
    energy_nj,
    failed,
    interval_of,
    within_limits,
)
from hwgen.crossbar.model.pipeline import make_pipeline
from hwgen.crossbar.model.tables import KILOBYTES, OPERATIONS, POWER, STREAM, Tables
from hwgen.crossbar.model.timing import (
    block_starts,
    closed_done,
    end_of,
    interval_alone,
    needed_blocks,
)

ABOVE_LIMIT = -1
"""Failure of a design that was not judged to the end; see `judge`."""
REASONS = {
    NO_POWER: "over the budget",
    NO_MEMORY: "scratchpads too small",
    TOO_MANY_MACROS: "more macros than a layer can use",
    ABOVE_LIMIT: "no better than those nearby",
}
"""Why a search did not take a design, in words."""

OVER_BUDGET = 20.0
OVER_MEMORY = 4.0
"""Energy that a design seems to need more, as multiples of the share by which it is too large."""


def verdict(tables: Tables, cost: Cost) -> int:
    """Return FEASIBLE for a design that can be built within the budget, else a key of `REASONS`."""
    if cost.failure != FEASIBLE:
        return int(cost.failure)
    if cost.peak_w > tables.scalars[POWER]:
        return NO_POWER
    return FEASIBLE if cost.converged else NO_MEMORY


def fits(tables: Tables, cost: Cost) -> bool:
    """Return whether a design can be built within the budget."""
    return verdict(tables, cost) == FEASIBLE


def height(tables: Tables, energy_nj: float, peak_w: float, memory: int, kilobytes: float) -> float:
    """Return the energy, with more where the budget or scratchpads do not hold a design."""
    power = max(0.0, peak_w / tables.scalars[POWER] - 1)
    full = max(0.0, kilobytes / tables.memories[memory, KILOBYTES] - 1)
    return float(energy_nj * (1 + OVER_BUDGET * power + OVER_MEMORY * full))


def judge(tables: Tables, design: Design, memory: int, limit: float) -> tuple[Cost, float]:
    """Return the cost with scratchpads of a given size, and the height; inf: cannot be built.

    Layers wait for shared ADCs, but not for links of the mesh. `converged` says whether the
    scratchpads are large enough. What times alone put above `limit` is not looked at
    further: the height is then too low, but above it, and the cost says `ABOVE_LIMIT`, or
    `NO_POWER` where that is why.
    """
    layout = lay_out(tables, design)
    if not within_limits(tables, design, layout):
        return failed(TOO_MANY_MACROS), np.inf
    allocation = allocate(tables, design, layout, memory, is_raised(tables))
    if allocation.failure != FEASIBLE:
        return failed(allocation.failure), np.inf
    pipeline = make_pipeline(tables, layout, design.clocks, memory, allocation.step_ns)
    needed = needed_blocks(tables, layout)
    done = closed_done(tables, layout, pipeline, needed)
    steps = end_of(tables, pipeline, block_starts(layout), done)
    if tables.scalars[STREAM] > 0:
        steps = interval_alone(layout, pipeline)
    energy = energy_nj(tables, layout, allocation, memory, steps)
    early = NO_POWER if allocation.peak_w > tables.scalars[POWER] else ABOVE_LIMIT
    least = height(tables, energy, allocation.peak_w, memory, 0.0)
    if least > limit:
        return failed(early), least
    times = take_turns(tables, layout, pipeline, needed, design.mate, done)
    steps = interval_of(tables, design, layout, times) if tables.scalars[STREAM] > 0 else times.end
    energy = energy_nj(tables, layout, allocation, memory, steps)
    least = height(tables, energy, allocation.peak_w, memory, 0.0)
    if least > limit:
        return failed(early), least
    capacity = tables.memories[memory, KILOBYTES]
    kilobytes = kilobytes_above(tables, layout, times, capacity)
    cost = cost_of(tables, design, layout, allocation, memory, times, bool(kilobytes <= capacity))
    energy = cost.energy_nj
    if tables.scalars[STREAM] > 0:
        energy = tables.scalars[OPERATIONS] / cost.efficiency
    return cost, height(tables, energy, cost.peak_w, memory, kilobytes)
