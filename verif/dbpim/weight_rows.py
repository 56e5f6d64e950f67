"""Rows of weights as the ports of a core and of a macro take them, by golden."""

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


def row_words(
    codes: NDArray[np.uint8], counts: NDArray[np.bool_], arch: Arch, *, double: bool = False
) -> tuple[int, int]:
    """Return cells and metadata of a row; codes: (compartments, filters), counts: (filters, 2).

    double: the cells of a code are of two filter groups
    """
    if not arch.sparsity.weight_bits:
        return pack(decode_dense(codes).ravel().tolist(), bits=1), 0
    cells, entry = decode(codes), cell_meta()
    entries = [
        entry.const({"index": int(index), "negative": int(negative)}).as_bits()
        for index, negative in zip(cells.index.ravel(), cells.negative.ravel(), strict=True)
    ]
    meta = pack(entries, bits=entry.size)
    own = pair_constants(codes, counts).ravel() if double else constants(codes, counts)
    added = pack(own.tolist(), bits=dot_shape(arch).width)
    return (
        pack(cells.q.ravel().tolist(), bits=1),
        meta | added << row_meta(arch)["constants"].offset,
    )
