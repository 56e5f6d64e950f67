"""Bench of `loader`: rows of units, and their sums, against windows of golden."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly, Timer

from golden.ops.windows import windows
from hwgen.crossbar.rtl.loader import WALK
from hwgen.crossbar.rtl.walks import walk_of
from verif.common.packing import unpack
from verif.coverage import Corners
from verif.crossbar.loader_case import CASE, IMAGES, Ring
from verif.stream import reset

CHIP, LAYER, HELD, CUT = CASE.chip, CASE.chip.layers[0], CASE.held, CASE.cut
ELEMENTS, BITS = CHIP.word_elements, CHIP.activation_bits
CORNERS = Corners("outside the map", "a read is late", "a block without copies here", "ring wraps")


def rows_of(maps: Any, zero: int) -> Any:
    """Return the rows (images, pixels, rows) of all windows, in the order of weights."""
    layer = LAYER.layer
    seen = windows(
        maps,
        kernel=layer.kernels,
        stride=layer.strides,
        padding=(*layer.paddings, *layer.end_paddings),
        fill=zero,
    )
    return seen.reshape(len(maps), layer.pixels, -1)


def of_unit(rows: Any, unit: int, first_pixel: int) -> tuple[int, list[int]]:
    """Return the pixel of a unit of a block and its rows."""
    tiles = range(*HELD.row_tiles)
    copy, place = divmod(unit, len(tiles))
    begin = tiles[place] * CHIP.side
    pixel = first_pixel + HELD.copies[0] + copy
    values = rows[pixel] if pixel < len(rows) else rows[-1]
    return pixel, values[begin : begin + CUT.rows_of(0, tiles[place])].tolist()


class Bench:
    """A loader, a ring, and the units that are filled."""

    def __init__(self, dut: Any, seed: int) -> None:
        self.dut, self.rng = dut, np.random.default_rng(seed)
        self.units: dict[int, dict[int, int]] = {}
        self.sums: dict[int, tuple[int, int]] = {}
        self.read: int | None = None

    def port(self, name: str) -> Any:
        """Return a port."""
        return getattr(self.dut, name)

    async def clock(self, ring: Ring, *, busy: float) -> bool:
        """One clock; return whether the loader wants a word."""
        if self.read is not None:
            self.port("read_data").value = ring.word(self.read)
        await Timer(1, unit="ns")
        wants = bool(self.port("want").value)
        granted = wants and self.rng.random() >= busy
        CORNERS.hit("a read is late", wants and not granted)
        self.port("granted").value = int(granted)
        await ReadOnly()
        self.read = int(self.port("word").value) if granted else None
        if self.port("row_write").value:
            unit, first = int(self.port("row_unit").value), int(self.port("row_first").value)
            count = int(self.port("row_count").value)
            row_data = int(self.port("row_data").value)
            for place, value in enumerate(unpack(row_data, bits=BITS, count=count)):
                self.units.setdefault(unit, {})[first + place] = value
        if self.port("sum_write").value:
            half = int(self.port("sum_half").value)
            self.sums[int(self.port("sum_unit").value)] = half, int(self.port("sum_data").value)
        assert not self.port("late").value
        await FallingEdge(self.dut.clk)
        self.port("go").value = 0
        return wants


@cocotb.test(timeout_time=20, timeout_unit="ms")
@cocotb.parametrize(seed=[0, 1], busy=[0.0, 0.4])
async def rows_are_goldens(dut: Any, seed: int, busy: float) -> None:
    """All units of all blocks of some images in a ring that is shorter than they are."""
    bench = Bench(dut, seed)
    await reset(dut, bench.port("go"), bench.port("granted"))
    zero = int(bench.rng.integers(0, 1 << BITS))
    maps = bench.rng.integers(0, 1 << BITS, (IMAGES, *LAYER.layer.in_sides, CASE.channels))
    rows, ring = rows_of(maps, zero), Ring(maps, CASE)
    walk = walk_of(CHIP, LAYER, HELD, CASE.region)
    bench.port("walk").value = WALK.const(walk).as_bits()
    bench.port("zero").value = zero
    for block in range(IMAGES * LAYER.blocks):
        image, within = divmod(block, LAYER.blocks)
        CORNERS.hit("ring wraps", ring.fill(image, within))
        bench.units, bench.sums = {}, {}
        bench.port("go").value, bench.port("half").value = 1, block % 2
        quiet = 0
        while quiet < 8:
            quiet = 0 if await bench.clock(ring, busy=busy) else quiet + 1
        first = within * LAYER.copies
        want = {unit: of_unit(rows[image], unit, first) for unit in range(HELD.units)}
        present = {unit: row for unit, (pixel, row) in want.items() if pixel < LAYER.layer.pixels}
        got = {
            unit: [values[row] for row in sorted(values)] for unit, values in bench.units.items()
        }
        assert got == present, f"seed {seed}, block {block}"
        sums = {unit: (block % 2, sum(row)) for unit, row in present.items()}
        assert bench.sums == sums, f"seed {seed}, block {block}: sums"
        CORNERS.hit("a block without copies here", not present)
        CORNERS.hit("outside the map", LAYER.layer.padding > 0)


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the blocks above have reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
