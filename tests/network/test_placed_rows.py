"""The image of a call from a token and its position."""

from pathlib import Path

import numpy as np

from hwgen.network.file import load_network
from hwgen.network.maps import byte_map
from hwgen.network.placed_rows import PlacedRows, placed_complaints

IMAGE = byte_map((1, 1, 2), scale=0.1, zero_point=100, low=0, high=255)
ROWS = PlacedRows(np.array([[256, 0], [-600, 127]], np.int16), np.array([[0, 1]] * 3, np.int16))


def test_rows_are_added_and_rounded_once() -> None:
    assert ROWS.image(IMAGE, 0, 2).ravel().tolist() == [101, 100]
    assert ROWS.image(IMAGE, 1, 0).ravel().tolist() == [98, 101]


def test_a_row_for_each_class_and_each_position() -> None:
    assert not list(placed_complaints(ROWS, IMAGE, classes=2, positions=3))
    assert list(placed_complaints(ROWS, IMAGE, classes=2, positions=4))
    assert list(placed_complaints(ROWS, IMAGE, classes=3, positions=3))


def test_the_shipped_model_has_64_characters_and_128_positions() -> None:
    network = load_network(Path("austen_chars"))
    assert network.placed_rows is not None
    assert network.placed_rows.tokens.shape == (64, 96)
    assert network.graph.positions == 128
    ops = [layer.op for layer in network.layers]
    assert (ops.count("append"), ops.count("causal_softmax")) == (8, 4)
