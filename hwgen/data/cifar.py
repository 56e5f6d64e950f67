"""CIFAR-10 and CIFAR-100 from the official binary files, or from lossless WebP mosaics of them.

Binary, CIFAR-10: `data_batch_1.bin` to `data_batch_5.bin` and `test_batch.bin`, each 10000 records
of a label and three 32 x 32 planes. Binary, CIFAR-100: `train.bin` and `test.bin`, records of a
coarse label, a fine label and the planes; the fine label counts. Mosaic: `train_0.webp` to
`train_4.webp` and `test.webp`, each 100 x 100 tiles in the official order, and `labels.npz` with
`train` and `test`. The batches for Python are pickles and are not read.
"""

import hashlib
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.data.cifar_facts import CIFAR10, CIFAR100, Facts
from hwgen.data.dataset import Bytes, Dataset
from hwgen.errors import DataError, MissingToolError
from hwgen.files.given import check_given

SIDE, CHANNELS = 32, 3


def read_cifar10(folder: Path, *, facts: Facts = CIFAR10) -> Dataset:
    """Return CIFAR-10 from `folder` in the layout that is found there."""
    return read_cifar(folder, facts)


def read_cifar100(folder: Path, *, facts: Facts = CIFAR100) -> Dataset:
    """Return CIFAR-100 with its fine labels, in the layout that is found in `folder`."""
    return read_cifar(folder, facts)


def read_cifar(folder: Path, facts: Facts) -> Dataset:
    """Return the data set that `facts` describes."""
    binary, mosaic = facts.binary_files["train"][0], facts.mosaic_files["train"][0]
    if (folder / binary).is_file():
        parts = read_binary(folder, facts)
    elif (folder / mosaic).is_file():
        parts = read_mosaics(folder, facts)
    else:
        raise DataError(
            f"the folder of {facts.name} must hold {binary} or {mosaic}, got neither ({folder})"
        )
    for part, (_, labels) in parts.items():
        check(folder, f"labels {part}", labels, facts)
    (train_images, train_labels), (test_images, test_labels) = parts["train"], parts["test"]
    return Dataset(
        name=facts.name,
        train_images=train_images,
        train_labels=train_labels.astype(np.int64),
        test_images=test_images,
        test_labels=test_labels.astype(np.int64),
        class_names=facts.class_names,
        preprocessing="red, green and blue from 0 to 255 as they are",
        split="the official test batch",
    )


def read_binary(folder: Path, facts: Facts) -> dict[str, tuple[Bytes, Bytes]]:
    """Return images and labels by part, from the binary files."""
    parts = {}
    for part, files in facts.binary_files.items():
        batches = [read_batch(folder / name, facts, facts.records(part)) for name in files]
        records = np.concatenate(batches)
        planes = records[:, facts.label_bytes :].reshape(-1, CHANNELS, SIDE, SIDE)
        images = np.ascontiguousarray(planes.transpose(0, 2, 3, 1))
        known = images.copy()
        known[list(facts.unknown[part])] = 0
        check(folder, f"binary {part}", known, facts)
        parts[part] = images, records[:, facts.label_bytes - 1].copy()
    return parts


def read_batch(path: Path, facts: Facts, records: int) -> Bytes:
    """Return the records of one binary file, (images, label_bytes + 3072)."""
    record = facts.label_bytes + CHANNELS * SIDE * SIDE
    size = records * record
    try:
        check_given(path, what="the images", allowed="a file")
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} must be readable, got: {error.strerror}") from None
    if len(content) != size:
        raise DataError(f"{path} must have {size} bytes, got {len(content)}")
    return np.frombuffer(content, dtype=np.uint8).reshape(-1, record)


def read_mosaics(folder: Path, facts: Facts) -> dict[str, tuple[Bytes, Bytes]]:
    """Return images and labels by part, from WebP mosaics."""
    labels = read_labels(folder / "labels.npz")
    parts = {}
    for part, files in facts.mosaic_files.items():
        images = np.concatenate([read_mosaic(folder / name, facts) for name in files])
        check(folder, f"mosaic {part}", images, facts)
        parts[part] = images, labels[part]
    return parts


def read_mosaic(path: Path, facts: Facts) -> Bytes:
    """Return the tiles of one mosaic, row by row."""
    try:
        # Only this layout needs an image library, so it is asked for here.
        from PIL import Image, UnidentifiedImageError
    except ImportError:
        raise MissingToolError(
            "pillow is needed to read WebP mosaics: pip install pillow"
        ) from None
    tiles = facts.tiles
    try:
        check_given(path, what="the images", allowed="a file")
        with Image.open(path, formats=("WEBP",)) as image:
            pixels = np.asarray(image.convert("RGB"))
    except (OSError, UnidentifiedImageError) as error:
        raise DataError(f"{path} must be a whole WebP image, got: {error}") from None
    if pixels.shape != (tiles * SIDE, tiles * SIDE, CHANNELS):
        raise DataError(
            f"{path} must be {tiles * SIDE} pixels square in RGB, got shape {pixels.shape}"
        )
    grid = pixels.reshape(tiles, SIDE, tiles, SIDE, CHANNELS)
    return np.ascontiguousarray(grid.transpose(0, 2, 1, 3, 4)).reshape(-1, SIDE, SIDE, CHANNELS)


def read_labels(path: Path) -> dict[str, Bytes]:
    """Return the labels of a mosaic by part."""
    try:
        check_given(path, what="the images", allowed="a file")
        with np.load(path, allow_pickle=False) as file:
            return {part: file[part].astype(np.uint8) for part in ("train", "test")}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        reason = " ".join(str(error).split())
        raise DataError(f"{path} must hold the arrays train and test, got: {reason}") from None


def check(folder: Path, what: str, values: NDArray[Any], facts: Facts) -> None:
    """Refuse values whose sum is another one than is known."""
    given = hashlib.sha256(values.tobytes()).hexdigest()
    if given != facts.sha256[what]:
        raise DataError(
            f"{facts.name} ({what}) must have sha256 {facts.sha256[what]}, got {given} ({folder})"
        )
