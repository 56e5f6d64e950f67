"""Pool: the elements of each window, channel by channel, become a maximum or a sum."""

from amaranth.hdl import Cat, ClockSignal, Module, Mux, Signal, Value, signed
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part, PartInstance
from hwgen.chip.widths import bits_for_index
from hwgen.crossbar.rtl.packer import Packer
from hwgen.crossbar.rtl.sums import Sums
from hwgen.crossbar.rtl.two_reads import TwoReads


class Pool(Part):
    """Keeps the windows of two blocks, and reduces each to an element a channel.

    ``sum[pixel, channel] = max over taps of x``, or ``sum over taps of (x - zero)``

    Parameters
    ----------
        pixels, taps, channels   of a block, of a window, that are written
        in_channels  that are read; a channel behind them is `zero`
        chunk        elements that come in a clock
        lanes        channels of a clock
        word         elements of a word; bits: of an element
        average      whether elements are added up
        reads        sums that are read in a clock
    Ports
        row_write  in   1             a chunk of the windows: pixel, tap, channel
        row_data   in   chunk x bits
        row_count  in   count_bits
        row_last   in   1             of the block
        row_half   in   1             parity of the block
        go         in   1             the strobe
        half       in   1             parity of the block, valid with it
        zero       in   bits          zero point of the map that is read
        read_index, read_half, read_data    see `Addition`
        late       out  1             ``go`` before the block before is through
    Latency  1 from ``go`` to the first elements, 2 from there to their sums
    Rate     ``lanes`` channels of a tap in each cycle
    Errors   ``late``
    Golden   ``golden.ops.max_pool``, ``golden.ops.average_pool``
    Source   docs/crossbar-rules.md: vector units
    """

    family = "crossbar"

    def __init__(
        self,
        *,
        pixels: int,
        taps: int,
        channels: int,
        in_channels: int,
        chunk: int,
        lanes: int,
        word: int,
        bits: int,
        average: bool,
        reads: int,
    ) -> None:
        self._pixels, self._taps, self._channels = pixels, taps, channels
        self._in_channels, self._chunk, self._lanes = in_channels, chunk, lanes
        self._word, self._bits, self._average, self._reads = word, bits, average, reads
        self._sum_bits = pool_bits(taps, bits)
        elements = pixels * taps * in_channels
        self._index_bits = bits_for_index(-(-elements // word) + 1)
        self._memory = TwoReads(depth=2 << self._index_bits, width=word * bits)
        self._packer = Packer(chunk=chunk, word=word, bits=bits)
        targets = pixels * channels
        self._sums = Sums(targets=targets, bits=self._sum_bits, lanes=lanes, reads=reads)
        self.parts = [self._memory, self._packer, self._sums]
        self._target_bits = bits_for_index(targets)
        super().__init__(
            {
                "row_write": In(1),
                "row_data": In(chunk * bits),
                "row_count": In(range(chunk + 1)),
                "row_last": In(1),
                "row_half": In(1),
                "go": In(1),
                "half": In(1),
                "zero": In(bits),
                "read_index": In(reads * self._target_bits),
                "read_half": In(1),
                "read_data": Out(reads * self._sum_bits),
                "late": Out(1),
            }
        )

    @property
    def size_suffix(self) -> str:
        kind = "a" if self._average else "m"
        sizes = [self._pixels, self._taps, self._in_channels, self._channels, self._lanes]
        return "x".join(map(str, [*sizes, self._chunk])) + f"{kind}r{self._reads}"

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.memory = memory = self._memory.instance()
        m.submodules.packer = packer = self._packer.instance()
        stored, kept_half = Signal(self._index_bits), Signal()
        m.d.comb += [
            packer.valid.eq(self.row_write),
            packer.data.eq(self.row_data),
            packer.count.eq(self.row_count),
            packer.last.eq(self.row_last),
            packer.at.eq(0),
            memory.clk.eq(ClockSignal()),
            memory.write_en.eq(packer.word_valid),
            memory.write_index.eq(Cat(stored, kept_half)),
            memory.write_data.eq(packer.word_data),
        ]
        with m.If(self.row_write):
            m.d.sync += kept_half.eq(self.row_half)
        with m.If(packer.word_valid):
            m.d.sync += stored.eq(Mux(packer.word_last, 0, stored + 1))
        self._reduce(m, memory)
        return m

    def _reduce(self, m: Module, memory: PartInstance) -> None:
        """Walk pixels, channels and taps."""
        lanes, channels = self._lanes, self._channels
        elements = self._pixels * self._taps * self._in_channels
        busy, half = Signal(), Signal()
        pixel, first = Signal(range(self._pixels + 1)), Signal(range(channels + lanes))
        tap, window = Signal(range(self._taps + 1)), Signal(range(elements + 1))
        at, target = Signal(range(2 * elements + lanes)), Signal(self._target_bits + 1)
        last_tap, last_first = tap == self._taps - 1, first + lanes >= channels
        last = last_tap & last_first & (pixel == self._pixels - 1)
        m.d.comb += self.late.eq(self.go & busy & ~last)
        with m.If(busy):
            m.d.sync += [tap.eq(tap + 1), at.eq(at + self._in_channels)]
            with m.If(last_tap):
                m.d.sync += [tap.eq(0), first.eq(first + lanes), target.eq(target + lanes)]
                m.d.sync += at.eq(window + first + lanes)
                with m.If(last_first):
                    following = window + self._taps * self._in_channels
                    m.d.sync += [first.eq(0), pixel.eq(pixel + 1), window.eq(following)]
                    m.d.sync += [at.eq(following), target.eq(target + channels - first)]
            with m.If(last):
                m.d.sync += busy.eq(0)
        with m.If(self.go):
            m.d.sync += [signal.eq(0) for signal in (pixel, first, tap, window, at, target)]
            m.d.sync += [busy.eq(1), half.eq(self.half)]
        # cycle 1: elements of one tap
        shift = self._word.bit_length() - 1
        index = (at >> shift)[: self._index_bits]
        m.d.comb += [
            memory.index_0.eq(Cat(index, half)),
            memory.index_1.eq(Cat((index + 1)[: self._index_bits], half)),
        ]
        row = Signal(lanes * self._bits)
        both = Cat(memory.data_0, memory.data_1)
        valid, begins, ends = Signal(), Signal(), Signal()
        place, channel, kept = Signal.like(target), Signal.like(first), Signal()
        m.d.sync += [
            row.eq(both >> (at[:shift] * self._bits)),
            valid.eq(busy),
            begins.eq(tap == 0),
            ends.eq(last_tap),
            place.eq(target),
            channel.eq(first),
            kept.eq(half),
        ]
        self._accumulate(
            m, row, whole=valid & ends, begins=begins, place=place, channel=channel, half=kept
        )

    def _accumulate(
        self,
        m: Module,
        row: Signal,
        *,
        whole: Value,
        begins: Signal,
        place: Signal,
        channel: Signal,
        half: Signal,
    ) -> None:
        """Reduce the elements of one tap into the sums of its channels."""
        m.submodules.sums = sums = self._sums.instance()
        bits, width = self._sums_index_bits, self._sum_bits
        m.d.comb += [sums.clk.eq(ClockSignal()), self.read_data.eq(sums.read_data)]
        for lane in range(self._lanes):
            held = Signal(signed(width), name=f"held_{lane}")
            value = Signal(signed(width), name=f"value_{lane}")
            total = Signal(signed(width), name=f"total_{lane}")
            element = row.word_select(lane, self._bits)
            there = channel + lane < self._in_channels
            taken = Mux(there, element, self.zero)
            if self._average:
                m.d.comb += [
                    value.eq(taken - self.zero),
                    total.eq(Mux(begins, 0, held) + value),
                ]
            else:
                m.d.comb += [
                    value.eq(taken),
                    total.eq(Mux(begins | (value > held), value, held)),
                ]
            m.d.sync += held.eq(total)
            m.d.comb += [
                sums.en[lane].eq(whole & (channel + lane < self._channels)),
                sums.index.word_select(lane, bits).eq(
                    Cat((place + lane)[: self._target_bits], half)
                ),
                sums.data.word_select(lane, width).eq(total),
            ]
        for read in range(self._reads):
            index = self.read_index.word_select(read, self._target_bits)
            m.d.comb += sums.read_index.word_select(read, bits).eq(Cat(index, self.read_half))

    @property
    def _sums_index_bits(self) -> int:
        return self._target_bits + 1


def pool_bits(taps: int, bits: int) -> int:
    """Return the bits of a signed sum of so many elements."""
    return bits + (taps - 1).bit_length() + 1


def pool_lanes(*, pixels: int, taps: int, channels: int, clocks: int, word: int) -> int:
    """Return the least channels of a clock with which a block is through in so many clocks."""
    for lanes in range(1, word + 1):
        if pixels * taps * -(-channels // lanes) <= clocks:
            return lanes
    return word
