"""Layers for the walker: directed shapes first, then random ones."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from hwgen.spec.dbpim.arch import Arch
from verif.dbpim.walk_plan import Cut, Layer

MOST_WORDS = 500
"""A random layer asks for about so many words at most."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What a layer looks like; `chunk` 0: all position vectors of the core are one chunk."""

    size: tuple[int, int]
    words: int = 1
    kernel: tuple[int, int] = (1, 1)
    stride: int = 1
    padding: int = 0
    cores_per_set_log2: int = 0
    core: int = 0
    chunk: int = 0
    groups: int = 1
    tiles: int = 1


def directed(arch: Arch) -> list[Shape]:
    """Return shapes at the edges of the formats, and one whose cores differ in their vectors."""
    return [
        Shape(size=(1, 1)),
        Shape(size=(3, 3), kernel=(3, 3), padding=1, chunk=2, groups=2, tiles=3),
        Shape(size=(7, 1), words=2, kernel=(2, 1), cores_per_set_log2=1, core=3, tiles=2),
        Shape(size=(9, 9), kernel=(5, 5), stride=4, padding=2, chunk=1, groups=2, tiles=2),
        Shape(size=(2, 255), cores_per_set_log2=3, core=5, chunk=5),
        Shape(size=(70, 3), kernel=(31, 2), stride=31, padding=7, tiles=2),
        Shape(size=(1, 3 * arch.macros_per_core), cores_per_set_log2=1, core=7, groups=2),
    ]


def draw_shape(rng: np.random.Generator) -> Shape:
    """Return a random shape."""
    kernel = tuple(rng.integers(1, 4, 2).tolist())
    padding = int(rng.integers(0, 3))
    low = [max(1, side - 2 * padding) for side in kernel]
    size = tuple(int(rng.integers(least, 8)) for least in low)
    cores_per_set_log2 = int(rng.integers(3))
    return Shape(
        size=(size[0], size[1]),
        words=int(rng.integers(1, 4)),
        kernel=(kernel[0], kernel[1]),
        stride=int(rng.integers(1, 4)),
        padding=padding,
        cores_per_set_log2=cores_per_set_log2,
        core=int(rng.integers(8)),
        chunk=int(rng.choice([0, 1, 2, 5])),
        groups=int(rng.integers(1, 4)),
        tiles=int(rng.integers(1, 4)),
    )


def layer_of(shape: Shape, arch: Arch, rng: np.random.Generator) -> Layer:
    """Return a layer of that shape with random content, on an architecture that it fits."""
    channels = shape.words * arch.macro.compartments
    image = rng.integers(0, 256, (*shape.size, channels), np.uint8)
    pitch = -(-shape.size[1] // arch.banks) * shape.words
    window = shape.kernel[0] * shape.kernel[1] * shape.words
    layer = Layer(
        arch=arch,
        image=image,
        base=int(rng.integers(arch.bank_words - shape.size[0] * pitch + 1)),
        kernel=shape.kernel,
        stride=shape.stride,
        padding=shape.padding,
        zero_point=int(rng.integers(256)),
        cores_per_set_log2=shape.cores_per_set_log2,
        core=shape.core,
        chunk_vectors=shape.chunk or (1 << 16) - 1,
        groups=[cut_window(window, shape.tiles, arch, rng) for _ in range(shape.groups)],
        turns=int(rng.integers(8)),
    )
    while not layer.vectors:
        layer.cores_per_set_log2 -= 1
    if not shape.chunk and any(len(group) > 1 for group in layer.groups):
        layer.chunk_vectors = arch.psum_vectors
    layer.chunk_vectors = max(1, layer.chunk_vectors)
    while len(layer.groups) > 1 and len(layer.groups) * len(layer.vectors) * window > MOST_WORDS:
        layer.groups.pop()
    return layer


def cut_window(words: int, tiles: int, arch: Arch, rng: np.random.Generator) -> list[Cut]:
    """Cut a window into tiles that the mask ring can hold; some words may be left out between."""
    tiles = max(min(tiles, words), -(-words // arch.mask_words))
    even = np.linspace(0, words, tiles + 1).astype(int)[1:-1]
    uneven = (
        np.sort(rng.choice(np.arange(1, words), tiles - 1, replace=False)) if tiles > 1 else even
    )
    borders = uneven if words <= arch.mask_words else even
    edges = [0, *borders.tolist(), words]
    cuts = []
    for low, high in pairwise(edges):
        skipped = int(rng.integers(0, 2)) if high - low > 1 else 0
        cuts.append(Cut(low + skipped, high - low - skipped))
    return cuts
