"""Differential cells: nothing is lost at the extremes, and effects are those of the page."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from golden.crossbar.devices import levels_of
from golden.crossbar.differential import code_range, encode_pairs, multiply_pairs
from golden.crossbar.effects import ErringCrossbars, Tile
from golden.crossbar.encoding import Ints
from golden.crossbar.read_noise import noise_of
from golden.network import infer
from hwgen.chip.effects import DeviceEffects
from hwgen.crossbar.facts.arch import Arch
from hwgen.crossbar.facts.columns import column_accumulator_bits
from hwgen.crossbar.facts.point import Point
from hwgen.crossbar.model.record import make_arch
from hwgen.network import QuantizedNetwork
from tests.golden.crossbar.test_effects import with_effects
from tests.golden.crossbar.test_encoding import TABLE, WIDTHS, Bits, name_of
from tests.golden.crossbar.test_nonlinear import nonlinear
from tests.verif.crossbar.whole import answers_design, answers_network
from verif.common.drawing import draw_images

PAIRS = [replace(point, cells="differential") for point in TABLE]


def product(weights: Ints, inputs: Ints, point: Point, bits: Bits, *, adc_bits: int) -> Ints:
    """Return products through pairs of cells, DACs, ADCs and accumulators of a point."""
    sizes = point.side, point.cell_bits, bits[1]
    return multiply_pairs(
        encode_pairs(weights, weight_bits=bits[0], cell_bits=point.cell_bits),
        inputs,
        input_bits=bits[1],
        cell_bits=point.cell_bits,
        dac_bits=point.dac_bits,
        adc_bits=adc_bits,
        accumulator_bits=column_accumulator_bits(*sizes, pairs=True),
    )


def extremes(point: Point, bits: Bits) -> Iterator[tuple[Ints, Ints]]:
    """Yield weights and inputs at the ends of their ranges, in full and in single row tiles."""
    low, high = -(2 ** (bits[0] - 1)), 2 ** (bits[0] - 1) - 1
    for rows in (point.side, 1):
        half = np.where(np.arange(rows) % 2, high, low)
        ends = np.stack([np.full(rows, low), np.full(rows, high), half, -high - half], axis=1)
        for inputs in (np.full(rows, 2 ** bits[1] - 1), np.zeros(rows)):
            yield ends.astype(np.int64), inputs.astype(np.int64)


@pytest.mark.promise(
    "differential cells lose nothing with the ADC of any side, cell and DAC, weights of both signs"
    " at their ends among them, and with one bit less they do"
)
@pytest.mark.parametrize("bits", WIDTHS, ids=str)
@pytest.mark.parametrize("point", PAIRS, ids=name_of)
def test_nothing_is_lost_at_the_extremes(point: Point, bits: Bits) -> None:
    draw = np.random.default_rng(1)
    weights = draw.integers(-(2 ** (bits[0] - 1)), 2 ** (bits[0] - 1), (point.side, 3))
    drawn = weights, draw.integers(0, 2 ** bits[1], point.side)
    for weights, inputs in (*extremes(point, bits), drawn):
        found = product(weights, inputs, point, bits, adc_bits=point.adc_bits)
        assert found.tolist() == (inputs @ weights).tolist()


@pytest.mark.parametrize("point", PAIRS, ids=name_of)
def test_one_bit_less_loses(point: Point) -> None:
    """A full column; two bits more than a flipped column needs hold one of either sign."""
    assert point.adc_bits == replace(point, cells="offset").adc_bits + 2
    full, bits = 2**point.cell_bits - 1, (point.cell_bits + 1, point.dac_bits)
    inputs = np.full(point.side, 2**point.dac_bits - 1)
    for sign in (1, -1):
        weights = np.full((point.side, 1), sign * full)
        for less, exact in ((0, True), (1, False)):
            found = product(weights, inputs, point, bits, adc_bits=point.adc_bits - less)
            # A column of -2^n needs no more bits than its code has.
            fits = sign < 0 and (point.cell_bits, point.dac_bits) == (1, 1)
            assert (found.tolist() == (inputs @ weights).tolist()) == (exact or fits)


def test_accumulators_are_no_wider_than_needed() -> None:
    """One bit less wraps at a full column."""
    stored = encode_pairs(np.full((16, 1), 3), weight_bits=3, cell_bits=2)
    sizes = {"input_bits": 6, "cell_bits": 2, "dac_bits": 2, "adc_bits": 12}
    for width, exact in ((13, True), (12, False)):
        found = multiply_pairs(stored, np.full(16, 63), accumulator_bits=width, **sizes)
        assert (found.tolist() == [16 * 63 * 3]) == exact
    assert column_accumulator_bits(16, 2, 6, pairs=True) == 13


def test_cells_lie_side_by_side() -> None:
    """Weights 5, -6 and -128 of 8 bits in cells of 2: slices of the amount, positive first."""
    stored = encode_pairs(np.array([[5, -6], [0, -128]]), weight_bits=8, cell_bits=2)
    assert stored.cells[:, 0].tolist() == [[1, 0, 0, 2], [1, 0, 0, 1], [0] * 4, [0] * 4]
    assert stored.cells[:, 1].tolist() == [[0] * 4, [0] * 4, [0] * 4, [0, 0, 0, 2]]
    assert not stored.flips.any()


def test_codes() -> None:
    assert [code_range(bits) for bits in (0, 1, 2, 8)] == [(0, 0), (-1, 0), (-2, 1), (-128, 127)]


def small(effects: DeviceEffects, *, less: int = 0, seed: int = 1) -> ErringCrossbars:
    """Return the crossbars of a small chip."""
    arch = make_arch(answers_design(less, cells="differential"), "answers", effects=True)
    return ErringCrossbars(answers_network(), arch, effects, seed)


def by_the_page(tile: Tile, positive: Ints, inputs: Ints, chip: ErringCrossbars) -> Ints:
    """Return products of one block an image by the formula of docs/device-effects.md alone.

    positive: levels (rows, slices * columns) of positive cells; inputs: (images, rows)
    """
    arch, bends, gain = chip.arch, chip._bends, chip._gain
    adc_bits = arch.adc_bits - chip.effects.converters.bits_below_lossless
    assert tile.negative is not None and isinstance(arch, Arch)
    levels, half = positive - tile.negative, 1 << (adc_bits - 1)
    total = np.zeros((len(inputs), positive.shape[1]), object)
    for step in range(arch.bit_steps):
        digit = inputs // 2 ** (step * arch.point.dac_bits) % 2**arch.point.dac_bits
        sums = digit @ levels + tile.trimmed.astype(np.int64)
        if gain:
            sums = sums + noise_of(tile.keys, np.array([step]), gain)
        ideal = np.clip((sums + 32) // 64, -half, half - 1)
        code = np.clip((sums + bends[ideal + half] + 32) // 64, -half, half - 1)
        total += code * 2 ** (step * arch.point.dac_bits)
    slices = total.reshape(len(inputs), arch.slices, -1)
    weights = [2 ** (k * arch.point.cell_bits) for k in range(arch.slices)]
    return np.array(sum(slices[:, k] * weight for k, weight in enumerate(weights)), np.int64)


SOME = {
    "cells": with_effects(variation=0.2, stuck_at_full=0.05, voltage_drop=0.1),
    "offset": with_effects(offset_lsb=2.0),
    "trimmed": with_effects(offset_lsb=2.0, variation=0.1, trimmed=True),
    "clipped": with_effects(variation=0.1, bits_below_lossless=6),
    "noise": with_effects(variation=0.1, deviation=1.0),
    "bent": nonlinear(((0, 3.0), (254, -2.5), (258, 1.5)), variation=0.1, offset_lsb=1.0),
}


@pytest.mark.promise(
    "products of differential cells that err are those of the formula of their page: both cells,"
    " signed codes clipped on both sides, offsets, noise and converters that are not linear"
)
@pytest.mark.parametrize("name", SOME)
def test_effects_are_those_of_the_page(name: str) -> None:
    chip = small(SOME[name])
    (tile,) = chip._tiles_of(first(chip), 0, 0)
    inputs = np.random.default_rng(2).integers(0, 256, (50, len(tile.levels)))
    assert tile.negative is not None
    positive = (tile.levels + tile.negative).astype(np.int64)
    assert positive.min() >= 0 and tile.negative.min() >= 0
    wanted = by_the_page(tile, positive, inputs, chip)
    exact = inputs @ chip._sections_of(first(chip))[0].weights
    found = chip._copy(inputs, [tile])
    assert (found == wanted).all() and (found != exact).any()


def first(chip: ErringCrossbars) -> str:
    """Return the first layer with weights."""
    return chip._weighted()[0]


def test_both_cells_of_a_pair_err_by_themselves() -> None:
    """The draws of a tile are those of cells as they lie side by side in a crossbar."""
    chip = small(with_effects(variation=0.3, voltage_drop=0.2), seed=7)
    name = first(chip)
    (tile,), (section,) = chip._tiles_of(name, 0, 0), chip._sections_of(name)
    weights = section.weights.astype(np.int64)
    cells = np.zeros((4, len(weights), 2 * weights.shape[1]), np.int64)
    for k, r, c in np.ndindex(4, *weights.shape):
        cells[k, r, 2 * c + (weights[r, c] < 0)] = abs(weights[r, c]) // 4**k % 4
    rng = np.random.default_rng((7, chip._places[name], 0, 0, 0))
    levels = levels_of(cells, chip.effects.cells, rng, cell_bits=2, side=16)
    assert tile.negative is not None
    for k in range(4):
        own = slice(k * weights.shape[1], (k + 1) * weights.shape[1])
        assert (tile.negative[:, own] == levels[k, :, 1::2]).all()
        assert (tile.levels[:, own] == levels[k, :, ::2] - levels[k, :, 1::2]).all()


def case() -> tuple[QuantizedNetwork, Ints]:
    network = answers_network()
    return network, draw_images(network, 5, seed=3)


def test_without_effects_they_are_exact() -> None:
    network, images = case()
    found = infer(network, images, sums_by=small(with_effects()))
    exact = infer(network, images)
    assert all((found[name] == exact[name]).all() for name in exact)


def test_twice_the_cells_are_written() -> None:
    offset = make_arch(answers_design(), "answers", effects=True)
    plain = ErringCrossbars(answers_network(), offset, with_effects(), 1)
    assert small(with_effects()).cells_written()[0] == 2 * plain.cells_written()[0]
