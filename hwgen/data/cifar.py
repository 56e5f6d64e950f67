"""CIFAR-10 from the official binary batches, or from lossless WebP mosaics."""

from pathlib import Path
from hwgen.data.dataset import Dataset


def read_cifar10(folder: Path) -> Dataset:
    raise NotImplementedError
