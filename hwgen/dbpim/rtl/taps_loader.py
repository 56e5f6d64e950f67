"""Loads the body of a packet of taps, after its header: parameters and words of weights."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.dbpim.facts.arch import WEIGHT_BITS, Arch
from hwgen.dbpim.facts.instructions import Opcode
from hwgen.dbpim.rtl.layouts import packet, parameters
from hwgen.dbpim.rtl.tile_loader import send_parameters


class TapsLoader(Part):
    """Sends depthwise weights to the cores: C sets of parameters, then C weights of each tap.

    Ports
        header            in         TAPS packet   of the taps that are loaded; held
        start             in         1             their body comes from the next cycle on
        beats             stream in  port_bits     the body; taken while taps are loaded
        done              out        1             the last beat is taken in this cycle
        parameters_write  out        1             parameters of one channel are valid
        parameters_index  out        channel_bits  its number in the channel word
        parameters_data   out        parameters
        write             out        1             the weights of one tap are valid
        index             out        tap_bits      number of the tap
        data              out        C x 8         byte c: weight of channel c
        push              out        1             it is the last tap
    Latency  0 from the last beat of parameters or of a tap to its strobe
    Rate     one beat in each cycle, parameters one channel in each cycle
    Errors   none; there is at least one tap and at most ``arch.simd_taps``
    Golden   the packet as `hwgen.dbpim.facts.stream` encodes it
    Source   docs/dbpim-microarchitecture.md, "Stream" and "Loader"
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        self._word_bits = WEIGHT_BITS * arch.word
        super().__init__(
            {
                "header": In(packet(Opcode.TAPS, arch)),
                "start": In(1),
                "beats": In(stream.Signature(arch.port_bits)),
                "done": Out(1),
                "parameters_write": Out(1),
                "parameters_index": Out(bits_for_index(arch.word)),
                "parameters_data": Out(parameters(arch)),
                "write": Out(1),
                "index": Out(bits_for_index(arch.simd_taps)),
                "data": Out(self._word_bits),
                "push": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.done.eq(self.push)
        with m.FSM():
            with m.State("IDLE"), m.If(self.start):
                m.next = "PARAMETERS"
            with (
                m.State("PARAMETERS"),
                m.If(send_parameters(m, self, last=self._arch.word - 1)),
            ):
                m.next = "TAPS"
            with m.State("TAPS"):
                self._taps(m)
                with m.If(self.done):
                    m.next = "IDLE"
        return m

    def _taps(self, m: Module) -> None:
        """Send the weights tap by tap; the first beats of a wide word are held."""
        width = min(self._word_bits, self._arch.port_bits)
        beats = self._word_bits // width
        part = self.beats.payload[:width]
        m.d.comb += self.beats.ready.eq(1)
        if beats == 1:
            m.d.comb += [self.data.eq(part), self.write.eq(self.beats.valid)]
        else:
            held, count = Signal(self._word_bits), Signal(range(beats))
            m.d.comb += [
                self.data.eq(Cat(held[:-width], part)),
                self.write.eq(self.beats.valid & (count == beats - 1)),
            ]
            with m.If(self.beats.valid):
                m.d.sync += [held.word_select(count, width).eq(part), count.eq(count + 1)]
        m.d.comb += self.push.eq(self.write & (self.index + 1 == self.header.taps))
        with m.If(self.write):
            m.d.sync += self.index.eq(Mux(self.push, 0, self.index + 1))
