"""Sender: gives the bit planes of a packet to the ring.

Tests: `tests/verif/mram/test_array_side.py`.
"""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.checks import holds, in_range_of, must
from hwgen.chip.rtl.part import Part
from hwgen.mram.facts.arch import TAPS, Arch
from hwgen.mram.rtl import layouts
from hwgen.mram.rtl.gather import packet


class Sender(Part):
    """Shifts all elements of a packet right, by one bit for each plane that the ring takes.

    Bit ``j * 9 block + i * 9 + tap`` of a plane is that of element i of tap ``tap`` of segment j.

    Ports
        record      in   record              of a convolution, constant while the sender works
        go          in   1                   in the cycle before
        packet      in   packet
        full        in   1                   ``packet`` is complete
        step_plane  in   1                   the ring takes ``plane``; only with ``valid``
        accept      out  1                   ``packet`` is taken
        valid       out  1
        plane       out  segments * 9 block  planes 0, 1, .. ``input_planes`` - 1 of a packet
    Latency  1 from ``full`` to ``valid``
    Rate     one plane in each cycle, no gap between packets
    Errors   none
    Golden   ``verif.reference.mram.segments``
    Source   seed 001, Eq. 5: bit planes of the inputs
    """

    family = "mram"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        super().__init__(
            {
                "record": In(layouts.record(arch)),
                "go": In(1),
                "packet": In(packet(arch)),
                "full": In(1),
                "step_plane": In(1),
                "accept": Out(1),
                "valid": Out(1),
                "plane": Out(arch.input_columns),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        arch = self._arch
        rest = Signal(packet(arch))
        self.guarded(rest)
        number = Signal.like(self.record.input_planes)
        ends = Signal()
        m.d.comb += [
            ends.eq(self.step_plane & (number == self.record.input_planes - 1)),
            self.accept.eq(self.full & (~self.valid | ends)),
            self.plane.eq(
                Cat(
                    rest[j][tap][i * arch.element_bits]
                    for j in range(arch.segments)
                    for i in range(arch.block)
                    for tap in range(TAPS)
                )
            ),
        ]
        with m.If(self.go):
            m.d.sync += self.valid.eq(0)
        with m.Elif(self.accept):
            m.d.sync += [self.valid.eq(1), number.eq(0)]
        with m.Elif(self.step_plane):
            m.d.sync += [self.valid.eq(~ends), number.eq(number + 1)]
        bits = rest.as_value()
        below_highest = "0" + "1" * (arch.element_bits - 1)
        mask = Const(int(below_highest * (len(bits) // arch.element_bits), 2), len(bits))
        with m.If(self.accept):
            m.d.sync += rest.eq(self.packet)
        with m.Elif(self.step_plane):
            m.d.sync += bits.eq((bits >> 1) & mask)
        in_range_of(m, "number", number, self.record.input_planes - 1, when=self.valid)
        steps = self.step_plane
        holds(m, "plane", valid=self.valid, ready=steps, payload=self.plane, unless=self.go)
        must(m, self.full, "the packet must give no word while it is empty", when=self.accept)
        must(m, self.valid, "the planes must give no word while there are none", when=steps)
        return m
