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
from verif.crossbar import small_parts as parts
from verif.crossbar.loader_case import IMAGES, LoaderCase, Ring, drawn
from verif.stream import reset

SIZES, SEEDS = parts.SIZES, range(64)
BUSY = (0.0, 0.4)
"""How often the port of the scratchpad is, by pairs of seeds."""
CORNERS = Corners(
    "outside the map",
    "a read is late",
    "a block without copies here",
    "ring wraps",
    "rows of another macro before",
    "sections",
    "whole windows",
)


def rows_of(maps: Any, zero: int, case: LoaderCase) -> Any:
    """Return the rows (images, pixels, taps, channels) of all windows."""
    layer = case.layer.layer
    seen = windows(
        maps,
        kernel=layer.kernels,
        stride=layer.strides,
        padding=(*layer.paddings, *layer.end_paddings),
        fill=zero,
    )
    return seen.reshape(len(maps), layer.pixels, layer.taps, layer.in_channels)


def units_of(rows: Any, case: LoaderCase, first: int) -> dict[int, list[int]]:
    """Return the rows of each unit of a block that has a pixel; first: the block's first one."""
    found, cut = {}, case.layer.cut
    for copy in range(case.held.copies[1] - case.held.copies[0]):
        pixel = first + case.held.copies[0] + copy
        for place, (section, tile) in enumerate(case.tiles):
            if pixel >= len(rows):
                continue
            values = rows[pixel]
            if cut is not None:
                each = values.shape[1] // cut.groups
                begin = section * cut.groups_together * each
                values = values[:, begin : begin + cut.groups_of(section) * each].reshape(-1)
                values = values[tile * cut.side : (tile + 1) * cut.side]
            found[copy * len(case.tiles) + place] = values.reshape(-1).tolist()
    return found


class Bench:
    """A loader, a ring, and the units that are filled."""

    def __init__(self, dut: Any, seed: int) -> None:
        self.dut, self.rng = dut, np.random.default_rng(seed)
        self.ports = parts.ports_of(dut, "loader")
        self.units: dict[int, dict[int, int]] = {}
        self.sums: dict[int, tuple[int, int]] = {}
        self.lasts: list[tuple[int, int]] = []
        self.read: int | None = None

    def port(self, name: str) -> Any:
        """Return a port."""
        return self.ports[name]

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
            for place, value in enumerate(unpack(row_data, bits=SIZES.bits, count=count)):
                self.units.setdefault(unit, {})[first + place] = value
            self.lasts.append((int(self.port("row_last").value), int(self.port("row_half").value)))
        if self.port("sum_write").value:
            half = int(self.port("sum_half").value)
            self.sums[int(self.port("sum_unit").value)] = half, int(self.port("sum_data").value)
        assert not self.port("late").value
        await FallingEdge(self.dut.clk)
        self.port("go").value = 0
        return wants


@cocotb.test(timeout_time=20, timeout_unit="ms")
@cocotb.parametrize(seed=SEEDS)
async def rows_are_goldens(dut: Any, seed: int) -> None:
    """All units of all blocks of some images in a ring that may be shorter than they are."""
    bench, case, busy = Bench(dut, seed), drawn(SIZES, seed), BUSY[seed // 2 % 2]
    layer = case.layer.layer
    await reset(dut, bench.port("go"), bench.port("granted"))
    zero = int(bench.rng.integers(0, 1 << SIZES.bits))
    maps = bench.rng.integers(0, 1 << SIZES.bits, (IMAGES, *layer.in_sides, layer.in_channels))
    rows, ring = rows_of(maps, zero, case), Ring(maps, case)
    walk = walk_of(case.chip, case.layer, case.held, case.region)
    bench.port("walk").value = WALK.const(walk).as_bits()
    bench.port("zero").value = zero
    CORNERS.hit("outside the map", max(*layer.paddings, *layer.end_paddings) > 0)
    CORNERS.hit("rows of another macro before", case.held.row_tiles[0] > 0)
    CORNERS.hit("sections", len({section for section, _ in case.tiles}) > 1)
    CORNERS.hit("whole windows", not layer.has_weights)
    for block in range(IMAGES * case.layer.blocks):
        image, within = divmod(block, case.layer.blocks)
        CORNERS.hit("ring wraps", ring.fill(image, within))
        bench.units, bench.sums, bench.lasts = {}, {}, []
        bench.port("go").value, bench.port("half").value = 1, block % 2
        quiet = 0
        while quiet < 8:
            quiet = 0 if await bench.clock(ring, busy=busy) else quiet + 1
        want = units_of(rows[image], case, within * case.layer.copies)
        got = {
            unit: [values[row] for row in sorted(values)] for unit, values in bench.units.items()
        }
        assert got == want, f"seed {seed}, block {block}"
        sums = {unit: (block % 2, sum(row)) for unit, row in want.items()}
        assert bench.sums == sums, f"seed {seed}, block {block}: sums"
        lasts = [(int(one + 1 == len(bench.lasts)), block % 2) for one in range(len(bench.lasts))]
        assert bench.lasts == lasts, f"seed {seed}, block {block}: the last write"
        CORNERS.hit("a block without copies here", not want)


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the blocks above have reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
