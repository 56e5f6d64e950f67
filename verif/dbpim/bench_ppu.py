"""Bench of `ppu`: vectors of random bit planes, first and last tiles in any order, gaps x seeds."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly
from numpy.typing import NDArray

from hwgen.dbpim.rtl.layouts import dot_range
from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment, pack, unpack_signed
from verif.reference.dbpim.ppu import ppu
from verif.stream import reset

ARCH = arch_from_environment()
LOW, HIGH = dot_range(ARCH)
SUMS = ARCH.sums
CORNERS = Corners(
    "partial sum of an earlier tile",
    "first tile over a stored partial sum",
    "partial sum stored and read with the next bit plane",
    "position vector of one bit plane",
    "gap within a position vector",
    "sums that are not stored",
    *(("partial sums of two filter groups", "of one, even", "of one, odd") if ARCH.pairs else ()),
)
MOST = 5
"""Bit planes of a position vector in a tile, no more than one row may have."""
WRAPS = Corners("above int32", "below int32")


@dataclass(frozen=True)
class Step:
    """One bit plane at the PPU: a value for each filter, and its place."""

    dots: NDArray[np.int64]
    bit: int
    begins: bool
    ends: bool
    first_tile: bool
    last_tile: bool
    vector: int
    double: bool = False

    @property
    def entries(self) -> list[int]:
        """Entries of the partial sums, of as many filters each."""
        if self.double:
            return [2 * self.vector, 2 * self.vector + 1]
        return [self.vector]

    @property
    def sums(self) -> int:
        """Sums that mean something."""
        return SUMS if self.double or not ARCH.pairs else SUMS // 2


def random_steps(rng: np.random.Generator, *, vectors: int) -> Iterator[Step]:
    """Yield the bit planes of random vectors, each of a first tile or of a later one."""
    stored: set[int] = set()
    for _ in range(vectors):
        double = ARCH.pairs and bool(rng.integers(2))
        vector = int(rng.integers(ARCH.psum_vectors >> double))
        entries, planes = {vector}, int(rng.integers(1, MOST + 1))
        if double:
            entries = {2 * vector, 2 * vector + 1}
        first_tile = not entries <= stored or rng.random() < 0.4
        last_tile = bool(rng.random() < 0.4)
        for number in range(planes):
            yield Step(
                dots=random_dots(rng, double=double),
                bit=int(rng.integers(8)),
                begins=number == 0,
                ends=number == planes - 1,
                first_tile=first_tile,
                last_tile=last_tile,
                vector=vector,
                double=double,
            )
        if not last_tile:
            stored |= entries


def random_dots(rng: np.random.Generator, *, double: bool) -> NDArray[np.int64]:
    """Return a value of each filter; those of the second filter group are 0 if there is none."""
    dots = rng.integers(LOW, HIGH + 1, SUMS)
    return dots if double or not ARCH.pairs else np.where(np.arange(SUMS) < SUMS // 2, dots, 0)


class Reference:
    """Reference of the PPU by golden: steps of the tile, and partial sums by position vector."""

    def __init__(self) -> None:
        self._steps: list[list[tuple[int, int]]] = [[] for _ in range(SUMS)]
        self._stored: dict[int, list[int]] = {}
        self._stored_last: list[int] | None = None

    def after(self, step: Step) -> list[int]:
        """Return the sums with this bit plane, which are shown if it is the last one."""
        if step.begins:
            self._steps = [[] for _ in range(SUMS)]
        for steps, dot in zip(self._steps, step.dots.tolist(), strict=True):
            steps.append((step.bit, dot))
        start = [0] * SUMS
        if not step.first_tile:
            start = [value for entry in step.entries for value in self._stored[entry]]
            start += [0] * (SUMS - len(start))
        if step.ends:
            earlier = set(step.entries) <= set(self._stored)
            CORNERS.hit("partial sum of an earlier tile", not step.first_tile)
            CORNERS.hit("first tile over a stored partial sum", step.first_tile and earlier)
            at_once = not step.first_tile and step.entries == self._stored_last
            CORNERS.hit("partial sum stored and read with the next bit plane", at_once)
        pairs = zip(self._steps, start, strict=True)
        totals = [ppu(steps, start=before) for steps, before in pairs]
        self._stored_last = None
        if step.ends and not step.last_tile:
            size = SUMS >> ARCH.pairs
            for place, entry in enumerate(step.entries):
                self._stored[entry] = totals[place * size : (place + 1) * size]
            self._stored_last = step.entries
            if ARCH.pairs:
                kind = "of one, odd" if step.vector % 2 else "of one, even"
                CORNERS.hit("partial sums of two filter groups" if step.double else kind)
        CORNERS.hit("sums that are not stored", step.ends and step.last_tile)
        CORNERS.hit("position vector of one bit plane", step.begins and step.ends)
        return totals[: step.sums]


async def pass_step(dut: Any, step: Step) -> list[int]:
    """Drive one bit plane and return the sums of its cycle."""
    dut.ppu__valid.value = 1
    port = dut.ppu__dots
    port.value = pack(step.dots, bits=len(port) // SUMS)
    dut.ppu__bit_index.value = step.bit
    dut.ppu__begins.value, dut.ppu__ends.value = step.begins, step.ends
    dut.ppu__first_tile.value, dut.ppu__last_tile.value = step.first_tile, step.last_tile
    dut.ppu__vector.value = step.vector
    if ARCH.pairs:
        dut.ppu__pair.value = step.double
    await ReadOnly()
    sums = unpack_signed(int(dut.ppu__sums.value), bits=32, count=SUMS)
    await FallingEdge(dut.clk)
    return sums[: step.sums]


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
        where = f"seed {seed}, bit plane {number}"
        assert not step.ends or got == want, f"{where}: got {got}, golden says {want}"
    dut.ppu__valid.value = 0


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(dot=[LOW, HIGH])
async def a_tile_fits_its_accumulator(dut: Any, dot: int) -> None:
    """As many rows as a tile may have, all inputs 255: the smallest and the largest sum."""
    reference = Reference()
    await reset(dut, dut.ppu__valid)
    planes = [bit for _ in range(ARCH.tile_rows) for bit in reversed(range(8))]
    dots = np.full(SUMS, dot)
    for number, bit in enumerate(planes):
        last = number == len(planes) - 1
        step = Step(dots, bit, number == 0, last, True, True, 0, double=ARCH.pairs)
        got, want = await pass_step(dut, step), reference.after(step)
        assert not last or got == want, f"got {got}, golden says {want}"
    dut.ppu__valid.value = 0
    assert want == [dot * 255 * ARCH.tile_rows] * SUMS


@cocotb.test(timeout_time=1, timeout_unit="ms", skip=not ARCH.sparsity.weight_bits)
async def sums_wrap_at_32_bits(dut: Any) -> None:
    """Tiles of one bit plane, until the sums of one filter pass int32 upwards, all others down."""
    reference = Reference()
    before = [0] * SUMS
    dots = np.full(SUMS, LOW)
    dots[0] = HIGH
    await reset(dut, dut.ppu__valid)
    for number in range(2 + (1 << 31) // (HIGH << 7)):
        step = Step(dots, 7, True, True, number == 0, False, 0, double=ARCH.pairs)
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
