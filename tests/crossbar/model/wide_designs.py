"""Random networks with products, factors of channels, dilation, and what is not square."""

import random

from hwgen.crossbar.facts.network import Columns, CrossbarLayer, CrossbarNetwork, Kind
from hwgen.crossbar.facts.point import RRAM_RATIOS, points
from hwgen.crossbar.facts.rules import STRICT
from tests.crossbar.model.designs import case_of
from tests.crossbar.model.random_designs import ACTIVATIONS, random_choice, random_components
from verif.reference.crossbar import Case

Pair = tuple[int, int]


class WideDrawing:
    """A network while it is drawn."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.layers: list[CrossbarLayer] = []
        self.image = rng.randint(5, 11), rng.randint(5, 11)

    def sides(self, place: int | None) -> Pair:
        return self.image if place is None else self.layers[place].out_sides

    def channels(self, place: int | None) -> int:
        return 3 if place is None else self.layers[place].out_channels

    def axis(self, side: int) -> tuple[int, int, int, int, int]:
        """Kernel, stride, padding, dilation and the side that they leave."""
        dilation = self.rng.choice((1, 1, 2, 3))
        kernel = self.rng.randint(1, max(1, min(4, (side - 1) // dilation + 1)))
        dilation = dilation if kernel > 1 else 1
        span = (kernel - 1) * dilation + 1
        stride, padding = self.rng.randint(1, 3), self.rng.randint(0, span // 2)
        return kernel, stride, padding, dilation, (side + 2 * padding - span) // stride + 1

    def window(self, kind: Kind, place: int | None, outputs: int) -> int:
        sides = self.sides(place)
        rows, columns = self.axis(sides[0]), self.axis(sides[1])
        inputs = self.channels(place)
        groups = self.rng.choice((1, inputs)) if kind == "conv" and outputs % inputs == 0 else 1
        return self.add(
            kind,
            () if place is None else (place,),
            (inputs, outputs),
            (rows[:3], columns[:3]),
            (sides, (rows[4], columns[4])),
            dilation=(rows[3], columns[3]),
            groups=groups,
        )

    def whole(self, place: int) -> int:
        """The mean over all pixels."""
        sides, channels = self.sides(place), self.channels(place)
        window = ((sides[0], 1, 0), (sides[1], 1, 0))
        return self.add("pool", (place,), (channels, channels), window, (sides, (1, 1)))

    def point(self, place: int, outputs: int) -> int:
        sides = self.sides(place)
        window = ((1, 1, 0), (1, 1, 0))
        channels = self.channels(place), outputs
        return self.add("conv", (place,), channels, window, (sides, sides))

    def product(self, places: tuple[int, ...]) -> int:
        sides = max((self.sides(place) for place in places), key=lambda pair: pair[0] * pair[1])
        channels = self.channels(places[0])
        window = ((1, 1, 0), (1, 1, 0))
        sizes = (channels, channels)
        return self.add("eltwise", places, sizes, window, (sides, sides), product=True)

    def add(
        self,
        kind: Kind,
        places: tuple[int, ...],
        channels: Pair,
        windows: tuple[tuple[int, int, int], tuple[int, int, int]],
        sides: tuple[Pair, Pair],
        *,
        dilation: Pair = (1, 1),
        groups: int = 1,
        product: bool = False,
    ) -> int:
        (kernel, stride, padding), columns = windows
        self.layers.append(
            CrossbarLayer(
                name=f"layer{len(self.layers)}",
                kind=kind,
                providers=places,
                kernel=kernel,
                stride=stride,
                padding=padding,
                in_channels=channels[0],
                out_channels=channels[1],
                groups=groups,
                in_side=sides[0][0],
                out_side=sides[1][0],
                activation=self.rng.choice(ACTIVATIONS),
                columns=Columns(
                    kernel=columns[0],
                    stride=columns[1],
                    padding=columns[2],
                    in_side=sides[0][1],
                    out_side=sides[1][1],
                ),
                dilation=dilation,
                product=product,
            )
        )
        return len(self.layers) - 1


def wide_network(rng: random.Random) -> CrossbarNetwork:
    """Return windows, gates, products of two ways, and perhaps a fully connected head."""
    drawing = WideDrawing(rng)
    here = drawing.window("conv", None, rng.choice((8, 20, 64)))
    for _ in range(rng.randint(1, 3)):
        step = rng.choice(("conv", "pool", "gate", "gate", "product"))
        channels = drawing.channels(here)
        if step == "conv":
            here = drawing.window("conv", here, rng.choice((8, 20, 64, 130)))
        elif step == "pool":
            here = drawing.window("pool", here, channels)
        elif step == "gate":
            narrow = drawing.point(drawing.whole(here), rng.choice((4, 8)))
            gate = drawing.point(narrow, channels)
            here = drawing.product(rng.choice(((here, gate), (gate, here))))
        else:
            here = drawing.product((drawing.point(here, 20), drawing.point(here, 20)))
    if rng.random() < 0.5:
        inputs = drawing.layers[here].pixels * drawing.channels(here)
        one = ((1, 1, 0), (1, 1, 0))
        drawing.add("fc", (here,), (inputs, 10), one, ((1, 1), (1, 1)))
    return CrossbarNetwork(
        name="wide",
        input_channels=3,
        input_side=drawing.image[0],
        input_columns=drawing.image[1],
        layers=tuple(drawing.layers),
    )


def wide_case(seed: int) -> Case:
    """Return a design with its network and constants, under strict rules."""
    rng = random.Random(f"{seed} wide")
    network = wide_network(rng)
    components = random_components(rng)
    point = rng.choice(points(components, STRICT, RRAM_RATIOS))
    choice = random_choice(rng, network, point.side, STRICT, 0.5)
    power_w = rng.choice((5.0, 20.0, 60.0, 200.0, 1000.0))
    return case_of(network, point, power_w, STRICT, choice, components=components)
