"""What follows a search: its best design, confirmed, as architecture, schedule and breakdown."""

from dataclasses import dataclass

from hwgen.crossbar.facts.arch import Arch
from hwgen.crossbar.facts.components import Components
from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.schedule import Schedule
from hwgen.crossbar.model import record
from hwgen.crossbar.model.breakdown import Breakdown, break_down
from hwgen.crossbar.model.record import Confirmed
from hwgen.crossbar.synthesis.result import Candidate, SearchResult
from hwgen.errors import DesignError


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
    network: CrossbarNetwork, components: Components, result: SearchResult, name: str
) -> Finished:
    """Return what is handed on of the best design of a search, under a name."""
    confirmed = confirm(network, components, result, result.best)
    arch = record.make_arch(confirmed, name)
    return Finished(
        network=network,
        components=components,
        result=result,
        confirmed=confirmed,
        arch=arch,
        schedule=record.make_schedule(confirmed, arch),
        breakdown=break_down(confirmed, arch),
    )


def confirm(
    network: CrossbarNetwork,
    components: Components,
    result: SearchResult,
    candidate: Candidate,
) -> Confirmed:
    """Return a design of a search, evaluated once more, exactly and by itself."""
    confirmed = record.confirm(
        network,
        components,
        point=candidate.point,
        rules=result.rules,
        power_w=result.power_w,
        design=record.design_of(**candidate.chosen.as_json()),
        identical=result.identical,
    )
    reached = float(confirmed.cost.efficiency)
    expected = candidate.efficiency_gops_per_w
    if result.objective == "stream":  # what is confirmed is one image
        reached, expected = float(confirmed.cost.energy_nj), candidate.energy_nj
    if reached != expected:
        unit = "nJ an image" if result.objective == "stream" else "GOPS/W"
        raise DesignError(
            f"a design of the search must reach {expected!r} {unit} when it"
            f" is evaluated again, got {reached!r}"
        )
    return confirmed
