"""Networks so small that every design can be judged exactly."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import get_args

import numpy as np

from hwgen.crossbar.facts.components import Components
from hwgen.crossbar.facts.network import CrossbarLayer, CrossbarNetwork
from hwgen.crossbar.facts.point import points
from hwgen.crossbar.facts.rules import STRICT, Objective, Rules
from hwgen.crossbar.model.design import Design
from hwgen.crossbar.model.evaluate import Cost, evaluate
from hwgen.crossbar.model.tables import CONV, FC, Tables, make_tables
from hwgen.crossbar.synthesis.anneal import fits
from hwgen.crossbar.synthesis.result import SearchResult
from hwgen.crossbar.synthesis.search import synthesize
from hwgen.crossbar.synthesis.state import Budget
from hwgen.jobs.executors import SerialExecutor
from tests.crossbar.model.designs import COMPONENTS
from tests.crossbar.model.layers import conv, fc, layer, pool

EVALUATIONS = 4000

MOST_CLOCKS = 6
"""More clocks buy nothing: these layers then need one ADC, or wait for it longer."""

FEW = replace(
    COMPONENTS,
    crossbars=replace(COMPONENTS.crossbars, cell_bits=(4,), sizes=COMPONENTS.crossbars.sizes[:1]),
    dacs=replace(COMPONENTS.dacs, resolutions=COMPONENTS.dacs.resolutions[:1]),
    scratchpads=replace(
        COMPONENTS.scratchpads,
        published_from_kilobytes=1,
        capacities=tuple(
            replace(one, kilobytes=size)
            for one, size in zip(
                COMPONENTS.scratchpads.to_choose_from(published=True), (1, 2), strict=False
            )
        ),
    ),
)
"""The constants with one kind of crossbar and DAC, and two small sizes of scratchpads."""


def network(*layers: CrossbarLayer, side: int) -> CrossbarNetwork:
    return CrossbarNetwork(
        name="tiny", input_channels=3, input_side=side, layers=layers, fused_activations=False
    )


WIDE = network(
    conv("one", (), (3, 24), (3, 3), window=(3, 1, 1)),
    conv("two", (0,), (24, 16), (3, 2), window=(2, 1, 0)),
    side=3,
)
HEADED = network(
    conv("one", (), (3, 20), (4, 2), window=(2, 2, 0)),
    pool("pool", (0,), 20, (2, 1), window=(2, 2, 0)),
    fc("head", (1,), (20, 10)),
    side=4,
)
RESIDUAL = network(
    conv("one", (), (3, 16), (2, 2), window=(1, 1, 0)),
    conv("two", (0,), (16, 16), (2, 2), window=(3, 1, 1)),
    layer("sum", "eltwise", (0, 1), (16, 16), (2, 2)),
    conv("three", (2,), (16, 8), (2, 1), window=(2, 1, 0)),
    side=2,
)


def every_pairing(layers: list[int]) -> Iterator[list[tuple[int, int]]]:
    """Every way in which layers may share macros by twos."""
    if len(layers) < 2:
        yield []
        return
    first, *rest = layers
    yield from every_pairing(rest)
    for other in rest:
        left = [each for each in rest if each != other]
        yield from ([(first, other), *more] for more in every_pairing(left))


def every_design(tables: Tables) -> Iterator[Design]:
    """All copies, macros, pairs and clocks that the rules allow; copies only up to the pixels."""
    count = len(tables.kind)
    weighted = [i for i in range(count) if tables.crossbars[i] > 0]
    copies_of = [
        range(1, tables.pixels[i] + 1) if tables.kind[i] == CONV else [1] for i in weighted
    ]
    clocked = [tables.kind[i] == FC and tables.rules == STRICT for i in weighted]
    clocks_of = [range(1, MOST_CLOCKS + 1) if each else [1] for each in clocked]
    for pairs in every_pairing(weighted):
        partner = np.full(count, -1)
        for one, two in pairs:
            partner[one], partner[two] = two, one
        for copies in itertools.product(*copies_of):
            limit = dict(zip(weighted, copies, strict=True))
            limit = {i: limit[i] * tables.row_tiles[i] for i in weighted}
            for one, two in pairs:
                limit[one], limit[two] = min(limit[one], limit[two]), 0
            macros_of = [range(1, limit[i] + 1) if limit[i] else [0] for i in weighted]
            for macros in itertools.product(*macros_of):
                for clocks in itertools.product(*clocks_of):
                    design = Design(*(np.ones(count, np.int64) for _ in range(4)))
                    design.partner[:] = partner
                    design.macros[:] = 0
                    for place, i in enumerate(weighted):
                        design.copies[i] = copies[place]
                        design.macros[i] = macros[place]
                        design.clocks[i] = clocks[place]
                    yield design


def best_of(
    tiny: CrossbarNetwork, power_w: float, rules: Rules, components: Components = FEW
) -> tuple[Tables, Design, Cost] | None:
    """The most efficient of all designs at all points, judged exactly."""
    best: tuple[Tables, Design, Cost] | None = None
    for point in points(components, rules):
        tables = make_tables(tiny, components, point, power_w, rules)
        for design in every_design(tables):
            cost = evaluate(tables, design, True)
            if fits(tables, cost) and (best is None or cost.efficiency > best[2].efficiency):
                best = (tables, design, cost)
    return best


def merits_of(tiny: CrossbarNetwork, power_w: float) -> dict[Objective, float]:
    """The best of all designs at all points, by each objective, judged exactly by strict rules."""
    best: dict[Objective, float] = dict.fromkeys(get_args(Objective), 0.0)
    for point in points(FEW, STRICT):
        tables = {
            objective: make_tables(tiny, FEW, point, power_w, STRICT, objective)
            for objective in ("image", "stream")
        }
        for design in every_design(tables["image"]):
            alone = evaluate(tables["image"], design, True)
            if not fits(tables["image"], alone):
                continue
            stream = evaluate(tables["stream"], design, True)
            operations = tiny.operations
            time_ns = alone.steps * alone.step_ns
            found: dict[Objective, float] = {
                "image": operations / alone.energy_nj,
                "stream": stream.efficiency,
                "throughput": operations / (alone.interval * alone.step_ns),
                "latency": operations / time_ns,
                "edp": operations / (alone.energy_nj * time_ns),
            }
            best = {key: max(best[key], merit) for key, merit in found.items()}
    return best


def searched(
    tiny: CrossbarNetwork, power_w: float, seed: int, objective: Objective = "image"
) -> SearchResult | None:
    """What a short search by strict rules answers."""
    return synthesize(
        tiny,
        FEW,
        power_w=power_w,
        rules=STRICT,
        seed=seed,
        budget=Budget(evaluations=EVALUATIONS),
        executor=SerialExecutor(),
        objective=objective,
    )
