"""Models that no one here wrote: those that ship inside the onnx package, without weights."""

from pathlib import Path

import onnx
import pytest

from tests.onnx_graphs import read_onnx

FOLDER = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"

# Multiplications for one image in thousands, convolutions, fully connected layers, poolings,
# additions. The multiplications of AlexNet, DenseNet, ResNet, SqueezeNet and VGG are known from
# elsewhere for the same shapes; the others hold what the reader computes.
KNOWN = {
    "light_bvlc_alexnet": (654_560, 5, 3, 3, 0),
    "light_densenet121": (2_834_162, 121, 0, 5, 0),
    "light_inception_v1": (1_431_556, 57, 1, 14, 0),
    "light_inception_v2": (2_018_852, 69, 1, 13, 0),
    "light_resnet50": (4_089_184, 53, 1, 2, 16),
    "light_shufflenet": (124_665, 49, 1, 5, 13),
    "light_squeezenet": (349_152, 26, 0, 4, 0),
    "light_vgg19": (19_632_062, 16, 3, 5, 0),
    "light_zfnet512": (1_481_727, 5, 3, 3, 0),
}


def test_every_light_model_is_here() -> None:
    assert {path.stem for path in FOLDER.glob("*.onnx")} == set(KNOWN)


@pytest.mark.promise(
    "what a crossbar accelerator does not run of a graph is one sentence; the rest is read"
)
@pytest.mark.parametrize("name", KNOWN)
def test_light_models_load(name: str) -> None:
    path = FOLDER / f"{name}.onnx"
    before = path.read_bytes()
    network = read_onnx(path)
    kinds = [layer.kind for layer in network.layers]
    counts = tuple(kinds.count(kind) for kind in ("conv", "fc", "pool", "eltwise"))
    assert (round(network.operations / 2000), *counts) == KNOWN[name]
    assert (network.name, network.input_channels, network.input_side) == (name, 3, 224)
    assert path.read_bytes() == before


def test_shufflenet_is_grouped_and_depthwise() -> None:
    layers = read_onnx(FOLDER / "light_shufflenet.onnx").layers
    groups = [layer.groups for layer in layers if layer.kind == "conv"]
    depthwise = [layer for layer in layers if 1 < layer.groups == layer.in_channels]
    assert len(depthwise) == 16
    assert set(groups) > {1, 4}


def test_densenet_reads_all_layers_of_a_block() -> None:
    layers = read_onnx(FOLDER / "light_densenet121.onnx").layers
    widest = max(layers, key=lambda layer: len(layer.providers))
    assert widest.in_channels == sum(layers[place].out_channels for place in widest.providers)
    assert len(widest.providers) == 25
