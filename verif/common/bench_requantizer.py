"""Bench of `requantizer`: vectors worked by hand, corners and random pairs of every rounding."""

import os
from itertools import pairwise, product
from typing import Any, NamedTuple

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly
from numpy.typing import NDArray

from golden.ops.requantize import requantize
from hwgen.network.quantization import (
    ACCUMULATOR_HIGH,
    ACCUMULATOR_LOW,
    ANY_SUMS,
    FACTORS,
    ROUNDING_CODES,
    SIGNIFICANT_BITS,
    VECTORS,
    Factors,
    Rounding,
)
from verif.coverage import Corners
from verif.stream import reset

ROUNDINGS, BITS, COUNT = "REQUANTIZER_ROUNDINGS", "REQUANTIZER_BITS", "REQUANTIZER_VECTORS"
STAGES = "REQUANTIZER_STAGES"
"""Environment: roundings of the part, separated by commas; bits of its multiplier; random pairs
of each rounding; its stages."""
CHOSEN: list[Rounding] = [
    name for name in ROUNDING_CODES if name in os.environ.get(ROUNDINGS, "").split(",")
]
Integers = NDArray[np.int64]
CORNERS = Corners(
    "clipped at low",
    "clipped at high",
    "not clipped",
    "smallest shift",
    "largest shift",
    "held while not enabled",
    *(f"{rounding}: {sign} tie" for rounding in CHOSEN for sign in ("positive", "negative")),
    *(f"{rounding}: {end} sum" for rounding in CHOSEN for end in ("smallest", "largest")),
    *(["float32: a tie of a product", "float32: a tie of a sum"] if "float32" in CHOSEN else []),
)


class Pair(NamedTuple):
    """Inputs of one result, and golden's byte."""

    rounding: Rounding
    accumulator: int
    multiplier: int
    shift: int
    zero_point: int
    low: int
    high: int
    output: int


def factors_of(rounding: Rounding) -> Factors:
    """Return the factors that a rounding of the part takes."""
    if rounding == "half_up":
        return ANY_SUMS._replace(multiplier_high=(1 << int(os.environ[BITS])) - 1)
    return FACTORS[rounding]


def with_answers(rounding: Rounding, rows: Integers) -> list[Pair]:
    """Return pairs with golden's bytes; rows: the columns of a pair but rounding and output."""
    accumulator, multiplier, shift, zero_point, low, high = rows.T
    wide = requantize(
        accumulator,
        multiplier=multiplier,
        shift=shift,
        rounding=rounding,
        zero_point=1 << 15,
        low=0,
        high=(1 << 16) - 1,
        dtype=np.uint16,
    )
    outputs = (wide.astype(np.int64) - (1 << 15) + zero_point).clip(low, high)
    return [
        Pair._make((rounding, *row, output))
        for row, output in zip(rows.tolist(), outputs.tolist(), strict=True)
    ]


def corner_pairs(rounding: Rounding) -> list[Pair]:
    """Return extremes, and sums around every half of factors that are powers of two."""
    factors = factors_of(rounding)
    low, high = ACCUMULATOR_LOW, ACCUMULATOR_HIGH
    edges = [low, low + 1, -3, -2, -1, 0, 1, 2, 3, high - 1, high]
    multipliers = [factors.multiplier_low, factors.multiplier_low + 1, factors.multiplier_high]
    shifts = range(factors.shift_low, factors.shift_high + 1)
    rows = [(*each, 128, 0, 255) for each in product(edges, multipliers, shifts)]
    bits = factors.multiplier_low.bit_length()
    for places in range(1, 21):
        # M / 2**s = 2**-places: these sums are halves, and next to halves.
        around = [
            sign * (half << places - 1) + d
            for half in (1, 3, 5, 7)
            for sign in (1, -1)
            for d in (-1, 0, 1)
        ]
        rows += [
            (x, factors.multiplier_low, bits - 1 + places, 128, 0, 255)
            for x in around
            if factors.shift_low <= bits - 1 + places <= factors.shift_high and low <= x <= high
        ]
    return with_answers(rounding, np.array(rows))


def halves_of_significands(rng: np.random.Generator, count: int) -> list[Pair]:
    """Return sums times factors whose product ends in a half at its 24th significant bit."""
    odd = rng.integers(1 << 11, 1 << 12, (count, 2)) * 2 + 1
    # 13 by 12 bits and a half: 25 bits, of which the last is one.
    accumulator = rng.choice([-1, 1], count) * odd[:, 0]
    multiplier = (odd[:, 1] | 1) << 11
    product_ = np.abs(accumulator) * multiplier
    shift = np.array([int(each).bit_length() for each in product_]) - rng.integers(1, 9, count)
    rows = np.stack([accumulator, multiplier, shift.clip(1), *np.array([[128, 0, 255]] * count).T])
    return with_answers("float32", rows.T)


def halves_of_sums(rng: np.random.Generator, count: int) -> list[Pair]:
    """Return sums of 25 to 31 bits that are halves at their 24th significant bit, or beside."""
    places = rng.integers(1, 8, count)
    significand = rng.integers(1 << 23, 1 << 24, count)
    beside = rng.integers(-1, 2, count)
    accumulator = (significand << places) + (1 << (places - 1)) + beside
    accumulator = (rng.choice([-1, 1], count) * accumulator).clip(ACCUMULATOR_LOW, ACCUMULATOR_HIGH)
    multiplier = rng.choice([1 << 23, (1 << 24) - 1, (1 << 23) + 1], count)
    shift = 40 + places
    rows = np.stack([accumulator, multiplier, shift, *np.array([[128, 0, 255]] * count).T])
    return with_answers("float32", rows.T)


def beside_halves(rng: np.random.Generator, count: int) -> list[Pair]:
    """Return float32 pairs whose product lies next to a half of a byte, or next but one.

    There the byte depends on how the sum and the product round to 24 significant bits.
    """
    bits = 1 + np.arange(count) % 31
    accumulator = rng.integers(1 << bits - 1, 1 << bits)
    shift = bits + SIGNIFICANT_BITS - rng.integers(1, 8, count)
    near = rng.integers(1 << SIGNIFICANT_BITS - 1, 1 << SIGNIFICANT_BITS, count)
    half = (2 * ((accumulator * near) >> shift) + 1) << shift - 1
    multiplier = (half + accumulator // 2) // accumulator + rng.integers(-1, 2, count)
    factors = factors_of("float32")
    multiplier = multiplier.clip(factors.multiplier_low, factors.multiplier_high)
    accumulator *= rng.choice([-1, 1], count)
    rows = np.stack([accumulator, multiplier, shift, *np.array([[128, 0, 255]] * count).T])
    return with_answers("float32", rows.T)


def random_pairs(rounding: Rounding, rng: np.random.Generator, count: int) -> list[Pair]:
    """Return pairs whose results are of the size of a byte, or far beyond."""
    factors = factors_of(rounding)
    low, high = ACCUMULATOR_LOW, ACCUMULATOR_HIGH
    multiplier = rng.integers(factors.multiplier_low, factors.multiplier_high + 1, count)
    shift = rng.integers(factors.shift_low, factors.shift_high + 1, count)
    size = np.ldexp(rng.choice([4.0, 300.0, 40000.0], count) / multiplier, shift)
    reach = size.clip(4, high).astype(np.int64)
    accumulator = rng.integers(-reach, reach + 1).clip(low, high)
    bytes_ = rng.integers(0, 256, (count, 3))
    ends = np.sort(bytes_[:, 1:], axis=1)
    rows = np.column_stack([accumulator, multiplier, shift, bytes_[:, 0], ends])
    return with_answers(rounding, rows)


def put_accumulator(dut: Any, accumulator: int, multiplier: int, shift: int) -> None:
    """Drive the inputs that `enable` loads."""
    dut.accumulator.value = accumulator % (1 << 32)
    dut.multiplier.value = multiplier
    dut.shift.value = shift


@cocotb.test(timeout_time=100, timeout_unit="ms")
@cocotb.parametrize(seed=range(2), pause=[0.0, 0.4])
async def vectors_one_a_cycle(dut: Any, seed: int, pause: float) -> None:
    """Each result is valid one cycle after its accumulator, and holds without `enable`."""
    rng, count = np.random.default_rng(seed), int(os.environ.get(COUNT, "400"))
    pairs = [Pair("half_up", *vector) for vector in VECTORS]
    for rounding in CHOSEN:
        pairs += corner_pairs(rounding) + random_pairs(rounding, rng, count)
    if "float32" in CHOSEN:
        pairs += halves_of_significands(rng, 200) + halves_of_sums(rng, 200)
        pairs += beside_halves(rng, count + 800)
    await reset(dut, dut.enable)
    if int(os.environ.get(STAGES, "1")) > 1:
        await through_stages(dut, rng, pairs, pause=pause, seed=seed)
        return
    for before, pair in pairwise([None, *pairs, None]):
        dut.enable.value = pair is not None
        if pair:
            put_accumulator(dut, *pair[1:4])
        if before:
            await check_result(dut, before, seed=seed)
        await FallingEdge(dut.clk)
        while rng.random() < pause:
            dut.enable.value = 0
            put_accumulator(dut, *rng.integers(0, 1 << 6, 3).tolist())
            if pair:
                await check_result(dut, pair, seed=seed)
                CORNERS.hit("held while not enabled")
            await FallingEdge(dut.clk)


async def through_stages(
    dut: Any, rng: np.random.Generator, pairs: list[Pair], *, pause: float, seed: int
) -> None:
    """Bring the pairs through the stages, each of which moves when it likes and may.

    Pairs of one rounding at a time, as a layer has one; a stage is loaded when it is empty or its
    content moves on, with a pause not even then.
    """
    held: list[Pair | None] = [None] * int(os.environ[STAGES])
    left = sorted(pairs, key=lambda pair: pair.rounding, reverse=True)
    while left or any(held):
        now = next((pair for pair in reversed(held) if pair), left[-1] if left else None)
        enter = left[-1] if left and now is not None and left[-1].rounding == now.rounding else None
        moves = [bool(rng.random() >= pause) for _ in range(len(held) + 1)]
        moves[-1] &= held[-1] is not None
        for number in range(len(held) - 1, -1, -1):
            source = enter if number == 0 else held[number - 1]
            moves[number] &= source is not None and (held[number] is None or moves[number + 1])
        dut.enable.value = sum(move << number for number, move in enumerate(moves[:-1]))
        noise = rng.integers(0, 1 << 6, 3).tolist()
        put_accumulator(dut, *(enter[1:4] if enter is not None and moves[0] else noise))
        if now is not None and len(CHOSEN) > 1:
            dut.rounding.value = ROUNDING_CODES[now.rounding]
        if held[-1] is not None:
            await check_result(dut, held[-1], seed=seed)
            CORNERS.hit("held while not enabled", not moves[-1])
        await FallingEdge(dut.clk)
        if moves[-1]:
            held[-1] = None
        for number in range(len(held) - 1, -1, -1):
            if moves[number]:
                held[number] = held[number - 1] if number else left.pop()
                if number:
                    held[number - 1] = None


async def check_result(dut: Any, pair: Pair, *, seed: int) -> None:
    """Compare the byte of this cycle with golden's, or with a vector worked by hand."""
    dut.zero_point.value, dut.low.value, dut.high.value = pair.zero_point, pair.low, pair.high
    if len(CHOSEN) > 1:
        dut.rounding.value = ROUNDING_CODES[pair.rounding]
    await ReadOnly()
    got = int(dut.result.value)
    assert got == pair.output, f"seed {seed}: got {got} for {pair}"
    note_corners(pair, got)


def note_corners(pair: Pair, got: int) -> None:
    """Note which corners a result has reached."""
    rounding, factors = pair.rounding, factors_of(pair.rounding)
    low, high = ACCUMULATOR_LOW, ACCUMULATOR_HIGH
    CORNERS.hit("clipped at low", got == pair.low < pair.high)
    CORNERS.hit("clipped at high", got == pair.high > pair.low)
    CORNERS.hit("not clipped", pair.low < got < pair.high)
    CORNERS.hit("smallest shift", pair.shift == factors.shift_low)
    CORNERS.hit("largest shift", pair.shift == factors.shift_high)
    CORNERS.hit(f"{rounding}: smallest sum", pair.accumulator == low)
    CORNERS.hit(f"{rounding}: largest sum", pair.accumulator == high)
    whole = abs(pair.accumulator) * pair.multiplier
    if whole % (1 << pair.shift) == 1 << pair.shift - 1 and whole >> pair.shift < 100:
        sign = "positive" if pair.accumulator > 0 else "negative"
        CORNERS.hit(f"{rounding}: {sign} tie")
    excess = whole.bit_length() - SIGNIFICANT_BITS
    if rounding == "float32" and excess > 0 and whole % (1 << excess) == 1 << excess - 1:
        CORNERS.hit("float32: a tie of a product")
    large = abs(pair.accumulator).bit_length() - SIGNIFICANT_BITS
    if rounding == "float32" and large > 0:
        half = abs(pair.accumulator) % (1 << large) == 1 << large - 1
        CORNERS.hit("float32: a tie of a sum", half and pair.low < got < pair.high)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_factor_of_one_keeps_the_int32(dut: Any) -> None:
    """`product` is the accumulator itself, extremes included, where it rounds half up."""
    await reset(dut, dut.enable)
    if len(CHOSEN) > 1:
        dut.rounding.value = ROUNDING_CODES["half_up"]
    stages = int(os.environ.get(STAGES, "1"))
    dut.enable.value = (1 << stages) - 1
    for accumulator in (0, -1, 1, ACCUMULATOR_LOW, ACCUMULATOR_HIGH, 12345, -54321):
        put_accumulator(dut, accumulator, 1, 1)
        for _ in range(stages):
            await FallingEdge(dut.clk)
        await ReadOnly()
        assert dut.product.value.to_signed() == accumulator
        await FallingEdge(dut.clk)


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the vectors above have reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
