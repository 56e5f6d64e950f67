"""The image of a call from a token and its position."""

from pathlib import Path

import numpy as np
import pytest

from hwgen.errors import DataError
from hwgen.network.file import load_network
from hwgen.network.maps import byte_map
from hwgen.network.tokens import TokenRows, read_ids, token_complaints

IMAGE = byte_map((1, 1, 2), scale=0.1, zero_point=100, low=0, high=255)
ROWS = TokenRows(
    name="",
    rows=np.array([[256, 0], [-600, 127]], np.int16),
    places=np.array([[0, 1]] * 3, np.int16),
)


def image(token: int, position: int) -> list[int]:
    ids = np.array([[token]])
    return [int(each) for each in ROWS.images(ids, IMAGE, "ids", positions=position).ravel()]


def test_rows_are_added_and_rounded_once() -> None:
    assert image(0, 2) == [101, 100]
    assert image(1, 0) == [98, 101]


def test_a_sequence_begins_with_the_first_position() -> None:
    places = np.array([[0, 0], [512, 0], [1024, 0]], np.int16)
    rows = TokenRows(name="", rows=ROWS.rows, places=places)
    whole = byte_map((3, 1, 2), scale=0.1, zero_point=100, low=0, high=255)
    found = rows.images(np.array([[0, 0, 1]]), whole, "ids")
    assert found[0, :, 0].tolist() == [[101, 100], [103, 100], [102, 100]]


def test_ids_and_positions_without_a_row_are_refused() -> None:
    with pytest.raises(DataError, match="from 0 to 1, the rows of the table, got 2"):
        image(2, 0)
    with pytest.raises(DataError, match="must be at most 3, one a position, got 4"):
        image(0, 3)


def test_a_word_among_ids_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ids.txt").write_text("1, 2\n3 -x4\n", encoding="utf-8")
    with pytest.raises(DataError, match="line 2 must have ids alone, got -x4"):
        read_ids(tmp_path / "ids.txt")


def test_all_sequences_are_as_long_as_the_first_or_as_they_must_be(tmp_path: Path) -> None:
    """Empty lines are no sequences; without a length that of the first line is asked of all."""
    file = tmp_path / "ids.txt"
    file.write_text("\n1, 2\n\n3 4\n", encoding="utf-8")
    assert read_ids(file).tolist() == read_ids(file, 2).tolist() == [[1, 2], [3, 4]]
    with pytest.raises(DataError, match="line 2 must have 3 ids, got 2"):
        read_ids(file, 3)
    file.write_text("1 2\n3 4 5\n", encoding="utf-8")
    with pytest.raises(DataError, match="line 2 must have 2 ids, got 3"):
        read_ids(file)


def test_a_row_for_each_position() -> None:
    assert not list(token_complaints(ROWS, IMAGE, positions=3))
    assert list(token_complaints(ROWS, IMAGE, positions=4))
    bytes_ = TokenRows(name="", rows=ROWS.rows.astype(np.uint8), places=ROWS.places)
    assert list(token_complaints(bytes_, IMAGE, positions=3))


def test_the_shipped_model_has_64_characters_and_128_positions() -> None:
    network = load_network(Path("austen_chars"))
    rows = network.token_rows
    assert rows is not None and rows.places is not None
    assert (rows.rows.shape, rows.places.shape) == ((64, 96), (128, 96))
    assert network.graph.positions == 128
    ops = [layer.op for layer in network.layers]
    assert (ops.count("append"), ops.count("causal_softmax")) == (8, 4)
