"""The encoding of weights loses nothing with the ADC of each point; with one bit less it does."""

import itertools
import random

import numpy as np
import pytest

from golden.crossbar.encoding import Ints, digits_of, encode, multiply
from hwgen.crossbar.facts.columns import (
    column_accumulator_bits,
    column_sum_most,
    input_sum_bits,
    partial_sum_bits,
)
from hwgen.crossbar.facts.components import load_components
from hwgen.crossbar.facts.point import Point
from hwgen.errors import ConfigError
from tests.synthesis import COMPONENTS, COMPONENTS_FILE

Bits = tuple[int, int]
"""Of weights, of inputs."""

WIDTHS: tuple[Bits, ...] = ((16, 16), (8, 8), (5, 7))

SMALL = load_components(COMPONENTS_FILE.parent / "small.yaml")

TABLE = [
    Point(rram_ratio=None, cell_bits=cell, side=size.side, dac_bits=dac.bits)
    for size in (*SMALL.crossbars.sizes, *COMPONENTS.crossbars.sizes)
    for cell in COMPONENTS.crossbars.cell_bits
    for dac in COMPONENTS.dacs.resolutions
]
"""Every side, cell and DAC of the component tables, those without an ADC in them too."""


def name_of(point: Point) -> str:
    return f"{point.side}-{point.cell_bits}-{point.dac_bits}"


def product(weights: Ints, inputs: Ints, point: Point, bits: Bits, *, adc_bits: int) -> Ints:
    """Return products through cells, DACs, ADCs and accumulators of a point."""
    stored = encode(weights, weight_bits=bits[0], cell_bits=point.cell_bits)
    return multiply(
        stored,
        inputs,
        weight_bits=bits[0],
        input_bits=bits[1],
        cell_bits=point.cell_bits,
        dac_bits=point.dac_bits,
        adc_bits=adc_bits,
        accumulator_bits=column_accumulator_bits(point.side, point.cell_bits, bits[1]),
    )


def fullest_columns(rows: int, point: Point, weight_bits: int) -> Ints:
    """Return (rows, 4) weights whose columns sum to the most that is not flipped, or to the least.

    In one column the top slice of half of the rows is full, in another that of all rows but these;
    the other two hold the greatest and the least weight.
    """
    low, high = -(2 ** (weight_bits - 1)), 2 ** (weight_bits - 1) - 1
    half = np.arange(rows) < rows // 2
    columns = [np.where(half, high, low), np.where(half, low, high)]
    return np.stack([*columns, np.full(rows, high), np.full(rows, low)], axis=1).astype(np.int64)


def extremes(point: Point, bits: Bits) -> list[tuple[Ints, Ints]]:
    """Return weights and inputs at the ends of their ranges, in full and in odd row tiles."""
    most = 2 ** bits[1] - 1
    cases = []
    for rows in (point.side, point.side - 1, 1):
        weights = fullest_columns(rows, point, bits[0])
        half = np.where(np.arange(rows) < rows // 2, most, 0)
        for inputs in (np.full(rows, most), np.zeros(rows, np.int64), half, most - half):
            cases.append((weights, inputs.astype(np.int64)))
    return cases


@pytest.mark.promise(
    "the encoding of weights loses nothing with the ADC of any side, cell and DAC, and with one"
    " bit less it does"
)
@pytest.mark.parametrize("bits", WIDTHS, ids=str)
@pytest.mark.parametrize("point", TABLE, ids=name_of)
def test_nothing_is_lost_at_the_extremes(point: Point, bits: Bits) -> None:
    draw = np.random.default_rng(1)
    low, high = -(2 ** (bits[0] - 1)), 2 ** (bits[0] - 1)
    weights = draw.integers(low, high, (point.side, 3))
    cases = [*extremes(point, bits), (weights, draw.integers(0, 2 ** bits[1], point.side))]
    for weights, inputs in cases:
        found = product(weights, inputs, point, bits, adc_bits=point.adc_bits)
        assert found.tolist() == (inputs @ weights).tolist()


@pytest.mark.parametrize("point", TABLE, ids=name_of)
def test_one_bit_less_loses(point: Point) -> None:
    bits = (point.cell_bits, point.dac_bits)
    weights = fullest_columns(point.side, point, bits[0])
    inputs = np.full(point.side, 2**point.dac_bits - 1)
    exact = inputs @ weights
    found = product(weights, inputs, point, bits, adc_bits=point.adc_bits)
    assert found.tolist() == exact.tolist()
    found = product(weights, inputs, point, bits, adc_bits=point.adc_bits - 1)
    assert found.tolist() != exact.tolist()


@pytest.mark.parametrize("point", TABLE, ids=name_of)
def test_the_greatest_sum_of_a_column_is_within_the_adc_by_less_than_a_bit(point: Point) -> None:
    most = column_sum_most(point.side, point.cell_bits, point.dac_bits)
    assert 2 ** (point.adc_bits - 1) <= most < 2**point.adc_bits
    # Without flips every cell may be full.
    plain = point.side * (2**point.cell_bits - 1) * (2**point.dac_bits - 1)
    assert 2**point.adc_bits <= plain < 2 ** (point.adc_bits + 1)


@pytest.mark.parametrize("cell_bits", [1, 2])
def test_no_column_of_four_rows_sums_to_more_than_half(cell_bits: int) -> None:
    """Every column of four cells, enumerated: the greatest sum is reached, and not exceeded."""
    columns = list(itertools.product(range(2**cell_bits), repeat=4))
    weights = np.array(columns).T - 2 ** (cell_bits - 1)
    stored = encode(weights, weight_bits=cell_bits, cell_bits=cell_bits)
    sums = stored.cells.sum(axis=1)
    assert sums.max() == column_sum_most(4, cell_bits, 1)
    back = np.where(stored.flips[:, None, :] == 1, 2**cell_bits - 1 - stored.cells, stored.cells)
    assert back[0].T.tolist() == [list(column) for column in columns]


def test_accumulators_are_no_wider_than_needed() -> None:
    """One bit less wraps at the greatest sum of a flipped column."""
    point = Point(rram_ratio=None, cell_bits=2, side=16, dac_bits=2)
    bits = (4, 6)
    weights = np.full((16, 1), 7)
    inputs = np.full(16, 63)
    stored = encode(weights, weight_bits=4, cell_bits=2)
    needed = column_accumulator_bits(16, 2, 6)
    for width, exact in ((needed, True), (needed - 1, False)):
        found = multiply(
            stored,
            inputs,
            weight_bits=4,
            input_bits=6,
            cell_bits=2,
            dac_bits=2,
            adc_bits=point.adc_bits,
            accumulator_bits=width,
        )
        assert (found.tolist() == (inputs @ weights).tolist()) == exact
    assert product(weights, inputs, point, bits, adc_bits=point.adc_bits)[0] == 16 * 7 * 63


def test_digits_of_inputs_by_hand() -> None:
    digits = digits_of(np.array([0b1011001, 127]), input_bits=7, dac_bits=2)
    assert digits.tolist() == [[1, 3], [2, 3], [1, 3], [1, 1]]


def test_the_sum_of_inputs_and_partial_sums_have_room() -> None:
    most = 128 * (2**16 - 1)
    assert most.bit_length() == input_sum_bits(128, 16)
    for rows, bits in ((9, 32), (9216, 48), (2**16, 48), (2**16 + 1, 64)):
        width = 8 if bits == 32 else 16
        assert partial_sum_bits(rows, width, width) == bits
    draw = random.Random(3)
    for _ in range(100):
        rows, weight, data = draw.randint(1, 30000), draw.randint(2, 16), draw.randint(1, 16)
        bits = partial_sum_bits(rows, weight, data)
        most = rows * 2 ** (weight - 1) * (2**data - 1)
        assert most <= 2 ** (bits - 1)
    with pytest.raises(ConfigError, match="at most 64 bits"):
        partial_sum_bits(2**40, 16, 16)
