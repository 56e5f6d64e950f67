"""Write port of a core: results go to the own banks, or over the write bus to all cores."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.checks import holds_payload, one_hot
from hwgen.chip.rtl.choose import choose
from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.dbpim.facts.arch import ACCUMULATOR_BITS, ACTIVATION_BITS, Arch
from hwgen.dbpim.facts.instructions import ROW_BITS, Opcode
from hwgen.dbpim.rtl import layouts
from hwgen.dbpim.rtl.region import bank_of


class WritePort(Part):
    """Decides where a result goes: rows that only this core keeps need no bus.

    A result is private if every active position has its row within ``private_first ..
    private_first + private_rows - 1``; one with `raw` or `to_memory` never is. A private result is
    written to the own banks at once, all positions in one cycle; it waits while the buffer stores
    words of the bus in one of their banks. Any other result requests the bus, one active position
    after the other, the lowest first; it is taken with the last one. Output stage and SIMD unit
    never offer a result in the same step.

    Ports
        layer          in      CONV          fields that CONV and SIMD have in common
        work           in      work          of this core
        output         stream  bus_write     F bytes or F x int32 of one position (CONV)
        result         stream  vector_write  C bytes of each position (SIMD)
        stores         in      M             bit b: bank b stores a word of the bus
        private_valid  out     1             a private result is written in this cycle
        private_write  out     vector_write  that result
        request        stream  bus_write     held until it is granted; with `to_memory` ``index`` is
                                             that of the word ``output_base + (row - keep_first) *
                                             output_row_pitch + column * output_channel_words +
                                             word`` of C bytes
    Latency  0
    Rate     one private result in each cycle, one position over the bus in each cycle
    Errors   none
    Golden   the rule above
    Source   docs/dbpim-microarchitecture.md, "write_port"
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        super().__init__(
            {
                "layer": In(layouts.packet(Opcode.CONV, arch)),
                "work": In(layouts.work()),
                "output": In(stream.Signature(layouts.bus_write(arch))),
                "result": In(stream.Signature(layouts.vector_write(arch))),
                "stores": In(arch.banks),
                "private_valid": Out(1),
                "private_write": Out(layouts.vector_write(arch)),
                "request": Out(stream.Signature(layouts.bus_write(arch))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        output, result = self.output.payload, self.result.payload
        of_one = Signal()
        """The result has one position and comes from the output stage."""
        active, private, sent, busy = (
            Signal(self._arch.macros_per_core, name=name)
            for name in ("active", "private", "sent", "busy")
        )
        m.d.comb += [of_one.eq(self.output.valid), self.private_write.eq(result)]
        with m.If(of_one):
            width = ACTIVATION_BITS * self._arch.word
            m.d.comb += [
                self.private_write.bytes[0].eq(output.data[:width]),
                self.private_write.positions.eq(Cat(output.row, output.column, 1)),
                self.private_write.enable.eq(output.enable),
                self.private_write.word.eq(output.word),
            ]
        for index, position in enumerate(self.private_write.positions):
            row = (position.row - self.work.private_first)[:ROW_BITS]
            bank = Signal(bits_for_index(self._arch.banks), name=f"bank_{index}")
            m.d.comb += [
                bank.eq(bank_of(self._arch, row=position.row, column=position.column)),
                busy[index].eq(choose(list(self.stores), bank)),
                active[index].eq(position.active),
                private[index].eq(row < self.work.private_rows),
            ]
        valid, to_logits, is_private = Signal(), Signal(), Signal()
        m.d.comb += [
            valid.eq(self.output.valid | self.result.valid),
            to_logits.eq(Mux(of_one, output.raw, result.to_memory)),
            is_private.eq(~to_logits & ~(active & ~private).any()),
            self.private_valid.eq(valid & is_private & ~(active & busy).any()),
            self.request.valid.eq(valid & ~is_private),
        ]
        left = active & ~sent
        lowest = left & -left
        granted = self.request.valid & self.request.ready
        last = left == lowest
        taken = self.private_valid | (granted & last)
        m.d.comb += [self.output.ready.eq(taken), self.result.ready.eq(taken)]
        with m.If(granted):
            m.d.sync += sent.eq(Mux(last, 0, sent | lowest))
        self._drive_request(m, of_one=of_one, lowest=lowest)
        one_hot(m, "positions that are sent", lowest)
        one_hot(m, "a private and a common write", [self.private_valid, self.request.valid])
        holds_payload(m, "request", self.request)
        return m

    def _drive_request(self, m: Module, *, of_one: Value, lowest: Value) -> None:
        """Show the output stage's result, or one position of that of the SIMD unit."""
        result, write, layer = self.result.payload, self.request.payload, self.layer
        at = Signal(layouts.position())
        content = Signal(layouts.word_bytes(self._arch))
        for index, position in enumerate(result.positions):
            with m.If(lowest[index]):
                m.d.comb += [at.eq(position), content.eq(result.bytes[index])]
        row = (at.row - self.work.keep_first)[:ROW_BITS]
        across = at.column * layer.output_channel_words + result.word
        word_in_memory = layer.output_base + row * layer.output_row_pitch + across
        int32_bytes = ACCUMULATOR_BITS // ACTIVATION_BITS
        m.d.comb += write.eq(self.output.payload)
        with m.If(~of_one):
            m.d.comb += [
                write.data.eq(content),
                write.enable.eq(result.enable),
                write.row.eq(at.row),
                write.column.eq(at.column),
                write.word.eq(result.word),
                write.index.eq(word_in_memory * (self._arch.word // int32_bytes)),
                write.raw.eq(0),
                write.to_memory.eq(result.to_memory),
            ]
