"""Channels cut out of a trained network: what the others compute stays."""

import pytest
import torch
from hwgen_studies.dbpim_paper.narrower import RECIPE, cut, kept_streams

from hwgen.train.models import plan_model
from hwgen.train.network import Network
from hwgen.train.recipe import load_recipe

IMAGE = (32, 32, 3)


def network(width: float) -> Network:
    """Return a ResNet20 in evaluation whose batch norms have drawn factors and statistics."""
    torch.manual_seed(1)
    made = Network(plan_model("resnet20", IMAGE, 10, width=width)).eval()
    with torch.no_grad():
        for node in made.plan.weighted[:-1]:
            for name, tensor in made.layer(node.name).state_dict().items():
                if name.startswith("norm") and tensor.ndim:
                    tensor.copy_(torch.rand_like(tensor) / 2 + 0.5)
    return made


@pytest.mark.promise(
    "a narrower dense network begins with the channels of a trained one that weigh most"
)
def test_channels_that_are_zero_are_cut_out() -> None:
    """A wide network whose weak channels are zero computes what its narrow one does."""
    recipe = load_recipe(RECIPE)
    wide, narrow = network(1.0), network(recipe.width)
    streams = kept_streams(wide, narrow)
    for node in wide.plan.weighted[:-1]:
        layer = wide.layer(node.name)
        state = layer.state_dict()
        few = narrow.layer(node.name).original.shape[0]
        if node.name.endswith("_conv1"):
            kept = state["norm.weight"].topk(few).indices
        else:
            kept = streams[1 if node.name == "conv1" else int(node.name[5])]
        with torch.no_grad():
            dropped = [each for each in range(len(state["norm.weight"])) if each not in kept]
            state["norm.weight"][dropped] = 0
            state["norm.bias"][dropped] = 0
    images = torch.rand(2, 3, 32, 32)
    expected = wide(images)
    before = narrow(images)
    cut(wide, narrow)
    torch.testing.assert_close(narrow(images), expected, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(before, expected, rtol=1e-2)


def test_the_products_that_are_left() -> None:
    """45 % of ResNet20's, as many as a network with half of its blocks pruned has."""

    def products(width: float) -> int:
        plan = plan_model("resnet20", IMAGE, 10, width=width)
        sides = {16: 32, 32: 16, 64: 8, 8: 32, 24: 16, 48: 8, 10: 1}
        return sum(
            node.channels
            * plan.channels(node.inputs[0])
            * node.kernel**2
            * sides[node.channels] ** 2
            for node in plan.weighted
            if node.op == "conv"
        )

    recipe = load_recipe(RECIPE)
    assert recipe.pruning.share == 0 and recipe.quantization.rule == "int8"
    assert products(recipe.width) / products(1.0) == pytest.approx(0.45, abs=0.01)
