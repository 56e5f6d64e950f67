"""Print the table of docs/crossbar-synthesis.md: what leaves a gap between a design and its bound.

    hwgen synthesize alexnet --power-w 49 --json build/gaps/alexnet.json
    python -m studies.tests.zoo.crossbar_gaps build/gaps/*.json

Each row is of one report of a synthesis; columns are percents by which a bound, or the design
itself without what the column names, is better than the design. See `row`.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from hwgen.crossbar.facts.components import load_components
from hwgen.crossbar.facts.point import Point
from hwgen.crossbar.facts.rules import RULES
from hwgen.crossbar.model.evaluate import energy_nj, evaluate
from hwgen.crossbar.model.record import design_of
from hwgen.crossbar.model.tables import make_tables
from hwgen.crossbar.pages.networks import load_problem
from hwgen.crossbar.synthesis.bound import bound_node
from hwgen.crossbar.synthesis.limits import path_lengths
from hwgen.crossbar.synthesis.nodes import (
    CLOCKS_HIGH,
    CLOCKS_LOW,
    COPIES_HIGH,
    COPIES_LOW,
    MACROS_HIGH,
    all_ranges,
)
from hwgen.crossbar.synthesis.paths import make_needs
from hwgen.crossbar.synthesis.scratchpads import make_contents
from hwgen.files.shipped import shipped_folder
from tests.crossbar.synthesis.judged import Judged
from tests.crossbar.synthesis.rows import fitting, is_near, weighted

NARROW = 1e-6
"""Size of the node of a design."""

HEAD = """\
| network | rules | gap, % | nodes | mixtures | itself | waits | delays |
| --- | --- | --- | --- | --- | --- | --- | --- |"""


def judged_of(report: dict[str, Any]) -> Judged:
    """Return the design of a report, judged exactly."""
    rules = RULES[report["rules"]]
    name, file = report["network"]["name"], Path(report["network"]["file"])
    table = load_components(shipped_folder() / "crossbar" / "components.yaml")
    source = str(file) if file.suffix == ".npz" else file.stem
    network, components = load_problem(source, table, rules=rules)
    layers = report["layers"]
    names = [layer["name"] for layer in layers]
    design = design_of(
        copies=[layer["copies"] for layer in layers],
        macros=[layer["macros"] if layer["crossbars"] else 0 for layer in layers],
        partner=[names.index(layer["partner"]) if layer["partner"] else -1 for layer in layers],
        clocks=[layer["clocks_per_bit"] for layer in layers],
    )
    given = {key: report["point"][key] for key in ("rram_ratio", "cell_bits", "side", "dac_bits")}
    # A smaller budget than that of the search, where the step was made for one.
    tables = make_tables(network, components, Point(**given), report["step_budget_w"], rules)
    cost = evaluate(tables, design, True)
    return Judged(name, tables, make_contents(tables), make_needs(tables), design, cost)


def own_path(given: Judged) -> float:
    """Return the steps of the design's critical path, as its own choices count in a bound."""
    rows, cut = given.choices(NARROW), given.cut
    lengths, spared = path_lengths(given.tables, rows, cut)
    total = float(cut.fixed)
    for i in weighted(given.tables):
        c = fitting(rows, given, i)[-1]
        total += lengths[c] - spared[c] * is_near(given, i)
    return total


def leaks_nj(given: Judged) -> float:
    """Return what leaks in a step of the design."""
    cost = given.cost
    args = given.tables, given.layout, given.allocation, int(cost.memory)
    return energy_nj(*args, int(cost.steps) + 1) - energy_nj(*args, int(cost.steps))


def node_nj(given: Judged, *, own: bool) -> float:
    """Return the bound of the node of a design; own: with its copies and clocks only."""
    tables, layout, ranges = given.tables, given.layout, all_ranges(len(given.tables.kind))
    for i in weighted(tables) if own else []:
        ranges[[COPIES_LOW, COPIES_HIGH], i] = layout.copies[i]
        ranges[[CLOCKS_LOW, CLOCKS_HIGH], i] = given.design.clocks[i]
        ranges[MACROS_HIGH, i] = layout.shared_macros[i]
    facts = tables, given.contents, given.needs
    node, target = given.node(NARROW), 10 * given.cost.energy_nj
    return bound_node(*facts, node, target, cuts=[given.cut], ranges=ranges).energy


def row(report: dict[str, Any]) -> str:
    """Return what leaves the gap of one design, in percent of it.

    nodes: what the bound of the whole space is above that of the design's own point, scratchpads,
    steps and length of a step; mixtures: what that is above the one of its own copies and clocks;
    itself: what that is above the design. Of the design's energy leak waits: while it waits for
    links, or at shared ADCs; delays: in other steps that its own choices do not count
    """
    given = judged_of(report)
    cost, gap = given.cost, report["gap_to_bound_percent"]
    of_node, itself = (
        100 * (cost.energy_nj / node_nj(given, own=own) - 1) for own in (False, True)
    )
    leaks = 100 * leaks_nj(given) / cost.energy_nj
    waits, delays = cost.steps - given.times.end, given.times.end - own_path(given)
    found = gap, gap - of_node, of_node - itself, itself, leaks * waits, leaks * delays
    figures = " | ".join(f"{each:.1f}" for each in found)
    return f"| {report['network']['name']} | {report['rules']} | {figures} |"


def main() -> None:
    """Print the table of some reports."""
    parser = argparse.ArgumentParser()
    parser.add_argument("reports", nargs="+", type=Path)
    print(HEAD)
    for file in parser.parse_args().reports:
        print(row(json.loads(file.read_text())), flush=True)


if __name__ == "__main__":
    main()
