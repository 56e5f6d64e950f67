"""`hwgen train`: train a recipe, unless it is cached, and write the quantized network files."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from hwgen.commands.context import Context
from hwgen.commands.digests import digest_of, digest_of_array, digest_of_file
from hwgen.commands.load import load
from hwgen.files import shipped
from hwgen.files.load import read_mapping
from hwgen.files.output import write_text
from hwgen.network.file import load_network
from hwgen.report.types import Source
from hwgen.report.work import Accuracy, AdaptiveTrainReport, ModeAccuracy, TrainReport

NETWORK = "network.npz"
ADAPTIVE_FORMAT = "hwgen.adaptive_recipe"
TRAINING = "training.json"
DIGESTS = "digests.json"
"""Written last: a folder that holds it holds a finished training, of files with these digests."""


def train_recipe(
    context: Context,
    recipe_file: Path,
    *,
    data: Path | None = None,
    start: Path | None = None,
    seed: int | None = None,
    hours: float | None = None,
    out: Path | None = None,
    resume: bool = True,
) -> TrainReport:
    """Train a recipe, or return the cached result; an interrupted training resumes.

    hours: budget that the epochs of the recipe are scaled to
    out: folder to write; None: one in the work folder, named by recipe, images and training version

    Under `torchrun` every process calls it with one folder that all of them see.
    """
    recipe = load("hwgen.train.recipe").load_recipe(shipped.recipe_file(recipe_file))
    if seed is not None:
        recipe = replace(recipe, seed=seed)
    folder = (
        out
        or context.work / "train" / f"{recipe.name}-{identity(recipe, data, start, hours=hours)}"
    )
    reused = resume and out is None and is_whole(context, folder)
    if not reused:
        load("hwgen.train.train").train_network(
            recipe,
            data_path=data,
            start_path=start,
            hours=hours,
            out=folder,
            resume=resume,
            progress=context.visible,
        )
        mark_whole(folder)
    about = json.loads((folder / TRAINING).read_text(encoding="utf-8"))
    return TrainReport(
        format="hwgen.report.train",
        version=1,
        recipe=recipe.name,
        network=source_of(folder / NETWORK),
        accuracy=Accuracy(**about["accuracy"]),
        reused=reused,
        training=about,
    )


def train_adaptive_recipe(
    context: Context,
    recipe_file: Path,
    *,
    data: Path | None = None,
    start: Path | None = None,
    teacher: Path | None = None,
    seed: int | None = None,
    hours: float | None = None,
    out: Path | None = None,
    resume: bool = True,
) -> AdaptiveTrainReport:
    """Train a channel-adaptive recipe, or return the cached result, as `train_recipe` does."""
    recipe_file = shipped.recipe_file(recipe_file)
    recipe = load("hwgen.train.adaptive.recipe").load_adaptive_recipe(recipe_file)
    if seed is not None:
        recipe = replace(recipe, seed=seed)
    staircase = recipe.staircase_in(recipe_file.parent)
    beside = [path for path in (teacher, staircase) if path is not None]
    name = f"{recipe.name}-{identity(recipe, data, start, beside, hours=hours)}"
    folder = out or context.work / "train" / name
    reused = resume and out is None and is_whole(context, folder)
    if not reused:
        load("hwgen.train.adaptive.train").train_adaptive(
            recipe,
            recipe_folder=recipe_file.parent,
            data_path=data,
            start_path=start,
            teacher_path=teacher,
            hours=hours,
            out=folder,
            resume=resume,
            progress=context.visible,
        )
        mark_whole(folder)
    about = json.loads((folder / TRAINING).read_text(encoding="utf-8"))
    return AdaptiveTrainReport(
        format="hwgen.report.train_adaptive",
        version=1,
        recipe=recipe.name,
        networks=[source_of(folder / name) for name in about["networks"]],
        modes=[
            ModeAccuracy(
                mode=each["mode"],
                float=each["accuracy_float"],
                integer=each["accuracy_integer"],
                macs=each["macs"],
            )
            for each in about["modes"]
        ],
        reused=reused,
        training=about,
    )


def is_whole(context: Context, folder: Path) -> bool:
    """Return whether a folder holds a finished training as it was written; say what is damaged."""
    if not (folder / DIGESTS).exists():
        return False
    try:
        expected = json.loads((folder / DIGESTS).read_text(encoding="utf-8"))
        whole = {name: digest_of_file(folder / name) for name in expected} == expected
    except (OSError, ValueError, TypeError, AttributeError):
        whole = False
    if not whole or TRAINING not in expected:
        context.say(f"the cached training is damaged and made again: {folder}")
        return False
    return True


def mark_whole(folder: Path) -> None:
    """Write the digests of what a training has left; the first process does."""
    if not is_first_process():
        return
    files = [folder / TRAINING, *sorted(folder.glob("*.npz"))]
    digests = {file.name: digest_of_file(file) for file in files}
    write_text(folder / DIGESTS, json.dumps(digests, indent=1) + "\n", what="digests")


def is_adaptive(recipe_file: Path) -> bool:
    """Whether a file holds the recipe of a channel-adaptive network."""
    return read_mapping(shipped.recipe_file(recipe_file)).get("format") == ADAPTIVE_FORMAT


def source_of(path: Path) -> Source:
    """Return what a report says of a network file."""
    network = load_network(path)
    return Source(name=network.graph.name, file=str(path), digest=network.digest)


def is_first_process() -> bool:
    """Whether this process speaks for all that `torchrun` started."""
    return int(os.environ.get("RANK", "0")) == 0


def identity(
    recipe: Any,
    data: Path | None,
    start: Path | None,
    beside: Sequence[Path] = (),
    *,
    hours: float | None = None,
) -> str:
    """Return a short digest of everything that training depends on; beside: more files."""
    dataset = load("hwgen.data").load_dataset(recipe.dataset, data)
    parts = [dataset.train_images, dataset.train_labels, dataset.test_images, dataset.test_labels]
    facts = [
        asdict(recipe),
        [digest_of_array(part) for part in parts],
        None if start is None else load("hwgen.train.loop").file_digest(start),
        *(load("hwgen.train.loop").file_digest(path) for path in beside),
        hours,
        load("hwgen.train.recipe").TRAINING_VERSION,
    ]
    return digest_of(facts)[:16]
