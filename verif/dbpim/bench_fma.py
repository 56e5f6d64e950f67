"""Bench of `fma`, `float_adder` and `float_multiplier`: edges and drawn operands, small formats."""

import os
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly
from numpy.typing import NDArray

from golden.ops import float32
from hwgen.dbpim.facts.timing import FLOAT_CYCLES
from hwgen.dbpim.rtl.floats import FLOAT32, FloatSize
from verif.coverage import Corners
from verif.dbpim.float_cases import (
    all_numbers,
    drawn_factors,
    drawn_summands,
    drawn_triples,
    edges,
    fused,
)
from verif.stream import reset

OPERATION, SIZE, COUNT = "FLOAT_OPERATION", "FLOAT_SIZE", "FLOAT_CASES"
"""Environment: `fma`, `add` or `multiply`; bits of significand and exponent; drawn cases."""
OPERATIONS = {"fma": "abc", "add": "ab", "multiply": "ab"}
DRAWN = {"fma": drawn_triples, "add": drawn_summands, "multiply": drawn_factors}
CHOSEN = os.environ.get(OPERATION, "fma")
FORMAT = FloatSize(*(int(bits) for bits in os.environ.get(SIZE, "24,8").split(",")))
CORNERS = Corners(
    "a subnormal result",
    "an infinity",
    "an exact zero",
    "a negative zero",
    "held while not enabled",
    *(["sums that cancel in any number of bits"] if CHOSEN != "multiply" else []),
)
Numbers = NDArray[np.int64]


def cases(seed: int) -> tuple[list[Numbers], Numbers]:
    """Return operands, each a column, and what comes out."""
    operands = len(OPERATIONS[CHOSEN])
    if FORMAT != FLOAT32:
        numbers = all_numbers(FORMAT)
        columns = [each.ravel() for each in np.meshgrid(*[numbers] * operands, indexing="ij")]
        return columns, small(columns)
    drawn = DRAWN[CHOSEN](np.random.default_rng(seed), int(os.environ.get(COUNT, "8000")))
    columns = [np.concatenate(each) for each in zip(edges(operands), drawn, strict=True)]
    return [each.astype(np.int64) for each in columns], getattr(float32, CHOSEN)(*columns).astype(
        np.int64
    )


def small(columns: list[Numbers]) -> Numbers:
    """Return results of a small format."""
    a, b = columns[:2]
    if CHOSEN == "add":
        return fused(a, np.full_like(a, FORMAT.bias << FORMAT.fraction), b, FORMAT)
    if CHOSEN == "multiply":
        sign = 1 << FORMAT.bits - 1
        return fused(a, b, (a ^ b) & sign, FORMAT)
    return fused(a, b, columns[2], FORMAT)


@cocotb.test(timeout_time=1, timeout_unit="sec")
@cocotb.parametrize(seed=range(2))
async def one_result_a_cycle(dut: Any, seed: int) -> None:
    """Each result comes ``FLOAT_CYCLES`` enabled edges after its operands, and holds without."""
    rng = np.random.default_rng(seed)
    columns, wanted = cases(seed)
    count = len(wanted)
    ports = [getattr(dut, name) for name in OPERATIONS[CHOSEN]]
    rows = np.stack(columns, axis=1).tolist()
    answers = [None] * FLOAT_CYCLES + wanted.tolist()
    pauses = (rng.random(count + FLOAT_CYCLES) < (0.0, 0.1)[seed]).tolist()
    await reset(dut, dut.enable)
    for number in range(count + FLOAT_CYCLES):
        if pauses[number]:
            dut.enable.value = 0
            for port in ports:
                port.value = int(rng.integers(0, 1 << FORMAT.bits))
            await FallingEdge(dut.clk)
            CORNERS.hit("held while not enabled")
        dut.enable.value = 1
        if number < count:
            for port, value in zip(ports, rows[number], strict=True):
                port.value = value
        if answers[number] is not None:
            await ReadOnly()
            got, want = int(dut.result.value), answers[number]
            assert got == want, (
                f"seed {seed}: got {got:#x}, not {want:#x}, for "
                f"{[hex(each) for each in rows[number - FLOAT_CYCLES]]}"
            )
        await FallingEdge(dut.clk)
    note_corners(columns, wanted)


def note_corners(columns: list[Numbers], results: Numbers) -> None:
    """Note which corners the cases have reached."""
    sign = 1 << FORMAT.bits - 1
    magnitude = results & sign - 1
    finest = (1 << FORMAT.fraction) - 1
    CORNERS.hit("a subnormal result", bool(((magnitude > 0) & (magnitude <= finest)).any()))
    CORNERS.hit("an infinity", bool((magnitude == FORMAT.infinite << FORMAT.fraction).any()))
    CORNERS.hit("an exact zero", bool((results == 0).any()))
    CORNERS.hit("a negative zero", bool((results == sign).any()))
    if CHOSEN != "multiply":
        exponents = [each >> FORMAT.fraction & FORMAT.infinite for each in (columns[-1], results)]
        cancelled = set((exponents[0] - exponents[1])[exponents[1] > 0].tolist())
        every = set(range(1, FORMAT.significand))
        CORNERS.hit("sums that cancel in any number of bits", every <= cancelled)


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the cases above have reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
