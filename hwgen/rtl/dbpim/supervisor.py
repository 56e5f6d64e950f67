"""Start, stop, errors, the watchdog and the counters of the chip."""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib.wiring import In, Out

from hwgen.rtl.dbpim.loader import ERROR_BITS
from hwgen.rtl.part import Part
from hwgen.spec.dbpim.instructions import ErrorCode
from hwgen.spec.dbpim.timing import WATCHDOG_CYCLES

COUNTER_BITS = 64
LAYERS_BITS = 32


class Supervisor(Part):
    """Lets a program run from ``start`` to its end or to the first error, and counts.

    While ``running`` is low, everything between registers and memory port is held in reset.

    Ports
        start           in   1   begin a run; ignored while busy
        finished        in   1   END retires in this cycle
        loader_error    in   3   ErrorCode of what the loader has found; 0: nothing
        read_error      in   1   a beat was read with an error
        write_error     in   1   a burst was answered with an error
        progress        in   1   something moved in this cycle
        memory_idle     in   1   nothing is outstanding on the memory port
        retire          in   1   image or instruction is over
        computes        in   1   a macro issues or a SIMD unit reads
        waits_for_load  in   1   sequencer or core wait for the loader
        running         out  1   the program runs
        stop            out  1   the memory side drains
        busy            out  1   running or draining
        done            out  1   the last run has ended with END
        error           out  3   ErrorCode of the last run
        cycles          out  64  of the last run
        load_cycles     out  64  those with ``waits_for_load`` and not ``computes``
        layers          out  32  retirements of the last run
    Latency  1 cycle from ``start`` to ``running``, from ``finished`` or an error to its end
    Rate     none
    Errors   the first one counts; STALLED after WATCHDOG_CYCLES without progress; an error in the
             cycle of ``finished`` does not count
    Golden   the cycle model
    Source   docs/dbpim-microarchitecture.md, "Start and stop" and "Counters"
    """

    family = "dbpim"

    def __init__(self) -> None:
        super().__init__(
            {
                "start": In(1),
                "finished": In(1),
                "loader_error": In(ERROR_BITS),
                "read_error": In(1),
                "write_error": In(1),
                "progress": In(1),
                "memory_idle": In(1),
                "retire": In(1),
                "computes": In(1),
                "waits_for_load": In(1),
                "running": Out(1),
                "stop": Out(1),
                "busy": Out(1),
                "done": Out(1),
                "error": Out(ERROR_BITS),
                "cycles": Out(COUNTER_BITS),
                "load_cycles": Out(COUNTER_BITS),
                "layers": Out(LAYERS_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.busy.eq(self.running | self.stop)
        with m.FSM():
            with m.State("IDLE"), m.If(self.start):
                # The cycle of `start` is the first; the image is awaited in it.
                m.d.sync += [
                    self.cycles.eq(1),
                    self.load_cycles.eq(1),
                    self.layers.eq(0),
                    self.done.eq(0),
                    self.error.eq(ErrorCode.NONE),
                ]
                m.next = "RUN"
            with m.State("RUN"):
                m.d.comb += self.running.eq(1)
                m.d.sync += [
                    self.cycles.eq(self.cycles + 1),
                    self.load_cycles.eq(self.load_cycles + (self.waits_for_load & ~self.computes)),
                    self.layers.eq(self.layers + self.retire),
                ]
                found = self._error(m)
                with m.If(self.finished):
                    m.next = "DRAIN"
                with m.Elif(found != ErrorCode.NONE):
                    m.d.sync += self.error.eq(found)
                    m.next = "DRAIN"
            with m.State("DRAIN"):
                m.d.comb += self.stop.eq(1)
                with m.If(self.memory_idle):
                    m.d.sync += self.done.eq(self.error == ErrorCode.NONE)
                    m.next = "IDLE"
        return m

    def _error(self, m: Module) -> Value:
        """Return the error of this cycle; watch for the lack of progress."""
        found, quiet = Signal(ERROR_BITS), Signal(range(WATCHDOG_CYCLES))
        m.d.sync += quiet.eq(Mux(self.progress, 0, quiet + 1))
        with m.If(self.read_error):
            m.d.comb += found.eq(ErrorCode.READ_ERROR)
        with m.Elif(self.write_error):
            m.d.comb += found.eq(ErrorCode.WRITE_ERROR)
        with m.Elif(self.loader_error != ErrorCode.NONE):
            m.d.comb += found.eq(self.loader_error)
        with m.Elif(~self.progress & (quiet == WATCHDOG_CYCLES - 1)):
            m.d.comb += found.eq(ErrorCode.STALLED)
        return found
