"""Sequencer: runs the steps in order; instructions wait, start their unit and retire."""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.checks import one_hot
from hwgen.chip.rtl.fifo import Fifo
from hwgen.chip.rtl.part import Part, PartInstance
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import Opcode, instruction_bits
from hwgen.dbpim.facts.timing import INSTRUCTION_SLOTS
from hwgen.dbpim.rtl.layouts import packet, work, work_of


class Sequencer(Part):
    """Retires every instruction in order; the next one starts after that.

    A CONV or SIMD retires when all cores are idle: no work left and all stages empty.

    Ports
        instructions  stream in  longest       wait in a queue of INSTRUCTION_SLOTS
        loaded        in         1             the last word of a LOAD goes to the bus
        idle          in         cores         the core is idle
        stored        in         1             the write engine is done
        instruction   out        SIMD packet   being executed: fields that no core owns; held from
                                               ``go`` to the cycle after ``retire``
        work          out        cores x work  the fields of each core, of LOAD only `keep_*`
        go            out        cores         the core starts its part of a CONV
        go_simd       out        cores         the core starts its part of a SIMD
        load          out        1             the loader starts a LOAD
        store         out        1             the write engine starts
        store_fields  out        STORE packet  what to write
        retire        out        1             an instruction is over, in this cycle
        finished      out        1             with ``retire``: it is END
        waiting       out        1             waits for an instruction or for a LOAD
    Latency  ``DISPATCH_CYCLES`` from taking an instruction to the first cycle of its units
    Rate     one instruction at a time
    Errors   none: the loader forwards no other opcode
    Golden   the order of the instructions
    Source   docs/dbpim-microarchitecture.md, "Layer barrier"
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._cores = arch.cores
        self._arch = arch
        self._bits = instruction_bits(arch.cores, arch.widths)
        self._queue = Fifo(family=self.family, depth=INSTRUCTION_SLOTS, width=self._bits)
        self.parts = [self._queue]
        super().__init__(
            {
                "instructions": In(stream.Signature(self._bits)),
                "loaded": In(1),
                "idle": In(arch.cores),
                "stored": In(1),
                "instruction": Out(packet(Opcode.SIMD, arch)),
                "work": Out(data.ArrayLayout(work(), arch.cores)),
                "go": Out(arch.cores),
                "go_simd": Out(arch.cores),
                "load": Out(1),
                "store": Out(1),
                "store_fields": Out(packet(Opcode.STORE, arch)),
                "retire": Out(1),
                "finished": Out(1),
                "waiting": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.queue = queue = self._queue.instance()
        held = Signal(self._bits)
        self.guarded(held)
        m.d.comb += [
            queue.input.payload.eq(self.instructions.payload),
            queue.input.valid.eq(self.instructions.valid),
            self.instructions.ready.eq(queue.input.ready),
            self.instruction.as_value().eq(held),
            self.store_fields.as_value().eq(held),
        ]
        self._select_work(m, held)
        with m.FSM():
            with m.State("FETCH"):
                self._fetch(m, queue, held=held)
            with m.State("GO"):
                self._go(m)
            with m.State("RUN"):
                self._wait(m, self.idle.all())
            with m.State("LOAD"):
                m.d.comb += self.waiting.eq(1)
                self._wait(m, self.loaded)
            with m.State("STORE"):
                self._wait(m, self.stored)
            with m.State("END"):
                pass
        starts = [self.go.any(), self.go_simd.any(), self.load, self.store, self.finished]
        one_hot(m, "starts", starts)
        return m

    def _select_work(self, m: Module, held: Signal) -> None:
        """Select the fields of each core, which stand elsewhere in each kind of instruction."""
        for core in range(self._cores):
            mine = self.work[core]
            with m.Switch(self.instruction.opcode):
                with m.Case(Opcode.CONV):
                    m.d.comb += mine.as_value().eq(
                        work_of(Opcode.CONV, held, core, self._arch).as_value()
                    )
                with m.Case(Opcode.SIMD):
                    m.d.comb += mine.as_value().eq(
                        work_of(Opcode.SIMD, held, core, self._arch).as_value()
                    )
                with m.Case(Opcode.LOAD):
                    kept = work_of(Opcode.LOAD, held, core, self._arch)
                    for name in work(Opcode.LOAD).members:
                        m.d.comb += getattr(mine, name).eq(getattr(kept, name))

    def _fetch(self, m: Module, queue: PartInstance, *, held: Signal) -> None:
        """Take the next instruction when there is one."""
        m.d.comb += [queue.output.ready.eq(1), self.waiting.eq(~queue.output.valid)]
        with m.If(queue.output.valid):
            m.d.sync += held.eq(queue.output.payload)
            m.next = "GO"

    def _go(self, m: Module) -> None:
        """Start the cores, the loader or the write engine, as the opcode says."""
        cores, opcode = Signal(self._cores), self.instruction.opcode
        m.d.comb += cores.eq(self.instruction.active_cores)
        with m.Switch(opcode):
            with m.Case(Opcode.END):
                m.d.comb += [self.retire.eq(1), self.finished.eq(1)]
                m.next = "END"
            with m.Case(Opcode.STORE):
                m.d.comb += self.store.eq(1)
                m.next = "STORE"
            with m.Case(Opcode.LOAD):
                m.d.comb += self.load.eq(1)
                m.next = "LOAD"
            with m.Default():
                conv = opcode == Opcode.CONV
                m.d.comb += [
                    self.go.eq(Mux(conv, cores, 0)),
                    self.go_simd.eq(Mux(conv, 0, cores)),
                ]
                m.next = "RUN"

    def _wait(self, m: Module, over: Value) -> None:
        """Retire the instruction when its unit says so."""
        m.d.comb += self.retire.eq(over)
        with m.If(over):
            m.next = "FETCH"
