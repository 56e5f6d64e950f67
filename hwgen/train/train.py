"""Train, prune, fine-tune, fold, train on the integer grid, export: read it top to bottom."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from hwgen.data import load_dataset
from hwgen.train.budget import fitted
from hwgen.train.own import OwnRecipe, OwnRun
from hwgen.train.parallel import processes, rank, wait_for_all
from hwgen.train.recipe import Common, Recipe
from hwgen.train.report import TrainResult, write_report
from hwgen.train.run import PhasedRun, Run
from hwgen.train.transformer.recipe import TransformerRecipe


def train_network(
    recipe: Recipe | TransformerRecipe | OwnRecipe,
    *,
    data_path: Path | None = None,
    start_path: Path | None = None,
    teacher_path: Path | None = None,
    out: Path,
    seed: int | None = None,
    hours: float | None = None,
    resume: bool = True,
    progress: bool = True,
    **more: Any,
) -> TrainResult:
    """Train `recipe` and write `out/network.npz`, `out/training.json`, `out/checkpoints`.

    A transformer has `out/network.onnx`, too: what onnxruntime runs, to compare with it.

    data_path: folder of the images, unless they are embedded
    start_path: float weights, if the recipe starts from a checkpoint
    teacher_path: float weights of the teacher, if the recipe has one of a checkpoint
    seed: replaces the seed of the recipe
    hours: budget; the epochs of all phases are scaled so that they take about as long
    resume: continue an interrupted run of the same recipe into `out`
    more: what the run of an own module takes beside
    """
    if seed is not None:
        recipe = replace(recipe, seed=seed)
    dataset = load_dataset(recipe.dataset, data_path)
    with (
        torch_settings(recipe),
        processes() as device,
        progress_bars(enabled=progress and rank() == 0) as bars,
    ):

        def run_of(recipe: Recipe | TransformerRecipe | OwnRecipe) -> PhasedRun:
            return kind_of(recipe)(
                recipe,
                dataset,
                start_path,
                teacher_path=teacher_path,
                out=out,
                device=device,
                resume=resume,
                bars=bars,
                **more,
            )

        run = run_of(recipe)
        if hours is not None:
            recipe = fitted(run, recipe, hours, out=out, resume=resume)
            run = run_of(recipe)

        network = run.start()
        run.phase("float", network, recipe.float_phase)
        accuracy_float = run.accuracy(network)
        run.set_teacher(network)

        run.prune_at_first(network)
        run.phase("pruned", network, recipe.pruned_phase)
        accuracy_pruned = run.accuracy(network)

        quantized = run.quantize(network)
        run.phase("quantized", quantized, recipe.quantized_phase)

        network_path = out / "network.npz"
        if rank() == 0:
            run.write(quantized, network_path)
        wait_for_all()
        accuracy_integer = run.integer_accuracy(network_path)

        result = TrainResult(
            accuracy_float=accuracy_float,
            accuracy_pruned=accuracy_pruned,
            accuracy_integer=accuracy_integer,
            network_path=network_path,
            report_path=out / "training.json",
            history=run.history,
            noise_by_pixel=run.noise_by_pixel,
        )
        if rank() == 0:
            write_report(result, recipe, dataset, device=device.type, start_sha256=run.start_digest)
        wait_for_all()
    return result


def kind_of(recipe: Recipe | TransformerRecipe | OwnRecipe) -> type[PhasedRun]:
    """Return what trains a recipe; a transformer needs onnxruntime."""
    if isinstance(recipe, Recipe):
        return Run
    if isinstance(recipe, OwnRecipe):
        return OwnRun
    from hwgen.train.transformer.run import Run as TransformerRun

    return TransformerRun


@contextmanager
def torch_settings(recipe: Common) -> Iterator[None]:
    """Hold the recipe's number of threads, and float32 as it is on GPUs, while training."""
    before = torch.get_num_threads(), torch.backends.cudnn.allow_tf32
    torch.set_num_threads(recipe.threads)
    torch.backends.cudnn.allow_tf32 = False  # ten bits of mantissa hold no grid of 16 bits
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        torch.backends.cudnn.allow_tf32 = before[1]


@contextmanager
def progress_bars(*, enabled: bool) -> Iterator[Progress]:
    """Show a bar for each phase."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TextColumn("epochs"), TimeElapsedColumn(), disable=not enabled) as bars:
        yield bars
