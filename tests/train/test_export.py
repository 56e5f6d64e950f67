"""What export computes by itself: fixed point, and grids that a quantized network can hold."""

import pytest
import torch

from hwgen.data import Dataset
from hwgen.network.check import check_network
from hwgen.train.chip_weights import FixedDigits
from hwgen.train.export import export_network
from hwgen.train.export_integers import add_multipliers
from hwgen.train.fake_quantization import MapRange, on_grid
from hwgen.train.models import plan_model
from hwgen.train.network import Network, QuantizedTraining, fold, fully_connected
from hwgen.train.recipe import Recipe


@pytest.mark.parametrize(
    ("a", "b", "output", "expected"),
    [
        (1.0, 1.0, 2.0, (32768, 32768, 16)),
        (1.0, 0.25, 1.0, (32768, 8192, 15)),
        (0.25, 1.0, 1.0, (8192, 32768, 15)),
        (1.0, 1e-9, 1.0, (32768, 0, 15)),
    ],
)
def test_add_multipliers_by_hand(
    a: float, b: float, output: float, expected: tuple[int, int, int]
) -> None:
    assert add_multipliers(a, b, output) == expected


def test_a_range_is_smoothed_and_holds_zero() -> None:
    grid = MapRange(0.75).train()
    grid(torch.tensor([1.0, 4.0]))
    assert (float(grid.low), float(grid.high)) == (0.0, 4.0)
    grid(torch.tensor([-4.0, 0.0]))
    assert (float(grid.low), float(grid.high)) == (-1.0, 3.0)
    scale, zero_point = grid.grid()
    assert (float(scale), int(zero_point)) == (pytest.approx(4 / 255), 64)
    grid.eval()(torch.tensor([100.0]))
    assert float(grid.high) == 3.0


def test_a_map_is_rounded_to_bytes_and_its_gradient_ends_at_the_clip() -> None:
    grid = MapRange(0.9).train()
    grid(torch.tensor([-1.0, 254.0]))
    x = torch.tensor([-3.0, 0.4, 0.6, 100.2, 300.0], requires_grad=True)
    y = grid.eval()(x)
    assert y.tolist() == [-1.0, 0.0, 1.0, 100.0, 254.0]
    y.backward(torch.ones(5))
    assert x.grad is not None and x.grad.tolist() == [0.0, 1.0, 1.0, 1.0, 0.0]


def test_weights_are_symmetric_per_filter_and_the_head_has_one_step() -> None:
    weight = torch.tensor([[1.0, -0.5], [0.1, 0.02]]).reshape(2, 2, 1, 1)
    quantizer = FixedDigits(weight, rule="mode")
    assert quantizer.scale(weight).tolist() == pytest.approx([1 / 127, 0.1 / 127])
    assert quantizer.round(weight, quantizer.scale(weight)).flatten().tolist() == [
        127,
        -64,
        127,
        25,
    ]
    common = FixedDigits(weight, rule="mode", common=True)
    assert common.scale(weight).tolist() == pytest.approx([1 / 127, 1 / 127])
    quantizer.renew(weight)
    # 127, -64 have 2 and 1 digits; 127, 25 have 2 and 3: both modes are at least 2.
    assert quantizer.phi.tolist() == [2, 2]
    q, _ = quantizer.integers(weight)
    assert q.flatten().tolist() == [127, -63, 127, 24]


def common_or_own(weight: torch.Tensor, common: bool) -> torch.Tensor:
    """Return the largest weight of each filter, or of all."""
    largest = weight.abs().flatten(1).amax(1)
    return largest.amax().expand_as(largest) if common else largest


def test_with_steps_of_least_error_a_filter_keeps_its_digit() -> None:
    weight = torch.full((3, 8, 1, 1), 0.001)
    weight[:2, 0] = 1.0
    mask = torch.ones_like(weight, dtype=torch.bool)
    mask[1], weight[1] = False, 0.0
    found = {}
    for step in ("largest", "least_error"):
        quantizer = FixedDigits(weight, rule="one", step=step)
        quantizer.prune(mask)
        quantizer.renew(weight)
        found[step] = quantizer.phi.tolist()
    assert found == {"largest": [0, 0, 1], "least_error": [1, 0, 1]}


@pytest.mark.promise(
    "filters of one digit may be pruned in blocks of sixteen, and have steps of least error"
)
@pytest.mark.parametrize("common", [False, True])
def test_the_step_of_least_error(common: bool) -> None:
    """No step that is tried gives a smaller error of a filter, or of a head."""
    weight = torch.randn(12, 6, 3, 3, generator=torch.Generator().manual_seed(7))
    quantizer = FixedDigits(weight, rule="one", common=common, step="least_error")
    quantizer.renew(weight)

    def error() -> torch.Tensor:
        q, scale = quantizer.integers(weight)
        change = q * scale.reshape(-1, 1, 1, 1) - weight
        each = change.square().flatten(1).sum(1)
        return each.sum() if common else each

    chosen, best = quantizer.stretch.clone(), error()
    assert bool((chosen >= 1).all() and (chosen < 2).all()) and len(chosen.unique()) > 1 - common
    # Chosen once: other weights of a later epoch have the same steps.
    quantizer.renew(weight.flip(0))
    assert torch.equal(quantizer.stretch, chosen)
    for exponent in range(16):
        quantizer.stretch.fill_(2 ** (exponent / 16))
        assert bool((error() >= best).all())
    largest = FixedDigits(weight, rule="one", common=common)
    largest.renew(weight)
    assert largest.stretch.tolist() == [0.0] * 12
    assert torch.equal(largest.scale(weight), common_or_own(weight, common) / 127)
    # A checkpoint of the rule of always holds what it always held.
    assert "stretch" in quantizer.state_dict() and "stretch" not in largest.state_dict()


def test_empty_filters_and_dead_maps_still_export(recipe: Recipe, few_digits: Dataset) -> None:
    torch.manual_seed(0)
    network = Network(plan_model("small_cnn", few_digits.shape, 10))
    with torch.no_grad():
        for name, filters in (("conv2", slice(8, 16)), ("conv4", slice(None))):
            mask = network.layer(name).chip.mask.clone()
            mask[filters] = False
            network.layer(name).chip.prune(mask)
        network.layer("conv5").original[3] = 0
    quantized = QuantizedTraining(network.plan, rule="mode", momentum=0.9)
    fold(network, quantized)
    quantized.renew_thresholds()
    images = torch.tensor(few_digits.train_images[:32]).permute(0, 3, 1, 2) / 255
    quantized.train()(images)
    exported = export_network(quantized, recipe, few_digits)
    check_network(exported, source="test")
    weights = exported.parameters["conv2"].weights
    assert not weights[8:16].any() and weights[16:].any()
    assert not exported.parameters["conv4"].weights.any()


@pytest.mark.promise(
    "grids of maps and their gradients are torch's bit by bit, weights lie on their grid"
)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("seed", range(8))
def test_the_grid_of_a_map_is_that_of_torch(seed: int, layout: torch.memory_format) -> None:
    """Bit by bit, forward and backward, also where elements clip and on ties."""
    random = torch.Generator().manual_seed(seed)
    scale = torch.rand((), generator=random) / 10 + 1e-5
    zero_point = torch.randint(0, 256, (), generator=random, dtype=torch.int32)
    x = torch.randn(2, 8, 31, 17, generator=random) * scale * 150
    x.flatten()[:500] = (torch.arange(500) - 250 + 0.5) * scale
    ours, theirs = (x.clone().to(memory_format=layout).requires_grad_() for _ in range(2))
    gradient = torch.randn(x.shape, generator=random)
    given = on_grid(ours, scale, zero_point, 255)
    wanted = torch.fake_quantize_per_tensor_affine(theirs, scale, zero_point, 0, 255)
    given.backward(gradient)
    wanted.backward(gradient)
    assert ours.grad is not None and theirs.grad is not None
    assert torch.equal(given, wanted) and torch.equal(ours.grad, theirs.grad)
    assert 0 < int((ours.grad == 0).sum()) < x.numel()


def test_weights_lie_on_their_grid_and_their_gradient_passes() -> None:
    torch.manual_seed(3)
    weight = torch.randn(16, 8, 3, 3, requires_grad=True)
    mask = torch.rand(weight.shape) < 0.7
    quantizer = FixedDigits(weight, rule="mode")
    quantizer.prune(mask)
    quantizer.renew(weight)
    assert torch.equal(quantizer(weight), weight * mask)
    quantizer.on_grid = True
    value = quantizer(weight)
    steps = value.detach() / quantizer.scale(weight * mask).reshape(-1, 1, 1, 1)
    assert torch.equal(
        value.detach(), steps.round() * quantizer.scale(weight * mask).reshape(-1, 1, 1, 1)
    )
    value.backward(torch.ones_like(value))
    assert weight.grad is not None and torch.equal(weight.grad, mask.float())


def test_a_layer_over_the_whole_map_is_a_convolution() -> None:
    torch.manual_seed(4)
    x, weight, bias = torch.randn(5, 6, 3, 3), torch.randn(7, 6, 3, 3), torch.randn(7)
    wanted = torch.nn.functional.conv2d(x, weight, bias)
    for layout in (torch.contiguous_format, torch.channels_last):
        given = fully_connected(x.contiguous(memory_format=layout), weight, bias)
        assert given.shape == (5, 7, 1, 1) and torch.allclose(given, wanted, atol=1e-4)
