"""Sequencer: runs the layers in order; instructions wait, start the cores and retire."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from hwgen.rtl.common.fifo import Fifo
from hwgen.rtl.dbpim.layouts import packet
from hwgen.rtl.part import Part, PartInstance
from hwgen.spec.dbpim.arch import Arch
from hwgen.spec.dbpim.instructions import INSTRUCTION_BITS, Opcode
from hwgen.spec.dbpim.timing import INSTRUCTION_SLOTS


class Sequencer(Part):
    """Retires the image, then every instruction in order; the next one starts after that.

    A layer retires when all cores are idle: no work left and all stages empty.

    Ports
        instructions  stream in  512    wait in a queue of INSTRUCTION_SLOTS
        image_done    in         1      the last word of the image goes to the bus
        idle          in         cores  the core is idle
        stored        in         1      the write engine is done
        instruction   out        512    being executed; held from ``go`` to ``retire``
        go            out        cores  the core starts its part of a CONV
        go_simd       out        cores  the core starts its part of a POOL or ADD
        store         out        1      the write engine starts
        store_words   out        16     number of logits to write
        retire        out        1      image or instruction is over, in this cycle
        finished      out        1      with ``retire``: it is END
        waiting       out        1      waits for the image or for an instruction
    Latency  ``DISPATCH_CYCLES`` from taking an instruction to the first cycle of its units
    Rate     one instruction at a time
    Errors   none: the loader forwards no other opcode
    Golden   the order of the instructions
    Source   docs/dbpim-microarchitecture.md, "Layer barrier"
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._cores = arch.cores
        self._queue = Fifo(family=self.family, depth=INSTRUCTION_SLOTS, width=INSTRUCTION_BITS)
        self.parts = [self._queue]
        super().__init__(
            {
                "instructions": In(stream.Signature(INSTRUCTION_BITS)),
                "image_done": In(1),
                "idle": In(arch.cores),
                "stored": In(1),
                "instruction": Out(INSTRUCTION_BITS),
                "go": Out(arch.cores),
                "go_simd": Out(arch.cores),
                "store": Out(1),
                "store_words": Out(packet(Opcode.STORE)["words"].width),
                "retire": Out(1),
                "finished": Out(1),
                "waiting": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.queue = queue = self._queue.instance()
        m.d.comb += [
            queue.input.payload.eq(self.instructions.payload),
            queue.input.valid.eq(self.instructions.valid),
            self.instructions.ready.eq(queue.input.ready),
        ]
        with m.FSM():
            with m.State("IMAGE"):
                m.d.comb += [self.waiting.eq(1), self.retire.eq(self.image_done)]
                with m.If(self.image_done):
                    m.next = "FETCH"
            with m.State("FETCH"):
                self._fetch(m, queue)
            with m.State("GO"):
                self._go(m)
            with m.State("RUN"):
                m.d.comb += self.retire.eq(self.idle.all())
                with m.If(self.retire):
                    m.next = "FETCH"
            with m.State("STORE"):
                m.d.comb += self.retire.eq(self.stored)
                with m.If(self.retire):
                    m.next = "FETCH"
            with m.State("END"):
                pass
        return m

    def _fetch(self, m: Module, queue: PartInstance) -> None:
        """Take the next instruction when there is one."""
        m.d.comb += [queue.output.ready.eq(1), self.waiting.eq(~queue.output.valid)]
        with m.If(queue.output.valid):
            m.d.sync += self.instruction.eq(queue.output.payload)
            m.next = "GO"

    def _go(self, m: Module) -> None:
        """Start the cores or the write engine, as the opcode says."""
        layer = data.View(packet(Opcode.CONV), self.instruction[: packet(Opcode.CONV).size])
        store = data.View(packet(Opcode.STORE), self.instruction[: packet(Opcode.STORE).size])
        cores = Signal(self._cores)
        m.d.comb += [cores.eq(layer.active_cores), self.store_words.eq(store.words)]
        with m.Switch(layer.opcode):
            with m.Case(Opcode.END):
                m.d.comb += [self.retire.eq(1), self.finished.eq(1)]
                m.next = "END"
            with m.Case(Opcode.STORE):
                m.d.comb += self.store.eq(1)
                m.next = "STORE"
            with m.Default():
                conv = layer.opcode == Opcode.CONV
                m.d.comb += [
                    self.go.eq(Mux(conv, cores, 0)),
                    self.go_simd.eq(Mux(conv, 0, cores)),
                ]
                m.next = "RUN"
