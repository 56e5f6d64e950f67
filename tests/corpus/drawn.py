"""Transformers with drawn weights, images with noise, and what is pruned: of pages and of tests."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from torch import nn

from hwgen.importers.onnx.calibrate import quantized_model
from hwgen.network.sparsity import ALPHA
from tests.corpus.torch_networks import drawn
from tests.zoo.exports import export

NOISE = 8
"""Steps by which images that are used again are changed, at most."""


def calibrated(
    make: Callable[[], nn.Module], shape: tuple[int, ...], exporter: str, folder: Path
) -> Path:
    """Return the file of a module with drawn weights, quantized with drawn images."""
    path = export(drawn(make, seed=5), shape, folder / "float.onnx", exporter)
    images = np.random.default_rng(0).random((16, *shape), np.float32)
    tokens = images.ndim == 3
    last = images[:, :, np.newaxis] if tokens else images.transpose(0, 2, 3, 1)
    model = quantized_model(path, np.ascontiguousarray(last))
    made = folder / "quantized.onnx"
    made.write_bytes(model.SerializeToString())
    return made


def with_noise(images: np.ndarray, count: int) -> np.ndarray:
    """Return so many images, those that come again with noise."""
    times = -(-count // len(images))
    repeated = np.concatenate([images] * times)[:count].astype(np.int64)
    noise = np.random.default_rng(1).integers(-NOISE, NOISE + 1, repeated.shape)
    noise[: len(images)] = 0
    return (repeated + noise).clip(0, 255).astype(np.uint8)


def zero_blocks(weights: np.ndarray) -> np.ndarray:
    """Return which blocks of a layer have no weight: of one position in eight filters."""
    flat = weights.reshape(len(weights), -1)
    groups = [flat[first : first + ALPHA] for first in range(0, len(flat), ALPHA)]
    return np.concatenate([(group == 0).all(axis=0) for group in groups])
