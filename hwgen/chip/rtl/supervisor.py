"""Start, stop, errors, the watchdog and the counters of a chip."""

from enum import IntEnum
from typing import NamedTuple

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.checks import in_range, one_hot
from hwgen.chip.rtl.shared import SharedPart

COUNTER_BITS = 64
RETIREMENT_BITS = 32
NO_ERROR = 0


class SupervisorErrors(NamedTuple):
    """The family's codes of the errors that a supervisor detects; 0 is no error."""

    read: int
    write: int
    stalled: int

    @classmethod
    def among(cls, codes: type[IntEnum]) -> "SupervisorErrors":
        """Return READ_ERROR, WRITE_ERROR and STALLED of a family's codes."""
        return cls(*(codes[name] for name in ("READ_ERROR", "WRITE_ERROR", "STALLED")))


class Supervisor(SharedPart):
    """Lets a program run from ``start`` to its end or to the first error, and counts.

    While ``running`` is low, the chip holds everything between registers and memory port in reset.

    Parameters
    ----------
        family            prefix of the module name
        errors            codes of a read error, a write error and a stall
        error_bits        width of an error code
        watchdog_cycles   cycles without progress, and without an answer that the memory owes, that
                          end a run with ``errors.stalled``, at least 2
        progress_sources  number of progress signals; any one of them resets the watchdog
    Ports
        start           in   1           begin a run; ignored while busy
        finished        in   1           END retires in this cycle
        loader_error    in   error_bits  error of the loader; 0: none
        read_error      in   1           a beat was read with an error
        write_error     in   1           a burst was answered with an error
        progress        in   sources     bit s: source s makes progress in this cycle; it and
                                         ``memory_answers`` count in the next one
        memory_idle     in   1           no transfer is outstanding on the memory port
        memory_answers  in   1           the memory owes an answer: the watchdog stands still
        retire          in   1           image or instruction is over
        computes        in   1           a unit computes
        waits_for_load  in   1           a unit waits for the loader
        running         out  1           the program runs
        stop            out  1           the memory side drains
        busy            out  1           running or draining
        done            out  1           the last run has ended with END
        error           out  error_bits  code of the last run
        cycles          out  64          of the last run
        load_cycles     out  64          load-stall cycles: ``waits_for_load`` and not ``computes``,
                                         each counted two cycles after it
        layers          out  32          retirements of the last run, each counted in the cycle
                                         after it
    Latency  1 cycle from ``start`` to ``running``, from ``finished`` or an error to its end
    Rate     none
    Errors   ValueError for a parameter out of range; the first error counts; ``errors.stalled``
             after ``watchdog_cycles`` cycles without progress in which the memory owes
             nothing, and one more after progress; an error in the cycle of ``finished`` is
             ignored
    Golden   the cycle model
    Source   docs/dbpim-microarchitecture.md, "Start and stop" and "Counters"
    """

    def __init__(
        self,
        *,
        family: str,
        errors: SupervisorErrors,
        error_bits: int,
        watchdog_cycles: int,
        progress_sources: int,
    ) -> None:
        for name, code in errors._asdict().items():
            if not NO_ERROR < code < 1 << error_bits:
                raise ValueError(f"errors.{name} must be 1 to {(1 << error_bits) - 1}, got {code}")
        for name, value, least in (
            ("watchdog_cycles", watchdog_cycles, 2),
            ("progress_sources", progress_sources, 1),
        ):
            if value < least:
                raise ValueError(f"{name} must be at least {least}, got {value}")
        self._errors = errors
        self._watchdog_cycles = watchdog_cycles
        super().__init__(
            {
                "start": In(1),
                "finished": In(1),
                "loader_error": In(error_bits),
                "read_error": In(1),
                "write_error": In(1),
                "progress": In(progress_sources),
                "memory_idle": In(1),
                "memory_answers": In(1),
                "retire": In(1),
                "computes": In(1),
                "waits_for_load": In(1),
                "running": Out(1),
                "stop": Out(1),
                "busy": Out(1),
                "done": Out(1),
                "error": Out(error_bits),
                "cycles": Out(COUNTER_BITS),
                "load_cycles": Out(COUNTER_BITS),
                "layers": Out(RETIREMENT_BITS),
            },
            family=family,
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.busy.eq(self.running | self.stop)
        # Units are far away: what they tell is kept for a cycle, and no counter waits for it.
        stalls, quiet = Signal(), Signal(range(self._watchdog_cycles))
        waits, works, retired = Signal(), Signal(), Signal()
        goes_on, owed = Signal(), Signal()
        m.d.sync += [
            goes_on.eq(self.progress.any()),
            owed.eq(self.memory_answers),
            waits.eq(self.running & self.waits_for_load),
            works.eq(self.computes),
            stalls.eq(waits & ~works),
            self.load_cycles.eq(self.load_cycles + stalls),
            retired.eq(self.running & self.retire),
            self.layers.eq(self.layers + retired),
        ]
        with m.FSM():
            with m.State("IDLE"), m.If(self.start):
                # The cycle of `start` is the first one, and a load-stall cycle.
                m.d.sync += [
                    self.cycles.eq(1),
                    self.load_cycles.eq(1),
                    self.layers.eq(0),
                    self.done.eq(0),
                    self.error.eq(NO_ERROR),
                    quiet.eq(0),
                ]
                m.next = "RUN"
            with m.State("RUN"):
                m.d.comb += self.running.eq(1)
                m.d.sync += self.cycles.eq(self.cycles + 1)
                found = self._error(m, quiet, goes_on, owed)
                with m.If(self.finished):
                    m.next = "DRAIN"
                with m.Elif(found != NO_ERROR):
                    m.d.sync += self.error.eq(found)
                    m.next = "DRAIN"
            with m.State("DRAIN"):
                m.d.comb += self.stop.eq(1)
                with m.If(self.memory_idle):
                    m.d.sync += self.done.eq(self.error == NO_ERROR)
                    m.next = "IDLE"
        one_hot(m, "running and stop", [self.running, self.stop])
        one_hot(m, "busy and done", [self.busy, self.done])
        in_range(m, "quiet", quiet, self._watchdog_cycles - 1, when=self.running)
        return m

    def _error(self, m: Module, quiet: Signal, goes_on: Signal, owed: Signal) -> Value:
        """Return the error of this cycle; the watchdog counts cycles in which the chip stands.

        quiet: so many of them lie behind the last progress of this run
        goes_on, owed: something made progress in the cycle before, the memory owed an answer
        """
        found, counts = Signal.like(self.error), Signal()
        m.d.comb += counts.eq(~goes_on & ~owed)
        m.d.sync += quiet.eq(Mux(goes_on, 0, quiet + counts))
        with m.If(self.read_error):
            m.d.comb += found.eq(self._errors.read)
        with m.Elif(self.write_error):
            m.d.comb += found.eq(self._errors.write)
        with m.Elif(self.loader_error != NO_ERROR):
            m.d.comb += found.eq(self.loader_error)
        with m.Elif(counts & (quiet == self._watchdog_cycles - 1)):
            m.d.comb += found.eq(self._errors.stalled)
        return found
