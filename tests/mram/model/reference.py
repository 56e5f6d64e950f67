"""A CONV clocked unit by unit; each computes its next state from the present one of all.

It follows the contract of former and ring literally, and counts every event as it happens.
"""

from collections import Counter
from dataclasses import dataclass, field

from hwgen.mram.facts import Arch
from hwgen.mram.facts.records import entry_name

Fields = dict[str, int]
PATIENCE = 200_000


@dataclass
class Clocked:
    """The state of all units of one CONV."""

    fields: Fields
    arch: Arch
    reads_done: int = 0
    fill: int = 0
    current: bool = False
    column: int = 0
    need: int = 3
    takes: int = 0
    gathered: int = 0
    rows_taken: int = 0
    full: bool = False
    planes_left: int = 0
    slot: int = 0
    step: int = 0
    busy: dict[int, int] = field(default_factory=dict)
    events: Counter[str] = field(default_factory=Counter)
    last_issue: int = -1

    def __post_init__(self) -> None:
        self.column = -self.fields["pad_left"]
        self.rows = 1 + self.fields["two_rows"]
        self.planes = self.fields["input_planes"]
        self.pixels = self.arch.row_blocks >> self.fields["in_blocks_log"]
        self.chunks = self.fields["last_column"] // self.pixels + 1
        self.positions = self.fields["out_height"] * self.fields["out_width"]

    def run(self) -> int:
        """Clock until the last slot is over; return the cycle of the last issue."""
        for cycle in range(PATIENCE):
            if self.slot == self.fields["loads"] + self.fields["groups"]:
                return self.last_issue
            self.clock(cycle)
        raise AssertionError("the record never ends")

    def clock(self, cycle: int) -> None:
        """Advance all units by one cycle."""
        sent = self.ring(cycle)
        passes = self.full and (self.planes_left == 0 or (sent and self.planes_left == 1))
        take, row_take, released, shift = self.window(passes)
        move = self.fill == 3 and (not self.current or released)
        self.read(move)
        self.current = move or (self.current and not released)
        if passes:
            self.planes_left = self.planes
        elif sent:
            self.planes_left -= 1
        self.pack(take, passes)
        self.advance(row_take, shift)

    def ring(self, cycle: int) -> bool:
        """Advance the ring; return whether it sends a plane."""
        f, group = self.fields, self.slot % self.fields["groups"]
        planes = self.rows * self.planes if self.slot < f["loads"] else 0
        load = self.slot - f["groups"]
        size = f["last_positions"] if load == f["loads"] - 1 else f["positions"]
        sums = size * f["blocks"] if load >= 0 else 0
        free = self.busy.get(group, -1) < cycle
        sends = self.step < planes
        if not ((self.step > 0 or free) and (not sends or self.planes_left > 0)):
            return False
        if sends:
            self.events["tree_rows"] += 1
            self.events["input_row_writes"] += f["kernels"]
        if self.step < sums:
            self.last_issue = cycle
            lanes = f["kernels"] - self.step % f["blocks"] * self.arch.block
            self.events["sums"] += min(lanes, self.arch.block)
        self.step += 1
        if self.step == max(planes, sums):
            self.slot, self.step = self.slot + 1, 0
            if planes:
                self.busy[group] = cycle + self.ands()
        return sends

    def ands(self) -> int:
        """Count the ANDs of a load in their order; return their cycles."""
        f, cycles = self.fields, 0
        weight_planes = f["weight_planes"]
        for total in range(weight_planes + self.planes - 2, -1, -1):
            fresh = True
            for row in range(self.rows):
                for plane in range(weight_planes):
                    if not 0 <= total - plane < self.planes:
                        continue
                    double = fresh and total < weight_planes + self.planes - 2
                    self.count_and(row, double=double)
                    fresh = False
                    cycles += 1
        return cycles

    def count_and(self, row: int, *, double: bool) -> None:
        """Count one AND of all enabled sub-arrays of a group."""
        f = self.fields
        segments = range(self.arch.segments)
        active = sum(f[entry_name("active", row, segment)] for segment in segments)
        works = sum(f["accumulate"] >> segment & 1 for segment in segments)
        joins = sum(f["join"] >> segment & 1 for segment in segments)
        for name, count in (
            ("and_operations", 1),
            ("and_segments", active),
            ("bit_counts", active),
            ("joins", joins),
            ("adds", works),
            ("shifts", works if double else 0),
        ):
            self.events[name] += count * f["kernels"]

    def window(self, passes: bool) -> tuple[bool, bool, bool, bool]:
        """Return take, row take, whether the current row is released, whether a column shifts."""
        f = self.fields
        over = self.takes == self.positions
        take = self.need == 0 and not over and (not self.full or passes)
        row_take = take and self.rows_taken == self.rows - 1
        column, need = self.next_place(row_take)
        if over or (row_take and self.takes + 1 == self.positions) or need == 0:
            return take, row_take, False, False
        inside = 0 <= column < f["in_width"]
        shift = not inside or self.current
        ends = column % self.pixels == self.pixels - 1 or column == f["last_column"]
        return take, row_take, shift and 0 <= column <= f["last_column"] and ends, shift

    def next_place(self, row_take: bool) -> tuple[int, int]:
        """Return the column to shift in next and the columns that are needed."""
        if not row_take:
            return self.column, self.need
        if (self.takes + 1) % self.fields["out_width"] == 0:
            return -self.fields["pad_left"], 3
        return self.column, self.fields["stride_x"]

    def advance(self, row_take: bool, shift: bool) -> None:
        """Take the registers of the window over."""
        self.column, self.need = self.next_place(row_take)
        self.takes += row_take
        self.column, self.need = self.column + shift, self.need - shift

    def pack(self, take: bool, passes: bool) -> None:
        """Put a taken window into the packet."""
        if take:
            self.gathered += self.rows == 1
            ends = self.takes + 1 == self.positions or self.gathered == self.fields["positions"]
            self.full = self.rows == 2 or ends
            self.rows_taken = (self.rows_taken + 1) % self.rows
            self.gathered = 0 if self.full else self.gathered
        elif passes:
            self.full = False

    def read(self, move: bool) -> None:
        """Read one line of the next row of the bank."""
        f = self.fields
        working = self.fill < 3 or move
        if move:
            self.fill = 0
        if not working or self.reads_done == f["out_height"] * self.chunks * 3:
            return
        line = self.reads_done // (3 * self.chunks) * f["stride_y"] - f["pad_top"] + self.fill
        self.events["bank_reads"] += 0 <= line < f["in_height"]
        self.reads_done += 1
        self.fill += 1
