"""The tables of a program: memories that the loader fills beat by beat.

Tests: `tests/verif/mram/test_chip_verilog.py`.
"""

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.cells import Cells
from hwgen.chip.rtl.memory_part import MemoryPart
from hwgen.chip.widths import bits_for_index
from hwgen.mram.facts.arch import Arch
from hwgen.mram.facts.records import parameter_bits, record_bits


class Table(MemoryPart):
    """Words of whole beats with one write port and one registered read port.

    ``read_data = words[read_index]`` as it was before the clock edge that saw ``read_en``

    Ports
        clk          in   1           rising edge; there is no reset
        write_en     in   beats       bit b: store ``write_data`` as beat b of the word
        write_index  in   index_bits  unsigned, below ``entries``
        write_data   in   port_bits   one beat
        read_en      in   1           read ``read_index`` at this clock edge
        read_index   in   index_bits  unsigned, below ``entries``
        read_data    out  bits        lowest bits of the word; holds until the next read
    Latency  1 cycle from ``read_en`` to ``read_data``; what is written is seen in the next cycle
    Rate     one beat in and one word out in each cycle
    Errors   none: ``Arch`` has checked the sizes; a word never written holds garbage
    Golden   indexing
    """

    family = "mram"
    reads_what_it_writes = False

    def __init__(self, *, entries: int, bits: int, port_bits: int) -> None:
        self._entries = entries
        self._bits = bits
        self._beats = -(-bits // port_bits)
        self._port_bits = port_bits
        index_bits = bits_for_index(entries)
        super().__init__(
            {
                "clk": In(1),
                "write_en": In(self._beats),
                "write_index": In(index_bits),
                "write_data": In(port_bits),
                "read_en": In(1),
                "read_index": In(index_bits),
                "read_data": Out(bits),
            }
        )

    def cells(self, m: Module) -> Cells:
        """Connect the ports with the cells."""
        word = Signal(self._beats * self._port_bits)
        m.d.comb += self.read_data.eq(word)
        return Cells(
            depth=self._entries,
            clk=self.clk,
            write_en=self.write_en,
            write_index=self.write_index,
            write_data=self.write_data.replicate(self._beats),
            read_en=self.read_en,
            read_index=self.read_index,
            read_data=word,
        )


class RecordTable(Table):
    """Records of all modes; see Table."""

    def __init__(self, *, arch: Arch) -> None:
        super().__init__(
            entries=arch.record_entries, bits=record_bits(arch), port_bits=arch.port_bits
        )


class ParameterTable(Table):
    """Parameter words of all layers and modes; see Table."""

    def __init__(self, *, arch: Arch) -> None:
        super().__init__(
            entries=arch.parameter_entries, bits=parameter_bits(arch), port_bits=arch.port_bits
        )
