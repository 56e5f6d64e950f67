"""Addition: columns of all lanes come together in the sums of their channels."""

from collections import defaultdict

from amaranth.hdl import Cat, ClockSignal, Module, Mux, Signal, Value
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.crossbar.rtl.memories import Sums
from hwgen.crossbar.rtl.sizes import ArraySizes

Pairs = frozenset[tuple[int, int]]
"""Lanes, the lower one first, that may have columns of one target in one slot."""


class Addition(Part):
    """Adds the columns of a block, slot by slot, to the sums of their targets.

    ``sum[target] = sum over the columns of the target of column * 2^(k * q)``

    The first column of a target begins its sum. Lanes of `meeting` may have the same target in one
    slot: the higher lane adds both.

    Ports
        add            in   1          the strobe
        add_half       in   1          parity of the block, valid with it
        slot           out  slot_bits  of the lanes' accumulators
        slot_valid     out  1
        half           out  1          of the accumulators, and of the sums: parity of the block
        last_lanes     in   lanes      lanes that have a column in the last slot
        valid          in   1          the columns of the slot before, of all lanes
        value          in   lanes x sum_bits
        target         in   lanes x target_bits
        first          in   lanes
        read_index     in   reads x target_bits
        read_half      in   1
        read_data      out  reads x sum_bits
        late           out  1          ``add`` comes before the slots are through
    Latency  a slot a clock from the clock behind ``add`` on; its sums 2 clocks later
    Rate     one slot in each cycle
    Errors   ``late``
    Golden   ``verif.reference.crossbar.addition``
    Source   docs/crossbar-rules.md, "Arithmetic"
    """

    family = "crossbar"

    def __init__(self, *, sizes: ArraySizes, reads: int, meeting: Pairs) -> None:
        self._sizes, self._reads, self._meeting = sizes, reads, meeting
        self._sums = Sums(
            targets=sizes.targets, bits=sizes.sum_bits, lanes=sizes.lanes, reads=reads
        )
        self.parts = [self._sums]
        target = bits_for_index(sizes.targets)
        super().__init__(
            {
                "add": In(1),
                "add_half": In(1),
                "slot": Out(bits_for_index(sizes.slots)),
                "slot_valid": Out(1),
                "half": Out(1),
                "last_lanes": In(sizes.lanes),
                "valid": In(1),
                "value": In(sizes.lanes * sizes.sum_bits),
                "target": In(sizes.lanes * target),
                "first": In(sizes.lanes),
                "read_index": In(reads * target),
                "read_half": In(1),
                "read_data": Out(reads * sizes.sum_bits),
                "late": Out(1),
            }
        )

    @property
    def size_suffix(self) -> str:
        meeting = f"m{len(self._meeting)}" if self._meeting else ""
        return f"{self._sizes.name}r{self._reads}{meeting}"

    def elaborate(self, platform: object) -> Module:
        m = Module()
        sizes = self._sizes
        last, half_1, last_1 = Signal(), Signal(), Signal()
        m.d.comb += [
            last.eq(self.slot == sizes.slots - 1),
            self.late.eq(self.add & self.slot_valid & ~last),
        ]
        with m.If(self.slot_valid):
            m.d.sync += [self.slot.eq(self.slot + 1), self.slot_valid.eq(~last)]
        with m.If(self.add):
            m.d.sync += [
                self.slot_valid.eq(1),
                self.slot.eq(0),
                self.half.eq(self.add_half),
            ]
        m.d.sync += [half_1.eq(self.half), last_1.eq(last)]
        self._accumulate(m, half=half_1, here=Mux(last_1, self.last_lanes, (1 << sizes.lanes) - 1))
        return m

    def _accumulate(self, m: Module, *, half: Signal, here: Value) -> None:
        """Add the columns of one slot; `here`: the lanes that have one."""
        sizes, target_bits = self._sizes, bits_for_index(self._sizes.targets)
        m.submodules.sums = sums = self._sums.instance()
        m.d.comb += sums.clk.eq(ClockSignal())
        lanes = Signal(sizes.lanes)
        m.d.comb += lanes.eq(here)
        value = [self.value.word_select(e, sizes.sum_bits) for e in range(sizes.lanes)]
        target = [self.target.word_select(e, target_bits) for e in range(sizes.lanes)]
        lower, higher = defaultdict(list), defaultdict(list)
        for one, two in sorted(self._meeting):
            lower[two].append(one)
            higher[one].append(two)
        enables, indices, totals = [], [], []
        for lane in range(sizes.lanes):
            begins, total = self.first[lane], value[lane]
            for other in lower[lane]:
                same = Signal(name=f"same_{other}_{lane}")
                m.d.comb += same.eq(target[other] == target[lane])
                begins |= same & self.first[other]
                total = total + Mux(same, value[other], 0)
            passed = Signal(name=f"passed_{lane}")
            for other in higher[lane]:
                with m.If(lanes[other] & (target[other] == target[lane])):
                    m.d.comb += passed.eq(1)
            old = sums.old.word_select(lane, sizes.sum_bits)
            enables.append(self.valid & lanes[lane] & ~passed)
            indices.append(Cat(target[lane], half))
            totals.append((Mux(begins, 0, old) + total)[: sizes.sum_bits])
        m.d.comb += [
            sums.en.eq(Cat(enables)),
            sums.index.eq(Cat(indices)),
            sums.data.eq(Cat(totals)),
        ]
        for place in range(self._reads):
            index = self.read_index.word_select(place, target_bits)
            m.d.comb += sums.read_index.word_select(place, target_bits + 1).eq(
                Cat(index, self.read_half)
            )
        m.d.comb += self.read_data.eq(sums.read_data)
