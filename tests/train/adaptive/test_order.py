"""Orders of channels: the most important first, tied by streams, and no change of the answers."""

import pytest
import torch

from hwgen.train.adaptive.network import AdaptiveNetwork
from hwgen.train.adaptive.order import importance, kept_first_orders, reorder
from hwgen.train.adaptive.widths import uniform
from hwgen.train.models import plan_model
from hwgen.train.network import Network, NormalizedConv

PLAN = plan_model("resnet20", (16, 16, 3), 10)


def random_network(seed: int) -> Network:
    """Return a network whose batch norms do something, with factors of both signs."""
    torch.manual_seed(seed)
    network = Network(PLAN).eval()
    with torch.no_grad():
        for node in PLAN.weighted:
            layer = network.layer(node.name)
            if isinstance(layer, NormalizedConv):
                layer.norm.weight.normal_(0, 1)
                layer.norm.bias.normal_(0, 0.5)
                assert layer.norm.running_mean is not None and layer.norm.running_var is not None
                layer.norm.running_mean.normal_(0, 0.5)
                layer.norm.running_var.uniform_(0.5, 2)
    return network


@pytest.mark.promise(
    "channels stand in kept-first order, streams tie orders together, and no answer changes"
)
def test_reordering_and_positive_factors_change_no_answer() -> None:
    network = random_network(1).double()
    x = torch.randn(3, 3, 16, 16, dtype=torch.float64)
    with torch.no_grad():
        before = network(x)
        orders = kept_first_orders(PLAN, importance(network))
        reorder(network, orders)
        assert torch.allclose(network(x), before, rtol=1e-9)
        adaptive = AdaptiveNetwork(
            PLAN,
            uniform(PLAN, [1.0, 0.5]),
            weight_bits=8,
            activation_bits=8,
            range_momentum=0.9,
        )
        adaptive.double().eval().take(network)
        assert torch.allclose(adaptive(x), before, rtol=1e-9)
    assert any(not torch.equal(order, torch.arange(len(order))) for order in orders.values())
    assert all((norm.weight > 0).all() for norm in adaptive.norms())


def test_orders_fall_and_shortcuts_extend_them() -> None:
    values = importance(random_network(2))
    orders = kept_first_orders(PLAN, values)
    inner = values["stage2_block2_conv1"][orders["stage2_block2_conv1"]]
    assert (inner.diff() <= 0).all()
    assert orders["stage2_block1_conv2"][:16].tolist() == orders["conv1"].tolist()
    assert orders["stage3_block1_conv2"][:32].tolist() == orders["stage2_block1_conv2"].tolist()
    added = values["stage2_block1_conv2"][orders["stage2_block1_conv2"][16:]]
    assert (added.diff() <= 0).all()
    assert all(sorted(order.tolist()) == list(range(len(order))) for order in orders.values())


def test_a_channel_that_nothing_makes_or_reads_is_least_important() -> None:
    network = random_network(3)
    name = "stage1_block1_conv1"
    layer = network.layer(name)
    assert isinstance(layer, NormalizedConv)
    with torch.no_grad():
        layer.norm.weight[5] = 0
        network.layer("stage1_block1_conv2").weight[:, 9] = 0
    worst = kept_first_orders(PLAN, importance(network))[name][-2:]
    assert set(worst.tolist()) == {5, 9}
