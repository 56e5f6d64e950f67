"""Bench of `ppu`: vectors of random bit planes, first and last tiles in any order, gaps x seeds."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly
from numpy.typing import NDArray

from golden.dbpim.adder_tree import weigh_counts
from golden.dbpim.ppu import ppu
from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment, pack, unpack_signed
from verif.stream import reset

ARCH = arch_from_environment()
SPARSE = ARCH.sparsity.weight_bits
TERMS = ARCH.macro.compartments
CORNERS = Corners(
    "partial sum of an earlier tile",
    "first tile over a stored partial sum",
    "partial sum stored and read with the next bit plane",
    "position vector of one bit plane",
    "gap within a position vector",
    "sums that are not stored",
    "filter without an enabled cell column",
)
WRAPS = Corners("above int32", "below int32")


@dataclass(frozen=True)
class Step:
    """One bit plane at the PPU: a value for each cell column of the macro, and its place."""

    column_sums: NDArray[np.int64]
    counts: NDArray[np.bool_]
    bit: int
    begins: bool
    ends: bool
    first_tile: bool
    last_tile: bool
    vector: int


def dots(step: Step) -> list[int]:
    """Return the weighted sum of the cell columns of each filter."""
    of_filter = step.column_sums.reshape(ARCH.filters, -1)
    values = (
        (of_filter * step.counts).sum(axis=1)
        if SPARSE
        else weigh_counts(of_filter) * step.counts[:, 0]
    )
    return [int(value) for value in values]


def random_steps(rng: np.random.Generator, *, vectors: int) -> Iterator[Step]:
    """Yield the bit planes of random vectors, each of a first tile or of a later one."""
    stored: set[int] = set()
    for _ in range(vectors):
        vector, planes = int(rng.integers(ARCH.psum_vectors)), int(rng.integers(1, 6))
        first_tile = vector not in stored or rng.random() < 0.4
        last_tile = bool(rng.random() < 0.4)
        low, high = (-TERMS << 7, (TERMS << 7) + 1) if SPARSE else (0, TERMS + 1)
        for number in range(planes):
            yield Step(
                column_sums=rng.integers(low, high, ARCH.macro.columns),
                counts=rng.random((ARCH.filters, 2)) < 0.7,
                bit=int(rng.integers(8)),
                begins=number == 0,
                ends=number == planes - 1,
                first_tile=first_tile,
                last_tile=last_tile,
                vector=vector,
            )
        if not last_tile:
            stored.add(vector)


class Reference:
    """Reference of the PPU by golden: accumulators, and partial sums by position vector."""

    def __init__(self) -> None:
        self._totals = [0] * ARCH.filters
        self._stored: dict[int, list[int]] = {}
        self._stored_last: int | None = None

    def after(self, step: Step) -> list[int]:
        """Return the sums with this bit plane."""
        start = self._totals
        if step.begins:
            start = [0] * ARCH.filters if step.first_tile else self._stored[step.vector]
            earlier = step.vector in self._stored
            CORNERS.hit("partial sum of an earlier tile", not step.first_tile)
            CORNERS.hit("first tile over a stored partial sum", step.first_tile and earlier)
            at_once = not step.first_tile and step.vector == self._stored_last
            CORNERS.hit("partial sum stored and read with the next bit plane", at_once)
        pairs = zip(dots(step), start, strict=True)
        self._totals = [ppu([(step.bit, dot)], start=before) for dot, before in pairs]
        self._stored_last = None
        if step.ends and not step.last_tile:
            self._stored[step.vector] = self._totals
            self._stored_last = step.vector
        CORNERS.hit("sums that are not stored", step.ends and step.last_tile)
        CORNERS.hit("position vector of one bit plane", step.begins and step.ends)
        none = not (step.counts if SPARSE else step.counts[:, :1]).any(axis=1).all()
        CORNERS.hit("filter without an enabled cell column", none)
        return self._totals


async def pass_step(dut: Any, step: Step) -> list[int]:
    """Drive one bit plane and return the sums of its cycle."""
    dut.ppu__valid.value = 1
    port = dut.ppu__column_sums
    dut.ppu__column_sums.value = pack(step.column_sums, bits=len(port) // ARCH.macro.columns)
    dut.ppu__filter_enable.value = pack(step.counts.ravel(), bits=1)
    dut.ppu__bit_index.value = step.bit
    dut.ppu__begins.value, dut.ppu__ends.value = step.begins, step.ends
    dut.ppu__first_tile.value, dut.ppu__last_tile.value = step.first_tile, step.last_tile
    dut.ppu__vector.value = step.vector
    await ReadOnly()
    sums = unpack_signed(int(dut.ppu__sums.value), bits=32, count=ARCH.filters)
    await FallingEdge(dut.clk)
    return sums


async def pass_noise(dut: Any, rng: np.random.Generator) -> None:
    """Drive a cycle without a bit plane: the other ports have random values."""
    dut.ppu__valid.value = 0
    dut.ppu__begins.value, dut.ppu__ends.value = int(rng.integers(2)), int(rng.integers(2))
    dut.ppu__last_tile.value, dut.ppu__bit_index.value = 0, int(rng.integers(8))
    dut.ppu__vector.value = int(rng.integers(ARCH.psum_vectors))
    await FallingEdge(dut.clk)


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(seed=range(3), gap=[0.0, 0.4])
async def sums_match_golden(dut: Any, seed: int, gap: float) -> None:
    """Sums of every bit plane equal golden in its cycle; gaps change nothing."""
    rng = np.random.default_rng(seed)
    reference = Reference()
    await reset(dut, dut.ppu__valid)
    for number, step in enumerate(random_steps(rng, vectors=60)):
        while rng.random() < gap:
            CORNERS.hit("gap within a position vector", not step.begins)
            await pass_noise(dut, rng)
        got, want = await pass_step(dut, step), reference.after(step)
        assert got == want, f"seed {seed}, bit plane {number}: got {got}, golden says {want}"
    dut.ppu__valid.value = 0


@cocotb.test(timeout_time=1, timeout_unit="ms", skip=not SPARSE)
async def sums_wrap_at_32_bits(dut: Any) -> None:
    """The largest column sums, until the sums of one filter pass int32 upwards, all others down."""
    reference = Reference()
    largest = TERMS << 7
    column_sums = np.full(ARCH.macro.columns, -largest)
    column_sums[:2] = largest
    counts = np.ones((ARCH.filters, 2), bool)
    before = [0] * ARCH.filters
    await reset(dut, dut.ppu__valid)
    for number in range(2 + (1 << 31) // (2 * largest << 7)):
        step = Step(column_sums, counts, 7, number == 0, False, True, True, 0)
        got, want = await pass_step(dut, step), reference.after(step)
        assert got == want, f"bit plane {number}: got {got}, golden says {want}"
        WRAPS.hit("above int32", want[0] < 0 < before[0])
        WRAPS.hit("below int32", want[-1] > 0 > before[-1])
        before = want
    dut.ppu__valid.value = 0
    assert not WRAPS.missed(), f"corners never reached: {WRAPS.missed()}"


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
