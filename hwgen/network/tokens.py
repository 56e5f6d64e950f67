"""Token ids: the rows of a table that the host looks up are the image, alone or by their places.

Tests: `tests/commands/test_tokens.py`, `tests/network/test_tokens.py`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.errors import DataError
from hwgen.files.given import read_given
from hwgen.network.maps import Complaint, FeatureMap

TOKEN_ROWS, TOKEN_TABLE, TOKEN_PLACES = "token_rows", "token_table", "token_places"
"""Names in the network file: the rows, the name of their table, and the rows of positions."""
PLACES = 8
"""Bits behind the point of both tables where positions have rows, in steps of the image."""
PLACED = (
    "the row of the token plus that of its place, over 256, to the nearest integer, plus the "
    "zero point"
)
"""How ids become the image then."""
MOST_IDS = 1 << 20
MOST_BYTES = 1 << 28
"""Of a file of ids."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TokenRows:
    """What the host looks up: of each id the channels of one pixel of the image.

    name: of the table in the imported file; empty: none
    rows: (ids, channels); uint8, integers of the image, or int16 or int32 where positions have rows
    places: of the type of rows, (positions, channels): element = clip(((row + place + 128) >> 8) +
        zero point); None: no position matters
    """

    name: str
    rows: NDArray[Any]
    places: NDArray[Any] | None = None

    def images(
        self,
        ids: NDArray[np.int64],
        image: FeatureMap,
        source: str,
        *,
        positions: NDArray[np.int64] | int | None = None,
    ) -> NDArray[np.uint8]:
        """Return images of sequences; ids: (sequences, pixels of the image).

        positions: of ids, as their shape or one; None: each sequence begins with the first
        Raises DataError for an id without a row, and for a position; source: of the ids
        """
        check_ids(ids, len(self.rows), self.name, source)
        found = self.rows[ids]
        if self.places is not None:
            places = np.arange(ids.shape[1]) if positions is None else np.asarray(positions)
            if (last := places.max(initial=0)) >= (most := len(self.places)):
                given = f"at most {most}, one a position, got {last + 1}"
                raise DataError(f"the ids must be {given} ({source})")
            found = integers_of(found.astype(np.int64) + self.places[places], image)
        made: NDArray[np.uint8] = found.astype(np.uint8).reshape(len(ids), *image.shape)
        return made

    def completed(self, tokens: NDArray[Any], image: FeatureMap) -> NDArray[Any]:
        """Return integers of tokens from position 0 on, (tokens, channels), with all channels.

        Those that they lack are of the positions alone.
        """
        count, width = tokens.shape
        if self.places is not None and width < image.channels:
            further = integers_of(self.places[np.arange(count) % len(self.places), width:], image)
            tokens = np.concatenate([tokens, further.astype(tokens.dtype)], axis=1)
        return tokens


def integers_of(steps: NDArray[Any], image: FeatureMap) -> NDArray[Any]:
    """Return sums of a row and a place as integers of the image."""
    values = image.quantization[0]
    found = (steps + (1 << PLACES - 1) >> PLACES) + values.zero_point
    return found.clip(values.low, values.high)


def check_ids(
    ids: NDArray[np.int64], rows: int, table: str, source: str, *, first: int = 1
) -> None:
    """Refuse ids outside a table of some rows; source: of the ids; first: number of their line."""
    outside = np.argwhere((ids < 0) | (ids >= rows))
    if len(outside):
        line, place = (int(each) for each in outside[0])
        raise DataError(
            f"token {place + 1} of line {line + first} must be from 0 to {rows - 1}, the rows of"
            f" {f'table {table}' if table else 'the table'}, got {int(ids[line, place])} ({source})"
        )


def read_ids(
    path: Path, tokens: int | None = None, *, table: TokenRows | None = None
) -> NDArray[np.int64]:
    """Return the ids of a file, (sequences, tokens): a line a sequence, blanks or commas between.

    tokens: of a sequence; None: as many as the first one has; table: that each id has a row of
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
        if table is not None:
            check_ids(np.array(lines[-1:]), len(table.rows), table.name, source, first=number)
    if not lines:
        raise DataError(f"the ids must be at least one line, got none ({source})")
    return np.array(lines, np.int64)


def token_complaints(given: TokenRows, image: FeatureMap, *, positions: int) -> Iterator[Complaint]:
    """Check that rows are of the channels of the image, and those of all its positions."""
    placed, shape = given.places is not None, given.rows.shape
    wide = placed and given.rows.dtype == np.int32
    kind = np.dtype((np.int32 if wide else np.int16) if placed else np.uint8)
    known = given.rows.dtype == kind and len(shape) == 2 and 0 < shape[0] <= MOST_IDS
    if not known or shape[1] != image.channels or image.bits > 8:
        allowed = f"{kind}, up to {MOST_IDS} rows of {image.channels}"
        yield TOKEN_ROWS, allowed, f"{given.rows.dtype}, {list(shape)}"
    if given.places is None:
        return
    wanted = (positions or image.height * image.width, image.channels)
    if given.places.dtype != kind or given.places.shape != wanted:
        shown = f"{given.places.dtype} of shape {given.places.shape}"
        yield TOKEN_PLACES, f"{kind} of shape {wanted}", shown
