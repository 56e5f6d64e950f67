"""Bench of `csd_adder_tree`: extremes, each single term, random columns of cells."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly
from numpy.typing import NDArray

from golden.dbpim.csd_adder_tree import csd_adder_tree
from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment, pack, unpack_signed

TERMS = arch_from_environment().macro.compartments
CORNERS = Corners(
    "largest sum of cells",
    "smallest sum of cells",
    "largest sum of the ports",
    "smallest sum of the ports",
    "sum of zero from terms that cancel",
    "odd sum",
)

Bits = NDArray[np.uint8]


@dataclass(frozen=True)
class Column:
    """Products and metadata of one column."""

    hi: Bits
    lo: Bits
    negative: Bits
    index: Bits


def constant(hi: int, lo: int, negative: int, index: int) -> Column:
    """Return a column of equal terms."""
    return Column(*(np.full(TERMS, value, np.uint8) for value in (hi, lo, negative, index)))


def single(place: int, hi: int, negative: int, index: int) -> Column:
    """Return a column in which one term is not zero."""
    one = np.eye(TERMS, dtype=np.uint8)[place]
    return Column(one * hi, one * (1 - hi), one * negative, one * index)


def columns(rng: np.random.Generator) -> Iterator[Column]:
    """Yield extremes, each term alone, then random columns, of cells and of any bits."""
    for negative in (0, 1):
        yield constant(1, 0, negative, 3)
        yield constant(1, 1, negative, 3)
    yield constant(0, 0, 1, 3)
    cancelling = constant(1, 0, 0, 3)
    yield replace(cancelling, negative=np.arange(TERMS, dtype=np.uint8) % 2)
    for place in range(TERMS):
        for case in range(16):
            yield single(place, case >> 3, case >> 2 & 1, case & 3)
    for _ in range(100):
        q, x = rng.integers(0, 2, (2, TERMS), np.uint8)
        signs, index = rng.integers(0, 2, TERMS, np.uint8), rng.integers(0, 4, TERMS, np.uint8)
        yield Column(x & q, x & (1 - q), signs, index)
        yield Column(x, q, signs, index)


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(seed=range(2))
async def sums_match_golden(dut: Any, seed: int) -> None:
    """Every sum is exact."""
    largest = TERMS << 7
    for column in columns(np.random.default_rng(seed)):
        dut.csd_adder_tree__hi.value = pack(column.hi, bits=1)
        dut.csd_adder_tree__lo.value = pack(column.lo, bits=1)
        dut.csd_adder_tree__meta.value = pack(column.negative << 2 | column.index, bits=3)
        await ReadOnly()
        port = dut.csd_adder_tree__sum
        (got,) = unpack_signed(int(port.value), bits=len(port), count=1)
        want = int(
            csd_adder_tree(column.hi, column.lo, negative=column.negative, index=column.index)
        )
        assert got == want, f"seed {seed}: got {got}, golden says {want} for {column}"
        CORNERS.hit("largest sum of cells", want == largest)
        CORNERS.hit("smallest sum of cells", want == -largest)
        CORNERS.hit("largest sum of the ports", 2 * want == 3 * largest)
        CORNERS.hit("smallest sum of the ports", 2 * want == -3 * largest)
        CORNERS.hit("sum of zero from terms that cancel", want == 0 and bool(column.hi.all()))
        CORNERS.hit("odd sum", want % 2 == 1)
        await FallingEdge(dut.clk)


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
