"""Networks of the zoo that know something: with stored weights, or from a checkpoint.

`python -m studies.tests.zoo.trained` trains the networks of the digits for seconds and stores their
weights. They are stored because training ends with other weights on another CPU: what a test asks
of a trained network must not depend on the order in which an instruction set sums.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from hwgen.data import load_dataset
from tests.zoo.networks import autoencoder, mobilenet_v2, vgg

WEIGHTS = Path(__file__).with_name("weights")
"""An .npz file a network, float16."""
DIGITS = ("autoencoder", "mobilenet_v2", "vgg")
EPOCHS, BATCH, RATE = 12, 64, 4e-3
CIFAR_IMAGES = 1000
"""Of the 10,000 of the test set: those that the comparison looks at."""
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of the images that the checkpoint was trained on."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A float network with its images, bytes of (images, rows, columns, channels).

    known: images to calibrate with; images, labels: to compare with; labels None: it has no classes
    shape: of one image as torch has it
    """

    module: nn.Module
    shape: tuple[int, ...]
    known: NDArray[np.uint8]
    images: NDArray[np.uint8]
    labels: NDArray[np.int64] | None


class Normalized(nn.Module):
    """A network that reads images from 0 to 1, whose mean and deviation it takes off itself."""

    def __init__(self, body: nn.Module):
        super().__init__()
        self.body = body
        self.mean = nn.Parameter(torch.tensor(MEAN).reshape(1, 3, 1, 1))
        self.deviation = nn.Parameter(torch.tensor(DEVIATION).reshape(1, 3, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.body((x - self.mean) / self.deviation)


class Block(nn.Module):
    """A basic block whose way around is subsampled and padded with channels of zeros."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.added = outputs - inputs

    def forward(self, x: Tensor) -> Tensor:
        inner = functional.relu(self.bn1(self.conv1(x)))
        inner = self.bn2(self.conv2(inner))
        if self.added:
            sides = (0, 0, 0, 0, self.added // 2, self.added // 2)
            x = functional.pad(x[:, :, ::2, ::2], sides)
        return functional.relu(inner + x)


class ResNet20(nn.Module):
    """ResNet20 of CIFAR-10, with the names of the published checkpoint."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16)
        self.layer1 = nn.Sequential(*(Block(16, 16, 1) for _ in range(3)))
        self.layer2 = nn.Sequential(Block(16, 32, 2), Block(32, 32, 1), Block(32, 32, 1))
        self.layer3 = nn.Sequential(Block(32, 64, 2), Block(64, 64, 1), Block(64, 64, 1))
        self.linear = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(x.mean(dim=(2, 3)))


def resnet20(data: Path) -> Case:
    """Return ResNet20 from its checkpoint in `data`, with images of CIFAR-10."""
    path = data / "checkpoints" / "resnet20-12fca82f.th"
    found = torch.load(path, weights_only=True, map_location="cpu")
    state = {name.removeprefix("module."): value for name, value in found["state_dict"].items()}
    module = ResNet20()
    module.load_state_dict(state)
    dataset = load_dataset("cifar10", data / "cifar10")
    return Case(
        module=Normalized(module),
        shape=(3, 32, 32),
        known=dataset.train_images[:64],
        images=dataset.test_images[:CIFAR_IMAGES],
        labels=dataset.test_labels[:CIFAR_IMAGES],
    )


def digits(kind: str) -> Case:
    """Return a network of the digits with its stored weights, one of `DIGITS`."""
    module, shape = untrained(kind)
    with np.load(WEIGHTS / f"{kind}.npz") as stored:
        module.load_state_dict({name: torch.tensor(values) for name, values in stored.items()})
    dataset = load_dataset("digits")
    known, images = (
        arranged(each, shape) for each in (dataset.train_images[:128], dataset.test_images)
    )
    labels = None if kind == "autoencoder" else dataset.test_labels
    return Case(module=module.eval(), shape=shape, known=known, images=images, labels=labels)


def untrained(kind: str) -> tuple[nn.Module, tuple[int, ...]]:
    """Return a network of the digits and the shape of its image."""
    if kind == "autoencoder":
        return autoencoder(), (64,)
    return mobilenet_v2(1) if kind == "mobilenet_v2" else vgg(1, 16), (1, 16, 16)


def arranged(images: NDArray[np.uint8], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return images of 8 x 8 as a vector, or enlarged to 16 x 16."""
    if len(shape) == 1:
        return images.reshape(len(images), 1, 1, *shape)
    return images.repeat(2, axis=1).repeat(2, axis=2)


def store(kind: str) -> None:
    """Train a network of the digits and store its weights."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    dataset = load_dataset("digits")
    module, shape = untrained(kind)
    images = tensors(arranged(dataset.train_images, shape), shape)
    train(module, images, torch.tensor(dataset.train_labels), kind)
    state = module.state_dict()
    stored = {name: values.numpy().astype(np.float16) for name, values in state.items()}
    assert all(np.isfinite(values).all() for values in stored.values())
    np.savez_compressed(WEIGHTS / f"{kind}.npz", **stored)


def tensors(images: NDArray[np.uint8], shape: tuple[int, ...]) -> Tensor:
    """Return images as torch has them, from 0 to 1."""
    real = torch.from_numpy(images.astype(np.float32) / 255)
    return real.permute(0, 3, 1, 2).reshape(len(images), *shape)


def train(module: nn.Module, images: Tensor, labels: Tensor, kind: str) -> None:
    """Train a module for seconds; an autoencoder gives its image back."""
    optimizer = torch.optim.Adam(module.parameters(), RATE)
    for _ in range(EPOCHS):
        order = torch.randperm(len(images))
        for first in range(0, len(images) - BATCH + 1, BATCH):
            some = order[first : first + BATCH]
            answers = module(images[some])
            if kind == "autoencoder":
                loss = functional.mse_loss(answers, images[some])
            else:
                loss = functional.cross_entropy(answers, labels[some])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


if __name__ == "__main__":
    WEIGHTS.mkdir(exist_ok=True)
    for each in DIGITS:
        store(each)
