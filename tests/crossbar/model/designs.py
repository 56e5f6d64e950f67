"""Designs of test networks, for the reference and for the compiled evaluators."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from golden.crossbar.dataflow import compile_dataflow
from hwgen.crossbar.facts.components import Components, load_components
from hwgen.crossbar.facts.layout import Choice
from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.point import Point
from hwgen.crossbar.facts.rules import Rules
from hwgen.crossbar.model.design import Design
from hwgen.crossbar.model.tables import Tables, make_tables
from verif.reference.crossbar import Case

SHIPPED = load_components(Path(__file__).parents[3] / "configs" / "crossbar" / "components.yaml")
PADS = SHIPPED.scratchpads
COMPONENTS = replace(
    SHIPPED, scratchpads=replace(PADS, capacities=PADS.to_choose_from(published=True))
)
"""The constants without the scratchpads that the published tool does not know."""


def case_of(
    network: CrossbarNetwork,
    point: Point,
    power_w: float,
    rules: Rules,
    choice: Choice,
    *,
    components: Components = COMPONENTS,
) -> Case:
    """Return a design as the reference takes it."""
    return Case(
        network=network,
        components=components,
        point=point,
        power_w=power_w,
        rules=rules,
        choice=choice,
        dataflow=compile_dataflow(network, components, point, rules, choice),
    )


def compiled_of(case: Case) -> tuple[Tables, Design]:
    """Return a design as the compiled evaluators take it."""
    tables = make_tables(case.network, case.components, case.point, case.power_w, case.rules)
    choice = case.choice
    arrays = (choice.copies, choice.macros, choice.partner, choice.clocks)
    return tables, Design(*(np.array(each, np.int64) for each in arrays))
