"""Bench of the array side: random convolutions, sums against golden, every cycle by the rule."""

from collections import Counter, deque
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from hwgen.chip.widths import bits_for_index
from hwgen.mram.facts.records import enabled_arrays
from hwgen.mram.facts.timing import DRAIN_CYCLES, SUM_CYCLES
from hwgen.mram.rtl import layouts
from verif.common.packing import unpack_signed
from verif.coverage import Corners
from verif.mram.cells import weight_rows
from verif.mram.component import arch_from_environment
from verif.mram.conv_case import ConvCase, random_case
from verif.mram.schedule import Cycle, Issue, convolution, ring_of
from verif.stream import reset

ARCH = arch_from_environment()
SEEDS = (*range(16), *((29, 36, 46, 53, 72, 85, 127) if ARCH.any_kernel else ()))
"""Those of any kernels have pixels of several rows of a bank, and are depthwise."""
SUB_BITS = bits_for_index(ARCH.sub_arrays)
DRAINED = DRAIN_CYCLES + SUM_CYCLES
TRACE = [(name, field.offset, field.width) for name, field in layouts.octet_trace(ARCH)]
DEPTHWISE = "depthwise window", "depthwise walk", "depthwise of a later row", "several sums"
BESIDE = "several kernels of a position", "several kernels of several segments"
CORNERS = Corners(
    "two row sets",
    "several positions in a load",
    "several groups",
    "group of several octets",
    "last load with fewer positions",
    "padding",
    "stride",
    "negative sum",
    *(("twins",) if ARCH.twins else ()),
    *(("walk of two row sets", "pixel of several rows") if ARCH.any_kernel else ()),
    *((*DEPTHWISE, *BESIDE) if ARCH.any_kernel else ()),
)


class Side:
    """The ports of the array side, and its events since the last `go`."""

    def __init__(self, dut: Any, case: ConvCase) -> None:
        self._dut, self._case = dut, case
        self._due: deque[tuple[int, Issue]] = deque()
        self._want = case.sums()
        self.checked = 0
        self.events: Counter[str] = Counter()

    async def start(self) -> None:
        """Reset with idle inputs."""
        dut = self._dut
        await reset(dut, dut.go, dut.add_go, dut.weight_valid, dut.lock, dut.bank_en)

    async def write(self, rng: np.random.Generator) -> None:
        """Write the weights, then lock them, and the bank."""
        dut = self._dut
        dut.lock.value = 0
        dut.weight_valid.value = 1
        for sub_array, row, content in weight_rows(self._case, rng):
            place = row | content << ARCH.row_index_bits
            dut.weight.value = sub_array | place << SUB_BITS
            await FallingEdge(dut.clk)
        dut.weight_valid.value = 0
        dut.bank_en.value = 1
        for row, content in enumerate(self._case.bank):
            dut.bank_row.value, dut.bank_data.value = row, content
            await FallingEdge(dut.clk)
        dut.bank_en.value = 0
        dut.lock.value = 1

    async def run(self, where: str) -> None:
        """Run the convolution; check every cycle and every sum."""
        dut = self._dut
        dut.record.value = self._case.record
        dut.go.value = 1
        await FallingEdge(dut.clk)
        dut.go.value = 0
        rule = list(convolution(self._case.fields, ARCH))
        for now in range(len(rule) + DRAINED + 1):
            busy = now < len(rule)
            await ReadOnly()
            self._check(now, rule[now] if busy else Cycle(), f"{where}, cycle {now}", busy=busy)
            await FallingEdge(dut.clk)
        assert self.checked == self._want.size, f"{where}: {self.checked} sums"

    def _check(self, now: int, want: Cycle, where: str, *, busy: bool) -> None:
        """Compare one cycle with the rule."""
        dut = self._dut
        row = int(dut.read_row.value) if int(dut.read_en.value) else None
        got = row, int(dut.busy.value), int(dut.plane_sent.value), int(dut.issue_valid.value)
        expected = want.row, busy, want.plane is not None, want.issue is not None
        assert got == expected, f"{where}: got {got}, the rule says {want}"
        if want.issue is not None:
            self._due.append((now + DRAINED, want.issue))
        if self._due and self._due[0][0] == now:
            self._check_sums(self._due.popleft()[1], where)
        word = int(dut.traces.value)
        for octet in range(ARCH.octets):
            one = word >> octet * layouts.octet_trace(ARCH).size
            for name, offset, width in TRACE:
                self.events[name] += one >> offset & ((1 << width) - 1)

    def _check_sums(self, issue: Issue, where: str) -> None:
        """Compare the lanes that have a kernel with golden."""
        word = int(self._dut.sums.value)
        sums = unpack_signed(word, bits=ARCH.accumulator_bits, count=ARCH.block)
        position = issue.load * self._case.fields["positions"] + issue.position
        first = issue.block * ARCH.block
        want = self._want[position, first : first + ARCH.block].tolist()
        got = sums[: len(want)]
        assert got == want, f"{where}, position {position}: got {got}, golden says {want}"
        self.checked += len(want)


def events_of(case: ConvCase) -> dict[str, int]:
    """Return the events of a convolution, from the fields of its record alone."""
    fields = case.fields
    row_sets = 1 + fields["two_rows"]
    planes = row_sets * fields["input_planes"]
    arrays = fields["loads"] * enabled_arrays(fields, ARCH)
    return {
        "ands": arrays * ring_of(fields, ARCH).and_cycles,
        "input_writes": arrays * planes,
        "weight_writes": 0,
        "refused": 0,
        "xors": 0,
    }


def note(case: ConvCase) -> None:
    """Record which corners a case reaches."""
    fields = case.fields
    CORNERS.hit("two row sets", bool(fields["two_rows"]))
    if ARCH.twins:
        CORNERS.hit("twins", fields["twins"] > 0)
    if ARCH.any_kernel:
        CORNERS.hit("walk of two row sets", case.shape.walks and bool(fields["two_rows"]))
        CORNERS.hit("pixel of several rows", case.shape.walks and fields["tap_rows"] > 1)
    if ARCH.any_kernel and case.shape.depthwise:
        CORNERS.hit("depthwise window", not case.shape.walks)
        CORNERS.hit("depthwise walk", case.shape.walks)
        CORNERS.hit("depthwise of a later row", case.shape.first_row > 0)
        several = min(fields["blocks"], fields["positions"]) > 1
        CORNERS.hit("several sums", several or fields["blocks"] > 1)
    if ARCH.any_kernel:
        several = case.placement.chains > 1 and not case.shape.depthwise
        CORNERS.hit("several kernels of a position", several)
        CORNERS.hit("several kernels of several segments", several and fields["join"] > 0)
    CORNERS.hit("several positions in a load", fields["positions"] > 1)
    CORNERS.hit("several groups", fields["groups"] > 1)
    CORNERS.hit("group of several octets", fields["octets_log"] > 0)
    CORNERS.hit("last load with fewer positions", fields["last_positions"] < fields["positions"])
    CORNERS.hit("padding", max(case.shape.padding) > 0)
    CORNERS.hit("stride", max(case.shape.stride) > 1)
    CORNERS.hit("negative sum", bool((case.sums() < 0).any()))


@cocotb.test(timeout_time=100, timeout_unit="ms")
@cocotb.parametrize(seed=SEEDS)
async def convolutions_are_exact(dut: Any, seed: int) -> None:
    """Sums, reads, planes, issues and events; twice, without a reset and with the lock on."""
    rng = np.random.default_rng(seed)
    case = random_case(rng, ARCH)
    note(case)
    side = Side(dut, case)
    await side.start()
    await side.write(rng)
    for turn in range(2):
        side = Side(dut, case)
        await side.run(f"seed {seed}, run {turn}, {case.shape}, {case.placement}")
        got = {name: side.events[name] for name in events_of(case)}
        assert got == events_of(case), f"seed {seed}: got events {got}"


@cocotb.test(timeout_time=100, timeout_unit="ms")
@cocotb.parametrize(cycles=[7, 40])
async def reset_in_the_middle(dut: Any, cycles: int) -> None:
    """A record that was cut off leaves nothing that the next one meets."""
    rng = np.random.default_rng(1)
    case = random_case(rng, ARCH)
    side = Side(dut, case)
    await side.start()
    await side.write(rng)
    dut.record.value = case.record
    dut.go.value = 1
    for _ in range(cycles):
        await FallingEdge(dut.clk)
        dut.go.value = 0
    await side.start()
    await side.run(f"after {cycles} cycles")


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
