"""Reads the words that the walker requests from the banks, for M positions at once."""

from typing import Any, NamedTuple

from amaranth.hdl import Cat, ClockSignal, Module, Mux, Signal, Value
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.checks import holds, in_range, must, neither_over_nor_under, within
from hwgen.chip.rtl.choose import choose
from hwgen.chip.rtl.part import Part
from hwgen.chip.rtl.register_file import RegisterFile
from hwgen.dbpim.facts.arch import ACTIVATION_BITS, Arch
from hwgen.dbpim.facts.timing import FETCH_SLOTS
from hwgen.dbpim.rtl import layouts


class Slots(NamedTuple):
    """Ring of word slots.

    write: slot of the request; read: slot of the oldest word
    occupied: words begun and not released; landed: words complete and not released
    """

    write: Signal
    read: Signal
    occupied: Signal
    landed: Signal


def leads_stream(arch: Arch) -> dict[str, Any]:
    """Return the ports of a fetcher that reads for all cores."""
    return {"free": Out(1), "hold": In(1), "stream": Out(layouts.stream_word(arch))}


class Fetcher(Part):
    """Collects a word for each macro: bytes of the map, or `outside` of it.

    ``word.bytes[m] = active ? (inside ? banks[bank][address] : C x outside) : zeros``. In each
    cycle every bank that is not taken serves the lowest-numbered macro that waits for it, and with
    it all macros that read the same address.

    Pipeline
        cycle 0  grant: banks read the granted addresses; the request is taken with its last grant
        cycle 1  the words read are stored in the slot
        cycle 2  the word of a request taken in cycle 0 is visible to the switch or SIMD unit

    Ports
        request       stream  fetch_request     entry m of ``pixels`` is for macro m
        outside       in      8                 byte outside the map, constant in a step
        bank_taken    in      M                 bit b: bank b is read for another unit
        bank_read_en  out     M                 bit b: read bank b at this clock edge
        bank_address  out     M x address_bits  a word of each bank
        bank_data     in      M x C bytes       what has been read, one cycle later
        word          out     fetched_word      the oldest word
        word_valid    out     1
        word_release  in      1                 the oldest word leaves in this cycle (valid)
        empty         out     1                 no word is begun or waits
        free          out     1                 a word may begin [this and the next two lines: with
                                                one stream for all cores]
        hold          in      1                 another core cannot take the word: it may not begin
        stream        out     stream_word       what all cores store
    Latency  ``FETCH_CYCLES`` from the last grant, in whose cycle the request is taken
    Rate     one word in each cycle if all macros read different free banks or the same word; a new
             word begins only while fewer than ``FETCH_SLOTS`` words are begun and not released
    Errors   none
    Golden   ``golden.ops.windows.windows`` over ``verif.reference.dbpim.activation_buffer.place``
    Source   seed 002, V-B: input features are fetched from the input buffer
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        self._note = data.StructLayout(
            {
                "positions": layouts.positions(arch),
                "tag": layouts.word_tag(arch),
                "simd": layouts.simd_tag(),
            }
        )
        word_bits = arch.word * ACTIVATION_BITS
        macros = arch.macros_per_core
        self._byte_file = RegisterFile(
            family=self.family, depth=FETCH_SLOTS, slices=macros, width=word_bits
        )
        self._note_file = RegisterFile(family=self.family, depth=FETCH_SLOTS, width=self._note.size)
        self.parts = [self._byte_file, self._note_file]
        super().__init__(
            {
                "request": In(stream.Signature(layouts.fetch_request(arch))),
                "outside": In(ACTIVATION_BITS),
                "bank_taken": In(macros),
                "bank_read_en": Out(macros),
                "bank_address": Out(data.ArrayLayout(arch.bank_address_bits, macros)),
                "bank_data": In(data.ArrayLayout(layouts.word_bytes(arch), macros)),
                "word": Out(layouts.fetched_word(arch)),
                "word_valid": Out(1),
                "word_release": In(1),
                "empty": Out(1),
                **(leads_stream(arch) if arch.shares_stream else {}),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        macros = self._arch.macros_per_core
        slots = Slots(
            write=Signal(range(FETCH_SLOTS)),
            read=Signal(range(FETCH_SLOTS)),
            occupied=Signal(range(FETCH_SLOTS + 1)),
            landed=Signal(range(FETCH_SLOTS + 1)),
        )
        served, begun, begins, busy = Signal(macros), Signal(), Signal(), Signal()
        free = ~begun & (slots.occupied < FETCH_SLOTS)
        allowed = free & ~self.hold if self._arch.shares_stream else free
        m.d.comb += [
            begins.eq(self.request.valid & allowed),
            busy.eq(begins | (self.request.valid & begun)),
        ]
        granted, missing = self._grant(m, served=served, busy=busy)
        taken = Signal()
        m.d.comb += [self.request.ready.eq(busy & ~missing.any()), taken.eq(self.request.ready)]
        with m.If(busy):
            m.d.sync += [served.eq(Mux(taken, 0, served | granted)), begun.eq(~taken)]
        landing = Signal()
        m.d.sync += [
            landing.eq(taken),
            slots.landed.eq(slots.landed + landing - self.word_release),
            slots.occupied.eq(slots.occupied + begins - self.word_release),
            slots.write.eq(slots.write + taken),
            slots.read.eq(slots.read + self.word_release),
        ]
        store, words = self._land(m, slots, busy=busy, served=served)
        self._note_word(m, slots, taken=taken)
        m.d.comb += [self.word_valid.eq(slots.landed != 0), self.empty.eq(slots.occupied == 0)]
        if self._arch.shares_stream:
            m.d.comb += [
                self.free.eq(free),
                self.stream.taken.eq(taken),
                self.stream.positions.eq(self.request.payload.positions),
                self.stream.store.eq(store),
                self.stream.bytes.eq(words),
            ]
        self._check(m, slots, begins=begins)
        return m

    def _check(self, m: Module, slots: Slots, *, begins: Value) -> None:
        """Assert that words stay until they are taken, and slots are neither over nor under."""
        word, valid, taken = self.word, self.word_valid, self.word_release
        held = Cat(word.positions, word.tag, word.simd)
        holds(m, "the oldest word", valid=valid, ready=taken, payload=held)
        level, depth = slots.occupied, FETCH_SLOTS
        neither_over_nor_under(
            m, "the ring of words", level=level, depth=depth, into=begins, out_of=taken
        )
        landed = slots.landed != 0
        must(m, landed, "landed words must give no word while there are none", when=taken)
        in_range(m, "occupied", slots.occupied, FETCH_SLOTS)
        in_range(m, "landed", slots.landed, FETCH_SLOTS)
        for bank, (reads, address) in enumerate(
            zip(self.bank_read_en, self.bank_address, strict=True)
        ):
            within(m, f"bank_address {bank}", address, self._arch.bank_words, when=reads)

    def _grant(self, m: Module, *, served: Value, busy: Value) -> tuple[Value, Value]:
        """Drive the banks; return bits of the macros granted now, and of those that still wait."""
        pixels = self.request.payload.pixels
        macros = self._arch.macros_per_core
        needed, granted = Signal(macros), Signal(macros)
        for index in range(macros):
            pixel = pixels[index]
            m.d.comb += needed[index].eq(pixel.active & pixel.inside & ~served[index])
        for bank in range(macros):
            wanted = [needed[index] & (pixels[index].bank == bank) for index in range(macros)]
            address = self.bank_address[bank]
            for index in reversed(range(macros)):
                with m.If(wanted[index]):
                    m.d.comb += address.eq(pixels[index].address)
            m.d.comb += self.bank_read_en[bank].eq(
                busy & ~self.bank_taken[bank] & Cat(wanted).any()
            )
        addresses = list(self.bank_address)
        for index in range(macros):
            same = choose(addresses, pixels[index].bank) == pixels[index].address
            busy_bank = choose(list(self.bank_taken), pixels[index].bank)
            m.d.comb += granted[index].eq(needed[index] & same & ~busy_bank)
        return granted, needed & ~granted

    def _land(self, m: Module, slots: Slots, *, busy: Value, served: Value) -> tuple[Value, Value]:
        """Store what the banks have read; a macro not yet granted stores again after its grant.

        Return which macros' bytes are stored, and all bytes.
        """
        m.submodules.bytes = byte_file = self._byte_file.instance()
        macros = self._arch.macros_per_core
        pixels = Signal.like(self.request.payload.pixels)
        store, slot = Signal(macros), Signal.like(slots.write)
        m.d.sync += [
            store.eq(Mux(busy, ~served, 0)),
            slot.eq(slots.write),
            pixels.eq(self.request.payload.pixels),
        ]
        answers = [word.as_value() for word in self.bank_data]
        outside = self.outside.replicate(self._arch.word)
        words = []
        for index in range(macros):
            pixel = pixels[index]
            in_map = Mux(pixel.inside, choose(answers, pixel.bank), outside)
            words.append(Mux(pixel.active, in_map, 0))
        m.d.comb += [
            byte_file.clk.eq(ClockSignal()),
            byte_file.write_en.eq(store),
            byte_file.write_index.eq(slot),
            byte_file.write_data.eq(Cat(words)),
            byte_file.read_index.eq(slots.read),
            self.word.bytes.eq(byte_file.read_data),
        ]
        return store, Cat(words)

    def _note_word(self, m: Module, slots: Slots, *, taken: Value) -> None:
        """Store positions and tags beside the bytes of a word."""
        m.submodules.notes = note_file = self._note_file.instance()
        note = data.View(self._note, note_file.read_data)
        request = self.request.payload
        m.d.comb += [
            note_file.clk.eq(ClockSignal()),
            note_file.write_en.eq(taken),
            note_file.write_index.eq(slots.write),
            note_file.write_data.eq(Cat(request.positions, request.tag, request.simd)),
            note_file.read_index.eq(slots.read),
            self.word.positions.eq(note.positions),
            self.word.tag.eq(note.tag),
            self.word.simd.eq(note.simd),
        ]
