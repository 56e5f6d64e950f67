"""A walk through all starts of a schedule, of one image or of a stream.

Tests: `tests/verif/reference/crossbar/test_walk.py`.
"""

from collections.abc import Mapping

import numpy as np

from hwgen.crossbar.facts.chip import Chip, ChipLayer
from verif.reference.crossbar.walk.context import Key, Stage, Starts
from verif.reference.crossbar.walk.elements import activate, gather, send, store, together
from verif.reference.crossbar.walk.hazards import Hazard
from verif.reference.crossbar.walk.links import enter, load, meet, receive
from verif.reference.crossbar.walk.rates import RATES, Rates
from verif.reference.crossbar.walk.sums import (
    add_maps,
    chain,
    check_shared_adcs,
    multiply,
    reduce_windows,
)
from verif.reference.crossbar.walk.traffic import Traffic


def walk(
    chip: Chip,
    starts: Starts,
    *,
    images: int = 1,
    interval: int = 0,
    rates: Rates = RATES,
    delays: Mapping[Key, int] | None = None,
) -> list[Hazard]:
    """Return what goes wrong on a chip that follows a schedule, in the order of time.

    starts: the step of each start, of all blocks of all images; interval: steps between images
    rates: of the parts; delays: clocks by which operations begin later than their parts do
    """
    stage = Stage(chip, starts, images, rates, delays or {})
    traffic = Traffic(stage)
    for layer in chip.layers:
        walk_layer(stage, traffic, layer)
    check_shared_adcs(stage)
    receive(stage, traffic)
    meet(stage, traffic.packets)
    enter(stage, interval)
    return sorted(set(stage.found.hazards))


def walk_layer(stage: Stage, traffic: Traffic, layer: ChipLayer) -> None:
    """Walk all operations of a layer in all its macros."""
    place, sums, words = layer.place, {}, {}
    check_pixels(stage, layer)
    kinds = {"pool": reduce_windows, "eltwise": add_maps}
    for held in layer.held:
        loading = traffic.loads[place, held.macro]
        load(stage, traffic, loading)
        sums[held.macro] = kinds.get(layer.layer.kind, multiply)(stage, loading)
    if stage.has(place, "chain"):
        chain(stage, traffic, layer, sums)
    for held in layer.held:
        if held.results:
            words[held.macro] = activate(stage, layer, held, sums[held.macro])
    if layer.merge_macro not in words:
        check_merge(stage, layer)
        return
    parts = [words[layer.merge_macro]]
    if stage.has(place, "gather"):
        parts += gather(stage, traffic, layer, words)
    store(stage, traffic.stores[place], together(parts))
    if place in traffic.sends:
        send(stage, traffic, traffic.sends[place])


def check_pixels(stage: Stage, layer: ChipLayer) -> None:
    """See that each block has a pixel: stores and readers begin with a first element."""
    place, name = layer.place, layer.operations[0].name
    blocks, empty = stage.blocks(place), stage.pixels(place) == 0
    where = stage.where(place, name, layer.held[0].macro)
    what = "a block without a pixel"
    stage.found.note(
        where, blocks, stage.go(place, name), empty, what, "is nothing that parts take"
    )


def check_merge(stage: Stage, layer: ChipLayer) -> None:
    """Refuse a layer whose results are gathered where none of them becomes whole."""
    blocks = stage.blocks(layer.place)
    where = stage.where(layer.place, "gather", layer.merge_macro)
    what = "results in a macro that makes none of them whole"
    every = np.ones(len(blocks), np.bool_)
    clock = stage.go(layer.place, "gather")
    stage.found.note(where, blocks, clock, every, what, "is nothing that parts take")
