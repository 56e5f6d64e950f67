"""Bench of `macro`: gaps, missing rows, inhibits and stalls x seeds, values and every cycle."""

from dataclasses import dataclass
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from hwgen.dbpim.facts.timing import RESULT_SLOTS
from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment, pack
from verif.dbpim.macro_rules import MacroRules, Seen
from verif.dbpim.macro_stimulus import (
    Head,
    Tile,
    expected_results,
    extreme_tiles,
    heads,
    random_tiles,
    short_tiles,
)
from verif.dbpim.macro_surroundings import (
    HEAD_BITS,
    RowRing,
    RowWrite,
    fields_of,
    head_word,
    row_of,
    shown_fields,
)
from verif.reference.dbpim.ipu import ipu
from verif.stream import reset

ARCH = arch_from_environment()
SKIP = ARCH.sparsity.input_bits
SPARSE = ARCH.sparsity.weight_bits
CORNERS = Corners(
    "all-zero group",
    "group with one bit plane",
    "group with all bit planes",
    "filters of no, one and both columns in one tile" if SPARSE else "filter that does not exist",
    "tile of one row",
    "tile of as many rows as it may have",
    "partial sums of several position vectors",
    "tile ends without a sum that goes out",
    "position behind the end of the map",
    "a full result queue stops the macro",
    "only the last bit plane of a result is stopped",
    "result taken in the cycle in which the next one is issued",
    "group waits for its row",
    "row written while a group waits",
    "inhibited between two bit planes of a group",
    "results in neighbouring cycles",
    *(["partial sums of two filter groups"] if ARCH.pairs else []),
)
LARGEST = Corners("largest sum", "smallest sum")


@dataclass(frozen=True)
class Style:
    """Chances, in each cycle: no group, no row, nothing may issue, no result is taken."""

    gap: float = 0.0
    no_row: float = 0.0
    inhibit: float = 0.0
    stall: float = 0.0


STYLES = {
    "free": Style(),
    "gaps": Style(gap=0.4, no_row=0.5),
    "stalls": Style(stall=0.9),
    "mixed": Style(gap=0.2, no_row=0.8, inhibit=0.3, stall=0.6),
}


class Run:
    """One simulation of `tiles` through the macro, a cycle at a time."""

    def __init__(self, dut: Any, tiles: list[Tile], style: Style, seed: int) -> None:
        self._dut, self._style, self._seed = dut, style, seed
        self._rng = np.random.default_rng(seed + 1000)
        self._ring = RowRing(tiles)
        self._rules = MacroRules(skip=SKIP, latency=ARCH.macro_cycles)
        self._heads = list(heads(tiles))
        self._expected = list(expected_results(ARCH, tiles))
        self._on_offer = False
        self._being_written: RowWrite | None = None
        self._planes_done = 0
        self._issued_result_at = -2
        self.cycles = 0

    async def until_done(self, cycles: int | None = None) -> None:
        """Run until all results have been taken, or for so many cycles."""
        while self._expected and self.cycles != cycles:
            await self._cycle()

    async def _cycle(self) -> None:
        """Drive and check one cycle, and prepare the next."""
        writing = self._drive_rows()
        head = self._drive_head()
        loaded = head is not None and row_of(head.tile, head.number) in self._ring.loaded
        inhibit = writing or self._chance(self._style.inhibit)
        ready = not self._chance(self._style.stall)
        dut = self._dut
        dut.head_row_loaded.value = loaded
        dut.inhibit.value = inhibit
        dut.result__ready.value = ready
        await ReadOnly()
        outstanding = self._rules.outstanding
        may_issue = loaded and not inhibit
        want = self._rules.cycle(self.cycles, head, may_issue=may_issue, ready=ready)
        self._check(want)
        self._note(head, want, loaded=loaded, inhibit=inhibit, ready=ready, full=outstanding)
        if want.result_valid and ready:
            taken = self._expected.pop(0)
            if taken.tile_end:
                self._ring.retire(taken.tile)
        if writing:
            self._ring.write()
        if want.leave:
            self._heads.pop(0)
            self._on_offer = False
        self.cycles += 1
        await FallingEdge(dut.clk)

    def _drive_rows(self) -> bool:
        """Write the row announced before; return whether another one is announced now.

        Synchronous cells store a row in the cycle that announces it.
        """
        dut, before = self._dut, self._being_written
        allowed = not self._chance(self._style.no_row)
        self._being_written = self._ring.next_row() if allowed else None
        row = self._being_written if ARCH.reads_at_edge else before
        dut.write_en.value = row is not None
        dut.write_row.value = row.row if row else int(self._rng.integers(ARCH.macro.rows))
        dut.write_cells.value = row.cells if row else 0
        if ARCH.sparse_parts:
            dut.write_meta.value = row.meta if row else 0
        return self._being_written is not None

    def _drive_head(self) -> Head | None:
        """Offer the next group, or noise; what has been offered stays until it leaves."""
        known = bool(self._heads) and self._ring.knows(self._heads[0].tile)
        self._on_offer |= known and not self._chance(self._style.gap)
        dut = self._dut
        dut.head_valid.value = self._on_offer
        if not self._on_offer:
            dut.head.value = int.from_bytes(self._rng.bytes(HEAD_BITS // 8))
            return None
        head = self._heads[0]
        dut.head.value = head_word(head)
        dut.head_filter_enable.value = pack(head.tile.counts.ravel(), bits=1)
        if ARCH.pairs:
            dut.head_double.value = head.tile.double
        return head

    def _chance(self, probability: float) -> bool:
        return bool(self._rng.random() < probability)

    def _check(self, want: Seen) -> None:
        """Compare what the macro shows with the rules and, where there is a result, golden."""
        dut = self._dut
        got = Seen(bool(dut.issue.value), bool(dut.leave.value), bool(dut.result__valid.value))
        where = f"seed {self._seed}, {self._style}, cycle {self.cycles}"
        assert got == want, f"{where}: got {got}, the rules say {want}"
        if want.result_valid:
            expected = fields_of(self._expected[0])
            shown = shown_fields(int(dut.result__payload.value), len(expected["sums"]))
            assert shown == expected, f"{where}: got {shown}, golden says {expected}"

    def _note(
        self, head: Head | None, seen: Seen, *, loaded: bool, inhibit: bool, ready: bool, full: int
    ) -> None:
        """Record which corners this cycle has reached."""
        if head is None:
            return
        ends = seen.leave and head.ends_result
        taken = seen.result_valid and ready
        stopped = loaded and not inhibit and not seen.issue
        CORNERS.hit("a full result queue stops the macro", stopped and full == RESULT_SLOTS)
        begun = self._planes_done > 0
        CORNERS.hit(
            "only the last bit plane of a result is stopped", stopped and (begun or not SKIP)
        )
        CORNERS.hit("result taken in the cycle in which the next one is issued", ends and taken)
        CORNERS.hit("group waits for its row", not loaded)
        CORNERS.hit("row written while a group waits", inhibit and loaded)
        CORNERS.hit("inhibited between two bit planes of a group", inhibit and begun)
        in_a_row = ends and self._issued_result_at == self.cycles - 1
        CORNERS.hit("results in neighbouring cycles", in_a_row or not SKIP)
        if ends:
            self._issued_result_at = self.cycles
        if seen.issue:
            self._planes_done = 0 if seen.leave else self._planes_done + 1


def note_tiles(tiles: list[Tile]) -> None:
    """Record the corners of the stimulus."""
    for tile in tiles:
        phis = set(tile.counts.sum(axis=1).tolist())
        if SPARSE:
            CORNERS.hit("filters of no, one and both columns in one tile", phis == {0, 1, 2})
        else:
            CORNERS.hit("filter that does not exist", 0 in phis)
        CORNERS.hit("tile of one row", len(tile.codes) == 1)
        CORNERS.hit("tile of as many rows as it may have", len(tile.codes) == ARCH.tile_rows)
        several = len(tile.vectors) > 1 and not tile.first
        CORNERS.hit("partial sums of several position vectors", several or ARCH.psum_vectors == 1)
        CORNERS.hit("tile ends without a sum that goes out", not tile.last)
        if ARCH.pairs:
            CORNERS.hit("partial sums of two filter groups", tile.double and several)
    for head in heads(tiles):
        planes = len(ipu(head.group)) if head.group.any() else 0
        CORNERS.hit("all-zero group", planes == 0)
        CORNERS.hit("group with one bit plane", planes == 1)
        CORNERS.hit("group with all bit planes", planes == 8)
        CORNERS.hit("position behind the end of the map", not head.vector.active)


async def start(dut: Any) -> None:
    """Reset with idle inputs."""
    await reset(dut, dut.head_valid, dut.inhibit, dut.write_en, dut.result__ready)


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(seed=range(4), style=list(STYLES))
async def macro_matches_golden_and_page(dut: Any, seed: int, style: str) -> None:
    """Every sum equals golden; issue, leave and result are where the rules say, every cycle."""
    tiles = random_tiles(np.random.default_rng(seed), ARCH, count=12)
    note_tiles(tiles)
    await start(dut)
    await Run(dut, tiles, STYLES[style], seed).until_done()


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def extreme_sums(dut: Any) -> None:
    """Full groups against the largest and the smallest cells, over tiles of all their rows."""
    tiles = extreme_tiles(ARCH)
    await start(dut)
    await Run(dut, tiles, STYLES["free"], seed=0).until_done()
    sums = [total for expected in expected_results(ARCH, tiles) for total in expected.sums]
    inputs = 3 * ARCH.tile_rows * ARCH.macro.compartments * 255
    smallest = -192 if SPARSE else -(1 << ARCH.macro.weight_bits - 1)
    largest = 192 if SPARSE else -1 - smallest
    LARGEST.hit("largest sum", max(sums) == inputs * largest)
    LARGEST.hit("smallest sum", min(sums) == inputs * smallest)


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(stall=[0.5, 0.9])
async def results_wait_for_the_consumer(dut: Any, stall: float) -> None:
    """With results as fast as they can be, the macro stops and goes on where the rules say."""
    tiles = short_tiles(np.random.default_rng(7), ARCH, count=40 // ARCH.psum_vectors)
    await start(dut)
    await Run(dut, tiles, Style(stall=stall), seed=7).until_done()


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(cycles=[5, 23, 60])
async def reset_in_the_middle(dut: Any, cycles: int) -> None:
    """After a reset at any time the macro starts from its reset state; stale sums are not seen."""
    tiles = random_tiles(np.random.default_rng(cycles), ARCH, count=4)
    await start(dut)
    await Run(dut, tiles, STYLES["mixed"], cycles).until_done(cycles)
    await start(dut)
    await Run(dut, tiles, STYLES["free"], cycles).until_done()


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    missed = CORNERS.missed() + LARGEST.missed()
    assert not missed, f"corners never reached: {missed}"
