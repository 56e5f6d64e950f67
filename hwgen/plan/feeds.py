"""Calls of a file: of images as the network reads them, or drawn.

Tests: `tests/plan/test_cut.py`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.errors import DataError
from hwgen.plan.file import PlanTensor
from hwgen.plan.units import Tensors

SIGNED = 128
"""What unsigned integers of a signed input are above it."""


def feeds_of(tensors: Sequence[PlanTensor], images: NDArray[Any], source: str) -> list[Tensors]:
    """Return images, (images, rows, columns, channels), as calls of a file with one input.

    Bytes are the integers of an input of integers, those of a signed one and 128; of one of real
    numbers a step is 1 / 255.
    Images in the order of the file are taken as they are.
    """
    (given,) = tensors
    batch, kind = given.sides[0], np.dtype(given.type)
    wanted = given.sides[1:]
    if given.layout == "planes":
        wanted = (*(*given.sides[2:], 1, 1)[:2], given.sides[1])
    elif given.layout == "tokens":
        wanted = (given.sides[1], 1, given.sides[2])
    if images.shape[1:] not in (wanted, given.sides[1:]) or len(images) < batch:
        allowed = f"at least {batch} of shape {tuple(wanted)}"
        raise DataError(f"the images must be {allowed}, got {images.shape} ({source})")
    real = images
    if images.dtype == np.uint8 and kind.kind == "f":
        real = images.astype(kind) / kind.type(255)
    if images.shape[1:] == wanted != given.sides[1:] and given.layout == "planes":
        real = real.transpose(0, 3, 1, 2)
    real = real.reshape(len(real), *given.sides[1:])
    if kind == np.int8 and images.dtype == np.uint8:
        real = real.astype(np.int16) - SIGNED
    if kind.kind in "iu" and real.dtype != kind:
        limits = np.iinfo(kind)
        real = np.rint(real.astype(np.float64)).clip(limits.min, limits.max)
    firsts = range(0, len(real) - batch + 1, batch)
    return [{given.name: np.ascontiguousarray(real[k : k + batch]).astype(kind)} for k in firsts]


def drawn_feeds(tensors: Sequence[PlanTensor], count: int, seed: int) -> list[Tensors]:
    """Return drawn calls: integers over their whole range, ids of 0 and 1, real numbers normal.

    Real numbers are of three sizes in turn: 1, 0.1 and 4 times.
    """
    random, sizes = np.random.default_rng(seed), (1.0, 0.1, 4.0)

    def drawn(tensor: PlanTensor, size: float) -> Any:
        kind = np.dtype(tensor.type)
        if kind.kind == "f":
            return (random.normal(size=tensor.sides) * size).astype(kind)
        if kind.itemsize == 1 and kind.kind in "iu":
            limits = np.iinfo(kind)
            return random.integers(limits.min, limits.max + 1, tensor.sides).astype(kind)
        return random.integers(0, 2, tensor.sides).astype(kind)

    return [
        {each.name: drawn(each, sizes[call % len(sizes)]) for each in tensors}
        for call in range(count)
    ]
