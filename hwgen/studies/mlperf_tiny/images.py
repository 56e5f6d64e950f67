"""The inputs of published networks: images of CIFAR-10, enlarged, or seeded ones."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from hwgen.commands.load import load
from hwgen.files.npz import write_npz
from hwgen.network import QuantizedNetwork

CIFAR10 = "cifar10"
SIDE, CHANNELS, CLASSES = 32, 3, 10
INPUTS = 200
"""Inputs that are compared layer by layer."""


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """A file of inputs.

    what: in words; labelled: the file of all inputs with labels, None where no labels are known
    layer_by_layer: whether every layer is compared on them, or the answers alone
    """

    file: Path
    what: str
    labelled: Path | None = None
    layer_by_layer: bool = True


def write_inputs(network: QuantizedNetwork, folder: Path, *, data: str | None, seed: int) -> Inputs:
    """Write the inputs of a network into a folder.

    A square color image whose side is a multiple of 32 is a test image of CIFAR-10, each pixel
    repeated, if `data` is the folder of CIFAR-10; with 32 x 32 pixels and 10 classes its
    labels are known. Other inputs are seeded and use the whole range.
    """
    height, width, channels = shape = network.graph.input.shape
    file = folder / "inputs.npz"
    if data is None or height != width or height % SIDE or channels != CHANNELS:
        values = np.random.default_rng(seed).integers(
            0, 1 << network.graph.input.bits, (INPUTS, *shape), dtype=network.graph.input.dtype
        )
        write_npz(file, {"images": values}, what="inputs")
        return Inputs(file=file, what=f"{INPUTS} random inputs over the whole range")
    dataset = load("hwgen.data").load_dataset(CIFAR10, Path(data))
    times = height // SIDE
    some = dataset.test_images[:INPUTS].repeat(times, axis=1).repeat(times, axis=2)
    labels = dataset.test_labels
    if times > 1 or network.map_of(network.answer).shape != (1, 1, CLASSES):
        write_npz(file, {"images": some}, what="inputs")
        return Inputs(
            file=file, what=f"{len(some)} test images of CIFAR-10, {times} x {times} times as large"
        )
    labelled = folder / "labelled.npz"
    write_npz(file, {"images": some, "labels": labels[:INPUTS]}, what="inputs")
    write_npz(labelled, {"images": dataset.test_images, "labels": labels}, what="inputs")
    return Inputs(file=file, what=f"{len(some)} test images of CIFAR-10", labelled=labelled)


def labelled_inputs(inputs: Inputs) -> Inputs | None:
    """Return all inputs with labels; None where no labels are known."""
    if inputs.labelled is None:
        return None
    return replace(inputs, file=inputs.labelled, layer_by_layer=False)
