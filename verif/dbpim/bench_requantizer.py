"""Bench of `requantizer`: vectors worked by hand, random ones, results that stay int32."""

from itertools import pairwise
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from golden.dbpim.requantizer import requantize
from hwgen.network.quantization import (
    ACCUMULATOR_HIGH,
    ACCUMULATOR_LOW,
    MULTIPLIER_HIGH,
    MULTIPLIER_LOW,
    SHIFT_HIGH,
    SHIFT_LOW,
    VECTORS,
    Requantization,
)
from verif.coverage import Corners
from verif.stream import reset

RANDOM_VECTORS = 400
CORNERS = Corners(
    "smallest accumulator",
    "largest accumulator",
    "clipped at low",
    "clipped at high",
    "not clipped",
    "smallest shift",
    "largest shift",
    "held while not enabled",
)


def random_vectors(rng: np.random.Generator, count: int) -> list[Requantization]:
    """Return cases whose scaled accumulators are of the size of a byte, or far beyond."""
    vectors = []
    for _ in range(count):
        multiplier = int(rng.integers(MULTIPLIER_LOW, MULTIPLIER_HIGH + 1))
        shift = int(rng.integers(SHIFT_LOW, SHIFT_HIGH + 1))
        reach = min(
            ACCUMULATOR_HIGH, max(4, (int(rng.choice([300, 40000])) << shift) // multiplier)
        )
        accumulator = int(rng.integers(-reach, reach + 1))
        zero_point, low, high = (int(byte) for byte in rng.integers(0, 256, 3))
        low, high = min(low, high), max(low, high)
        (output,) = requantize(
            [accumulator],
            multiplier=multiplier,
            shift=shift,
            zero_point=zero_point,
            low=low,
            high=high,
        ).tolist()
        vectors.append(
            Requantization(accumulator, multiplier, shift, zero_point, low, high, output)
        )
    return vectors


def put_accumulator(dut: Any, accumulator: int, multiplier: int, shift: int) -> None:
    """Drive the inputs that `enable` loads."""
    dut.accumulator.value = accumulator % (1 << 32)
    dut.multiplier.value = multiplier
    dut.shift.value = shift


def put_clip(dut: Any, zero_point: int, low: int, high: int) -> None:
    """Drive the inputs of the cycle of the result."""
    dut.zero_point.value, dut.low.value, dut.high.value = zero_point, low, high


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(seed=range(2), pause=[0.0, 0.4])
async def vectors_one_a_cycle(dut: Any, seed: int, pause: float) -> None:
    """Each result is valid one cycle after its accumulator, and holds without `enable`."""
    rng = np.random.default_rng(seed)
    vectors = [*VECTORS, *random_vectors(rng, RANDOM_VECTORS)]
    await reset(dut, dut.enable)
    for before, vector in pairwise([None, *vectors, None]):
        dut.enable.value = vector is not None
        if vector:
            put_accumulator(dut, *vector[:3])
        if before:
            await check_result(dut, before, seed=seed)
        await FallingEdge(dut.clk)
        while rng.random() < pause:
            dut.enable.value = 0
            put_accumulator(dut, *rng.integers(0, 1 << 6, 3).tolist())
            if vector:
                await check_result(dut, vector, seed=seed)
                CORNERS.hit("held while not enabled")
            await FallingEdge(dut.clk)


async def check_result(dut: Any, vector: Requantization, *, seed: int) -> None:
    """Compare the byte of this cycle with golden's, or with a vector worked by hand."""
    put_clip(dut, vector.zero_point, vector.low, vector.high)
    await ReadOnly()
    got = int(dut.result.value)
    assert got == vector.output, f"seed {seed}: got {got} for {vector}"
    CORNERS.hit("smallest accumulator", vector.accumulator == ACCUMULATOR_LOW)
    CORNERS.hit("largest accumulator", vector.accumulator == ACCUMULATOR_HIGH)
    CORNERS.hit("clipped at low", got == vector.low < vector.high)
    CORNERS.hit("clipped at high", got == vector.high > vector.low)
    CORNERS.hit("not clipped", vector.low < got < vector.high)
    CORNERS.hit("smallest shift", vector.shift == SHIFT_LOW)
    CORNERS.hit("largest shift", vector.shift == SHIFT_HIGH)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_factor_of_one_keeps_the_int32(dut: Any) -> None:
    """`product` is the accumulator itself, extremes included."""
    await reset(dut, dut.enable)
    dut.enable.value = 1
    for accumulator in (0, -1, 1, ACCUMULATOR_LOW, ACCUMULATOR_HIGH, 12345, -54321):
        put_accumulator(dut, accumulator, 1, 1)
        await FallingEdge(dut.clk)
        await ReadOnly()
        assert dut.product.value.to_signed() == accumulator
        await FallingEdge(dut.clk)


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the vectors above have reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
