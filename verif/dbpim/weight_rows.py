"""Rows of weights as the ports of a core and of a macro take them, by golden."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from golden.dbpim.weight_decoder import constants, decode, decode_dense, pair_constants
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.rtl.layouts import cell_meta, dot_shape, row_meta
from verif.common.packing import pack


def enables(filter_enable: int, arch: Arch) -> NDArray[np.bool_]:
    """Return the cells that count, (filters, 2), of a tile's field `filter_enable`."""
    bits = np.array([filter_enable >> place & 1 for place in range(2 * arch.filters)])
    return bits.astype(bool).reshape(arch.filters, 2)


@cache
def meta_word(index: int, negative: int) -> int:
    """Return the metadata of a cell: the place of its digit, and whether that is negative."""
    return int(cell_meta().const({"index": index, "negative": negative}).as_bits())


def random_codes(rng: np.random.Generator, shape: tuple[int, ...], arch: Arch) -> NDArray[np.uint8]:
    """Return any weight codes of a chip."""
    codes = rng.integers(0, 256, shape, np.uint8)
    return of_weights(codes.view(np.int8) >> 8 - arch.macro.weight_bits)


def every_code(arch: Arch) -> NDArray[np.uint8]:
    """Return each weight code of a chip once."""
    half = 1 << arch.macro.weight_bits - 1
    return np.sort(of_weights(np.arange(-half, half)))


def of_weights(weights: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Return the codes of a chip without digits: its weights as bytes."""
    return weights.astype(np.int8).view(np.uint8)


def row_words(
    codes: NDArray[np.uint8], counts: NDArray[np.bool_], arch: Arch, *, double: bool = False
) -> tuple[int, int]:
    """Return cells and metadata of a row; codes: (compartments, filters), counts: (filters, 2).

    double: the cells of a code are of two filter groups
    """
    if not arch.sparsity.weight_bits:
        bits = decode_dense(codes, bits=arch.macro.weight_bits)
        return pack(bits.ravel().tolist(), bits=1), 0
    cells = decode(codes)
    indices, negatives = cells.index.ravel().tolist(), cells.negative.ravel().tolist()
    entries = [meta_word(*each) for each in zip(indices, negatives, strict=True)]
    meta = pack(entries, bits=cell_meta().size)
    own = pair_constants(codes, counts).ravel() if double else constants(codes, counts)
    added = pack(own.tolist(), bits=dot_shape(arch).width)
    return (
        pack(cells.q.ravel().tolist(), bits=1),
        meta | added << row_meta(arch)["constants"].offset,
    )
