"""What a search hands on: the best design, what it proves, how it came, and the files of it.

The best design is confirmed once more, by itself, and becomes architecture, schedule and breakdown.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hwgen.crossbar.facts.arch import Arch
from hwgen.crossbar.facts.components import Components
from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.point import Point
from hwgen.crossbar.facts.rules import Objective, Rules
from hwgen.crossbar.facts.schedule import Schedule
from hwgen.crossbar.model.breakdown import Breakdown, break_down
from hwgen.crossbar.model.record import Confirmed, design_of, make_arch, make_schedule
from hwgen.crossbar.model.record import confirm as confirm_exactly
from hwgen.errors import DesignError


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """A design as lists over the layers of the network, see `hwgen.crossbar.model.design`."""

    copies: list[int]
    macros: list[int]
    partner: list[int]
    clocks: list[int]

    def as_json(self) -> dict[str, Any]:
        """Return the lists by name."""
        return {
            "copies": self.copies,
            "macros": self.macros,
            "partner": self.partner,
            "clocks": self.clocks,
        }


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A design that fits, and its exact cost.

    budget_w: what its step was made for: the budget of the search, or a smaller one
    efficiency_gops_per_w: by the objective, in the unit of its `MERITS`
    energy_nj: of one image alone
    interval_steps: from one image to the next in a steady stream
    memory: size of its scratchpads, as a place in the table of them
    """

    point: Point
    chosen: Chosen
    budget_w: float
    efficiency_gops_per_w: float
    energy_nj: float
    steps: int
    step_ns: float
    interval_steps: int
    peak_w: float
    memory: int


@dataclass(frozen=True, kw_only=True)
class PointResult:
    """What is known of one combination of the outer loop.

    bound_gops_per_w: what no design of it can beat, 0 if nothing fits
    best_gops_per_w: of the designs that were confirmed; 0 if none was searched
    """

    point: Point
    bound_gops_per_w: float
    best_gops_per_w: float


@dataclass(frozen=True, kw_only=True)
class Progress:
    """One step of the search: evaluations spent so far, best design and bound so far."""

    evaluations: int
    best_gops_per_w: float
    bound_gops_per_w: float


@dataclass(frozen=True, kw_only=True)
class SearchResult:
    """The answer of a search.

    best: the most efficient design; candidates: all that were confirmed exactly, best first
    evaluations: designs judged; exact_evaluations: by the exact simulation; nodes: bounded
    refused: designs that were not taken, by reason
    objective: what efficiencies are of, and `best` is chosen by
    bound_gops_per_w: what no design of the whole space can beat; infinite: none is known
    identical: whether all macros are; under published rules no bound is then known, since these
        buy less than the whole rest of the budget; nor is one of their streams
    stopped_early: a time limit or an interrupt ended the search before its budget was spent
    """

    rules: Rules
    power_w: float
    seed: int
    method: str
    best: Candidate
    candidates: list[Candidate]
    points: list[PointResult]
    convergence: list[Progress]
    bound_gops_per_w: float
    evaluations: int
    exact_evaluations: int
    nodes: int
    stopped_early: bool
    refused: Mapping[str, int] = field(default_factory=dict)
    objective: Objective = "image"
    identical: bool = False

    @property
    def gap_percent(self) -> float:
        """How much more efficient than ours any design can be, in percent."""
        return 100 * (self.bound_gops_per_w / self.best.efficiency_gops_per_w - 1)


@dataclass(frozen=True, kw_only=True)
class Finished:
    """The best design of a search, and all that is handed on of it."""

    network: CrossbarNetwork
    components: Components
    result: SearchResult
    confirmed: Confirmed
    arch: Arch
    schedule: Schedule
    breakdown: Breakdown

    def confirm(self, candidate: Candidate) -> Confirmed:
        """Return another design of the search, or this one, evaluated once more."""
        if candidate == self.result.best:
            return self.confirmed
        return confirm(self.network, self.components, self.result, candidate)


def finish(
    network: CrossbarNetwork,
    components: Components,
    result: SearchResult,
    name: str,
    *,
    effects: bool = False,
    read_noise: bool = False,
    nonlinear_converters: bool = False,
) -> Finished:
    """Return what is handed on of the best design of a search, under a name.

    effects: its Verilog can err as devices do; a design with clipped converters has to
    read_noise: beside them, at each read anew; nonlinear_converters: by a table of codes
    """
    confirmed = confirm(network, components, result, result.best)
    arch = make_arch(
        confirmed,
        name,
        effects=effects,
        read_noise=read_noise,
        nonlinear_converters=nonlinear_converters,
    )
    return Finished(
        network=network,
        components=components,
        result=result,
        confirmed=confirmed,
        arch=arch,
        schedule=make_schedule(confirmed, arch),
        breakdown=break_down(confirmed, arch),
    )


def confirm(
    network: CrossbarNetwork,
    components: Components,
    result: SearchResult,
    candidate: Candidate,
) -> Confirmed:
    """Return a design of a search, evaluated once more, exactly and by itself."""
    confirmed = confirm_exactly(
        network,
        components,
        point=candidate.point,
        rules=result.rules,
        power_w=candidate.budget_w,
        design=design_of(**candidate.chosen.as_json()),
        identical=result.identical,
    )
    reached = float(confirmed.cost.efficiency)
    expected, unit = candidate.efficiency_gops_per_w, "GOPS/W"
    if result.objective != "image":  # what is confirmed is one image
        reached = float(confirmed.cost.energy_nj)
        expected, unit = candidate.energy_nj, "nJ an image"
    if reached != expected:
        raise DesignError(
            f"a design of the search must reach {expected!r} {unit} when it"
            f" is evaluated again, got {reached!r}"
        )
    return confirmed
