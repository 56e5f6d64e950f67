"""What a synthesis is asked for: network, components and rules, read and checked once."""

import math
import re
from dataclasses import dataclass
from pathlib import Path

from hwgen.chip.synthesis_request import Context, SynthesisRequest
from hwgen.crossbar.facts.buildable import check_buildable
from hwgen.crossbar.facts.components import Components, load_components
from hwgen.crossbar.facts.layout import check_rules
from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.point import CELLS, points, with_cells
from hwgen.crossbar.facts.rules import STRICT, Rules, rules_of
from hwgen.crossbar.pages.networks import load_problem
from hwgen.errors import ConfigError
from hwgen.files.shipped import shipped_folder

MOST_W = 1e6
COMPONENTS = shipped_folder() / "crossbar" / "components.yaml"


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What a search is about; request: budget, objective and search as they were asked for."""

    request: SynthesisRequest
    network: CrossbarNetwork
    components: Components
    rules: Rules

    @property
    def table(self) -> Path:
        """The file of the components."""
        return Path(self.request.components or COMPONENTS)

    @property
    def name(self) -> str:
        """A name for a design that tells what it was made for."""
        request = self.request
        plain = re.sub(r"[^A-Za-z0-9_.-]", "_", self.network.name)[:40]
        objective = "" if request.objective == "image" else f"-{request.objective}"
        identical = "-identical" if request.identical else ""
        effects = "" if request.effects is None else f"-{request.least_accuracy:g}"
        cells = "" if request.cells == "offset" else f"-{request.cells}"
        return f"{plain}-{request.power_w:g}w-{request.rules}{objective}{identical}{cells}{effects}"


def problem_of(context: Context, request: SynthesisRequest) -> Problem:
    """Return what a request asks for, or refuse it; say what will have no Verilog."""
    check_power(request.power_w)
    table = Path(request.components or COMPONENTS)
    rules = rules_of(request.rules)
    given = load_components(table)
    if request.cells != "offset":
        given = with_cells(given, CELLS if request.cells == "any" else (request.cells,))
    network, components = load_problem(
        request.network_file,
        given,
        request.image_size,
        rules=rules,
        say=context.say,
    )
    check_rules(network, rules)
    if not points(components, rules):
        raise ConfigError(
            field="adcs.resolutions",
            allowed="at least one that a crossbar, its cells and its DACs ask for",
            given=", ".join(f"{adc.bits} bits" for adc in components.adcs.resolutions),
            source=str(table),
        )
    say_unbuildable(context, network, components, rules)
    return Problem(request=request, network=network, components=components, rules=rules)


def say_unbuildable(
    context: Context, network: CrossbarNetwork, components: Components, rules: Rules
) -> None:
    """Say what no generator builds of shapes alone; a network that has weights was refused."""
    try:
        if rules == STRICT:
            check_buildable(network, components, points(components, rules))
    except ConfigError as error:
        context.say(f"the chip will have a price, but no Verilog: {error}")


def check_power(power_w: float) -> None:
    """Refuse a budget that is no power."""
    if not (math.isfinite(power_w) and 0 < power_w <= MOST_W):
        raise ConfigError(
            field="--power-w",
            allowed=f"above 0 and at most {MOST_W:,.0f}",
            given=f"{power_w:g}",
            source="command line",
        )
