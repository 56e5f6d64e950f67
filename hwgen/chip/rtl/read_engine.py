"""The read half of the memory port: commands in, beats out, in order."""

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.chip.axi import INCREMENTING, MEMORY_ADDRESS_BITS, OKAY
from hwgen.chip.rtl.axi import beat_size, burst_length, check_port, read_manager
from hwgen.chip.rtl.checks import holds, in_range, must, within_page
from hwgen.chip.rtl.fifo import Fifo
from hwgen.chip.rtl.shared import SharedPart
from hwgen.chip.widths import bits_for_index

BEATS_BITS = 32


def read_command() -> data.StructLayout:
    """Beats to read from `address`, a multiple of a beat's bytes."""
    return data.StructLayout({"address": MEMORY_ADDRESS_BITS, "beats": BEATS_BITS})


class ReadEngine(SharedPart):
    """Reads memory by bursts and buffers the beats in a FIFO.

    It requests only beats that have a place in the FIFO, so RREADY is always high.

    Pipeline
        cycle 0  a command is taken
        cycle 1  its first burst is decided, if the FIFO has space; the beats are reserved
        cycle 2  ARVALID; the next burst is decided in the cycle after the handshake
        an R beat in cycle r is at ``beats`` in cycle r + 1

    Parameters
    ----------
        family       prefix of the module name
        port_bits    bits of a beat
        fifo_beats   beats of the FIFO: a power of two, at least ``burst_beats``
        burst_beats  beats of a burst at most
    Ports
        command  stream in   read_command  taken when all beats of the one before are requested
        beats    stream out  port_bits     in the order of the commands
        memory   out         AXI4 AR, R    INCR bursts that never cross 4 KiB
        stop     in          1             no new burst, discard beats, empty the FIFO
        idle     out         1             no beat to request and none outstanding
        answers  out         1             an address waits to be taken, or a beat is outstanding
        taken    out         1             a handshake on the port in this cycle
        error    out         1             a beat came with a response other than OKAY
    Latency  2 cycles from ``command`` to ARVALID, 1 cycle from an R beat to ``beats``
    Rate     one beat in each cycle; one address in two; at most ``fifo_beats`` beats
             requested and not yet taken
    Errors   ValueError for a parameter out of range; ``error``, in the cycle of the beat; the beat
             is delivered like any other
    Golden   the content of the memory
    Source   docs/dbpim-microarchitecture.md, "Memory side"
    """

    def __init__(self, *, family: str, port_bits: int, fifo_beats: int, burst_beats: int) -> None:
        check_port(port_bits=port_bits, burst_beats=burst_beats)
        if fifo_beats < burst_beats:
            raise ValueError(f"fifo_beats must be at least {burst_beats}, got {fifo_beats}")
        self._port_bits = port_bits
        self._fifo_beats = fifo_beats
        self._burst_beats = burst_beats
        self._fifo = Fifo(family=family, depth=fifo_beats, width=port_bits)
        self.parts = [self._fifo]
        super().__init__(
            {
                "command": In(stream.Signature(read_command())),
                "beats": Out(stream.Signature(port_bits)),
                "memory": Out(wiring.Signature(read_manager(port_bits))),
                "stop": In(1),
                "idle": Out(1),
                "answers": Out(1),
                "taken": Out(1),
                "error": Out(1),
            },
            family=family,
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        beat = self.memory.rvalid & self.memory.rready
        left, outstanding = Signal(BEATS_BITS), Signal(range(self._fifo_beats + 1))
        burst = self._decide_burst(m, left=left)
        m.d.sync += outstanding.eq(outstanding + burst - beat)
        m.d.comb += [
            self.answers.eq(self.memory.arvalid | (outstanding != 0)),
            self.idle.eq((left == 0) & ~self.answers),
            self.taken.eq(beat | (self.memory.arvalid & self.memory.arready)),
            self.memory.rready.eq(1),
            self.error.eq(beat & (self.memory.rresp != OKAY)),
        ]

        m.submodules.fifo = fifo = self._fifo.instance()
        wiring.connect(m, wiring.flipped(self.beats), fifo.output)
        m.d.comb += [
            fifo.input.payload.eq(self.memory.rdata),
            fifo.input.valid.eq(beat),
            fifo.flush.eq(self.stop),
        ]
        must(m, outstanding != 0, "the memory must give no word while it owes none", when=beat)
        in_range(m, "outstanding", outstanding, self._fifo_beats)
        return m

    def _decide_burst(self, m: Module, *, left: Signal) -> Value:
        """Decide on bursts; return the beats of a burst decided in this cycle, else 0."""
        address = Signal(MEMORY_ADDRESS_BITS)
        last = Signal(bits_for_index(self._burst_beats))
        burst, moves = Signal(range(self._burst_beats + 1)), Signal()
        reserved = Signal(range(self._fifo_beats + 1))
        leaves = self.beats.valid & self.beats.ready
        port, beat_bytes = self.memory, self._port_bits // 8
        m.d.comb += [
            last.eq(
                burst_length(
                    address=address, beats=left, port_bits=self._port_bits, most=self._burst_beats
                )
            ),
            self.command.ready.eq((left == 0) & ~self.stop),
            port.arsize.eq(beat_size(self._port_bits)),
            port.arburst.eq(INCREMENTING),
        ]
        m.d.sync += reserved.eq(reserved + burst - leaves)
        # Cycle 2: ARVALID holds until its handshake. Cycle 1: decide. Cycle 0: take a command.
        with m.If(port.arvalid):
            m.d.sync += port.arvalid.eq(~port.arready)
        with m.Elif(self.stop):
            m.d.sync += [left.eq(0), reserved.eq(0)]
        with m.Elif((left != 0) & (self._fifo_beats - reserved > last)):
            m.d.comb += burst.eq(last + 1)
            m.d.sync += [
                port.arvalid.eq(1),
                port.araddr.eq(address),
                port.arlen.eq(last),
                left.eq(left + ~Cat(last, Const(0, BEATS_BITS - len(last)))),
                moves.eq(1),
            ]
        # ARVALID is high for a cycle at least before the address of the next burst is wanted.
        with m.If(moves):
            m.d.sync += [moves.eq(0), address.eq(address + (port.arlen + 1) * beat_bytes)]
        with m.If(self.command.valid & self.command.ready):
            whole_beats = (1 << MEMORY_ADDRESS_BITS) - beat_bytes
            command = self.command.payload
            m.d.sync += [address.eq(command.address & whole_beats), left.eq(command.beats)]
        asked = Cat(port.araddr, port.arlen)
        holds(m, "the read address", valid=port.arvalid, ready=port.arready, payload=asked)
        in_range(m, "reserved", reserved, self._fifo_beats)
        # Each beat has a place: what waits in the FIFO and what is outstanding is reserved.
        beat = port.rvalid & port.rready & ~self.stop
        must(m, reserved != 0, "the buffer must take no word while it is full", when=beat)
        address, length, size = port.araddr, port.arlen, beat_bytes
        within_page(m, "a read burst", address, length, beat_bytes=size, when=port.arvalid)
        return burst
