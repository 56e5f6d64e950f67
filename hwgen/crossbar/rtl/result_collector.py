"""Results on their way out: packets of an image, bank by bank, to the memory port."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.checks import in_range, must, one_hot, within
from hwgen.chip.rtl.choose import choose_below
from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.crossbar.facts.chip import Chip
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
    """Writes flits of results into buffers of two images each, and has whole ones stored.

    Each result is stored by itself: one that is made early in the network would wait for the others
    with more images than there is room for.

    Ports
        link         in   flit       from the router of the I/O node
        address      in   64         of the first answer, from the first clock on; the next one is
                                     `answer_stride` behind
        write        out  1          a beat for the buffer, with ``write_index``, ``write_data``
        boundary     in   1          between two steps: then whole images begin to be stored, so
                                     that the end of a run does not depend on when results came
        whole        in   results x 16  images of each result that have come by the end of this step
        store        out  1          begin to store ``store_beats`` beats at ``store_index``, to
                                     ``store_address``; stays idle until ``stored``
        stored       in   1          the last beat is in memory
        retire       out  1          with ``stored``: all results of one more image are in memory
        images       out  16         so many are
        room         out  1          results of one more block have room
        unknown      out  1          a flit came that belongs to no result
    Latency  0 from link to write
    Rate     a flit a clock
    Errors   ``unknown``
    Golden   ``verif.crossbar.bench_result_collector``
    Source   docs/crossbar-chip.md, "I/O node"
    """

    family = "crossbar"

    def __init__(self, *, chip: Chip) -> None:
        self._chip = chip
        beats, own = answer_beats(chip), results(chip)
        index_bits = bits_for_index(BANKS * beats)
        super().__init__(
            {
                "link": In(layouts.flit(chip)),
                "address": In(64),
                "write": Out(1),
                "write_index": Out(index_bits),
                "write_data": Out(chip.flit_bits),
                "boundary": In(1),
                "whole": In(data.ArrayLayout(IMAGE_BITS, len(own))),
                "store": Out(1),
                "store_index": Out(index_bits),
                "store_beats": Out(range(beats + 1)),
                "store_address": Out(64),
                "stored": In(1),
                "retire": Out(1),
                "images": Out(IMAGE_BITS),
                "room": Out(1),
                "unknown": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        came = self._collect(m)
        gone = self._store(m)
        m.d.comb += self.room.eq(
            Cat(
                (image - stored)[:IMAGE_BITS] < BANKS
                for image, stored in zip(came, gone, strict=True)
            ).all()
        )
        for place, (image, stored) in enumerate(zip(came, gone, strict=True)):
            inside = (image - stored)[:IMAGE_BITS]
            in_range(m, f"images of result {place}", inside, BANKS)
            full = f"the buffer of result {place} must take no word while it is full"
            must(m, inside < BANKS, full, when=self.write & self._mine[place])
        size = BANKS * answer_beats(self._chip)
        within(m, "write_index", self.write_index, size, when=self.write)
        within(m, "store_index", self.store_index, size, when=self.store)
        one_hot(m, "results of a flit", self._mine)
        return m

    def _places(self) -> list[tuple[int, int]]:
        """Return beats of each result, and beats of an image before them."""
        sizes = [result_beats(self._chip, travel) for travel in results(self._chip)]
        return [(size, sum(sizes[:place])) for place, size in enumerate(sizes)]

    def _collect(self, m: Module) -> list[Signal]:
        """Write what comes; return the images of each result that have come whole."""
        chip, link = self._chip, self.link
        number = link.data[: layouts.header(chip)["travel"].width]
        body = link.valid & ~link.head
        came, mine = [], []
        for place, (size, before) in enumerate(self._places()):
            own = Signal(name=f"own{place}")
            position = Signal(bits_for_index(size), name=f"position{place}")
            image = Signal(IMAGE_BITS, name=f"image{place}")
            last = position == size - 1
            in_range(m, f"position{place}", position, size - 1)
            with m.If(link.valid & link.head):
                m.d.sync += own.eq(number == results(chip)[place].id)
            with m.If(body & own):
                m.d.sync += [position.eq(Mux(last, 0, position + 1)), image.eq(image + last)]
                m.d.comb += self.write_index.eq(position + BANKS * before + Mux(image[0], size, 0))
            came.append(image)
            mine.append(own)
        self._mine = mine
        m.d.comb += [
            self.write.eq(body & Cat(*mine).any()),
            self.unknown.eq(body & ~Cat(*mine).any()),
            self.write_data.eq(link.data),
        ]
        return came

    def _store(self, m: Module) -> list[Signal]:
        """Have one result of an image stored after the other, the first in an answer first.

        Return the images of each result that are in memory.
        """
        chip, places = self._chip, self._places()
        busy, which = Signal(), Signal(bits_for_index(len(places)))
        gone = [Signal(IMAGE_BITS, name=f"gone{place}") for place in range(len(places))]
        # Where the next image of each result goes; the address is there from the first clock on.
        fresh, at = Signal(init=1), [Signal(64, name=f"at{place}") for place in range(len(places))]
        m.d.sync += fresh.eq(0)
        waits = [self.whole[place] != image for place, image in enumerate(gone)]
        chosen = Signal.like(which)
        m.d.comb += self.store.eq(Cat(*waits).any() & ~busy & self.boundary)
        for place, (size, before) in reversed(list(enumerate(places))):
            with m.If(waits[place]):
                m.d.comb += [
                    chosen.eq(place),
                    self.store_index.eq(BANKS * before + Mux(gone[place][0], size, 0)),
                    self.store_beats.eq(size),
                    self.store_address.eq(at[place]),
                ]
            with m.If(fresh):
                m.d.sync += at[place].eq(self.address + before * (chip.flit_bits // 8))
        with m.If(self.store):
            m.d.sync += [busy.eq(1), which.eq(chosen)]
        with m.Elif(busy & self.stored):
            m.d.sync += busy.eq(0)
            for place, (image, address) in enumerate(zip(gone, at, strict=True)):
                with m.If(which == place):
                    m.d.sync += [image.eq(image + 1), address.eq(address + answer_stride(chip))]
        # An image is in memory with its last result: all others are ahead of it.
        ahead = [(image != self.images) | (which == place) for place, image in enumerate(gone)]
        m.d.comb += self.retire.eq(
            busy & self.stored & Cat(*ahead).all() & (choose_below(gone, which) == self.images)
        )
        m.d.sync += self.images.eq(self.images + self.retire)
        return gone
