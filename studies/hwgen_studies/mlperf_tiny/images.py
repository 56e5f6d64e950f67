"""The inputs of published networks: images of CIFAR-10, enlarged, or seeded ones."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.files.npz import write_npz
from hwgen.network import QuantizedNetwork

CIFAR10 = "cifar10"
SIDE, CHANNELS, CLASSES = 32, 3, 10
INPUTS = 200
"""Inputs that are compared layer by layer: the first ones."""
ANSWERS = 1000
"""Inputs whose answers are compared, where no labels are known; else all with labels."""


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """Two files of inputs; the first ones of `answers` are those of `layers`.

    layers: compared layer by layer; answers: whose answers are compared; what: both, in words
    labelled: whether the inputs have labels
    """

    layers: Path
    answers: Path
    what: str
    labelled: bool


def write_inputs(network: QuantizedNetwork, folder: Path, *, data: str | None, seed: int) -> Inputs:
    """Write the inputs of a network into a folder.

    A square color image whose side is a multiple of 32 is a test image of CIFAR-10, each pixel
    repeated, if `data` is the folder of CIFAR-10; with 32 x 32 pixels and 10 classes its
    labels are known. Other inputs are seeded and use the whole range.
    """
    from hwgen.data import load_dataset

    height, width, channels = shape = network.graph.input.shape
    if data is None or height != width or height % SIDE or channels != CHANNELS:
        values = np.random.default_rng(seed).integers(
            0, 1 << network.graph.input.bits, (ANSWERS, *shape), dtype=network.graph.input.dtype
        )
        return written(folder, "random inputs over the whole range", values)
    dataset = load_dataset(CIFAR10, Path(data))
    times = height // SIDE
    if times > 1 or network.map_of(network.answer).shape != (1, 1, CLASSES):
        images = dataset.test_images[:ANSWERS].repeat(times, axis=1).repeat(times, axis=2)
        what = f"test images of CIFAR-10, {times} x {times} times as large"
        return written(folder, what, images)
    return written(folder, "test images of CIFAR-10", dataset.test_images, dataset.test_labels)


def written(
    folder: Path, what: str, images: NDArray[Any], labels: NDArray[Any] | None = None
) -> Inputs:
    """Write both files of inputs, the labels beside them if they are known."""
    arrays = {"images": images} | ({} if labels is None else {"labels": labels})
    layers, answers = folder / "inputs.npz", folder / "answers.npz"
    write_npz(layers, {name: values[:INPUTS] for name, values in arrays.items()}, what="inputs")
    write_npz(answers, arrays, what="inputs")
    return Inputs(layers=layers, answers=answers, what=what, labelled=labels is not None)
