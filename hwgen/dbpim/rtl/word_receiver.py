"""Holds the words that another core reads, until the switch of this core has taken them.

Tests: `tests/verif/dbpim/test_shared_stream.py`.
"""

from amaranth.hdl import Cat, ClockSignal, Module, Signal, Value
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.checks import holds, in_range, must, neither_over_nor_under
from hwgen.chip.rtl.part import Part
from hwgen.chip.rtl.register_file import RegisterFile
from hwgen.dbpim.facts.arch import ACTIVATION_BITS, Arch
from hwgen.dbpim.facts.timing import FETCH_SLOTS
from hwgen.dbpim.rtl.fetcher import Slots
from hwgen.dbpim.rtl.layouts import fetched_word, positions, stream_word, word_tag


class WordReceiver(Part):
    """Stores each word of the shared stream beside the tag that the core's own tile gives it.

    All cores that walk begin a word in the same cycle, and core 0 reads it for them: see
    ``Fetcher``, whose slots and cycles these are.

    Ports
        request       stream  word_tag      of the next word; taken with the word's last bank read
        hold          in      1             some core cannot take the next word: it may not begin
        free          out     1             a word may begin
        stream        in      stream_word   what core 0 reads
        word          out     fetched_word  the oldest word; `simd` is 0
        word_valid    out     1
        word_release  in      1             the oldest word leaves in this cycle (valid)
        empty         out     1             no word is begun or waits
    Latency  ``FETCH_CYCLES`` from the last grant, in whose cycle the request is taken
    Rate     that of core 0; at most ``FETCH_SLOTS`` words are begun and not released
    Errors   none
    Golden   the words themselves
    Source   seed 002, V-B: all switches share the same input data
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        self._note = data.StructLayout({"positions": positions(arch), "tag": word_tag(arch)})
        self._byte_file = RegisterFile(
            family=self.family,
            depth=FETCH_SLOTS,
            slices=arch.macros_per_core,
            width=arch.word * ACTIVATION_BITS,
        )
        self._note_file = RegisterFile(family=self.family, depth=FETCH_SLOTS, width=self._note.size)
        self.parts = [self._byte_file, self._note_file]
        super().__init__(
            {
                "request": In(stream.Signature(word_tag(arch))),
                "hold": In(1),
                "free": Out(1),
                "stream": In(stream_word(arch)),
                "word": Out(fetched_word(arch)),
                "word_valid": Out(1),
                "word_release": In(1),
                "empty": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        slots = Slots(
            write=Signal(range(FETCH_SLOTS)),
            read=Signal(range(FETCH_SLOTS)),
            occupied=Signal(range(FETCH_SLOTS + 1)),
            landed=Signal(range(FETCH_SLOTS + 1)),
        )
        begun, begins, taken, busy, landing = (Signal() for _ in range(5))
        m.d.comb += [
            self.free.eq(~begun & (slots.occupied < FETCH_SLOTS)),
            begins.eq(self.request.valid & self.free & ~self.hold),
            busy.eq(begins | begun),
            taken.eq(busy & self.stream.taken),
            self.request.ready.eq(taken),
            self.word_valid.eq(slots.landed != 0),
            self.empty.eq(slots.occupied == 0),
        ]
        with m.If(busy):
            m.d.sync += begun.eq(~taken)
        m.d.sync += [
            landing.eq(taken),
            slots.landed.eq(slots.landed + landing - self.word_release),
            slots.occupied.eq(slots.occupied + begins - self.word_release),
            slots.write.eq(slots.write + taken),
            slots.read.eq(slots.read + self.word_release),
        ]
        self._store(m, slots, busy=busy, taken=taken)
        self._check(m, slots, begins=begins, busy=busy)
        return m

    def _store(self, m: Module, slots: Slots, *, busy: Value, taken: Value) -> None:
        """Store the bytes one cycle after their grant, positions and tag with the last grant."""
        m.submodules.bytes = byte_file = self._byte_file.instance()
        m.submodules.notes = note_file = self._note_file.instance()
        note = data.View(self._note, note_file.read_data)
        stores, slot = Signal(), Signal.like(slots.write, name="slot")
        m.d.sync += [stores.eq(busy), slot.eq(slots.write)]
        m.d.comb += [
            byte_file.clk.eq(ClockSignal()),
            byte_file.write_en.eq(self.stream.store & stores.replicate(len(self.stream.store))),
            byte_file.write_index.eq(slot),
            byte_file.write_data.eq(self.stream.bytes),
            byte_file.read_index.eq(slots.read),
            note_file.clk.eq(ClockSignal()),
            note_file.write_en.eq(taken),
            note_file.write_index.eq(slots.write),
            note_file.write_data.eq(Cat(self.stream.positions, self.request.payload)),
            note_file.read_index.eq(slots.read),
            self.word.bytes.eq(byte_file.read_data),
            self.word.positions.eq(note.positions),
            self.word.tag.eq(note.tag),
        ]

    def _check(self, m: Module, slots: Slots, *, begins: Value, busy: Value) -> None:
        """Assert that words stay until they are taken, and that none of the stream is missed."""
        word, taken = self.word, self.word_release
        holds(
            m,
            "the oldest word",
            valid=self.word_valid,
            ready=taken,
            payload=Cat(word.positions, word.tag),
        )
        neither_over_nor_under(
            m,
            "the ring of words",
            level=slots.occupied,
            depth=FETCH_SLOTS,
            into=begins,
            out_of=taken,
        )
        must(m, self.word_valid, "landed words must give no word while there are none", when=taken)
        must(
            m,
            busy,
            "a word of the stream must be taken by all that wait for one",
            when=self.stream.taken & self.request.valid,
        )
        in_range(m, "occupied", slots.occupied, FETCH_SLOTS)
        in_range(m, "landed", slots.landed, FETCH_SLOTS)
