"""Results: elements of a block on their way from requantizers to a ring or to a link.

Tests: `tests/verif/crossbar/test_loader.py`.
"""

from amaranth.hdl import Cat, ClockDomain, ClockSignal, Module, Signal
from amaranth.lib import data
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Member, Out

from hwgen.chip.rtl.part import Part, PartInstance, name_nets
from hwgen.chip.rtl.register_file import RegisterFile
from hwgen.chip.widths import bits_for_index
from hwgen.crossbar.rtl.pad import BLOCKS, Packer


def gathered(index_bits: int, word: int, bits: int) -> data.StructLayout:
    """A word that another macro has sent: a part of it is stored."""
    return data.StructLayout(
        {
            "valid": 1,
            "index": index_bits,
            "half": 1,
            "enables": word,
            "data": word * bits,
        }
    )


def result_index_bits(elements: int, word: int) -> int:
    """Return the bits of the index of a word of a block, which begins anywhere in its first one."""
    return bits_for_index((elements + word - 2) // word + 1)


class ResultMemory(Part):
    """Words with two write ports, each element with an enable of its own.

    Ports
        clk                     in   1             rising edge; there is no reset
        enables_0, enables_1    in   word          store elements at this clock edge
        index_0, index_1        in   index_bits
        data_0, data_1          in   word x bits
        read_index              in   index_bits
        read_data               out  word x bits
    Latency  0 from an index to its data
    Rate     two writes and one read in each cycle
    Errors   none: the two never write one element
    Golden   indexing
    Source   docs/crossbar-rules.md: gather
    """

    family = "crossbar"
    clock_ports = ()
    garbage_at_power_on = True

    def __init__(self, *, depth: int, word: int, bits: int) -> None:
        self._depth, self._word, self._bits = depth, word, bits
        index = bits_for_index(depth)
        writes: dict[str, Member] = {}
        for number in range(2):
            writes |= {
                f"enables_{number}": In(word),
                f"index_{number}": In(index),
                f"data_{number}": In(word * bits),
            }
        super().__init__(
            {"clk": In(1), "read_index": In(index), "read_data": Out(word * bits)} | writes
        )

    @property
    def size_suffix(self) -> str:
        return f"{self._depth}x{self._word}x{self._bits}"

    @property
    def stored_bits(self) -> int:  # type: ignore[override]
        """The bits of its memory."""
        return self._word * self._bits << len(self.read_index)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        width = self._word * self._bits
        m.domains.array = array_clock = ClockDomain(reset_less=True, local=True)
        m.submodules.content = content = Memory(
            shape=width, depth=1 << len(self.read_index), init=[]
        )
        m.d.comb += array_clock.clk.eq(self.clk)
        for number in range(2):
            write = content.write_port(domain="array", granularity=self._bits)
            name_nets(write, f"write_{number}")
            m.d.comb += [
                write.en.eq(getattr(self, f"enables_{number}")),
                write.addr.eq(getattr(self, f"index_{number}")),
                write.data.eq(getattr(self, f"data_{number}")),
            ]
        read = content.read_port(domain="comb")
        m.d.comb += [read.addr.eq(self.read_index), self.read_data.eq(read.data)]
        return m


class Results(Part):
    """Words of two blocks, packed as they will stand in the ring.

    Blocks lie behind each other in the ring: each begins in its first word where the one before
    ended in its last. Sizes of 0 begin each block with a word, as on a link.

    Parameters
    ----------
        chunk     elements of a clock
        elements  of the longest block
        word      elements of a word; bits: of an element
        gathers   whether other macros send a part of each block
    Ports
        go          in   1             the strobe of the activation
        blocks      in   24            constant: of an image
        size        in   element_bits  constant: elements of a block
        last_size   in   element_bits  constant: of the last block of an image
        lead        in   element_bits  constant: elements of a block before those of this macro
        valid, data, count, last, opens, data_half  in  chunks, see `Requantizer`
        gathered    in   gathered      where ``gathers``
        read_index  in   index_bits    word of the block
        read_half   in   1             parity of the block
        read_data   out  word x bits   in the same cycle
    Latency  2 from the last chunk to its words, 3 where the block ends in another word
    Rate     one chunk in each cycle
    Errors   none
    Golden   the elements in their order
    Source   docs/crossbar-rules.md: activation, gather, store
    """

    family = "crossbar"

    def __init__(self, *, chunk: int, elements: int, word: int, bits: int, gathers: bool) -> None:
        self._chunk, self._word, self._bits, self._gathers = chunk, word, bits, gathers
        self._index_bits = result_index_bits(elements, word)
        self._packer = Packer(chunk=chunk, word=word, bits=bits)
        depth = 2 << self._index_bits
        self._memory: Part = (
            ResultMemory(depth=depth, word=word, bits=bits)
            if gathers
            else RegisterFile(family=self.family, depth=depth, width=word * bits)
        )
        self.parts = [self._packer, self._memory]
        element_bits = (elements + word).bit_length()
        more = {"gathered": In(gathered(self._index_bits, word, bits))} if gathers else {}
        super().__init__(
            {
                "go": In(1),
                "blocks": In(BLOCKS),
                "size": In(element_bits),
                "last_size": In(element_bits),
                "lead": In(element_bits),
                "valid": In(1),
                "data": In(chunk * bits),
                "count": In(range(chunk + 1)),
                "last": In(1),
                "opens": In(1),
                "data_half": In(1),
                "read_index": In(self._index_bits),
                "read_half": In(1),
                "read_data": Out(word * bits),
            }
            | more
        )

    @property
    def size_suffix(self) -> str:
        kind = "g" if self._gathers else ""
        widths = f"e{len(self.size)}i{self._index_bits}"
        return f"{self._chunk}x{self._word}x{self._bits}{widths}{kind}"

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.packer = packer = self._packer.instance()
        m.submodules.memory = memory = self._memory.instance()
        shift = self._word.bit_length() - 1
        index, half, begin = Signal(self._index_bits), Signal(), Signal(len(self.lead) + 1)
        at = place_of_blocks(
            m, self.go, word=self._word, blocks=self.blocks, size=self.size, last=self.last_size
        )
        m.d.comb += [
            begin.eq(at + self.lead),
            packer.valid.eq(self.valid),
            packer.data.eq(self.data),
            packer.count.eq(self.count),
            packer.last.eq(self.last),
            packer.at.eq(begin[:shift]),
            memory.clk.eq(ClockSignal()),
            memory.read_index.eq(Cat(self.read_index, self.read_half)),
            self.read_data.eq(memory.read_data),
        ]
        self._write(m, memory, packer, index=Cat(index, half))
        with m.If(packer.word_valid):
            m.d.sync += index.eq(index + 1)
        with m.If(self.valid & self.opens):
            m.d.sync += [index.eq(begin >> shift), half.eq(self.data_half)]
        return m

    def _write(self, m: Module, memory: PartInstance, packer: PartInstance, *, index: Cat) -> None:
        """Store what the packer gives, and what other macros send."""
        if not self._gathers:
            m.d.comb += [
                memory.write_en.eq(packer.word_valid),
                memory.write_index.eq(index),
                memory.write_data.eq(packer.word_data),
            ]
            return
        other = self.gathered
        m.d.comb += [
            memory.enables_0.eq(packer.enables & packer.word_valid.replicate(self._word)),
            memory.index_0.eq(index),
            memory.data_0.eq(packer.word_data),
            memory.enables_1.eq(other.enables & other.valid.replicate(self._word)),
            memory.index_1.eq(Cat(other.index, other.half)),
            memory.data_1.eq(other.data),
        ]


def place_of_blocks(
    m: Module, go: Signal, *, word: int, blocks: Signal, size: Signal, last: Signal
) -> Signal:
    """Return where in a word the block begins whose operation began last."""
    shift = word.bit_length() - 1
    at, following, block = Signal(shift), Signal(shift), Signal(BLOCKS)
    ends = block == blocks - 1
    with m.If(go):
        m.d.sync += [at.eq(following), block.eq(block + 1)]
        m.d.sync += following.eq(following + size)
        with m.If(ends):
            m.d.sync += [block.eq(0), following.eq(following + last)]
    return at
