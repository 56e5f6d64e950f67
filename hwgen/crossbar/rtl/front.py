"""What the memory port reads: a program, as packets, or images.

Tests: `tests/verif/crossbar/test_chip.py`.
"""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.checks import within
from hwgen.chip.rtl.checksum import Checksum, placed
from hwgen.chip.rtl.coded import Coded
from hwgen.chip.rtl.part import Part
from hwgen.chip.rtl.read_engine import read_command
from hwgen.chip.widths import bits_for_index
from hwgen.crossbar.facts.chip import Chip
from hwgen.crossbar.facts.image_io import (
    BANKS,
    HEADER_BEATS,
    image_beats,
    image_stride,
)
from hwgen.crossbar.facts.registers import ERROR_BITS, VERSION, ErrorCode
from hwgen.crossbar.rtl import layouts

IMAGE_BITS = 16
WORD_BITS = 32


class Front(Part):
    """Loads a program over the links, or keeps the image buffer full.

    A program is a header of 8 beats, the version and the id of the architecture in the first one,
    the number of beats behind the header in the second one, the checksum in the third one; then
    packets, a flit a beat. It is loaded `settle` clocks behind its last flit.

    Ports
        load                  in   1           command: a program, else images
        known                 in   1           a program has been loaded
        program_address, image_address  in  64
        images                in   16          of the run
        id_word               in   32          of the architecture
        command, beats        stream           of the read engine
        link                  out  flit        packets of a program
        write                 out  1           a beat for the image buffer, ``write_index``, `beats`
        room                  in   1           the image buffer has room for an image
        loaded                out  16          images that are whole in the buffer
        done                  out  1           the program is loaded
        error                 out  error_bits
    Latency  1 clock from a beat to the link
    Rate     a beat a clock
    Errors   WRONG_VERSION, WRONG_ARCHITECTURE, NOT_LOADED; DAMAGED_PROGRAM in place of ``done``
    Golden   the content of the memory
    Source   docs/crossbar-chip.md, "Load"
    """

    family = "crossbar"

    def __init__(self, *, chip: Chip, settle: int) -> None:
        self._chip, self._settle = chip, settle
        checksum = Checksum(family=self.family, port_bits=chip.flit_bits)
        self._checksum = checksum if chip.checksum else None
        self.parts = [checksum] if chip.checksum else []
        super().__init__(
            {
                "load": In(1),
                "known": In(1),
                "program_address": In(64),
                "image_address": In(64),
                "images": In(IMAGE_BITS),
                "id_word": In(WORD_BITS),
                "command": Out(stream.Signature(read_command())),
                "beats": In(stream.Signature(chip.flit_bits)),
                "link": Out(layouts.flit(chip)),
                "write": Out(1),
                "write_index": Out(bits_for_index(BANKS * image_beats(chip))),
                "room": In(1),
                "loaded": Out(IMAGE_BITS),
                "done": Out(1),
                "error": Out(Coded(ErrorCode.__members__, ERROR_BITS)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # at: of what is asked for next
        taken, at = Signal(), Signal(64)
        m.d.comb += [
            taken.eq(self.beats.valid & self.beats.ready),
            self.command.payload.address.eq(at),
        ]
        with m.FSM(name="front"):
            with m.State("begin"):
                # Behind a reset: nothing is asked for in the first clock.
                m.d.sync += at.eq(Mux(self.load, self.program_address, self.image_address))
                with m.If(self.load):
                    m.next = "ask for the header"
                with m.Elif(~self.known):
                    m.next = "not loaded"
                with m.Else():
                    m.next = "ask for an image"
            with m.State("not loaded"):
                m.d.comb += self.error.eq(ErrorCode.NOT_LOADED)
            self._program(m, taken, at)
            self._images(m, taken, at)
        size = BANKS * image_beats(self._chip)
        within(m, "write_index", self.write_index, size, when=self.write)
        return m

    def _program(self, m: Module, taken: Signal, at: Signal) -> None:
        """Read the header, then packets."""
        data = self.beats.payload
        place, beats = Signal(range(HEADER_BEATS)), Signal(WORD_BITS)
        of_packet = Signal(layouts.COUNT_BITS)
        count_at = layouts.TRAVEL_BITS
        with m.State("ask for the header"):
            m.d.comb += [
                self.command.valid.eq(1),
                self.command.payload.beats.eq(HEADER_BEATS),
            ]
            with m.If(self.command.ready):
                m.d.sync += at.eq(at + HEADER_BEATS * self._chip.flit_bits // 8)
                m.next = "header"
        with m.State("header"):
            m.d.comb += self.beats.ready.eq(1)
            with m.If(taken):
                m.d.sync += place.eq(place + 1)
                with m.If(place == 0):
                    with m.If(data[:WORD_BITS] != VERSION):
                        m.d.comb += self.error.eq(ErrorCode.WRONG_VERSION)
                    with m.Elif(data[WORD_BITS : 2 * WORD_BITS] != self.id_word):
                        m.d.comb += self.error.eq(ErrorCode.WRONG_ARCHITECTURE)
                with m.If(place == 1):
                    m.d.sync += beats.eq(data)
                with m.If(place == HEADER_BEATS - 1):
                    m.next = "ask for packets"
        with m.State("ask for packets"):
            m.d.comb += [
                self.command.valid.eq(1),
                self.command.payload.beats.eq(beats),
            ]
            with m.If(self.command.ready):
                m.next = "packets"
        m.d.sync += self.link.valid.eq(0)
        with m.State("packets"):
            m.d.comb += self.beats.ready.eq(1)
            with m.If(taken):
                m.d.sync += [
                    beats.eq(beats - 1),
                    self.link.valid.eq(1),
                    self.link.head.eq(of_packet == 0),
                    self.link.data.eq(data),
                    of_packet.eq(
                        Mux(of_packet == 0, data[count_at : count_at + len(of_packet)],
                            of_packet - 1)
                    ),
                ]  # fmt: skip
                with m.If(beats == 1):
                    m.next = "settle"
        fits = placed(m, self._checksum, data, taken & ~self.write)
        self._settle_down(m, fits)

    def _settle_down(self, m: Module, fits: Value) -> None:
        """Wait until the last packet has reached its macro and the checksum is known."""
        waited = Signal(range(self._settle))
        with m.State("settle"):
            m.d.sync += waited.eq(waited + 1)
            with m.If(waited == self._settle - 1):
                m.next = "over"
                with m.If(fits):
                    m.d.comb += self.done.eq(1)
                with m.Else():
                    m.d.comb += self.error.eq(ErrorCode.DAMAGED_PROGRAM)
        with m.State("over"):
            pass

    def _images(self, m: Module, taken: Signal, at: Signal) -> None:
        """Read an image whenever there is room for one."""
        beats, stride = image_beats(self._chip), image_stride(self._chip)
        place = Signal(bits_for_index(beats), name="beat_of_image")
        with m.State("ask for an image"):
            m.d.comb += [
                self.command.valid.eq(self.room & (self.loaded != self.images)),
                self.command.payload.beats.eq(beats),
            ]
            with m.If(self.command.valid & self.command.ready):
                m.d.sync += at.eq(at + stride)
                m.next = "image"
        with m.State("image"):
            m.d.comb += [
                self.beats.ready.eq(1),
                self.write.eq(taken),
                self.write_index.eq(place + Mux(self.loaded[0], beats, 0)),
            ]
            with m.If(taken):
                m.d.sync += place.eq(place + 1)
                with m.If(place == beats - 1):
                    m.d.sync += [place.eq(0), self.loaded.eq(self.loaded + 1)]
                    m.next = "ask for an image"
