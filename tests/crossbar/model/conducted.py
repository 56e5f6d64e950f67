"""Designs whose starts are known, for the conductor in Python and in Verilog."""

from hwgen.crossbar.facts.chip import Chip, described
from hwgen.crossbar.facts.rules import STRICT
from hwgen.crossbar.model.exact import start_all
from hwgen.crossbar.model.record import Confirmed, confirm, make_arch
from hwgen.errors import DesignError
from tests.crossbar.model.designs import compiled_of
from tests.crossbar.model.random_designs import random_case

Starts = dict[tuple[int, int, int], int]
"""By layer, place of the operation and block of the stream: the step."""


def random_design(seed: int) -> Confirmed | None:
    """Return a random design with power in plenty; None where it cannot be built."""
    case = random_case(seed, STRICT)
    try:
        return confirm(
            case.network,
            case.components,
            point=case.point,
            rules=STRICT,
            power_w=10 * case.power_w,
            design=compiled_of(case)[1],
        )
    except DesignError:
        return None


def promised_starts(confirmed: Confirmed, images: int, interval: int) -> Starts:
    """Return when all starts, by the event queue that makes schedules."""
    tables, layout, pipeline = confirmed.tables, confirmed.layout, confirmed.pipeline
    partner = confirmed.design.partner
    starts, steps, _ = start_all(tables, layout, pipeline, partner, images, interval)
    found: Starts = {}
    for place in range(len(tables.kind)):
        length, first = int(pipeline.length[place]), int(starts[place])
        for node in range(first, int(starts[place + 1])):
            block, index = divmod(node - first, length)
            found[place, index, block] = int(steps[node])
    return found


def chip_and_stream(confirmed: Confirmed) -> tuple[Chip, int]:
    """Return the description of a design, and the interval of its stream."""
    chip = described(make_arch(confirmed, "random"))
    return chip, chip.interval
