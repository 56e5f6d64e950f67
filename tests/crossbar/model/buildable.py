"""Random designs that can be built, with what follows from them before anything moves."""

from collections.abc import Iterable

from hwgen.crossbar.facts.rules import Rules
from hwgen.crossbar.model.allocate import FEASIBLE, allocate
from hwgen.crossbar.model.design import Design, Layout, lay_out
from hwgen.crossbar.model.pipeline import Pipeline, make_pipeline
from hwgen.crossbar.model.tables import ACCESS_NS, Tables
from tests.crossbar.model.designs import compiled_of
from tests.crossbar.model.random_designs import random_case


def buildable(
    rules: Rules, seeds: Iterable[int], *, slower: float = 1.0
) -> list[tuple[Tables, Design, Layout, Pipeline]]:
    """Those of the seeds that can be built; slower: by how much accesses to scratchpads are."""
    found = []
    for seed in seeds:
        tables, design = compiled_of(random_case(seed, rules))
        tables.memories[:, ACCESS_NS] *= slower
        layout = lay_out(tables, design)
        allocation = allocate(tables, design, layout, 0, False)
        if allocation.failure == FEASIBLE:
            pipeline = make_pipeline(tables, layout, design.clocks, 0, allocation.step_ns)
            found.append((tables, design, layout, pipeline))
    return found
