"""Ring: gives each group its slot, in which planes go in and sums come out.

Tests: `tests/verif/mram/test_parts.py`.
"""

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.checks import must, within
from hwgen.chip.rtl.choose import choose, choose_below
from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.mram.facts.arch import Arch
from hwgen.mram.facts.records import COUNT_BITS, POSITION_BITS, segment_bits
from hwgen.mram.facts.timing import DRAIN_CYCLES
from hwgen.mram.rtl import layouts


class Ring(Part):
    """Slot q, of group ``q mod groups``, sends planes and issues sums.

    Its planes are those of load q, its sums those of the load that the group had before. Blocks of
    a position are in the octets of the group, one after the other, and those beyond them in the
    next segment of ``sum_segment`` [of any kernels]. Slots are 0 to ``loads`` + ``groups`` - 1. A
    slot has as many steps as it has planes or sums, whichever are more. The first waits until the
    group is free, one with a plane until it is there.

    Ports
        record         in   record              of a convolution, with ``go``
        go             in   1                   in the cycle before the first step
        plane_valid    in   1                   from the former
        plane          in   segments * 9 block
        free           in   octets              see ``OctetControl``
        step_plane     out  1                   ``plane`` is taken
        send_valid     out  1                   to the input tree
        send_row       out  input_bits          input row
        send_data      out  segments * 9 block
        send_octets    out  octets              of the group
        send_go        out  octets              the slot ends, and had planes
        issue_valid    out  1
        issue          out  sum_issue
        drain_octet    out  octet_bits          octet of the sum issued ``DRAIN_CYCLES`` before
        drain_segment  out  seg_bits            its segment
        busy           out  1                   until the last step, inclusive
        send_half      out  1                   with ``overlap``: its inputs are the upper ones
        send_flush     out  1                   with ``overlap``: it has no planes
    With ``overlap`` sums come a load later, from registers: slots are 0 to ``loads`` + 2 ``groups``
    - 1, and the first ``groups`` of those without planes go, too, to move the last sums there. If
    input rows have room for two loads, every second load of a group takes the upper ones.

    Latency  0 from ``plane`` and ``free`` to a step
    Rate     one step in each cycle; period of a group: steps of its slot and its ANDs
    Errors   none: ``groups`` is from 1 to ``loads``
    Golden   none; the bench has the rule of the schedule
    Source   project: one slot for the planes of a load and the sums of the one before
    """

    family = "mram"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        super().__init__(
            {
                "record": In(layouts.record(arch)),
                "go": In(1),
                "plane_valid": In(1),
                "plane": In(arch.input_columns),
                "free": In(arch.octets),
                "step_plane": Out(1),
                "send_valid": Out(1),
                "send_row": Out(bits_for_index(arch.input_rows)),
                "send_data": Out(arch.input_columns),
                "send_octets": Out(arch.octets),
                "send_go": Out(arch.octets),
                **dict.fromkeys(("send_half", "send_flush") if arch.overlap else (), Out(1)),
                "issue_valid": Out(1),
                "issue": Out(layouts.sum_issue(arch)),
                "drain_octet": Out(bits_for_index(arch.octets)),
                "drain_segment": Out(segment_bits(arch)),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # A register of its own: the one of the octets has them all to drive.
        self._kept = record = Signal.like(self.record, name="kept")
        with m.If(self.go):
            m.d.sync += record.eq(self.record)
        self.guarded(record)
        slot, step = Signal(COUNT_BITS + 1), Signal(2 * POSITION_BITS)
        group = Signal.like(record.groups)
        first_octet = Signal(bits_for_index(self._arch.octets))
        loads, sends, issues = Signal(), Signal(), Signal()
        steps, slot_ends, last_slot = Signal(), Signal(), Signal()
        free = choose(list(self.free), first_octet)
        planes, sums = self._amounts(m, next_slot=slot + 1, ends=steps & slot_ends)
        m.d.comb += [
            first_octet.eq(group << record.octets_log),
            loads.eq(slot < record.loads),
            last_slot.eq(slot + 1 == record.loads + self._behind),
            sends.eq(step < planes),
            issues.eq(step < sums),
            steps.eq(self.busy & ((step != 0) | free) & (~sends | self.plane_valid)),
            slot_ends.eq((step + 1 >= planes) & (step + 1 >= sums)),
        ]
        with m.If(self.go):
            m.d.sync += [self.busy.eq(1), slot.eq(0), step.eq(0), group.eq(0)]
        with m.Elif(steps):
            m.d.sync += step.eq(step + 1)
            with m.If(slot_ends):
                m.d.sync += [
                    step.eq(0),
                    slot.eq(slot + 1),
                    group.eq(Mux(group + 1 == record.groups, 0, group + 1)),
                    self.busy.eq(~last_slot),
                ]
        goes, row = loads, step
        if self._arch.overlap:
            turns = steps & slot_ends & (group + 1 == record.groups)
            goes, row = self._overlap(m, slot=slot, step=step, turns=turns)
        of_group = Signal(self._arch.octets)
        for octet, bit in enumerate(of_group):
            m.d.comb += bit.eq((octet >> record.octets_log) == group)
        m.d.comb += [
            self.step_plane.eq(steps & sends),
            self.send_valid.eq(self.step_plane),
            self.send_row.eq(row),
            self.send_data.eq(self.plane),
            self.send_octets.eq(of_group),
            self.send_go.eq(Mux(steps & slot_ends & goes, of_group, 0)),
        ]
        self._issue(m, issues=steps & issues, slot_ends=steps & slot_ends, first=first_octet)
        within(m, "send_row", self.send_row, self._arch.input_rows, when=self.send_valid)
        sent = self.plane_valid
        must(m, sent, "the sender must give no word while it is empty", when=self.step_plane)
        return m

    def _amounts(self, m: Module, *, next_slot: Value, ends: Value) -> tuple[Signal, Signal]:
        """Return the planes and the sums of the slot: registers, for much hangs on them."""
        record = self._kept
        planes, sums = Signal(len(record.input_planes) + 1), Signal(2 * POSITION_BITS)
        is_last = next_slot + 1 == record.loads + self._behind
        positions = Mux(is_last, record.last_positions, record.positions)
        with m.If(self.go):
            m.d.sync += [planes.eq(self.record.input_planes << self.record.two_rows), sums.eq(0)]
        with m.Elif(ends):
            m.d.sync += [
                planes.eq(Mux(next_slot < record.loads, record.input_planes << record.two_rows, 0)),
                sums.eq(Mux(next_slot >= self._behind, positions * record.blocks, 0)),
            ]
        return planes, sums

    def _overlap(
        self, m: Module, *, slot: Signal, step: Signal, turns: Value
    ) -> tuple[Value, Value]:
        """Drive what only sum registers need; return whether the slot goes, and its input row."""
        record, half = self._kept, Signal()
        planes = record.input_planes << record.two_rows
        with m.If(self.go):
            m.d.sync += half.eq(0)
        with m.Elif(turns):
            m.d.sync += half.eq(~half)
        m.d.comb += [
            self.send_half.eq(half & layouts.two_loads(record, self._arch)),
            self.send_flush.eq(slot >= record.loads),
        ]
        return slot < record.loads + record.groups, step + Mux(self.send_half, planes, 0)

    @property
    def _behind(self) -> Value:
        """Return by how many slots the sums of a load are behind its planes."""
        groups = self._kept.groups
        return groups.shift_left(1) if self._arch.overlap else groups

    def _issue(self, m: Module, *, issues: Value, slot_ends: Value, first: Signal) -> None:
        """Drive the sum that is issued, and delay it for the output tree."""
        record = self._kept
        # Of any kernels the number counts sums, of which a position may have several.
        several = self._arch.any_kernel
        number = Signal(POSITION_BITS, name="number" if several else "position")
        block = Signal.like(self.issue.block)
        segments = [getattr(record, f"sum_segment_{index}") for index in range(self._arch.segments)]
        octet, group_ends = first + block, Signal()
        if several:
            # Blocks beyond the octets of the group are in further sums of theirs.
            others, in_group = (Signal.like(first, name=name) for name in ("others", "in_group"))
            m.d.comb += [
                others.eq((Const(1) << record.octets_log) - 1),
                in_group.eq(block & others),
            ]
            octet = first + in_group
            m.d.comb += group_ends.eq((in_group == others) | self.issue.last_block)
        m.d.comb += [
            self.issue_valid.eq(issues),
            self.issue.octet.eq(octet),
            self.issue.segment.eq(choose_below(segments, number)),
            self.issue.block.eq(block),
            self.issue.last_block.eq(block + 1 == record.blocks),
        ]
        with m.If(issues):
            m.d.sync += block.eq(block + 1)
            with m.If(self.issue.last_block):
                m.d.sync += [block.eq(0), *(() if several else (number.eq(number + 1),))]
            if several:
                with m.If(group_ends):
                    m.d.sync += number.eq(number + 1)
        with m.If(slot_ends | self.go):
            m.d.sync += [block.eq(0), number.eq(0)]
        octet, segment = self.issue.octet, self.issue.segment
        for stage in range(DRAIN_CYCLES):
            ends = stage == DRAIN_CYCLES - 1
            later_octet = self.drain_octet if ends else Signal.like(octet, name=f"octet_{stage}")
            later_segment = (
                self.drain_segment if ends else Signal.like(segment, name=f"segment_{stage}")
            )
            m.d.sync += [later_octet.eq(octet), later_segment.eq(segment)]
            octet, segment = later_octet, later_segment
