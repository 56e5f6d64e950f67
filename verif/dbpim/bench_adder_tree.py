"""Bench of `adder_tree`: both bodies against golden, extremes, each single bit, random terms."""

from collections.abc import Iterator
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly
from numpy.typing import NDArray

from hwgen.dbpim.rtl.layouts import dot_range
from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment, pack, unpack_signed
from verif.reference.dbpim.adder_tree import adder_tree

ARCH = arch_from_environment()
SPARSE = ARCH.sparsity.weight_bits
TERMS = ARCH.macro.compartments
LOW, HIGH = dot_range(ARCH)
BITS = ARCH.macro.weight_bits
LARGEST = (1 << BITS) - 1
DENSE_CONSTANT = -(1 << BITS - 1) * TERMS
BODIES = ("adder_tree", "named_adders")
CORNERS = Corners("largest sum", "smallest sum", "odd sum", "sum of zero from terms")


def cases(rng: np.random.Generator) -> Iterator[tuple[NDArray[np.int64], int]]:
    """Yield terms, and a constant with which the sum has its place."""
    largest = HIGH // TERMS
    for term in (0, LARGEST, largest):
        terms = np.full(TERMS, term)
        yield terms, 0 if term <= largest else LOW
    yield np.zeros(TERMS, np.int64), LOW
    for place in range(BITS * TERMS):
        yield np.eye(TERMS, dtype=np.int64)[place // BITS] << place % BITS, 0
    for _ in range(300):
        terms = rng.integers(0, LARGEST + 1, TERMS)
        yield terms, int(rng.integers(LOW, min(0, HIGH - int(terms.sum())) + 1))
        yield terms, -int(min(terms.sum(), -LOW))


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(seed=range(2))
async def sums_match_golden(dut: Any, seed: int) -> None:
    """Every sum of both bodies is exact."""
    for terms, constant in cases(np.random.default_rng(seed)):
        added = constant if SPARSE else DENSE_CONSTANT
        want = int(adder_tree(terms, added))
        for body in BODIES:
            getattr(dut, f"{body}__terms").value = pack(terms.tolist(), bits=BITS)
            if SPARSE:
                port = getattr(dut, f"{body}__constant")
                port.value = pack([constant], bits=len(port))
        await ReadOnly()
        for body in BODIES:
            port = getattr(dut, f"{body}__sum")
            (got,) = unpack_signed(int(port.value), bits=len(port), count=1)
            assert got == want, f"{body}: got {got}, golden says {want} for {terms}, {constant}"
        CORNERS.hit("largest sum", want == HIGH)
        CORNERS.hit("smallest sum", want == LOW)
        CORNERS.hit("odd sum", want % 2 == 1)
        CORNERS.hit("sum of zero from terms", (want == 0 and bool(terms.any())) or not SPARSE)
        await FallingEdge(dut.clk)


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the cases above have reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
