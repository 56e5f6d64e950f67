"""Buffer of answers and spilled maps between the write bus and the memory port."""

from amaranth.hdl import ClockSignal, Module, Mux, Signal, Value
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.choose import choose
from hwgen.chip.rtl.part import Part
from hwgen.chip.rtl.register_file import RegisterFile
from hwgen.chip.widths import bits_for_index
from hwgen.dbpim.facts.arch import ACCUMULATOR_BITS, ACTIVATION_BITS, Arch
from hwgen.dbpim.rtl.layouts import bus_write

ENTRY_BYTES = ACCUMULATOR_BITS // ACTIVATION_BITS


class LogitBuffer(Part):
    """Stores F int32, or C bytes, a cycle; the write engine reads them by beats of the memory port.

    ``entries[index + f] = data[f]`` for a bus word with `raw`, all bytes of F entries; with
    `to_memory` the enabled ones of C / 4 entries. ``read_data`` = the entries of beat
    ``read_index``, the first one lowest.

    Ports
        write_valid  in   1          a word is on the bus; only `raw` and `to_memory` are stored
        write        in   bus_write  index: a multiple of F or of C / 4
        read_index   in   beat_bits  beat, of port_bits / 32 entries
        read_data    out  port_bits  int32 each
    Latency  0 from ``read_index`` to ``read_data``; what is written is seen in the next cycle
    Rate     one bus word in and one beat out in each cycle
    Errors   none; an entry never written holds garbage
    Golden   indexing
    Source   docs/dbpim-microarchitecture.md, "Answers"
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        self._beat_entries = arch.port_bits // ACCUMULATOR_BITS
        self._word_entries = arch.word // ENTRY_BYTES
        self._row_entries = max(arch.filters, self._beat_entries, self._word_entries)
        rows = max(2, arch.logit_entries // self._row_entries)
        self._file = RegisterFile(
            family=self.family, depth=rows, slices=ENTRY_BYTES, width=ACTIVATION_BITS
        )
        self.parts = [self._file]
        super().__init__(
            {
                "write_valid": In(1),
                "write": In(bus_write(arch)),
                "read_index": In(bits_for_index(arch.logit_entries // self._beat_entries)),
                "read_data": Out(arch.port_bits),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        row_bits = self._row_entries.bit_length() - 1
        beat_bits = self._beat_entries.bit_length() - 1
        row = Signal(ACCUMULATOR_BITS * self._row_entries)
        for number in range(self._row_entries):
            m.submodules[f"entries_{number}"] = file = self._file.instance()
            m.d.comb += [
                file.clk.eq(ClockSignal()),
                file.write_en.eq(self._enables(number)),
                file.write_index.eq(self.write.index[row_bits:]),
                file.write_data.eq(self._entry(number)),
                file.read_index.eq(self.read_index[row_bits - beat_bits :]),
                row.word_select(number, ACCUMULATOR_BITS).eq(file.read_data),
            ]
        count = self._row_entries // self._beat_entries
        beats = [row.word_select(n, self._arch.port_bits) for n in range(count)]
        m.d.comb += self.read_data.eq(choose(beats, self.read_index))
        return m

    def _enables(self, number: int) -> Value:
        """Return which bytes of an entry of the row are written."""
        first = self.write.index[: self._row_entries.bit_length() - 1]
        raw = self.write.raw & (first == number - number % self._arch.filters)
        place = number % self._word_entries
        word = self.write.to_memory & (first == number - place)
        enabled = self.write.enable.word_select(place, ENTRY_BYTES)
        every = raw.replicate(ENTRY_BYTES)
        return Mux(self.write_valid, every | Mux(word, enabled, 0), 0)

    def _entry(self, number: int) -> Value:
        """Return the entry that the bus brings for this one of the row."""
        of_filter = self.write.data.word_select(number % self._arch.filters, ACCUMULATOR_BITS)
        of_word = self.write.data.word_select(number % self._word_entries, ACCUMULATOR_BITS)
        return Mux(self.write.raw, of_filter, of_word)
