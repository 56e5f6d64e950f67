"""The fabric of a confirmed design.

Its operations are those of the pipeline, the sizes of its regions are simulated, all else follows.
"""

from collections import defaultdict
from typing import TYPE_CHECKING

from hwgen.crossbar.facts.chip import Chip, constants_of
from hwgen.crossbar.facts.fabric import Fabric, Region, Stream
from hwgen.crossbar.facts.fabric_plan import fabric_of
from hwgen.crossbar.facts.layout import Choice, floorplan
from hwgen.crossbar.facts.rings import Ring, rings_of
from hwgen.crossbar.facts.rules import STRICT
from hwgen.crossbar.model.buffers import image_ring
from hwgen.crossbar.model.durations import operations_of
from hwgen.crossbar.model.stream import most_waiting
from hwgen.crossbar.model.tables import KILOBYTES, Floats

if TYPE_CHECKING:
    from hwgen.crossbar.model.record import Confirmed


def make_fabric(confirmed: "Confirmed") -> Fabric | None:
    """Return the fabric of a design; None under published rules, which describe no hardware."""
    if confirmed.rules != STRICT:
        return None
    chip = chip_of(confirmed)
    stream = Stream(
        images=int(confirmed.stream.images), interval_steps=int(confirmed.stream.interval)
    )
    operations = operations_of(
        confirmed.tables,
        confirmed.layout,
        confirmed.pipeline,
        confirmed.design.clocks,
        confirmed.cost.memory,
        confirmed.cost.step_ns,
    )
    return fabric_of(chip, operations, regions_of(confirmed, chip), stream)


def chip_of(confirmed: "Confirmed") -> Chip:
    """Return what the fabric of a design follows from."""
    design, point, components = confirmed.design, confirmed.point, confirmed.components
    copies, macros, mate, clocks = (tuple(int(one) for one in each) for each in design)
    choice = Choice(copies=copies, macros=macros, mate=mate, clocks=clocks)
    kilobytes = int(confirmed.tables.memories[confirmed.cost.memory, KILOBYTES])
    return Chip(
        network=confirmed.network,
        plan=floorplan(confirmed.network, components, point, confirmed.rules, choice),
        point=point,
        weight_bits=components.weight_bits,
        activation_bits=components.activation_bits,
        step_ns=float(confirmed.cost.step_ns),
        clocks_per_bit=choice.clocks,
        constants=constants_of(components, point, kilobytes),
        bus_bits=components.scratchpads.bus_bits,
    )


def regions_of(confirmed: "Confirmed", chip: Chip) -> tuple[Region, ...]:
    """Return the regions of all scratchpads, macro after macro; each is a ring of whole words."""
    stream = confirmed.stream
    waiting = most_waiting(
        confirmed.tables,
        confirmed.layout,
        confirmed.pipeline,
        confirmed.design.mate,
        stream.images,
        stream.interval,
    )
    used: dict[int, int] = defaultdict(int)
    found = []
    for ring in rings_of(chip):
        words = words_of(confirmed, waiting, ring)
        found.append(Region(**ring._asdict(), first_word=used[ring.macro], words=words))
        used[ring.macro] += words
    return tuple(found)


def words_of(confirmed: "Confirmed", waiting: Floats, ring: Ring) -> int:
    """Return the words of a ring; waiting: see `hwgen.crossbar.model.buffers.all_waiting`."""
    tables, place = confirmed.tables, ring.layer
    if ring.kind == "output":
        most = waiting[tables.provider_start[-1] + place]
    elif ring.provider is None:
        most = image_ring(tables, confirmed.layout, place)
    else:
        start, end = tables.provider_start[place], tables.provider_start[place + 1]
        most = waiting[start + list(tables.provider[start:end]).index(ring.provider)]
    return round(float(most) / tables.word)
