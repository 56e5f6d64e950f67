"""All machine code of the search and of what follows it, compiled by one process.

Whoever needs it first compiles it, once, with a small network; all others wait, and load it.
"""

import fcntl
import json
import math
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numba
import numpy as np

from hwgen.chip.compiled import cache_folder
from hwgen.crossbar.facts.components import load_components
from hwgen.crossbar.facts.network import CrossbarLayer, CrossbarNetwork, Kind, Pair
from hwgen.crossbar.facts.point import points
from hwgen.crossbar.facts.rules import RULES
from hwgen.crossbar.model.allocate import used_crossbars
from hwgen.crossbar.model.breakdown import break_down
from hwgen.crossbar.model.design import Design, lay_out
from hwgen.crossbar.model.evaluate import evaluate, evaluate_identical
from hwgen.crossbar.model.least import least_power_w, smallest
from hwgen.crossbar.model.pipeline import make_pipeline
from hwgen.crossbar.model.record import confirm, make_arch, make_schedule
from hwgen.crossbar.model.tables import OPERATIONS, RATIO, Tables
from hwgen.crossbar.synthesis.anneal import HOT, anneal, climb, judge
from hwgen.crossbar.synthesis.choices import make_choices
from hwgen.crossbar.synthesis.limits import conditional, path_lengths
from hwgen.crossbar.synthesis.moves import join, part
from hwgen.crossbar.synthesis.nodes import Node, all_ranges, scan
from hwgen.crossbar.synthesis.paths import make_needs, turn_cut, way_of
from hwgen.crossbar.synthesis.scratchpads import make_contents
from hwgen.crossbar.synthesis.work import as_cut, bound, from_cut, root_nodes, tables_of
from hwgen.files.shipped import shipped_folder

POWER_W = 1e6
"""More than any design of the small network asks for."""

DESIGNS = 100
"""So many are annealed: all kinds of change, and layers that share macros."""


def complete() -> Path:
    """Return the file that is there when all is compiled; its folder belongs to these sources."""
    return cache_folder(Path(__file__)) / "crossbar-is-complete"


def must_compile() -> bool:
    """Return whether `compile_once` takes a minute or two."""
    return not (numba.config.DISABLE_JIT or complete().exists())  # type: ignore[attr-defined]


def compile_once(_: Any = None) -> None:
    """Compile everything, or wait for a process that does."""
    if not must_compile():
        return
    with complete().with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if must_compile():
            compile_all()
            complete().touch()


def compile_all() -> None:
    """Do the smallest piece of work of each kind, for the machine code that it leaves."""
    components = load_components(shipped_folder() / "crossbar" / "components.yaml")
    network = small_network()
    for rules in RULES.values():
        point = points(components, rules)[0]
        task = {
            "problem": json.dumps([asdict(network), asdict(components)]),
            "point": asdict(point),
            "power_w": POWER_W,
            "rules": rules,
            "objective": "image",
            "identical": False,
        }
        tables = tables_of(network, components, point, POWER_W, rules, "image", False)
        start, memory = smallest(tables), len(tables.memories) - 1
        (found, *_) = anneal(tables, start, memory, DESIGNS, 1, True, HOT, Counter())
        climb(tables, found, memory, DESIGNS // 10, 1, True, Counter())
        streams = tables_of(network, components, point, POWER_W, rules, "stream", False)
        judge(streams, found, memory, math.inf)
        evaluate(tables, found, False)
        evaluate_identical(tables, start, False)
        node = root_nodes(tables, float(tables.scalars[RATIO]))[0]
        whole = {"node": list(node), "cuts": [], "ranges": None, "split": None, "whole": True}
        bound({**task, **whole, "target_price": float(tables.scalars[OPERATIONS])})
        scan(tables, node)
        used_crossbars(tables, lay_out(tables, found))
        join(start, 0, 2)
        part(start, 0)
        follow_paths(tables, found, node)
        confirmed = confirm(
            network, components, point=point, rules=rules, power_w=POWER_W, design=found
        )
        arch = make_arch(confirmed, network.name)
        make_schedule(confirmed, arch)
        break_down(confirmed, arch)
        least_power_w(network, components, rules)


def follow_paths(tables: Tables, design: Design, node: Node) -> None:
    """Make a path of two layers in turns, and what a relaxed problem asks of it."""
    layout, needs = lay_out(tables, design), make_needs(tables)
    pipeline = make_pipeline(tables, layout, design.clocks, 0, node.step_high)
    way = way_of(tables, needs, layout, pipeline)
    cut = as_cut(from_cut(turn_cut(way, 0, 2)))
    choices = make_choices(tables, make_contents(tables), node, all_ranges(len(tables.kind)))
    path_lengths(tables, choices, cut)
    conditional(tables, choices, np.ones(len(choices.energy)), cut, 0.5)


def small_network() -> CrossbarNetwork:
    """Return a network with a layer of each kind."""
    shapes: list[tuple[Kind, tuple[int, ...], Pair, Pair, int]] = [
        ("conv", (), (3, 8), (6, 6), 3),
        ("pool", (0,), (8, 8), (6, 3), 2),
        ("conv", (1,), (8, 8), (3, 3), 3),
        ("eltwise", (1, 2), (8, 8), (3, 3), 1),
        ("fc", (3,), (72, 10), (1, 1), 1),
    ]
    layers = (
        CrossbarLayer(
            name=f"layer{place}",
            kind=kind,
            providers=providers,
            kernel=kernel,
            stride=2 if kind == "pool" else 1,
            padding=kernel // 2 if kind == "conv" else 0,
            in_channels=channels[0],
            out_channels=channels[1],
            groups=1,
            in_side=sides[0],
            out_side=sides[1],
            activation="relu",
        )
        for place, (kind, providers, channels, sides, kernel) in enumerate(shapes)
    )
    return CrossbarNetwork(
        name="small",
        input_channels=3,
        input_side=6,
        layers=tuple(layers),
        fused_activations=False,
    )
