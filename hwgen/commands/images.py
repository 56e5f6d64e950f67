"""The images that a command runs: the test images of a known set, or a file that the user gives."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.protocols import Bytes
from hwgen.errors import DataError
from hwgen.files import shipped
from hwgen.files.digests import digest_of_array
from hwgen.files.finite import check_finite
from hwgen.files.npz import read_npy, read_npz
from hwgen.network import QuantizedNetwork
from hwgen.report.types import DRAWN, Images

SEED = 1
DRAWN_IMAGES = 128
"""Images that are drawn where no number is given."""
GIVEN = "the given array"
"""Name of images that are no file."""
IMAGES_FILE = "a .npz file with `images` (NHWC, uint8 or real) and, if known, `labels`"


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Images to run, (images, height, width, channels), their labels if known, and their source.

    modes: number of the mode of each image
    """

    images: Bytes
    labels: NDArray[np.int64] | None
    about: Images
    modes: tuple[int, ...]

    def part(self, taken: slice) -> "Batch":
        """Return some of the images, with a digest of their own."""
        images = self.images[taken]
        return Batch(
            images=images,
            labels=None if self.labels is None else self.labels[taken],
            about=replace(self.about, images=len(images), digest=digest_of_array(images)),
            modes=self.modes[taken],
        )


Data = str | NDArray[Any] | None


def choose_images(
    network: QuantizedNetwork, data: Data, count: int | None, *, also: tuple[int, ...] = ()
) -> Batch:
    """Return the first `count` images (None: all) of `data` for a network, in the widest mode.

    data: the name of a set, a folder with the files of the set that the network was trained on,
        a file, or the images; None: the set by its name, or drawn images for a network that names
        none
    also: another shape that images may have, of the same elements in the same order, such as that
        of the image of a file
    A few images of the set ship; they are taken where they are enough.
    """
    if count is not None and count < 1:
        raise DataError(f"--images must be from 1 on, got {count}")
    if data is None and not network.graph.dataset:
        return drawn_images(network, count=DRAWN_IMAGES if count is None else count)
    if isinstance(data, np.ndarray):
        data = in_shape(network, data, also)
        return batch_of(network, data, None, name=GIVEN, split="all", count=count)
    chosen = data or network.graph.dataset
    few = shipped_images(network, chosen, count, asked=data is not None)
    if few is not None:
        return few
    path = Path(chosen)
    if path.is_file():
        name, split, images, labels = str(path), "the whole file", *read_images(path)
        images = in_shape(network, images, also)
    else:
        from hwgen import data as known

        if path.is_dir() and not network.graph.dataset:
            raise DataError(
                f"a folder of images must be for a network that names its set, got"
                f" {network.graph.name}, which names none: hwgen import --dataset NAME says which,"
                f" or give a .npz with `images` ({path})"
            )
        dataset = (
            known.load_dataset(network.graph.dataset, path)
            if path.is_dir() and chosen not in known.DATASETS
            else known.load_dataset(chosen)
        )
        name, split = dataset.name, dataset.split
        images, labels = of_bytes(network, dataset.test_images), dataset.test_labels
    return batch_of(network, images, labels, name=name, split=split, count=count)


def in_shape(
    network: QuantizedNetwork, images: NDArray[Any], also: tuple[int, ...]
) -> NDArray[Any]:
    """Return images of a shape that the network does not have in its own."""
    if not images.ndim or images.shape[1:] != also:
        return images
    return images.reshape(len(images), *network.graph.input.shape)


def batch_of(
    network: QuantizedNetwork,
    images: NDArray[Any],
    labels: NDArray[np.int64] | None,
    *,
    name: str,
    split: str,
    count: int | None,
) -> Batch:
    """Return the first `count` images, None: all, as integers of the network's input."""
    images = quantized_images(network, images, name)
    check_images(network, images, name)
    if not len(images):
        raise DataError(f"the images must be at least one, got none ({name})")
    wanted = len(images) if count is None else count
    if not 1 <= wanted <= len(images):
        field = "the calls" if network.states else "--images"
        raise DataError(f"{field} must be from 1 to {len(images)} ({name}), got {wanted}")
    images = images[:wanted]
    about = Images(name=name, split=split, images=wanted, digest=digest_of_array(images))
    labels = None if labels is None else labels[:wanted]
    return Batch(images=images, labels=labels, about=about, modes=(0,) * wanted)


def drawn_images(network: QuantizedNetwork, *, count: int) -> Batch:
    """Return images drawn evenly from a seed over the whole range of the input."""
    image = network.graph.input
    random = np.random.default_rng(SEED)
    images = random.integers(0, 1 << image.bits, (count, *image.shape), dtype=image.dtype)
    about = Images(name=DRAWN, split="all", images=count, digest=digest_of_array(images))
    return Batch(images=images, labels=None, about=about, modes=(0,) * count)


def shipped_images(
    network: QuantizedNetwork, name: str, count: int | None, *, asked: bool
) -> Batch | None:
    """Return the first `count` images of a set that ship; None if those do not do.

    asked: for this set by its name: then images that only stand in its place do not do
    """
    file = shipped.images().get(name)
    if file is None or count is None or Path(name).exists():
        return None
    arrays = read_npz(file, what="images", allowed=IMAGES_FILE)
    if not 1 <= count <= len(arrays["images"]) or (asked and "labels" not in arrays):
        return None
    images, labels = of_bytes(network, arrays["images"][:count]), arrays.get("labels")
    check_images(network, images, name)
    about = json.loads(arrays["about"].tobytes())
    return Batch(
        images=images,
        labels=None if labels is None else labels[:count],
        about=Images(**about, images=count, digest=digest_of_array(images)),
        modes=(0,) * count,
    )


def read_images(path: Path) -> tuple[Bytes, NDArray[np.int64] | None]:
    """Return images and labels of a file; a `.npy` is images alone."""
    if path.suffix.lower() == ".npy":
        return read_npy(path, what="images", allowed=IMAGES_FILE), None
    arrays = read_npz(path, what="images", allowed=IMAGES_FILE)
    if "images" not in arrays:
        raise DataError(f"the images must be {IMAGES_FILE}, got none inside ({path})")
    labels = arrays.get("labels")
    if labels is not None and labels.shape != arrays["images"].shape[:1]:
        raise DataError(f"labels must be one for each image, got shape {labels.shape} ({path})")
    return arrays["images"], labels


def of_bytes(network: QuantizedNetwork, images: NDArray[np.uint8]) -> NDArray[Any]:
    """Return images of a data set as integers of the network's input."""
    raw, image = network.raw_image, network.graph.input
    if raw is None or images.shape[1:] != image.shape:
        return images
    return raw.of_bytes(images, image)


def quantized_images(network: QuantizedNetwork, images: NDArray[Any], source: str) -> NDArray[Any]:
    """Return real images, raw ones where steps stand before, as integers of the network's input.

    Integers are those of the input already.
    """
    if images.dtype.kind != "f":
        return images
    image = network.graph.input
    check_finite(images, source)
    if network.raw_image is not None and images.shape[1:] == image.shape:
        return network.raw_image.integers(images, image)
    values = image.quantization[0]
    with np.errstate(over="ignore"):
        steps = np.floor(images.astype(np.float64) / values.scale + 0.5) + values.zero_point
    rounded: NDArray[Any] = steps.clip(0, (1 << image.bits) - 1).astype(image.dtype)
    return rounded


def check_images(network: QuantizedNetwork, images: NDArray[Any], name: str) -> None:
    """Refuse images that the network was not made for."""
    shape, dtype = network.graph.input.shape, np.dtype(network.graph.input.dtype)
    if images.dtype != dtype or images.shape[1:] != shape:
        given = f"{images.dtype.name} of shape {images.shape[1:]}"
        raise DataError(f"images must be {dtype.name} of shape {shape}, got {given} ({name})")
