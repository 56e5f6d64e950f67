"""The training of a transformer: its networks, its updates, its accuracy.

Tests: `tests/train/transformer/test_train.py`.
"""

from collections.abc import Iterator
from pathlib import Path

import torch
from rich.progress import Progress
from torch import nn

from hwgen.data import Dataset
from hwgen.train.loop import Loop
from hwgen.train.prune import beside, prune_layers
from hwgen.train.recipe import PHASES, Phase
from hwgen.train.transformer.model import Transformer
from hwgen.train.transformer.recipe import TransformerRecipe


class Run(Loop):
    """Float, pruned and quantized phase of one recipe; the last has integer weights."""

    def __init__(
        self,
        recipe: TransformerRecipe,
        dataset: Dataset,
        start_path: Path | None,
        *,
        out: Path,
        device: torch.device,
        resume: bool,
        bars: Progress,
    ) -> None:
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

    def start(self) -> Transformer:
        """Return the float network before training."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.recipe.seed)
            network = Transformer(
                self.dataset.shape, len(self.dataset.class_names), self.recipe.architecture
            )
        return network.to(self.device)

    def trials(self) -> Iterator[tuple[str, Phase, nn.Module]]:
        """Yield each phase with a network of its kind, to time it."""
        network = self.start()
        prune_layers(network.dense, self.recipe.pruning)
        for name, phase in self.recipe.schedule.items():
            if name == "quantized":
                network.to_grids()
            yield name, phase, network

    def begin_epoch(self, network: nn.Module) -> None:
        """Recompute the digits of filters."""
        assert isinstance(network, Transformer)
        if self.on_grids(network):
            network.renew_thresholds()

    def on_grids(self, network: nn.Module) -> bool:
        """Whether a network computes with integer weights."""
        return isinstance(network, Transformer) and network.dense[0].chip.on_grid
