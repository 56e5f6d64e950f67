"""Links, the I/O node, and what comes into rings: nobody meets, and everything has room."""

from collections import defaultdict

import numpy as np

from hwgen.crossbar.facts.arch_fabric import Travel
from verif.reference.crossbar.walk.context import Stage
from verif.reference.crossbar.walk.hazards import Ints, Say
from verif.reference.crossbar.walk.traffic import Loading, Packet, Traffic, waiting_words


def load(stage: Stage, traffic: Traffic, loading: Loading) -> None:
    """Walk the loads of a layer in a macro: what they read of rings."""
    layer, macro, place = loading.layer, loading.held.macro, loading.layer.place
    where = stage.where(place, "load", macro)
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


def pixel_of(stage: Stage, provider: int | None, channels: int, first: Ints) -> Say:
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
    taken: dict[object, list[Packet]] = defaultdict(list)
    depth: dict[tuple[object, int], int] = {}
    for one in packets:
        for link, hops in links_of(stage, one.travel):
            taken[link].append(one)
            depth[link, one.travel.id] = stage.rates.hop * hops
    for link, own in taken.items():
        clocked = [(one.header + depth[link, one.travel.id], one) for one in own]
        spans = sorted(clocked, key=lambda span: span[0])
        begin = np.array([clock for clock, _ in spans])
        end = np.maximum.accumulate(begin + np.array([one.flits for _, one in spans]))
        for at in np.flatnonzero(begin[1:] <= end[:-1]).tolist():
            clock, late = spans[at + 1]
            other = stage.name_of(spans[at][1].travel.layer)
            where = stage.where(late.travel.owner, late.travel.operation, macro_at(stage, late))
            what = f"its packet, while that of {other} is on a link,"
            stage.found.add(where, late.block, clock, what, "has no room")


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
    """See that the buffer of images has room when one enters: else the chip waits for itself."""
    chip, step, held = stage.chip, stage.chip.step_clocks, stage.rates.images
    for travel in chip.travels:
        if travel.kind != "image":
            continue
        layer = chip.layers[travel.owner]
        go = stage.go(travel.owner, "transfer")
        where = stage.where(travel.owner, "transfer", layer.held[0].macro)
        for image in range(held, stage.images):
            clock = image * interval * step
            if go[(image - held + 1) * layer.blocks - 1] >= clock - 1:
                what = f"image {image}, which enters before the last block of image {image - held},"
                stage.found.add(where, image * layer.blocks, clock, what, "has no room")
