"""The image banks: input, output and skip map of a layer are in different ones.

Tests: `tests/verif/mram/test_parts.py`.
"""

from amaranth.hdl import Module, Mux
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.checks import one_hot
from hwgen.chip.rtl.choose import choose
from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.mram.facts.arch import BANKS, Arch
from hwgen.mram.rtl.image_bank import ImageBank
from hwgen.mram.rtl.layouts import bank_write


class Banks(Part):
    """Four image banks: in one cycle a row each of the input and the skip map, and a write.

    The three accesses of a cycle go to different banks; the compiler makes it so.

    Ports
        read_en     in   1           read the input map
        read_bank   in   2
        read_row    in   row_bits
        read_data   out  columns     the row, in the same cycle
        skip_en     in   1           read the skip map; same shape as the four above
        skip_bank   in   2
        skip_row    in   row_bits
        skip_data   out  columns
        write_valid in   1           store ``write`` at this clock edge
        write       in   bank_write
    Latency  0 from a row number to its data; what is written is seen in the next cycle
    Rate     three accesses in each cycle
    Errors   none; of two reads of one bank the skip map's loses
    Golden   indexing
    Source   docs/mram-microarchitecture.md, "Maps in banks"
    """

    family = "mram"

    def __init__(self, *, arch: Arch) -> None:
        self._bank = ImageBank(arch=arch)
        self.parts = [self._bank]
        members = {"write_valid": In(1), "write": In(bank_write(arch))}
        for name in ("read", "skip"):
            members |= {
                f"{name}_en": In(1),
                f"{name}_bank": In(bits_for_index(BANKS)),
                f"{name}_row": In(arch.bank_row_bits),
                f"{name}_data": Out(arch.array.columns),
            }
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        banks = []
        for number in range(BANKS):
            m.submodules[f"bank_{number}"] = bank = self._bank.instance()
            reads = self.read_en & (self.read_bank == number)
            skips = self.skip_en & (self.skip_bank == number)
            writes = self.write_valid & (self.write.bank == number)
            m.d.comb += [
                bank.read_en.eq(reads | skips),
                bank.row.eq(Mux(reads, self.read_row, self.skip_row)),
                bank.write_en.eq(Mux(writes, self.write.mask, 0)),
                bank.write_row.eq(self.write.row),
                bank.write_data.eq(self.write.data),
            ]
            banks.append(bank.read_data)
            one_hot(m, f"accesses of bank {number}", [reads, skips, writes])
        m.d.comb += [
            self.read_data.eq(choose(banks, self.read_bank)),
            self.skip_data.eq(choose(banks, self.skip_bank)),
        ]
        return m
