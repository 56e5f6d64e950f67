"""Bench of `former`: planes of random convolutions, with pauses of the ring, against golden."""

from collections.abc import Iterator
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly, Timer

from verif.common.packing import pack
from verif.coverage import Corners
from verif.mram.component import arch_from_environment
from verif.mram.conv_case import ConvCase, random_case
from verif.mram.schedule import forming
from verif.reference.mram.segments import columns
from verif.stream import reset

ARCH = arch_from_environment()
OF_ANY = (46, 53, 62, 68, 72, 85, 86, 91, 126)
SEEDS = (*range(16), 36, 51, *(OF_ANY if ARCH.any_kernel else ()))
"""36 and 51 end lines of several inside a chunk; those of any kernels have pixels of several rows,
skip lines and columns, take two row sets, and are depthwise.
"""
CORNERS = Corners(
    "stride that skips columns" if ARCH.segments > 1 else "one block",
    "padding on the left",
    "channels past the last are garbage",
    "last load with fewer positions" if ARCH.segments > 1 else "one position",
    "two row sets" if ARCH.segments > 1 else "one row set",
    "map of one line",
    "lines below the map",
    *(["twins"] if ARCH.twins else []),
    *(
        [
            "kernel above 3 x 3",
            "walk of two row sets",
            "walk that skips",
            "block in several segments",
            "pixel of several rows",
            "pixel of several rows, a few of which are read",
            "depthwise window",
            "depthwise walk",
            "depthwise of a later row",
        ]
        if ARCH.any_kernel
        else []
    ),
    *(["line ends inside a chunk"] if ARCH.row_blocks > 1 else []),
)


def planes_of(case: ConvCase) -> Iterator[int]:
    """Yield every plane in order, from golden's columns."""
    shape, placement = case.shape, case.placement
    seen = case.windows
    for first in range(0, shape.outputs, placement.positions):
        for entries in placement.entries:
            values = columns(
                seen[first : first + placement.positions],
                entries,
                block=ARCH.block,
                channels=case.width,
                element_bits=ARCH.element_bits,
            )
            for plane in range(shape.input_planes):
                yield pack((values >> plane & 1).tolist(), bits=1)


def note(case: ConvCase) -> None:
    """Record which corners a case reaches."""
    shape, fields = case.shape, case.fields
    CORNERS.hit("padding on the left", shape.padding[1] > 0)
    CORNERS.hit("channels past the last are garbage", shape.channels % ARCH.block > 0)
    CORNERS.hit("map of one line", shape.height == 1)
    if ARCH.twins:
        CORNERS.hit("twins", fields["twins"] > 0)
    if ARCH.any_kernel:
        CORNERS.hit("kernel above 3 x 3", max(shape.kernel) > 3)
        CORNERS.hit("walk of two row sets", shape.walks and bool(fields["two_rows"]))
        several = shape.walks and shape.segments(ARCH.block) > 1
        CORNERS.hit("block in several segments", several and shape.channels <= ARCH.block)
        rows = shape.pixel_blocks // ARCH.row_blocks
        wide = shape.walks and rows > 1 and fields["tap_rows"] > 1
        CORNERS.hit("pixel of several rows", wide)
        CORNERS.hit("depthwise window", shape.depthwise and not shape.walks)
        CORNERS.hit("depthwise walk", shape.depthwise and shape.walks)
        CORNERS.hit("depthwise of a later row", shape.depthwise and shape.first_row > 0)
        few = wide and fields["tap_rows"] < rows
        CORNERS.hit("pixel of several rows, a few of which are read", few)
        second = shape.stride[0] - shape.padding[0]
        skips = min(shape.stride) > 1 and min(shape.out_height, shape.out_width) > 1
        CORNERS.hit("walk that skips", shape.walks and skips and 0 <= second < shape.height)
    bottom = (shape.out_height - 1) * shape.stride[0] - shape.padding[0] + 2
    CORNERS.hit("lines below the map", bottom >= shape.height)
    if ARCH.row_blocks > 1:
        pixels = max(1, ARCH.row_blocks >> fields["in_blocks_log"])
        inside = fields["last_column"] % pixels < pixels - 1
        CORNERS.hit("line ends inside a chunk", inside and shape.out_height > 1)
    if ARCH.segments > 1:
        skips = shape.stride[1] > 3 and shape.out_width > 1
        CORNERS.hit("stride that skips columns", skips)
        fewer = fields["last_positions"] < fields["positions"]
        CORNERS.hit("last load with fewer positions", fewer)
        CORNERS.hit("two row sets", bool(fields["two_rows"]))
    else:
        CORNERS.hit("one block", shape.pixel_blocks == 1)
        CORNERS.hit("one position", fields["positions"] == 1)
        CORNERS.hit("one row set", not fields["two_rows"])


class Rule:
    """What forms packets, and the sender, a cycle at a time."""

    def __init__(self, case: ConvCase) -> None:
        self._planes = case.shape.input_planes
        self._forming = forming(case.fields, ARCH)
        self.left = 0

    def step(self, *, takes: bool) -> int | None:
        """Return the row that is read in this cycle."""
        self.left -= takes
        accept = self._forming.full and self.left == 0
        self.left = self._planes if accept else self.left
        return self._forming.step(accept=accept)[1]


@cocotb.test(timeout_time=5, timeout_unit="ms")
@cocotb.parametrize(seed=SEEDS, pauses=[0.0, 0.6])
async def planes_are_those_of_golden(dut: Any, seed: int, pauses: float) -> None:
    """Every plane, and every read in its cycle, at any pace of the ring."""
    case = random_case(np.random.default_rng(seed), ARCH)
    rng = np.random.default_rng(seed + 100)
    note(case)
    await reset(dut, dut.former__go, dut.former__step_plane)
    dut.former__record.value = case.record
    dut.former__go.value = 1
    await FallingEdge(dut.clk)
    dut.former__go.value = 0
    rule, want = Rule(case), list(planes_of(case))
    cycle = 0
    while want:
        wants = bool(rng.random() >= pauses)
        takes = rule.left > 0 and wants
        dut.former__step_plane.value = takes
        # The bank answers in the same cycle.
        await Timer(1, unit="ns")
        dut.former__read_data.value = case.bank[int(dut.former__read_row.value)]
        await ReadOnly()
        where = f"seed {seed}, pauses {pauses}, cycle {cycle}, {case.shape}"
        valid = int(dut.former__valid.value)
        assert valid == (rule.left > 0), f"{where}: valid is {valid}"
        if takes:
            got, plane = int(dut.former__plane.value), want.pop(0)
            assert got == plane, f"{where}: got plane {got:#x}, golden says {plane:#x}"
        row = int(dut.former__read_row.value) if int(dut.former__read_en.value) else None
        expected = rule.step(takes=takes)
        assert row == expected, f"{where}: row {row} is read, the rule says {expected}"
        cycle += 1
        await FallingEdge(dut.clk)
    dut.former__step_plane.value = 0
    await ReadOnly()
    assert int(dut.former__valid.value) == 0, f"seed {seed}: planes are left"
    await FallingEdge(dut.clk)


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
