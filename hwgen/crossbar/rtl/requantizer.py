"""Requantizer: from sums to elements of a map, some in a clock."""

from amaranth.hdl import ClockSignal, Module, Mux, Signal, Value, signed
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.memory_body import memory_body
from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.network.quantization import MULTIPLIER_BITS, SHIFT_HIGH

SHIFT_BITS = SHIFT_HIGH.bit_length()


def channel(sum_bits: int) -> data.StructLayout:
    """What is loaded for an output channel: bias, multiplier and shift."""
    return data.StructLayout(
        {"bias": signed(sum_bits), "multiplier": MULTIPLIER_BITS, "shift": SHIFT_BITS}
    )


def limits(bits: int) -> data.StructLayout:
    """What is loaded for a map of elements of `bits`: zero point, least and greatest element."""
    return data.StructLayout({"zero_point": bits, "low": bits, "high": bits})


class RequantizerLane(Part):
    """Bias, scale, shift, clip.

    ``y = clip((((sum + bias) * M + 2^(s - 1)) >> s) + zero_point, low, high)``

    Pipeline
        cycle 0  ``sum``: bias
        cycle 1  multiply
        cycle 2  round, shift, zero point, clip
        cycle 3  ``result``

    Ports
        sum      in   signed sum_bits
        channel  in   channel         in the same cycle
        limits   in   limits          constant
        result   out  bits            unsigned; raw: sum + bias in two's complement
    Latency  3
    Rate     1 a cycle
    Errors   none: the sum with its bias fits sum_bits
    Golden   ``golden.ops.requantize``
    Source   formula in ``hwgen.network.quantization``
    """

    family = "crossbar"

    def __init__(self, *, sum_bits: int, bits: int, raw: bool) -> None:
        self._sum_bits, self._bits, self._raw = sum_bits, bits, raw
        super().__init__(
            {
                "sum": In(signed(sum_bits)),
                "channel": In(channel(sum_bits)),
                "limits": In(limits(bits)),
                "result": Out(bits),
            }
        )

    @property
    def size_suffix(self) -> str:
        return f"{self._sum_bits}x{self._bits}{'raw' if self._raw else ''}"

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # cycle 0: bias
        value = Signal(signed(self._sum_bits))
        m.d.sync += value.eq(self.sum + self.channel.bias)
        if self._raw:
            later = Signal(signed(self._sum_bits))
            m.d.sync += [later.eq(value), self.result.eq(later)]
            return m
        multiplier, waiting = Signal(MULTIPLIER_BITS), Signal(SHIFT_BITS)
        m.d.sync += [multiplier.eq(self.channel.multiplier), waiting.eq(self.channel.shift)]
        # cycle 1: multiply
        product, shift = Signal(signed(self._sum_bits + MULTIPLIER_BITS + 1)), Signal(SHIFT_BITS)
        m.d.sync += [product.eq(value * multiplier), shift.eq(waiting)]
        # cycle 2: round, shift and clip
        half = ((1 << shift) >> 1)[:SHIFT_HIGH]
        scaled = ((product + half) >> shift) + self.limits.zero_point
        low, high = self.limits.low, self.limits.high
        m.d.sync += self.result.eq(Mux(scaled < low, low, Mux(scaled > high, high, scaled)))
        return m


class Channels(Part):
    """What is loaded for each output channel, with a read port for each lane.

    Ports
        clk          in   1               rising edge; there is no reset
        write_en     in   1               store ``write_data`` at this clock edge
        write_index  in   channel_bits
        write_data   in   channel
        index        in   lanes x channel_bits
        data         out  lanes x channel
    Latency  0 from an index to its data
    Rate     one write, a read of each lane in each cycle
    Errors   none
    Golden   indexing
    Source   docs/crossbar-chip.md, "Inside a macro"
    """

    family = "crossbar"
    clock_ports = ()
    garbage_at_power_on = True

    def __init__(self, *, channels: int, lanes: int, sum_bits: int) -> None:
        self._channels, self._lanes, self._word = channels, lanes, channel(sum_bits)
        index = bits_for_index(channels)
        super().__init__(
            {
                "clk": In(1),
                "write_en": In(1),
                "write_index": In(index),
                "write_data": In(self._word),
                "index": In(lanes * index),
                "data": Out(lanes * self._word.size),
            }
        )

    @property
    def size_suffix(self) -> str:
        return f"{self._channels}x{self._word.size}l{self._lanes}"

    @property
    def stored_bits(self) -> int:  # type: ignore[override]
        """The bits of its memory."""
        return int(self._word.size) << len(self.write_index)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bits, width = len(self.write_index), self._word.size
        reads = [
            (self.index.word_select(lane, bits), self.data.word_select(lane, width))
            for lane in range(self._lanes)
        ]
        memory_body(
            m,
            depth=1 << bits,
            clk=self.clk,
            write_en=self.write_en,
            write_index=self.write_index,
            write_data=self.write_data,
            read_index=reads[0][0],
            read_data=reads[0][1],
            further_reads=reads[1:],
        )
        return m


class Requantizer(Part):
    """Takes the sums of a block, some a clock in the order copy, channel, and makes elements.

    Parameters
    ----------
        channels  output channels; copies: whose sums are whole in this macro
        lanes     sums of a clock
        sum_bits, bits: of a sum, of an element; raw: elements are sums with their bias
    Ports
        go          in   1             the strobe
        half        in   1             parity of the block, valid with it
        blocks      in   24            constant: of an image
        last_sums   in   sums_bits     constant: sums of the last block of an image
        write       in   1             store ``write_data`` for a channel at this clock edge
        write_index, write_data  in    channel
        limits      in   limits        constant while anything runs
        read_index  out  lanes x target_bits
        read_half   out  1
        sums        in   lanes x sum_bits  in the same cycle
        valid       out  1
        data        out  lanes x bits  elements, the first one lowest
        count       out  count_bits    elements that are there
        last        out  1             of the block
        opens       out  1             the block begins with this chunk
        data_half   out  1             parity of their block
        late        out  1             ``go`` before the block before is through
    Latency  1 from ``go`` to the first ``read_index``, 3 from there to ``valid``
    Rate     ``lanes`` sums in each cycle
    Errors   ``late``
    Golden   ``golden.ops.requantize``
    Source   seed 003, Fig. 2 (b): ReLU; docs/crossbar-rules.md: activation
    """

    family = "crossbar"

    def __init__(
        self, *, channels: int, copies: int, lanes: int, sum_bits: int, bits: int, raw: bool
    ) -> None:
        self._channels, self._targets, self._lanes = channels, channels * copies, lanes
        self._sum_bits, self._bits = sum_bits, bits
        self._lane = RequantizerLane(sum_bits=sum_bits, bits=bits, raw=raw)
        self._memory = Channels(channels=channels, lanes=lanes, sum_bits=sum_bits)
        self.parts = [self._lane, self._memory]
        self._raw = raw
        super().__init__(
            {
                "go": In(1),
                "half": In(1),
                "blocks": In(24),
                "last_sums": In(range(self._targets + 1)),
                "write": In(1),
                "write_index": In(bits_for_index(channels)),
                "write_data": In(channel(sum_bits)),
                "limits": In(limits(bits)),
                "read_index": Out(lanes * bits_for_index(self._targets)),
                "read_half": Out(1),
                "sums": In(lanes * sum_bits),
                "valid": Out(1),
                "data": Out(lanes * bits),
                "count": Out(range(lanes + 1)),
                "last": Out(1),
                "opens": Out(1),
                "data_half": Out(1),
                "late": Out(1),
            }
        )

    @property
    def size_suffix(self) -> str:
        raw = "raw" if self._raw else ""
        return f"{self._channels}t{self._targets}l{self._lanes}x{self._sum_bits}{raw}"

    def elaborate(self, platform: object) -> Module:
        m = Module()
        targets, lanes = self._targets, self._lanes
        busy, first = Signal(), Signal(range(targets + lanes + 1))
        block, left = Signal(24), Signal(range(targets + 1))
        whole = Mux(block == self.blocks - 1, self.last_sums, targets)
        ends = left <= lanes
        tag = data.StructLayout(
            {"valid": 1, "count": range(lanes + 1), "last": 1, "opens": 1, "half": 1}
        )
        tags = [Signal(tag, name=f"tag_{stage}") for stage in range(4)]
        m.d.comb += [
            tags[0].valid.eq(busy),
            tags[0].count.eq(Mux(ends, left, lanes)),
            tags[0].last.eq(ends),
            tags[0].opens.eq(first == 0),
            tags[0].half.eq(self.read_half),
            self.late.eq(self.go & busy & ~ends),
        ]
        with m.If(busy):
            m.d.sync += [first.eq(first + lanes), left.eq(left - tags[0].count), busy.eq(~ends)]
        with m.If(self.go):
            m.d.sync += [
                busy.eq(whole != 0),
                left.eq(whole),
                first.eq(0),
                self.read_half.eq(self.half),
                block.eq(Mux(block == self.blocks - 1, 0, block + 1)),
            ]
        for stage in range(1, 4):
            m.d.sync += tags[stage].eq(tags[stage - 1])
        out = tags[3]
        m.d.comb += [
            self.valid.eq(out.valid),
            self.count.eq(out.count),
            self.last.eq(out.last),
            self.opens.eq(out.opens),
            self.data_half.eq(out.half),
        ]
        self._lanes_of(m, first=first)
        return m

    def _lanes_of(self, m: Module, *, first: Signal) -> None:
        """Place the lanes; each walks the channels with its own counter."""
        m.submodules.memory = memory = self._memory.instance()
        target_bits, bits = bits_for_index(self._targets), bits_for_index(self._channels)
        m.d.comb += [
            memory.clk.eq(ClockSignal()),
            memory.write_en.eq(self.write),
            memory.write_index.eq(self.write_index),
            memory.write_data.eq(self.write_data),
        ]
        for place in range(self._lanes):
            m.submodules[f"lane_{place}"] = lane = self._lane.instance()
            channel_here = Signal(bits, name=f"channel_{place}")
            following = channel_here + self._lanes % self._channels
            m.d.sync += channel_here.eq(
                Mux(following >= self._channels, following - self._channels, following)
            )
            with m.If(self.go):
                m.d.sync += channel_here.eq(place % self._channels)
            index = first + place
            m.d.comb += [
                self.read_index.word_select(place, target_bits).eq(
                    Mux(index < self._targets, index, 0)
                ),
                memory.index.word_select(place, bits).eq(channel_here),
                Value.cast(lane.channel).eq(
                    memory.data.word_select(place, channel(self._sum_bits).size)
                ),
                lane.sum.eq(self.sums.word_select(place, self._sum_bits)),
                lane.limits.eq(self.limits),
                self.data.word_select(place, self._bits).eq(lane.result),
            ]
