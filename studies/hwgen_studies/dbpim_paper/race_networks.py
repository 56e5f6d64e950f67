"""The networks of the race: files of a folder, or drawn ones of the same shapes, with images."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from hwgen.commands.context import Context
from hwgen.commands.images import Batch, choose_images, drawn_images
from hwgen.errors import ConfigError
from hwgen.files.digests import digest_of, digest_of_array, digest_of_code, digest_of_file
from hwgen.files.shipped import shipped_folder
from hwgen.network import Conv, Linear, QuantizedNetwork
from hwgen.network.file import load_network, save_network
from hwgen.report.training_record import RANDOM, read_record, training_state, weights_of
from hwgen.report.types import Images
from hwgen_studies.dbpim_paper.published import NETWORKS

CONFIGS = shipped_folder()
RESNET20 = "resnet20"
ALL = (RESNET20, *NETWORKS)
SHIPPED = {RESNET20: CONFIGS / "networks" / "cifar10_resnet20_50.npz"}
"""Files that are there without a folder."""
DATASET_OF = {RESNET20: "cifar10"}
"""Images of a network; of the others `cifar100`."""
SEED = 1
DRAWN_IMAGES = 16
"""Drawn images by which the ranges of a drawn network are measured."""
IMAGE = (32, 32, 3)
CLASSES = 100


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A network of the race with its images; weights, pictures: what they are, in words.

    trained: whether a record says that a training of usual length gave the weights
    """

    name: str
    file: Path
    network: QuantizedNetwork
    images: Batch
    weights: str
    trained: bool
    pictures: str


def entries(
    context: Context, folder: Path | None, data: Path | None, *, images: int
) -> list[Entry]:
    """Return the networks: of files where there are some, else drawn.

    folder: with NAME/network.npz or NAME.npz; data: with the folders cifar10 and cifar100
    images: of each network
    """
    if folder is not None and not any(file_in(folder, name) for name in NETWORKS):
        raise ConfigError(
            field="--networks",
            allowed=f"a folder with NAME/network.npz or NAME.npz of {', '.join(NETWORKS)}",
            given=folder,
            source="command line",
        )
    return [entry(context, name, folder, data, images=images) for name in ALL]


def file_in(folder: Path, name: str) -> Path | None:
    """Return the file of a network in a folder."""
    for file in (folder / name / "network.npz", folder / f"{name}.npz"):
        if file.is_file():
            return file
    return None


def entry(
    context: Context, name: str, folder: Path | None, data: Path | None, *, images: int
) -> Entry:
    """Return one network with its images."""
    file = (folder and file_in(folder, name)) or SHIPPED.get(name)
    weights, trained = "drawn weights with two digits at most, 50 % of blocks masked", False
    drawn = file is None
    file = file or drawn_file(context, name)
    network = load_network(file)
    if not drawn:
        weights, trained = training_of(file, network)
    batch, pictures = images_of(network, data, name, count=images)
    return Entry(
        name=name,
        file=file,
        network=network,
        images=batch,
        weights=weights,
        trained=trained,
        pictures=pictures,
    )


def training_of(file: Path, network: QuantizedNetwork) -> tuple[str, bool]:
    """Return how the network of a file was trained, by the record beside it, and whether long."""
    about = read_record(file, network.digest)
    weights = weights_of(about, network.graph.dataset)
    if about is None:
        return weights, False
    share = about["recipe"]["pruning"]["share"]
    accuracy = about["accuracy"]["integer"]
    told = f"{share:.0%} of blocks pruned: {training_state(about)}, {accuracy:.2%} accurate"
    return f"{weights}: {told}", weights == "trained"


def pruned_of(entry: Entry) -> float | None:
    """Return the fraction of the blocks that a training pruned, or None without a record."""
    about = read_record(entry.file, entry.network.digest)
    return None if about is None else float(about["recipe"]["pruning"]["share"])


def images_of(
    network: QuantizedNetwork, data: Path | None, name: str, *, count: int
) -> tuple[Batch, str]:
    """Return images: the first of the test set, or drawn ones."""
    if data is not None:
        dataset = data / DATASET_OF.get(name, "cifar100")
        from hwgen.data import DATASETS

        if network.graph.dataset not in DATASETS:
            return drawn_images(network, count=count), "drawn images"
        return choose_images(network, str(dataset), count), f"test images of {dataset.name}"
    return drawn_images(network, count=count), "drawn images"


def drawn_file(context: Context, name: str, *, pruned: float | None = None) -> Path:
    """Return the file of a network with drawn weights, made now if it lacks.

    pruned: fraction of the blocks of each layer; None: as the recipe says
    """
    recipe_file = CONFIGS / "train" / f"cifar100_{name}.yaml"
    facts = [digest_of_file(recipe_file), SEED, digest_of_code("hwgen.train", "hwgen.network")]
    facts += [] if pruned is None else [pruned]
    file = context.work / "drawn" / f"{name}-{digest_of(facts)[:16]}.npz"
    if not file.is_file():
        context.say(f"{name}: no file, weights are drawn")
        from hwgen.train.recipe import load_recipe

        recipe = load_recipe(recipe_file)
        if pruned is not None:
            recipe = replace(recipe, pruning=replace(recipe.pruning, share=pruned))
        from hwgen_studies.dbpim_paper.drawn import drawn_network

        network = drawn_network(recipe, drawn_dataset(), seed=SEED)
        save_network(network, file)
    return file


def drawn_dataset() -> Any:
    """Return drawn images in the form of CIFAR-100."""
    from hwgen.data import Dataset

    random = np.random.default_rng(SEED)
    images = random.integers(0, 256, (DRAWN_IMAGES, *IMAGE), dtype=np.uint8)
    labels = np.arange(DRAWN_IMAGES, dtype=np.int64)
    return Dataset(
        name=RANDOM,
        train_images=images,
        train_labels=labels,
        test_images=images.copy(),
        test_labels=labels,
        class_names=tuple(map(str, range(CLASSES))),
        preprocessing="none",
        split="none",
    )


def few(batch: Batch, count: int) -> Batch:
    """Return the first images of a batch."""
    images = batch.images[:count]
    about = Images(
        name=batch.about.name,
        split=batch.about.split,
        images=count,
        digest=digest_of_array(images),
    )
    labels = None if batch.labels is None else batch.labels[:count]
    return Batch(images=images, labels=labels, about=about, modes=batch.modes[:count])


def multiplications(network: QuantizedNetwork) -> int:
    """Return those of an image: each weight once at each position of its map."""
    return sum(
        network.parameters[layer.name].weights.size * layer.output.height * layer.output.width
        for layer in network.layers
        if isinstance(layer, Conv | Linear)
    )
