"""Chain: partial sums go from macro to macro of a copy; each adds its own."""

import math

from amaranth.hdl import Cat, ClockSignal, Const, Module, Mux, Signal, Value
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.crossbar.facts.chip import Chip
from hwgen.crossbar.rtl.layouts import TRAVEL_BITS, flit, header
from hwgen.crossbar.rtl.memories import Sums


def sums_of_flit(flit_bits: int, sum_bits: int) -> int:
    """Return the most sums that a flit has parts of, in a packet of sums without gaps."""
    align = math.gcd(flit_bits, sum_bits)
    return -(-(flit_bits + sum_bits - align) // sum_bits)


class Chain(Part):
    """Adds the sums of this macro to those that come, flit by flit; the last macro keeps them.

    ``out[channel] = in[channel] + own[channel]``; the first macro begins with nothing. A sum may
    begin in one flit and end in the next: its carry waits.

    Pipeline
        cycle 0  a flit comes: read own sums
        cycle 1  add
        cycle 2  the flit leaves, or its sums are kept

    Parameters
    ----------
        chip      sizes of flits
        channels  sums of a copy
        sum_bits  of a sum
        receives  whether sums come; else this macro is the first one
        reads     whole sums that are read in a clock; 0: the sums are sent on
    Ports
        go          in   1            the strobe
        half        in   1            parity of the block, valid with it
        link_in     in   flit         where it receives
        travel_in   in   travel_bits  constant, where it receives
        travel_out  in   travel_bits  constant, where it sends
        own_index   out  sums of a flit x target_bits
        own_half    out  1
        own         in   sums of a flit x sum_bits  in the same cycle
        link        out  flit         where it sends
        read_index, read_half, read_data    where it keeps, see `Addition`
        late        out  1            ``go`` before the block before is through
    Latency  2 from a flit that comes to the one that leaves
    Rate     a flit in each cycle
    Errors   ``late``
    Golden   ``verif.reference.crossbar.chain``
    Source   docs/crossbar-rules.md: chain
    """

    family = "crossbar"

    def __init__(
        self, *, chip: Chip, channels: int, sum_bits: int, receives: bool, reads: int
    ) -> None:
        self._chip, self._channels, self._sum_bits = chip, channels, sum_bits
        self._receives, self._reads = receives, reads
        self._each = sums_of_flit(chip.flit_bits, sum_bits)
        self._flits = -(-channels * sum_bits // chip.flit_bits)
        self._phases = sum_bits // math.gcd(sum_bits, chip.flit_bits)
        self._target_bits = bits_for_index(channels)
        members = {
            "go": In(1),
            "half": In(1),
            "own_index": Out(self._each * self._target_bits),
            "own_half": Out(1),
            "own": In(self._each * sum_bits),
            "late": Out(1),
        }
        if receives:
            members |= {"link_in": In(flit(chip)), "travel_in": In(TRAVEL_BITS)}
        if reads:
            self._sums = Sums(targets=channels, bits=sum_bits, lanes=self._each, reads=reads)
            self.parts = [self._sums]
            members |= {
                "read_index": In(reads * self._target_bits),
                "read_half": In(1),
                "read_data": Out(reads * sum_bits),
            }
        else:
            members |= {"link": Out(flit(chip)), "travel_out": In(TRAVEL_BITS)}
        super().__init__(members)

    @property
    def size_suffix(self) -> str:
        kind = "r" if self._receives else ""
        return f"{self._channels}x{self._sum_bits}{kind}k{self._reads}"

    def elaborate(self, platform: object) -> Module:
        m = Module()
        came, left = Signal(flit(self._chip)), Signal(range(self._flits + 1))
        if self._receives:
            self._take(m, came, left)
        else:
            self._begin(m, came, left)
        half = Signal()
        with m.If(self.go):
            m.d.sync += half.eq(self.half)
        m.d.comb += self.own_half.eq(half)
        place, phase = self._walk(m, came)
        # cycle 1: add
        first, own = Signal(flit(self._chip)), Signal.like(self.own)
        added_phase = Signal.like(phase)
        m.d.sync += [first.eq(came), own.eq(self.own), added_phase.eq(phase)]
        totals = self._add(m, first, own, added_phase)
        if self._reads:
            at = Signal.like(place)
            m.d.sync += at.eq(place)
            self._keep(m, first, totals, at=at, phase=added_phase, half=half)
        else:
            head = Signal(header(self._chip))
            m.d.comb += [head.travel.eq(self.travel_out), head.count.eq(self._channels)]
            m.d.sync += [
                self.link.valid.eq(first.valid),
                self.link.head.eq(first.head),
                self.link.data.eq(Mux(first.head, Value.cast(head), totals)),
            ]
        return m

    def _take(self, m: Module, came: Signal, left: Signal) -> None:
        """Take the flits of the macro before."""
        link, head, mine = self.link_in, Signal(header(self._chip)), Signal()
        m.d.comb += [
            Value.cast(head).eq(link.data),
            mine.eq(head.travel == self.travel_in),
            came.valid.eq(link.valid & Mux(link.head, mine, left != 0)),
            came.head.eq(link.head),
            came.data.eq(link.data),
            self.late.eq(self.go & (left != 0)),
        ]
        with m.If(link.valid & link.head):
            m.d.sync += left.eq(Mux(mine, self._flits, 0))
        with m.Elif(came.valid):
            m.d.sync += left.eq(left - 1)

    def _begin(self, m: Module, came: Signal, left: Signal) -> None:
        """Begin with a header and flits of zeros."""
        heads = Signal()
        m.d.sync += heads.eq(self.go)
        m.d.comb += [
            came.valid.eq(heads | (left != 0)),
            came.head.eq(heads),
            self.late.eq(self.go & (heads | (left != 0))),
        ]
        with m.If(heads):
            m.d.sync += left.eq(self._flits)
        with m.Elif(left != 0):
            m.d.sync += left.eq(left - 1)

    def _walk(self, m: Module, came: Signal) -> tuple[Signal, Signal]:
        """Drive the reads of own sums; return the first sum of a flit, and the phase of it."""
        place = Signal(range(self._channels + 2 * self._each))
        phase = Signal(range(max(2, self._phases)))
        with m.If(came.valid & came.head):
            m.d.sync += [place.eq(0), phase.eq(0)]
        with m.Elif(came.valid), m.Switch(phase):
            for number in range(self._phases):
                with m.Case(number):
                    passed = self._first_sum(number + 1) - self._first_sum(number)
                    m.d.sync += [
                        place.eq(place + passed),
                        phase.eq((number + 1) % self._phases),
                    ]
        for number in range(self._each):
            index = place + number
            m.d.comb += self.own_index.word_select(number, self._target_bits).eq(
                Mux(index < self._channels, index, 0)
            )
        return place, phase

    def _first_sum(self, number: int) -> int:
        """Return the sum in which a flit begins."""
        return number * self._chip.flit_bits // self._sum_bits

    def _segments(self, phase: int) -> list[tuple[int, int]]:
        """Return the parts of sums in a flit: first bit in the sum, and how many."""
        found, begin, left = [], phase * self._chip.flit_bits % self._sum_bits, self._chip.flit_bits
        while left:
            bits = min(left, self._sum_bits - begin)
            found.append((begin, bits))
            begin, left = 0, left - bits
        return found

    def _add(self, m: Module, first: Signal, own: Signal, phase: Signal) -> Signal:
        """Return the flit with own sums added; what a part carries waits for the next flit."""
        totals, carry = Signal(self._chip.flit_bits), Signal()
        with m.Switch(phase):
            for number in range(self._phases):
                with m.Case(number):
                    place = 0
                    for slot, (begin, bits) in enumerate(self._segments(number)):
                        mine = own.word_select(slot, self._sum_bits)[begin : begin + bits]
                        goes_on = begin + bits < self._sum_bits
                        part = Signal(bits + goes_on, name=f"part_{number}_{slot}")
                        carried = carry if begin else Const(0)
                        m.d.comb += [
                            part.eq(first.data[place : place + bits] + mine + carried),
                            totals[place : place + bits].eq(part),
                        ]
                        place += bits
                        if goes_on:
                            with m.If(first.valid & ~first.head):
                                m.d.sync += carry.eq(part[-1])
        return totals

    def _keep(
        self,
        m: Module,
        first: Signal,
        totals: Signal,
        *,
        at: Signal,
        phase: Signal,
        half: Signal,
    ) -> None:
        """Store the sums that end in a flit; of one that does not the lower part waits."""
        m.submodules.sums = sums = self._sums.instance()
        bits, low = self._target_bits + 1, Signal(self._sum_bits)
        writes = first.valid & ~first.head
        m.d.comb += [sums.clk.eq(ClockSignal()), self.read_data.eq(sums.read_data)]
        ends, words = Signal(self._each), Signal(self._each * self._sum_bits)
        with m.Switch(phase):
            for number in range(self._phases):
                with m.Case(number):
                    place = 0
                    for slot, (begin, count) in enumerate(self._segments(number)):
                        part = totals[place : place + count]
                        place += count
                        word = words.word_select(slot, self._sum_bits)
                        m.d.comb += word.eq(Cat(low[:begin], part))
                        if begin + count == self._sum_bits:
                            m.d.comb += ends[slot].eq(1)
                        else:
                            with m.If(writes):
                                m.d.sync += low.eq(part)
        for slot in range(self._each):
            here = at + slot
            m.d.comb += [
                sums.en[slot].eq(writes & ends[slot] & (here < self._channels)),
                sums.index.word_select(slot, bits).eq(Cat(here[: self._target_bits], half)),
                sums.data.word_select(slot, self._sum_bits).eq(
                    words.word_select(slot, self._sum_bits)
                ),
            ]
        for read in range(self._reads):
            index = self.read_index.word_select(read, self._target_bits)
            m.d.comb += sums.read_index.word_select(read, bits).eq(Cat(index, self.read_half))
