"""Train the base, choose the widths, train all sub-nets, export: read it top to bottom."""

from dataclasses import replace
from pathlib import Path

from hwgen.data import Dataset, load_dataset
from hwgen.network.file import save_network
from hwgen.train.adaptive.agreement import Agreement, agreements, check_modes
from hwgen.train.adaptive.export import export_adaptive
from hwgen.train.adaptive.network import AdaptiveNetwork
from hwgen.train.adaptive.paths import chosen_table
from hwgen.train.adaptive.recipe import AdaptiveRecipe
from hwgen.train.adaptive.report import (
    AdaptiveResult,
    ModeResult,
    mode_result,
    write_adaptive_report,
)
from hwgen.train.adaptive.run import AdaptiveRun
from hwgen.train.budget import fitted
from hwgen.train.integer import classes_of
from hwgen.train.parallel import part_of, processes, rank, total, wait_for_all
from hwgen.train.train import progress_bars, torch_settings


def train_adaptive(
    recipe: AdaptiveRecipe,
    *,
    recipe_folder: Path = Path(),
    data_path: Path | None = None,
    start_path: Path | None = None,
    teacher_path: Path | None = None,
    out: Path,
    seed: int | None = None,
    hours: float | None = None,
    resume: bool = True,
    progress: bool = True,
) -> AdaptiveResult:
    """Train `recipe` and write `out/network.npz`, `out/training.json`, `out/checkpoints`.

    With individual weights there is a file for each mode, such as `out/network_0.25x.npz`.

    recipe_folder: where the recipe's staircase is looked up
    data_path: folder of the images, unless they are embedded
    start_path: float weights of the base, if the recipe starts from a checkpoint
    teacher_path: float weights of the teacher, if the recipe has one beside the base
    seed: replaces the seed of the recipe
    hours: budget; the epochs of all phases are scaled so that they take about as long
    resume: continue an interrupted run of the same recipe into `out`
    """
    if seed is not None:
        recipe = replace(recipe, seed=seed)
    dataset = load_dataset(recipe.dataset, data_path)
    with (
        torch_settings(recipe),
        processes() as device,
        progress_bars(enabled=progress and rank() == 0) as bars,
    ):

        def run_of(recipe: AdaptiveRecipe) -> AdaptiveRun:
            return AdaptiveRun(
                recipe,
                dataset,
                start_path,
                teacher_path=teacher_path,
                recipe_folder=recipe_folder,
                out=out,
                device=device,
                resume=resume,
                bars=bars,
            )

        run = run_of(recipe)
        if hours is not None:
            recipe = fitted(run, recipe, hours, out=out, resume=resume)
            run = run_of(recipe)
        base = run.base()
        accuracy_base = run.accuracy(base)
        run.set_teacher(base)
        table = chosen_table(run, base)
        modes: dict[Path, list[ModeResult]] = {}
        found: list[Agreement] = []
        for name, plan, widths in run.networks(table):
            network = run.adaptive(plan, widths, base)
            before = run.train(network, prefix=f"{name}_" if name else "")
            path = out / (f"network_{name}.npz" if name else "network.npz")
            modes[path], seen = export_and_measure(run, network, before, dataset, path)
            found += seen
        result = AdaptiveResult(
            accuracy_base=accuracy_base,
            modes=[each for results in modes.values() for each in results],
            agreements=found,
            network_paths=list(modes),
            report_path=out / "training.json",
            history=run.history,
        )
        if rank() == 0:
            write_adaptive_report(
                result, recipe, dataset, device=device.type, start_sha256=run.start_digest
            )
        wait_for_all()
    return result


def export_and_measure(
    run: AdaptiveRun,
    network: AdaptiveNetwork,
    before: dict[str, float],
    dataset: Dataset,
    path: Path,
) -> tuple[list[ModeResult], list[Agreement]]:
    """Measure every mode in integers, and write the network file unless modes are one network."""
    exported = export_adaptive(network, run.recipe, dataset)
    images, labels = part_of(run.test_images), part_of(run.test_labels)
    classes = [classes_of(exported, images, mode=mode) for mode in range(len(before))]
    found = agreements(exported, images, classes)
    check_modes(found, source=f"recipe {run.recipe.name}, after training")
    if rank() == 0:
        save_network(exported, path)
    wait_for_all()
    results = [
        mode_result(
            network.plan,
            network.table,
            mode,
            accuracy_float=before[name],
            accuracy_integer=int(total((classes[mode] == labels).sum())) / len(run.test_labels),
        )
        for mode, name in enumerate(network.table.modes)
    ]
    return results, found
