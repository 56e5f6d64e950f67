"""Train a channel-adaptive network: phase by phase, then the integers of every mode."""

from dataclasses import replace
from pathlib import Path

from hwgen.data import load_dataset
from hwgen.train.adaptive.network import AdaptiveNetwork
from hwgen.train.adaptive.recipe import AdaptiveRecipe
from hwgen.train.adaptive.run import AdaptiveRun
from hwgen.train.parallel import processes, rank
from hwgen.train.train import progress_bars, torch_settings


def train_adaptive(
    recipe: AdaptiveRecipe,
    *,
    data_path: Path | None = None,
    start_path: Path | None = None,
    teacher_path: Path | None = None,
    out: Path,
    seed: int | None = None,
    resume: bool = True,
    progress: bool = True,
) -> AdaptiveNetwork:
    """Train `recipe` and write its checkpoints into `out`."""
    if seed is not None:
        recipe = replace(recipe, seed=seed)
    dataset = load_dataset(recipe.dataset, data_path)
    with (
        torch_settings(recipe),
        processes() as device,
        progress_bars(enabled=progress and rank() == 0) as bars,
    ):
        run = AdaptiveRun(
            recipe,
            dataset,
            start_path,
            teacher_path,
            out=out,
            device=device,
            resume=resume,
            bars=bars,
        )
        network = run.start()
        for phase in recipe.phases:
            run.phase(phase.name, network, phase)
            network.quantized = phase.quantized
            print(phase.name, [run.accuracy(network, mode) for mode in range(len(run.table.modes))])
    return network
