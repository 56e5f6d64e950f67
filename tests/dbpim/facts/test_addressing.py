"""Stored coordinates, banks and addresses of the words of a map, worked by hand."""

from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from hwgen.dbpim.facts.addressing import channel_words, row_pitch, stored_at, word_address
from hwgen.dbpim.facts.arch import load_arch
from hwgen.dbpim.facts.program import Placement

SMALL = load_arch(Path("configs/dbpim/small.yaml"))
FOUR_BANKS = replace(SMALL, macros_per_core=4)
TWO_SLICES = Placement(
    base=7,
    row_pitch=6,
    channel_words=3,
    image_rows=3,
    image_columns=0,
    first=[0, 2],
    rows=[3, 4],
)
"""Two images of 3 x 5 pixels of 20 channels: the cores share stored row 2."""


@pytest.mark.promise(
    "every word of a map has its own place in each slice; a position vector reads all banks at once"
)
def test_sizes_by_hand() -> None:
    """20 channels are 3 words of 8; 5 columns in 4 banks are 2 a stored row."""
    assert [channel_words(channels, SMALL) for channels in (1, 8, 9, 20)] == [1, 1, 2, 3]
    assert row_pitch(5, 20, FOUR_BANKS) == 6
    assert row_pitch(4, 20, FOUR_BANKS) == 3
    assert TWO_SLICES.words == 4 * 6
    assert replace(TWO_SLICES, rows=[5, 0]).words == 5 * 6


def test_stored_coordinates_by_hand() -> None:
    """Images are stacked along y, and maps of one pixel along x."""
    assert stored_at(TWO_SLICES, image=0, y=2, x=4) == (2, 4)
    assert stored_at(TWO_SLICES, image=2, y=1, x=4) == (7, 4)
    pixels = replace(TWO_SLICES, image_rows=0, image_columns=1)
    assert stored_at(pixels, image=5, y=0, x=0) == (0, 5)


@pytest.mark.parametrize(
    ("core", "row", "column", "word", "place"),
    [
        (0, 0, 0, 0, (0, 7)),
        (0, 0, 3, 2, (3, 9)),
        (0, 0, 4, 0, (0, 10)),
        (0, 1, 0, 0, (2, 13)),
        (0, 1, 2, 2, (0, 15)),
        (0, 2, 4, 1, (0, 23)),
        (1, 2, 4, 1, (0, 11)),
        (1, 5, 1, 0, (3, 25)),
    ],
)
def test_a_word_by_hand(
    core: int, row: int, column: int, word: int, place: tuple[int, int]
) -> None:
    """The bank is (column + 2 * row) mod 4; addresses count from the first row of the slice."""
    at = word_address(TWO_SLICES, FOUR_BANKS, core=core, row=row, column=column, word=word)
    assert at == place


@pytest.mark.parametrize("macros", [1, 2, 4, 8])
def test_every_word_has_its_own_place(macros: int) -> None:
    arch = replace(SMALL, macros_per_core=macros, bus_words=1)
    placement = Placement(
        base=3,
        row_pitch=row_pitch(7, 17, arch),
        channel_words=channel_words(17, arch),
        image_rows=5,
        image_columns=0,
        first=[4],
        rows=[5],
    )
    places = [
        word_address(placement, arch, core=0, row=row, column=column, word=word)
        for row, column, word in product(range(4, 9), range(7), range(3))
    ]
    assert len(set(places)) == 5 * 7 * 3
    assert all(0 <= bank < arch.banks for bank, _ in places)
    assert all(3 <= address < 3 + placement.words for _, address in places)


@pytest.mark.parametrize("macros", [2, 4, 8])
def test_a_position_vector_reads_every_bank_once(macros: int) -> None:
    """Neighbours in x, and patches of 2 rows, are read in one cycle."""
    arch = replace(SMALL, macros_per_core=macros, bus_words=1)
    row, patch = [(0, x) for x in range(macros)], list(product(range(2), range(macros // 2)))
    for positions in (row, patch):
        banks = {
            word_address(TWO_SLICES, arch, core=0, row=y, column=x, word=0)[0] for y, x in positions
        }
        assert banks == set(range(macros))
