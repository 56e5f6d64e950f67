"""Links, the I/O node, and what comes into rings: nobody meets, and everything has room."""

from collections import defaultdict

import numpy as np

from golden.crossbar.walk.context import Stage
from golden.crossbar.walk.hazards import Ints
from golden.crossbar.walk.traffic import Loading, Packet, Traffic, waiting_words
from hwgen.crossbar.facts.chip_facts import Travel

BANKS = 2
"""Images, and answers, that the I/O node holds."""


def load(stage: Stage, traffic: Traffic, loading: Loading) -> None:
    """Walk the loads of a layer in a macro: what they read of rings."""
    layer, macro, place = loading.layer, loading.held.macro, loading.layer.place
    where, rates = stage.where(place, "load", macro), stage.rates
    eltwise = layer.layer.kind == "eltwise"
    providers: tuple[int | None, ...] = layer.layer.providers or (None,)
    if eltwise:
        providers = layer.operands or providers
    for user, reads in enumerate(loading.reads):
        grants = loading.grants(user)
        last = np.array(loading.users[user].last, np.int64)
        wait = 1 if eltwise else 0
        stage.found.through(where, loading.go, last + wait, "the load before")
        of_user = [user] if eltwise else range(len(providers))
        for number in of_user:
            provider = providers[number]
            region = stage.ring_of(macro, place, provider)
            ring = traffic.ring(region)
            mine = (reads.last >= reads.first) & (eltwise | (reads.ring == number))
            first, final = reads.first[mine], reads.last[mine]
            what = pixel_of(stage, provider, region.pixel_channels, first)
            stage.found.expect(
                where,
                reads.block[mine],
                grants[mine],
                ring.written(final),
                ring.written(first + ring.size),
                what,
            )
    del rates


def pixel_of(stage: Stage, provider: int | None, channels: int, first: Ints):  # type: ignore[no-untyped-def]
    """Return what says which pixel of which map an element is of."""
    name = stage.name_of(provider)

    def say(at: int) -> str:
        element = int(first[at])
        return (
            f"element {element % channels} of pixel {element // channels} of the stream of {name}"
        )

    return say


def receive(stage: Stage, traffic: Traffic) -> None:
    """See that each word that comes is written before the second one behind it comes."""
    for macro, receiver in traffic.receivers:
        many = len(receiver.regions)
        done = receiver.user.grants[many - 1 :: many]
        waiting = np.array(waiting_words(receiver.valid, done), np.int64)
        place = receiver.travel.owner
        where = stage.where(place, receiver.travel.operation, macro)
        ends = np.array(receiver.ends, np.int64)
        layer = stage.chip.layers[place]
        size = receiver.travel.channels * layer.copies
        block = np.minimum(ends // max(1, size), len(stage.blocks(place)) - 1)
        clock = np.array(receiver.valid, np.int64)
        stage.found.note(where, block, clock, waiting >= 2, "a word that comes", "has no room")


def meet(stage: Stage, packets: list[Packet]) -> None:
    """See that no two packets are on a link at a time."""
    taken: dict[object, list[tuple[int, int, Packet]]] = defaultdict(list)
    for one in packets:
        for link, depth in links_of(stage, one.travel):
            begin = one.header + stage.rates.hop * depth
            taken[link].append((begin, begin + one.flits, one))
    for spans in taken.values():
        spans.sort(key=lambda span: span[:2])
        begin = np.array([one[0] for one in spans])
        end = np.maximum.accumulate([one[1] for one in spans])
        for at in np.flatnonzero(begin[1:] <= end[:-1]):
            clock, _, late = spans[at + 1]
            other = spans[at][2].travel
            where = stage.where(late.travel.owner, late.travel.operation, macro_at(stage, late))
            what = f"its packet, while that of {stage.name_of(other.layer)} is on a link,"
            wrong = np.array([True])
            block = np.array([late.block])
            stage.found.note(where, block, np.array([clock]), wrong, what, "has no room")


def macro_at(stage: Stage, packet: Packet) -> int:
    """Return the macro from which a packet comes."""
    return next(one.macro for one in stage.chip.macros if one.node == packet.travel.source)


def links_of(stage: Stage, travel: Travel) -> list[tuple[object, int]]:
    """Return the links of a travel with its hops before each, local ends of routers too."""
    depth = stage.hops(travel.tree, travel.source)
    start = "from io" if travel.kind == "image" else "from macro"
    end = "to io" if travel.kind == "result" else "to macro"
    found: list[tuple[object, int]] = [((start, travel.source), 0)]
    found += [(link, depth[link[1]]) for link in travel.tree]
    return found + [((end, target), depth[target] + 1) for target in travel.targets]


def enter(stage: Stage, interval: int) -> None:
    """See that of the image two before the last block has been sent when an image enters."""
    chip, step = stage.chip, stage.chip.step_clocks
    for travel in chip.travels:
        if travel.kind != "image":
            continue
        layer = chip.layers[travel.owner]
        go = stage.go(travel.owner, "transfer")
        where = stage.where(travel.owner, "transfer", layer.held[0].macro)
        for image in range(BANKS, stage.images):
            last = int(go[(image - BANKS + 1) * layer.blocks - 1])
            clock = image * interval * step
            what = f"image {image}, which enters before the last block of image {image - BANKS},"
            wrong = np.array([last >= clock - 1])
            block = np.array([image * layer.blocks])
            stage.found.note(where, block, np.array([clock]), wrong, what, "has no room")


def collect(stage: Stage, packets: list[Packet]) -> None:
    """See that no answer has to wait for one that comes only when it is stored."""
    step, arrived = stage.chip.step_clocks, {}
    for one in packets:
        if one.travel.kind == "result":
            depth = stage.hops(one.travel.tree, one.travel.source)[one.travel.targets[0]]
            clock = one.header + one.flits + stage.rates.hop * (1 + depth)
            arrived.setdefault(one.travel.owner, []).append(clock)
    for place, clocks in arrived.items():
        layer = stage.chip.layers[place]
        for image in range(stage.images - 1):
            full = clocks[(image + 2) * layer.blocks - 1]
            held = -(-(full + 2) // step)
            for other in arrived:
                own = stage.chip.layers[other]
                block = (image + 1) * own.blocks - 1
                start = int(stage.starts[other, "result"][block])
                if start > held or (start == held and start * step - 1 >= full + 1):
                    where = stage.where(other, "result", own.merge_macro)
                    what = f"image {image + 2} of {stage.name_of(place)}, which is held for it,"
                    wrong = np.array([True])
                    stage.found.note(
                        where,
                        np.array([block]),
                        np.array([start * step]),
                        wrong,
                        what,
                        "has no room",
                    )
