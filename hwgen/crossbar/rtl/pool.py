"""Pool: the elements of each window, channel by channel, become a maximum or a sum."""

from collections.abc import Sequence

from amaranth.hdl import Cat, ClockSignal, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.choose import choose_below
from hwgen.chip.rtl.part import Part, PartInstance
from hwgen.chip.widths import bits_for_index
from hwgen.crossbar.rtl.memories import Sums, TwoReads
from hwgen.crossbar.rtl.pad import Packer


class Pool(Part):
    """Keeps the windows of two blocks, and reduces each to an element a channel.

    ``sum[pixel, channel] = max over taps of x``, or ``sum over taps of (x - zero)``

    Parameters
    ----------
        pixels, taps, channels   of a block, of a window, that are written
        columns      taps of a row of a window
        shares       channels of each map that is read; of one map, channels behind them are `zero`
        chunk        elements that come in a clock
        lanes        channels of a clock
        word         elements of a word; bits: of an element
        average      whether elements are added up
        reads        sums that are read in a clock
    Ports
        row_write  in   1             a chunk: pixel, kernel row, map, column, channel
        row_data   in   chunk x bits
        row_count  in   count_bits
        row_last   in   1             of the block
        row_half   in   1             parity of the block
        go         in   1             the strobe
        half       in   1             parity of the block, valid with it
        zero       in   bits          zero point of the map that is read
        read_index, read_half, read_data    see `Addition`
        reduced    in   1             the strobe of what reads the sums
        reduced_half  in  1           parity of its block, valid with it
        late       out  1             ``go`` before the block before is through, or ``reduced``
                                      before its own is
    Latency  1 from ``go`` to the first elements, 2 from there to their sums
    Rate     ``lanes`` channels of a tap in each cycle
    Errors   ``late``
    Golden   ``golden.ops.maps``
    Source   docs/crossbar-rules.md: vector units
    """

    family = "crossbar"

    def __init__(
        self,
        *,
        pixels: int,
        taps: int,
        columns: int,
        channels: int,
        shares: tuple[int, ...],
        chunk: int,
        lanes: int,
        word: int,
        bits: int,
        average: bool,
        reads: int,
    ) -> None:
        self._pixels, self._taps, self._channels = pixels, taps, channels
        self._columns, self._shares, self._chunk, self._lanes = columns, shares, chunk, lanes
        self._word, self._bits, self._average, self._reads = word, bits, average, reads
        self._sum_bits = pool_bits(taps, bits)
        elements = pixels * taps * sum(shares)
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
                "reduced": In(1),
                "reduced_half": In(1),
                "read_index": In(reads * self._target_bits),
                "read_half": In(1),
                "read_data": Out(reads * self._sum_bits),
                "late": Out(1),
            }
        )

    @property
    def size_suffix(self) -> str:
        kind = "a" if self._average else "m"
        shares = "_".join(map(str, self._shares))
        sizes = [self._pixels, self._taps, self._columns, shares, self._channels, self._lanes]
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

    @property
    def _counts(self) -> list[int]:
        """Channels that are written of each map."""
        return list(self._shares) if len(self._shares) > 1 else [self._channels]

    @property
    def _state(self) -> data.StructLayout:
        """Where the walk is.

        pixel; own: the map; first: its channel; tap, column: of the window
        window, row_at, at: places of the window, of the first element in its row, of the next one
        target: of the sum
        """
        elements = self._pixels * self._taps * sum(self._shares)
        place = range(2 * elements + self._lanes)
        return data.StructLayout(
            {
                "pixel": range(self._pixels + 1),
                "own": range(max(2, len(self._shares))),
                "first": range(max(self._counts) + self._lanes),
                "tap": range(self._taps + 1),
                "column": range(self._columns + 1),
                "window": range(elements + 1),
                "row_at": place,
                "at": place,
                "target": self._target_bits + 1,
            }
        )

    def _of_map(self, values: Sequence[int], own: Value) -> Value:
        """Return the constant of a map."""
        return choose_below([Const(value) for value in values], own)

    def _walk(
        self, m: Module, walk: data.View, *, busy: Signal, half: Signal
    ) -> tuple[Value, Value]:
        """Walk pixels, maps, channels and taps; return the channels of the map: read, written."""
        lanes, maps, inputs = self._lanes, len(self._shares), sum(self._shares)
        begins = [self._columns * sum(self._shares[:one]) for one in range(maps)]
        count, stride = self._of_map(self._counts, walk.own), self._of_map(self._shares, walk.own)
        last_tap, last_map = walk.tap == self._taps - 1, walk.own == maps - 1
        last_first = walk.first + lanes >= count
        last = last_tap & last_first & last_map & (walk.pixel == self._pixels - 1)
        row = walk.row_at + self._columns * inputs
        further = walk.window + self._of_map(begins, walk.own) + walk.first + lanes
        behind = self._of_map([*begins[1:], self._taps * inputs], walk.own)
        early = self.reduced & (self.reduced_half == half)
        m.d.comb += self.late.eq(busy & ((self.go & ~last) | early))
        with m.If(busy):
            m.d.sync += [
                walk.tap.eq(walk.tap + 1),
                walk.column.eq(walk.column + 1),
                walk.at.eq(walk.at + stride),
            ]
            with m.If(walk.column == self._columns - 1):
                m.d.sync += [walk.column.eq(0), walk.at.eq(row), walk.row_at.eq(row)]
            with m.If(last_tap):
                m.d.sync += [walk.tap.eq(0), walk.first.eq(walk.first + lanes)]
                m.d.sync += [walk.target.eq(walk.target + lanes)]
                m.d.sync += [walk.at.eq(further), walk.row_at.eq(further)]
            with m.If(last_tap & last_first):
                m.d.sync += [walk.first.eq(0), walk.target.eq(walk.target + count - walk.first)]
                m.d.sync += [walk.own.eq(Mux(last_map, 0, walk.own + 1))]
                m.d.sync += [walk.pixel.eq(walk.pixel + last_map)]
                m.d.sync += [walk.at.eq(walk.window + behind)]
                m.d.sync += [walk.row_at.eq(walk.window + behind)]
                with m.If(last_map):
                    m.d.sync += walk.window.eq(walk.window + behind)
            with m.If(last):
                m.d.sync += busy.eq(0)
        with m.If(self.go):
            m.d.sync += [walk.eq(0), busy.eq(1)]
        return stride, count

    def _reduce(self, m: Module, memory: PartInstance) -> None:
        """Read the elements of a tap in each cycle."""
        walk, lanes = Signal(self._state), self._lanes
        busy, half = Signal(), Signal(name="half_kept")
        stride, count = self._walk(m, walk, busy=busy, half=half)
        with m.If(self.go):
            m.d.sync += half.eq(self.half)
        # cycle 1: elements of one tap
        shift = self._word.bit_length() - 1
        index = (walk.at >> shift)[: self._index_bits]
        m.d.comb += [
            memory.index_0.eq(Cat(index, half)),
            memory.index_1.eq(Cat((index + 1)[: self._index_bits], half)),
        ]
        row = Signal(lanes * self._bits)
        both = Cat(memory.data_0, memory.data_1)
        valid, begins, ends = Signal(), Signal(), Signal()
        place, channel, kept = Signal.like(walk.target), Signal.like(walk.first), Signal()
        read, written = Signal(range(max(self._shares) + 1)), Signal(range(max(self._counts) + 1))
        m.d.sync += [
            row.eq(both >> (walk.at[:shift] * self._bits)),
            valid.eq(busy),
            begins.eq(walk.tap == 0),
            ends.eq(walk.tap == self._taps - 1),
            place.eq(walk.target),
            channel.eq(walk.first),
            kept.eq(half),
            read.eq(stride),
            written.eq(count),
        ]
        m.submodules.sums = sums = self._sums.instance()
        there = [channel + lane < read for lane in range(lanes)]
        self._accumulate(m, sums, row, there=there, begins=begins, place=place, half=kept)
        m.d.comb += [
            sums.en[lane].eq(valid & ends & (channel + lane < written)) for lane in range(lanes)
        ]

    def _accumulate(
        self,
        m: Module,
        sums: PartInstance,
        row: Signal,
        *,
        there: list[Value],
        begins: Signal,
        place: Signal,
        half: Signal,
    ) -> None:
        """Reduce the elements of one tap into the sums of its channels."""
        bits, width = self._sums_index_bits, self._sum_bits
        m.d.comb += [sums.clk.eq(ClockSignal()), self.read_data.eq(sums.read_data)]
        for lane in range(self._lanes):
            held = Signal(signed(width), name=f"held_{lane}")
            value = Signal(signed(width), name=f"value_{lane}")
            total = Signal(signed(width), name=f"total_{lane}")
            element = row.word_select(lane, self._bits)
            taken = Mux(there[lane], element, self.zero)
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
