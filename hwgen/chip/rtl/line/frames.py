"""What a chip does with the bytes of a line: frames that reach its registers and its memory.

Tests: `tests/verif/common/test_frames.py`.
"""

from collections.abc import Iterable

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.chip import line
from hwgen.chip.axi import OKAY
from hwgen.chip.rtl.axi import lite_subordinate
from hwgen.chip.rtl.checks import holds, holds_payload
from hwgen.chip.rtl.line.line_memory import byte_port
from hwgen.chip.rtl.part import Part
from hwgen.chip.rtl.shared import SharedPart

CHECKSUM_BITS = 8 * line.CHECKSUM_BYTES
TAPS = (5, 12)
"""Bits of a checksum, besides the lowest, that the bit which leaves it is added to."""
OF_REGISTERS = (line.Command.READ_REGISTER, line.Command.WRITE_REGISTER)


def checksum(before: Value, byte: Value) -> Value:
    """Return the checksum of what `before` is of and a byte behind it, see `hwgen.chip.line`."""
    bits = [before[place] for place in range(CHECKSUM_BITS)]
    for number in reversed(range(8)):
        leaves = bits[-1] ^ byte[number]
        bits = [leaves, *bits[:-1]]
        for place in TAPS:
            bits[place] = bits[place] ^ leaves
    return Cat(*bits)


class Frames(SharedPart):
    """Takes the frames of a host, does what they ask for, and answers: see `hwgen.chip.line`.

    Pipeline
        a byte of a frame is taken in one cycle; one to the memory is written in that cycle
        an answer begins when the frame has ended, or when the register has answered

    Parameters
    ----------
        family        prefix of the module name
        size          bytes of the memory, a power of two
        address_bits  of the chip's registers
    Ports
        received   stream in   8   bytes from the line, taken in all cycles but few: what comes
                                   while an answer is given is dropped
        sent       stream out  8   bytes for the line
        ended      in   1          level: whatever has begun on the line is over
        memory     out  bytes      of the memory, one at a time
        registers  out  AXI4-Lite  manager of the chip's registers
    Latency  2 cycles from the last byte of a frame to the status, with no register
    Rate     a byte in each cycle of a frame; one in three of an answer from the memory
    Errors   the codes of ``Status``; an access that a register has not answered goes on, and
             those behind it are SILENT until it has
    Golden   ``verif/reference/common/frames.py``: ``answer_of``
    Source   docs/howto/host.md
    """

    def __init__(self, *, family: str, size: int, address_bits: int) -> None:
        self._size, self._address_bits = size, address_bits
        self.parts: list[Part] = []
        super().__init__(
            {
                "received": In(stream.Signature(8)),
                "sent": Out(stream.Signature(8)),
                "ended": In(1),
                "memory": Out(byte_port(size.bit_length() - 1)),
                "registers": In(wiring.Signature(lite_subordinate(address_bits))),
            },
            family=family,
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # The last bytes of the line: of a whole header its checksum, too.
        header = self._header = Signal(8 * (line.HEADER_BYTES + line.CHECKSUM_BYTES))
        self._command, self._address, self._length = header[:8], header[8:40], header[40:56]
        # So many of them are looked at again, the oldest first: their header was damaged.
        self._again = Signal(range(line.HEADER_BYTES + line.CHECKSUM_BYTES + 1), name="again")
        self._word = Signal(8 * line.REGISTER_BYTES, name="word")
        self._sum = Signal(CHECKSUM_BITS, name="sum")
        self._left = Signal(line.MOST_BYTES.bit_length() + 1, name="left")
        self._status, self._shown = Signal(8, name="status"), Signal(8, name="shown")
        self._pending = Signal(name="pending")
        self._writes = self._is_one_of(line.WRITES)
        self._of_register = self._is_one_of(OF_REGISTERS)
        m.d.comb += [
            self.received.ready.eq(1),
            self.memory.data.eq(self.received.payload),
            self.memory.address.eq(self._address),
        ]
        bus = self.registers
        m.d.comb += [bus.wstrb.eq(-1), bus.bready.eq(1), bus.rready.eq(1)]
        for channel in ("aw", "w", "ar"):
            valid, ready = (getattr(bus, channel + end) for end in ("valid", "ready"))
            with m.If(valid & ready):
                m.d.sync += valid.eq(0)
        with m.If(bus.bvalid | bus.rvalid):
            m.d.sync += self._pending.eq(0)
        with m.FSM():
            self._take(m)
            self._access(m)
            self._answer(m)
        holds(m, "a read address", valid=bus.arvalid, ready=bus.arready, payload=bus.araddr)
        holds(m, "a write address", valid=bus.awvalid, ready=bus.awready, payload=bus.awaddr)
        holds(m, "write data", valid=bus.wvalid, ready=bus.wready, payload=bus.wdata)
        holds_payload(m, "sent", self.sent, unless=self.ended)
        return m

    def _is_one_of(self, commands: Iterable[line.Command]) -> Value:
        """Return whether the command is one of several."""
        return Cat(self._command == each for each in commands).any()

    def _taken(self, m: Module, byte: Value, payload: Value) -> None:
        """Count a byte of a frame, if there is one, and have it in the checksum."""
        with m.If(byte):
            m.d.sync += [
                self._left.eq(self._left - 1),
                self._sum.eq(checksum(self._sum, payload)),
            ]

    def _over(self, m: Module) -> None:
        """Forget what was begun when the line has ended it."""
        with m.If(self.ended):
            m.d.sync += self._again.eq(0)
            m.next = "IDLE"

    def _take(self, m: Module) -> None:
        """Take the header, then the data of a command that writes.

        Behind a damaged header the next start is looked for among its own bytes first.
        """
        payload, byte = self.received.payload, self.received.valid & self.received.ready
        repeats, came, one = Signal(), Signal(), Signal(8)
        m.d.comb += [
            repeats.eq(self._again != 0),
            came.eq(byte | repeats),
            one.eq(Mux(repeats, self._header[:8], payload)),
        ]
        with m.State("IDLE"):
            m.d.comb += self.received.ready.eq(~repeats)
            m.d.sync += [
                self._sum.eq(line.CHECKSUM_INIT),
                self._left.eq(line.HEADER_BYTES + line.CHECKSUM_BYTES),
            ]
            self._shift(m, repeats, one)
            with m.If(came & (one == line.START)):
                m.next = "HEADER"
            with m.If(self.ended):
                m.d.sync += self._again.eq(0)
        with m.State("HEADER"):
            ends = self._left == 0
            m.d.comb += self.received.ready.eq(~repeats & ~ends)
            self._taken(m, came & ~ends, one)
            self._shift(m, came & ~ends, one)
            with m.If(ends):
                self._look(m)
            self._over(m)
        with m.State("DATA"):
            self._taken(m, byte, payload)
            data = byte & (self._left > line.CHECKSUM_BYTES) & (self._status == line.Status.DONE)
            m.d.comb += [self.memory.write.eq(1), self.memory.en.eq(data & ~self._of_register)]
            with m.If(data & self._of_register):
                m.d.sync += self._word.eq(Cat(self._word[8:], payload))
            with m.Elif(data):
                m.d.sync += self._address.eq(self._address + 1)
            with m.If(self._left == 0):
                with m.If(self._sum != 0):
                    m.d.sync += self._status.eq(line.Status.DAMAGED)
                m.next = "DECIDE"
            self._over(m)

    def _shift(self, m: Module, shifts: Value, byte: Value) -> None:
        """Keep a byte behind the others; of those that are looked at again one is less."""
        with m.If(shifts):
            m.d.sync += self._header.eq(Cat(self._header[8:], byte))
            m.d.sync += self._again.eq(Mux(self._again == 0, 0, self._again - 1))

    def _look(self, m: Module) -> None:
        """Decide what follows a header."""
        m.d.sync += [
            self._sum.eq(line.CHECKSUM_INIT),
            self._status.eq(Mux(self._allowed(), line.Status.DONE, line.Status.REFUSED)),
            self._left.eq(self._length + line.CHECKSUM_BYTES),
        ]
        with m.If(self._sum != 0):
            # A header that begins among the repeated bytes ends among them or later.
            m.d.sync += self._again.eq(line.HEADER_BYTES + line.CHECKSUM_BYTES)
            m.next = "IDLE"
        with m.Elif(self._writes):
            m.next = "DATA"
        with m.Else():
            m.next = "DECIDE"

    def _allowed(self) -> Value:
        """Return whether there is such a command, and a place where it reaches."""
        word = self._length == line.REGISTER_BYTES
        register = ~self._address[self._address_bits :].any() & ~self._address[:2].any()
        inside = (self._length != 0) & (self._address + self._length <= self._size)
        of_memory = self._is_one_of((line.Command.READ, line.Command.WRITE))
        size = self._command == line.Command.SIZE
        return (of_memory & inside) | (word & (size | (self._of_register & register)))

    def _access(self, m: Module) -> None:
        """Reach a register, and wait for its answer; the size stands in its place."""
        bus, waited = self.registers, Signal(range(line.SILENT_CYCLES))
        with m.State("DECIDE"):
            m.d.sync += [self._sum.eq(line.CHECKSUM_INIT), waited.eq(0)]
            m.next = "STATUS"
            with m.If(self._command == line.Command.SIZE):
                m.d.sync += self._word.eq(self._size)
            with m.If(self._of_register & (self._status == line.Status.DONE)):
                with m.If(self._pending):
                    m.d.sync += self._status.eq(line.Status.SILENT)
                with m.Else():
                    m.d.sync += [
                        self._pending.eq(1),
                        bus.awvalid.eq(self._writes),
                        bus.wvalid.eq(self._writes),
                        bus.arvalid.eq(~self._writes),
                        bus.awaddr.eq(self._address),
                        bus.araddr.eq(self._address),
                        bus.wdata.eq(self._word),
                    ]
                    m.next = "WAIT"
        with m.State("WAIT"):
            response = Mux(bus.bvalid, bus.bresp, bus.rresp)
            m.d.sync += waited.eq(waited + 1)
            with m.If(bus.bvalid | bus.rvalid):
                m.d.sync += self._word.eq(bus.rdata)
                with m.If(response != OKAY):
                    m.d.sync += self._status.eq(line.Status.BUS_ERROR)
                m.next = "STATUS"
            with m.Elif(waited == line.SILENT_CYCLES - 1):
                m.d.sync += self._status.eq(line.Status.SILENT)
                m.next = "STATUS"

    def _answer(self, m: Module) -> None:
        """Send the status, what was read, and the checksum."""
        with m.State("STATUS"):
            reads = ~self._writes & (self._status == line.Status.DONE)
            m.d.sync += self._left.eq(Mux(reads, self._length, 0))
            self._send(m, self._status, "NEXT")
        with m.State("NEXT"):
            m.d.comb += self.memory.en.eq((self._left != 0) & (self._command == line.Command.READ))
            m.next = "FETCHED"
            with m.If(self._left == 0):
                m.next = "HIGH"
            self._over(m)
        with m.State("FETCHED"):
            of_memory = self._command == line.Command.READ
            m.d.sync += [
                self._shown.eq(Mux(of_memory, self.memory.answer, self._word)),
                self._word.eq(self._word >> 8),
                self._address.eq(self._address + 1),
                self._left.eq(self._left - 1),
            ]
            m.next = "BODY"
            self._over(m)
        with m.State("BODY"):
            self._send(m, self._shown, "NEXT")
        with m.State("HIGH"):
            self._send(m, self._sum[8:], "LOW", counts=False)
        with m.State("LOW"):
            self._send(m, self._sum[:8], "IDLE", counts=False)

    def _send(self, m: Module, byte: Value, then: str, *, counts: bool = True) -> None:
        """Show a byte to the line until it is taken; counts: the checksum is of it, too."""
        m.d.comb += [self.sent.valid.eq(1), self.sent.payload.eq(byte)]
        with m.If(self.sent.ready):
            if counts:
                m.d.sync += self._sum.eq(checksum(self._sum, byte))
            m.next = then
        self._over(m)
