"""The training of a transformer: its networks, its accuracy.

Tests: `tests/train/transformer/test_train.py`.
"""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from golden.network import predict
from hwgen.files.patience import Ticker
from hwgen.network.file import load_network, save_network
from hwgen.train.loop import say
from hwgen.train.network import Masked
from hwgen.train.run import PhasedRun
from hwgen.train.transformer.export import network_of, quantized_onnx, save_onnx
from hwgen.train.transformer.model import Dense, Transformer

IMAGES_AT_ONCE = 100


class Run(PhasedRun):
    """The training of a transformer; the quantized phase has integer weights."""

    def start(self) -> Transformer:
        """Return the float network before training."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.recipe.seed)
            network = Transformer(
                self.dataset.shape, len(self.dataset.class_names), self.recipe.architecture
            )
        return network.to(self.device)

    def layers(self, network: nn.Module) -> dict[str, Masked]:
        """Return all layers with weights by name, in order."""
        return {name: each for name, each in network.named_modules() if isinstance(each, Dense)}

    def quantize(self, network: nn.Module) -> Transformer:
        """Put the weights of the network on their integer grids."""
        assert isinstance(network, Transformer)
        network.to_grids()
        return network

    def on_grids(self, network: nn.Module) -> bool:
        """Whether a network computes with integer weights."""
        return isinstance(network, Transformer) and network.dense[0].chip.on_grid

    def write(self, network: nn.Module, path: Path) -> None:
        """Write the network file, and beside it what onnxruntime runs."""
        assert isinstance(network, Transformer)
        model = quantized_onnx(network, self.recipe, self.dataset)
        save_onnx(model, path.with_suffix(".onnx"))
        save_network(network_of(model, self.recipe.name, self.dataset), path)

    def integer_accuracy(self, path: Path) -> float:
        """Return the fraction of the test images that the integers get right."""
        network, images, correct = load_network(path), self.dataset.test_images, 0
        with Ticker("test images", say, total=len(images)) as ticker:
            for first in range(0, len(images), IMAGES_AT_ONCE):
                part = slice(first, first + IMAGES_AT_ONCE)
                found = predict(network, images[part])
                correct += int(np.sum(found == self.dataset.test_labels[part]))
                ticker.advance(len(found))
        return correct / len(images)
