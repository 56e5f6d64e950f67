"""One operation of a layer in the conductor: how often and how long ago it started."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part


class OperationCounter(Part):
    """Counts blocks and steps of one operation; all registers move with ``tick`` alone.

    Ports
        tick        in   1           the next step begins behind this clock
        start       in   1           with tick: a block starts; only where ready was high
        steps       in   since_bits  constant: of one bit step, or of the whole
        bit_steps   in   bit_bits    constant: bit steps - 1
        period      in   since_bits  constant: steps from start to start, at least
        to_next     in   since_bits  constant: steps from start to the start of the next operation
        back        in   since_bits  constant: steps from the start of the next operation to a start
                                     of this one; 0: no wait
        first       in   1           constant: blocks come from outside, ``handed_on`` tells of none
        pushed      in   1           with tick: the operation before starts a block
        handed_on   in   1           the newest block of the operation before may be taken over
        next_empty  in   1           every block has started in the next operation, too
        next_since  in   since_bits  steps since that started
        ready       out  1           a block may start, but for what is not counted here
        empty       out  1           every block of the operation before has started here
        since       out  since_bits  steps since the last start, as of the tick to come; all ones:
                                     long ago, or never
        over        out  1           since >= to_next: the next operation may take the block over
        done        out  1           with tick: ``over`` from the next tick on
        begins      out  1           in this step a block or a bit step of one begins
        bit_step    out  bit_bits    which
        parity      out  1           of the block; 0 for the first one
    Latency  begins, bit_step and parity: 1 clock behind ``tick & start``
    Rate     a start a tick
    Errors   none
    Golden   ``hwgen.crossbar.model.conductor``
    Source   docs/crossbar-chip.md, "Conductor"
    """

    family = "crossbar"

    def __init__(self, *, since_bits: int, bit_bits: int) -> None:
        super().__init__(
            {
                "tick": In(1),
                "start": In(1),
                "steps": In(since_bits),
                "bit_steps": In(bit_bits),
                "period": In(since_bits),
                "to_next": In(since_bits),
                "back": In(since_bits),
                "first": In(1),
                "pushed": In(1),
                "handed_on": In(1),
                "next_empty": In(1),
                "next_since": In(since_bits),
                "ready": Out(1),
                "empty": Out(1),
                "since": Out(since_bits, init=-1),
                "over": Out(1),
                "done": Out(1),
                "begins": Out(1),
                "bit_step": Out(bit_bits),
                "parity": Out(1, init=1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        ahead = Signal(2)  # blocks that the operation before has started and this one has not
        of_bit = Signal.like(self.since)
        next_bit, more_bits = Signal(), Signal()
        one, active = Signal(), Signal()  # active: a block has started since reset
        m.d.comb += [
            one.eq(self.to_next == 1),
            self.empty.eq(ahead == 0),
            self.over.eq(self.since >= self.to_next),
            self.done.eq(self.tick & Mux(self.start, one, self.since == self.to_next - 1)),
            self.ready.eq(
                (self.first | ahead[1] | (ahead[0] & self.handed_on))
                & (self.since >= self.period)
                & ((self.back == 0) | (self.next_empty & (self.next_since >= self.back)))
            ),
            more_bits.eq(self.bit_step != self.bit_steps),
            next_bit.eq(~self.start & active & more_bits & (of_bit == self.steps)),
        ]
        with m.If(self.tick):
            m.d.sync += [
                ahead.eq(ahead + self.pushed - self.start),
                self.begins.eq(self.start | next_bit),
                of_bit.eq(Mux(self.start | next_bit, 1, of_bit + 1)),
            ]
            with m.If(self.start):
                m.d.sync += [
                    active.eq(1),
                    self.since.eq(1),
                    self.bit_step.eq(0),
                    self.parity.eq(~self.parity),
                ]
            with m.Elif(~self.since.all()):
                m.d.sync += self.since.eq(self.since + 1)
            with m.If(next_bit):
                m.d.sync += self.bit_step.eq(self.bit_step + 1)
        return m
