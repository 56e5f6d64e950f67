"""What fewer digits save on a chip, layer by layer."""

import json
from pathlib import Path

import numpy as np
import pytest

from golden.network import infer
from hwgen.cli import EQUAL, main
from hwgen.commands.context import Context
from hwgen.commands.lower_costs import (
    chip_of,
    cycles_of_layers,
    predicted,
    priced,
    rounded,
    savings,
)
from hwgen.fit.digits import digits_of
from hwgen.fit.lowered import Step
from hwgen.network import INPUT, Add, QuantizedNetwork
from hwgen.network.file import load_network

ROOT = Path(__file__).parents[2]
DIGITS = ROOT / "configs/networks/digits_small_cnn.npz"
RESIDUAL = ROOT / "configs/networks/digits_resnet20.npz"
SMALL = ROOT / "configs/dbpim/small.yaml"


def paired(folder: Path) -> Path:
    """An architecture whose groups of one digit may share rows."""
    file = folder / "pairs.yaml"
    text = SMALL.read_text(encoding="utf-8").replace("name: small", "name: pairs")
    file.write_text(f"{text}one_digit: paired\n", encoding="utf-8")
    return file


def drawn_image(network: QuantizedNetwork, seed: int) -> np.ndarray:
    shape = network.map_of(INPUT)
    size = 1, shape.height, shape.width, shape.channels
    return np.random.default_rng(seed).integers(0, 256, size, np.uint8)


def step(layer: str, group: int, loss: float, digits: int = 1) -> Step:
    return Step(layer=layer, group=group, digits=digits, loss=loss, saved=1)


def test_a_group_without_a_partner_shares_what_its_pair_saves() -> None:
    """Behind one group nothing, behind two 8 cycles, behind four 12, behind five 11 less."""
    curve = [(0, 100.0), (0, 100.0), (1, 100.0), (2, 92.0), (3, 92.0), (4, 88.0), (5, 89.0)]
    assert savings(curve) == [4, 4, 2, 2, -1]


def test_cycles_of_a_convolution_are_those_of_the_sum_that_takes_it_in() -> None:
    network, chip = load_network(RESIDUAL), chip_of(SMALL)
    image = drawn_image(network, 0)
    found = predicted(network, chip, infer(network, image))
    named = {each.layer for each in found.steps}
    cycles = cycles_of_layers(network, found)
    sums = [layer for layer in network.layers if isinstance(layer, Add)]
    inside = [name for layer in sums for name in layer.inputs if name not in named]
    assert inside, "no convolution runs within a residual sum: the case is not met"
    for layer in sums:
        for name in set(layer.inputs) & set(inside):
            assert cycles[name] == cycles[layer.name] > 0


def test_a_step_saves_cycles_only_with_its_pair(tmp_path: Path) -> None:
    """A chip without pairs saves nothing by one digit, so that no step is left."""
    network = load_network(DIGITS)
    image = drawn_image(network, 1)
    layer = next(name for name, of in network.parameters.items() if len(of.weights) == 16)
    steps = [step(layer, 0, 0.2), step(layer, 1, 0.1)]
    context, chip = Context(work=tmp_path), chip_of(paired(tmp_path))
    found = priced(context, network, steps, chip, image)
    assert [each.group for each in found] == [1, 0]
    behind = rounded(network, steps)
    assert digits_of(behind.parameters[layer].weights).max() == 1
    maps = infer(network, image)
    before, after = (predicted(each, chip, maps).cycles for each in (network, behind))
    saved = sum(each.saved for each in found)
    assert saved == pytest.approx(before - after, rel=0.02) and saved > 0
    assert priced(context, network, steps, chip_of(SMALL), image) == []


@pytest.mark.promise(
    "`hwgen fit --rule lowered --arch` takes those filters first that save cycles on the chip"
)
def test_fit_for_a_chip_says_its_cycles(tmp_path: Path) -> None:
    out, report = tmp_path / "out.npz", tmp_path / "report.json"
    given = ["fit", str(DIGITS), "--rule", "lowered", "--arch", str(paired(tmp_path))]
    given += ["--data", "digits", "--images", "100", "--budget", "5"]
    assert main([*given, "--out", str(out), "--json", str(report)]) == EQUAL
    plain = json.loads(report.read_text(encoding="utf-8"))
    before, after = plain["cycles"]
    assert plain["architecture"]["name"] == "pairs"
    assert after < 0.9 * before
