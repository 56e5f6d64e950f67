"""Random designs whose starts are known, for the walk: drawn without a search."""

import random
from dataclasses import dataclass, replace

import numpy as np

from hwgen.crossbar.facts.buildable import check_buildable
from hwgen.crossbar.facts.chip import Chip, described
from hwgen.crossbar.facts.components import Components
from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.point import RRAM_RATIOS, points
from hwgen.crossbar.facts.rules import STRICT
from hwgen.crossbar.model.record import Confirmed, confirm, design_of, make_arch
from hwgen.errors import ConfigError, DesignError
from tests.crossbar.model.conducted import promised_starts
from tests.crossbar.model.designs import COMPONENTS
from tests.crossbar.model.layers import fc
from tests.crossbar.model.random_designs import random_choice, random_network, with_raw_answers
from verif.reference.crossbar.walk import Hazard, walk
from verif.reference.crossbar.walk.context import Starts

POWER_W = 1e4
"""Plenty: what cannot be built has other reasons."""


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A chip, and the starts of a stream on it."""

    chip: Chip
    starts: Starts
    images: int

    def hazards(self) -> list[Hazard]:
        """Return what the walk finds."""
        return walk(self.chip, self.starts, images=self.images, interval=self.chip.interval)


def drawn_components(rng: random.Random) -> Components:
    """Return the constants with small scratchpads, up to some clocks an access, and wide links."""
    smallest, slow = rng.choice((1, 2, 8)), rng.choice((1, 1, 4, 8))
    pads = COMPONENTS.scratchpads
    capacities = tuple(
        replace(one, kilobytes=smallest << place, latency_ns=slow * one.latency_ns)
        for place, one in enumerate(pads.to_choose_from(published=True))
    )
    bits = rng.choice((8, 16))
    return replace(
        COMPONENTS,
        weight_bits=bits,
        activation_bits=bits,
        scratchpads=replace(pads, capacities=capacities, published_from_kilobytes=smallest),
        network_on_chip=replace(COMPONENTS.network_on_chip, flit_bits=rng.choice((64, 128))),
        step_floor_ns=rng.choice((60.0, 100.0)),
    )


def is_built(network: CrossbarNetwork) -> bool:
    """Return whether there are parts for all layers of a network."""
    for one in network.layers:
        read = [network.layers[place] for place in one.providers]
        if one.kind == "eltwise" and len(read) != 2:
            return False
        if one.kind == "fc" and len({each.pixels for each in read}) > 1:
            return False
    return True


def drawn_network(rng: random.Random) -> CrossbarNetwork:
    """Return a network that can be built, sometimes with another answer."""
    while True:
        network = random_network(rng)
        if is_built(network):
            break
    if rng.random() < 0.25:
        place = rng.randrange(len(network.layers))
        read = network.layers[place]
        sizes = read.pixels * read.out_channels, rng.choice((3, 10))
        network = replace(network, layers=(*network.layers, fc("other", (place,), sizes)))
    return with_raw_answers(rng, network)


def fits(network: CrossbarNetwork, components: Components) -> bool:
    """Return whether chips are built with these constants: scratchpads as fast as flits come."""
    try:
        check_buildable(network, components, points(components, STRICT, RRAM_RATIOS))
    except ConfigError:
        return False
    return True


def confirmed(seed: int) -> Confirmed | None:
    """Return a random design; None where it cannot be built."""
    rng = random.Random(f"walk {seed}")
    network = drawn_network(rng)
    components = next(
        one for one in iter(lambda: drawn_components(rng), None) if fits(network, one)
    )
    point = rng.choice(points(components, STRICT, RRAM_RATIOS))
    choice = random_choice(rng, network, point.side, STRICT, 0.4)
    design = design_of(choice.copies, choice.macros, choice.partner, choice.clocks)
    try:
        return confirm(
            network,
            components,
            point=point,
            rules=STRICT,
            power_w=POWER_W,
            design=design,
        )
    except DesignError:
        return None


def drawn(seed: int, images: int | None = None) -> Drawn | None:
    """Return a random design at work on a stream of images; None: it cannot be built.

    images: 2 to 6 unless they are given
    """
    found = confirmed(seed)
    if found is None:
        return None
    chip, images = described(make_arch(found, f"drawn-{seed}")), images or 2 + seed % 5
    steps = promised_starts(found, images, chip.interval)
    starts = {
        (layer.place, operation.name): np.array(
            [steps[layer.place, index, block] for block in range(images * layer.blocks)]
        )
        for layer in chip.layers
        for index, operation in enumerate(layer.operations)
    }
    return Drawn(chip=chip, starts=starts, images=images)
