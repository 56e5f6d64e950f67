"""Noise of a training is what the cells of a crossbar do to weights, and ends with the training."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from golden.crossbar.effects import ErringCrossbars
from golden.crossbar.encoding import encode
from hwgen.data import Dataset
from hwgen.errors import ConfigError
from hwgen.files.load import validate_spec
from hwgen.train.cell_noise import ErringCells, cells_of, error_moments, weight_errors
from hwgen.train.models import plan_model
from hwgen.train.network import Network, QuantizedTraining, fold
from hwgen.train.recipe import Noise, Recipe, load_recipe
from hwgen.train.run import Run
from hwgen.train.train import train_network
from tests.golden.crossbar.test_effects import chip, digits, with_effects
from tests.train.conftest import RECIPES, interrupted_after

NOISE = Noise(variation=0.1, cell_bits=2, side=128)
NOISY = {"variation": 0.1, "cell_bits": 2, "side": 128, "by_pixel": "often"}


def weights_of(rows: int, filters: int = 5) -> torch.Tensor:
    """Return weights (filters, rows, 1, 1), of all values and some columns that are flipped."""
    drawn = np.random.default_rng(rows).integers(-128, 128, (filters, rows, 1, 1))
    drawn[0] = -100  # below half in every slice but the lowest
    drawn[1] = 127
    return torch.tensor(drawn, dtype=torch.float32)


@pytest.mark.promise("noise in training is that of the cells and columns of golden's crossbars")
@pytest.mark.parametrize(("rows", "cell_bits", "side"), [(9, 1, 16), (40, 2, 16), (300, 4, 128)])
def test_cells_are_goldens(rows: int, cell_bits: int, side: int) -> None:
    weights = weights_of(rows).flatten(1)
    noise = replace(NOISE, cell_bits=cell_bits, side=side)
    held, signs = cells_of(weights, noise)
    flips = 0
    for first in range(0, rows, side):
        tile = weights[:, first : first + side].numpy().astype(np.int64).T
        stored = encode(tile, weight_bits=8, cell_bits=cell_bits)
        mine = held[..., first : first + side].numpy()
        assert np.array_equal(mine, stored.cells.transpose(0, 2, 1))
        wanted = np.broadcast_to(1 - 2 * stored.flips[..., np.newaxis], mine.shape)
        assert np.array_equal(signs[..., first : first + side].numpy(), wanted)
        flips += int(stored.flips.sum())
    assert flips


def test_rows_are_kernel_row_column_channel() -> None:
    """Channel 1 of a kernel of two columns is row 1 and 3, in the second tile of two rows."""
    weights = torch.full((1, 2, 1, 2), -128.0)
    weights[0, :, 0, 1] = 127  # the tile of the second column is flipped, of cells 0
    noise = Noise(variation=0.5, cell_bits=2, side=2)
    assert not weight_errors(weights, noise, torch.Generator().manual_seed(1)).any()
    assert weight_errors(weights, replace(noise, side=3), torch.Generator().manual_seed(1)).any()


def test_errors_have_the_deviation_of_their_cells() -> None:
    """A weight of 0 is 128: a cell of 2 in the highest slice, which errs by its variation."""
    weights = torch.zeros(1, 100_000, 1, 1)
    noise = replace(NOISE, variation=0.01, side=100_000)
    errors = weight_errors(weights, noise, torch.Generator().manual_seed(1))
    # Of 2 x 4^3, flipped to 1 x 4^3 since 2 is more than half of 3.
    assert float(errors.std()) == pytest.approx((3 - 2) * 64 * 0.01, rel=0.01)
    again = weight_errors(weights, noise, torch.Generator().manual_seed(1))
    assert torch.equal(errors, again)


@pytest.mark.dear("8")
@pytest.mark.parametrize("cell_bits", [1, 2, 4, 8])
def test_moments_are_those_of_drawn_errors(cell_bits: int) -> None:
    weights = weights_of(9)
    noise = replace(NOISE, variation=0.4, cell_bits=cell_bits, side=16)
    random = torch.Generator().manual_seed(3)
    drawn = torch.stack([weight_errors(weights, noise, random) for _ in range(4_000)])
    mean, variance = error_moments(weights, noise)
    spread = variance.sqrt()
    assert torch.allclose(drawn.mean(0), mean, rtol=0, atol=float(spread.max()) * 0.07)
    assert torch.allclose(drawn.std(0), spread, rtol=0.1)


@pytest.mark.promise("noise by pixel errs as golden's crossbars do whose layers have many copies")
def test_noise_by_pixel_is_that_of_many_copies() -> None:
    """Of two row tiles, one filter flipped: sums of each pixel over 600 copies, and over ours."""
    arch, weights = chip(), weights_of(200)
    side = arch.point.side
    inputs = np.random.default_rng(5).integers(0, 256, (3, 200))
    rows = weights.flatten(1).numpy().astype(np.int64).T
    exact = inputs @ rows
    chips = ErringCrossbars(digits()[0], arch, with_effects(variation=0.1), 1)
    copies = []
    for copy in range(600):
        firsts = range(0, len(rows), side)
        tiles = [chips._tile(rows[first : first + side], (0, 0, copy, first)) for first in firsts]
        copies.append(chips._copy(inputs, tiles) - exact)
    wanted = np.stack(copies)

    noise = replace(NOISE, cell_bits=arch.point.cell_bits, side=side, by_pixel=True)
    cells = ErringCells(noise, torch.Generator().manual_seed(1))
    seen = torch.tensor(inputs, dtype=torch.float32)[:, :, None, None].expand(-1, -1, 1, 2000)
    found = cells.sums(seen, weights, torch.conv2d)[:, :, 0].numpy()
    assert found.std(2) == pytest.approx(wanted.std(0), rel=0.12)
    assert found.mean(2) == pytest.approx(wanted.mean(0), abs=0.2 * wanted.std(0).max())
    # Neighbours have nothing in common.
    assert abs(np.corrcoef(found[0, 0, :-1], found[0, 0, 1:])[0, 1]) < 0.1


@pytest.mark.parametrize("by_pixel", [False, True])
def test_errors_meet_the_zero_point(by_pixel: bool) -> None:
    """A map of zeros is the zero point to a crossbar, and so is the padding around it."""
    plan = plan_model("small_cnn", (8, 8, 1), 10)
    torch.manual_seed(0)
    network = Network(plan)
    spreads = []
    for zero in (0.0, 0.5, 1.0):
        quantized = QuantizedTraining(plan, rule="int8", momentum=0.9)
        fold(network, quantized)
        noise = replace(NOISE, by_pixel=by_pixel)
        quantized.err_by(ErringCells(noise, torch.Generator().manual_seed(1)), image_zero=zero)
        conv = quantized.train().conv("conv1")
        sums = quantized.compute(plan.nodes[0], [torch.zeros(16, 1, 8, 8)]).detach()
        spreads.append((sums - conv.bias.detach()[:, None, None]).flatten(2).std(2).mean())
        shifts = sums.mean((0, 2, 3)) - conv.bias.detach()
        assert bool(shifts.any()) == (zero > 0)
    assert spreads[0] == 0
    if by_pixel:
        assert float(spreads[2]) == pytest.approx(2 * float(spreads[1]), rel=1e-4)
    else:
        assert max(spreads) < 1e-6


def test_errors_are_of_training_alone() -> None:
    torch.manual_seed(0)
    network = Network(plan_model("small_cnn", (8, 8, 1), 10))
    quantized = QuantizedTraining(network.plan, rule="mode", momentum=0.9)
    fold(network, quantized)
    quantized.renew_thresholds()
    images = torch.rand(4, 1, 8, 8)
    quantized.train()(images)  # ranges
    exact = quantized.eval()(images)
    random = torch.Generator().manual_seed(1)
    quantized.err_by(ErringCells(NOISE, random), image_zero=0.0)
    assert torch.equal(quantized(images), exact)
    weight = quantized.conv("conv1").parametrizations.weight.original
    one, other = (quantized.train()(images) for _ in range(2))
    assert not torch.equal(one, other)
    one.sum().backward()
    assert weight.grad is not None and bool(weight.grad.any())


@pytest.mark.parametrize("batches", [13, 15])
def test_resumed_equals_unbroken(
    batches: int, recipe: Recipe, on_few_digits: Dataset, tmp_path: Path, monkeypatch: Any
) -> None:
    """Errors of a batch are those of an unbroken training, in the middle of an epoch, too."""
    noisy = replace(recipe, noise=replace(NOISE, by_pixel=batches > 13))
    unbroken = train_network(noisy, out=tmp_path / "unbroken", progress=False)
    with interrupted_after(batches, Run, monkeypatch):
        train_network(noisy, out=tmp_path / "broken", progress=False)
    resumed = train_network(noisy, out=tmp_path / "broken", progress=False)
    assert resumed.network_path.read_bytes() == unbroken.network_path.read_bytes()
    exact = train_network(recipe, out=tmp_path / "exact", progress=False)
    assert exact.network_path.read_bytes() != unbroken.network_path.read_bytes()
    assert exact.accuracy_pruned == unbroken.accuracy_pruned


def test_auto_is_by_pixel_where_a_map_has_pixels(
    recipe: Recipe, on_few_digits: Dataset, tmp_path: Path
) -> None:
    """Convolutions have maps, the head has one pixel; the record names the layers."""
    trained, told = {}, {}
    for choice in (True, False, "auto"):
        noise = replace(NOISE, by_pixel=choice)
        out = tmp_path / str(choice)
        result = train_network(replace(recipe, noise=noise), out=out, progress=False)
        trained[choice] = result.network_path.read_bytes()
        told[choice] = json.loads(result.report_path.read_text())["noise_by_pixel"]
    layers = [node.name for node in plan_model("small_cnn", (8, 8, 1), 10).weighted]
    assert told == {True: layers, False: [], "auto": layers[:-1]}
    assert len(set(trained.values())) == 3
    with pytest.raises(
        ConfigError, match=r"noise.by_pixel must be False, True or 'auto', got 'often'"
    ):
        validate_spec(Recipe, {**recipe.fields(), "noise": NOISY}, source="mine")


def test_auto_errs_by_the_layer() -> None:
    """Of two images alike, a map errs in each pixel, and a head of one pixel alike."""
    plan = plan_model("small_cnn", (8, 8, 1), 10)
    quantized = QuantizedTraining(plan, rule="int8", momentum=0.9)
    torch.manual_seed(0)
    fold(Network(plan), quantized)
    cells = ErringCells(replace(NOISE, by_pixel="auto"), torch.Generator().manual_seed(1))
    quantized.err_by(cells, image_zero=0.5)
    quantized.train()
    for node, alike in ((plan.nodes[0], False), (plan.nodes[-1], True)):
        height, width, channels = plan.shapes[node.inputs[0]]
        seen = torch.ones(2, channels, height, width)
        one, other = quantized.conv(node.name)(seen, 0.5).detach()
        assert torch.equal(one, other) == alike


def test_noise_is_of_the_last_phase(recipe: Recipe) -> None:
    noisy = replace(recipe, noise=NOISE)
    assert "noise" not in recipe.until("quantized")
    for phase in ("float", "pruned"):
        assert noisy.until(phase) == recipe.until(phase)
    assert noisy.until("quantized")["noise"] == {"variation": 0.1, "cell_bits": 2, "side": 128}


def test_mistakes_are_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    text = (RECIPES / "digits_small_cnn.yaml").read_text(encoding="utf-8")
    path.write_text(f"{text}noise: {{variation: 0.0, cell_bits: 2, side: 128}}\n")
    with pytest.raises(ConfigError, match=r"noise.variation must be greater than 0, got 0.0"):
        load_recipe(path)
