"""The split of a layer whose weights are loaded for one use."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from golden.network import infer
from hwgen.commands.images import choose_images
from hwgen.dbpim.compiler import compile
from hwgen.dbpim.compiler.compile import compile_network, fastest
from hwgen.dbpim.compiler.cost import WAYS, Way
from hwgen.dbpim.facts.arch import load_arch
from hwgen.dbpim.facts.program import Program
from hwgen.dbpim.model.predict import CycleModel, SplitCost
from hwgen.network import INPUT, QuantizedNetwork
from hwgen.network.file import load_network
from verif.common.drawing import Drawing, draw_images

NETWORKS, CHIPS = Path("configs/networks"), Path("configs/dbpim")
PAPER = load_arch(CHIPS / "paper_rows.yaml")


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
    monkeypatch.setattr(compile, "WAYS", [Way(judged=True, few_groups=1000)])
    alone, sets = cycles(net)
    assert sets == [2, 1]
    assert shared < alone - 300


@pytest.mark.dear("digits_small_cnn-small")
@pytest.mark.promise(
    "a network is compiled in several ways, and the model of the whole program decides"
)
@pytest.mark.parametrize(
    ("network", "chip"),
    [
        ("digits_small_cnn", "small"),
        ("digits_small_cnn", "tiny"),
        ("digits_vit", "small_rows"),
        ("digits_vit", "paper_rows"),
    ],
)
def test_the_model_of_the_whole_program_decides(
    network: str, chip: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No way is always the best one; what is taken is the best of them on an image, too."""
    net, arch = load_network(NETWORKS / f"{network}.npz"), load_arch(CHIPS / f"{chip}.yaml")
    maps = infer(net, choose_images(net, None, 1).images)

    def of_ways(*ways: Way) -> int:
        monkeypatch.setattr(compile, "WAYS", ways)
        program = compile_network(net, arch, layer_cost=SplitCost(arch))
        return CycleModel(program, arch).predict(maps).cycles

    each = [of_ways(way) for way in WAYS]
    assert of_ways(*WAYS) <= min(each) + 1
    assert len(set(each)) > 1


def test_of_equal_programs_the_first_is_taken() -> None:
    asked: list[bytes] = []

    def cost(image: Any) -> float:
        asked.append(image.tobytes())
        return 5.0

    one, other = (cast(Program, SimpleNamespace(image=np.full(4, n, np.uint8))) for n in (1, 2))
    assert fastest([one, one, other], cost) is one and len(asked) == 2
    assert fastest([one, one], cost) is one and len(asked) == 2
