"""The split of a layer whose weights are loaded for one use."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from golden.network import infer
from hwgen.dbpim.compiler import cost
from hwgen.dbpim.compiler.compile import compile_network
from hwgen.dbpim.facts.arch import load_arch
from hwgen.dbpim.model.predict import CycleModel, SplitCost
from hwgen.network import INPUT, QuantizedNetwork
from verif.common.drawing import Drawing, draw_images

PAPER = load_arch(Path("configs/dbpim/paper_rows.yaml"))


def one_pixel(inputs: int, filters: int, *, seed: int) -> QuantizedNetwork:
    """Return a norm, a layer of one pixel and a head; their weights have two digits apart."""
    drawing = Drawing(seed, modes=("all",), shape=(1, 1, inputs))
    drawing.rounding = "float32"
    now = drawing.layer_norm(INPUT)
    net = drawing.build(drawing.conv(drawing.conv(now, (filters,)), (8,)))
    rng, parameters = np.random.default_rng(seed), {}
    for name, old in net.parameters.items():
        upper = rng.integers(2, 7, old.weights.shape)
        lower = rng.integers(0, 100, old.weights.shape) % (upper - 1)
        signs = rng.choice([-1, 1], (2, *old.weights.shape))
        weights = (signs[0] * 2**upper + signs[1] * 2**lower).astype(np.int8)
        parameters[name] = replace(old, weights=weights)
    return replace(net, parameters=parameters)


def cycles(net: QuantizedNetwork) -> tuple[int, list[int]]:
    """Return the cycles of an image, and the sets of filters of each layer."""
    program = compile_network(net, PAPER, layer_cost=SplitCost(PAPER))
    sets = [plan.sets for plan in program.facts.steps if plan.kind == "conv"]
    maps = infer(net, draw_images(net, 1, seed=1))
    return CycleModel(program, PAPER).predict(maps).cycles, sets


@pytest.mark.promise("all cores hold weights ahead for a layer that loads each for one use")
def test_all_cores_share_a_layer_of_one_position(monkeypatch: pytest.MonkeyPatch) -> None:
    net = one_pixel(256, 256, seed=1)
    shared, sets = cycles(net)
    assert sets == [PAPER.cores, 1]
    monkeypatch.setattr(cost, "FEW_GROUPS", 1000)
    alone, sets = cycles(net)
    assert sets == [2, 1]
    assert shared < alone - 300
