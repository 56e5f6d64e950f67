"""The arithmetic of each component by hand."""

from math import ceil

import numpy as np
import pytest

from golden.dbpim.dbmu import dbmu, dense_dbmu, negative_digits, weight_of
from golden.dbpim.weight_decoder import constants, decode, decode_dense
from hwgen.dbpim.facts.program import Placement
from verif.reference.dbpim.activation_buffer import address_of, bank_of, place
from verif.reference.dbpim.adder_tree import adder_tree
from verif.reference.dbpim.compartment import compartment, dense_compartment
from verif.reference.dbpim.ipu import ipu
from verif.reference.dbpim.ppu import ppu
from verif.reference.dbpim.switch import switch


def bytes_of(*values: int) -> np.ndarray:
    return np.array(values, np.uint8)


@pytest.mark.promise(
    "an input bit times every weight code, with each choice of cells, as a term without a sign"
)
@pytest.mark.parametrize(
    ("cells", "weight", "negative"),
    [
        ((4, -1), 3, 1),
        ((-4, 1), -3, 4),
        ((-64, -64), -128, 128),
        ((1, 1), 2, 0),
        ((32, -32), 0, 0),
        ((0, -8), -8, 8),
        ((128, 128), 0, 0),
        ((-128, -64), -192, 192),
    ],
)
def test_dbmu_adds_the_negative_digits(cells: tuple[int, int], weight: int, negative: int) -> None:
    assert (weight_of(cells), negative_digits(cells)) == (weight, negative)
    assert (dbmu(0, cells), dbmu(1, cells)) == (negative, weight + negative)


def test_dense_dbmu() -> None:
    assert [int(dense_dbmu(1, weight)) for weight in (-128, -1, 0, 127)] == [0, 127, 128, 255]
    assert dense_dbmu(0, -5) == 128


def test_compartment_reads_its_row() -> None:
    cells = np.array([[[0, 0], [0, 0]], [[4, -1], [0, 2]]])
    assert compartment(cells, row=1, x=1).tolist() == [4, 2]
    assert compartment(cells, row=1, x=0).tolist() == [1, 0]
    assert dense_compartment(np.array([[7], [-7]]), row=1, x=1).tolist() == [121]


def test_adder_tree() -> None:
    # 67 and -3 of one filter: 64 + 4 - 1 has a negative digit of 1, 1 - 4 one of 4.
    assert adder_tree([68, 1], -5) == 67 - 3
    assert adder_tree([[1, 4], [0, 0]], [-5, 0]).tolist() == [0, 0]


def test_ipu_walks_bit_planes_from_the_highest() -> None:
    group = bytes_of(0b0100_0010, 0, 0b0000_0010, 0b0000_0001)
    assert ipu(group) == [(6, (1, 0, 0, 0)), (1, (1, 0, 1, 0)), (0, (0, 0, 0, 1))]
    everything = ipu(group, skip=False)
    assert [bit for bit, _ in everything] == [7, 6, 5, 4, 3, 2, 1, 0]
    assert [step for step in everything if any(step[1])] == ipu(group)


def test_ipu_extremes() -> None:
    assert ipu(bytes_of(0, 0, 0)) == [(0, (0, 0, 0))]
    assert [bit for bit, _ in ipu(bytes_of(0, 255))] == [7, 6, 5, 4, 3, 2, 1, 0]
    assert ipu(bytes_of(128, 0)) == [(7, (1, 0))]
    assert len(ipu(bytes_of(0, 0), skip=False)) == 8


def test_ppu_shifts_adds_and_wraps() -> None:
    assert ppu([(7, 3), (0, -5)]) == 3 * 128 - 5
    assert ppu([(1, 1)], start=-10) == -8
    assert ppu([], start=7) == 7
    assert ppu([(0, 1)], start=(1 << 31) - 1) == -(1 << 31)
    assert ppu([(0, -1)], start=-(1 << 31)) == (1 << 31) - 1


def test_weight_decoder_by_hand() -> None:
    # 96 = 128 - 32: column 0 {1, -, 2} = 1110, column 1 {1, +, 3} = 1011
    cells = decode(bytes_of(0b1011_1110))
    assert cells.q.tolist() == [1, 1]
    assert cells.negative.tolist() == [1, 0]
    assert cells.index.tolist() == [2, 3]
    assert cells.values.tolist() == [-32, 128]


def test_weight_decoder_order_of_filters() -> None:
    cells = decode(bytes_of(0x10, 0x98))
    assert cells.q.tolist() == [0, 0, 1, 1]
    assert cells.index.tolist() == [0, 1, 0, 1]
    assert cells.values.tolist() == [1, 4, 2, 8]


def test_every_cell_value_occurs() -> None:
    values = decode(np.arange(16, dtype=np.uint8)).values[0::2]
    assert sorted(values) == sorted([sign << i for sign in (-1, 1) for i in range(8)])


def test_dense_weight_decoder() -> None:
    assert decode_dense(bytes_of(0b0000_0101, 128)).tolist() == [1, 0, 1, *[0] * 5, *[0] * 7, 1]
    weights = np.arange(-128, 128).astype(np.int8)
    columns = decode_dense(weights.view(np.uint8)).reshape(256, 8)
    assert (columns @ [1, 2, 4, 8, 16, 32, 64, -128] == weights).all()


def test_constants_take_the_negative_digits_away() -> None:
    # Filter 0: 4 - 1, then -1 - 1 = -2; filter 1: the first cells alone, 1 and -8.
    codes = np.array([[0x14, 0x70], [0x44, 0x2D]], np.uint8)
    enable = np.array([[True, True], [True, False]])
    assert constants(codes, enable).tolist() == [-3, -8]


def test_switch_keeps_order_and_fills_with_zeros() -> None:
    words = np.arange(1, 13, dtype=np.uint8).reshape(3, 4)
    masks = np.array([[1, 0, 1, 1], [0, 0, 0, 0], [1, 1, 0, 1]], bool)
    assert switch(words, masks).tolist() == [[1, 3, 4, 9], [10, 12, 0, 0]]
    assert switch(words, np.ones_like(masks)).tolist() == words.tolist()
    assert switch(words, np.zeros_like(masks)).shape == (0, 4)


@pytest.mark.parametrize("seed", range(5))
def test_switch_of_several_positions(seed: int) -> None:
    rng = np.random.default_rng(seed)
    words = rng.integers(0, 256, (2, 3, 5, 8)).astype(np.uint8)
    masks = rng.random((5, 8)) < rng.random()
    groups = switch(words, masks)
    assert groups.shape == (2, 3, ceil(masks.sum() / 8), 8)
    for position in np.ndindex(2, 3):
        selected = [
            int(byte) for byte, bit in zip(words[position].flat, masks.flat, strict=True) if bit
        ]
        assert groups[position].flatten().tolist() == selected + [0] * (
            groups[position].size - len(selected)
        )


def test_neighbours_are_in_different_banks() -> None:
    assert [bank_of(0, x, banks=4) for x in range(5)] == [0, 1, 2, 3, 0]
    assert {bank_of(y, x, banks=4) for y in range(2) for x in range(2)} == {0, 1, 2, 3}
    assert [bank_of(y, 0, banks=2) for y in range(3)] == [0, 1, 0]
    assert [bank_of(y, 3, banks=1) for y in range(3)] == [0, 0, 0]


@pytest.mark.parametrize("banks", [1, 2, 4, 8])
def test_every_word_of_a_slice_has_its_own_place(banks: int) -> None:
    images, height, width, word_channels = 2, 3, 5, 4
    pitch = ceil(width / banks) * 2
    placement = Placement(
        base=10,
        row_pitch=pitch,
        channel_words=2,
        image_rows=height,
        image_columns=0,
        first=[0, 2],
        rows=[2, 3],
    )
    maps = np.arange(1, 181, dtype=np.uint8).reshape(images, height, width, 6)
    words = place(maps, placement=placement, core=1, word_channels=word_channels, banks=banks)
    assert len(words) == 3 * width * 2
    assert all(10 <= address < 10 + placement.words for _, address in words)
    row, column = height + 1, 2
    address = address_of(row, column, 1, placement=placement, core=1, banks=banks)
    assert words[bank_of(row, column, banks=banks), address] == (*maps[1, 1, 2, 4:].tolist(), 0, 0)
