"""Bench of `residual_adder`: sums of results and bytes of a map, stalled on both sides."""

from dataclasses import dataclass, replace
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly
from numpy.typing import NDArray

from hwgen.dbpim.facts.instructions import Opcode
from hwgen.dbpim.facts.program import Placement
from hwgen.dbpim.facts.timing import SUM_CYCLES
from hwgen.dbpim.rtl.layouts import bus_write, packet, work
from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment
from verif.reference.dbpim.activation_buffer import Place, address_of, bank_of
from verif.reference.dbpim.simd import add
from verif.stream import reset

ARCH = arch_from_environment()
BANKS, CHANNELS, FILTERS = ARCH.banks, ARCH.word, ARCH.filters
HALF_FACTOR = 1 << ARCH.factor_bits - 2 if len(ARCH.rounding) > 1 else 1 << 15
"""The larger factor of a sum is from here to twice as large; sums stay within 32 bits."""
PARTS = CHANNELS // FILTERS
BUS = bus_write(ARCH)
RESULTS = 80
CYCLES = 4000
"""No run takes as many."""
SIDE = 8
"""Rows and columns of the map that is added; its channel words."""
WORDS = 2
CORNERS = Corners(
    "a sum in the first possible cycle",
    "all stages are full and the request waits",
    "a result waits and its bank is read again",
    "a kept byte is added after other reads of its bank",
    "a result enters in the cycle in which a request leaves",
    "a gap between results",
    "the last part of a word",
    "a sum is clipped at both ends",
    "the map that is added lies in other columns",
    "a result passes without an addition",
    "both maps below their zero points",
)
IDLE = ("result__valid", "request__ready")

Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Result:
    """A result of the output stage, and its sum.

    place: of the word of the other map; row, column, word: of the output
    """

    row: int
    column: int
    word: int
    part: int
    data: Bytes
    place: Place
    sums: Bytes

    def payload(self, data: Bytes) -> int:
        """Return the bits of the port, with `data` in all parts of the word."""
        fields = {
            "data": int.from_bytes(np.tile(data, PARTS).tobytes(), "little"),
            "enable": ((1 << FILTERS) - 1) << FILTERS * self.part,
            "row": self.row,
            "column": self.column,
            "word": self.word,
        }
        return int(BUS.const(fields).as_bits())


class Step:
    """The fields of a step, its maps and its results."""

    def __init__(self, dut: Any, rng: np.random.Generator, *, adds: bool) -> None:
        self.adds, self._rng = adds, rng
        low, high = sorted(rng.integers(0, 256, 2).tolist())
        self.shift = int(rng.integers(0, 3))
        placement = Placement(
            base=int(rng.integers(3)),
            row_pitch=WORDS * -(-(SIDE + self.shift) // BANKS),
            channel_words=WORDS,
            image_rows=0,
            image_columns=0,
            first=[int(rng.integers(100))],
            rows=[SIDE],
        )
        self.placement = placement
        self.fields = {
            "adds": int(adds),
            "output_zero_point": int(rng.integers(256)),
            "result_multiplier": int(rng.integers(HALF_FACTOR, 2 * HALF_FACTOR)),
            "second_multiplier": int(rng.integers(HALF_FACTOR, 2 * HALF_FACTOR)),
            "sum_shift": HALF_FACTOR.bit_length() - 2 + int(rng.integers(4)),
            "sum_rounding": int(rng.integers(len(ARCH.rounding))),
            "second_zero_point": int(rng.integers(256)),
            "sum_zero_point": int(rng.integers(256)),
            "sum_low": low,
            "sum_high": high,
            "second_base": placement.base,
            "second_row_pitch": placement.row_pitch,
            "second_channel_words": placement.channel_words,
            "second_column": self.shift,
        }
        dut.layer.value = int(packet(Opcode.CONV, ARCH).const(self.fields).as_bits())
        dut.work.value = int(work().const({"second_first": placement.first[0]}).as_bits())
        self.banks: dict[Place, Bytes] = {}
        self.results = [self._draw() for _ in range(RESULTS)]

    def _draw(self) -> Result:
        """Return a result at a random place, and golden's sum."""
        rng = self._rng
        row, column = self.placement.first[0] + int(rng.integers(SIDE)), int(rng.integers(SIDE))
        word, part = int(rng.integers(WORDS)), int(rng.integers(PARTS))
        at = column + self.shift
        address = address_of(row, at, word, placement=self.placement, core=0, banks=BANKS)
        place = bank_of(row, at, banks=BANKS), address
        stored = self.banks.setdefault(place, rng.integers(0, 256, CHANNELS, np.uint8))
        data = rng.integers(0, 256, FILTERS, np.uint8)
        other = stored[FILTERS * part : FILTERS * (part + 1)]
        sums = self._sum(data, other) if self.adds else data
        return Result(row, column, word, part, data, place, sums)

    def _sum(self, data: Bytes, other: Bytes) -> Bytes:
        """Return golden's sum of two bytes of each filter."""
        fields = self.fields
        zero_points = fields["output_zero_point"], fields["second_zero_point"]
        low, high = fields["sum_low"], fields["sum_high"]
        sums = add(
            np.stack([data, other]),
            zero_points=zero_points,
            multipliers=(fields["result_multiplier"], fields["second_multiplier"]),
            shift=fields["sum_shift"],
            rounding=ARCH.rounding[fields["sum_rounding"]],
            zero_point=fields["sum_zero_point"],
            low=low,
            high=high,
        )
        CORNERS.hit("a sum is clipped at both ends", {low, high} <= set(sums.tolist()))
        below = (data < zero_points[0]) & (other < zero_points[1])
        CORNERS.hit("both maps below their zero points", bool(below.any()))
        return sums


@dataclass(frozen=True)
class Held:
    """A result in a stage: when it entered, and whether another read of its bank followed."""

    result: Result
    since: int
    disturbed: bool = False


class Run:
    """The results of one step, a cycle at a time."""

    def __init__(self, dut: Any, rng: np.random.Generator, step: Step) -> None:
        self._dut, self._rng, self._step = dut, rng, step
        self._left = list(step.results)
        self._stages: list[Held | None] = [None] * SUM_CYCLES
        self._answer: dict[int, Bytes] = {}
        self._asked = 0

    async def until_done(self, *, gap: float, stall: float, cycles: int = CYCLES) -> None:
        """Offer the results and check every cycle until all are taken, or for some cycles."""
        offered = False
        # The layer is there a clock before the first result can be.
        await FallingEdge(self._dut.clk)
        for now in range(cycles):
            if not self._left and not any(self._stages):
                return
            offered = bool(self._left) and (offered or self._rng.random() >= gap)
            ready = bool(self._rng.random() >= stall)
            taken = await self._cycle(now, offered=offered, ready=ready)
            offered = offered and not taken
        assert cycles < CYCLES, f"{len(self._left)} results are stuck"

    async def _cycle(self, now: int, *, offered: bool, ready: bool) -> bool:
        """Drive and check one cycle; return whether the result is taken."""
        dut, step = self._dut, self._step
        result = self._left[0] if self._left else step.results[0]
        dut.result__valid.value = offered
        dut.result__payload.value = result.payload(result.data)
        dut.request__ready.value = ready
        content = self._rng.integers(0, 256, (BANKS, CHANNELS), np.uint8)
        for bank, word in self._answer.items():
            content[bank] = word
        dut.bank_data.value = int.from_bytes(content.tobytes(), "little")
        await ReadOnly()
        self._check_read(result, offered=offered)
        taken = self._check_passing(result, offered=offered, ready=ready)
        if step.adds:
            taken = self._check_stages(now, result, offered=offered, ready=ready)
        if taken:
            self._left.pop(0)
        self._answer = {result.place[0]: step.banks[result.place]} if offered else {}
        await FallingEdge(dut.clk)
        return taken

    def _check_read(self, result: Result, *, offered: bool) -> None:
        """The word of a result that is offered is read in every cycle, and no other one."""
        dut, reads = self._dut, offered and self._step.adds
        shown = int(dut.bank_read_en.value), int(dut.bank_address.value)
        bank, address = result.place
        if not reads:
            assert shown[0] == 0, f"banks {shown[0]:b} are read without an addition"
            return
        assert shown == (1 << bank, address), f"reads {shown}, not {result.place}"
        self._asked += 1
        CORNERS.hit("a result waits and its bank is read again", self._asked > 1)
        CORNERS.hit("the last part of a word", result.part == PARTS - 1)
        CORNERS.hit("the map that is added lies in other columns", self._step.shift > 0)

    def _check_passing(self, result: Result, *, offered: bool, ready: bool) -> bool:
        """Without an addition a result passes in the same cycle; return whether it is taken."""
        dut = self._dut
        if self._step.adds:
            return False
        assert bool(dut.empty.value) and bool(dut.request__valid.value) == offered
        if offered:
            assert bool(dut.result__ready.value) == ready
            assert int(dut.request__payload.value) == result.payload(result.data)
        CORNERS.hit("a result passes without an addition", offered and ready)
        return offered and ready

    def _check_stages(self, now: int, result: Result, *, offered: bool, ready: bool) -> bool:
        """Check the request and advance the stages; return whether the result is taken."""
        dut, stages = self._dut, self._stages
        last = stages[-1]
        assert bool(dut.request__valid.value) == (last is not None)
        assert bool(dut.empty.value) == (not any(stages))
        if last is not None:
            want = last.result.payload(last.result.sums)
            got = int(dut.request__payload.value)
            assert got == want, f"{BUS.from_bits(got)}, not the sums {last.result.sums}"
            CORNERS.hit("a sum in the first possible cycle", now - last.since == SUM_CYCLES)
            kept = "a kept byte is added after other reads of its bank"
            CORNERS.hit(kept, last.disturbed)
        moves = [ready or last is None]
        for stage in reversed(stages[:-1]):
            moves.insert(0, stage is None or moves[0])
        taken = offered and moves[0]
        CORNERS.hit("all stages are full and the request waits", all(stages) and not ready)
        CORNERS.hit("a gap between results", not offered and bool(self._left))
        leaves = last is not None and ready
        CORNERS.hit("a result enters in the cycle in which a request leaves", leaves and taken)
        first = stages[0]
        if first is not None and offered and not moves[0]:
            same = result.place[0] == first.result.place[0]
            stages[0] = replace(first, disturbed=first.disturbed or same)
        for number in range(SUM_CYCLES - 1, 0, -1):
            if moves[number]:
                stages[number], stages[number - 1] = stages[number - 1], None
        if moves[0]:
            stages[0] = Held(result, now) if taken else None
        if taken:
            self._asked = 0
        return taken


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(seed=range(4), adds=[True, False], gap=[0.0, 0.5], stall=[0.0, 0.3, 0.8])
async def sums_are_those_of_golden(
    dut: Any, seed: int, adds: bool, gap: float, stall: float
) -> None:
    """Every sum is right, in order and in its cycle; every word that is read is the right one."""
    await reset(dut, *(getattr(dut, name) for name in IDLE))
    rng = np.random.default_rng(seed)
    await Run(dut, rng, Step(dut, rng, adds=adds)).until_done(gap=gap, stall=stall)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_reset_forgets_the_results(dut: Any) -> None:
    """After a reset with full stages the next step is right from the start."""
    rng = np.random.default_rng(9)
    for cycles in (1, 3, 6, 11):
        await reset(dut, *(getattr(dut, name) for name in IDLE))
        step = Step(dut, rng, adds=True)
        await Run(dut, rng, step).until_done(gap=0.0, stall=0.9, cycles=cycles)
    await reset(dut, *(getattr(dut, name) for name in IDLE))
    await Run(dut, rng, Step(dut, rng, adds=True)).until_done(gap=0.0, stall=0.0)


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
