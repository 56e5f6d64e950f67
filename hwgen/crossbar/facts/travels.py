"""What travels on the mesh of a chip, from where to where, and what cannot travel together.

Routes go along the row first, then along the column: those from one node form a tree. Every pixel
leaves its merge macro once, by one multicast to all readers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from hwgen.crossbar.facts.arch_fabric import Link, Travel, TravelKind
from hwgen.crossbar.facts.chip_plan import ChipPlan
from hwgen.crossbar.facts.layout import IMAGE_MACRO, most_arriving
from hwgen.crossbar.facts.operations import OperationName

PASS_CLOCKS = 3
"""Clocks in which a macro of a chain adds its own sums to those that pass."""

Moving = tuple[int, OperationName]
"""A layer, and which of its operations travels."""


def travels_of(chip: ChipPlan) -> tuple[Travel, ...]:
    """Return all that travels, each with its place as its id."""
    return tuple(replace(each, id=place) for place, each in enumerate(every_travel(chip)))


def every_travel(chip: ChipPlan) -> Iterator[Travel]:
    """Yield the image, then layer by layer chains, gathers, and its send or result."""
    yield from image_travels(chip)
    for place, layer in enumerate(chip.network.layers):
        if layer.has_weights:
            yield from chains_of(chip, place)
            yield from gathers_of(chip, place)
        sent = send_of(chip, place)
        if sent is not None:
            yield sent


def image_travels(chip: ChipPlan) -> Iterator[Travel]:
    """Yield how what is new of the image for a block comes to all macros of a layer."""
    for place in chip.readers(None):
        placed, layer = chip.plan.layers[place], chip.network.layers[place]
        nodes = [chip.node(macro) for macro in placed.macros]
        yield travel(
            chip,
            "image",
            None,
            readers=(place,),
            source=chip.node(IMAGE_MACRO),
            targets=tuple(sorted(nodes)),
            tree=tree_of(chip, chip.node(IMAGE_MACRO), sorted(nodes)),
            pixels=most_arriving(layer, placed.copies),
            channels=layer.in_channels,
        )


def chains_of(chip: ChipPlan, place: int) -> Iterator[Travel]:
    """Yield the partial sums that go from each macro of a copy to the next."""
    if not chip.is_chained(place):
        return
    at = 0
    for one, following in pairwise(chip.holdings(place)):
        at = at + 1 if one.row_tiles.start > 0 else 0
        if one.copies == following.copies:
            source, target = chip.node(one.macro), chip.node(following.macro)
            yield travel(
                chip,
                "chain",
                place,
                readers=(place,),
                source=source,
                targets=(target,),
                tree=tree_of(chip, source, [target]),
                pixels=1,
                channels=chip.network.layers[place].out_channels,
                bits=chip.sum_bits(place),
                first_clock=PASS_CLOCKS * at,
            )


def gathers_of(chip: ChipPlan, place: int) -> Iterator[Travel]:
    """Yield the results that go from each macro with whole sums to the merge macro.

    Each starts so late that it reaches the merge macro behind all before it.
    """
    target = chip.node(chip.plan.layers[place].merge_macro)
    whole = chip.results(place)
    sources = [
        one for one in chip.holdings(place) if one.macro in whole and chip.node(one.macro) != target
    ]
    longest = max((chip.hops(chip.node(one.macro), target) for one in sources), default=0)
    hop_ns, before = chip.constants.network_on_chip.hop_ns, 0
    for one in sources:
        source = chip.node(one.macro)
        channels = chip.network.layers[place].out_channels
        yield travel(
            chip,
            "gather",
            place,
            readers=(place,),
            source=source,
            targets=(target,),
            tree=tree_of(chip, source, [target]),
            pixels=len(one.copies),
            channels=channels,
            bits=chip.output_bits(place),
            first_clock=chip.clocks(hop_ns * (before + longest - chip.hops(source, target))),
        )
        before += 1 + chip.flits(len(one.copies) * channels * chip.output_bits(place))


def send_of(chip: ChipPlan, place: int) -> Travel | None:
    """Return the results of a layer on their way to all readers, or off the chip."""
    placed, layer = chip.plan.layers[place], chip.network.layers[place]
    readers = chip.readers(place)
    source = chip.node(placed.merge_macro)
    targets = {chip.node(macro) for macro in chip.reader_macros(place)}
    nodes = sorted(targets - {source}) if readers else [chip.node(IMAGE_MACRO)]
    if not nodes:
        return None
    return travel(
        chip,
        "send" if readers else "result",
        place,
        readers=tuple(readers),
        source=source,
        targets=tuple(nodes),
        tree=tree_of(chip, source, nodes),
        pixels=min(placed.copies, layer.pixels),
        channels=layer.out_channels,
        bits=chip.output_bits(place),
    )


def travel(
    chip: ChipPlan,
    kind: TravelKind,
    layer: int | None,
    *,
    readers: tuple[int, ...],
    source: int,
    targets: tuple[int, ...],
    tree: tuple[Link, ...],
    pixels: int,
    channels: int,
    bits: int = 0,
    first_clock: int = 0,
) -> Travel:
    """Return a travel with its clocks; `bits` of an element, by default those of activations."""
    wide = bits or chip.activation_bits
    hops = max((chip.hops(source, target) for target in targets), default=0)
    flits = chip.flits(pixels * channels * wide)
    return Travel(
        id=0,
        kind=kind,
        layer=layer,
        readers=readers,
        source=source,
        targets=targets,
        tree=tree,
        pixels=pixels,
        channels=channels,
        bits=wide,
        clocks=chip.clocks(chip.constants.network_on_chip.hop_ns * (hops + 1 + flits)),
        first_clock=first_clock,
    )


def tree_of(chip: ChipPlan, source: int, targets: list[int]) -> tuple[Link, ...]:
    """Return the links of a multicast, each once and behind the one that leads to it."""
    links = dict.fromkeys(link for target in targets for link in chip.route(source, target))
    return tuple(links)


def links_of(travel: Travel) -> set[tuple[object, object]]:
    """Return the links that a travel takes, the local ports of routers at its ends too.

    The I/O node has a port of its own beside that of its router's macro.
    """
    links: set[tuple[object, object]] = set(travel.tree)
    links.add(("io" if travel.kind == "image" else "macro", travel.source))
    ends = "io" if travel.kind == "result" else "macro"
    return links | {(target, ends) for target in travel.targets}


def conflicts_of(travels: Sequence[Travel]) -> set[tuple[Moving, Moving]]:
    """Return the pairs, in both orders, of operations that cannot run in the same step."""
    used: dict[Moving, set[tuple[object, object]]] = {}
    for each in travels:
        used.setdefault((each.owner, each.operation), set()).update(links_of(each))
    return {(a, b) for a in used for b in used if a != b and used[a] & used[b]}
