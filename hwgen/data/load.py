"""Find a set of images by name."""

from collections.abc import Callable
from pathlib import Path

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
DATASETS = ("digits", *READERS)
"""Names that `load_dataset` knows; all but the embedded digits need a folder."""


def load_dataset(name: str, path: Path | None = None) -> Dataset:
    """Return the images called `name`, read from the folder `path` unless they are embedded."""
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
