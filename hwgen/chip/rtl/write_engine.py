"""The write half of the memory port: stores words of an on-chip buffer, such as logits."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hwgen.chip.axi import INCREMENTING, MEMORY_ADDRESS_BITS, OKAY
from hwgen.chip.rtl.axi import beat_size, burst_length, check_port, write_manager
from hwgen.chip.rtl.checks import holds, in_range, within, within_page
from hwgen.chip.rtl.shared import SharedPart
from hwgen.chip.widths import bits_for_index

BYTE_BITS = 8


class WriteEngine(SharedPart):
    """Stores ``words`` words from a beat of a buffer on, one after the other, little-endian.

    Pipeline
        cycle 0      start: address and number of words are stored
        cycle 1      AWVALID and WVALID with the first beat of the burst; a beat in each cycle
        cycle b      response of the burst
        cycle b + 1  AWVALID and WVALID of the next burst

    Parameters
    ----------
        family       prefix of the module name
        port_bits    bits of a beat
        burst_beats  beats of a burst at most
        word_bits    bits of a word: whole bytes, a power of two, at most a beat
        count_bits   bits of the number of words
        entries      words that the buffer holds, at least a beat
        rows         whether the words are rows, of which the last words hold nothing
    Ports
        start       in   1            begin; only when idle; without ``stop``
        words       in   count_bits   at least 1, in the cycle of ``start``
        index       in   beat_bits    beat of the buffer that holds the first of them
        address     in   64           of a beat, in the cycle of ``start``
        row_pitch   in   count_bits   where ``rows``: words from one row to the next, whole beats or
                                      a power of two below a beat; in the cycle of ``start``
        row_words   in   count_bits   where ``rows``: words of each that hold something; 1 with a
                                      pitch of 1: all do
        read_index  out  beat_bits    index of the beat to read from the buffer
        read_data   in   port_bits    that beat, in the same cycle
        memory      out  AXI4 AW W B  INCR bursts that never cross 4 KiB; strobes and
                                      data are 0 where nothing is to be written
        stop        in   1            begin no burst
        idle        out  1            no beat to write and no response outstanding
        done        out  1            the last response arrives, and it is OKAY
        taken       out  1            a handshake on the port in this cycle
        error       out  1            a response other than OKAY arrives; writing ends
    Latency  1 cycle from ``start`` to AWVALID and WVALID; 1 from a response to the next burst
    Rate     one beat in each cycle of a burst
    Errors   ValueError for a parameter out of range; ``error``, in the cycle of the response
    Golden   the words in little-endian order
    Source   docs/dbpim-microarchitecture.md, "Memory side"
    """

    def __init__(
        self,
        *,
        family: str,
        port_bits: int,
        burst_beats: int,
        word_bits: int,
        count_bits: int,
        entries: int,
        rows: bool = False,
    ) -> None:
        check_port(port_bits=port_bits, burst_beats=burst_beats)
        if word_bits < BYTE_BITS or port_bits % word_bits or word_bits & (word_bits - 1):
            allowed = f"a power of two from {BYTE_BITS} to port_bits"
            raise ValueError(f"word_bits must be {allowed}, got {word_bits}")
        self._port_bits = port_bits
        self._burst_beats = burst_beats
        self._word_bytes = word_bits // BYTE_BITS
        self._beat_words = port_bits // word_bits
        self._rows = rows
        self._todo = todo_layout(count_bits=count_bits, burst_beats=burst_beats, rows=rows)
        if entries < self._beat_words:
            raise ValueError(f"entries must be at least {self._beat_words}, got {entries}")
        self._beats = entries // self._beat_words
        of_rows = {"row_pitch": In(count_bits), "row_words": In(count_bits)} if rows else {}
        super().__init__(
            {
                "start": In(1),
                "words": In(count_bits),
                "index": In(bits_for_index(entries // self._beat_words)),
                "address": In(MEMORY_ADDRESS_BITS),
                "read_index": Out(bits_for_index(entries // self._beat_words)),
                "read_data": In(port_bits),
                "memory": Out(wiring.Signature(write_manager(port_bits))),
                "stop": In(1),
                "idle": Out(1),
                "done": Out(1),
                "taken": Out(1),
                "error": Out(1),
            }
            | of_rows,
            family=family,
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        todo = Signal(self._todo)
        last = Signal(bits_for_index(self._burst_beats))
        # As they were in the cycle before: a response comes behind the first cycle of a burst.
        burst, ends = Signal(range(self._burst_beats + 1)), Signal()
        m.d.comb += last.eq(
            burst_length(
                address=todo.address,
                beats=todo.beats,
                port_bits=self._port_bits,
                most=self._burst_beats,
            )
        )
        m.d.sync += [burst.eq(last + 1), ends.eq(todo.beats == last + 1)]
        self._channels(m, todo=todo, last=last)
        port = self.memory
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += self.idle.eq(1)
                with m.If(self.start & ~self.stop):
                    beat_bits = self._beat_words.bit_length() - 1
                    m.d.sync += [
                        todo.address.eq(self.address),
                        todo.beats.eq((self.words + (self._beat_words - 1)) >> beat_bits),
                        todo.words.eq(self.words),
                        todo.index.eq(self.index),
                    ]
                    if self._rows:
                        m.d.sync += [
                            todo.row_pitch.eq(self.row_pitch),
                            todo.row_words.eq(self.row_words),
                            todo.row_beat.eq(0),
                        ]
                    self._begin(m, todo=todo)
            with m.State("BURST"):
                addressed = ~port.awvalid | port.awready
                with m.If(addressed & (~port.wvalid | (port.wready & port.wlast))):
                    m.next = "RESPONSE"
            with m.State("RESPONSE"):
                m.d.comb += port.bready.eq(1)
                with m.If(port.bvalid):
                    self._answered(m, todo=todo, burst=burst, ends=ends)
        self._check(m, todo=todo, last=last)
        return m

    def _check(self, m: Module, *, todo: data.View, last: Signal) -> None:
        """Assert the rules of AXI4, and that beats are those of the buffer and of the burst."""
        port, size = self.memory, self._port_bits // BYTE_BITS
        address, beat = Cat(port.awaddr, port.awlen), Cat(port.wdata, port.wstrb, port.wlast)
        holds(m, "the write address", valid=port.awvalid, ready=port.awready, payload=address)
        holds(m, "the write data", valid=port.wvalid, ready=port.wready, payload=beat)
        start, length = port.awaddr, port.awlen
        within_page(m, "a write burst", start, length, beat_bytes=size, when=port.awvalid)
        within(m, "read_index", self.read_index, self._beats, when=port.wvalid)
        in_range(m, "last", last, self._burst_beats - 1, when=port.wvalid)
        in_range(m, "sent", todo.sent, self._burst_beats - 1)

    def _channels(self, m: Module, *, todo: data.View, last: Signal) -> None:
        """Drive AW and W from the work left; each handshake of W is a beat less."""
        port, size = self.memory, self._word_bytes
        strobes = [self._written(todo, word).replicate(size) for word in range(self._beat_words)]
        gaps = self._rows or self._beat_words > 1
        enabled = Cat(strobe.replicate(BYTE_BITS) for strobe in strobes)
        address_goes, beat_goes = port.awvalid & port.awready, port.wvalid & port.wready
        m.d.comb += [
            port.awaddr.eq(todo.address),
            port.awlen.eq(last),
            port.awsize.eq(beat_size(self._port_bits)),
            port.awburst.eq(INCREMENTING),
            port.wdata.eq(self.read_data & enabled if gaps else self.read_data),
            port.wstrb.eq(Cat(strobes)),
            port.wlast.eq(todo.sent == last),
            self.read_index.eq(todo.index),
            self.taken.eq(address_goes | beat_goes | (port.bvalid & port.bready)),
        ]
        with m.If(address_goes):
            m.d.sync += port.awvalid.eq(0)
        with m.If(beat_goes):
            m.d.sync += [
                todo.words.eq(todo.words - self._beat_words),
                todo.index.eq(todo.index + 1),
                todo.sent.eq(todo.sent + 1),
                port.wvalid.eq(~port.wlast),
            ]
            if self._rows:
                beat = todo.row_beat + 1
                last = beat * self._beat_words >= todo.row_pitch
                m.d.sync += todo.row_beat.eq(Mux(last, 0, beat))

    def _written(self, todo: data.View, word: int) -> Value:
        """Return whether a word of this beat is one of the words, and holds something."""
        left = todo.words > word
        if not self._rows:
            return left
        if self._beat_words == 1:
            return left & (todo.row_beat < todo.row_words)
        inside = (todo.row_pitch - 1)[: self._beat_words.bit_length() - 1] & word
        return left & (Cat(inside, todo.row_beat) < todo.row_words)

    def _begin(self, m: Module, *, todo: data.View) -> None:
        """Raise AWVALID and WVALID of the next burst; neither channel waits for the other."""
        m.d.sync += [todo.sent.eq(0), self.memory.awvalid.eq(1), self.memory.wvalid.eq(1)]
        m.next = "BURST"

    def _answered(self, m: Module, *, todo: data.View, burst: Signal, ends: Signal) -> None:
        """Begin the next burst, or end."""
        m.d.sync += [
            todo.beats.eq(todo.beats - burst),
            todo.address.eq(todo.address + burst * (self._port_bits // 8)),
        ]
        with m.If(self.memory.bresp != OKAY):
            m.d.comb += self.error.eq(1)
            m.next = "IDLE"
        with m.Elif(ends):
            m.d.comb += self.done.eq(1)
            m.next = "IDLE"
        with m.Elif(self.stop):
            m.next = "IDLE"
        with m.Else():
            self._begin(m, todo=todo)


def todo_layout(*, count_bits: int, burst_beats: int, rows: bool) -> data.StructLayout:
    """Return the layout of the work left.

    address, beats: of this burst and all after it; words: of this beat and all after it
    index: of this beat in the buffer; sent: beats of this burst that have gone
    row_pitch, row_words: see `WriteEngine`; row_beat: of this beat in its row
    """
    of_rows = ("row_pitch", "row_words", "row_beat") if rows else ()
    return data.StructLayout(
        {
            "address": MEMORY_ADDRESS_BITS,
            "beats": count_bits,
            "words": count_bits,
            "index": count_bits,
            "sent": bits_for_index(burst_beats),
            **dict.fromkeys(of_rows, count_bits),
        }
    )
