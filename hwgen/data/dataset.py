"""The type of a set of images, and the fixed split that every accuracy is measured on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwgen.errors import DataError

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """Images and labels of one classification task, already split.

    train_images, test_images: uint8, (images, height, width, channels), the whole byte in use
    train_labels, test_labels: int64, (images,), index into `class_names`
    split: one sentence that says how the test images were chosen
    """

    name: str
    train_images: Bytes
    train_labels: NDArray[np.int64]
    test_images: Bytes
    test_labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    preprocessing: str
    split: str

    def __post_init__(self) -> None:
        for part in ("train", "test"):
            images, labels = getattr(self, f"{part}_images"), getattr(self, f"{part}_labels")
            if images.dtype != np.uint8 or images.ndim != 4:
                raise DataError(
                    f"{part} images of {self.name} must be uint8 in NHWC order, "
                    f"got {images.dtype} of shape {images.shape}"
                )
            if labels.shape != images.shape[:1]:
                raise DataError(
                    f"{part} labels of {self.name} must be one for each of {len(images)} images, "
                    f"got shape {labels.shape}"
                )
            if len(labels) and not 0 <= labels.min() <= labels.max() < len(self.class_names):
                raise DataError(
                    f"{part} labels of {self.name} must be from 0 to {len(self.class_names) - 1}, "
                    f"got {labels.min()} to {labels.max()}"
                )
            images.setflags(write=False)
            labels.setflags(write=False)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of one image."""
        height, width, channels = self.train_images.shape[1:]
        return height, width, channels


def stratified_test(labels: NDArray[np.int64], *, share: float, seed: int) -> NDArray[np.int64]:
    """Return the sorted indices of the test images: `share` of every class, drawn by `seed`.

    Each class gives round(share * count) images, so that the split does not depend on the order
    of the classes.
    """
    random = np.random.Generator(np.random.PCG64(seed))
    chosen = []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        # Sorting drawn numbers is a permutation that stays the same in every numpy release.
        order = np.argsort(random.random(len(members)), kind="stable")
        chosen.append(members[order[: round(share * len(members))]])
    return np.sort(np.concatenate(chosen))
