"""The front of a loader: cuts beats into packets and forwards the beats after a header."""

from collections.abc import Mapping

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.checks import in_range, one_hot, within
from hwgen.chip.rtl.shared import SharedPart
from hwgen.chip.widths import bits_for_index


class PacketFront(SharedPart):
    """Gathers one packet, or the header of one, after the other, and counts the beats.

    A packet begins on a beat; its lowest bits, the opcode, determine its length. After a header
    another part may take beats (the body). The user of the packet answers it and interprets it.
    The stream comes in segments: an answer with `recount` tells the beats of the next one.

    Parameters
    ----------
        family       prefix of the module name
        port_bits    bits of a beat
        header_bits  bits of the packet, or of its header, for each opcode that may come
        first_bits   bits of the first packet
        opcode_bits  bits of an opcode, at most a beat
        count_bits   bits of the number of beats
    Ports
        start      in          1            take the first packet
        beats      in stream   port_bits
        packet     out         longest      the packet gathered last, its first beat lowest
        first      out         1            it is the first one, or its body is being forwarded
        whole      out         1            it is complete; held until one of the next three
        next       in          1            answer: gather the next packet
        body       in          1            answer: forward the body, then gather the next packet
        stop       in          1            answer: take no more beats
        recount    in          1            with an answer: a segment begins after this packet and
                                            its body; the body is in no segment
        count      in          count_bits   with `recount`: beats of that segment
        rest       out stream  port_bits    the body
        rest_done  in          1            the last beat of the body is taken in this cycle
        unknown    out         1            the first beat of a packet has another opcode; then stop
        ended      out         1            a beat after the end of the segment is needed; then stop
    Latency  1 cycle from the last beat of a packet to ``whole``; 0 from ``beats`` to ``rest``
    Rate     one beat in each cycle, and a cycle for each answer
    Errors   ValueError for a parameter out of range; ``ended`` has priority over ``unknown``; the
             opcode of the first packet is not checked, and its answer must say `recount`
    Golden   the packets in their order
    Source   docs/dbpim-microarchitecture.md, "Loader"
    """

    def __init__(
        self,
        *,
        family: str,
        port_bits: int,
        header_bits: Mapping[int, int],
        first_bits: int,
        opcode_bits: int,
        count_bits: int,
    ) -> None:
        if not 1 <= opcode_bits <= port_bits:
            raise ValueError(f"opcode_bits must be 1 to {port_bits}, got {opcode_bits}")
        if not header_bits:
            raise ValueError("header_bits must hold an opcode, got none")
        for opcode, bits in header_bits.items():
            if not 0 <= opcode < 1 << opcode_bits:
                raise ValueError(f"an opcode must fit {opcode_bits} bits, got {opcode}")
            if bits < opcode_bits:
                raise ValueError(f"header_bits must be at least {opcode_bits}, got {bits}")
        if first_bits < 1:
            raise ValueError(f"first_bits must be at least 1, got {first_bits}")
        self._port_bits = port_bits
        self._opcode_bits = opcode_bits
        self._beats = {opcode: -(-bits // port_bits) for opcode, bits in header_bits.items()}
        self._first_beats = -(-first_bits // port_bits)
        self._longest = max(self._first_beats, *self._beats.values())
        super().__init__(
            {
                "start": In(1),
                "beats": In(stream.Signature(port_bits)),
                "packet": Out(self._longest * port_bits),
                "first": Out(1),
                "whole": Out(1),
                "next": In(1),
                "body": In(1),
                "stop": In(1),
                "recount": In(1),
                "count": In(count_bits),
                "rest": Out(stream.Signature(port_bits)),
                "rest_done": In(1),
                "unknown": Out(1),
                "ended": Out(1),
            },
            family=family,
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self.guarded(self.packet)
        left, counted = Signal.like(self.count), Signal()
        bits = bits_for_index(self._longest)
        first_number, number = Signal(bits), Signal(bits)
        in_range(m, "first_number", first_number, self._first_beats - 1)
        within(m, "number", number, self._longest, when=self.beats.valid)
        ends, takes = Cat(self.unknown, self.ended), self.beats.valid & self.beats.ready
        one_hot(m, "unknown and ended, whole", [ends.any(), self.whole])
        one_hot(m, "whole and a beat that is taken", [self.whole, takes])
        with m.FSM():
            with m.State("IDLE"), m.If(self.start):
                m.next = "FIRST"
            with m.State("FIRST"), m.If(self._gather(m, first_number, self._first_beats)):
                m.d.sync += self.first.eq(1)
                m.next = "WHOLE"
            with m.State("HEADER"):
                self._header(m, number)
                self._count(m, left=left)
            with m.State("WHOLE"):
                m.d.comb += self.whole.eq(1)
                with m.If(self.recount):
                    m.d.sync += left.eq(self.count)
                with m.If(self.stop):
                    m.next = "STOP"
                with m.Elif(self.body):
                    m.d.sync += counted.eq(~self.recount)
                    m.next = "BODY"
                with m.Elif(self.next):
                    m.d.sync += self.first.eq(0)
                    m.next = "HEADER"
            with m.State("BODY"):
                self._forward(m)
                with m.If(self.rest_done):
                    m.d.sync += self.first.eq(0)
                    m.next = "HEADER"
                with m.If(counted):
                    self._count(m, left=left)
            with m.State("STOP"):
                pass
        return m

    def _gather(self, m: Module, number: Signal, beats: Value | int) -> Value:
        """Take the next beat of a packet of `beats` beats; return whether it is the last.

        number: beats of the packet that are taken
        """
        last = number == beats - 1
        m.d.comb += self.beats.ready.eq(1)
        with m.If(self.beats.valid):
            place = self.packet.word_select(number, self._port_bits)
            m.d.sync += [place.eq(self.beats.payload), number.eq(Mux(last, 0, number + 1))]
        return self.beats.valid & last

    def _header(self, m: Module, number: Signal) -> None:
        """Take a packet, or a header, whose first beat determines its length."""
        bits = self._opcode_bits
        begun, opcode = Signal(), Signal(bits)
        m.d.comb += opcode.eq(Mux(begun, self.packet[:bits], self.beats.payload[:bits]))
        beats = Signal(range(self._longest + 1))
        with m.Switch(opcode):
            for length in sorted(set(self._beats.values())):
                with m.Case(*(one for one, found in self._beats.items() if found == length)):
                    m.d.comb += beats.eq(length)
            with m.Default():
                m.d.comb += beats.eq(self._longest)
        last = self._gather(m, number, beats)
        with m.If(self.beats.valid):
            m.d.sync += begun.eq(~last)
        with m.If(last):
            m.next = "WHOLE"
        with m.If(self.beats.valid & ~opcode.matches(*self._beats)):
            m.d.comb += self.unknown.eq(1)
            m.next = "STOP"

    def _forward(self, m: Module) -> None:
        """Forward the beats to another part."""
        m.d.comb += [
            self.rest.payload.eq(self.beats.payload),
            self.rest.valid.eq(self.beats.valid),
            self.beats.ready.eq(self.rest.ready),
        ]

    def _count(self, m: Module, *, left: Signal) -> None:
        """Count the beats of the segment down; needing one more is an error."""
        with m.If(left == 0):
            m.d.comb += self.ended.eq(1)
            m.next = "STOP"
        with m.Elif(self.beats.valid & self.beats.ready):
            m.d.sync += left.eq(left - 1)
