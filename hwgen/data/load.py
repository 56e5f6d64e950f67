"""Find a set of images by name.

Tests: `tests/data/test_dataset.py`.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from hwgen.data.cifar import read_cifar10, read_cifar100
from hwgen.data.dataset import Dataset
from hwgen.data.digits import read_digits
from hwgen.data.idx import read_fashion_mnist
from hwgen.errors import DataError

READERS: dict[str, Callable[[Path], Dataset]] = {
    "fashion_mnist": read_fashion_mnist,
    "cifar10": read_cifar10,
    "cifar100": read_cifar100,
}
OWN = "own"
"""Images of the user's, for training alone: a .npz with all four arrays of a set."""
DATASETS = ("digits", *READERS)
"""Names that `load_dataset` knows; all but the embedded digits need a folder."""


def load_dataset(name: str, path: Path | None = None) -> Dataset:
    """Return the images called `name`, read from the folder `path` unless they are embedded."""
    if name == OWN:
        return read_own(path)
    if name not in DATASETS:
        raise DataError(f"the dataset must be one of {', '.join(DATASETS)}, got {name}")
    if name == "digits":
        if path is not None:
            raise DataError(f"the dataset digits must be used without a folder, got {path}")
        return read_digits()
    if path is None:
        raise DataError(f"the dataset {name} must be given a folder with its files, got none")
    if not path.is_dir():
        raise DataError(f"the folder of {name} must exist, got {path}")
    return READERS[name](path)


def read_own(path: Path | None) -> Dataset:
    """Return images and labels of a .npz, as `Dataset` names its arrays."""
    if path is None or not path.is_file():
        raise DataError(f"the images must be a .npz, got {path or 'none'}")
    named = [f"{part}_{kind}" for part in ("train", "test") for kind in ("images", "labels")]
    with np.load(path) as file:
        if lost := [name for name in named if name not in file]:
            raise DataError(
                f"the file must have {', '.join(named)}, got none of {lost[0]} ({path})"
            )
        arrays = {name: file[name] for name in named}
    labels = {name: arrays[name].astype(np.int64) for name in named if name.endswith("labels")}
    classes = 1 + max(int(each.max(initial=0)) for each in labels.values())
    return Dataset(
        name=path.stem,
        **(arrays | labels),
        class_names=tuple(map(str, range(classes))),
        preprocessing="as the file has them",
        split="as the file has them",
    )
