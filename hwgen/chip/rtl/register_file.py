"""A small memory with combinational read; a compiled memory can replace the module."""

from amaranth.hdl import Module
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.cells import Cells
from hwgen.chip.rtl.memory_part import MemoryPart
from hwgen.chip.rtl.shared import SharedPart
from hwgen.chip.widths import bits_for_index


class RegisterFile(MemoryPart, SharedPart):
    """Words of one or several slices, with one write port and one read port.

    ``read_data = words[read_index]``, as it was before the clock edge

    Parameters
    ----------
        family  prefix of the module name
        depth   words, at least 2: an index has at least one bit
        width   bits of a slice
        slices  parts of a word, each with its write enable; 1: whole words are written
    Ports
        clk          in   1               rising edge; there is no reset
        write_en     in   slices          bit s: store slice s of ``write_data`` at this clock edge
        write_index  in   index_bits      unsigned, below ``depth``
        write_data   in   slices x width  slice 0 lowest
        read_index   in   index_bits      unsigned, below ``depth``
        read_data    out  slices x width  slice 0 lowest
    Latency  0 from ``read_index`` to ``read_data``; what is written is seen in the next cycle
    Rate     one read and one write in each cycle
    Errors   ValueError for a size out of range; a slice never written holds garbage
    Golden   indexing
    Source   docs/dbpim-microarchitecture.md: FIFO, instruction queue, logits; word slots, group
             queue, parameters
    """

    def __init__(self, *, family: str, depth: int, width: int, slices: int = 1) -> None:
        if depth < 2:
            raise ValueError(f"depth must be at least 2 words, got {depth}")
        for name, value in (("width", width), ("slices", slices)):
            if value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        self._depth = depth
        self._width = width
        self._slices = slices
        super().__init__(
            {
                "clk": In(1),
                "write_en": In(slices),
                "write_index": In(bits_for_index(depth)),
                "write_data": In(slices * width),
                "read_index": In(bits_for_index(depth)),
                "read_data": Out(slices * width),
            },
            family=family,
        )

    @property
    def size_suffix(self) -> str:
        """Depth and width, such as "64x128"; with several slices depth, slices and width."""
        slices = [self._slices] if self._slices > 1 else []
        return "x".join(map(str, [self._depth, *slices, self._width]))

    @property
    def stored_bits(self) -> int:  # type: ignore[override]
        """The bits of its memory."""
        return self._depth * self._slices * self._width

    def cells(self, m: Module) -> Cells:
        """Connect the ports with the cells."""
        return Cells(
            depth=self._depth,
            clk=self.clk,
            write_en=self.write_en,
            write_index=self.write_index,
            write_data=self.write_data,
            read_index=self.read_index,
            read_data=self.read_data,
        )
