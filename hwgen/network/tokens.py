"""Token ids: the rows of a table that the host looks up are the image.

Tests: `tests/commands/test_tokens.py`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hwgen.errors import DataError
from hwgen.files.given import read_given
from hwgen.network.maps import Complaint, FeatureMap

TOKEN_ROWS, TOKEN_TABLE = "token_rows", "token_table"
"""Names in the network file: the rows, and the name of the table."""
MOST_IDS = 1 << 20
MOST_BYTES = 1 << 28
"""Of a file of ids."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TokenRows:
    """What the host looks up: of each id the channels of one pixel of the image.

    name: of the table in the imported file; rows: uint8, (ids, channels), integers of the image
    """

    name: str
    rows: NDArray[np.uint8]

    def images(self, ids: NDArray[np.int64], image: FeatureMap, source: str) -> NDArray[np.uint8]:
        """Return images of sequences; ids: (sequences, pixels of the image).

        Raises DataError for an id without a row; source: of the ids
        """
        check_ids(ids, len(self.rows), self.name, source)
        found: NDArray[np.uint8] = self.rows[ids].reshape(len(ids), *image.shape)
        return found


def check_ids(ids: NDArray[np.int64], rows: int, table: str, source: str) -> None:
    """Refuse ids outside a table of some rows; source: of the ids."""
    outside = np.argwhere((ids < 0) | (ids >= rows))
    if len(outside):
        line, place = (int(each) for each in outside[0])
        raise DataError(
            f"token {place + 1} of sequence {line + 1} must be from 0 to {rows - 1}, the rows of"
            f" table {table}, got {int(ids[line, place])} ({source})"
        )


def read_ids(path: Path, tokens: int | None = None) -> NDArray[np.int64]:
    """Return the ids of a file, (sequences, tokens): a line a sequence, blanks or commas between.

    tokens: of a sequence; None: as many as the first one has
    Empty lines are left out. Raises DataError for a line of another length, and for what is no id.
    """
    content = read_given(path, what="the ids", allowed="a text", most_bytes=MOST_BYTES)
    text, source = content.decode(errors="replace"), str(path)
    lines: list[list[int]] = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.replace(",", " ").split()
        if not words:
            continue
        wrong = next((word for word in words if not word.lstrip("-").isdecimal()), None)
        if wrong is not None:
            raise DataError(f"line {number} must have ids alone, got {wrong[:40]} ({source})")
        tokens = tokens or len(words)
        if len(words) != tokens:
            raise DataError(f"line {number} must have {tokens} ids, got {len(words)} ({source})")
        lines.append([min(max(int(word[:20]), -1), 1 << 62) for word in words])
    if not lines:
        raise DataError(f"the ids must be at least one line, got none ({source})")
    return np.array(lines, np.int64)


def token_complaints(given: TokenRows, image: FeatureMap) -> Iterator[Complaint]:
    """Check that rows are bytes of the channels of the image."""
    shape = given.rows.shape
    known = given.rows.dtype == np.uint8 and len(shape) == 2 and 0 < shape[0] <= MOST_IDS
    if not known or shape[1] != image.channels or image.bits > given.rows.dtype.itemsize * 8:
        allowed = f"uint8, up to {MOST_IDS} rows of {image.channels}"
        yield TOKEN_ROWS, allowed, f"{given.rows.dtype}, {list(shape)}"
