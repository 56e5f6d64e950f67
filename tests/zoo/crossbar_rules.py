"""Write docs/results/crossbar-rules.md and .json: designs by all rules, and what corrections cost.

    scripts/crossbar-rules [--networks alexnet,vgg16] [--evaluations N]

Each row is one synthesis at 49 W with seed 1; finished pieces of work are kept, so a second run
goes on where the first stopped. Seconds are those of a machine that does nothing else.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from hwgen import api
from hwgen.spec.crossbar.rules import CORRECTIONS

NETWORKS = ("alexnet", "vgg13", "vgg16", "msra", "resnet18")
ONE_BY_ONE = ("alexnet", "resnet18", "cifar_alexnet")
"""Networks of which the cost of each correction is measured."""

POWER_W = 49.0
RESULTS = Path(__file__).parents[2] / "docs" / "results"


def row(network: str, rules: str, without: str, evaluations: int | None) -> dict[str, Any]:
    """Return the figures of one synthesis."""
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        made = api.synthesize(
            network,
            POWER_W,
            rules="published" if rules == "published" else "strict",
            without=without,
            evaluations=evaluations,
            out=Path(folder) / "chip",
        )
    report = made.report
    return {
        "network": network,
        "rules": report.rules,
        "gops_per_w": report.efficiency_gops_per_w,
        "bound_gops_per_w": report.bound_gops_per_w,
        "gap_percent": report.gap_to_bound_percent,
        "steps": report.steps,
        "step_ns": report.step_ns,
        "seconds": round(time.monotonic() - begin, 1),
    }


def rows(networks: tuple[str, ...], evaluations: int | None) -> list[dict[str, Any]]:
    """Return all rows: networks by three sets of rules, then one correction off at a time."""
    found = []
    for network in networks:
        for rules, without in (("published", ""), ("strict", "all"), ("strict", "")):
            found.append(row(network, rules, without, evaluations))
    for network in ONE_BY_ONE:
        for name in CORRECTIONS:
            found.append(row(network, "strict", name, evaluations))
    return found


def table(found: list[dict[str, Any]]) -> str:
    """Return the rows as a page."""
    lines = [
        "# Crossbar rules: what each costs",
        "",
        f"`scripts/crossbar-rules`; {POWER_W:g} W, seed 1. Gap: how much better than the design the"
        " bound is.",
        "",
        "| network | rules | GOPS/W | bound | gap, % | steps | step, ns | seconds |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {one['network']} | {one['rules']} | {one['gops_per_w']:.1f} |"
        f" {one['bound_gops_per_w']:.1f} | {one['gap_percent']:.1f} | {one['steps']} |"
        f" {one['step_ns']:.2f} | {one['seconds']} |"
        for one in found
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Synthesize, and write both files."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--networks", default=",".join(NETWORKS))
    parser.add_argument("--evaluations", type=int)
    given = parser.parse_args()
    found = rows(tuple(given.networks.split(",")), given.evaluations)
    RESULTS.joinpath("crossbar-rules.json").write_text(json.dumps({"rows": found}, indent=1) + "\n")
    RESULTS.joinpath("crossbar-rules.md").write_text(table(found))


if __name__ == "__main__":
    main()
