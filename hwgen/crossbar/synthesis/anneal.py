"""Search of one point of the design space: copies, macros, sharing and clocks together.

Threshold accepting: a change is kept if it makes the design worse by less than a threshold that
falls in equal ratios. It needs no exponential, so every machine takes the same path. From a design
that was confirmed, local search (`climb`) goes only to better ones, with conflicts of links.

What is made small (`judge`) is the price of a design by the objective, and more where it is too
large for its place.
"""

from collections import Counter

import numpy as np

from hwgen.crossbar.facts.components import Components
from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.point import Point
from hwgen.crossbar.facts.rules import Rules
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
from hwgen.crossbar.model.design import Design, lay_out, most_copies_for
from hwgen.crossbar.model.evaluate import (
    Cost,
    cost_of,
    evaluate,
    failed,
    interval_of,
    price_of,
    within_limits,
)
from hwgen.crossbar.model.exact import exact_times
from hwgen.crossbar.model.pipeline import make_pipeline
from hwgen.crossbar.model.tables import (
    ADC,
    CONV,
    FC,
    KILOBYTES,
    OPERATIONS,
    PEAK,
    POWER,
    STREAM,
    Tables,
    make_tables,
)
from hwgen.crossbar.model.timing import (
    block_starts,
    closed_done,
    end_of,
    interval_alone,
    needed_blocks,
)
from hwgen.crossbar.synthesis.moves import begin_drawing, change_near, copy_design, look_around

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
"""Price that a design seems to need more, as multiples of the share by which it is too large."""

HOT, COLD = 0.006, 0.00001
"""Threshold at the beginning and at the end, as a share of the price."""

FINALISTS = 4
"""Designs that one run hands on: conflicts, which only the exact simulation sees, differ by more
than the last steps of a search gain.
"""

SHARES = (0.5, 0.35, 0.2, 0.1)
"""Shares of the budget that crossbars take, the most efficient designs first."""


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


def height(tables: Tables, price: float, peak_w: float, memory: int, kilobytes: float) -> float:
    """Return the price, with more where the budget or scratchpads do not hold a design."""
    power = max(0.0, peak_w / tables.scalars[POWER] - 1)
    full = max(0.0, kilobytes / tables.memories[memory, KILOBYTES] - 1)
    return float(price * (1 + OVER_BUDGET * power + OVER_MEMORY * full))


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
    price = price_of(tables, layout, allocation, memory, steps)
    early = NO_POWER if allocation.peak_w > tables.scalars[POWER] else ABOVE_LIMIT
    least = height(tables, price, allocation.peak_w, memory, 0.0)
    if least > limit:
        return failed(early), least
    times = take_turns(tables, layout, pipeline, needed, design.partner, done)
    steps = interval_of(tables, design, layout, times) if tables.scalars[STREAM] > 0 else times.end
    price = price_of(tables, layout, allocation, memory, steps)
    least = height(tables, price, allocation.peak_w, memory, 0.0)
    if least > limit:
        return failed(early), least
    capacity = tables.memories[memory, KILOBYTES]
    kilobytes = kilobytes_above(tables, layout, times, capacity)
    cost = cost_of(tables, design, layout, allocation, memory, times, bool(kilobytes <= capacity))
    return cost, height(tables, price, cost.peak_w, memory, kilobytes)


def with_links(tables: Tables, design: Design, memory: int) -> float:
    """Return the price of one image of a design that was judged, with conflicts of links.

    Half of an exact evaluation, which finds the size of the scratchpads besides.
    """
    layout = lay_out(tables, design)
    allocation = allocate(tables, design, layout, memory, is_raised(tables))
    pipeline = make_pipeline(tables, layout, design.clocks, memory, allocation.step_ns)
    times = exact_times(tables, layout, pipeline, design.partner)
    return price_of(tables, layout, allocation, memory, times.end)


def empty_design(layers: int) -> Design:
    """Return a design with one copy and one macro of everything."""
    ones = np.ones(layers, np.int64)
    return Design(ones.copy(), ones.copy(), np.full(layers, -1), ones.copy())


def anneal(
    tables: Tables,
    start: Design,
    memory: int,
    evaluations: int,
    seed: int,
    sharing: bool,
    hot: float,
    refused: Counter[int],
) -> list[Design]:
    """Return the best designs found with so many evaluations, the best first.

    If nothing fits, it is the first one that there was. refused: counts verdicts, see `judge`
    """
    begin_drawing(seed)
    layers = len(tables.kind)
    weighted = np.flatnonzero(tables.crossbars > 0)
    now, trial = empty_design(layers), empty_design(layers)
    best = [empty_design(layers) for _ in range(FINALISTS)]
    copy_design(start, now)
    copy_design(start, best[0])
    cost, height_now = judge(tables, now, memory, np.inf)
    best_efficiency = cost.efficiency if fits(tables, cost) else 0.0
    refused[verdict(tables, cost)] += 1
    improved = 0
    ratio = (COLD / hot) ** (1.0 / max(1, evaluations))
    threshold = hot
    for _ in range(1, evaluations):
        threshold *= ratio
        change_near(tables, now, trial, weighted, threshold / HOT, sharing)
        limit = height_now * (1 + threshold)
        cost, height_trial = judge(tables, trial, memory, limit)
        found = verdict(tables, cost)
        refused[found] += 1
        if height_trial <= limit:
            copy_design(trial, now)
            height_now = height_trial
            if found == FEASIBLE and cost.efficiency > best_efficiency:
                best_efficiency = cost.efficiency
                improved += 1
                copy_design(trial, best[improved % FINALISTS])
    return [best[n % FINALISTS] for n in range(improved, max(-1, improved - FINALISTS), -1)]


def climb(
    tables: Tables,
    start: Design,
    memory: int,
    evaluations: int,
    seed: int,
    sharing: bool,
    refused: Counter[int],
) -> tuple[Design, int]:
    """Return the best design found with so many evaluations, and how many of them were exact.

    start: a design that fits; memory: its scratchpads. What cannot be better without conflicts of
    links, with these scratchpads or the next smaller ones, is not simulated exactly.
    refused: counts verdicts, see `judge`
    """
    begin_drawing(seed)
    weighted = np.flatnonzero(tables.crossbars > 0)
    best, trial = empty_design(len(tables.kind)), empty_design(len(tables.kind))
    copy_design(start, best)
    efficiency, exact = evaluate(tables, best, True).efficiency, 1
    for _ in range(1, evaluations):
        smaller = look_around(tables, best, trial, weighted, sharing)
        limit = tables.scalars[OPERATIONS] / efficiency
        size = max(0, memory - smaller)
        judged, height = judge(tables, trial, size, limit)
        if height >= limit:
            refused[verdict(tables, judged) or ABOVE_LIMIT] += 1
            continue
        if tables.scalars[STREAM] == 0 and with_links(tables, trial, size) >= limit:
            refused[ABOVE_LIMIT] += 1
            continue
        cost = evaluate(tables, trial, True)
        exact += 1
        found = verdict(tables, cost)
        refused[found] += 1
        if found == FEASIBLE and cost.efficiency > efficiency:
            efficiency, memory = cost.efficiency, cost.memory
            copy_design(trial, best)
    return best, exact


def simple_design(tables: Tables, share: float) -> Design:
    """Return copies in proportion to pixels, crossbars taking about `share` of the budget.

    Every layer has a single macro; fully connected layers take so many clocks that none converts
    more in one of them than the busiest convolution.
    """
    design = empty_design(len(tables.kind))
    allowed = share * tables.scalars[POWER] / tables.crossbar[PEAK]
    design.copies[:] = most_copies_for(
        tables, lambda copies: bool((copies * tables.crossbars).sum() <= allowed)
    )
    design.macros[tables.crossbars == 0] = 0
    busiest = max(1.0, (tables.work[:, ADC] * design.copies)[tables.kind == CONV].max(initial=0))
    if tables.rules.used_columns:
        clocks = np.ceil(tables.work[:, ADC] / busiest).astype(np.int64)
        design.clocks[:] = np.where(tables.kind == FC, np.maximum(1, clocks), 1)
    return design


def first_fitting(
    network: CrossbarNetwork, components: Components, point: Point, power_w: float, rules: Rules
) -> Design | None:
    """Return the first simple design at a point that fits a budget; None: none does."""
    tables = make_tables(network, components, point, power_w, rules)
    designs = (simple_design(tables, share) for share in SHARES)
    return next((each for each in designs if fits(tables, evaluate(tables, each, True))), None)
