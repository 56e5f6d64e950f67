"""Gather: puts the windows of a load into the places of their segments.

Tests: `tests/verif/mram/test_array_side.py`.
"""

from contextlib import nullcontext

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.checks import holds, must
from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.mram.facts.arch import TAPS, Arch
from hwgen.mram.facts.records import POSITION_BITS
from hwgen.mram.rtl import layouts
from hwgen.mram.rtl.gather_tap import GatherTap
from hwgen.mram.rtl.walker import place_bits
from hwgen.mram.rtl.window import window_pixels


def packet(arch: Arch) -> data.ArrayLayout:
    """Inputs of one row of a load: for each segment and tap a block of elements."""
    return data.ArrayLayout(data.ArrayLayout(arch.block * arch.element_bits, TAPS), arch.segments)


class Gather(Part):
    """Collects one input row of a load: a window for each position, or for each row set.

    Segment j receives block ``block_r_j`` of the window of position ``position_r_j``, with 0 for
    channels from ``channels`` on; segments that are not active, and those of positions behind the
    end of the map, hold 0. ``twins`` of the second row set receive their elements doubled.

    With ``walk`` a take brings one tap of a kernel: block k of its pixel goes to place
    ``place`` + k, which is tap (place mod 9) of the segment whose entry has block (place div 9).
    Elements from ``channels`` on are 0 already. A tap of several rows comes row by row. With
    ``depthwise``, too, block ``block_r_j`` of the tap goes to tap ``place`` of segment j.

    Ports
        record    in   record         of a convolution, constant while the gather works
        go        in   1              in the cycle before
        valid     in   1              ``pixels`` are those of an output position
        last      in   1              of the map
        pixels    in   window_pixels
        place     in   place_bits     of the first block in ``pixels`` [of any kernels, with
                                      ``walk``]
        ends      in   1              they are the last of a row set [of any kernels]
        accept    in   1              the sender takes ``packet``; only with ``full``
        take      out  1              ``pixels`` are taken [of any kernels]
        row_take  out  1              the position is taken in its last row set
        packet    out  packet         complete while ``full``
        full      out  1
    Latency  1 from the last window of a row to ``full``
    Rate     one window in each cycle; none while ``full`` without ``accept``
    Errors   none
    Golden   ``verif.reference.mram.segments``
    Source   project: several positions, or a kernel of two rows, share one load
    """

    family = "mram"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        super().__init__(
            {
                "record": In(layouts.record(arch)),
                "go": In(1),
                "valid": In(1),
                "last": In(1),
                "pixels": In(window_pixels(arch)),
                **({"place": In(place_bits(arch)), "ends": In(1)} if arch.any_kernel else {}),
                "accept": In(1),
                **({"take": Out(1)} if arch.any_kernel else {}),
                "row_take": Out(1),
                "packet": Out(packet(arch)),
                "full": Out(1),
            }
        )
        self._tap = GatherTap(arch=arch)
        self.parts = [self._tap]

    def elaborate(self, platform: object) -> Module:
        m = Module()
        two_rows = self.record.two_rows
        walks = self._arch.any_kernel
        take, complete, row_set = Signal(), Signal(), Signal()
        position = Signal(POSITION_BITS)
        ends_load = (position + 1 == self.record.positions) | self.last
        row_take, packet_ends = take & (row_set == two_rows), two_rows | ends_load
        begins: Value = position == 0
        if walks:
            # A window is all taps of a position at once.
            ends = ~self.record.walk | self.ends
            row_take, packet_ends = row_take & ends, packet_ends & ends
            begins = begins & (~self.record.walk | (self.place == 0))
            m.d.comb += self.take.eq(take)
        m.d.comb += [
            take.eq(self.valid & (~self.full | self.accept)),
            self.row_take.eq(row_take),
            complete.eq(packet_ends),
        ]
        with m.If(self.go):
            m.d.sync += [self.full.eq(0), position.eq(0), row_set.eq(0)]
        with m.Elif(take):
            m.d.sync += self.full.eq(complete)
            with m.If(ends) if walks else nullcontext():
                m.d.sync += [
                    row_set.eq(two_rows & ~row_set),
                    position.eq(Mux(complete, 0, position + 1)),
                ]
        with m.Elif(self.accept):
            m.d.sync += self.full.eq(0)
        for j in range(self._arch.segments):
            self._gather_segment(m, j, take=take, begins=begins, row_set=row_set, position=position)
        room = ~self.full | self.accept
        must(m, room, "the packet must take no word while it is full", when=take)
        first = self.packet[0][0]
        holds(m, "the first tap", valid=self.full, ready=self.accept, payload=first, unless=self.go)
        return m

    def _gather_segment(
        self,
        m: Module,
        j: int,
        *,
        take: Signal,
        begins: Value,
        row_set: Signal,
        position: Signal,
    ) -> None:
        """Write a segment, or clear it with the first window of a packet."""
        arch = self._arch
        active, at, block = (
            Mux(row_set, *(layouts.entry(self.record, name, r, j) for r in (1, 0)))
            for name in ("active", "position", "block")
        )
        number = Signal(bits_for_index(arch.row_blocks), name=f"block_{j}")
        chosen, exist = Signal(name=f"chosen_{j}"), Signal(arch.block, name=f"exist_{j}")
        walk = self.record.walk if arch.any_kernel else Const(0)
        m.d.comb += [
            number.eq(block),
            chosen.eq(active & (at == position)),
            exist.eq(
                Cat(
                    walk | (number * arch.block + i < self.record.channels)
                    if arch.any_kernel
                    else number * arch.block + i < self.record.channels
                    for i in range(arch.block)
                )
            ),
        ]
        for tap in range(TAPS):
            m.submodules[f"tap_{j}_{tap}"] = part = self._tap.instance()
            here, from_block = chosen, number
            if arch.any_kernel:
                here, from_block = self._place(m, j, tap, chosen=chosen, number=number, block=block)
            m.d.comb += [
                part.pixel.eq(self.pixels[tap]),
                part.exist.eq(exist),
                part.take.eq(take & here),
                part.clear.eq(take & begins),
                self.packet[j][tap].eq(part.held),
            ]
            if arch.row_blocks > 1:
                m.d.comb += part.number.eq(from_block)
            if arch.twins:
                m.d.comb += part.double.eq(row_set & self.record.twins[j])

    def _place(
        self, m: Module, j: int, tap: int, *, chosen: Signal, number: Signal, block: Value
    ) -> tuple[Signal, Signal]:
        """Return whether a tap of a segment is written, and with which block of its pixel."""
        walk = self.record.walk
        offset = Signal(signed(place_bits(self._arch) + 1), name=f"offset_{j}_{tap}")
        here = Signal(name=f"here_{j}_{tap}")
        from_block = Signal.like(number, name=f"from_block_{j}_{tap}")
        # Of a tap of several rows the next ones bring what follows.
        there = (offset < self.record.tap_places) & (offset < self._arch.row_blocks)
        # Of a depthwise layer each segment has a block of its own, at all taps.
        blocks_follow = walk & ~self.record.depthwise
        of_kernel = Mux(self.record.depthwise, self.place == tap, (offset >= 0) & there)
        m.d.comb += [
            offset.eq(block * TAPS + tap - self.place),
            here.eq(chosen & (~walk | of_kernel)),
            from_block.eq(Mux(blocks_follow, offset[: len(number)], number)),
        ]
        return here, from_block
