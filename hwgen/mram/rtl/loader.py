"""Loader: reads a program into tables and weight rows, and images into their bank.

Tests: `tests/verif/mram/test_parts.py`.
"""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from hwgen.chip.axi import MEMORY_ADDRESS_BITS
from hwgen.chip.rtl.checks import holds_payload, in_range, one_hot, within
from hwgen.chip.rtl.checksum import Checksum, placed
from hwgen.chip.rtl.coded import Coded
from hwgen.chip.rtl.part import Part
from hwgen.chip.rtl.read_engine import read_command
from hwgen.chip.widths import bits_for_index
from hwgen.mram.facts.arch import Arch, most_modes
from hwgen.mram.facts.records import COUNT_BITS, MAGIC
from hwgen.mram.facts.registers import ERROR_BITS, VERSION, ErrorCode
from hwgen.mram.facts.stream import section_beats
from hwgen.mram.facts.timing import LOADED_CYCLES
from hwgen.mram.rtl.layouts import array_row, bank_write, header, record


class Loader(Part):
    """Takes beats as they come: header, records, parameter words, weight rows; or an image.

    Ports
        load             in   1             read the program; command in the next cycle
        load_image       in   1             read an image; command in the next cycle
        record           in   record        of kind IMAGE: `loads` beats to `out_bank`
        program_address  in   64
        image_address    in   64
        locked           in   1             a program with weight rows is refused
        resident         in   1             weights are there; else one without rows is refused
        command          out  stream        read_command
        beats            in   stream        port_bits
        header           out  header        of the program; held from `accepted` to `loaded`
        accepted         out  1             the header passes its check, in this cycle
        record_write     out  beats         write a beat of a record
        parameter_write  out  beats         write a beat of a parameter word
        table_index      out  index_bits    record or parameter word
        table_data       out  port_bits
        weight_valid     out  1             a weight row for one sub-array
        weight           out  array_row
        bank_valid       out  1             a beat of an image
        bank             out  bank_write
        loaded           out  1             ``LOADED_CYCLES`` after the last beat of the program
        image_loaded     out  1             the last beat of the image
        error            out  ErrorCode     the header does not pass its check; 0: none
    Latency  0 from a beat to tables and bank; 1 from the last beat of a row to ``weight_valid``
    Rate     one beat in each cycle
    Errors   BAD_PROGRAM, WRONG_VERSION, WRONG_ARCHITECTURE, LOCKED, NOT_LOADED in the cycle after
             the last beat of a header; DAMAGED_PROGRAM in place of ``loaded``
    Golden   ``hwgen.mram.facts.stream``
    Source   docs/mram-microarchitecture.md, "Loading"
    """

    family = "mram"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        self._beats = section_beats(arch)
        checksum = Checksum(family=self.family, port_bits=arch.port_bits)
        self._checksum = checksum if arch.checksum else None
        self.parts = [checksum] if arch.checksum else []
        super().__init__(
            {
                "load": In(1),
                "load_image": In(1),
                "record": In(record(arch)),
                "program_address": In(MEMORY_ADDRESS_BITS),
                "image_address": In(MEMORY_ADDRESS_BITS),
                "locked": In(1),
                "resident": In(1),
                "command": Out(stream.Signature(read_command())),
                "beats": In(stream.Signature(arch.port_bits)),
                "header": Out(header()),
                "accepted": Out(1),
                "record_write": Out(self._beats.record),
                "parameter_write": Out(self._beats.parameter),
                "table_index": Out(
                    bits_for_index(max(arch.record_entries, arch.parameter_entries))
                ),
                "table_data": Out(arch.port_bits),
                "weight_valid": Out(1),
                "weight": Out(array_row(arch)),
                "bank_valid": Out(1),
                "bank": Out(bank_write(arch)),
                "loaded": Out(1),
                "image_loaded": Out(1),
                "error": Out(Coded(ErrorCode.__members__, ERROR_BITS)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        beat = Signal()
        # Beat of a part, and the part of its section: a record, a parameter word, a row.
        self._number = Signal(range(max(self._beats)))
        self._index = Signal(COUNT_BITS)
        self._weak = Signal(name="weak")
        m.d.comb += [
            beat.eq(self.beats.valid & self.beats.ready),
            self.table_data.eq(self.beats.payload),
            self.table_index.eq(self._index),
        ]
        m.d.sync += self.weight_valid.eq(0)
        of_program = beat & ~self.bank_valid
        fits = placed(m, self._checksum, self.beats.payload, of_program)
        rest = self.program_address + self._beats.header * self._arch.port_bytes
        with m.FSM():
            with m.State("IDLE"):
                with m.If(self.load):
                    m.next = "ASK HEADER"
                with m.Elif(self.load_image):
                    m.next = "ASK IMAGE"
            with m.State("ASK HEADER"):
                self._ask(m, self.program_address, self._beats.header, then="HEADER")
            with m.State("HEADER"):
                self._take_header(m, beat)
            with m.State("CHECK"):
                self._check(m)
            with m.State("ASK REST"):
                self._ask(m, rest, self.header.beats, then="RECORDS")
            self._take_sections(m, beat)
            with m.State("SETTLE"):
                self._settle(m, fits)
            with m.State("ASK IMAGE"):
                self._ask(m, self.image_address, self.record.loads, then="IMAGE")
            with m.State("IMAGE"):
                self._take_image(m, beat)
            with m.State("STOP"):
                pass
        self._check_writes(m)
        return m

    def _check_writes(self, m: Module) -> None:
        """Assert that each beat has one place, which is in its memory."""
        arch, index = self._arch, self.table_index
        holds_payload(m, "command", self.command)
        in_range(m, "number", self._number, max(self._beats) - 1)
        writes = Cat(self.record_write, self.parameter_write, self.bank_valid)
        one_hot(m, "places of a beat", writes)
        within(m, "a record", index, arch.record_entries, when=self.record_write.any())
        words = arch.parameter_entries
        within(m, "a parameter word", index, words, when=self.parameter_write.any())
        within(m, "the row of weights", self.weight.row, arch.weight_rows, when=self.weight_valid)

    def _ask(self, m: Module, address: Value, beats: Value | int, *, then: str) -> None:
        """Give a command to the read engine."""
        m.d.comb += [
            self.command.valid.eq(1),
            self.command.payload.address.eq(address),
            self.command.payload.beats.eq(beats),
        ]
        m.d.sync += [self._number.eq(0), self._index.eq(0)]
        with m.If(self.command.ready):
            m.next = then

    def _take_header(self, m: Module, beat: Value) -> None:
        """Gather the header; its padding falls behind the register."""
        bits = self._arch.port_bits
        m.d.comb += self.beats.ready.eq(1)
        with m.If(beat), m.Switch(self._number):
            for number in range(self._beats.header):
                part = self.header.as_value()[number * bits : (number + 1) * bits]
                with m.Case(number):
                    m.d.sync += [part.eq(self.beats.payload), self._number.eq(number + 1)]
                    if number == self._beats.header - 1:
                        m.next = "CHECK"

    def _check(self, m: Module) -> None:
        """Accept the program, or report the first reason why not."""
        found, arch = self.header, self._arch
        brings_weights = found.weight_rows != 0
        fits = (found.records <= arch.record_entries) & (found.records != 0)
        fits &= (found.parameter_words <= arch.parameter_entries) & (found.beats != 0)
        fits &= found.weight_rows <= arch.weight_rows
        fits &= (found.modes != 0) & (found.modes <= most_modes(arch))
        m.next = "STOP"
        with m.If((found.magic != MAGIC) | ~fits):
            m.d.comb += self.error.eq(ErrorCode.BAD_PROGRAM)
        with m.Elif(found.version != VERSION):
            m.d.comb += self.error.eq(ErrorCode.WRONG_VERSION)
        with m.Elif(found.architecture != arch.id_word):
            m.d.comb += self.error.eq(ErrorCode.WRONG_ARCHITECTURE)
        with m.Elif(brings_weights & self.locked):
            m.d.comb += self.error.eq(ErrorCode.LOCKED)
        with m.Elif(~brings_weights & ~self.resident):
            m.d.comb += self.error.eq(ErrorCode.NOT_LOADED)
        with m.Else():
            m.d.comb += self.accepted.eq(1)
            m.next = "ASK REST"

    def _take_sections(self, m: Module, beat: Value) -> None:
        """Take records, parameter words and rows; a section without parts is passed over."""
        counts = self.header
        after_parameters = Mux(counts.weight_rows != 0, 1, 0)
        with m.State("RECORDS"):
            m.d.comb += self.record_write.eq(beat << self._number)
            with m.If(self._part(m, beat, beats=self._beats.record, parts=counts.records)):
                with m.If(counts.parameter_words != 0):
                    m.next = "PARAMETERS"
                with m.Elif(after_parameters):
                    m.next = "ROWS"
                with m.Else():
                    m.next = "SETTLE"
        with m.State("PARAMETERS"):
            m.d.comb += self.parameter_write.eq(beat << self._number)
            words = counts.parameter_words
            with m.If(self._part(m, beat, beats=self._beats.parameter, parts=words)):
                with m.If(after_parameters):
                    m.next = "ROWS"
                with m.Else():
                    m.next = "SETTLE"
        with m.State("ROWS"):
            self._take_row(m, beat)

    def _part(self, m: Module, beat: Value, *, beats: int, parts: Value | int) -> Value:
        """Take a beat of a section of `parts` parts; return whether it is the last one."""
        ends = self._number == beats - 1
        last = ends & (self._index == parts - 1)
        m.d.comb += self.beats.ready.eq(1)
        with m.If(beat):
            m.d.sync += self._number.eq(Mux(ends, 0, self._number + 1))
            with m.If(ends):
                m.d.sync += self._index.eq(Mux(last, 0, self._index + 1))
        return beat & last

    def _take_row(self, m: Module, beat: Value) -> None:
        """Take a beat of a row of a sub-array; a whole row goes to the input tree."""
        size = self._beats.row
        row = Signal(self._arch.row_index_bits)
        last = self._part(m, beat, beats=size, parts=self._arch.sub_arrays)
        with m.If(beat):
            part = self.weight.data.word_select(self._number, self._arch.port_bits)
            m.d.sync += [
                part.eq(self.beats.payload),
                self.weight.sub_array.eq(self._index),
                self.weight.row.eq(row),
                self.weight_valid.eq(self._number == size - 1),
            ]
        with m.If(last):
            m.d.sync += row.eq(row + 1)
            with m.If(row == self.header.weight_rows - 1):
                self._end_rows(m, row)
        if self._arch.weak_sensing:
            with m.If(beat):
                m.d.sync += self.weight.weak.eq(self._weak)

    def _end_rows(self, m: Module, row: Signal) -> None:
        """Go on behind the last row of weights: to weak cells, and behind these to the end."""
        if not self._arch.weak_sensing:
            m.next = "SETTLE"
            return
        m.d.sync += [row.eq(0), self._weak.eq(~self._weak)]
        with m.If(self._weak):
            m.next = "SETTLE"

    def _settle(self, m: Module, fits: Value) -> None:
        """Wait until the last row is written and the checksum is known."""
        waited = Signal(range(LOADED_CYCLES))
        m.d.sync += waited.eq(waited + 1)
        with m.If(waited == LOADED_CYCLES - 1):
            m.next = "STOP"
            with m.If(fits):
                m.d.comb += self.loaded.eq(1)
            with m.Else():
                m.d.comb += self.error.eq(ErrorCode.DAMAGED_PROGRAM)

    def _take_image(self, m: Module, beat: Value) -> None:
        """Write each beat to the bank in the cycle in which it comes."""
        arch, number = self._arch, self._index
        beat_log = arch.row_beats.bit_length() - 1
        elements = arch.port_bytes // arch.element_bytes
        place = number[:beat_log]
        every = (1 << elements) - 1
        m.d.comb += [
            self.beats.ready.eq(1),
            self.bank_valid.eq(beat),
            self.bank.bank.eq(self.record.out_bank),
            self.bank.row.eq(number[beat_log:]),
            self.bank.mask.eq(every << (place * elements)),
            self.bank.data.eq(self.beats.payload.replicate(arch.row_beats)),
        ]
        with m.If(beat):
            m.d.sync += number.eq(number + 1)
            with m.If(number == self.record.loads - 1):
                m.d.comb += self.image_loaded.eq(1)
                m.next = "IDLE"
