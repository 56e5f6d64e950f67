"""Pieces of windows behind a concatenation: every row once, and the reads that are charged."""

import math
import random

import pytest

from hwgen.crossbar.facts.columns import Shares, pieces_of, rows_in_order, whole_pieces
from hwgen.crossbar.facts.holdings import Cut, cut_of
from hwgen.crossbar.facts.network import CrossbarLayer
from hwgen.crossbar.facts.ports import tile_reads, window_reads, words_of_run
from tests.crossbar.model.layers import conv, fc, pool

WORD = 16


def random_layer(rng: random.Random) -> tuple[CrossbarLayer, Shares]:
    """Return a layer that reads two or three maps."""
    shares = tuple(rng.choice((1, 3, 4, 5, 8, 16, 20)) for _ in range(rng.choice((2, 2, 3))))
    inputs, providers = sum(shares), tuple(range(len(shares)))
    if rng.random() < 0.2:
        return fc("read", providers, (9 * inputs, 10)), shares
    kernel, groups = rng.choice((1, 3, 5)), rng.choice((1, 1, inputs))
    window = (kernel, 1, kernel // 2)
    channels = inputs, 2 * inputs
    return conv("read", providers, channels, (8, 8), window=window, groups=groups), shares


def cuts(seed: int) -> tuple[CrossbarLayer, Shares, Cut]:
    """Return a layer in crossbars of a random side."""
    rng = random.Random(seed)
    layer, shares = random_layer(rng)
    return layer, shares, cut_of(layer, rng.choice((16, 32, 64)), 4)


@pytest.mark.promise(
    "behind a concatenation each crossbar holds its own rows, and rings are read as often as"
    " charged"
)
@pytest.mark.parametrize("seed", range(100))
def test_each_crossbar_holds_its_own_rows_in_another_order(seed: int) -> None:
    layer, shares, cut = cuts(seed)
    for section in range(cut.sections):
        rows = rows_in_order(layer, cut, shares, section)
        assert len(rows) == cut.groups_of(section) * cut.group_rows
        for first in range(0, len(rows), cut.side):
            own = sorted(rows[first : first + cut.side])
            assert own == list(range(first, first + len(own)))


@pytest.mark.parametrize("seed", range(100))
def test_reads_are_those_that_are_charged(seed: int) -> None:
    layer, shares, cut = cuts(seed)
    found = [0] * cut.row_tiles
    for one in pieces_of(layer, cut, shares):
        unit = math.gcd(shares[one.ring], one.begin)
        found[one.row_tile] += words_of_run(one.length, unit, WORD)
    charged = tile_reads(layer, cut, WORD, shares)
    assert all(own <= most for own, most in zip(found, charged, strict=True))
    assert cut.groups > 1 or found == charged


def test_a_pooling_reads_each_map_row_by_row() -> None:
    layer = pool("read", (0, 1), 25, (8, 4), window=(3, 2, 1))
    pieces = whole_pieces(layer, (5, 20))
    assert [(one.ring, one.kernel_row, one.length, one.row) for one in pieces] == [
        (ring, row, 3 * channels, 75 * row + 15 * ring)
        for row in range(3)
        for ring, channels in enumerate((5, 20))
    ]
    words = [words_of_run(one.length, (5, 20)[one.ring], WORD) for one in pieces]
    assert sum(words) == window_reads(layer, WORD, (5, 20))


def test_two_maps_by_hand() -> None:
    """Two pixels of 1 + 2 channels in crossbars of 4 rows: 0 | 3, 1 2 and then 4 5."""
    layer = conv("read", (0, 1), (3, 1), (2, 1), window=(2, 1, 0))
    cut = cut_of(layer, 4, 1)
    assert rows_in_order(layer, cut, (1, 2), 0) == [0, 3, 1, 2, 4, 5, 6, 7, 9, 8, 10, 11]
