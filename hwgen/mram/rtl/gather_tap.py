"""Gather tap: the elements of one tap of a segment, picked from a pixel of a window.

Tests: `tests/verif/mram/test_array_side.py`.
"""

from amaranth.hdl import Cat, Module, Mux, Value
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.choose import choose
from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.mram.facts.arch import Arch


class GatherTap(Part):
    """Holds a block of a pixel, with 0 for the elements that do not exist.

    Ports
        pixel    in   row_blocks * block * element_bits   all channels of a pixel
        number   in   bits_for_index(row_blocks)          the block that counts; if there are
                                                          several
        exist    in   block                               which of its elements exist
        double   in   1   elements are doubled, without their highest bit [with `twins`]
        take     in   1   the block is held from the next cycle on
        clear    in   1   without ``take``: zeros are
        held     out  block * element_bits                of a row of a load
    Latency  1 from ``take`` to ``held``
    Rate     one block in each cycle
    Errors   none
    Golden   ``verif.reference.mram.segments``
    Source   project: part of the gather
    """

    family = "mram"

    def __init__(self, *, arch: Arch) -> None:
        self._bits = arch.element_bits
        block_bits = arch.block * arch.element_bits
        super().__init__(
            {
                "pixel": In(arch.row_blocks * block_bits),
                **({"number": In(bits_for_index(arch.row_blocks))} if arch.row_blocks > 1 else {}),
                "exist": In(arch.block),
                **({"double": In(1)} if arch.twins else {}),
                "take": In(1),
                "clear": In(1),
                "held": Out(block_bits),
            }
        )
        self._twins = arch.twins

    def elaborate(self, platform: object) -> Module:
        m = Module()
        block_bits = len(self.held)
        blocks = [self.pixel[at : at + block_bits] for at in range(0, len(self.pixel), block_bits)]
        block = choose(blocks, self.number) if len(blocks) > 1 else blocks[0]
        value = block & Cat(bit.replicate(self._bits) for bit in self.exist)
        if self._twins:
            value = Mux(self.double, self._doubled(value), value)
        with m.If(self.take):
            m.d.sync += self.held.eq(value)
        with m.Elif(self.clear):
            m.d.sync += self.held.eq(0)
        return m

    def _doubled(self, value: Value) -> Value:
        """Return the elements of a block doubled, without their highest bit."""
        elements = [value.word_select(i, self._bits) for i in range(len(self.exist))]
        return Cat(Cat(0, element[:-1]) for element in elements)
