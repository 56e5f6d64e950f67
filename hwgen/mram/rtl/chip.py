"""The MRAM chip: registers, memory port, loader, control, tables and the data path."""

from amaranth.hdl import (
    Cat,
    ClockDomain,
    ClockSignal,
    DomainRenamer,
    Module,
    ResetSignal,
    Signal,
    Value,
)
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from hwgen.chip.rtl import axi
from hwgen.chip.rtl.part import Part, PartInstance
from hwgen.chip.rtl.read_engine import ReadEngine
from hwgen.chip.rtl.registers import Registers
from hwgen.chip.rtl.supervisor import Supervisor, SupervisorErrors
from hwgen.chip.rtl.write_engine import WriteEngine
from hwgen.mram.facts.arch import MOST_ROW_SETS, Arch
from hwgen.mram.facts.records import COUNT_BITS
from hwgen.mram.facts.registers import ADDRESS_BITS, ERROR_BITS, REGISTERS, VERSION, ErrorCode
from hwgen.mram.facts.timing import BURST_BEATS, READ_FIFO_BEATS, WATCHDOG_CYCLES
from hwgen.mram.rtl.answer_buffer import AnswerBuffer
from hwgen.mram.rtl.control import UNITS, Control
from hwgen.mram.rtl.counters import Counters
from hwgen.mram.rtl.datapath import Datapath
from hwgen.mram.rtl.layouts import chip_trace, entry
from hwgen.mram.rtl.loader import Loader
from hwgen.mram.rtl.table import ParameterTable, RecordTable

PROGRESS = ("unit", "former", "word", "beat", "retirement", "read", "write")
"""Progress sources of the watchdog: an octet or the pool unit works, the former reads or sends, a
result is written, the loader takes a beat, a record retires, memory is read or written."""

STATUS = ("busy", "done", "error", "cycles", "load_cycles", "layers")
"""Registers that the supervisor drives."""
COUNTS = ("and_operations", "input_row_writes", "weight_row_writes", "refused_row_writes")
"""Registers that the counters drive."""
TRACED = (
    *("plane", "sum_lanes", "result_lanes", "reader_read", "pool_read", "skip_read"),
    *("bank_valid", "bank", "answer_valid", "answer"),
)
"""Outputs of the data path in the trace."""


class Chip(Part):
    """Holds weights in SOT-MRAM, and runs images through them in the width that the host requests.

    A host writes the addresses, loads a program once, then starts runs of images; it may write
    `mode` at any time.

    Ports
        registers  out  AXI4-Lite subordinate, 32 bits of data
        memory     out  AXI4 manager, 64-bit addresses, port_bits of data, INCR bursts
        trace      out  for benches and simulations only: see ``layouts.chip_trace``
    Latency  the cycles that ``hwgen.mram.model`` predicts, for the memory that it assumes
    Rate     one command at a time
    Errors   ErrorCode in the register `error`; the chip then stops and can be started again
    Golden   ``golden.network``
    Source   seed 001, Fig. 4; docs/mram-microarchitecture.md
    """

    family = "mram"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        self._make_host_side(arch)
        self._loader = Loader(arch=arch)
        self._datapath = Datapath(arch=arch)
        self._control = Control(arch=arch)
        self._counters = Counters(arch=arch)
        self._records = RecordTable(arch=arch)
        self._parameters = ParameterTable(arch=arch)
        self._answers = AnswerBuffer(arch=arch)
        self.parts = [self._registers, self._supervisor, self._read_engine, self._write_engine]
        self.parts += [self._loader, self._datapath, self._control, self._counters]
        self.parts += [self._records, self._parameters, self._answers]
        memory = {**axi.read_manager(arch.port_bits), **axi.write_manager(arch.port_bits)}
        super().__init__(
            {
                "registers": Out(wiring.Signature(axi.lite_subordinate(ADDRESS_BITS))),
                "memory": Out(wiring.Signature(memory)),
                "trace": Out(chip_trace(arch)),
            }
        )

    def _make_host_side(self, arch: Arch) -> None:
        """Make the shared parts, with the tables and sizes of this family."""
        self._registers = Registers(
            family=self.family,
            table=REGISTERS,
            constants={"id": arch.id_word, "version": VERSION},
            address_bits=ADDRESS_BITS,
            error_bits=ERROR_BITS,
        )
        self._supervisor = Supervisor(
            family=self.family,
            errors=SupervisorErrors(
                read=ErrorCode.READ_ERROR, write=ErrorCode.WRITE_ERROR, stalled=ErrorCode.STALLED
            ),
            error_bits=ERROR_BITS,
            watchdog_cycles=WATCHDOG_CYCLES,
            progress_sources=len(PROGRESS),
        )
        self._read_engine = ReadEngine(
            family=self.family,
            port_bits=arch.port_bits,
            fifo_beats=READ_FIFO_BEATS,
            burst_beats=BURST_BEATS,
        )
        self._write_engine = WriteEngine(
            family=self.family,
            port_bits=arch.port_bits,
            burst_beats=BURST_BEATS,
            word_bits=arch.answer_bits,
            count_bits=COUNT_BITS,
            entries=arch.answer_entries,
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains.engine = engine_clock = ClockDomain(local=True)
        m.submodules.registers = registers = self._registers.instance()
        m.submodules.supervisor = supervisor = self._supervisor.instance()
        m.submodules.read_engine = reader = self._read_engine.instance()
        m.submodules.write_engine = writer = self._write_engine.instance()
        m.submodules.control = control = self._control.instance()
        m.submodules.counters = counters = self._counters.instance()
        # These two are held in reset while no command runs.
        loader, datapath = self._loader.instance(), self._datapath.instance()
        m.submodules.loader = DomainRenamer("engine")(loader)
        m.submodules.datapath = DomainRenamer("engine")(datapath)
        m.d.comb += [
            engine_clock.clk.eq(ClockSignal()),
            engine_clock.rst.eq(ResetSignal() | ~supervisor.running),
            counters.start.eq(registers.start),
            counters.octets.eq(datapath.octets),
        ]
        self._connect_host(m, registers, supervisor=supervisor, control=control, counters=counters)
        self._connect_memory(m, reader=reader, writer=writer, supervisor=supervisor)
        self._connect_loader(m, loader, reader=reader, control=control, registers=registers)
        self._connect_units(m, control=control, loader=loader, datapath=datapath, writer=writer)
        self._connect_tables(m, loader=loader, control=control, datapath=datapath, writer=writer)
        progress = {
            "unit": datapath.works,
            "former": datapath.moves,
            "word": datapath.bank_valid | datapath.answer_valid,
            "beat": loader.beats.valid & loader.beats.ready,
            "retirement": control.retire,
            "read": reader.taken,
            "write": writer.taken,
        }
        m.d.comb += supervisor.progress.eq(Cat(progress[name] for name in PROGRESS))
        self._connect_trace(m, supervisor=supervisor, control=control, datapath=datapath)
        return m

    def _connect_host(
        self,
        m: Module,
        registers: PartInstance,
        *,
        supervisor: PartInstance,
        control: PartInstance,
        counters: PartInstance,
    ) -> None:
        """Connect the host's registers: start, requests, status and counters."""
        wiring.connect(m, wiring.flipped(self.registers), registers.bus)
        for source, names in (
            (supervisor, STATUS),
            (counters, COUNTS),
            (control, ("images_done", "active_mode")),
        ):
            m.d.comb += [getattr(registers, name).eq(getattr(source, name)) for name in names]
        for name in ("command", "mode", "unlock", "images"):
            m.d.comb += getattr(control, name).eq(getattr(registers, name))
        m.d.comb += [
            supervisor.start.eq(registers.start),
            supervisor.finished.eq(control.finished),
            supervisor.loader_error.eq(control.error),
            supervisor.retire.eq(control.retire),
            supervisor.computes.eq(0),
            supervisor.waits_for_load.eq(control.loads),
            control.running.eq(supervisor.running),
            control.image_base.eq(registers.image_address),
            control.answer_base.eq(registers.answer_address),
        ]

    def _connect_memory(
        self, m: Module, *, reader: PartInstance, writer: PartInstance, supervisor: PartInstance
    ) -> None:
        """Join both halves of the memory port."""
        for engine in (reader, writer):
            for name, member in engine.memory.signature.members.items():
                ours, theirs = getattr(self.memory, name), getattr(engine.memory, name)
                m.d.comb += ours.eq(theirs) if member.flow == Out else theirs.eq(ours)
            m.d.comb += engine.stop.eq(supervisor.stop)
        m.d.comb += [
            supervisor.read_error.eq(reader.error),
            supervisor.write_error.eq(writer.error),
            supervisor.memory_idle.eq(reader.idle & writer.idle),
        ]

    def _connect_loader(
        self,
        m: Module,
        loader: PartInstance,
        *,
        reader: PartInstance,
        control: PartInstance,
        registers: PartInstance,
    ) -> None:
        """Connect the loader to the read engine, and to control for whole programs."""
        wiring.connect(m, loader.command, reader.command)
        wiring.connect(m, reader.beats, loader.beats)
        m.d.comb += [
            loader.load.eq(control.load),
            loader.program_address.eq(registers.program_address),
            loader.image_address.eq(control.image_address),
            loader.locked.eq(control.locked),
            loader.resident.eq(control.resident),
            control.header.eq(loader.header),
            control.accepted.eq(loader.accepted),
            control.load_done.eq(loader.loaded),
            control.load_error.eq(loader.error),
        ]

    def _connect_units(
        self,
        m: Module,
        *,
        control: PartInstance,
        loader: PartInstance,
        datapath: PartInstance,
        writer: PartInstance,
    ) -> None:
        """Connect control and units: each begins in the cycle after its go."""
        go = dict(zip(UNITS, control.go, strict=True))
        done = {
            "image": loader.image_loaded,
            "conv": datapath.conv_done,
            "pool": datapath.pool_done,
            "answer": writer.done,
            "add": datapath.add_done,
        }
        store = Signal()
        m.d.sync += store.eq(go["answer"])
        m.d.comb += [
            control.done.eq(Cat(done[name] for name in UNITS)),
            loader.load_image.eq(go["image"]),
            datapath.go_conv.eq(go["conv"]),
            datapath.go_pool.eq(go["pool"]),
            datapath.go_add.eq(go["add"]),
            datapath.lock.eq(control.locked),
            writer.start.eq(store),
            writer.words.eq(control.record.loads),
            writer.index.eq(0),
            writer.address.eq(control.answer_address),
        ]

    def _connect_tables(
        self,
        m: Module,
        *,
        loader: PartInstance,
        control: PartInstance,
        datapath: PartInstance,
        writer: PartInstance,
    ) -> None:
        """Connect the memories beside the arrays: the loader fills tables, the DPU the answers."""
        m.submodules.records = records = self._records.instance()
        m.submodules.parameters = parameters = self._parameters.instance()
        m.submodules.answers = answers = self._answers.instance()
        record = records.read_data
        for part in (control, loader, datapath):
            m.d.comb += Value.cast(part.record).eq(record)
        for table, write in (
            (records, loader.record_write),
            (parameters, loader.parameter_write),
        ):
            m.d.comb += [
                table.clk.eq(ClockSignal()),
                table.write_en.eq(write),
                table.write_index.eq(loader.table_index),
                table.write_data.eq(loader.table_data),
            ]
        m.d.comb += [
            records.read_en.eq(control.record_en),
            records.read_index.eq(control.record_index),
            parameters.read_en.eq(datapath.parameter_en),
            parameters.read_index.eq(datapath.parameter_index),
            Value.cast(datapath.parameters).eq(parameters.read_data),
            datapath.weight_valid.eq(loader.weight_valid),
            datapath.weight.eq(loader.weight),
            datapath.image_valid.eq(loader.bank_valid),
            datapath.image.eq(loader.bank),
            answers.write_valid.eq(datapath.answer_valid),
            answers.write.eq(datapath.answer),
            answers.read_index.eq(writer.read_index),
            writer.read_data.eq(answers.read_data),
        ]

    def _connect_trace(
        self,
        m: Module,
        *,
        supervisor: PartInstance,
        control: PartInstance,
        datapath: PartInstance,
    ) -> None:
        """Show benches and simulations what happens in each cycle."""
        trace, record, segments = self.trace, control.record, self._arch.segments
        for name in ("image_begin", "retire", "active_mode"):
            m.d.comb += trace[name].eq(getattr(control, name))
        for name in (*TRACED, "octets"):
            m.d.comb += Value.cast(trace[name]).eq(Value.cast(getattr(datapath, name)))
        for row_set in range(MOST_ROW_SETS):
            active = Cat(entry(record, "active", row_set, segment) for segment in range(segments))
            m.d.comb += trace[f"active_{row_set}"].eq(active)
        m.d.comb += [
            trace.running.eq(supervisor.running),
            trace.record.eq(control.record_index),
            trace.join.eq(record.join),
            trace.accumulate.eq(record.accumulate),
        ]
