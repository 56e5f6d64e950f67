"""The activation buffer of a core: M banks, written from the write bus or by the core itself."""

from amaranth.hdl import ClockSignal, Module, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.checks import one_hot
from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import ROW_BITS, Opcode, field_bits
from hwgen.dbpim.rtl.activation_bank import ActivationBank
from hwgen.dbpim.rtl.layouts import bus_writes, vector_write, word_bytes
from hwgen.dbpim.rtl.region import Region, address_of, bank_of


class ActivationBuffer(Part):
    """M banks with independent reads; bus and core write up to one word of each bank.

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
        write_valid    in   lanes             the bus writes in this cycle, bit l: in lane l
        write          in   bus_writes        ignored with ``raw`` or ``to_memory`` and in a
                                              row that is not kept
        stores         out  M                 bit b: bank b stores a word of the bus in this cycle
        private_valid  in   1                 the core writes, in kept rows and in other banks
        private_write  in   vector_write      a word of each active position, in different banks
        written        out  M x C             bit b * C + c: byte c of a word of bank b is written
    Latency  ``BANK_READ_CYCLES`` from ``bank_read_en`` to ``bank_data``
    Rate     one read and one write of every bank in each cycle
    Errors   none: ``Arch`` has checked the sizes; a word never written holds garbage
    Golden   ``verif.reference.dbpim.activation_buffer`` says where the words of a map lie
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
                "bank_data": Out(data.ArrayLayout(word_bytes(arch), banks)),
                "write_valid": In(arch.bus_words),
                "write": In(bus_writes(arch)),
                "stores": Out(banks),
                "private_valid": In(1),
                "private_write": In(vector_write(arch)),
                "written": Out(banks * arch.word),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        from_bus = [self._bus_word(m, lane) for lane in range(self._arch.bus_words)]
        private = [self._private_word(m, index) for index in range(self._arch.banks)]
        for index in range(len(self.bank_read_en)):
            m.submodules[f"bank_{index}"] = bank = self._bank.instance()
            m.d.comb += [
                bank.clk.eq(ClockSignal()),
                bank.read_en.eq(self.bank_read_en[index]),
                bank.read_address.eq(self.bank_address[index]),
                self.bank_data[index].eq(bank.read_data),
                self.written.word_select(index, self._arch.word).eq(bank.write_en),
            ]
            word = from_bus[index % self._arch.bus_words]
            m.d.comb += self.stores[index].eq(word.valid & (word.bank == index))
            self._write_bank(m, index, [word, *private], bank=bank)
        return m

    def _bus_word(self, m: Module, lane: int) -> data.View:
        """Return the word of a lane of the bus, with its place."""
        write = self.write[lane]
        word = Signal(word_layout(self._arch), name=f"bus_word_{lane}")
        row_in_slice = (write.row - self.keep_first)[:ROW_BITS]
        kept = row_in_slice < self.keep_rows
        stored = self.write_valid[lane] & ~write.raw & ~write.to_memory & kept
        m.d.comb += [
            word.valid.eq(stored),
            word.bytes.eq(write.data[: word.bytes.as_value().shape().width]),
            word.enable.eq(write.enable),
        ]
        self._place(m, word, row=write.row, column=write.column, channel_word=write.word)
        return word

    def _private_word(self, m: Module, index: int) -> data.View:
        """Return the word of a position of the private result, with its place."""
        private = self.private_write
        position = private.positions[index]
        word = Signal(word_layout(self._arch), name=f"word_{index}")
        m.d.comb += [
            word.valid.eq(self.private_valid & position.active),
            word.bytes.eq(private.bytes[index]),
            word.enable.eq(private.enable),
        ]
        self._place(m, word, row=position.row, column=position.column, channel_word=private.word)
        return word

    def _place(
        self, m: Module, word: data.View, *, row: Value, column: Value, channel_word: Value
    ) -> None:
        """Drive bank and address of a word."""
        region = Region(self.base, self.row_pitch, self.channel_words, self.keep_first)
        place = {"row": row, "column": column}
        m.d.comb += [
            word.bank.eq(bank_of(self._arch, **place)),
            word.address.eq(address_of(self._arch, region, **place, word=channel_word)),
        ]

    def _write_bank(self, m: Module, index: int, words: list[data.View], *, bank: Part) -> None:
        """Store the word that belongs to this bank, if any."""
        one_hot(m, f"words for bank {index}", [w.valid & (w.bank == index) for w in words])
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
            "bytes": word_bytes(arch),
            "enable": arch.word,
            "bank": bits_for_index(arch.banks),
            "address": arch.bank_address_bits,
        }
    )
