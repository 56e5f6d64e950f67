"""The activation buffer of a core: M banks, written from the write bus or by the core itself."""

from amaranth.hdl import Cat, ClockSignal, Module, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.rtl.dbpim.activation_bank import ActivationBank
from hwgen.rtl.dbpim.layouts import bus_write, group, position, vector_write
from hwgen.rtl.dbpim.region import Region, address_of, bank_of
from hwgen.rtl.part import Part
from hwgen.spec.dbpim.arch import Arch
from hwgen.spec.dbpim.instructions import ROW_BITS, Opcode, field_bits
from hwgen.spec.widths import bits_for_index


class ActivationBuffer(Part):
    """M banks with independent reads; the bus writes one word, the core one word of each bank.

    ``bank_data[b] = banks[b][bank_address[b]]`` as before the clock edge that saw
    ``bank_read_en[b]``. A word of stored row R and column X is written to bank ``(X + bank_skew *
    R) mod M`` at address ``base + (R - keep_first) * row_pitch + X div M * channel_words + word``.

    Ports
        base           in   16                of the map that is written, in every bank
        row_pitch      in   16                words of one stored row in a bank
        channel_words  in   10                words of one pixel
        keep_first     in   10                first stored row that this core keeps
        keep_rows      in   10                stored rows that it keeps
        bank_read_en   in   M                 bit b: read bank b at this clock edge
        bank_address   in   M x address_bits  unsigned, a word of each bank
        bank_data      out  M x C bytes       each bank's word holds until its next read
        write_valid    in   1                 the bus writes in this cycle
        write          in   bus_write         ignored with ``raw`` or ``to_memory`` and in a
                                              row that is not kept
        stores         out  1                 a word of the bus is stored in this cycle
        private_valid  in   1                 the core writes, in kept rows; never with ``stores``
        private_write  in   vector_write      a word of each active position, in different banks
        written        out  M x C             bit b * C + c: byte c of a word of bank b is written
    Latency  ``BANK_READ_CYCLES`` from ``bank_read_en`` to ``bank_data``
    Rate     one read and one write of every bank in each cycle
    Errors   none: ``Arch`` has checked the sizes; a word never written holds garbage
    Golden   ``golden.dbpim.activation_buffer`` says where the words of a map lie
    Source   seed 002, V-A: input and output buffers
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        self._bank = ActivationBank(arch=arch)
        self.parts = [self._bank]
        banks = arch.banks
        super().__init__(
            {
                "base": In(field_bits(Opcode.CONV, "output_base")),
                "row_pitch": In(field_bits(Opcode.CONV, "output_row_pitch")),
                "channel_words": In(field_bits(Opcode.CONV, "output_channel_words")),
                "keep_first": In(ROW_BITS),
                "keep_rows": In(ROW_BITS),
                "bank_read_en": In(banks),
                "bank_address": In(data.ArrayLayout(arch.bank_address_bits, banks)),
                "bank_data": Out(data.ArrayLayout(group(arch), banks)),
                "write_valid": In(1),
                "write": In(bus_write(arch)),
                "stores": Out(1),
                "private_valid": In(1),
                "private_write": In(vector_write(arch)),
                "written": Out(banks * arch.macro.compartments),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        write = self.write
        row_in_slice = (write.row - self.keep_first)[:ROW_BITS]
        kept = row_in_slice < self.keep_rows
        m.d.comb += self.stores.eq(self.write_valid & ~write.raw & ~write.to_memory & kept)
        words = self._words(m)
        for index in range(len(self.bank_read_en)):
            m.submodules[f"bank_{index}"] = bank = self._bank.instance()
            m.d.comb += [
                bank.clk.eq(ClockSignal()),
                bank.read_en.eq(self.bank_read_en[index]),
                bank.read_address.eq(self.bank_address[index]),
                self.bank_data[index].eq(bank.read_data),
                self.written.word_select(index, self._arch.macro.compartments).eq(bank.write_en),
            ]
            self._write_bank(m, index, words, bank=bank)
        return m

    def _words(self, m: Module) -> list[data.View]:
        """Return the words to write, each with its place; that of the bus is the first one."""
        arch, write, private = self._arch, self.write, self.private_write
        region = Region(self.base, self.row_pitch, self.channel_words, self.keep_first)
        layout = word_layout(arch)
        width = layout["bytes"].width
        words = []
        for index in range(len(private.positions)):
            word, at = Signal(layout, name=f"word_{index}"), Signal(position(), name=f"at_{index}")
            channel_word, content = Signal.like(private.word), Value.cast(private.bytes[index])
            own = private.positions[index]
            m.d.comb += [
                at.eq(own),
                at.active.eq(self.private_valid & own.active),
                channel_word.eq(private.word),
                word.bytes.eq(content),
                word.enable.eq(private.enable),
            ]
            if index == 0:
                with m.If(self.stores):
                    m.d.comb += [
                        at.eq(Cat(write.row, write.column, 1)),
                        channel_word.eq(write.word),
                        word.bytes.eq(write.data[:width]),
                        word.enable.eq(write.enable),
                    ]
            place = {"row": at.row, "column": at.column}
            m.d.comb += [
                word.valid.eq(at.active),
                word.bank.eq(bank_of(arch, **place)),
                word.address.eq(address_of(arch, region, **place, word=channel_word)),
            ]
            words.append(word)
        return words

    def _write_bank(self, m: Module, index: int, words: list[data.View], *, bank: Part) -> None:
        """Store the word that belongs to this bank, if any."""
        for word in words:
            with m.If(word.valid & (word.bank == index)):
                m.d.comb += [
                    bank.write_en.eq(word.enable),
                    bank.write_address.eq(word.address),
                    bank.write_data.eq(word.bytes),
                ]


def word_layout(arch: Arch) -> data.StructLayout:
    """Return a word of C bytes on its way into a bank."""
    return data.StructLayout(
        {
            "valid": 1,
            "bytes": group(arch),
            "enable": arch.macro.compartments,
            "bank": bits_for_index(arch.banks),
            "address": arch.bank_address_bits,
        }
    )
