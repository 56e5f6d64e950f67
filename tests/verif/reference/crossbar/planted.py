"""Faults that are planted into designs without a hazard, for the walk to see."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from hwgen.crossbar.facts.chip import Chip
from tests.verif.reference.crossbar.walk_designs import Drawn
from verif.reference.crossbar.walk import Hazard, walk
from verif.reference.crossbar.walk.context import Key, Starts

MOST_DELAY = 4
"""Steps by which an operation is delayed at most."""


@dataclass(frozen=True, kw_only=True)
class Planted:
    """A design with a fault; what: it is."""

    what: str
    chip: Chip
    starts: Starts
    images: int
    delays: Mapping[Key, int] = field(default_factory=dict)

    def hazards(self) -> list[Hazard]:
        """Return what the walk finds."""
        return walk(
            self.chip,
            self.starts,
            images=self.images,
            interval=self.chip.interval,
            delays=self.delays,
        )


def earlier(design: Drawn, rng: random.Random) -> Planted | None:
    """Let one block start one operation a step earlier."""
    keys = [key for key, steps in design.starts.items() if key[1] != "transfer" and steps.max() > 0]
    place, name = rng.choice(keys)
    steps = design.starts[place, name].copy()
    block = rng.randrange(len(steps))
    steps[block] -= 1
    what = f"{name} of layer {place}: block {block} of the stream a step earlier"
    return planted(design, what, starts={**design.starts, (place, name): steps})


def smaller(design: Drawn, rng: random.Random) -> Planted | None:
    """Make one ring a word smaller."""
    rings = [place for place, one in enumerate(design.chip.regions) if one.words > 1]
    if not rings:
        return None
    place = rng.choice(rings)
    regions = list(design.chip.regions)
    own = regions[place]
    regions[place] = replace(own, words=own.words - 1)
    what = f"{own.kind} ring of layer {own.layer} in macro {own.macro}: {own.words} words, one less"
    return planted(design, what, chip=replace(design.chip, regions=tuple(regions)))


def without_gap(design: Drawn, rng: random.Random) -> Planted | None:
    """Let a part of a gather come a clock earlier, into the packet before it."""
    late = [one for one in design.chip.travels if one.kind == "gather" and one.first_clock > 0]
    before = {
        one.owner: min(other.first_clock for other in late if other.owner == one.owner)
        for one in late
    }
    last = [one for one in late if len([o for o in late if o.owner == one.owner]) > 1]
    last = [one for one in last if one.first_clock > before[one.owner]]
    if not last:
        return None
    own = rng.choice(last)
    travels = list(design.chip.travels)
    travels[own.id] = replace(own, first_clock=own.first_clock - 1)
    what = f"gather {own.id} of layer {own.layer} a clock earlier"
    return planted(design, what, chip=replace(design.chip, travels=tuple(travels)))


def longer(design: Drawn, rng: random.Random) -> Planted | None:
    """Let an operation end a clock later than it may, by the walk itself; None: it always may."""
    place, name = rng.choice(list(design.starts))
    room = slack(design, (place, name))
    if room is None:
        return None
    what = f"{name} of layer {place}: {room + 1} clocks later, with room for {room}"
    return planted(design, what, delays={(place, name): room + 1})


def slack(design: Drawn, key: Key) -> int | None:
    """Return the most clocks by which an operation may be late; None: more than some steps."""
    most = MOST_DELAY * design.chip.step_clocks
    if not planted(design, "", delays={key: most}).hazards():
        return None
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        found = planted(design, "", delays={key: middle}).hazards()
        low, high = (low, middle) if found else (middle, high)
    return low


def planted(
    design: Drawn,
    what: str,
    *,
    chip: Chip | None = None,
    starts: Starts | None = None,
    delays: Mapping[Key, int] | None = None,
) -> Planted:
    """Return a design with something else in it."""
    return Planted(
        what=what,
        chip=chip or design.chip,
        starts=starts or design.starts,
        images=design.images,
        delays=delays or {},
    )


FAULTS = {"earlier": earlier, "smaller": smaller, "without gap": without_gap, "longer": longer}
