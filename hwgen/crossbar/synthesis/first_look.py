"""What one copy of the weights needs and brings, within seconds, before the search is compiled.

The functions of the model run as plain Python here. Whether they do is decided when they are
imported, so that a process of its own does it.
"""

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass

from hwgen.crossbar.facts.components import Components
from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.rules import Rules
from hwgen.crossbar.model.evaluate import evaluate
from hwgen.crossbar.model.least import floors, is_within, least_power_w, nothing_below_w, smallest
from hwgen.crossbar.model.tables import POWER, Tables
from hwgen.crossbar.synthesis.work import Json, problem_of

EXACT_PIXELS = 5_000
"""Output pixels of a network whose conflicts are looked at: plain Python takes seconds for them."""
MOST_PIXELS = 50_000
"""Output pixels of all designs that are looked at; one design always is."""


@dataclass(frozen=True, kw_only=True)
class FirstLook:
    """What is known of a network before it is searched.

    nothing_below_w: watts that every design needs
    least_w: budget for which a design with one copy of the weights is known; None: not looked for,
        or for none
    gops_per_w: of such a design, with a macro a layer, within the budget; 0: none is known. Of
        large networks without conflicts, which make it less
    """

    nothing_below_w: float
    least_w: float | None
    gops_per_w: float


def first_look(
    network: CrossbarNetwork,
    components: Components,
    rules: Rules,
    power_w: float,
    *,
    identical: bool = False,
) -> FirstLook:
    """Return what a network needs and what its plain design brings, without compiled functions."""
    task = {
        "problem": json.dumps([asdict(network), asdict(components)]),
        "rules": rules,
        "power_w": power_w,
        "identical": identical,
    }
    done = subprocess.run(
        [sys.executable, "-m", __spec__.name],
        input=json.dumps(task),
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return FirstLook(**json.loads(done.stdout))


def looked_at(task: Json) -> FirstLook:
    """Return what this process finds."""
    network, components = problem_of(task["problem"])
    rules, identical = Rules(*task["rules"]), task["identical"]
    given = network, components, rules
    return FirstLook(
        nothing_below_w=nothing_below_w(*given),
        least_w=least_power_w(*given, identical=identical) if is_small(network) else None,
        gops_per_w=plain_gops_per_w(*given, task["power_w"], identical=identical),
    )


def pixels_of(network: CrossbarNetwork) -> int:
    """Return the output pixels of all layers."""
    return sum(layer.out_sides[0] * layer.out_sides[1] for layer in network.layers)


def is_small(network: CrossbarNetwork) -> bool:
    """Return whether conflicts are looked at."""
    return pixels_of(network) <= EXACT_PIXELS


def plain_gops_per_w(
    network: CrossbarNetwork,
    components: Components,
    rules: Rules,
    power_w: float,
    *,
    identical: bool,
) -> float:
    """Return the efficiency of the best of some designs with one copy of everything; 0: of none."""
    every = floors(network, components, rules, identical=identical)
    cheap = [tables for floor, tables in sorted(every, key=first) if floor <= power_w]
    found = []
    for tables in cheap[: max(1, MOST_PIXELS // pixels_of(network))]:
        tables.scalars[POWER] = power_w
        cost = evaluate(tables, smallest(tables), exact=False)
        found += [(cost.efficiency, tables)] if is_within(cost, power_w) else []
    for efficiency, tables in sorted(found, key=first, reverse=True):
        if not is_small(network):
            return efficiency
        cost = evaluate(tables, smallest(tables), exact=True)
        if is_within(cost, power_w):
            return cost.efficiency
    return 0.0


def first(pair: tuple[float, Tables]) -> float:
    """Return what stands before some arrays."""
    return pair[0]


if __name__ == "__main__":
    print(json.dumps(asdict(looked_at(json.load(sys.stdin)))))
