"""The MRAM chip: registers, memory port, loader, control, tables and the data path."""

from amaranth.hdl import Cat, ClockSignal, Module, Signal, Value

from hwgen.chip.registers import ADDRESS_BITS, ALIGNMENT_BYTES
from hwgen.chip.rtl.part import PartInstance
from hwgen.chip.rtl.shell import Engine, Host, Shell, ShellFacts
from hwgen.chip.rtl.supervisor import SupervisorErrors
from hwgen.errors import DesignError
from hwgen.mram.facts.arch import MOST_BUILT, MOST_ROW_SETS, Arch
from hwgen.mram.facts.records import COUNT_BITS
from hwgen.mram.facts.registers import ERROR_BITS, REGISTERS, VERSION, ErrorCode
from hwgen.mram.facts.timing import BURST_BEATS, READ_FIFO_BEATS, WATCHDOG_CYCLES
from hwgen.mram.rtl.answer_buffer import AnswerBuffer
from hwgen.mram.rtl.control import UNITS, Control
from hwgen.mram.rtl.counters import Counters
from hwgen.mram.rtl.datapath import Datapath
from hwgen.mram.rtl.layouts import chip_trace, entry
from hwgen.mram.rtl.loader import Loader
from hwgen.mram.rtl.table import ParameterTable, RecordTable

PROGRESS = ("unit", "former", "word", "beat", "retirement")
"""Progress sources of the watchdog: an octet or the pool unit works, the former reads or sends, a
result is written, the loader takes a beat, a record retires."""

COUNTS = ("and_operations", "input_row_writes", "weight_row_writes", "refused_row_writes")
"""Registers that the counters drive."""
TRACED = (
    *("plane", "sum_lanes", "result_lanes", "reader_read", "pool_read", "skip_read"),
    *("bank_valid", "bank", "answer_valid", "answer"),
)
"""Outputs of the data path in the trace."""


def shell_facts(arch: Arch) -> ShellFacts:
    """Return tables and sizes for the shell."""
    return ShellFacts(
        registers=REGISTERS,
        id_word=arch.id_word,
        version=VERSION,
        address_bits=ADDRESS_BITS,
        error_bits=ERROR_BITS,
        errors=SupervisorErrors.among(ErrorCode),
        watchdog_cycles=WATCHDOG_CYCLES,
        progress=PROGRESS,
        port_bits=arch.port_bits,
        fifo_beats=READ_FIFO_BEATS,
        burst_beats=BURST_BEATS,
        word_bits=arch.answer_bits,
        count_bits=COUNT_BITS,
        entries=arch.answer_entries,
        rows=True,
        resets_data=arch.resets_data,
    )


class Chip(Shell):
    """Holds weights in SOT-MRAM, and runs images through them in the width that the host requests.

    A host writes the addresses, loads a program once, then starts runs of images; it may write
    `mode` at any time.

    Ports
        registers  out  AXI4-Lite subordinate, 32 bits of data
        memory     out  AXI4 manager, 64-bit addresses, port_bits of data, INCR bursts
        irq        out  an interrupt, level: a run has ended and the host has enabled it
        trace      out  for benches and simulations only: see ``layouts.chip_trace``
    Latency  the cycles that ``hwgen.mram.model`` predicts, for the memory that it assumes
    Rate     one command at a time
    Errors   ErrorCode in the register `error`; the chip then stops and can be started again
    Golden   ``golden.network``
    Source   seed 001, Fig. 4; docs/mram-microarchitecture.md
    """

    family = "mram"

    def __init__(self, *, arch: Arch) -> None:
        if arch.sub_arrays > MOST_BUILT:
            raise DesignError(
                f"sub_arrays of chip {arch.name} must be at most {MOST_BUILT} for Verilog, got"
                f" {arch.sub_arrays}, which only the cycle model has"
            )
        self._arch = arch
        self._loader = Loader(arch=arch)
        self._datapath = Datapath(arch=arch)
        self._control = Control(arch=arch)
        self._counters = Counters(arch=arch)
        self._records = RecordTable(arch=arch)
        self._parameters = ParameterTable(arch=arch)
        self._answers = AnswerBuffer(arch=arch)
        parts = [self._loader, self._datapath, self._control, self._counters]
        parts += [self._records, self._parameters, self._answers]
        super().__init__(shell_facts(arch), parts=parts, trace=chip_trace(arch))

    def engine(self, m: Module, host: Host) -> Engine:
        m.submodules.control = control = self._control.instance()
        m.submodules.counters = counters = self._counters.instance()
        loader = self.in_engine(m, "loader", self._loader)
        datapath = self.in_engine(m, "datapath", self._datapath)
        m.d.comb += [
            counters.start.eq(host.registers.start),
            counters.octets.eq(datapath.octets),
        ]
        self._connect_control(m, control, host=host, loader=loader)
        self._connect_units(
            m, control=control, loader=loader, datapath=datapath, writer=host.writer
        )
        self._connect_tables(
            m, loader=loader, control=control, datapath=datapath, writer=host.writer
        )
        self._connect_trace(m, supervisor=host.supervisor, control=control, datapath=datapath)
        counted = {name: getattr(counters, name) for name in COUNTS}
        return Engine(
            loader=loader,
            finished=control.finished,
            error=control.error,
            retire=control.retire,
            computes=0,
            waits_for_load=control.loads,
            progress={
                "unit": datapath.works,
                "former": datapath.moves,
                "word": datapath.bank_valid | datapath.answer_valid,
                "beat": loader.beats.valid & loader.beats.ready,
                "retirement": control.retire,
            },
            counters={
                **counted,
                "images_done": control.images_done,
                "active_mode": control.active_mode,
            },
        )

    def _connect_control(
        self, m: Module, control: PartInstance, *, host: Host, loader: PartInstance
    ) -> None:
        """Connect what the host asks for to control, and control to the loader."""
        registers = host.registers
        for name in ("command", "mode", "unlock", "images"):
            m.d.comb += getattr(control, name).eq(getattr(registers, name))
        m.d.comb += [
            control.running.eq(host.supervisor.running),
            control.image_base.eq(registers.image_address),
            control.answer_base.eq(registers.answer_address),
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
        # Reset with the units: a run that ends in the cycle of its go stores nothing.
        m.d.engine += store.eq(go["answer"])
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
            writer.row_pitch.eq(self._arch.block << control.record.out_blocks_log),
            writer.row_words.eq(control.record.channels),
            writer.address.eq(control.answer_address + control.record.outside * ALIGNMENT_BYTES),
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
