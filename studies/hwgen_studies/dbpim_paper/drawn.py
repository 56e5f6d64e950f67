"""Networks with drawn weights: the layers, masks and digits of a recipe without its training."""

import torch

from hwgen.data import Dataset
from hwgen.network import QuantizedNetwork
from hwgen.train.export import export_network
from hwgen.train.models import plan_model
from hwgen.train.network import Network, QuantizedTraining, fold
from hwgen.train.prune import block_mask, block_sizes
from hwgen.train.recipe import Recipe

NORM_MEAN, NORM_STD = 0.3, 0.5
"""Of the parameters of batch norm: some maps are mostly zero after ReLU, others are not."""


@torch.no_grad()
def drawn_network(recipe: Recipe, dataset: Dataset, *, seed: int) -> QuantizedNetwork:
    """Return the network of a recipe with drawn weights, its blocks pruned, its digits few.

    Ranges of maps are those of the training images of `dataset`.
    """
    torch.manual_seed(seed)
    plan = plan_model(recipe.model, dataset.shape, len(dataset.class_names), width=recipe.width)
    network = Network(plan)
    for parameter in network.parameters():
        if parameter.dim() == 1:
            torch.nn.init.normal_(parameter, NORM_MEAN, NORM_STD)
    images = torch.tensor(dataset.train_images).permute(0, 3, 1, 2).float()
    images = (images - recipe.input_zero_point) * recipe.input_scale
    network.train()(images)
    rules = recipe.quantization
    for node in plan.sparse:
        layer = network.layer(node.name)
        sizes = block_sizes(layer.weight, recipe.pruning, rules.rule)
        layer.chip.prune(block_mask(layer.original, recipe.pruning.share, sizes))
    quantized = QuantizedTraining(
        plan, rule=rules.rule, momentum=rules.range_momentum, step=rules.step
    )
    fold(network, quantized)
    quantized.renew_thresholds()
    quantized.train()(images)
    return export_network(quantized, recipe, dataset)
