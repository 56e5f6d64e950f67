"""Reference of `hwgen.dbpim.rtl.load_writer`: the words that a LOAD makes of bytes in memory.

Tests: `tests/verif/dbpim/test_parts.py`.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]


def packed_words(content: Bytes, fields: Mapping[str, int], *, word_channels: int) -> Bytes:
    """Return (rows, columns, C): the words of packed pixels, each with a window of neighbours.

    content: the pixels of all rows without gaps, maybe more; fields: of the LOAD, by name
    """
    rows, width, size = (fields[name] for name in ("rows", "memory_columns", "pixel_bytes"))
    count, step = fields["window_pixels"], fields["window_stride"]
    pixels = content[: rows * width * size].reshape(rows, width, size)
    before, last = fields["window_padding"], (fields["columns"] - 1) * step + count
    around = ((0, 0), (before, max(0, last - before - width)), (0, 0))
    wide = np.pad(
        pixels[:, :, : fields["pixel_channels"]], around, constant_values=fields["window_value"]
    )
    windows = np.stack([wide[:, n : n + last : step][:, : fields["columns"]] for n in range(count)])
    flat = windows.transpose(1, 2, 0, 3).reshape(rows, fields["columns"], -1)
    return np.pad(flat, ((0, 0), (0, 0), (0, word_channels - flat.shape[2])))


def whole_words(content: Bytes, fields: Mapping[str, int], *, word_channels: int) -> Bytes:
    """Return (rows, columns, channel words, C): the words in the order of the memory."""
    shape = *(fields[n] for n in ("rows", "columns", "output_channel_words")), word_channels
    return content[: int(np.prod(shape))].reshape(shape)
