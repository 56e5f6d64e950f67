"""The networks that ship have the sizes of the published ones."""

import math

import pytest

from hwgen.crossbar.compiler import ZOO, shipped_network
from hwgen.crossbar.facts.network import CrossbarLayer, CrossbarNetwork

SIDE, CELLS_PER_WEIGHT = 256, 8
"""Crossbar of 256 x 256 cells of 2 bits, weights of 16."""


def crossbar_set(layer: CrossbarLayer) -> int:
    """Return the crossbars for one copy of the weights (Eq. 1)."""
    rows = math.ceil(layer.kernel**2 * layer.in_channels / SIDE)
    return rows * math.ceil(layer.out_channels / SIDE) * CELLS_PER_WEIGHT


def sets(network: CrossbarNetwork, kind: str) -> list[int]:
    return [crossbar_set(layer) for layer in network.layers if layer.kind == kind]


def weights(network: CrossbarNetwork) -> int:
    return sum(
        layer.kernel**2 * layer.in_channels // layer.groups * layer.out_channels
        for layer in network.layers
        if layer.has_weights
    )


def test_alexnet_is_that_of_the_reference_points() -> None:
    network = shipped_network("alexnet")
    assert sets(network, "conv") == [16, 56, 112, 112, 72]
    assert sets(network, "fc") == [4608, 2048, 512]
    assert [layer.name for layer in network.layers] == [
        "/features/features.0/Conv_output_0",
        "/features/features.2/MaxPool_output_0",
        "/features/features.3/Conv_output_0",
        "/features/features.5/MaxPool_output_0",
        "/features/features.6/Conv_output_0",
        "/features/features.8/Conv_output_0",
        "/features/features.10/Conv_output_0",
        "/features/features.12/MaxPool_output_0",
        "/avgpool/AveragePool_output_0",
        "/classifier/classifier.1/Gemm_output_0",
        "/classifier/classifier.4/Gemm_output_0",
        "36",
    ]
    assert [layer.providers for layer in network.layers] == [(), *((n,) for n in range(11))]
    assert [layer.out_side for layer in network.layers] == [
        55,
        27,
        27,
        13,
        13,
        13,
        13,
        6,
        6,
        1,
        1,
        1,
    ]
    assert [layer.activation for layer in network.layers if layer.has_weights] == [
        *["relu"] * 7,
        "none",
    ]


# Multiplications for one image and weights without biases, as the networks are known for.
KNOWN = {
    "alexnet": (714_188_480, 61_090_496),
    "vgg13": (11_308_466_176, 133_035_712),
    "vgg16": (15_470_264_320, 138_344_128),
    "msra": (19_051_814_912, 171_710_240),
    "resnet18": (1_814_073_344, 11_678_912),
    "cifar_alexnet": (62_742_528, 23_262_912),
    "cifar_vgg16": (313_201_664, 14_715_584),
    "cifar_resnet18": (555_422_720, 11_164_352),
}


@pytest.mark.promise(
    "what a crossbar accelerator does not run of a graph is one sentence; the rest is read"
)
@pytest.mark.parametrize("name", ZOO)
def test_multiplications_and_weights(name: str) -> None:
    network = shipped_network(name)
    assert (network.operations // 2, weights(network)) == KNOWN[name]


@pytest.mark.parametrize("name", ZOO)
def test_only_the_published_fused_files_are_marked(name: str) -> None:
    assert shipped_network(name).fused_activations == (name in ("alexnet", "resnet18"))


def test_vgg16_has_nothing_between_its_last_stage_and_the_classifier() -> None:
    """The published tool's file has no adaptive pooling over single pixels."""
    network = shipped_network("vgg16")
    assert not [layer.name for layer in network.layers if layer.kernel == 1 and layer.average]
    reader = next(layer for layer in network.layers if layer.kind == "fc")
    (last,) = (network.layers[place] for place in reader.providers)
    assert last.name == "/features/features.30/MaxPool_output_0"
    assert reader.in_channels == 512 * last.pixels == 25088


def test_msra_pools_a_pyramid_of_60_positions() -> None:
    network = shipped_network("msra")
    pyramid = [layer for layer in network.layers if layer.kind == "pool"][-4:]
    assert [layer.out_side for layer in pyramid] == [7, 3, 1, 1]
    reader = next(layer for layer in network.layers if layer.kind == "fc")
    assert [network.layers[place] for place in reader.providers] == pyramid
    assert reader.in_channels == 512 * sum(layer.pixels for layer in pyramid) == 30720
    assert sum(layer.has_weights for layer in network.layers) == 19


def test_resnet18_adds_what_jumps_over_two_convolutions() -> None:
    network = shipped_network("resnet18")
    names = [layer.name for layer in network.layers]
    first = names.index("/layer2/layer2.0/conv1/Conv_output_0")
    block = network.layers[first : first + 4]
    before = first - 1
    assert [(layer.kind, layer.kernel, layer.stride) for layer in block] == [
        ("conv", 3, 2),
        ("conv", 3, 1),
        ("conv", 1, 2),
        ("eltwise", 1, 1),
    ]
    assert [layer.providers for layer in block] == [
        (before,),
        (first,),
        (before,),
        (first + 1, first + 2),
    ]
    assert [layer.activation for layer in block] == ["relu", "none", "none", "relu"]
    assert sum(layer.kind == "conv" for layer in network.layers) == 20
