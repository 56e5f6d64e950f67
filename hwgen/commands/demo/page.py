"""The page of the demo: one HTML file with its pictures inside, the same bytes every time.

Tests: `tests/commands/demo/test_run.py`.
"""

from collections.abc import Mapping, Sequence
from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from hwgen.commands.demo.report import DemoReport
from hwgen.report.adaptive import AdaptiveMode
from hwgen.report.bars import CLASSES, Row, bars, legend, stacked
from hwgen.report.tables import number, verdict

TEMPLATE = "demo.html"
CHIPS = ("dense", "sparse")
OTHERS = "all others"
"""Causes that are small on both chips, in the picture; the table has each."""
CAUSES = {
    "busy": "cells that hold weights compute",
    "inactive_positions": "the position vector is not full",
    "empty_slots": "the row of weights is not full",
    "absent_filters": "cell columns that no filter uses",
    "simd": "layers without weights, and depthwise ones",
    "row_write": "a row of weights is being written",
    "load": "waiting for weights or instructions",
    "switch": "waiting for a group of inputs",
    "queue": "waiting for a slower macro of the core",
    "output": "waiting for the output stage",
    "write_bus": "another core has the bus",
    "pipeline": "a step starts or ends",
    "imbalance": "waiting for other macros and cores",
    "port": "waiting for a memory port that is never idle",
    "image": "an image comes in",
    "spill": "a map goes to memory or back",
    "store": "logits go out",
    "end": "the last image has left",
}
"""What each cause of cycles means, for people; a cause that is missing here goes by its name."""


def demo_page(report: DemoReport) -> str:
    """Return the page; it asks no server for anything and follows the colours of its reader."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    text = files("hwgen.commands.demo").joinpath(TEMPLATE).read_text(encoding="utf-8")
    causes = [name for name in CAUSES if any(name in spent for spent in report.where.values())]
    causes += sorted({name for spent in report.where.values() for name in spent} - set(causes))
    shares = {chip: {name: report.where[chip].get(name, 0.0) for name in causes} for chip in CHIPS}
    drawn = {chip: largest(shares[chip], shares) for chip in CHIPS}
    modes = report.adaptive.modes if report.adaptive else []
    return environment.from_string(text).render(
        report=report,
        pairs=list(zip(report.dense.layers, report.sparse.layers, strict=True)),
        meanings={name: CAUSES.get(name, name) for name in causes},
        shares=shares,
        layers=Markup(layer_bars(report)),
        number=number,
        verdict=lambda layer: verdict(layer).plain,
        where=Markup(stacked(drawn, title="where the cycles of both chips go")),
        causes=Markup(legend(list(drawn["dense"]))),
        chips=Markup(legend(CHIPS)),
        switches=Markup(switch_bars(report)),
        modes=modes,
        costs=Markup(mode_bars(modes)),
        cost_names=Markup(legend(["cycles", "energy", "accuracy"])),
    )


def largest(
    spent: Mapping[str, float], of_all: Mapping[str, Mapping[str, float]]
) -> dict[str, float]:
    """Return the shares of the causes that are large on some chip, and of all others together."""
    weight = {name: max(each[name] for each in of_all.values()) for name in spent}
    chosen = sorted(weight, key=lambda name: -weight[name])[: len(CLASSES) - 1]
    found = {name: share for name, share in spent.items() if name in chosen}
    others = sum(share for name, share in spent.items() if name not in chosen)
    return found | ({OTHERS: others} if len(spent) > len(found) else {})


def layer_bars(report: DemoReport) -> str:
    """Return the cycles of each layer on the dense and on the sparse chip.

    A layer that no chip computes in steps of its own has no cycles, and so no bars.
    """
    pairs = zip(report.dense.layers, report.sparse.layers, strict=True)
    rows = [
        Row(
            label=after.name,
            values=[before.cycles_rtl, after.cycles_rtl],
            texts=[number(before.cycles_rtl), number(after.cycles_rtl)],
        )
        for before, after in pairs
        if before.cycles_rtl is not None or after.cycles_rtl is not None
    ]
    return bars(rows, title="cycles by layer, dense and sparse")


def switch_bars(report: DemoReport) -> str:
    """Return the cycles with no kind of sparsity, with each alone, and with all."""
    speedup = report.speedup
    rows = [
        Row(
            label=each.sparsity.replace("_", " "),
            values=[float(each.cycles)],
            texts=[
                f"{each.cycles:,}"
                + (
                    f", {speedup.end_to_end[each.sparsity]:.2f}x fewer"
                    if each.sparsity in speedup.end_to_end
                    else ""
                )
            ],
        )
        for each in speedup.variants
    ]
    return bars(rows, title="cycles by kind of sparsity")


def mode_bars(modes: Sequence[AdaptiveMode]) -> str:
    """Return cycles and energy of each width in percent of the widest, and accuracy in percent."""
    if not modes:
        return ""
    energy = modes[0].total_pj or 1.0
    rows = []
    for mode in modes:
        shares = [mode.cycles_fraction, mode.total_pj / energy, mode.accuracy]
        texts = [
            f"{mode.cycles_rtl:,.0f}",
            f"{mode.total_pj / 1000:,.1f} nJ",
            f"{mode.accuracy:.1%}",
        ]
        rows.append(Row(label=mode.name, values=shares, texts=texts))
    return bars(rows, title="cycles, energy and accuracy of each width")
