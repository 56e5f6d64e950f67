"""Random designs that can be built, with what follows from them before anything moves."""

from collections.abc import Iterable

from hwgen.model.crossbar.allocate import FEASIBLE, allocate
from hwgen.model.crossbar.design import Design, Layout, lay_out
from hwgen.model.crossbar.pipeline import Pipeline, make_pipeline
from hwgen.model.crossbar.tables import ACCESS_NS, Tables
from hwgen.spec.crossbar.point import Rules
from tests.model.crossbar.designs import compiled_of
from tests.model.crossbar.random_designs import random_case


def buildable(
    rules: Rules, seeds: Iterable[int], *, slower: float = 1.0
) -> list[tuple[Tables, Design, Layout, Pipeline]]:
    """Those of the seeds that can be built; slower: by how much accesses to scratchpads are."""
    found = []
    for seed in seeds:
        tables, design = compiled_of(random_case(seed, rules))
        tables.memories[:, ACCESS_NS] *= slower
        layout = lay_out(tables, design)
        allocation = allocate(tables, design, layout, 0)
        if allocation.failure == FEASIBLE:
            pipeline = make_pipeline(tables, layout, design.clocks, 0, allocation.step_ns)
            found.append((tables, design, layout, pipeline))
    return found
