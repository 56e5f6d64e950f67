"""Chain: partial sums go from macro to macro of a copy; each adds its own."""

from amaranth.hdl import Cat, ClockSignal, Module, Mux, Signal, Value
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.crossbar.facts.chip_facts import ChipFacts
from hwgen.crossbar.rtl.layouts import COUNT_BITS, TRAVEL_BITS, flit, header
from hwgen.crossbar.rtl.sums import Sums
from hwgen.errors import DesignError


class Chain(Part):
    """Adds the sums of this macro to those that come, flit by flit; the last macro keeps them.

    ``out[channel] = in[channel] + own[channel]``; the first macro begins with nothing

    Pipeline
        cycle 0  a flit comes: read own sums
        cycle 1  add
        cycle 2  the flit leaves, or is kept

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
    Errors   ``late``; DesignError for sums that do not divide a flit
    Golden   ``golden.crossbar.chain``
    Source   docs/crossbar-rules.md: chain
    """

    family = "crossbar"

    def __init__(
        self, *, chip: ChipFacts, channels: int, sum_bits: int, receives: bool, reads: int
    ) -> None:
        if chip.flit_bits % sum_bits:
            raise DesignError(
                f"partial sums must divide a flit of {chip.flit_bits} bits, got {sum_bits} bits"
            )
        self._chip, self._channels, self._sum_bits = chip, channels, sum_bits
        self._receives, self._reads = receives, reads
        self._each = chip.flit_bits // sum_bits
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
        came = Signal(flit(self._chip))
        place, half = Signal(range(self._channels + self._each)), Signal()
        if self._receives:
            self._take(m, came)
        else:
            self._begin(m, came, place)
        with m.If(self.go):
            m.d.sync += half.eq(self.half)
        with m.If(came.valid):
            m.d.sync += place.eq(Mux(came.head, 0, place + self._each))
        m.d.comb += self.own_half.eq(half)
        for number in range(self._each):
            index = place + number
            m.d.comb += self.own_index.word_select(number, self._target_bits).eq(
                Mux(index < self._channels, index, 0)
            )
        # cycle 1: add
        first, own = Signal(flit(self._chip)), Signal.like(self.own)
        m.d.sync += [first.eq(came), own.eq(self.own)]
        totals = [
            (first.data.word_select(k, self._sum_bits) + own.word_select(k, self._sum_bits))[
                : self._sum_bits
            ]
            for k in range(self._each)
        ]
        if self._reads:
            at = Signal.like(place)
            m.d.sync += at.eq(place)
            self._keep(m, first, totals, at, half)
        else:
            head = Signal(header(self._chip))
            m.d.comb += [head.travel.eq(self.travel_out), head.count.eq(self._channels)]
            m.d.sync += [
                self.link.valid.eq(first.valid),
                self.link.head.eq(first.head),
                self.link.data.eq(Mux(first.head, Value.cast(head), Cat(totals))),
            ]
        return m

    def _take(self, m: Module, came: Signal) -> None:
        """Take the flits of the macro before."""
        link, head, left = self.link_in, Signal(header(self._chip)), Signal(COUNT_BITS)
        mine = Signal()
        m.d.comb += [
            Value.cast(head).eq(link.data),
            mine.eq(head.travel == self.travel_in),
            came.valid.eq(link.valid & Mux(link.head, mine, left != 0)),
            came.head.eq(link.head),
            came.data.eq(link.data),
            self.late.eq(self.go & (left != 0)),
        ]
        with m.If(link.valid & link.head):
            m.d.sync += left.eq(Mux(mine, head.count, 0))
        with m.Elif(came.valid):
            m.d.sync += left.eq(Mux(left < self._each, 0, left - self._each))

    def _begin(self, m: Module, came: Signal, place: Signal) -> None:
        """Begin with a header and flits of zeros."""
        heads, busy = Signal(), Signal()
        m.d.sync += heads.eq(self.go)
        m.d.comb += [
            came.valid.eq(heads | busy),
            came.head.eq(heads),
            self.late.eq(self.go & (heads | busy)),
        ]
        with m.If(heads):
            m.d.sync += busy.eq(1)
        with m.Elif(busy & (place + self._each >= self._channels)):
            m.d.sync += busy.eq(0)

    def _keep(
        self, m: Module, first: Signal, totals: list[Value], at: Signal, half: Signal
    ) -> None:
        """Store whole sums."""
        m.submodules.sums = sums = self._sums.instance()
        bits = self._target_bits + 1
        m.d.comb += [sums.clk.eq(ClockSignal()), self.read_data.eq(sums.read_data)]
        for number, total in enumerate(totals):
            here = at + number
            m.d.comb += [
                sums.en[number].eq(first.valid & ~first.head & (here < self._channels)),
                sums.index.word_select(number, bits).eq(Cat(here[: self._target_bits], half)),
                sums.data.word_select(number, self._sum_bits).eq(total),
            ]
        for read in range(self._reads):
            index = self.read_index.word_select(read, self._target_bits)
            m.d.comb += sums.read_index.word_select(read, bits).eq(Cat(index, self.read_half))
