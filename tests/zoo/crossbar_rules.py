"""Write docs/results/crossbar-rules.md and .json: designs by both rules.

What each part of the strict rules costs was measured once, while it could be left out; those rows
are kept as they are.

    python -m tests.zoo.crossbar_rules [--networks alexnet,vgg16] [--evaluations N]

Each row is one synthesis at 49 W with seed 1. Rows are kept in build/crossbar-rules.json, so a
second run goes on where the first stopped; remove the file to measure all of them again.
"""

import argparse
import json
import tempfile
import time
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
from tests.zoo.crossbar_local import local_search

NETWORKS = ("alexnet", "vgg13", "vgg16", "msra", "resnet18")
LOCAL_EVALUATIONS = 5_000
"""Evaluations of the plain local search from an answer."""

POWER_W = 49.0
ROOT = Path(__file__).parents[2]
RESULTS, KEPT = ROOT / "docs" / "results", ROOT / "build" / "crossbar-rules.json"
Row = dict[str, Any]


@lru_cache
def components() -> Components:
    """The component table that ships."""
    return load_components(ROOT / "configs" / "crossbar" / "components.yaml")


def row(network: str, rules: RulesName, evaluations: int | None) -> Row:
    """Return the figures of one synthesis."""
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        made = api.synthesize(
            network,
            POWER_W,
            rules=rules,
            evaluations=evaluations,
            out=Path(folder) / "chip",
            context=Context(work=Path(folder)),
        )
        seconds = time.monotonic() - begin
    report = made.report
    found: Row = {
        "network": network,
        "rules": report.rules,
        "gops_per_w": report.efficiency_gops_per_w,
        "bound_gops_per_w": report.bound_gops_per_w,
        "gap_percent": report.gap_to_bound_percent,
        "steps": report.steps,
        "step_ns": report.step_ns,
        "evaluations": report.evaluations,
        "seconds": round(seconds, 1),
        "alone": False,
    }
    if rules == "strict" and evaluations is None:
        found["local_gain_percent"] = local_gain(network, report)
    return found


def local_gain(network: str, report: Any) -> float:
    """Return how much better a plain local search is than the answer that it starts from."""
    names = [layer.name for layer in report.layers]
    mates = [names.index(layer.mate) if layer.mate else -1 for layer in report.layers]
    shipped = shipped_network(network)
    weighted = [layer.has_weights for layer in shipped.layers]
    design = design_of(
        copies=[layer.copies if layer.kind == "conv" else 1 for layer in report.layers],
        macros=[
            layer.macros if owns and not 0 <= mate < place else 0
            for place, (layer, mate, owns) in enumerate(
                zip(report.layers, mates, weighted, strict=True)
            )
        ],
        mate=mates,
        clocks=[layer.clocks_per_bit for layer in report.layers],
    )
    point = Point(
        rram_ratio=report.point.rram_ratio,
        cell_bits=report.point.cell_bits,
        side=report.point.side,
        dac_bits=report.point.dac_bits,
    )
    tables = make_tables(shipped, components(), point, report.step_budget_w, RULES[report.rules])
    first, best, _ = local_search(tables, design, LOCAL_EVALUATIONS, seed=1)
    np.testing.assert_allclose(first, report.efficiency_gops_per_w, rtol=1e-9)
    return 100 * (best / first - 1)


def wanted(networks: tuple[str, ...], evaluations: int | None) -> list[tuple[Any, ...]]:
    """Return what the rows are of: networks by both rules."""
    return [(name, rules, evaluations) for name in networks for rules in RULES]


def kept_rows() -> list[Row]:
    """Return the rows of what each part of the strict rules costs, as they were measured."""
    rows: list[Row] = json.loads(RESULTS.joinpath("crossbar-rules.json").read_text())["rows"]
    return [one for one in rows if one["alone"] or one["rules"] not in RULES]


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


def rules_name(rules: str) -> str:
    """Return a short name of rules."""
    return rules if rules in RULES else "strict, all corrections off"


def table(found: list[Row]) -> list[str]:
    """Return the designs as a table."""
    lines = [
        "| network | rules | GOPS/W | bound | gap, % | steps | step, ns | seconds | local, % |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    return lines + [
        f"| {one['network']} | {rules_name(one['rules'])} | {one['gops_per_w']:.1f} |"
        f" {one['bound_gops_per_w']:.1f} | {one['gap_percent']:.1f} | {one['steps']} |"
        f" {one['step_ns']:.2f} | {one['seconds']} | {local_of(one)} |"
        for one in found
    ]


def costs(found: list[Row]) -> list[str]:
    """Return what each correction costs alone: how much better a design is without it."""
    lines = [
        "| network | correction off | GOPS/W | better than with all, % | steps | step, ns |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    all_on: dict[str, float] = {}
    for one in found:
        with_all = all_on.setdefault(one["network"], one["gops_per_w"])
        off = one["rules"].partition(" without ")[2] or "none"
        lines.append(
            f"| {one['network']} | {off} | {one['gops_per_w']:.1f} |"
            f" {100 * (one['gops_per_w'] / with_all - 1):.1f} | {one['steps']} |"
            f" {one['step_ns']:.2f} |"
        )
    return lines


def page(found: list[Row]) -> str:
    """Return all rows as a page."""
    designs = [one for one in found if not one["alone"]]
    alone = [one for one in found if one["alone"]]
    lines = [
        "# Crossbar rules: what each costs",
        "",
        f"`scripts/results crossbar-rules`; {POWER_W:g} W, seed 1, two processes. Gap: how much"
        " better than the design the bound is. Local search: how much better a plain local search"
        f" finds a design than the answer that it starts from, within {LOCAL_EVALUATIONS:,} exact"
        " evaluations, under strict rules.",
        "",
        *table(designs),
        "",
        "## Each correction alone",
        "",
        "Measured while a correction could be switched off, which is no longer so;"
        " [the rules](../crossbar-synthesis.md) say what each is. Searches of 10,000 evaluations"
        " each, one correction off at a time; a search is not exact, so a difference below about"
        " 2 % is none. A row may be worse than with all corrections: `ports` off charges a read for"
        " every copy, and `parts` off converts unused columns, which their corrections put right.",
        "",
        *costs(alone),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Synthesize, and write both files."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--networks", default=",".join(NETWORKS))
    parser.add_argument("--evaluations", type=int)
    given = parser.parse_args()
    found = measured(wanted(tuple(given.networks.split(",")), given.evaluations))
    found += kept_rows()
    found.sort(key=lambda one: one["alone"] or NETWORKS.index(one["network"]) - len(NETWORKS))
    RESULTS.joinpath("crossbar-rules.json").write_text(json.dumps({"rows": found}, indent=1) + "\n")
    RESULTS.joinpath("crossbar-rules.md").write_text(page(found))


if __name__ == "__main__":
    main()
