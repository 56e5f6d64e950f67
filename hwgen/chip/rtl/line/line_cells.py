"""The cells of the memory of a chip with few pins; a compiled memory can replace the module.

Tests: `tests/verif/common/test_line_memory.py`.
"""

from amaranth.hdl import Module
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.cells import Cells
from hwgen.chip.rtl.memory_part import MemoryPart
from hwgen.chip.rtl.shared import SharedPart
from hwgen.chip.widths import bits_for_index


class LineCells(MemoryPart, SharedPart):
    """Words of whole bytes with one address: a cycle reads a word or writes bytes of one.

    ``read_data = words[index]`` as it was before the clock edge that saw ``read_en``

    Parameters
    ----------
        family  prefix of the module name
        depth   words, a power of two above 1
        bytes   of a word
    Ports
        clk         in   1           rising edge; there is no reset
        write_en    in   bytes       bit b: store byte b of ``write_data`` at this clock edge
        index       in   index_bits  unsigned
        write_data  in   8 x bytes   byte 0 lowest
        read_en     in   1           never together with ``write_en``
        read_data   out  8 x bytes   holds until the next read
    Latency  1 from ``read_en`` to ``read_data``
    Rate     one read or one write in each cycle
    Errors   ValueError for a depth that is no power of two above 1; a byte never written holds
             garbage
    Golden   indexing, inside ``verif/common/bench_line_memory.py``
    Source   docs/howto/host.md
    """

    reads_what_it_writes = False

    def __init__(self, *, family: str, depth: int, bytes: int) -> None:
        if depth < 2 or depth & (depth - 1):
            raise ValueError(f"depth must be a power of two above 1, got {depth}")
        self._depth, self._bytes = depth, bytes
        super().__init__(
            {
                "clk": In(1),
                "write_en": In(bytes),
                "index": In(bits_for_index(depth)),
                "write_data": In(8 * bytes),
                "read_en": In(1),
                "read_data": Out(8 * bytes),
            },
            family=family,
        )

    @property
    def size_suffix(self) -> str:
        """Words and their bytes, such as "1024x8"."""
        return f"{self._depth}x{self._bytes}"

    @property
    def stored_bits(self) -> int:  # type: ignore[override]
        """The bits of its memory."""
        return 8 * self._depth * self._bytes

    def cells(self, m: Module) -> Cells:
        """Connect the ports with the cells."""
        return Cells(
            depth=self._depth,
            clk=self.clk,
            write_en=self.write_en,
            write_index=self.index,
            write_data=self.write_data,
            read_en=self.read_en,
            read_index=self.index,
            read_data=self.read_data,
        )
