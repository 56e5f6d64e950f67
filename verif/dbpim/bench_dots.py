"""Bench of `dots`: rows of weights x bit planes x enables, among writes and rests."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly
from numpy.typing import NDArray

from hwgen.dbpim.rtl.layouts import dot_shape
from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment, pack, unpack
from verif.dbpim.weight_rows import random_codes, row_words
from verif.reference.dbpim.macro import dense_macro, macro, pair_macro
from verif.stream import reset

ARCH = arch_from_environment()
SPARSE = ARCH.sparsity.weight_bits
ROWS, COMPARTMENTS, FILTERS = ARCH.macro.rows, ARCH.macro.compartments, ARCH.filters
EARLY = int(ARCH.reads_at_edge)
LATER = ARCH.array_cycles - 1
SUM_BITS = dot_shape(ARCH).width
CORNERS = Corners(
    "no input bit",
    "all input bits",
    "a filter without a cell",
    "row computes in the cycle after it was written",
    "row written in the cycle after it computed",
    "bit planes in neighbouring cycles, of two rows",
    "bit plane after a rest",
    *(("row of two filter groups", "row of one") if ARCH.pairs else ()),
)


@dataclass(frozen=True)
class Act:
    """What a cycle does with a row: it is written, computes, or rests.

    written: cells and metadata; sums: what golden says of the bit plane `x`
    """

    row: int
    written: tuple[int, int] | None = None
    x: int = 0
    enable: int = 0
    double: bool = False
    sums: list[int] | None = None


def acts(rng: np.random.Generator, count: int) -> Iterator[Act]:
    """Yield writes of all rows, then bit planes, writes and rests at random."""
    codes = np.zeros((ROWS, COMPARTMENTS, FILTERS), np.uint8)
    enables = np.zeros((ROWS, FILTERS, 2), bool)
    doubles = np.zeros(ROWS, bool)
    last: Act | None = None
    for number in range(ROWS + count):
        first = number < ROWS
        row = number if first else int(rng.integers(ROWS))
        again = last is not None and not first and rng.random() < 0.3
        row = last.row if again and last is not None else row
        kind = 0.0 if first else rng.random()
        if kind < 0.2:
            codes[row] = random_codes(rng, codes.shape[1:], ARCH)
            enables[row] = rng.random((FILTERS, 2)) < 0.7
            doubles[row] = ARCH.pairs and rng.random() < 0.5
            words = row_words(codes[row], enables[row], ARCH, double=bool(doubles[row]))
            act = Act(row, written=words)
        elif kind < 0.8:
            act = computing(rng, row, codes[row], enables[row], double=bool(doubles[row]))
        else:
            act = Act(row)
        if last is not None:
            note(last, act)
        last = act
        yield act


def computing(
    rng: np.random.Generator,
    row: int,
    codes: NDArray[np.uint8],
    enable: NDArray[np.bool_],
    *,
    double: bool,
) -> Act:
    """Return a bit plane of a row; double: of two filter groups."""
    x = (rng.random(COMPARTMENTS) < rng.choice([0, 0.5, 1])).astype(np.uint8)
    weigh = pair_macro if double else macro if SPARSE else dense_macro
    sums = weigh(codes[np.newaxis], x[np.newaxis], filter_enable=enable).tolist()
    sums += [0] * (ARCH.sums - len(sums))
    if ARCH.pairs:
        CORNERS.hit("row of two filter groups" if double else "row of one")
    CORNERS.hit("no input bit", not x.any())
    CORNERS.hit("all input bits", x.all())
    CORNERS.hit("a filter without a cell", not enable.any(axis=1).all())
    return Act(
        row,
        x=pack(x.tolist(), bits=1),
        enable=pack(enable.ravel().tolist(), bits=1),
        double=double,
        sums=sums,
    )


def note(before: Act, act: Act) -> None:
    """Record which corners two neighbouring cycles reach."""
    same = before.row == act.row
    computed, computes = before.sums is not None, act.sums is not None
    CORNERS.hit(
        "row computes in the cycle after it was written",
        before.written is not None and computes and same,
    )
    CORNERS.hit(
        "row written in the cycle after it computed", computed and act.written is not None and same
    )
    CORNERS.hit(
        "bit planes in neighbouring cycles, of two rows", computed and computes and not same
    )
    CORNERS.hit("bit plane after a rest", before == Act(before.row) and computes)


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(seed=range(4))
async def sums_match_golden(dut: Any, seed: int) -> None:
    """Every bit plane has its sums in the cycle that the architecture says."""
    rng = np.random.default_rng(seed)
    await reset(dut, dut.dots__write_en)
    plan = list(acts(rng, 30 * ROWS))
    rest = Act(0)
    for cycle in range(len(plan) + EARLY + LATER):
        given, computes, shown = (
            plan[number] if 0 <= number < len(plan) else rest
            for number in (cycle, cycle - EARLY, cycle - EARLY - LATER)
        )
        drive(dut, rng, given, computes)
        await ReadOnly()
        if shown.sums is not None:
            got = unpack(int(dut.dots__sums.value), bits=SUM_BITS, count=ARCH.sums)
            want = [value & ((1 << SUM_BITS) - 1) for value in shown.sums]
            assert got == want, f"seed {seed}, cycle {cycle}: got {got}, golden says {want}"
        await FallingEdge(dut.clk)


def drive(dut: Any, rng: np.random.Generator, given: Act, computes: Act) -> None:
    """Give the array a row to write or to read, and the bit plane of a row that it has read."""
    write = given.written
    dut.dots__write_en.value = write is not None
    dut.dots__write_row.value = given.row if write else int(rng.integers(ROWS))
    dut.dots__write_cells.value = write[0] if write else 0
    if SPARSE:
        dut.dots__write_meta.value = write[1] if write else 0
    dut.dots__row.value = int(rng.integers(ROWS)) if write else given.row
    if EARLY:
        dut.dots__read_en.value = given.sums is not None
    if LATER:
        dut.dots__valid.value = computes.sums is not None
    dut.dots__x.value, dut.dots__enable.value = computes.x, computes.enable
    if ARCH.pairs:
        dut.dots__pair.value = computes.double


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
