"""Bench of `ring`: slots of random convolutions, with planes that come late, by the rule."""

from collections import deque
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from hwgen.chip.widths import bits_for_index
from hwgen.mram.facts.records import segment_bits
from hwgen.mram.facts.timing import DRAIN_CYCLES
from verif.coverage import Corners
from verif.mram.component import arch_from_environment
from verif.mram.conv_case import ConvCase, random_case
from verif.mram.schedule import Cycle, ring_of
from verif.stream import reset

ARCH = arch_from_environment()
SEEDS = (*range(16), *((29, 36, 53, 127) if ARCH.any_kernel else ()))
"""Those of any kernels are depthwise."""
CORNERS = Corners(
    "planes and sums in one step",
    "more sums than planes" if ARCH.octets > 1 else "one octet",
    "several groups" if ARCH.octets > 1 else "one group",
    "group is not free",
    "plane is late",
    *(("upper half", "flush", "no room for two loads") if ARCH.overlap else ()),
    *(("several blocks of several positions",) if ARCH.any_kernel else ()),
    *(("several kernels in several octets",) if ARCH.any_kernel else ()),
)


def port(dut: Any, name: str) -> Any:
    """Return a port of the part."""
    return getattr(dut, f"ring__{name}")


def octets_of(case: ConvCase, group: int) -> int:
    """Return the mask of a group's octets."""
    log = case.placement.octets_log
    return sum(1 << octet for octet in range(ARCH.octets) if octet >> log == group)


def issued(case: ConvCase, cycle: Cycle) -> tuple[int, int, int, int] | None:
    """Return octet, segment, block and last block of the sum issued."""
    if cycle.issue is None:
        return None
    issue = cycle.issue
    placement, last = case.placement, int(issue.block == case.fields["blocks"] - 1)
    chain, inside = divmod(issue.block, 1 << placement.octets_log)
    octet = (cycle.group << placement.octets_log) + inside
    end = placement.ends[issue.position * placement.chains + chain]
    return octet, end, issue.block, last


def issue_fields(word: int) -> tuple[int, ...]:
    """Return the fields of an issue."""
    widths = (
        bits_for_index(ARCH.octets),
        segment_bits(ARCH),
        bits_for_index(ARCH.result_blocks),
        1,
    )
    found = []
    for width in widths:
        found.append(word & ((1 << width) - 1))
        word >>= width
    return tuple(found)


def check(dut: Any, case: ConvCase, want: Cycle, where: str) -> tuple[int, ...] | None:
    """Compare a cycle with the rule; return the issue."""
    sends, octets = want.plane is not None, octets_of(case, want.group)
    assert int(port(dut, "step_plane").value) == sends, f"{where}: step_plane, {want}"
    assert int(port(dut, "send_valid").value) == sends, f"{where}: send_valid, {want}"
    if sends:
        got = [int(port(dut, name).value) for name in ("send_row", "send_octets", "send_data")]
        plane = int(port(dut, "plane").value)
        assert got == [want.plane, octets, plane], f"{where}: got {got}, the rule says {want}"
    goes = int(port(dut, "send_go").value)
    assert goes == (octets if want.goes else 0), f"{where}: go to {goes:b}, {want}"
    if ARCH.overlap and want.goes:
        marks = [int(port(dut, f"send_{name}").value) for name in ("half", "flush")]
        assert marks == [want.half, want.flush], f"{where}: got {marks}, {want}"
    issue = issue_fields(int(port(dut, "issue").value)) if port(dut, "issue_valid").value else None
    assert issue == issued(case, want), f"{where}: got {issue}, the rule says {want}"
    return issue


class Run:
    """One convolution through the ring, a cycle at a time."""

    def __init__(self, dut: Any, case: ConvCase, seed: int) -> None:
        self._dut, self._case = dut, case
        self._rng = np.random.default_rng(seed + 100)
        self._drains: deque[tuple[int, ...] | None] = deque([None] * DRAIN_CYCLES)
        self.rule, self.now = ring_of(case.fields, ARCH), 0

    async def start(self) -> None:
        """Reset, then `go`."""
        dut = self._dut
        await reset(dut, port(dut, "go"), port(dut, "plane_valid"))
        port(dut, "record").value = self._case.record
        port(dut, "go").value = 1
        await FallingEdge(dut.clk)
        port(dut, "go").value = 0

    async def cycle(self, *, valid: bool, where: str) -> None:
        """Drive and check one cycle."""
        dut, rule = self._dut, self.rule
        busy_groups = {g for g, free_at in rule.free_at.items() if self.now < free_at}
        busy = sum(octets_of(self._case, group) for group in busy_groups)
        plane = int.from_bytes(self._rng.bytes(64)) % (1 << ARCH.input_columns)
        port(dut, "plane_valid").value, port(dut, "plane").value = valid, plane
        port(dut, "free").value = ~busy % (1 << ARCH.octets)
        await ReadOnly()
        at, slot = rule.at, rule.slot
        want = rule.step(self.now, plane_valid=valid)
        assert int(port(dut, "busy").value) == 1, f"{where}: not busy"
        self._drains.append(check(dut, self._case, want, where))
        if before := self._drains.popleft():
            got = tuple(int(port(dut, f"drain_{name}").value) for name in ("octet", "segment"))
            assert got == before[:2], f"{where}: got {got}, issued was {before}"
        stopped = (at, slot) == (rule.at, rule.slot)
        not_free = slot % self._case.placement.groups in busy_groups
        CORNERS.hit("group is not free", stopped and not_free)
        CORNERS.hit("plane is late", stopped and not valid)
        self._note(want, sends=slot < self._case.fields["loads"])
        self.now += 1
        await FallingEdge(dut.clk)

    def _note(self, want: Cycle, *, sends: bool) -> None:
        """Record which corners a step reaches."""
        if ARCH.overlap:
            CORNERS.hit("upper half", want.half)
            CORNERS.hit("flush", want.goes and want.flush)
            CORNERS.hit("no room for two loads", not self.rule.ahead)
        if ARCH.any_kernel:
            several = min(self._case.fields["blocks"], self._case.placement.positions) > 1
            here = self._case.shape.depthwise and several and want.issue is not None
            CORNERS.hit("several blocks of several positions", here)
            placement = self._case.placement
            here = placement.chains > 1 and placement.octets_log > 0 and want.issue is not None
            CORNERS.hit("several kernels in several octets", here)
        both = want.plane is not None and want.issue is not None
        CORNERS.hit("planes and sums in one step", both)
        if ARCH.octets == 1:
            CORNERS.hit("one octet", self._case.placement.octets_log == 0)
            CORNERS.hit("one group", self._case.placement.groups == 1)
            return
        more = want.issue is not None and want.plane is None and sends
        CORNERS.hit("more sums than planes", more)
        CORNERS.hit("several groups", self._case.placement.groups > 1)


@cocotb.test(timeout_time=5, timeout_unit="ms")
@cocotb.parametrize(seed=SEEDS, late=[0.0, 0.5])
async def slots_follow_the_rule(dut: Any, seed: int, late: float) -> None:
    """Planes, goes and sums of every cycle, whatever the former's pace; drains two cycles later."""
    case = random_case(np.random.default_rng(seed), ARCH)
    rng = np.random.default_rng(seed + 200)
    run = Run(dut, case, seed)
    await run.start()
    while not run.rule.done:
        where = f"seed {seed}, late {late}, cycle {run.now}"
        await run.cycle(valid=bool(rng.random() >= late), where=where)
    await ReadOnly()
    assert int(port(dut, "busy").value) == 0, f"seed {seed}: busy after the last step"
    await FallingEdge(dut.clk)


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
