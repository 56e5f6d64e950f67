"""The rule of a convolution's cycles: row reader, window, gather, sender, ring, octets.

Written from the microarchitecture, a class for each unit. In a cycle the ring decides first, then
sender, gather, window and reader, each from the registers of the cycle and the decisions before.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product

from hwgen.mram.facts.arch import WINDOW, Arch
from verif.mram.and_order import and_order

Fields = Mapping[str, int]


@dataclass(frozen=True)
class Issue:
    """A sum that the ring issues: position within its load, load, block of the output pixel."""

    load: int
    position: int
    block: int


@dataclass(frozen=True)
class Cycle:
    """What happens in a cycle.

    reads: a line is processed; row: of the bank, None beside the map or without `reads`
    plane: input row that a plane of `group` is sent to; goes: the group's load is complete
    half: of input rows of the slot; flush: there is no load, sums move to registers alone
    """

    reads: bool = False
    row: int | None = None
    group: int = 0
    plane: int | None = None
    goes: bool = False
    issue: Issue | None = None
    half: bool = False
    flush: bool = False


@dataclass
class Reader:
    """Chunks of three lines, one line a cycle."""

    fields: Fields
    pixels: int
    output_line: int = 0
    chunk: int = 0
    lines: int = 0

    @property
    def done(self) -> bool:
        """Whether all output lines are read."""
        return self.output_line == self.fields["out_height"]

    def step(self, *, move: bool) -> tuple[bool, int | None]:
        """Return whether a line is processed, and the row read."""
        fields = self.fields
        if self.done or (self.lines == WINDOW and not move):
            self.lines = 0 if move else self.lines
            return False, None
        line = 0 if move else self.lines
        self.lines = line + 1
        above = self.output_line * fields["stride_y"] - fields["pad_top"] + line
        row = (above * fields["in_width"] + self.chunk * self.pixels) // self.pixels
        if self.lines == WINDOW:
            self.chunk += 1
            if self.chunk > fields["last_column"] // self.pixels:
                self.chunk, self.output_line = 0, self.output_line + 1
        return True, row if 0 <= above < fields["in_height"] else None


@dataclass
class Window:
    """Columns that shift in until the window stands at an output position."""

    fields: Fields
    pixels: int
    missing: int = WINDOW
    column: int = 0
    x: int = 0
    y: int = 0
    current: bool = False

    def __post_init__(self) -> None:
        self.column = -self.fields["pad_left"]

    @property
    def done(self) -> bool:
        """Whether all positions are taken."""
        return self.y == self.fields["out_height"]

    @property
    def valid(self) -> bool:
        """Whether the window stands at a position."""
        return self.missing == 0 and not self.done

    @property
    def ends(self) -> bool:
        """Whether a take is the last of a row set: a window is all its taps."""
        return True

    @property
    def last(self) -> bool:
        """Whether the position is the last of the map."""
        fields = self.fields
        return (self.x, self.y) == (fields["out_width"] - 1, fields["out_height"] - 1)

    def step(self, *, row_take: bool, full: bool) -> bool:
        """Advance by a cycle; return whether the next rows become current."""
        fields = self.fields
        if row_take:
            self.missing = fields["stride_x"]
            self.x += 1
            if self.x == fields["out_width"]:
                self.x, self.y = 0, self.y + 1
                self.missing, self.column = WINDOW, -fields["pad_left"]
        released = False
        inside = 0 <= self.column < fields["in_width"]
        if self.missing and not self.done and (self.current or not inside):
            at_end = self.column % self.pixels == self.pixels - 1
            released = inside and (at_end or self.column == fields["last_column"])
            self.column, self.missing = self.column + 1, self.missing - 1
        move = full and (released or not self.current)
        self.current = move or (self.current and not released)
        return move


@dataclass
class Walker:
    """Taps one after the other: all of a position, twice where a kernel has two row sets.

    row_blocks: blocks of a row; read: rows of taps so far; waits: the last one is not taken yet
    """

    fields: Fields
    row_blocks: int
    read: int = 0
    waits: bool = False

    def __post_init__(self) -> None:
        self.taps = list(self._taps())

    def _taps(self) -> Iterator[tuple[int | None, bool, bool]]:
        """Yield each row of each tap that is read, if any, and whether it ends row set, and map."""
        fields = self.fields
        positions = list(product(range(fields["out_height"]), range(fields["out_width"])))
        kernel = (range(fields[f"kernel_{side}"]) for side in ("height", "width"))
        taps = list(product(*kernel, range(fields["tap_rows"])))
        for y, x in positions:
            for _ in range(1 + fields["two_rows"]):
                for tap in taps:
                    line = y * fields["stride_y"] - fields["pad_top"] + tap[0]
                    column = x * fields["stride_x"] - fields["pad_left"] + tap[1]
                    here = 0 <= line < fields["in_height"] and 0 <= column < fields["in_width"]
                    pixel = line * fields["in_width"] + column
                    first = (pixel << fields["in_blocks_log"]) // self.row_blocks
                    first += fields["first_row"]
                    row = first + tap[2] if here else None
                    yield row, tap == taps[-1], (y, x) == positions[-1]

    @property
    def valid(self) -> bool:
        """Whether a tap waits."""
        return self.waits

    @property
    def ends(self) -> bool:
        """Whether the tap that waits is the last of a row set."""
        return self.taps[self.read - 1][1]

    @property
    def last(self) -> bool:
        """Whether the tap that waits is of the map's last position."""
        return self.taps[self.read - 1][2]

    def step(self, *, take: bool) -> tuple[bool, int | None]:
        """Return whether a tap is processed, and the row read."""
        if self.read == len(self.taps) or (self.waits and not take):
            self.waits = self.waits and not take
            return False, None
        self.read, self.waits = self.read + 1, True
        return True, self.taps[self.read - 1][0]


@dataclass
class Gather:
    """Takes of windows, and whether a packet is complete."""

    fields: Fields
    full: bool = False
    position: int = 0
    row_set: int = 0

    def step(self, window: Window | Walker, *, accept: bool) -> tuple[bool, bool]:
        """Return whether a window is taken, and whether in its last row set."""
        if not window.valid or (self.full and not accept):
            self.full = self.full and not accept
            return False, False
        if not window.ends:
            self.full = False
            return True, False
        two = bool(self.fields["two_rows"])
        row_take = not two or self.row_set == 1
        self.row_set = int(two) - self.row_set if two else 0
        self.position += 1
        self.full = two or window.last or self.position == self.fields["positions"]
        self.position = 0 if self.full else self.position
        return True, row_take


@dataclass
class Windows:
    """Row reader, window and gather."""

    reader: Reader
    window: Window
    gather: Gather

    @property
    def full(self) -> bool:
        """Whether a packet is complete."""
        return self.gather.full

    def step(self, *, accept: bool) -> tuple[bool, int | None]:
        """Return whether a line is processed, and the row read."""
        _, row_take = self.gather.step(self.window, accept=accept)
        move = self.window.step(row_take=row_take, full=self.reader.lines == WINDOW)
        return self.reader.step(move=move)


@dataclass
class Walks:
    """Walker and gather."""

    walker: Walker
    gather: Gather

    @property
    def full(self) -> bool:
        """Whether a packet is complete."""
        return self.gather.full

    def step(self, *, accept: bool) -> tuple[bool, int | None]:
        """Return whether a tap is processed, and the row read."""
        take, _ = self.gather.step(self.walker, accept=accept)
        return self.walker.step(take=take)


def forming(fields: Fields, arch: Arch) -> Windows | Walks:
    """Return the rule of what forms packets of a record."""
    if fields.get("walk", 0):
        return Walks(Walker(fields, arch.row_blocks), Gather(fields))
    pixels = arch.row_blocks >> fields["in_blocks_log"]
    return Windows(Reader(fields, pixels), Window(fields, pixels), Gather(fields))


@dataclass
class Ring:
    """Slots of the groups; `free_at`: first cycle in which a group may begin its next slot.

    registers: sums are those of two loads ago; over_at: first cycle behind the ANDs of a group
    ahead: inputs of a load are written while the one before is computed
    """

    fields: Fields
    registers: bool = False
    ahead: bool = False
    over_at: dict[int, int] = field(default_factory=dict)
    slot: int = 0
    at: int = 0
    free_at: dict[int, int] = field(default_factory=dict)

    @property
    def done(self) -> bool:
        """Whether all slots are over."""
        return self.slot == self.fields["loads"] + self.delay

    @property
    def delay(self) -> int:
        """Slots from the planes of a load to its sums."""
        return self.fields["groups"] * (2 if self.registers else 1)

    @property
    def and_cycles(self) -> int:
        """ANDs of a load."""
        fields = self.fields
        order = and_order(
            weight_planes=fields["weight_planes"],
            input_planes=fields["input_planes"],
            row_sets=1 + fields["two_rows"],
            twins=fields.get("twins", 0) > 0,
        )
        return len(list(order))

    def step(self, now: int, *, plane_valid: bool) -> Cycle:
        """Return what the ring does in cycle `now`."""
        fields = self.fields
        loads, groups = fields["loads"], fields["groups"]
        group, drained = self.slot % groups, self.slot - self.delay
        planes = (1 + fields["two_rows"]) * fields["input_planes"] if self.slot < loads else 0
        of_load = fields["last_positions"] if drained == loads - 1 else fields["positions"]
        sums = of_load * fields["blocks"] if drained >= 0 else 0
        sends = self.at < planes
        if (self.at == 0 and now < self.free_at.get(group, 0)) or (sends and not plane_valid):
            return Cycle()
        position, block = divmod(self.at, fields["blocks"])
        ends = self.at >= max(planes, sums) - 1
        flushes = self.registers and loads <= self.slot < loads + groups
        upper = self.ahead and self.slot // groups % 2 == 1
        done = Cycle(
            group=group,
            plane=self.at + (planes if upper else 0) if sends else None,
            goes=ends and (self.slot < loads or flushes),
            half=upper,
            flush=flushes,
            issue=Issue(drained, position, block) if self.at < sums else None,
        )
        self.at += 1
        if ends:
            if done.goes:
                self._start(group, now, ands=0 if flushes else self.and_cycles)
            self.slot, self.at = self.slot + 1, 0
        return done

    def _start(self, group: int, now: int, *, ands: int) -> None:
        """Note when the ANDs of a complete load end, and when the group takes more."""
        if not self.registers:
            self.free_at[group] = now + 1 + ands
            return
        begin = max(now + 2, self.over_at.get(group, 0))
        self.over_at[group] = begin + ands
        waits_for_ands = ands > 0 and not self.ahead
        self.free_at[group] = begin + ands - 1 if waits_for_ands else begin


def ring_of(fields: Fields, arch: Arch) -> Ring:
    """Return the rule of the ring of a chip."""
    rows = (1 + fields["two_rows"]) * fields["input_planes"]
    return Ring(fields, registers=arch.overlap, ahead=arch.overlap and 2 * rows <= arch.input_rows)


def convolution(fields: Fields, arch: Arch) -> Iterator[Cycle]:
    """Yield every cycle of a record, from the first in which former and ring work to the last."""
    formed, ring = forming(fields, arch), ring_of(fields, arch)
    in_sender = 0
    now = 0
    while not ring.done:
        done = ring.step(now, plane_valid=in_sender > 0)
        in_sender -= done.plane is not None
        accept = formed.full and in_sender == 0
        in_sender = fields["input_planes"] if accept else in_sender
        reads, row = formed.step(accept=accept)
        yield replace(done, reads=reads, row=row)
        now += 1
