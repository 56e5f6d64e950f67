"""The training that prunes and approximates: its networks, its updates, its accuracy."""

from collections.abc import Iterator
from pathlib import Path

import torch
from rich.progress import Progress
from torch import nn

from hwgen.data import Dataset
from hwgen.network.file import load_network
from hwgen.train.cell_noise import ErringCells
from hwgen.train.integer import integer_accuracy
from hwgen.train.loop import Loop
from hwgen.train.models import plan_model
from hwgen.train.network import Network, QuantizedTraining, fold
from hwgen.train.prune import beside, prune
from hwgen.train.recipe import PHASES, Phase, Recipe
from hwgen.train.start import load_start


class Run(Loop):
    """Float, pruned and quantized phase of one recipe."""

    def __init__(
        self,
        recipe: Recipe,
        dataset: Dataset,
        start_path: Path | None,
        *,
        out: Path,
        device: torch.device,
        resume: bool,
        bars: Progress,
    ) -> None:
        self.plan = plan_model(
            recipe.model, dataset.shape, len(dataset.class_names), width=recipe.width
        )
        super().__init__(
            recipe,
            dataset,
            start_path,
            phases=PHASES,
            beside=beside(recipe.pruning),
            out=out,
            device=device,
            resume=resume,
            bars=bars,
        )
        self.recipe = recipe

    def start(self) -> Network:
        """Return the float network before training."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.recipe.seed)
            network = Network(self.plan)
        if self.start_path is not None:
            assert self.recipe.start is not None
            load_start(network, self.start_path, self.recipe.start, self.recipe)
        return network.to(self.device)

    def trials(self) -> Iterator[tuple[str, Phase, nn.Module]]:
        """Yield each phase with a network of its kind, to time it."""
        network = self.start()
        prune(network, self.recipe)
        for name, phase in self.recipe.schedule.items():
            yield name, phase, self.quantize(network) if name == "quantized" else network

    def quantize(self, network: Network) -> QuantizedTraining:
        """Return the folded network on integer grids."""
        quantization = self.recipe.quantization
        quantized = QuantizedTraining(
            self.plan,
            rule=quantization.rule,
            momentum=quantization.range_momentum,
            step=quantization.step,
        )
        fold(network, quantized)
        return quantized.to(self.device)

    def begin_epoch(self, network: nn.Module) -> None:
        """Recompute the thresholds."""
        if isinstance(network, QuantizedTraining):
            network.renew_thresholds()

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
