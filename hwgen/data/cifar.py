"""CIFAR-10 from the official binary batches, or from lossless WebP mosaics of them.

Binary: `data_batch_1.bin` to `data_batch_5.bin` and `test_batch.bin`, each 10000 records of a
label and three 32 x 32 planes. Mosaic: `train_0.webp` to `train_4.webp` and `test.webp`, each
100 x 100 tiles in the official order, and `labels.npz` with `train` and `test`. The batches for
Python are pickles and are not read.
"""

import hashlib
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.data.dataset import Bytes, Dataset
from hwgen.errors import DataError, MissingToolError

CIFAR10_CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
SIDE, CHANNELS = 32, 3
TRAIN_FILES = 5


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of the files; another value than `CIFAR10` describes files of a test.

    tiles: rows and columns of a mosaic; a file holds tiles ** 2 images
    sha256: by layout and part, over the images (uint8, NHWC), and over the labels (uint8)
    unknown: images left out of the sum of the binary layout, by part
    """

    tiles: int
    sha256: Mapping[str, str]
    unknown: Mapping[str, tuple[int, ...]]

    @property
    def file_images(self) -> int:
        """Images of one file."""
        return self.tiles**2


# fmt: off
UNKNOWN_TRAIN = (
    4298, 5949, 7066, 7237, 7248, 7630, 8006, 8831, 8968, 9415, 10336, 10408, 12762, 12834,
    13546, 21493, 25728, 26098, 26927, 27621, 28435, 28728, 29694, 29747, 30329, 31066, 31367,
    31462, 31625, 31663, 32777, 33641, 33661, 34067, 34276, 34387, 34825, 35160, 35646, 36733,
    37329, 37474, 37567, 38384, 38925, 39358, 39385, 39613, 39840, 39888, 39971, 40805, 41779,
    42004, 42389, 42611, 43357, 43883, 44882, 45168, 45240, 46175, 46435, 46538, 46624, 47393,
    47597, 48081, 48124, 48333, 48821, 48836, 49321, 49429, 49631, 49830, 49857,
)
UNKNOWN_TEST = (
    722, 1259, 1369, 1422, 2245, 2737, 2935, 3695, 3718, 4085, 4496, 5791, 5896, 6286, 7580,
    7707, 7724, 7832, 8117, 8551, 9254,
)
# fmt: on

# Of 98 images the mosaics hold a decoded JPEG instead of the official bytes. The sums of the
# binary layout therefore leave these images out, so that both layouts are checked by what is
# known of them.
CIFAR10 = Facts(
    tiles=100,
    sha256=MappingProxyType(
        {
            "mosaic train": "c7c6557433f8d7c52900e0fc5549bd21bf6f33fefee1f478f5adbc5499bb11c7",
            "mosaic test": "25a508aee148b4ccf689df271258bb61c79db1edd6c7bdc2d32e0f748c0bf68c",
            "binary train": "01189471f27e84a3fe955f9ed0fc8712fb57168f54abdbeb152f93c6e120f418",
            "binary test": "9fa864ecd8e7a8bc5859f0d3e60983bf84cf0ab718b040092bcf82fe2795b2c6",
            "labels train": "2b7cd2f24487317614016b72ffd53071c3062f592f0eb300c18a770d41ae1253",
            "labels test": "cec8a24a1e92aa2ecaa0bbd3dbfa86bf6cd8759fbd209a832824c8cf0afca9d5",
        }
    ),
    unknown=MappingProxyType({"train": UNKNOWN_TRAIN, "test": UNKNOWN_TEST}),
)


def read_cifar10(folder: Path, *, facts: Facts = CIFAR10) -> Dataset:
    """Return CIFAR-10 from `folder` in the layout that is found there."""
    if (folder / "data_batch_1.bin").is_file():
        parts = read_binary(folder, facts)
    elif (folder / "train_0.webp").is_file():
        parts = read_mosaics(folder, facts)
    else:
        raise DataError(
            f"the folder of cifar10 must hold data_batch_1.bin or train_0.webp, got neither "
            f"({folder})"
        )
    for part, (_, labels) in parts.items():
        check(folder, f"labels {part}", labels, facts)
    (train_images, train_labels), (test_images, test_labels) = parts["train"], parts["test"]
    return Dataset(
        name="cifar10",
        train_images=train_images,
        train_labels=train_labels.astype(np.int64),
        test_images=test_images,
        test_labels=test_labels.astype(np.int64),
        class_names=CIFAR10_CLASSES,
        preprocessing="red, green and blue from 0 to 255 as they are",
        split="the official test batch",
    )


def read_binary(folder: Path, facts: Facts) -> dict[str, tuple[Bytes, Bytes]]:
    """Return images and labels by part, from the binary batches."""
    names = {
        "train": [f"data_batch_{number}.bin" for number in range(1, TRAIN_FILES + 1)],
        "test": ["test_batch.bin"],
    }
    parts = {}
    for part, files in names.items():
        records = np.concatenate([read_batch(folder / name, facts) for name in files])
        planes = records[:, 1:].reshape(-1, CHANNELS, SIDE, SIDE)
        images = np.ascontiguousarray(planes.transpose(0, 2, 3, 1))
        known = images.copy()
        known[list(facts.unknown[part])] = 0
        check(folder, f"binary {part}", known, facts)
        parts[part] = images, records[:, 0].copy()
    return parts


def read_batch(path: Path, facts: Facts) -> Bytes:
    """Return the records of one binary batch, (images, 1 + 3072)."""
    record = 1 + CHANNELS * SIDE * SIDE
    size = facts.file_images * record
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} must be readable, got: {error.strerror}") from None
    if len(content) != size:
        raise DataError(f"{path} must have {size} bytes, got {len(content)}")
    return np.frombuffer(content, dtype=np.uint8).reshape(-1, record)


def read_mosaics(folder: Path, facts: Facts) -> dict[str, tuple[Bytes, Bytes]]:
    """Return images and labels by part, from WebP mosaics."""
    names = {
        "train": [f"train_{number}.webp" for number in range(TRAIN_FILES)],
        "test": ["test.webp"],
    }
    labels = read_labels(folder / "labels.npz")
    parts = {}
    for part, files in names.items():
        images = np.concatenate([read_mosaic(folder / name, facts) for name in files])
        check(folder, f"mosaic {part}", images, facts)
        parts[part] = images, labels[part]
    return parts


def read_mosaic(path: Path, facts: Facts) -> Bytes:
    """Return the tiles of one mosaic, row by row."""
    try:
        # Only this layout needs an image library, so it is asked for here.
        from PIL import Image, UnidentifiedImageError  # noqa: PLC0415
    except ImportError:
        raise MissingToolError(
            "pillow is needed to read WebP mosaics: pip install pillow"
        ) from None
    tiles = facts.tiles
    try:
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
            f"cifar10 ({what}) must have sha256 {facts.sha256[what]}, got {given} ({folder})"
        )
