"""The fabric of a confirmed design: the sizes of its regions are simulated, all else follows."""

from collections import defaultdict
from typing import TYPE_CHECKING

from hwgen.crossbar.facts.chip import Chip, constants_of
from hwgen.crossbar.facts.fabric import Fabric, Region, Stream
from hwgen.crossbar.facts.fabric_plan import fabric_of
from hwgen.crossbar.facts.layout import Choice, floorplan
from hwgen.crossbar.facts.rings import Ring, rings_of
from hwgen.crossbar.model.buffers import image_ring, output_need, ring_of
from hwgen.crossbar.model.exact import exact_times, stream_times
from hwgen.crossbar.model.tables import KILOBYTES
from hwgen.crossbar.model.timing import Times

if TYPE_CHECKING:
    from hwgen.crossbar.model.record import Confirmed


def make_fabric(confirmed: "Confirmed") -> Fabric | None:
    """Return the fabric of a design; None under published rules, which describe no hardware."""
    if confirmed.rules == "published":
        return None
    chip = chip_of(confirmed)
    stream = Stream(
        images=int(confirmed.stream.images), interval_steps=int(confirmed.stream.interval)
    )
    return fabric_of(chip, regions_of(confirmed, chip), stream)


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
    seen = seen_times(confirmed)
    used: dict[int, int] = defaultdict(int)
    words: dict[tuple[str, int, int | None], int] = {}
    found = []
    for ring in rings_of(chip):
        key = ring.kind, ring.layer, ring.provider
        if key not in words:
            words[key] = words_of(confirmed, seen, ring)
        found.append(Region(**ring._asdict(), first_word=used[ring.macro], words=words[key]))
        used[ring.macro] += words[key]
    return tuple(found)


def words_of(confirmed: "Confirmed", seen: tuple[Times, Times], ring: Ring) -> int:
    """Return the most words that a ring holds, of one image or of a stream."""
    tables, layout, place = confirmed.tables, confirmed.layout, ring.layer
    if ring.kind == "output":
        most = max(float(output_need(tables, layout, times, place)) for times in seen)
    elif ring.provider is None:
        most = float(image_ring(tables, layout, place))
    else:
        most = max(float(ring_of(tables, layout, times, place, ring.provider)) for times in seen)
    return round(most / tables.word)


def seen_times(confirmed: "Confirmed") -> tuple[Times, Times]:
    """Return the times of one image, and of a stream."""
    tables, layout, pipeline = confirmed.tables, confirmed.layout, confirmed.pipeline
    mate, stream = confirmed.design.mate, confirmed.stream
    return (
        exact_times(tables, layout, pipeline, mate),
        stream_times(tables, layout, pipeline, mate, stream.images, stream.interval),
    )
