"""A small synthesis for the tests of what is handed on: a network, designs of it, a search."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hwgen.crossbar.facts.arch import Arch
from hwgen.crossbar.facts.components import Components, load_components
from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.point import Point
from hwgen.crossbar.facts.rules import STRICT
from hwgen.crossbar.facts.schedule import Schedule
from hwgen.crossbar.model.breakdown import break_down
from hwgen.crossbar.model.record import Confirmed, confirm, design_of, make_arch, make_schedule
from hwgen.crossbar.pages.reported import synthesis_report
from hwgen.crossbar.pages.synthesis import SynthesisReport
from hwgen.crossbar.synthesis.result import (
    Candidate,
    Chosen,
    Finished,
    PointResult,
    Progress,
    SearchResult,
)
from hwgen.report.types import Source
from tests.crossbar.model.layers import conv, fc, layer, pool

ROOT = Path(__file__).parents[1]
COMPONENTS_FILE = ROOT / "configs/crossbar/components.yaml"
COMPONENTS = load_components(COMPONENTS_FILE)

POWER_W = 3.0

SMALL = CrossbarNetwork(
    name="small",
    input_channels=3,
    input_side=16,
    layers=(
        conv("stem", (), (3, 32), (16, 16), window=(3, 1, 1)),
        conv("left", (0,), (32, 32), (16, 16), window=(3, 1, 1)),
        layer("join", "eltwise", (0, 1), (32, 32), (16, 16), activation="relu"),
        pool("pool", (2,), 32, (16, 8), window=(2, 2, 0)),
        conv("deep", (3,), (32, 300), (8, 8), window=(3, 1, 1), activation="sigmoid"),
        pool("average", (4,), 300, (8, 1), window=(8, 1, 0)),
        fc("head", (5,), (300, 10), activation="none"),
    ),
)
"""Every kind of layer; `stem` and `deep` share macros in the designs below."""

DESIGN = Chosen(
    copies=[8, 4, 1, 1, 2, 1, 1],
    macros=[3, 2, 0, 0, 0, 0, 1],
    partner=[4, -1, -1, -1, 0, -1, -1],
    clocks=[1, 1, 1, 1, 1, 1, 3],
)
ALONE = Chosen(
    copies=[4, 4, 1, 1, 2, 1, 1],
    macros=[2, 2, 0, 0, 3, 0, 1],
    partner=[-1] * 7,
    clocks=[1, 1, 1, 1, 1, 1, 2],
)

POINTS = (
    Point(rram_ratio=None, cell_bits=2, side=128, dac_bits=1),
    Point(rram_ratio=None, cell_bits=2, side=256, dac_bits=1),
)


def confirmed(chosen: Chosen = DESIGN, point: Point = POINTS[0]) -> Confirmed:
    """Return a design of the small network under strict rules."""
    return confirm(
        SMALL,
        COMPONENTS,
        point=point,
        rules=STRICT,
        power_w=POWER_W,
        design=design_of(**chosen.as_json()),
    )


def candidate(found: Confirmed, chosen: Chosen) -> Candidate:
    """Return a confirmed design as a search hands it on."""
    cost = found.cost
    return Candidate(
        point=found.point,
        chosen=chosen,
        budget_w=found.power_w,
        efficiency_gops_per_w=float(cost.efficiency),
        energy_nj=float(cost.energy_nj),
        steps=int(cost.steps),
        step_ns=float(cost.step_ns),
        interval_steps=int(cost.interval),
        peak_w=float(cost.peak_w),
        memory=int(cost.memory),
    )


def simple(network: CrossbarNetwork) -> Chosen:
    """Return one copy and one macro of each layer."""
    layers = network.layers
    return Chosen(
        copies=[1] * len(layers),
        macros=[int(layer.has_weights) for layer in layers],
        partner=[-1] * len(layers),
        clocks=[32 if layer.kind == "fc" else 1 for layer in layers],
    )


def result(**changes: Any) -> SearchResult:
    """Return what a search over four designs would hand on, with some fields changed."""
    found = sorted(
        (
            candidate(confirmed(chosen, point), chosen)
            for chosen in (DESIGN, ALONE)
            for point in POINTS
        ),
        key=lambda each: -each.efficiency_gops_per_w,
    )
    best = found[0].efficiency_gops_per_w
    facts: dict[str, Any] = {
        "rules": STRICT,
        "power_w": POWER_W,
        "seed": 5,
        "method": "bounded",
        "best": found[0],
        "candidates": found,
        "points": [
            PointResult(
                point=point,
                bound_gops_per_w=1.3 * best,
                best_gops_per_w=max(
                    each.efficiency_gops_per_w for each in found if each.point == point
                ),
            )
            for point in POINTS
        ],
        "convergence": [
            Progress(evaluations=0, best_gops_per_w=0.0, bound_gops_per_w=2 * best),
            Progress(evaluations=70, best_gops_per_w=best, bound_gops_per_w=1.25 * best),
        ],
        "bound_gops_per_w": 1.25 * best,
        "evaluations": 100,
        "exact_evaluations": 4,
        "nodes": 9,
        "stopped_early": False,
    }
    return SearchResult(**facts | changes)


def handed_on(**changes: Any) -> tuple[Arch, Schedule, SynthesisReport]:
    """Return architecture, schedule and report of the best of them."""
    searched = result(**changes)
    best = confirmed(searched.best.chosen, searched.best.point)
    arch = make_arch(best, "small-3w")
    schedule = make_schedule(best, arch)
    found = Finished(
        network=SMALL,
        components=COMPONENTS,
        result=searched,
        confirmed=best,
        arch=arch,
        schedule=schedule,
        breakdown=break_down(best, arch),
    )
    report = synthesis_report(
        searched,
        found,
        network=Source(name=SMALL.name, file="small.onnx", digest=SMALL.digest),
        components=Source(name=COMPONENTS.name, file="components.yaml", digest=COMPONENTS.digest),
        versions={"python": "3"},
    )
    return arch, schedule, report


def result_of_one(
    network: CrossbarNetwork, components: Components, power_w: float, *, identical: bool = False
) -> SearchResult:
    """Return what a search that knows one design of a network would hand on, under strict rules."""
    chosen = simple(network)
    found = confirm(
        network,
        components,
        point=POINTS[1],
        rules=STRICT,
        power_w=power_w,
        design=design_of(**chosen.as_json()),
        identical=identical,
    )
    best = candidate(found, chosen)
    return result(
        power_w=power_w,
        best=best,
        candidates=[best],
        bound_gops_per_w=2 * best.efficiency_gops_per_w,
        identical=identical,
    )


def replace_search(patch: pytest.MonkeyPatch, synthesize: Callable[..., Any]) -> None:
    """Put a search in the place of ours."""
    patch.setattr("hwgen.crossbar.synthesis.search.synthesize", synthesize)
