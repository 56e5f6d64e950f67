"""A core: M macros behind one switch, if it has one, with their activation buffer and SIMD unit."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out, connect, flipped

from hwgen.chip.rtl.part import PartInstance
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import ROWS, Opcode
from hwgen.dbpim.rtl import layouts
from hwgen.dbpim.rtl.activation_buffer import ActivationBuffer
from hwgen.dbpim.rtl.computing_core import ComputingCore
from hwgen.dbpim.rtl.core_events import macro_pulses, row_pulses
from hwgen.dbpim.rtl.fetcher import Fetcher
from hwgen.dbpim.rtl.load_bus import load_bus
from hwgen.dbpim.rtl.residual_adder import ResidualAdder
from hwgen.dbpim.rtl.row_unit import RowUnit
from hwgen.dbpim.rtl.simd import Simd
from hwgen.dbpim.rtl.walker import Walker


class Core(ComputingCore):
    """Computes the core's position vectors of a step, and holds its slices of the maps.

    ``y = requantize(weights @ im2col(x) + bias)`` with the tiles that the loader has sent, or the
    result of ``Simd`` or, on a chip that has one, of ``RowUnit``

    Pipeline, of a word in cycle 0 without stalls (docs/dbpim-microarchitecture.md has each stage)
        cycle -1  walker: the word enters the request
        cycle 0   fetcher: the request of the word is granted, banks are read
        cycle 2   switch: the first P selected inputs move into a group (or SIMD unit: first part)
        cycle 3   group queue: a group that was completed in cycle 2 is at the macros' heads
        cycle 3   macros: issue of its first bit plane, one bit plane a cycle
        cycle +3  output stage: result of the last bit plane is popped
        cycle +6  write port: the result goes to the own banks, or requests the write bus; where
                  another map is added, the residual adder has it for ``arch.sum_cycles`` before

    Ports
        go                in      1             start the CONV in `instruction`
        go_simd           in      1             start the SIMD in `instruction`
        finish            in      1             the step is over in all cores
        instruction       in      SIMD          fields that no core owns of LOAD, CONV or SIMD, held
                                                from before the first to after the last write
        work              in      work          the fields of this core; of LOAD only `keep_*`
        loads             in      load_bus      what the loader brings: see ``load_bus``
        request           stream  bus_write     a result for the buffers of several cores
        write_valid       in      lanes         the bus writes
        write             in      bus_writes
        private_valid     out     1             a result is written to the own banks in this cycle
        private_write     out     vector_write  the result
        idle              out     1             no work left, all stages empty
        computes          out     1             a macro issues a bit plane, or the SIMD unit works
        waits_for_load    out     1             the walker lacks a tile or taps, or a macro a row
        pulses            out     core_pulses   events of this cycle, for benches only
        blocks            out     1             it walks and cannot take the next word [this and the
                                                next two lines: with one stream for all cores]
        hold              in      1             a core blocks: no word may begin
        stream            out     stream_word   what this core reads for all cores
    Latency  of its parts; a row may compute ``ROW_WRITE_CYCLES`` after `row.write`
    Rate     of its parts
    Errors   none
    Golden   ``golden.network.infer_layer``
    Source   seed 002, Fig. 6; docs/dbpim-microarchitecture.md
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._walker = Walker(arch=arch)
        self._fetcher = Fetcher(arch=arch)
        # With one stream for all cores the SIMD unit adds: see ``fused_additions``.
        self._residual_adder = None if arch.shares_stream else ResidualAdder(arch=arch)
        self._simd = Simd(arch=arch)
        self._activation_buffer = ActivationBuffer(arch=arch)
        super().__init__(
            arch=arch,
            instruction=Opcode.SIMD,
            ports={
                "go_simd": In(1),
                "loads": In(load_bus(arch)),
                "write_valid": In(arch.bus_words),
                "write": In(layouts.bus_writes(arch)),
                "private_valid": Out(1),
                "private_write": Out(layouts.vector_write(arch)),
                **({"stream": Out(layouts.stream_word(arch))} if arch.shares_stream else {}),
            },
        )
        load = layouts.packet(Opcode.LOAD, arch)
        self._loaded = data.View(load, self.instruction.as_value()[: load.size])
        self.parts = [self._tile_store, self._walker, self._fetcher]
        self.parts += [self._switch] if self._switch else []
        self.parts += [self._groups, self._macro, self._output_stage]
        self.parts += [self._residual_adder] if self._residual_adder else []
        self.parts += [self._simd, self._write_port, self._activation_buffer]
        self._row_unit = RowUnit(arch=arch) if arch.row_unit else None
        self.parts += [self._row_unit] if self._row_unit else []
        self._is_row = Cat(self.instruction.operation == each for each in ROWS).any()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.tile_store = store = self._tile_store.instance()
        m.submodules.walker = walker = self._walker.instance()
        queue = self._groups.instance()
        m.submodules["group_queue" if self._switch else "direct_feed"] = queue
        m.submodules.output_stage = output = self._output_stage.instance()
        adder = self._residual_adder.instance() if self._residual_adder else None
        if adder:
            m.submodules.residual_adder = adder
        m.submodules.simd = simd = self._simd.instance()
        connect(m, flipped(self.loads.tile), store.loads)
        connect(m, flipped(self.loads.taps), simd.taps)
        connect(m, flipped(self.loads.table), simd.table)
        rows = self._place_rows(m)
        fetcher, release = self._feed(
            m, store=store, walker=walker, queue=queue, simd=simd, rows=rows
        )
        macros = self._compute(m, store=store, queue=queue, output=output)
        port = self._write_results(m, store=store, output=output, adder=adder, simd=simd, rows=rows)
        buffer = self._connect_buffer(m, port=port, fetcher=fetcher, adder=adder)

        active = Signal()
        with m.If(self.go | self.go_simd):
            m.d.sync += active.eq(1)
        with m.Elif(self.finish):
            m.d.sync += active.eq(0)
        others_idle, reads = simd.idle, simd.reads
        if adder:
            others_idle &= adder.empty
        if rows:
            others_idle &= rows.idle
            reads |= rows.reads
        at_rest = ~active | (walker.done & store.empty_walked & fetcher.empty)
        m.d.comb += [
            self.idle.eq(at_rest & output.empty & others_idle),
            self.computes.eq(Cat(macro.issue for macro in macros).any() | reads),
            self.waits_for_load.eq(
                walker.waits_for_load | (queue.head_valid & ~store.row_loaded).any()
            ),
        ]
        switch = self._switch
        pulses = {
            **macro_pulses(self._arch, macros, queue=queue, store=store),
            "words": release,
            **({"selected_inputs": Mux(release, fetcher.word.tag.mask, 0)} if switch else {}),
            "bank_reads": fetcher.bank_read_en,
            "bank_bytes": buffer.written,
            "results": output.request.valid & output.request.ready,
            "residual_sums": (
                adder.result.valid & adder.result.ready & adder.layer.adds if adder else 0
            ),
            "simd_parts": simd.reads,
            "simd_results": simd.reads & fetcher.word.simd.last,
            "row_writes": self.loads.row.write.replicate(self._arch.macros_per_core),
            **({"mask_beats": self.loads.tile.mask_write} if switch else {}),
            "parameter_writes": self.loads.tile.parameters_write | self.loads.taps.parameters_write,
            "tap_words": self.loads.taps.write,
            "table_beats": self.loads.table.write,
        }
        if rows:
            pulses |= {name: rows.pulses[name] for name, _ in row_pulses()}
            pulses["float_beats"] = self.loads.floats.write
        m.d.comb += [self.pulses[name].eq(value) for name, value in pulses.items()]
        return m

    def _place_rows(self, m: Module) -> PartInstance | None:
        """Place the row unit of a chip that has one."""
        if self._row_unit is None:
            return None
        m.submodules.row_unit = rows = self._row_unit.instance()
        connect(m, flipped(self.loads.floats), rows.floats)
        m.d.comb += [
            rows.instruction.eq(self.instruction),
            rows.go.eq(self.go_simd),
            rows.finish.eq(self.finish),
        ]
        return rows

    def _feed(
        self,
        m: Module,
        *,
        store: PartInstance,
        walker: PartInstance,
        queue: PartInstance,
        simd: PartInstance,
        rows: PartInstance | None,
    ) -> tuple[PartInstance, Value]:
        """Place the fetcher behind the walker; return it, and whether macros release its word."""
        m.submodules.fetcher = fetcher = self._fetcher.instance()
        # What takes the words for the macros: the switch, or the macros themselves.
        taker = queue
        if self._switch:
            m.submodules.switch = taker = self._switch.instance()
        connect(m, walker.request, fetcher.request)
        is_simd = self.instruction.opcode == Opcode.SIMD
        not_rows, known = is_simd, simd.taps_known
        released = taker.word_release | simd.word_release
        if rows:
            not_rows = is_simd & ~self._is_row
            known = Mux(self._is_row, rows.known, simd.taps_known)
            released |= rows.word_release
            m.d.comb += [
                rows.word.eq(fetcher.word),
                rows.word_valid.eq(fetcher.word_valid & is_simd & self._is_row),
            ]
        m.d.comb += [
            walker.instruction.eq(self.instruction),
            walker.work.eq(self.work),
            walker.go.eq(self.go | self.go_simd),
            walker.finish.eq(self.finish),
            walker.taps_known.eq(known),
            simd.taps_walked.eq(walker.word_done),
            fetcher.outside.eq(self.instruction.outside),
            simd.go.eq(self.go_simd),
            simd.finish.eq(self.finish),
            simd.instruction.eq(self.instruction),
            simd.word.eq(fetcher.word),
            simd.word_valid.eq(fetcher.word_valid & not_rows),
            taker.word.eq(fetcher.word),
            taker.word_valid.eq(fetcher.word_valid & ~is_simd),
            fetcher.word_release.eq(released),
        ]
        self._connect_switch(m, taker=taker, store=store, walker=walker, queue=queue)
        if self._arch.shares_stream:
            m.d.comb += [
                self.blocks.eq(self._blocks(walker, fetcher)),
                fetcher.hold.eq(self.hold),
                self.stream.eq(fetcher.stream),
            ]
        return fetcher, Value.cast(taker.word_release)

    def _write_results(
        self,
        m: Module,
        *,
        store: PartInstance,
        output: PartInstance,
        adder: PartInstance | None,
        simd: PartInstance,
        rows: PartInstance | None,
    ) -> PartInstance:
        """Connect output stage, SIMD unit and row unit to the write port, and return it."""
        m.submodules.write_port = port = self._write_port.instance()
        if adder:
            connect(m, output.request, adder.result)
            connect(m, adder.request, port.output)
        else:
            connect(m, output.request, port.output)
        if rows:
            # They never work in one step.
            m.d.comb += [
                port.result.valid.eq(simd.result.valid | rows.result.valid),
                port.result.payload.eq(
                    Mux(rows.result.valid, rows.result.payload, simd.result.payload)
                ),
                simd.result.ready.eq(port.result.ready),
                rows.result.ready.eq(port.result.ready),
            ]
        else:
            connect(m, simd.result, port.result)
        connect(m, port.request, flipped(self.request))
        self._connect_output(m, store=store, output=output, port=port)
        m.d.comb += [
            self.private_valid.eq(port.private_valid),
            self.private_write.eq(port.private_write),
        ]
        return port

    def _connect_buffer(
        self, m: Module, *, port: PartInstance, fetcher: PartInstance, adder: PartInstance | None
    ) -> PartInstance:
        """Connect the banks to all that write and read them; return the buffer."""
        m.submodules.activation_buffer = buffer = self._activation_buffer.instance()
        loads = self.instruction.opcode == Opcode.LOAD
        for name in ("base", "row_pitch", "channel_words"):
            mine, loaded = (getattr(view, f"output_{name}") for view in (self._layer, self._loaded))
            m.d.comb += getattr(buffer, name).eq(Mux(loads, loaded, mine))
        m.d.comb += [
            port.stores.eq(buffer.stores),
            buffer.keep_first.eq(self.work.keep_first),
            buffer.keep_rows.eq(self.work.keep_rows),
            buffer.write_valid.eq(self.write_valid),
            buffer.write.eq(self.write),
            buffer.private_valid.eq(port.private_valid),
            buffer.private_write.eq(port.private_write),
            fetcher.bank_data.eq(buffer.bank_data),
        ]
        if adder is None:
            m.d.comb += [
                buffer.bank_read_en.eq(fetcher.bank_read_en),
                buffer.bank_address.eq(fetcher.bank_address),
            ]
            return buffer
        m.d.comb += [
            # The layer is that of a SIMD step too, whose operation stands at other bits.
            adder.layer.eq(self._layer),
            adder.work.eq(self.work),
            adder.bank_data.eq(buffer.bank_data),
            fetcher.bank_taken.eq(adder.bank_read_en),
            buffer.bank_read_en.eq(fetcher.bank_read_en | adder.bank_read_en),
        ]
        for bank in range(self._arch.banks):
            m.d.comb += buffer.bank_address[bank].eq(
                Mux(adder.bank_read_en[bank], adder.bank_address, fetcher.bank_address[bank])
            )
        return buffer
