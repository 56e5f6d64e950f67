"""Writes the image from the stream into the activation buffers."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from hwgen.rtl.common.choose import choose
from hwgen.rtl.dbpim.layouts import COORDINATE_BITS, bus_write, packet
from hwgen.rtl.dbpim.region import Region, address_of, bank_of
from hwgen.rtl.part import Part
from hwgen.spec.dbpim.arch import ACTIVATION_BITS, Arch
from hwgen.spec.dbpim.instructions import PIXEL_BYTES, Opcode
from hwgen.spec.widths import bits_for_index


class ImageWriter(Part):
    """Cuts beats into pixels and writes each as one word, zeros above its channels.

    Pixel n of the raster order goes to bank (x + bank_skew * y) mod banks at address
    ``image_base + y * image_row_pitch + x // banks``.

    Ports
        header       in         BEGIN packet  where the image goes; held
        beats        stream in  port_bits     pixels without gaps, the first one lowest; a beat is
                                              taken with its last pixel or the last of the image
        write_valid  out        1             a pixel is written in this cycle
        write        out        bus_write     all bytes enabled
        done         out        1             it is the last one of the image
    Latency  0 from ``beats`` to ``write``
    Rate     one pixel in each cycle
    Errors   none; the image must not be empty
    Golden   ``golden.dbpim.activation_buffer``
    Source   docs/dbpim-microarchitecture.md, "Loader"
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        super().__init__(
            {
                "header": In(packet(Opcode.BEGIN)),
                "beats": In(stream.Signature(arch.port_bits)),
                "write_valid": Out(1),
                "write": Out(bus_write(arch)),
                "done": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        y, x = Signal(COORDINATE_BITS), Signal(COORDINATE_BITS)
        number = Signal(bits_for_index(self._arch.port_bytes))
        region = Region(self.header.image_base, self.header.image_row_pitch, 1)
        row_ends = x + 1 == self.header.image_width
        beat_ends = Signal()
        word, bank = Signal.like(self.write.data), Signal.like(self.write.bank)
        address = Signal.like(self.write.address)
        enable = Const(-1, len(self.write.enable))
        m.d.comb += [
            self.write_valid.eq(self.beats.valid),
            bank.eq(bank_of(self._arch, y=y, x=x)),
            address.eq(address_of(self._arch, region, y=y, x=x, word=0)),
            # All fields in the order of the layout; raw, the last one, stays 0.
            Value.cast(self.write).eq(Cat(word, enable, bank, address)),
            self.done.eq(self.write_valid & row_ends & (y + 1 == self.header.image_height)),
            self.beats.ready.eq(beat_ends | self.done),
        ]
        with m.Switch(self.header.pixel_bytes):
            for size in PIXEL_BYTES:
                with m.Case(size):
                    last = number == self._arch.port_bytes // size - 1
                    m.d.comb += [word.eq(self._pixel(number, size)), beat_ends.eq(last)]
        with m.If(self.write_valid):
            m.d.sync += [
                number.eq(Mux(beat_ends, 0, number + 1)),
                x.eq(Mux(row_ends, 0, x + 1)),
                y.eq(y + row_ends),
            ]
        return m

    def _pixel(self, number: Signal, size: int) -> Value:
        """Return pixel `number` of the beat; what exceeds a word is not written."""
        count, bits = self._arch.port_bytes // size, ACTIVATION_BITS * size
        pixels = [self.beats.payload.word_select(index, bits) for index in range(count)]
        return choose(pixels, number)[: ACTIVATION_BITS * self._arch.macro.compartments]
