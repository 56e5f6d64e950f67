"""`hwgen train`: train a recipe, unless it is cached, and write the quantized network file."""

import json
import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from hwgen.flow.context import Context
from hwgen.flow.digests import digest_of, digest_of_array, digest_of_code
from hwgen.flow.load import load
from hwgen.report.types import Source
from hwgen.report.work import Accuracy, TrainReport
from hwgen.spec.network.file import load_network

NETWORK = "network.npz"
TRAINING = "training.json"
"""Written last: a folder that holds it holds a finished training."""


def train_recipe(
    context: Context,
    recipe_file: Path,
    *,
    data: Path | None = None,
    start: Path | None = None,
    seed: int | None = None,
    out: Path | None = None,
    resume: bool = True,
) -> TrainReport:
    """Train a recipe, or return the cached result; an interrupted training resumes.

    out: folder to write; None: one in the work folder, named by recipe, images and code

    Under `torchrun` every process calls it with one folder that all of them see.
    """
    recipe = load("hwgen.train.recipe").load_recipe(recipe_file)
    if seed is not None:
        recipe = replace(recipe, seed=seed)
    folder = out or context.work / "train" / f"{recipe.name}-{identity(recipe, data, start)}"
    reused = resume and out is None and (folder / TRAINING).exists()
    if not reused:
        load("hwgen.train.train").train_network(
            recipe,
            data_path=data,
            start_path=start,
            out=folder,
            resume=resume,
            progress=context.visible,
        )
    network = load_network(folder / NETWORK)
    about = json.loads((folder / TRAINING).read_text(encoding="utf-8"))
    return TrainReport(
        format="hwgen.report.train",
        version=1,
        recipe=recipe.name,
        network=Source(name=network.graph.name, file=str(folder / NETWORK), digest=network.digest),
        accuracy=Accuracy(**about["accuracy"]),
        reused=reused,
        training=about,
    )


def is_first_process() -> bool:
    """Whether this process speaks for all that `torchrun` started."""
    return int(os.environ.get("RANK", "0")) == 0


def identity(recipe: Any, data: Path | None, start: Path | None) -> str:
    """Return a short digest of everything that training depends on."""
    dataset = load("hwgen.data").load_dataset(recipe.dataset, data)
    parts = [dataset.train_images, dataset.train_labels, dataset.test_images, dataset.test_labels]
    facts = [
        asdict(recipe),
        [digest_of_array(part) for part in parts],
        None if start is None else load("hwgen.train.loop").file_digest(start),
        digest_of_code("hwgen.train"),
    ]
    return digest_of(facts)[:16]
