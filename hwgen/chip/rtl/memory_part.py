"""Memories as parts: what each says of its cells, whatever stands for them.

Tests: `tests/verif/common/test_replaced.py`.
"""

from amaranth.hdl import ClockDomain, Module, Value
from amaranth.lib.memory import Memory

from hwgen.chip.replacement import MemorySpec, Replacement
from hwgen.chip.rtl.cells import Cells
from hwgen.chip.rtl.part import name_nets
from hwgen.chip.rtl.replaceable import ReplaceablePart
from hwgen.chip.rtl.replaced import Tiling, replaced, tiling


class MemoryPart(ReplaceablePart[MemorySpec]):
    """Base of the parts that are a memory and nothing else: a compiled one can replace the cells.

    Cells keep their charge: there is no reset, and they hold garbage at power-on.

    reads_what_it_writes: a word may be read in the cycle in which it is written, and what it held
        before is used
    """

    spec_type = MemorySpec

    clock_ports = ()
    garbage_at_power_on = True
    reads_what_it_writes: bool = True

    def cells(self, m: Module) -> Cells:
        """Connect the ports in `m`, and return what reaches the cells."""
        raise NotImplementedError

    def asked(self) -> Cells:
        """Return what `cells` says, for its sizes alone."""
        m = Module()
        m.__dict__["_MustUse__silence"] = True
        return self.cells(m)

    def placed(self, replacement: Replacement[MemorySpec]) -> Tiling:
        """Return how modules of a replacement become the cells."""
        return tiling(self.asked(), replacement, needs_old=self.reads_what_it_writes)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        cells = self.cells(m)
        if self.replacement is None:
            behavioural(m, cells)
        else:
            replaced(m, cells, self.replacement, needs_old=self.reads_what_it_writes)
        return m


def behavioural(m: Module, cells: Cells) -> None:
    """Place the cells as a memory of Amaranth; its clock domain is local and has no reset."""
    m.domains.array = array_clock = ClockDomain(reset_less=True, local=True)
    m.submodules.content = content = Memory(shape=cells.bits, depth=cells.depth, init=[])
    write = content.write_port(domain="array", granularity=cells.bits // cells.slices)
    read = content.read_port(domain="comb" if cells.read_en is None else "array")
    m.d.comb += [
        array_clock.clk.eq(cells.clk),
        write.en.eq(cells.write_en),
        write.addr.eq(cells.write_index),
        write.data.eq(cells.write_data),
        read.addr.eq(cells.read_index),
        Value.cast(cells.read_data).eq(read.data),
    ]
    if cells.read_en is not None:
        m.d.comb += read.en.eq(cells.read_en)
    for number, (index, word) in enumerate(cells.further_reads, 1):
        further = content.read_port(domain="comb")
        name_nets(further, f"read_{number}")
        m.d.comb += [further.addr.eq(index), word.eq(further.data)]
