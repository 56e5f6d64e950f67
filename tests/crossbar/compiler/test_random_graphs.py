"""Random graphs come back as the layers that were put into them."""

import random
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from hwgen.crossbar.compiler import network_of
from hwgen.crossbar.compiler.zoo import Draft, Flow
from hwgen.crossbar.facts.network import CrossbarLayer, CrossbarNetwork, Kind
from hwgen.importers.onnx import read_graph, write_graph

SIDE = 16


@dataclass
class Twin:
    """A graph, and beside it the layers that it should become."""

    chance: random.Random
    draft: Draft = field(default_factory=lambda: Draft("random"))
    layers: list[CrossbarLayer] = field(default_factory=list)
    sources: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def wrote(self, before: list[Flow], after: Flow, kind: Kind, **sizes: int) -> Flow:
        """Note a layer that reads `before` and writes `after`."""
        providers = [place for flow in before for place in self.sources[flow.name]]
        if kind == "eltwise":
            providers.sort()
        window = {"kernel": 1, "stride": 1, "padding": 0, **sizes}
        self.sources[after.name] = (len(self.layers),)
        sides = [flow.shape[1] if len(flow.shape) > 1 else 1 for flow in (before[0], after)]
        self.layers.append(
            CrossbarLayer(
                name=after.name,
                kind=kind,
                providers=tuple(dict.fromkeys(providers)),
                in_channels=before[0].shape[0],
                out_channels=after.shape[0],
                groups=1,
                in_side=sides[0],
                out_side=sides[1],
                activation="none",
                **window,
            )
        )
        return after

    def passed(self, before: Flow, after: Flow) -> Flow:
        """Note a node that is no layer."""
        self.sources[after.name] = self.sources[before.name]
        return after

    def step(self, x: Flow, path: str) -> Flow:
        """Add something behind x."""
        kernel = self.chance.choice((1, 2, 3, 5))
        stride, padding = self.chance.choice((1, 1, 2)), self.chance.randrange(kernel // 2 + 1)
        window = {"kernel": kernel, "stride": stride, "padding": padding}
        fits = x.shape[1] + 2 * padding >= kernel
        match self.chance.choice(("conv", "conv", "pool", "relu", "branch")):
            case "conv" if fits:
                channels = self.chance.randrange(1, 9)
                after = self.draft.conv(x, path, channels, kernel, stride=stride, padding=padding)
                return self.wrote([x], after, "conv", **window)
            case "pool" if fits:
                after = self.draft.pool(x, path, kernel, stride=stride, padding=padding)
                return self.wrote([x], after, "pool", **window)
            case "branch":
                left = self.draft.conv(x, f"{path}/left", x.shape[0], 3, padding=1)
                left = self.wrote([x], left, "conv", kernel=3, padding=1)
                if not self.sources[x.name] or self.chance.random() < 0.5:
                    return left
                return self.wrote([left, x], self.draft.add(left, x, path), "eltwise")
            case _ if self.sources[x.name]:
                for place in self.sources[x.name]:
                    self.layers[place] = replace(self.layers[place], activation="relu")
                return self.passed(x, self.draft.relu(x, path))
            case _:
                return x


@pytest.mark.promise(
    "a graph of ONNX says what the file leaves implicit, and reads back from what is written"
)
@pytest.mark.parametrize("seed", range(60))
def test_random_graphs_come_back(seed: int, tmp_path: Path) -> None:
    twin = Twin(random.Random(seed))
    x = twin.draft.image(3, SIDE)
    twin.sources[x.name] = ()
    for number in range(twin.chance.randrange(1, 12)):
        x = twin.step(x, f"n{number}")
    flat = twin.passed(x, twin.draft.flatten(x, "flat"))
    last = twin.draft.linear(flat, "head", 10)
    twin.wrote([flat], last, "fc")
    graph = twin.draft.finish()
    assert network_of(graph) == CrossbarNetwork(
        name="random", input_channels=3, input_side=SIDE, layers=tuple(twin.layers)
    )
    path = tmp_path / "random.onnx"
    write_graph(graph, path)
    assert read_graph(path) == replace(graph, source=str(path))
