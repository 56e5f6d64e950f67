"""The crossbar chip: a conductor, a mesh of macros, and the I/O node at the memory port."""

from collections.abc import Iterator, Sequence

from amaranth.hdl import Cat, ClockSignal, Const, Module, Mux, Signal, Value

from hwgen.chip.axi import BURST_BEATS, READ_FIFO_BEATS
from hwgen.chip.registers import ADDRESS_BITS, Command
from hwgen.chip.rtl.part import Part, PartInstance
from hwgen.chip.rtl.register_file import RegisterFile
from hwgen.chip.rtl.shell import Engine, Host, Shell, ShellFacts
from hwgen.chip.rtl.supervisor import SupervisorErrors
from hwgen.crossbar.facts import chip as facts
from hwgen.crossbar.facts import routes
from hwgen.crossbar.facts.image_io import BANKS, answer_beats, image_beats
from hwgen.crossbar.facts.operations import PER_BIT
from hwgen.crossbar.facts.registers import (
    ERROR_BITS,
    REGISTERS,
    VERSION,
    ErrorCode,
)
from hwgen.crossbar.facts.timing import SETTLE_CLOCKS, WATCHDOG_CYCLES
from hwgen.crossbar.rtl import layouts
from hwgen.crossbar.rtl.conductor import Conductor
from hwgen.crossbar.rtl.front import Front
from hwgen.crossbar.rtl.image_sender import ImageSender
from hwgen.crossbar.rtl.links import Router
from hwgen.crossbar.rtl.result_collector import ResultCollector

PROGRESS = ("tick", "beat", "stored")
"""Progress sources of the watchdog: a step begins, a beat is taken, results are stored."""
COUNT_BITS, LATE_BITS = 32, 32


def shell_facts(chip: facts.Chip) -> ShellFacts:
    """Return tables and sizes for the shell."""
    return ShellFacts(
        registers=REGISTERS,
        id_word=chip.id_word,
        version=VERSION,
        address_bits=ADDRESS_BITS,
        error_bits=ERROR_BITS,
        errors=SupervisorErrors.among(ErrorCode),
        watchdog_cycles=WATCHDOG_CYCLES,
        progress=PROGRESS,
        port_bits=chip.flit_bits,
        fifo_beats=READ_FIFO_BEATS,
        burst_beats=BURST_BEATS,
        word_bits=chip.flit_bits,
        count_bits=COUNT_BITS,
        entries=BANKS * answer_beats(chip),
        resets_data=chip.resets_data,
    )


class Chip(Shell):
    """Holds the weights of one network in crossbars, and runs images through them.

    A host loads a program once, then starts runs of images.

    Ports
        registers  out  AXI4-Lite subordinate, 32 bits of data
        memory     out  AXI4 manager, 64-bit addresses, flit_bits of data, INCR bursts
        irq        out  an interrupt, level: a run has ended and the host has enabled it
        trace      out  for benches and simulations only: see ``layouts.chip_trace``
    Latency  the cycles that ``hwgen.crossbar.model`` predicts, for the memory that it assumes
    Rate     one command at a time
    Errors   ErrorCode in the register `error`; the chip then stops and can be started again
    Golden   ``golden.network``
    Source   seed 003, Fig. 2; docs/crossbar-chip.md
    """

    family = "crossbar"

    def __init__(self, *, chip: facts.Chip, macros: Sequence[Part]) -> None:
        self._chip, self._macros = chip, macros
        self._conductor, self._router = Conductor(chip=chip), Router(chip=chip)
        self._front = Front(chip=chip, settle=SETTLE_CLOCKS)
        self._sender, self._collector = ImageSender(chip=chip), ResultCollector(chip=chip)
        self._images = RegisterFile(
            family=self.family, depth=BANKS * image_beats(chip), width=chip.flit_bits
        )
        self._answers = RegisterFile(
            family=self.family, depth=BANKS * answer_beats(chip), width=chip.flit_bits
        )
        parts = [self._conductor, self._router, self._front, self._sender, self._collector]
        parts += [self._images, self._answers, *macros]
        super().__init__(shell_facts(chip), parts=parts, trace=layouts.chip_trace(chip))

    def engine(self, m: Module, host: Host) -> Engine:
        chip, registers = self._chip, host.registers
        conductor = self.in_engine(m, "conductor", self._conductor)
        front = self.in_engine(m, "front", self._front)
        sender = self.in_engine(m, "sender", self._sender)
        collector = self.in_engine(m, "collector", self._collector)
        macros = [
            self.in_engine(m, f"macro{number}", part) for number, part in enumerate(self._macros)
        ]
        routers = [
            self.in_engine(m, f"router{node}", self._router)
            for node in range(chip.rows * chip.columns)
        ]
        running = host.supervisor.running
        known, loads = Signal(), Signal()
        m.d.sync += known.eq(Mux(running & loads, front.done, known))
        m.d.comb += loads.eq(registers.command == Command.LOAD)
        self._connect_buffers(m, host, front=front, sender=sender, collector=collector)
        self._connect_conductor(m, host, conductor, front=front, collector=collector)
        self._connect_mesh(m, conductor, macros, routers)
        inside = Mux(front.link.valid, Value.cast(front.link), Value.cast(sender.link))
        m.d.comb += [
            front.load.eq(loads),
            front.known.eq(known),
            Value.cast(routers[chip.io_node].inputs[routes.IO]).eq(inside),
            Value.cast(collector.link).eq(Value.cast(routers[chip.io_node].outputs[routes.IO])),
            sender.go.eq(
                Cat(
                    conductor.strobes[f"layer{travel.owner}"].transfer.go
                    for travel in chip.travels
                    if travel.kind == "image"
                )
            ),
        ]
        error = self._error(m, front, sender, collector, macros=macros, routers=routers)
        counters = self._counters(m, host, conductor, collector, macros=macros)
        done = Signal()
        m.d.comb += done.eq(
            Mux(loads, front.done, conductor.finished & (collector.images == registers.images))
        )
        self._connect_trace(m, host, conductor, collector, macros=macros, routers=routers)
        return Engine(
            loader=front,
            finished=done,
            error=error,
            retire=collector.retire,
            computes=conductor.works,
            waits_for_load=Value.cast(~loads),
            progress={
                "tick": conductor.tick,
                "beat": front.beats.valid & front.beats.ready,
                "stored": collector.stored,
            },
            counters=counters,
        )

    def _connect_buffers(
        self,
        m: Module,
        host: Host,
        *,
        front: PartInstance,
        sender: PartInstance,
        collector: PartInstance,
    ) -> None:
        """Place the buffers of images and answers between mesh and memory port."""
        m.submodules.images = images = self._images.instance()
        m.submodules.answers = answers = self._answers.instance()
        registers, writer = host.registers, host.writer
        m.d.comb += [
            front.program_address.eq(registers.program_address),
            front.image_address.eq(registers.image_address),
            front.images.eq(registers.images),
            front.id_word.eq(self._chip.id_word),
            front.room.eq(sender.room),
            images.clk.eq(ClockSignal()),
            images.write_en.eq(front.write),
            images.write_index.eq(front.write_index),
            images.write_data.eq(front.beats.payload),
            images.read_index.eq(sender.read_index),
            sender.read_data.eq(images.read_data),
            sender.loaded.eq(front.loaded),
            answers.clk.eq(ClockSignal()),
            answers.write_en.eq(collector.write),
            answers.write_index.eq(collector.write_index),
            answers.write_data.eq(collector.write_data),
            answers.read_index.eq(writer.read_index),
            writer.read_data.eq(answers.read_data),
            collector.address.eq(registers.answer_address),
            collector.stored.eq(writer.done),
            writer.start.eq(collector.store),
            writer.words.eq(collector.store_beats),
            writer.index.eq(collector.store_index),
            writer.address.eq(collector.store_address),
        ]

    def _connect_conductor(
        self,
        m: Module,
        host: Host,
        conductor: PartInstance,
        *,
        front: PartInstance,
        collector: PartInstance,
    ) -> None:
        """Let steps go on while images come and results have room."""
        m.d.comb += [
            conductor.images.eq(host.registers.images),
            conductor.interval.eq(host.registers.interval),
            conductor.image_ready.eq(front.loaded != conductor.images_entered),
            conductor.room.eq(collector.room),
            collector.boundary.eq(conductor.tick | conductor.finished),
            Value.cast(collector.whole).eq(Value.cast(conductor.whole)),
        ]

    def _connect_mesh(
        self,
        m: Module,
        conductor: PartInstance,
        macros: Sequence[PartInstance],
        routers: Sequence[PartInstance],
    ) -> None:
        """Connect routers with their neighbours and macros, and macros with their strobes."""
        chip = self._chip
        for node, router in enumerate(routers):
            table = Cat(Const(mask, routes.PORTS) for mask in routes.masks(chip, node))
            m.d.comb += router.exits.eq(table)
            for port, neighbour in routes.beside(chip, node).items():
                there = routers[neighbour].outputs[routes.opposite(port)]
                m.d.comb += Value.cast(router.inputs[port]).eq(Value.cast(there))
        for own, macro in zip(chip.macros, macros, strict=True):
            router = routers[own.node]
            m.d.comb += [
                Value.cast(router.inputs[routes.LOCAL]).eq(Value.cast(macro.link_out)),
                Value.cast(macro.link_in).eq(Value.cast(router.outputs[routes.LOCAL])),
            ]
            for place in chip.layers_in(own.macro):
                name = f"layer{place}"
                m.d.comb += Value.cast(macro.strobes[name]).eq(Value.cast(conductor.strobes[name]))

    def _error(
        self,
        m: Module,
        front: PartInstance,
        sender: PartInstance,
        collector: PartInstance,
        *,
        macros: Sequence[PartInstance],
        routers: Sequence[PartInstance],
    ) -> Signal:
        """Return the error of this clock, 0 if there is none."""
        error = Signal(ERROR_BITS)
        late = Cat(macro.late for macro in macros).any()
        lost = Cat(macro.overflow for macro in macros).any() | collector.unknown
        clash = Cat(router.clash for router in routers).any() | sender.clash
        m.d.comb += error.eq(
            Mux(
                late,
                ErrorCode.LATE,
                Mux(lost, ErrorCode.LOST, Mux(clash, ErrorCode.CLASH, front.error)),
            )
        )
        return error

    def _counters(
        self,
        m: Module,
        host: Host,
        conductor: PartInstance,
        collector: PartInstance,
        *,
        macros: Sequence[PartInstance],
    ) -> dict[str, Value]:
        """Return registers of the last run; they outlive the reset of what they count."""
        steps, held = Signal(COUNT_BITS), Signal(COUNT_BITS)
        late, images = Signal(LATE_BITS), Signal(COUNT_BITS)
        of_macros = [
            Cat(macro.late for macro in macros[first::LATE_BITS]).any()
            for first in range(min(LATE_BITS, len(macros)))
        ]
        with m.If(host.registers.start):
            m.d.sync += [steps.eq(0), held.eq(0), late.eq(0), images.eq(0)]
        with m.Elif(host.supervisor.running):
            m.d.sync += [
                steps.eq(steps + conductor.tick),
                held.eq(conductor.held),
                late.eq(late | Cat(*of_macros)),
                images.eq(images + collector.retire),
            ]
        return {"images_done": images, "steps": steps, "held_clocks": held, "late": late}

    def _connect_trace(
        self,
        m: Module,
        host: Host,
        conductor: PartInstance,
        collector: PartInstance,
        *,
        macros: Sequence[PartInstance],
        routers: Sequence[PartInstance],
    ) -> None:
        """Show benches and simulations what happens in each clock."""
        trace = self.trace
        on_links = [router.outputs[port].valid for router in routers for port in range(4)]
        m.d.comb += [
            trace.running.eq(host.supervisor.running),
            trace.entered.eq(conductor.entered),
            trace.retire.eq(collector.retire),
            trace.tick.eq(conductor.tick),
            trace.starts.eq(conductor.starts),
            trace.strobes.eq(Cat(first_strobes(self._chip, conductor))),
            trace.late.eq(Cat(macro.late for macro in macros)),
            trace.flits.eq(sum(on_links[1:], on_links[0])),
        ]
        for number, macro in enumerate(macros):
            m.d.comb += [
                Value.cast(trace.events[number]).eq(Value.cast(macro.events)),
                Value.cast(trace.stores[number]).eq(Value.cast(macro.store)),
            ]


def first_strobes(chip: facts.Chip, conductor: PartInstance) -> Iterator[Value]:
    """Yield the strobe of each operation, of one that is repeated that of its first bit step."""
    for layer in chip.layers:
        for operation in layer.operations:
            strobe = conductor.strobes[f"layer{layer.place}"][operation.name]
            yield strobe.go & (strobe.bit == 0) if operation.name in PER_BIT else strobe.go
