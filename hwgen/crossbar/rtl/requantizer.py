"""Requantizer: from sums to elements of a map, some in a clock."""

from amaranth.hdl import Cat, ClockSignal, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.chip.rtl.requantizer import SHIFT_BITS
from hwgen.chip.rtl.requantizer import Requantizer as Scaling
from hwgen.chip.rtl.split_sums import split_sum
from hwgen.chip.widths import bits_for_index
from hwgen.crossbar.facts.loads import TABLE_BITS
from hwgen.crossbar.rtl.memories import ManyReads
from hwgen.network.quantization import HALF_UP, MULTIPLIER_BITS


def channel(sum_bits: int) -> data.StructLayout:
    """What is loaded for an output channel: bias, multiplier and shift."""
    return data.StructLayout(
        {"bias": signed(sum_bits), "multiplier": MULTIPLIER_BITS, "shift": SHIFT_BITS}
    )


LIMITS = ("zero_point", "low", "high")


def limits(bits: int) -> data.StructLayout:
    """What is loaded for a map of elements of `bits`: zero point, least and greatest element."""
    return data.StructLayout(dict.fromkeys(LIMITS, bits))


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
        if not raw:
            self._scaling = Scaling(
                family=self.family,
                roundings=[HALF_UP],
                accumulator_bits=sum_bits,
                multiplier_bits=MULTIPLIER_BITS,
                element_bits=bits,
                split=True,
            )
            self.parts = [self._scaling]
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
        self.guarded(value, self.result)
        m.d.sync += value.eq(split_sum(m, self.sum, self.channel.bias, name="biased"))
        if self._raw:
            later = Signal(signed(self._sum_bits))
            self.guarded(later)
            m.d.sync += [later.eq(value), self.result.eq(later)]
            return m
        multiplier, shift = Signal(MULTIPLIER_BITS), Signal(SHIFT_BITS)
        self.guarded(multiplier, shift)
        m.d.sync += [multiplier.eq(self.channel.multiplier), shift.eq(self.channel.shift)]
        # cycle 1: multiply; cycle 2: round, shift, zero point, clip
        m.submodules.scaling = scaling = self._scaling.instance()
        m.d.comb += [
            scaling.enable.eq(1),
            scaling.accumulator.eq(value),
            scaling.multiplier.eq(multiplier),
            scaling.shift.eq(shift),
            *(getattr(scaling, name).eq(self.limits[name]) for name in LIMITS),
        ]
        m.d.sync += self.result.eq(scaling.result)
        return m


class Requantizer(Part):
    """Takes the sums of a block, some a clock in the order copy, channel, and makes elements.

    Parameters
    ----------
        channels  output channels; copies: whose sums are whole in this macro
        lanes     sums of a clock
        sum_bits, bits: of a sum, of an element; raw: elements are sums with their bias
        table     whether each element is looked up in a table that is loaded
    Ports
        go          in   1             the strobe
        half        in   1             parity of the block, valid with it
        blocks      in   24            constant: of an image
        last_sums   in   sums_bits     constant: sums of the last block of an image
        write       in   1             store ``write_data`` for a channel at this clock edge
        write_index, write_data  in    channel
        write_table in   1             where there is a table: store ``write_value`` for an element
        write_element, write_value  in
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
        self,
        *,
        channels: int,
        copies: int,
        lanes: int,
        sum_bits: int,
        bits: int,
        raw: bool,
        table: bool = False,
    ) -> None:
        self._channels, self._targets, self._lanes = channels, channels * copies, lanes
        self._sum_bits, self._bits = sum_bits, bits
        self._lane = RequantizerLane(sum_bits=sum_bits, bits=bits, raw=raw)
        self._memory = ManyReads(depth=channels, width=channel(sum_bits).size, reads=lanes)
        self.parts = [self._lane, self._memory]
        self._raw, self._table = raw, table
        table_bits, more = min(bits, TABLE_BITS), {}
        if table:
            self._values = ManyReads(depth=1 << table_bits, width=table_bits, reads=lanes)
            self.parts.append(self._values)
            more = {
                "write_table": In(1),
                "write_element": In(table_bits),
                "write_value": In(table_bits),
            }
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
            | more
        )

    @property
    def size_suffix(self) -> str:
        kind = "raw" if self._raw else "table" if self._table else ""
        return f"{self._channels}t{self._targets}l{self._lanes}x{self._sum_bits}{kind}"

    def elaborate(self, platform: object) -> Module:
        m = Module()
        targets, lanes = self._targets, self._lanes
        busy, opens = Signal(), Signal()
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
            tags[0].opens.eq(opens),
            tags[0].half.eq(self.read_half),
            self.late.eq(self.go & busy & ~ends),
        ]
        with m.If(busy):
            m.d.sync += [opens.eq(0), left.eq(left - tags[0].count), busy.eq(~ends)]
        with m.If(self.go):
            m.d.sync += [
                busy.eq(whole != 0),
                left.eq(whole),
                opens.eq(1),
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
        self._lanes_of(m, busy=busy)
        return m

    def _lanes_of(self, m: Module, *, busy: Signal) -> None:
        """Place the lanes; each walks sums and channels with its own counters."""
        m.submodules.memory = memory = self._memory.instance()
        target_bits, bits = bits_for_index(self._targets), bits_for_index(self._channels)
        m.d.comb += [
            memory.clk.eq(ClockSignal()),
            memory.write_en.eq(self.write),
            memory.write_index.eq(self.write_index),
            memory.write_data.eq(self.write_data),
        ]
        elements = Signal(self._lanes * self._bits)
        m.d.comb += self.data.eq(self._looked_up(m, elements) if self._table else elements)
        for place in range(self._lanes):
            m.submodules[f"lane_{place}"] = lane = self._lane.instance()
            channel_here = Signal(bits, name=f"channel_{place}")
            following = channel_here + self._lanes % self._channels
            m.d.sync += channel_here.eq(
                Mux(following >= self._channels, following - self._channels, following)
            )
            index = Signal(target_bits, name=f"index_{place}")
            behind = index + self._lanes
            with m.If(busy):
                m.d.sync += index.eq(Mux(behind < self._targets, behind, 0))
            with m.If(self.go):
                m.d.sync += [
                    channel_here.eq(place % self._channels),
                    index.eq(place if place < self._targets else 0),
                ]
            m.d.comb += [
                self.read_index.word_select(place, target_bits).eq(index),
                memory.index.word_select(place, bits).eq(channel_here),
                Value.cast(lane.channel).eq(
                    memory.data.word_select(place, channel(self._sum_bits).size)
                ),
                lane.sum.eq(self.sums.word_select(place, self._sum_bits)),
                lane.limits.eq(self.limits),
                elements.word_select(place, self._bits).eq(lane.result),
            ]

    def _looked_up(self, m: Module, elements: Signal) -> Value:
        """Return what the table holds for each element, in the same cycle."""
        m.submodules.values = values = self._values.instance()
        bits = len(self.write_element)
        m.d.comb += [
            values.clk.eq(ClockSignal()),
            values.write_en.eq(self.write_table),
            values.write_index.eq(self.write_element),
            values.write_data.eq(self.write_value),
        ]
        found = []
        for place in range(self._lanes):
            element = elements.word_select(place, self._bits)
            m.d.comb += values.index.word_select(place, bits).eq(element[:bits])
            found.append(values.data.word_select(place, bits))
            if bits < self._bits:
                found.append(Const(0, self._bits - bits))
        return Cat(found)
