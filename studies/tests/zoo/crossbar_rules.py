"""Write a part of docs/results/crossbar.md: designs by both rules, strict ones at two clocks.

    python -m studies.tests.zoo.crossbar_rules [--networks alexnet,vgg16] [--evaluations N]

Each row is one synthesis at 49 W with seed 1. Rows are kept in build/crossbar-rules.json, so a
second run goes on where the first stopped; remove the file to measure all of them again.
"""

import argparse
import json
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from hwgen import api
from hwgen.api import Context
from hwgen.crossbar.compiler import shipped_network
from hwgen.crossbar.facts.components import Components, load_components
from hwgen.crossbar.facts.point import Point
from hwgen.crossbar.facts.rules import RULES, RulesName
from hwgen.crossbar.model.record import design_of
from hwgen.crossbar.model.tables import make_tables
from studies.tests.zoo.crossbar_local import local_search

NETWORKS = ("alexnet", "vgg13", "vgg16", "msra", "resnet18")
LOCAL_EVALUATIONS = 5_000
"""Evaluations of the plain local search from an answer."""

POWER_W = 49.0
ROOT = Path(__file__).parents[3]
RESULTS, KEPT = ROOT / "docs" / "results", ROOT / "build" / "crossbar-rules.json"
Row = dict[str, Any]


TABLES = {"": "components.yaml", "clock": "components_netlist.yaml"}
"""Tables of components: of a clock of 1 ns, and of that of a netlist."""


@lru_cache
def components(table: str = "") -> Components:
    """A component table that ships."""
    return load_components(ROOT / "configs" / "crossbar" / TABLES[table])


def row(network: str, rules: RulesName, evaluations: int | None, table: str = "") -> Row:
    """Return the figures of one synthesis."""
    with tempfile.TemporaryDirectory() as folder:
        made = api.synthesize(
            network,
            POWER_W,
            rules=rules,
            components=ROOT / "configs" / "crossbar" / TABLES[table],
            evaluations=evaluations,
            out=Path(folder) / "chip",
            context=Context(work=Path(folder)),
        )
    report = made.report
    found: Row = {
        "network": network,
        "rules": report.rules,
        "clock_ns": components(table).clock_ns,
        "gops_per_w": report.efficiency_gops_per_w,
        "bound_gops_per_w": report.bound_gops_per_w,
        "gap_percent": report.gap_to_bound_percent,
        "steps": report.steps,
        "step_ns": report.step_ns,
        "evaluations": report.evaluations,
    }
    if rules == "strict" and evaluations is None:
        found["local_gain_percent"] = local_gain(network, report, table)
    return found


def local_gain(network: str, report: Any, table: str) -> float:
    """Return how much better a plain local search is than the answer that it starts from."""
    names = [layer.name for layer in report.layers]
    partners = [names.index(layer.partner) if layer.partner else -1 for layer in report.layers]
    shipped = shipped_network(network)
    weighted = [layer.has_weights for layer in shipped.layers]
    design = design_of(
        copies=[layer.copies if layer.kind == "conv" else 1 for layer in report.layers],
        macros=[
            layer.macros if owns and not 0 <= partner < place else 0
            for place, (layer, partner, owns) in enumerate(
                zip(report.layers, partners, weighted, strict=True)
            )
        ],
        partner=partners,
        clocks=[layer.clocks_per_bit for layer in report.layers],
    )
    point = Point(
        rram_ratio=report.point.rram_ratio,
        cell_bits=report.point.cell_bits,
        side=report.point.side,
        dac_bits=report.point.dac_bits,
    )
    tables = make_tables(
        shipped, components(table), point, report.step_budget_w, RULES[report.rules]
    )
    first, best, _ = local_search(tables, design, LOCAL_EVALUATIONS, seed=1)
    np.testing.assert_allclose(first, report.efficiency_gops_per_w, rtol=1e-9)
    return 100 * (best / first - 1)


def wanted(networks: tuple[str, ...], evaluations: int | None) -> list[tuple[Any, ...]]:
    """Return what the rows are of: networks by both rules, and by strict ones at both clocks."""
    known = [(name, rules, evaluations) for name in networks for rules in RULES]
    return [*known, *((name, "strict", evaluations, "clock") for name in networks)]


def measured(rows: list[tuple[Any, ...]]) -> list[Row]:
    """Return the figures of all rows; each is kept as soon as it is known."""
    kept: dict[str, Row] = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    for place, one in enumerate(rows):
        name = " ".join(map(str, one))
        if name not in kept:
            kept[name] = row(*one)
            KEPT.parent.mkdir(exist_ok=True)
            KEPT.write_text(json.dumps(kept, indent=1))
        print(f"{place + 1} of {len(rows)}: {name}: {kept[name]}", flush=True)
    return [kept[" ".join(map(str, one))] for one in rows]


def local_of(one: Row) -> str:
    """Return what the plain local search gained, where it ran."""
    return f"{one['local_gain_percent']:.3f}" if "local_gain_percent" in one else "-"


def table(found: list[Row]) -> list[str]:
    """Return the designs as a table."""
    lines = [
        "| network | rules | clock, ns | GOPS/W | bound | gap, % | steps | step, ns | local, % |",
        f"|{' --- |' * 9}",
    ]
    return lines + [
        f"| {one['network']} | {one['rules']} | {one['clock_ns']:g} | {one['gops_per_w']:.1f} |"
        f" {one['bound_gops_per_w']:.1f} | {one['gap_percent']:.1f} | {one['steps']} |"
        f" {one['step_ns']:.2f} | {local_of(one)} |"
        for one in found
    ]


def page(found: list[Row]) -> str:
    """Return all rows as a page."""
    lines = [
        "# Crossbar rules: what each costs",
        "",
        f"`scripts/results crossbar-rules`; {POWER_W:g} W, seed 1, two processes. Gap: how much"
        " better than the design the bound is. Local search: how much better a plain local search"
        f" finds a design than the answer that it starts from, within {LOCAL_EVALUATIONS:,} exact"
        " evaluations, under strict rules. At "
        f"{max(one['clock_ns'] for one in found):g} ns, the clock of the digits chip's netlist, the"
        " table is"
        " `configs/crossbar/components_netlist.yaml`; published rules know no clock.",
        "",
        *table(found),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Synthesize, and write both files."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--networks", default=",".join(NETWORKS))
    parser.add_argument("--evaluations", type=int)
    given = parser.parse_args()
    found = measured(wanted(tuple(given.networks.split(",")), given.evaluations))
    RESULTS.joinpath("crossbar-rules.json").write_text(json.dumps({"rows": found}, indent=1) + "\n")
    RESULTS.joinpath("crossbar-rules.md").write_text(page(found))


if __name__ == "__main__":
    main()
