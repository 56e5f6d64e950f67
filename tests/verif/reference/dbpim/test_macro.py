"""A macro from the meaning of its cells, and the same number from its parts bit by bit."""

import numpy as np
import pytest

from golden.dbpim.weight_decoder import constants, decode, pair_constants
from hwgen.network.csd import cells
from verif.reference.dbpim.adder_tree import adder_tree
from verif.reference.dbpim.compartment import compartment, dense_compartment
from verif.reference.dbpim.ipu import ipu
from verif.reference.dbpim.macro import dense_macro, macro, pair_macro
from verif.reference.dbpim.ppu import ppu
from verif.reference.dbpim.switch import switch


def test_two_inputs_by_hand() -> None:
    # Filter 0: 96 = -32 + 128, filter 1: column 0 alone, 2
    codes = np.array([[[0b1011_1110, 0xF8], [0, 0xF8]]], np.uint8)
    enable = np.array([[True, True], [True, False]])
    assert macro(codes, np.array([[3, 0]], np.uint8), filter_enable=enable).tolist() == [288, 6]
    # Code 0 is two cells of +1: it counts, so that zero needs a code of two cells.
    assert macro(codes, np.array([[0, 5]], np.uint8), filter_enable=enable).tolist() == [10, 10]


def test_dense_by_hand() -> None:
    codes = np.array([[[255, 128], [127, 1]]], np.uint8)
    enable = np.array([[True, False], [True, True]])
    assert dense_macro(codes, np.array([[2, 10]], np.uint8), filter_enable=enable).tolist() == [
        1268,
        -246,
    ]


@pytest.mark.promise(
    "two filter groups of one digit share the rows of a tile, each in cells of its own; what a"
    " group lacks adds nothing"
)
def test_two_groups_by_hand() -> None:
    # Low cells are of the first group: -32, then 1; high ones 128, which is none, and -128.
    codes = np.array([[[0b1011_1110], [0b1111_0000]]], np.uint8)
    both = np.array([[True, True]])
    assert pair_macro(codes, np.array([[3, 5]], np.uint8), filter_enable=both).tolist() == [
        3 * -32 + 5,
        5 * -128,
    ]
    first = np.array([[True, False]])
    assert pair_macro(codes, np.array([[3, 5]], np.uint8), filter_enable=first).tolist() == [-91, 0]
    assert pair_constants(codes[0], both).tolist() == [[-32], [-128]]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("skip", [True, False])
def test_parts_add_up_to_the_meaning(seed: int, skip: bool) -> None:
    rng = np.random.default_rng(seed)
    rows, compartments, filters = 3, 4, 4
    codes = rng.integers(0, 256, (rows, compartments, filters)).astype(np.uint8)
    groups = rng.integers(0, 256, (rows, compartments)) & rng.choice([0, 0x24, 0xFF], (rows, 1))
    enable = rng.random((filters, 2)) < 0.7
    cells = decode(codes).values.reshape(*codes.shape, 2) * enable
    steps: list[list[tuple[int, int]]] = [[] for _ in range(filters)]
    for row, group in enumerate(groups.astype(np.uint8)):
        for bit, xs in ipu(group, skip=skip):
            terms = [compartment(cells[:, c], row=row, x=x) for c, x in enumerate(xs)]
            sums = adder_tree(np.array(terms).T, constants(codes[row], enable))
            for f in range(filters):
                steps[f].append((bit, int(sums[f])))
    meant = macro(codes, groups.astype(np.uint8), filter_enable=enable)
    assert [ppu(each) for each in steps] == meant.tolist()


@pytest.mark.parametrize("seed", range(3))
def test_dense_parts_add_up_to_the_meaning(seed: int) -> None:
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 256, (2, 4, 2)).astype(np.uint8)
    groups = rng.integers(0, 256, (2, 4)).astype(np.uint8)
    enable = np.array([[True, True], [seed > 0, seed > 0]])
    weights = codes.view(np.int8).astype(int) * enable[:, 0]
    steps: list[list[tuple[int, int]]] = [[], []]
    for row, group in enumerate(groups):
        for bit, xs in ipu(group):
            terms = [dense_compartment(weights[:, c], row=row, x=x) for c, x in enumerate(xs)]
            sums = adder_tree(np.array(terms).T, -len(xs) * 128)
            for f in range(2):
                steps[f].append((bit, int(sums[f])))
    assert [ppu(each) for each in steps] == dense_macro(
        codes, groups, filter_enable=enable
    ).tolist()


@pytest.mark.parametrize("columns", [1, 2])
def test_pruned_filters_through_switch_and_macro(columns: int) -> None:
    """Masked inputs are skipped and short groups filled: the sum is that of the whole filter."""
    rng = np.random.default_rng(columns)
    values = [1, -2, 64, -128] if columns == 1 else [0, 1, -1, 3, 96, -96, 127, -128, 40]
    masks = rng.random((5, 4)) < 0.5
    weights = np.where(masks.ravel(), rng.choice(values, (2, 20)), 0)
    words = rng.integers(0, 256, (5, 4)).astype(np.uint8)
    groups = switch(words, masks)
    codes = np.zeros((*groups.shape, 2), np.uint8)
    for f, filter_ in enumerate(weights[:, masks.ravel()]):
        for at, weight in enumerate(filter_.tolist()):
            for column, cell in enumerate(cells(weight, columns=columns)):
                nibble = cell.q << 3 | cell.negative << 2 | cell.index
                codes[*divmod(at, 4), f] |= nibble << (4 * column)
    enable = np.array([[True, columns == 2]] * 2)
    assert macro(codes, groups, filter_enable=enable).tolist() == (weights @ words.ravel()).tolist()
