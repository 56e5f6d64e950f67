"""From trained float parameters on integer grids to the quantized network file."""

import numpy as np
import torch
from numpy.typing import NDArray

from hwgen import network as net
from hwgen.data import Dataset
from hwgen.train.chip_weights import WEIGHT_BITS
from hwgen.train.export_integers import export_weights, function_table
from hwgen.train.export_layers import export_layer, output_map, whole_byte_map
from hwgen.train.network import QuantizedTraining
from hwgen.train.recipe import Recipe


@torch.no_grad()
def export_network(
    network: QuantizedTraining, recipe: Recipe, dataset: Dataset
) -> net.QuantizedNetwork:
    """Return the integers of a trained network; its thresholds are recomputed first."""
    network = network.cpu().eval()
    network.renew_thresholds()
    image = whole_byte_map(dataset.shape, recipe.input_scale, recipe.input_zero_point)
    maps: dict[str, net.FeatureMap] = {net.INPUT: image}
    layers: list[net.Layer] = []
    parameters: dict[str, net.Parameters] = {}
    tables: dict[str, NDArray[np.uint8]] = {}
    for node in network.plan.nodes:
        sources = [maps[name] for name in node.inputs]
        output = output_map(network, node, sources[0])
        maps[node.name] = output
        bits = network.conv(node.name).digits.bits if node.weighted else WEIGHT_BITS
        layers.append(export_layer(node, sources, output, weight_bits=bits))
        if node.weighted:
            parameters[node.name] = export_weights(network, node, sources[0], output)
        if node.op == "table":
            tables[node.name] = function_table(node.function, sources[0], output)
    graph = net.Graph(
        format="hwgen.network",
        version=net.VERSION,
        name=recipe.name,
        dataset=dataset.name,
        class_names=list(dataset.class_names),
        preprocessing=dataset.preprocessing,
        input=image,
        modes=net.ONE_MODE,
        layers=layers,
        outputs=(layers[-1].name,),
    )
    return net.QuantizedNetwork(graph=graph, parameters=parameters, tables=tables)
