"""Pad: the scratchpad of a macro, and who may use its one port."""

from collections.abc import Sequence

from amaranth.hdl import ClockSignal, Module, Mux, Signal, Value
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.memory_body import memory_body
from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.crossbar.rtl.shifts import any_of


class PadMemory(Part):
    """The words of a scratchpad; a compiled memory can replace the module.

    Ports
        clk         in   1           rising edge; there is no reset
        write_en    in   elements    store an element at this clock edge
        read_en     in   1
        word        in   word_bits   of both
        write_data  in   elements x bits
        read_data   out  elements x bits  in the next cycle, held until the next read
    Latency  1 from ``read_en`` to ``read_data``
    Rate     one access in each cycle
    Errors   none; what was never written is garbage
    Golden   indexing
    Source   seed 003, Fig. 2 (b): scratchpad
    """

    family = "crossbar"
    clock_ports = ()
    garbage_at_power_on = True

    def __init__(self, *, words: int, elements: int, bits: int) -> None:
        self._words, self._elements, self._bits = words, elements, bits
        super().__init__(
            {
                "clk": In(1),
                "write_en": In(elements),
                "read_en": In(1),
                "word": In(bits_for_index(words)),
                "write_data": In(elements * bits),
                "read_data": Out(elements * bits),
            }
        )

    @property
    def size_suffix(self) -> str:
        return f"{self._words}x{self._elements}x{self._bits}"

    def elaborate(self, platform: object) -> Module:
        m = Module()
        memory_body(
            m,
            depth=1 << len(self.word),
            clk=self.clk,
            write_en=self.write_en,
            write_index=self.word,
            write_data=self.write_data,
            read_index=self.word,
            read_data=self.read_data,
            read_en=self.read_en,
        )
        return m


class Pad(Part):
    """One port for all engines of a macro; of those that ask the first one is served.

    Parameters
    ----------
        words          of the scratchpad
        elements, bits of a word
        writers        engines that write; they come before
        readers        engines that read
        access_clocks  of an access
    Ports
        want       in   writers + readers  engine e asks; held until granted
        word       in   (writers + readers) x word_bits
        enables    in   writers x elements
        data       in   writers x elements x bits
        order      in   (writers + readers) x order_bits  constant: the place of each in the order
        granted    out  writers + readers  in the same cycle
        read_data  out  elements x bits    behind the cycle of a grant, until the next read
    Latency  1 from a grant to ``read_data``
    Rate     one access in ``access_clocks`` cycles
    Errors   none; two engines of one place in the order are a mistake of the generator
    Golden   none; the bench has the order
    Source   docs/crossbar-rules.md: what arrives, then engines by rising accesses
    """

    family = "crossbar"

    def __init__(
        self,
        *,
        words: int,
        elements: int,
        bits: int,
        writers: int,
        readers: int,
        access_clocks: int,
    ) -> None:
        self._memory = PadMemory(words=words, elements=elements, bits=bits)
        self.parts = [self._memory]
        self._word_bits = bits_for_index(words)
        self._width, self._elements = elements * bits, elements
        self._writers, self._engines = writers, writers + readers
        self._clocks = access_clocks
        self._size = f"{words}x{elements}x{bits}w{writers}r{readers}"
        self._order_bits = bits_for_index(self._engines)
        super().__init__(
            {
                "want": In(self._engines),
                "word": In(self._engines * self._word_bits),
                "enables": In(max(1, writers) * elements),
                "data": In(max(1, writers) * self._width),
                "order": In(self._engines * self._order_bits),
                "granted": Out(self._engines),
                "read_data": Out(self._width),
            }
        )

    @property
    def size_suffix(self) -> str:
        return self._size

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.memory = memory = self._memory.instance()
        free = Signal()
        if self._clocks == 1:
            m.d.comb += free.eq(1)
        else:
            since = Signal(range(self._clocks))
            m.d.comb += free.eq(since == 0)
            with m.If(self.granted.any()):
                m.d.sync += since.eq(self._clocks - 1)
            with m.Elif(since != 0):
                m.d.sync += since.eq(since - 1)
        place = [self.order.word_select(e, self._order_bits) for e in range(self._engines)]
        for engine in range(self._engines):
            before = [
                self.want[other] & (place[other] < place[engine])
                for other in range(self._engines)
                if other != engine
            ]
            blocked = any_of(before)
            m.d.comb += self.granted[engine].eq(self.want[engine] & free & ~blocked)
        writers = range(self._writers)
        m.d.comb += [
            memory.clk.eq(ClockSignal()),
            memory.word.eq(self._chosen(self.word, self._word_bits, range(self._engines))),
            memory.write_en.eq(self._chosen(self.enables, self._elements, writers)),
            memory.write_data.eq(self._chosen(self.data, self._width, writers)),
            memory.read_en.eq(self.granted[self._writers :].any()),
            self.read_data.eq(memory.read_data),
        ]
        return m

    def _chosen(self, fields: Value, bits: int, engines: Sequence[int]) -> Value:
        """Return the field of the engine that is granted; 0 without one."""
        terms = [Mux(self.granted[e], fields.word_select(e, bits), 0) for e in engines]
        return any_of(terms)
