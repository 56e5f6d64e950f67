"""The training that prunes and approximates: its networks, its updates, its accuracy."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn

from hwgen.data import Dataset
from hwgen.network.file import load_network, save_network
from hwgen.network.pruning import file_of_rule
from hwgen.train.cell_noise import ErringCells, layers_by_pixel
from hwgen.train.export import export_network
from hwgen.train.integer import integer_accuracy
from hwgen.train.loop import Loop
from hwgen.train.models import plan_model
from hwgen.train.network import Masked, Network, QuantizedTraining, fold
from hwgen.train.prune import grown, prune_layers
from hwgen.train.recipe import PHASES, InPhases, Phase, Recipe
from hwgen.train.start import load_start


class PhasedRun(Loop):
    """Float, pruned and quantized phase of one recipe, of networks of any kind."""

    recipe: Any

    def __init__(
        self, recipe: InPhases, dataset: Dataset, start_path: Path | None, **options: Any
    ) -> None:
        """Take what `Loop` takes beside."""
        self.recipe = recipe
        rule = {"pruning.rule": file_of_rule(self.recipe.pruning.rule)}
        super().__init__(recipe, dataset, start_path, phases=PHASES, beside=rule, **options)

    def start(self) -> nn.Module:
        """Return the float network before training."""
        raise NotImplementedError

    def layers(self, network: nn.Module) -> dict[str, Masked]:
        """Return the layers that are pruned by name, in order."""
        raise NotImplementedError

    def quantize(self, network: nn.Module) -> nn.Module:
        """Return a network on integer grids, of the one in float."""
        raise NotImplementedError

    def write(self, network: nn.Module, path: Path) -> None:
        """Write the network file of a network on integer grids, by the first process."""
        raise NotImplementedError

    def integer_accuracy(self, path: Path) -> float:
        """Return the accuracy of the quantized network file, read back, on the test images."""
        raise NotImplementedError

    rule = "mode"
    """By which filters get their digits."""
    noise_by_pixel: list[str] | None = None
    """Layers that are trained with cells of their own for each pixel; None: no noise."""

    def trials(self) -> Iterator[tuple[str, Phase, nn.Module]]:
        """Yield each phase with a network of its kind, to time it."""
        network = self.start()
        self.prune(network)
        for name, phase in self.recipe.schedule.items():
            yield name, phase, self.quantize(network) if name == "quantized" else network

    def prune(self, network: nn.Module, done: float = 1.0) -> None:
        """Mask the weakest blocks; done: part of the time in which the share grows."""
        layers = self.layers(network)
        prune_layers(layers, self.recipe.pruning, rule=self.rule, part=grown(done))

    def prune_at_first(self, network: nn.Module) -> None:
        """Mask what is masked before the first batch of the pruned phase."""
        grows = self.recipe.pruning.over and self.recipe.pruned_phase.epochs
        self.prune(network, 0.0 if grows else 1.0)

    def begin_epoch(self, network: nn.Module, name: str, epoch: int) -> None:
        """Mask more, and recompute the thresholds."""
        over = self.recipe.pruning.over * self.recipe.pruned_phase.epochs
        if name == "pruned" and over and epoch < over:
            self.prune(network, (epoch + 1) / over)
        if self.on_grids(network):
            self.renew(network)

    def renew(self, network: Any) -> None:
        """Recompute the digits of filters."""
        network.renew_thresholds()


class Run(PhasedRun):
    """The training of a plan."""

    def __init__(
        self, recipe: Recipe, dataset: Dataset, start_path: Path | None, **options: Any
    ) -> None:
        self.plan = plan_model(
            recipe.model, dataset.shape, len(dataset.class_names), width=recipe.width
        )
        self.rule = recipe.quantization.rule
        if recipe.noise is not None:
            self.noise_by_pixel = layers_by_pixel(self.plan, recipe.noise)
        super().__init__(recipe, dataset, start_path, **options)

    def start(self) -> Network:
        """Return the float network before training."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.recipe.seed)
            network = Network(self.plan)
        if self.start_path is not None:
            assert self.recipe.start is not None
            load_start(network, self.start_path, self.recipe.start, self.recipe)
        return network.to(self.device)

    def layers(self, network: nn.Module) -> dict[str, Masked]:
        """Return the layers that are pruned by name, in order."""
        assert isinstance(network, Network)
        return {node.name: network.layer(node.name) for node in self.plan.sparse}

    def quantize(self, network: nn.Module) -> QuantizedTraining:
        """Return the folded network on integer grids."""
        assert isinstance(network, Network)
        quantization = self.recipe.quantization
        quantized = QuantizedTraining(
            self.plan,
            rule=quantization.rule,
            momentum=quantization.range_momentum,
            step=quantization.step,
        )
        fold(network, quantized)
        return quantized.to(self.device)

    def write(self, network: nn.Module, path: Path) -> None:
        """Write the network file."""
        assert isinstance(network, QuantizedTraining)
        save_network(export_network(network, self.recipe, self.dataset), path)

    def draw_from(self, random: torch.Generator, network: nn.Module) -> None:
        """Give weights on their grids the errors of the recipe's devices."""
        noise = self.recipe.noise
        if noise is not None and isinstance(network, QuantizedTraining):
            zero = self.recipe.input_zero_point * self.recipe.input_scale
            network.err_by(ErringCells(noise, random), image_zero=zero)

    def on_grids(self, network: nn.Module) -> bool:
        """Whether a network computes on its integer grids."""
        return isinstance(network, QuantizedTraining)

    def integer_accuracy(self, path: Path) -> float:
        """Return the accuracy of the quantized network file, read back, on the test images."""
        return integer_accuracy(load_network(path), self.test_images, self.test_labels)
