"""Memories as parts: what each says of its cells, whatever stands for them."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass

from amaranth.hdl import ClockDomain, Module, Value
from amaranth.lib import data
from amaranth.lib.memory import Memory

from hwgen.chip.rtl.part import Part


@dataclass(frozen=True)
class Cells:
    """Words with one write port and one read port or more, and the signals that they connect.

    ``read_data = words[read_index]``, as it was before the clock edge

    depth: words
    write_en: one bit for each slice of a word, slice 0 lowest; all slices are equally wide
    read_index: may be `write_index`, for a memory with one address
    read_en: without it the read is combinational; with it the word is read at each edge at which
        it is high, and `read_data` holds until the next read
    further_reads: index and data of each further read, always combinational
    Errors: ValueError if the slices do not divide a word
    """

    _: KW_ONLY
    depth: int
    clk: Value
    write_en: Value
    write_index: Value
    write_data: Value | data.View
    read_index: Value
    read_data: Value | data.View
    read_en: Value | None = None
    further_reads: Sequence[tuple[Value, Value]] = ()

    def __post_init__(self) -> None:
        if self.bits % self.slices:
            raise ValueError(
                f"slices of a word must be equally wide, got {self.slices} for {self.bits} bits"
            )

    @property
    def bits(self) -> int:
        """Bits of a word."""
        return len(Value.cast(self.read_data))

    @property
    def slices(self) -> int:
        """Parts of a word that are written apart."""
        return len(self.write_en)


class MemoryPart(Part):
    """Base of the parts that are a memory and nothing else: a compiled one can replace the module.

    Cells keep their charge: there is no reset, and they hold garbage at power-on.
    """

    clock_ports = ()
    garbage_at_power_on = True

    def cells(self, m: Module) -> Cells:
        """Connect the ports in `m`, and return what reaches the cells."""
        raise NotImplementedError

    def elaborate(self, platform: object) -> Module:
        m = Module()
        behavioural(m, self.cells(m))
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
    for index, word in cells.further_reads:
        further = content.read_port(domain="comb")
        m.d.comb += [further.addr.eq(index), word.eq(further.data)]
