"""Results on their way out: packets of an image, bank by bank, to the memory port."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.crossbar.facts.chip_facts import ChipFacts
from hwgen.crossbar.facts.image_io import (
    BANKS,
    answer_beats,
    answer_stride,
    result_beats,
    results,
)
from hwgen.crossbar.rtl import layouts

IMAGE_BITS = 16


class ResultCollector(Part):
    """Writes flits of results into a buffer of two images, and has each whole image stored.

    Ports
        link         in   flit       from the router of the I/O node
        address      in   64         of the first answer; the next one is `answer_stride` behind
        write        out  1          a beat for the buffer, with ``write_index``, ``write_data``
        boundary     in   1          between two steps: then whole images begin to be stored, so
                                     that the end of a run does not depend on when results came
        store        out  1          begin to store the bank at ``store_index``, to
                                     ``store_address``; stays idle until ``stored``
        stored       in   1          the last beat is in memory
        images       out  16         stored since the start
        room         out  1          results of one more block have room
        unknown      out  1          a flit came that belongs to no result
    Latency  0 from link to write
    Rate     a flit a clock
    Errors   ``unknown``
    Golden   ``verif.crossbar.bench_result_collector``
    Source   docs/crossbar-chip.md, "I/O node"
    """

    family = "crossbar"

    def __init__(self, *, chip: ChipFacts) -> None:
        self._chip = chip
        beats = answer_beats(chip)
        index_bits = bits_for_index(BANKS * beats)
        super().__init__(
            {
                "link": In(layouts.flit(chip)),
                "address": In(64),
                "write": Out(1),
                "write_index": Out(index_bits),
                "write_data": Out(chip.flit_bits),
                "boundary": In(1),
                "store": Out(1),
                "store_index": Out(index_bits),
                "store_address": Out(64),
                "stored": In(1),
                "images": Out(IMAGE_BITS),
                "room": Out(1),
                "unknown": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        chip, beats = self._chip, answer_beats(self._chip)
        link = self.link
        head = layouts.header(chip)
        number = link.data[: head["travel"].width]
        body = link.valid & ~link.head
        base, arrived, mine = 0, [], []
        for place, travel in enumerate(results(chip)):
            size = result_beats(chip, travel)
            own = Signal(name=f"own{place}")
            position = Signal(range(size), name=f"position{place}")
            image = Signal(IMAGE_BITS, name=f"image{place}")
            last = position == size - 1
            with m.If(link.valid & link.head):
                m.d.sync += own.eq(number == travel.id)
            with m.If(body & own):
                m.d.sync += [position.eq(Mux(last, 0, position + 1)), image.eq(image + last)]
                m.d.comb += self.write_index.eq(position + base + Mux(image[0], beats, 0))
            arrived.append(image)
            mine.append(own)
            base += size
        busy, whole, offset = Signal(), Signal(), Signal(64)
        m.d.comb += [
            self.write.eq(body & Cat(*mine).any()),
            self.unknown.eq(body & ~Cat(*mine).any()),
            self.write_data.eq(link.data),
            whole.eq(Cat(*(image != self.images for image in arrived)).all()),
            self.store.eq(whole & ~busy & self.boundary),
            self.store_index.eq(Mux(self.images[0], beats, 0)),
            self.store_address.eq(self.address + offset),
            self.room.eq(Cat(*(Value.cast(image - self.images)[:IMAGE_BITS] < BANKS
                               for image in arrived)).all()),
        ]  # fmt: skip
        with m.If(self.store):
            m.d.sync += busy.eq(1)
        with m.Elif(busy & self.stored):
            m.d.sync += [
                busy.eq(0),
                self.images.eq(self.images + 1),
                offset.eq(offset + answer_stride(chip)),
            ]
        return m
