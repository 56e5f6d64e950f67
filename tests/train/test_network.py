"""Models have the shapes they promise, and folding changes nothing."""

from dataclasses import replace

import pytest
import torch

from hwgen.errors import ConfigError
from hwgen.train.models import plan_model
from hwgen.train.network import Network, QuantizedTraining, fold

SHAPES = [
    ("small_cnn", (8, 8, 1), 1.0),
    ("small_cnn", (28, 28, 1), 1.0),
    ("resnet20", (8, 8, 1), 1.0),
    ("resnet20", (32, 32, 3), 1.0),
    ("alexnet", (32, 32, 3), 1 / 16),
    ("vgg19", (32, 32, 3), 1 / 16),
    ("resnet18", (16, 16, 3), 1 / 8),
    ("mobilenetv2", (16, 16, 3), 1 / 4),
    ("efficientnetb0", (16, 16, 3), 1 / 4),
]


def trained_a_little(name: str, shape: tuple[int, int, int], width: float) -> Network:
    """Return a network with running statistics, gains and biases that are not trivial."""
    torch.manual_seed(0)
    network = Network(plan_model(name, shape, 10, width=width))
    for parameter in network.parameters():
        if parameter.dim() == 1:
            torch.nn.init.normal_(parameter, 0.5)
    height, width, channels = shape
    network.train()(torch.randn(16, channels, height, width))
    return network.eval()


@pytest.mark.promise("folding batch norm changes nothing")
@pytest.mark.parametrize(("name", "shape", "width"), SHAPES)
def test_folding_is_exact(name: str, shape: tuple[int, int, int], width: float) -> None:
    network = trained_a_little(name, shape, width).double()
    for node in network.plan.weighted[::2]:
        layer = network.layer(node.name)
        layer.chip.prune(torch.rand(layer.chip.mask.shape) < 0.5)
    quantized = QuantizedTraining(network.plan, rule="mode", momentum=0.9).double()
    fold(network, quantized)
    plain = FoldedFloat(quantized).eval()
    height, width, channels = shape
    images = torch.randn(4, channels, height, width, dtype=torch.float64)
    with torch.no_grad():
        expected, folded = network(images), plain(images)
    assert torch.allclose(folded, expected, rtol=1e-9, atol=1e-9)
    assert float(expected.std()) > 0.01


class FoldedFloat(Network):
    """The folded network without its integer grids."""

    def __init__(self, quantized: QuantizedTraining) -> None:
        super().__init__(quantized.plan)
        for node in self.plan.weighted:
            conv = quantized.conv(node.name)
            self.weighted[node.name] = torch.nn.Conv2d(
                self.fan_in(node),
                node.channels,
                node.kernel,
                node.stride,
                node.padding,
                groups=node.groups,
            ).double()
            torch.nn.utils.vector_to_parameters(
                torch.cat([conv.kept().flatten(), conv.bias]).detach(),
                self.weighted[node.name].parameters(),
            )


def test_relu6_clips_at_six() -> None:
    network = Network(plan_model("mobilenetv2", (16, 16, 3), 10, width=0.25))
    node = network.plan.nodes[0]
    x = torch.tensor([-1.0, 5.0, 7.0])
    assert network.finish(node, x).tolist() == [0.0, 5.0, 6.0]
    assert network.finish(replace(node, clip="relu"), x).tolist() == [0.0, 5.0, 7.0]
    assert network.finish(replace(node, clip="none"), x).tolist() == x.tolist()


@pytest.mark.promise("the networks have the published numbers of weights and multiplications")
def test_resnet20_is_the_genuine_one() -> None:
    network = Network(plan_model("resnet20", (32, 32, 3), 10))
    assert sum(parameter.numel() for parameter in network.parameters()) == 269722
    convolutions = [node for node in network.plan.nodes if node.op == "conv"]
    assert len(convolutions) == 19
    assert [node.channels for node in convolutions] == [16] * 7 + [32] * 6 + [64] * 6


def test_small_cnn_has_every_layer_of_the_chip() -> None:
    plan = plan_model("small_cnn", (8, 8, 1), 10)
    assert {node.op for node in plan.nodes} >= {
        "conv", "linear", "add", "max_pool", "average_pool"
    }  # fmt: skip
    assert any(node.stride == 2 for node in plan.nodes if node.op == "conv")
    tails = [node.channels % 8 for node in plan.weighted]
    assert sum(tail > 0 for tail in tails) == 3


def test_images_of_another_size_are_one_sentence() -> None:
    with pytest.raises(ConfigError, match="images must be square with a side that is a multiple"):
        plan_model("resnet20", (30, 30, 3), 10)
