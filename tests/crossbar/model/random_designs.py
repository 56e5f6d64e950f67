"""Random small networks, components and designs; everything follows from a seed."""

import random
from dataclasses import replace

from hwgen.crossbar.facts.components import Components
from hwgen.crossbar.facts.holdings import cut_of, most_macros
from hwgen.crossbar.facts.layout import Choice, tiles_of
from hwgen.crossbar.facts.network import Activation, CrossbarLayer, CrossbarNetwork
from hwgen.crossbar.facts.point import RRAM_RATIOS, points
from hwgen.crossbar.facts.rules import Rules
from tests.crossbar.model.designs import COMPONENTS, case_of
from tests.crossbar.model.layers import Window, layer
from tests.rules import named
from verif.reference.crossbar import Case

ACTIVATIONS: tuple[Activation, ...] = ("none", "relu", "sigmoid")


class Drawing:
    """A network while it is drawn."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.layers: list[CrossbarLayer] = []
        self.image = rng.randint(5, 12)

    def side(self, place: int | None) -> int:
        return self.image if place is None else self.layers[place].out_side

    def channels(self, places: tuple[int, ...]) -> int:
        return sum(self.layers[place].out_channels for place in places) if places else 3

    def window(self, side: int) -> tuple[Window, int]:
        """A window that fits, and the side that it leaves."""
        kernel = self.rng.randint(1, min(5, side))
        stride = self.rng.randint(1, 3)
        padding = self.rng.randint(0, kernel // 2)
        return (kernel, stride, padding), (side + 2 * padding - kernel) // stride + 1

    def conv(
        self, places: tuple[int, ...], *, keep: bool = False, out_channels: int | None = None
    ) -> int:
        side = self.side(places[0] if places else None)
        (window, out_side) = ((3, 1, 1), side) if keep and side >= 2 else self.window(side)
        if keep and side < 2:
            window, out_side = (1, 1, 0), side
        inputs = self.channels(places)
        outputs = out_channels or self.rng.choice((1, 8, 20, 64, 130, 300))
        common = [g for g in (1, 2, 4, 8, inputs) if inputs % g == 0 and outputs % g == 0]
        groups = self.rng.choice(common) if self.rng.random() < 0.3 else 1
        return self.add(
            "conv", places, (inputs, outputs), (side, out_side), window=window, groups=groups
        )

    def pool(self, places: tuple[int, ...], *, whole: bool = False) -> int:
        side = self.side(places[0] if places else None)
        window, out_side = ((side, 1, 0), 1) if whole else self.window(side)
        channels = self.channels(places)
        return self.add("pool", places, (channels, channels), (side, out_side), window=window)

    def residual(self, place: int) -> int:
        """Two ways that meet in an addition, sometimes three."""
        channels = self.rng.choice((8, 20, 130))
        branches = tuple(
            self.conv((place,), keep=True, out_channels=channels)
            for _ in range(self.rng.choice((2, 2, 3)))
        )
        long = self.conv((branches[0],), keep=True, out_channels=channels)
        side = self.side(place)
        return self.add("eltwise", (*branches[1:], long), (channels, channels), (side, side))

    def concat(self, place: int) -> int:
        one, two = self.conv((place,), keep=True), self.conv((place,), keep=True)
        return self.rng.choice((self.conv, self.pool))((one, two))

    def fc(self, places: tuple[int, ...]) -> int:
        inputs = sum(self.layers[p].out_channels * self.layers[p].pixels for p in places)
        return self.add("fc", places, (inputs, self.rng.choice((10, 200, 700))), (1, 1))

    def add(
        self,
        kind: str,
        places: tuple[int, ...],
        channels: tuple[int, int],
        sides: tuple[int, int],
        *,
        window: Window = (1, 1, 0),
        groups: int = 1,
    ) -> int:
        one = layer(
            f"layer{len(self.layers)}",
            kind,  # type: ignore[arg-type]
            places,
            channels,
            sides,
            window=window,
            activation=self.rng.choice(ACTIVATIONS),
            groups=groups,
        )
        self.layers.append(one)
        return len(self.layers) - 1


def random_network(rng: random.Random) -> CrossbarNetwork:
    """Return convolutions, poolings, residual blocks and concatenations, and a head."""
    drawing = Drawing(rng)
    here = drawing.pool(()) if rng.random() < 0.1 else drawing.conv(())
    for _ in range(rng.randint(0, 4)):
        step = rng.choice(("conv", "conv", "pool", "residual", "concat"))
        if step in ("conv", "pool"):
            here = getattr(drawing, step)((here,))
        else:
            here = getattr(drawing, step)(here)
    head = rng.choice(("none", "fc", "pools", "pool", "fc fc"))
    if head == "pools":
        here = drawing.fc((drawing.pool((here,)), drawing.pool((here,), whole=True)))
    elif head == "pool":
        here = drawing.pool((here,), whole=True)
    elif head.startswith("fc"):
        here = drawing.fc((here,))
        if head == "fc fc":
            drawing.fc((here,))
    if not any(one.has_weights for one in drawing.layers):
        drawing.fc((here,))
    return CrossbarNetwork(
        name="random",
        input_channels=3,
        input_side=drawing.image,
        layers=tuple(drawing.layers),
        fused_activations=rng.random() < 0.5,
    )


def with_raw_answers(rng: random.Random, network: CrossbarNetwork) -> CrossbarNetwork:
    """Make some of the answers that have no activation raw sums."""
    read = {provider for one in network.layers for provider in one.providers}
    layers = tuple(
        replace(one, raw_bits=rng.choice((None, 32, 64)))
        if place not in read and one.has_weights and one.activation == "none"
        else one
        for place, one in enumerate(network.layers)
    )
    return replace(network, layers=layers)


def random_components(rng: random.Random) -> Components:
    """Return the constants with small scratchpads, slow or fast, a slow or fast mesh, any clock."""
    if rng.random() < 0.2:
        return COMPONENTS
    smallest, slow = rng.choice((1, 2, 8)), rng.choice((1, 10, 40))
    pads = COMPONENTS.scratchpads
    capacities = tuple(
        replace(one, kilobytes=smallest << place, latency_ns=slow * one.latency_ns)
        for place, one in enumerate(pads.to_choose_from(published=True))
    )
    noc = replace(
        COMPONENTS.network_on_chip,
        hop_ns=rng.choice((0.5, 1.0, 10.0)),
        flit_bits=rng.choice((16, 64, 100)),
    )
    return replace(
        COMPONENTS,
        scratchpads=replace(pads, capacities=capacities, published_from_kilobytes=smallest),
        network_on_chip=noc,
        step_floor_ns=rng.choice((30.0, 100.0)),
        clock_ns={1: 1.0, 2: 1.25, 8: 3.25}[smallest],
    )


def random_choice(
    rng: random.Random, network: CrossbarNetwork, side: int, rules: Rules, sharing: float
) -> Choice:
    """Return copies, macros, pairs and clocks; rarely more macros than there may be."""
    layers = network.layers
    few = rng.random() < 0.5
    copies = [
        rng.randint(1, max(1, one.pixels // rng.choice((1, 3, 10)))) if one.kind == "conv" else 1
        for one in layers
    ]
    limits = [copies[place] * tiles_of(one, side, rules)[1] for place, one in enumerate(layers)]
    if rules.whole_parts:
        cuts = [cut_of(one, side, 1) for one in layers]
        limits = [most_macros(cut, each) for cut, each in zip(cuts, copies, strict=True)]
    macros = [
        rng.randint(1, max(1, min(limit, 4 if few else 20))) if one.has_weights else 1
        for one, limit in zip(layers, limits, strict=True)
    ]
    partner = [-1] * len(layers)
    weighty = [place for place, one in enumerate(layers) if one.has_weights]
    rng.shuffle(weighty)
    while len(weighty) > 1 and rng.random() < sharing:
        one, two = sorted((weighty.pop(), weighty.pop()))
        partner[one], partner[two] = two, one
        macros[one], macros[two] = min(macros[one], limits[two]), 0
    if rng.random() < 0.02:
        macros[0] += limits[0]
    clocks = [
        rng.randint(1, 12) if one.kind == "fc" and rules.used_columns else 1 for one in layers
    ]
    return Choice(
        copies=tuple(copies), macros=tuple(macros), partner=tuple(partner), clocks=tuple(clocks)
    )


def random_case(seed: int, rules: Rules, *, sharing: float = 0.5) -> Case:
    """Return a design with its network and constants."""
    rng = random.Random(f"{seed} {named(rules)}")
    network = random_network(rng)
    if rules.send_once:
        network = with_raw_answers(random.Random(f"{seed} raw"), network)
    components = random_components(rng)
    point = rng.choice(points(components, rules, RRAM_RATIOS))
    choice = random_choice(rng, network, point.side, rules, sharing)
    power_w = rng.choice((2.0, 5.0, 20.0, 60.0, 200.0, 1000.0))
    return case_of(network, point, power_w, rules, choice, components=components)
