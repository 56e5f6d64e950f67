"""Random small networks in one macro, the first layer in up to three; all follows from a seed."""

import random
from typing import Any

from hwgen.crossbar.facts.holdings import most_macros
from tests.verif.crossbar.grid import CONV, HEAD, POOL, point
from verif.crossbar.macro_schedule import case_of

POINTS = ((16, 2, 2), (32, 1, 1), (64, 4, 4), (128, 2, 1), (128, 1, 4), (256, 4, 2))
RATES = ((1, 4), (1, 1), (1, 1), (2, 1), (4, 1))
MOST_SIDE, MOST_CHANNELS = 5, 6


class Drawing:
    """Layers while they are drawn."""

    def __init__(self, rng: random.Random) -> None:
        self.rng, self.layers = rng, list[dict[str, Any]]()
        self.image = rng.randint(3, MOST_SIDE), rng.randint(1, 4)

    def shape(self, place: int | None) -> tuple[int, int]:
        """Return side and channels of a map."""
        if place is None:
            return self.image
        return self.layers[place]["out_side"], self.layers[place]["out_channels"]

    def add(self, base: dict[str, Any], providers: list[int], **fields: Any) -> int:
        """Append a layer; return its place."""
        function = self.rng.choice(("none", "relu", "sigmoid"))
        name = f"layer{len(self.layers)}"
        more = {"name": name, "providers": providers, "activation": function, **fields}
        self.layers.append(base | more)
        return len(self.layers) - 1

    def window(self, providers: list[int], *, pool: bool, keep: bool = False) -> int:
        """Append a convolution or a pooling of a map, or of several of one size."""
        rng, places = self.rng, providers or [None]
        side = self.shape(places[0])[0]
        channels = sum(self.shape(place)[1] for place in places)
        kernel = rng.randint(1, min(3, side))
        padding, stride = rng.randint(0, kernel // 2), rng.randint(1, 2)
        if keep:
            kernel, padding, stride = rng.choice(((1, 0, 1), (3, 1, 1)))
        fields = {"kernel": kernel, "stride": stride, "padding": padding, "in_side": side}
        fields |= {"out_side": (side + 2 * padding - kernel) // stride + 1}
        if pool:
            average = padding == 0 and rng.random() < 0.5
            fields |= {"average": average, "in_channels": channels, "out_channels": channels}
            return self.add(POOL, providers, **fields)
        outputs = rng.randint(1, MOST_CHANNELS)
        groups = 1
        if rng.random() < 0.3:
            groups, outputs = channels, channels
        fields |= {"in_channels": channels, "out_channels": outputs, "groups": groups}
        return self.add(CONV, providers, **fields)

    def addition(self, place: int) -> int:
        """Append a convolution, and add its map to that of its provider."""
        side, channels = self.shape(place)
        fields = {"in_side": side, "out_side": side, "out_channels": channels}
        fields |= {"in_channels": channels}
        other = self.add(CONV, [place], **fields)
        point_wise = {"kind": "eltwise", "kernel": 1, "padding": 0}
        return self.add(CONV | point_wise, self.rng.sample([place, other], 2), **fields)

    def concatenation(self, place: int) -> int:
        """Append two convolutions of a map and what reads both."""
        both = [self.window([place], pool=False, keep=True) for _ in range(2)]
        return self.window(both, pool=self.rng.random() < 0.4)

    def head(self, places: list[int]) -> int:
        """Append raw sums."""
        pixels = self.shape(places[0])[0] ** 2
        inputs = pixels * sum(self.shape(place)[1] for place in places)
        fields = {"in_channels": inputs, "out_channels": self.rng.randint(1, 9)}
        return self.add(HEAD, places, **fields, activation="none")


def random_macro(seed: int) -> dict[str, Any]:
    """Return a case for `verif.crossbar.bench_macro`."""
    rng = random.Random(f"macro {seed}")
    drawing = Drawing(rng)
    here = drawing.window([], pool=False)
    for _ in range(rng.randint(0, 2)):
        step = rng.choice(("conv", "pool", "addition", "concatenation"))
        if step in ("conv", "pool"):
            here = drawing.window([here], pool=step == "pool")
        else:
            here = getattr(drawing, step)(here)
    drawing.head([here])
    layers = drawing.layers
    copies = [rng.randint(1, one["out_side"] ** 2) for one in layers]
    bits = rng.choice((4, 8, 8, 16))
    if bits == 16:
        layers = [one | {"activation": "none"} for one in layers]
    facts = {"layers": layers, "copies": copies, "bits": bits, "weight_bits": bits, "raw": True}
    facts |= {"adcs": rng.randint(2, 12), "samples": list(rng.choice(RATES))}
    facts |= {"clocks": rng.randint(1, 3), "access_clocks": rng.randint(1, 2)}
    facts |= {"word_bits": rng.choice((128, 256))} | point(*rng.choice(POINTS))
    case = case_of(facts)
    most = most_macros(case.cut(0), case.copies[0])
    return facts | {"macros": rng.randint(1, min(3, most))}
