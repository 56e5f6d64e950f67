"""Steps for the walker: directed shapes first, then random ones."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import PRODUCTS, TWO_MAPS, Operation
from hwgen.dbpim.facts.program import Placement
from verif.dbpim.component import operations
from verif.dbpim.walk_plan import Bytes, Conv, Cut, Step, StoredMap
from verif.dbpim.walk_product import Product
from verif.dbpim.walk_simd import Simd

MOST_WORDS = 400
"""A random step asks for about so many words at most."""

MOST_ROWS = 1 << 10


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What a step looks like; `chunk` 0: all position vectors of the core are one chunk.

    operation: None for CONV; padding: top, left, bottom, right
    grow, zeros: as in `Step`
    rows: output rows of the step, all of them if None; part: of its vectors that the core computes
    stacked: images are beside each other in x (maps of one pixel); beyond: channel words outside
    first_row: stored row of image 0 of the input and of the output
    met, heads: of a product, rows of C pixels of map b (in rows, beside each other) and groups;
        results: result words of a group of VALUES; own: part of the result words
    """

    size: tuple[int, int]
    images: int = 1
    words: int = 1
    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    rows: tuple[int, int] | None = None
    part: tuple[float, float] = (0.0, 1.0)
    patch: bool = False
    stacked: bool = False
    chunk: int = 0
    groups: int = 1
    tiles: int = 1
    operation: Operation | None = None
    broadcast: bool = False
    grow: tuple[int, int] = (0, 0)
    zeros: bool = False
    beyond: int = 0
    met: tuple[int, int] = (1, 1)
    heads: int = 1
    results: int = 1
    own: tuple[float, float] = (0.0, 1.0)


def directed(arch: Arch) -> list[Shape]:
    """Return shapes at the edges of the formats, and parts of the vectors as cores have them."""
    patch = arch.macros_per_core > 1
    middle = (0.3, 0.8)
    products = [
        Shape(
            size=(3, 2), operation=Operation.SCORES, images=2, words=4, heads=2, met=(2, 1),
            patch=patch,
        ),
        Shape(size=(2, 3), operation=Operation.VALUES, words=4, heads=2, met=(1, 2), results=2),
        Shape(size=(1, 1), operation=Operation.SCORES, images=3, stacked=True, met=(1, 1)),
        Shape(size=(1, 5), operation=Operation.VALUES, images=2, words=3, heads=3, met=(1, 1)),
        Shape(size=(2, 2), operation=Operation.SCORES, words=9, heads=3, met=(3, 1), part=middle),
        Shape(
            size=(1, 1), operation=Operation.SCORES, words=6, heads=2, met=(3, 1), own=(0.7, 0.9),
        ),
        # Five words are skipped, and their pixels go round the end of a row of map b.
        Shape(
            size=(1, 1), operation=Operation.SCORES, words=2, heads=2, met=(1, 6), own=(0.42, 0.6),
        ),
        Shape(
            size=(1, 1), operation=Operation.VALUES, words=4, heads=2, met=(2, 1), results=3,
            own=(0.8, 1.0),
        ),
    ]  # fmt: skip
    return [
        *(products if arch.row_unit else []),
        Shape(size=(1, 1)),
        Shape(size=(3, 3), kernel=(3, 3), padding=(1, 1, 1, 1), chunk=2, groups=2, tiles=3),
        Shape(size=(7, 1), words=2, kernel=(2, 1), tiles=2, images=3, part=middle, patch=patch),
        Shape(
            size=(9, 9), kernel=(5, 5), stride=(4, 3), padding=(2, 0, 1, 3), chunk=1, groups=2,
            tiles=2, images=2,
        ),
        Shape(size=(2, 255), chunk=5, part=middle),
        Shape(size=(130, 3), kernel=(127, 2), stride=(127, 1), padding=(15, 0, 0, 15), tiles=2),
        Shape(size=(5, 3), images=MOST_ROWS // 5, part=(0.99, 1.0), rows=(1, 4), patch=patch),
        Shape(size=(1, 1), images=3, stacked=True, words=2, groups=2),
        Shape(size=(3, 5), operation=Operation.ADD, images=2, words=2, rows=(1, 3), patch=patch),
        Shape(size=(3, 2), operation=Operation.MULTIPLY, images=2, words=2, broadcast=True),
        Shape(size=(2, 3), operation=Operation.TABLE, words=2, part=middle),
        Shape(size=(1, 9), operation=Operation.SUM, kernel=(1, 3), stride=(1, 3)),
        Shape(size=(2, 3), operation=Operation.SUM, grow=(1, 1), patch=patch),
        Shape(
            size=(3, 2), operation=Operation.MAXIMUM, grow=(1, 2), zeros=True, kernel=(2, 2),
            padding=(1, 1, 0, 0), images=2, words=2,
        ),
        Shape(size=(1, 1), operation=Operation.SUM, images=4, stacked=True, beyond=2),
        Shape(size=(100, 1), operation=Operation.SUM, kernel=(100, 1)),
        Shape(
            size=(5, 5), operation=Operation.DEPTHWISE, kernel=(3, 3), stride=(2, 1), words=3,
            padding=(1, 2, 1, 0), part=middle,
        ),
    ]  # fmt: skip


def draw_shape(rng: np.random.Generator, arch: Arch) -> Shape:
    """Return a random shape."""
    kernel = tuple(rng.integers(1, 4, 2).tolist())
    top, left, bottom, right = rng.integers(0, 3, 4).tolist()
    operation = None if rng.random() < 0.5 else Operation(int(rng.choice(operations(arch))))
    if operation in PRODUCTS:
        return draw_product(rng, arch, operation)
    if operation in (*TWO_MAPS, Operation.TABLE):
        kernel, (top, left, bottom, right) = (1, 1), (0, 0, 0, 0)
    low = (max(1, kernel[0] - top - bottom), max(1, kernel[1] - left - right))
    size = tuple(int(rng.integers(least, 8)) for least in low)
    two_maps = operation in TWO_MAPS
    stride = (1, 1) if two_maps else tuple(rng.integers(1, 4, 2).tolist())
    grows = operation is not None and not two_maps and rng.random() < 0.4
    ends = np.sort(rng.random(2)).tolist()
    return Shape(
        size=(size[0], size[1]),
        images=int(rng.integers(1, 4)),
        words=int(rng.integers(1, 4)),
        kernel=(kernel[0], kernel[1]),
        stride=(stride[0], stride[1]),
        padding=(top, left, bottom, right),
        part=(ends[0], ends[1]) if rng.random() < 0.7 else (0.0, 1.0),
        patch=bool(arch.macros_per_core > 1 and rng.random() < 0.4),
        chunk=int(rng.choice([0, 1, 2, 5])),
        groups=int(rng.integers(1, 4)),
        tiles=int(rng.integers(1, 4)),
        operation=operation,
        grow=(int(rng.integers(4)), int(rng.integers(4))) if grows else (0, 0),
        zeros=grows and bool(rng.random() < 0.5),
        broadcast=bool(rng.random() < 0.5),
        beyond=int(rng.integers(2)),
    )


def draw_product(rng: np.random.Generator, arch: Arch, operation: Operation) -> Shape:
    """Return a random product of two maps."""
    heads, held, results = rng.integers(1, 4, 3).tolist()
    low, high = np.sort(rng.random(2)).tolist()
    own = low, high
    met = (held, 1) if operation is Operation.VALUES else (results, 1)
    ends = np.sort(rng.random(2)).tolist()
    return Shape(
        size=(int(rng.integers(1, 6)), int(rng.integers(1, 6))),
        images=int(rng.integers(1, 4)),
        words=heads * held,
        part=(ends[0], ends[1]) if rng.random() < 0.7 else (0.0, 1.0),
        patch=bool(arch.macros_per_core > 1 and rng.random() < 0.4),
        operation=operation,
        met=met if rng.random() < 0.5 else (met[1], met[0]),
        heads=heads,
        results=results,
        own=own if rng.random() < 0.7 else (0.0, 1.0),
    )


def step_of(shape: Shape, arch: Arch, rng: np.random.Generator) -> Step:
    """Return a step of that shape with random content, in an architecture that it fits."""
    channels = shape.words * arch.word
    maps = rng.integers(0, 256, (shape.images, *shape.size, channels), np.uint8)
    source = StoredMap(maps=maps, placement=whole(maps, arch, stacked=shape.stacked))
    top, _, bottom, _ = shape.padding
    rows = shape.size[0] << shape.grow[0]
    height = (rows + top + bottom - shape.kernel[0]) // shape.stride[0] + 1
    gap = int(rng.integers(3)) if height * shape.images < 64 else 0
    common: dict[str, Any] = {
        "arch": arch,
        "source": source,
        "kernel": shape.kernel,
        "stride": shape.stride,
        "padding": shape.padding,
        "outside": int(rng.integers(256)),
        "rows": shape.rows or (0, height),
        "patch": shape.patch,
        "output_images": (0, 1) if shape.stacked else (height + gap, int(rng.integers(2))),
        "start": 0,
        "count": 0,
        "grow": shape.grow,
        "zeros": shape.zeros,
    }
    step = (
        conv_of(shape, common, arch, rng)
        if shape.operation is None
        else simd_of(shape, common, arch, rng)
    )
    total = len(step.all_vectors())
    step.start = min(int(shape.part[0] * total), total - 1)
    step.count = max(1, int(shape.part[1] * total) - step.start)
    shorten(step)
    keep_slices(step, rng)
    return step


def whole(maps: Bytes, arch: Arch, *, stacked: bool) -> Placement:
    """Return a placement at base 0 of all rows of the maps."""
    images, height, width, channels = maps.shape
    image_rows, image_columns = (0, 1) if stacked else (height, 0)
    words = channels // arch.word
    columns = width + (images - 1) * image_columns
    return Placement(
        base=0,
        row_pitch=-(-columns // arch.banks) * words,
        channel_words=words,
        image_rows=image_rows,
        image_columns=image_columns,
        first=[0],
        rows=[height + (images - 1) * image_rows],
    )


def conv_of(shape: Shape, common: dict[str, Any], arch: Arch, rng: np.random.Generator) -> Conv:
    """Return a convolution of all vectors."""
    window = shape.kernel[0] * shape.kernel[1] * shape.words
    groups = [cut_window(window, shape.tiles, arch, rng) for _ in range(shape.groups)]
    several = any(len(group) > 1 for group in groups)
    chunk = shape.chunk or (arch.psum_vectors if several else (1 << 16) - 1)
    return Conv(**common, chunk_vectors=chunk, groups=groups, turns=int(rng.integers(8)))


def simd_of(shape: Shape, common: dict[str, Any], arch: Arch, rng: np.random.Generator) -> Simd:
    """Return a SIMD step of all vectors."""
    assert shape.operation is not None
    if shape.operation in PRODUCTS:
        return product_of(shape, common, arch, rng)
    first = int(rng.integers(shape.words))
    second = None
    broadcast = shape.broadcast and shape.operation in TWO_MAPS
    if shape.operation in TWO_MAPS:
        first_map = common["source"].maps
        maps = rng.integers(0, 256, first_map.shape, np.uint8)
        maps = maps[:, :1, :1] if broadcast else maps
        placement = whole(maps, arch, stacked=shape.stacked or broadcast)
        second = StoredMap(maps=maps, placement=placement)
    count = shape.words - first + shape.beyond
    return Simd(
        **common,
        operation=shape.operation,
        words=(first, count),
        second=second,
        broadcast=broadcast,
    )


def product_of(
    shape: Shape, common: dict[str, Any], arch: Arch, rng: np.random.Generator
) -> Product:
    """Return a product of all vectors with a random map b."""
    assert shape.operation is not None
    size, held = arch.word, shape.words // shape.heads
    scores = shape.operation is Operation.SCORES
    pixels = shape.met[0] * shape.met[1]
    assert scores or pixels == held, "VALUES hold a word for C pixels"
    words = shape.words if scores else shape.heads * shape.results
    rows, columns = shape.met[0] * size // 2, 2 * shape.met[1]
    maps = rng.integers(0, 256, (shape.images, rows, columns, words * size), np.uint8)
    results = pixels if scores else shape.results
    total = shape.heads * results
    begin = min(int(shape.own[0] * total), total - 1)
    return Product(
        **common,
        operation=shape.operation,
        words=(begin, max(1, int(shape.own[1] * total) - begin)),
        second=StoredMap(maps=maps, placement=whole(maps, arch, stacked=False)),
        broadcast=True,
        groups=shape.heads,
        results=results,
        held=held,
    )


def shorten(step: Step) -> None:
    """Leave out filter groups and vectors of a step that asks for too many words."""
    while isinstance(step, Conv) and len(step.groups) > 1 and count_words(step) > MOST_WORDS:
        step.groups.pop()
    while step.count > 1 and count_words(step) > 2 * MOST_WORDS:
        step.count //= 2


def count_words(step: Step) -> int:
    """Return the words of a step."""
    return sum(1 for _ in step.walk())


def keep_slices(step: Step, rng: np.random.Generator) -> None:
    """Let the core hold the stored rows that it reads, and perhaps some more, anywhere."""
    _, height, _, _ = step.source.maps.shape
    rows: list[int] = []
    for vector in step.vectors:
        for at in step.positions(vector, 0):
            tops = [at.y * step.stride[0] + ky - step.padding[0] for ky in range(step.kernel[0])]
            tops = [top >> step.grow[0] for top in tops]
            image_row = at.image * step.source.placement.image_rows
            rows += [image_row + top for top in tops if at.active and 0 <= top < height]
    put(step.source, rows, step.arch, rng)
    if isinstance(step, Simd) and step.second is not None:
        if isinstance(step, Product):
            images, height, _, _ = step.second.maps.shape
            rows = list(range(images * height))
        elif step.broadcast:
            rows = [0]
        put(step.second, rows, step.arch, rng)


def put(stored: StoredMap, rows: list[int], arch: Arch, rng: np.random.Generator) -> None:
    """Place the named rows at a random base."""
    old = stored.placement
    low, high = min(rows, default=0), max(rows, default=0)
    low = max(0, low - int(rng.integers(2)))
    size = (high + 1 - low) * old.row_pitch
    assert size <= arch.bank_words, f"{size} words do not fit into a bank of {arch.bank_words}"
    stored.placement = Placement(
        base=int(rng.integers(arch.bank_words - size + 1)),
        row_pitch=old.row_pitch,
        channel_words=old.channel_words,
        image_rows=old.image_rows,
        image_columns=old.image_columns,
        first=[low],
        rows=[high + 1 - low],
    )
    stored.store(arch)


def cut_window(words: int, tiles: int, arch: Arch, rng: np.random.Generator) -> list[Cut]:
    """Cut a window into tiles that the mask ring can hold; some words may be left out between.

    Without masks a word is a row, and a tile has as many as it may have rows.
    """
    most = arch.mask_words if arch.sparse_parts else arch.tile_rows
    tiles = max(min(tiles, words), -(-words // most))
    even = np.linspace(0, words, tiles + 1).astype(int)[1:-1]
    uneven = (
        np.sort(rng.choice(np.arange(1, words), tiles - 1, replace=False)) if tiles > 1 else even
    )
    borders = uneven if words <= most else even
    edges = [0, *borders.tolist(), words]
    cuts = []
    for low, high in pairwise(edges):
        skipped = int(rng.integers(0, 2)) if high - low > 1 else 0
        cuts.append(Cut(low + skipped, high - low - skipped))
    return cuts
