"""The image on its way to the macros: with each block the pixels that it needs and none had.

Tests: `tests/verif/crossbar/test_chip.py`.
"""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.checks import one_hot, within
from hwgen.chip.rtl.part import Part, PartInstance
from hwgen.chip.widths import bits_for_index
from hwgen.crossbar.facts.arch_fabric import Travel
from hwgen.crossbar.facts.chip import Chip
from hwgen.crossbar.facts.image_io import BANKS, image_beats, image_elements
from hwgen.crossbar.facts.order import window_ends
from hwgen.crossbar.rtl import layouts
from hwgen.crossbar.rtl.counters import WindowCounter, constants, window_bits

IMAGE_BITS = 16


class ImageSender(Part):
    """Sends packets out of the image buffer: one a block of each layer that reads the image.

    A block that needs no new pixel has no packet. Of a layer that is fully connected the only block
    takes the whole image.

    Ports
        go          in   1 each      strobes of `transfer`, of the layers that read the image in
                                     their order; never two at a time
        loaded      in   16          images that are whole in the buffer, since the start
        room        out  1           the buffer has room for one more
        read_index  out  beat_bits   beat of the buffer; image n is in bank n % 2
        read_data   in   flit_bits   that beat, in the same clock
        link        out  flit
        busy        out  1           a packet is on its way
        clash       out  1           a strobe came while busy
    Latency  2 clocks from ``go`` to the header, then a flit a clock
    Rate     a packet at a time
    Errors   ``clash``
    Golden   ``verif.crossbar.bench_image_sender``: slices of the image
    Source   docs/crossbar-chip.md, "I/O node"
    """

    family = "crossbar"

    def __init__(self, *, chip: Chip) -> None:
        self._chip = chip
        self._travels = [travel for travel in chip.travels if travel.kind == "image"]
        self._window = WindowCounter(bits=window_bits(chip))
        self.parts = [self._window]
        self._beats = image_beats(chip)
        super().__init__(
            {
                "go": In(len(self._travels)),
                "loaded": In(IMAGE_BITS),
                "room": Out(1),
                "read_index": Out(bits_for_index(BANKS * self._beats)),
                "read_data": In(chip.flit_bits),
                "link": Out(layouts.flit(chip)),
                "busy": Out(1),
                "clash": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        chip, per_flit = self._chip, self._chip.flit_elements
        low = per_flit.bit_length() - 1
        bits = bits_for_index(image_elements(chip) + 1)
        # of the packet that begins or is on its way
        first, count, left = Signal(bits), Signal(bits), Signal(bits)
        bank, travel = Signal(), Signal(layouts.TRAVEL_BITS)
        header, index = Signal(), Signal.like(self.read_index)
        newest = []
        for number, one in enumerate(self._travels):
            window, begin, end = self._reader(m, number, one, bits)
            newest.append(window.image)
            with m.If(self.go[number]):
                m.d.comb += [
                    first.eq(begin),
                    count.eq(end - begin),
                    bank.eq(window.image[0]),
                    travel.eq(one.id),
                ]
        words = Signal(bits)
        begins = Signal()
        m.d.comb += [
            begins.eq(self.go.any() & (count != 0)),
            words.eq((count + (per_flit - 1)) >> low),
            self.clash.eq(self.go.any() & self.busy),
            self.room.eq(
                Cat(*(self.loaded - image < BANKS for image in newest)).all() & ~self.busy
            ),
            self.busy.eq(header | (left != 0)),
            self.read_index.eq(index),
        ]
        kept_travel, kept_count = Signal.like(travel), Signal.like(count)
        shift, before = Signal(range(per_flit)), Signal(chip.flit_bits)
        with m.If(begins):
            m.d.sync += [
                header.eq(1),
                left.eq(words),
                kept_travel.eq(travel),
                kept_count.eq(count),
                shift.eq(first[:low]),
                index.eq((first >> low) + Mux(bank, self._beats, 0)),
            ]
        head = Signal(layouts.header(chip))
        m.d.comb += [head.travel.eq(kept_travel), head.count.eq(kept_count)]
        m.d.sync += [self.link.valid.eq(self.busy), self.link.head.eq(header)]
        with m.If(self.busy):
            m.d.sync += [before.eq(self.read_data), index.eq(index + 1)]
        with m.If(header):
            m.d.sync += [header.eq(0), self.link.data.eq(Value.cast(head))]
        with m.Elif(left != 0):
            both = Cat(before, self.read_data)
            m.d.sync += [
                left.eq(left - 1),
                self.link.data.eq(both >> (shift * chip.activation_bits)),
            ]
        one_hot(m, "go", self.go)
        size = BANKS * self._beats
        within(m, "read_index", self.read_index, size, when=header | (left > 1))
        return m

    def _reader(
        self, m: Module, number: int, travel: Travel, bits: int
    ) -> tuple[PartInstance, Value, Value]:
        """Follow one layer through its blocks; return first and behind the last element to send."""
        layer, go = self._chip.layers[travel.owner], self.go[number]
        m.submodules[f"window{number}"] = window = self._window.instance()
        sent, end = Signal(bits, name=f"sent{number}"), Signal(bits, name=f"end{number}")
        every = image_elements(self._chip)
        m.d.comb += [
            window.constants.eq(
                constants(window, window_ends(layer.layer, layer.copies, layer.blocks))
            ),
            window.advance.eq(go),
            end.eq(Mux(window.whole, every, window.need * self._chip.image_channels)),
        ]
        with m.If(go):
            m.d.sync += sent.eq(Mux(window.last, 0, end))
        return window, sent, end
