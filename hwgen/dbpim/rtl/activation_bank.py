"""One bank of an activation buffer; a foundry SRAM with these ports can replace the module.

Tests: `tests/verif/dbpim/test_parts.py`.
"""

from amaranth.hdl import Module
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.cells import Cells
from hwgen.chip.rtl.memory_part import MemoryPart
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.rtl.layouts import word_bytes


class ActivationBank(MemoryPart):
    """Words of C bytes with one write port and one read port.

    ``read_data = words[read_address]`` as it was before the clock edge that saw ``read_en``

    Ports
        clk            in   1             rising edge; there is no reset
        write_en       in   C             bit c: store byte c of ``write_data`` at this clock edge
        write_address  in   address_bits  unsigned, below ``bank_words``
        write_data     in   C bytes       byte 0 lowest
        read_en        in   1             read ``read_address`` at this clock edge
        read_address   in   address_bits  unsigned, below ``bank_words``
        read_data      out  C bytes       holds until the next read
    Latency  ``BANK_READ_CYCLES`` from ``read_en`` to ``read_data``
    Rate     one read and one write in each cycle; a read sees the word before the write
    Errors   none: ``Arch`` has checked the sizes; a word never written holds garbage
    Golden   indexing, inside ``verif.reference.dbpim.activation_buffer``
    Source   seed 002, V-A: input and output buffers
    """

    family = "dbpim"
    reads_what_it_writes = False

    def __init__(self, *, arch: Arch) -> None:
        self._words = arch.bank_words
        address_bits = arch.bank_address_bits
        super().__init__(
            {
                "clk": In(1),
                "write_en": In(arch.word),
                "write_address": In(address_bits),
                "write_data": In(word_bytes(arch)),
                "read_en": In(1),
                "read_address": In(address_bits),
                "read_data": Out(word_bytes(arch)),
            }
        )

    def cells(self, m: Module) -> Cells:
        """Connect the ports with the cells."""
        return Cells(
            depth=self._words,
            clk=self.clk,
            write_en=self.write_en,
            write_index=self.write_address,
            write_data=self.write_data,
            read_en=self.read_en,
            read_index=self.read_address,
            read_data=self.read_data,
        )
