"""A core: M macros behind one switch, if it has one, with their activation buffer and SIMD unit."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out, connect, flipped

from hwgen.chip.rtl.part import Part, PartInstance
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import ROWS, Opcode
from hwgen.dbpim.rtl import layouts
from hwgen.dbpim.rtl.activation_buffer import ActivationBuffer
from hwgen.dbpim.rtl.core_events import core_pulses, macro_pulses, row_pulses
from hwgen.dbpim.rtl.direct_feed import DirectFeed
from hwgen.dbpim.rtl.fetcher import Fetcher
from hwgen.dbpim.rtl.group_queue import GroupQueue
from hwgen.dbpim.rtl.load_bus import load_bus
from hwgen.dbpim.rtl.macro import Macro
from hwgen.dbpim.rtl.output_stage import OutputStage
from hwgen.dbpim.rtl.residual_adder import ResidualAdder
from hwgen.dbpim.rtl.row_unit import RowUnit
from hwgen.dbpim.rtl.simd import Simd
from hwgen.dbpim.rtl.switch import Switch
from hwgen.dbpim.rtl.tile_store import TileStore
from hwgen.dbpim.rtl.walker import Walker
from hwgen.dbpim.rtl.write_port import WritePort


class Core(Part):
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
                  another map is added, the residual adder has it for ``SUM_CYCLES`` before

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
    Latency  of its parts; a row may compute ``ROW_WRITE_CYCLES`` after `row.write`
    Rate     of its parts
    Errors   none
    Golden   ``golden.network.infer_layer``
    Source   seed 002, Fig. 6; docs/dbpim-microarchitecture.md
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        self._tile_store = TileStore(arch=arch)
        self._walker = Walker(arch=arch)
        self._fetcher = Fetcher(arch=arch)
        # What the macros have their groups from, behind a switch or without.
        self._switch = Switch(arch=arch) if arch.sparse_parts else None
        self._groups: Part = GroupQueue(arch=arch) if self._switch else DirectFeed(arch=arch)
        self._macro = Macro(arch=arch)
        self._output_stage = OutputStage(arch=arch)
        self._residual_adder = ResidualAdder(arch=arch)
        self._simd = Simd(arch=arch)
        self._write_port = WritePort(arch=arch)
        self._activation_buffer = ActivationBuffer(arch=arch)
        self.parts = [self._tile_store, self._walker, self._fetcher]
        self.parts += [self._switch] if self._switch else []
        self.parts += [self._groups, self._macro, self._output_stage, self._residual_adder]
        self.parts += [self._simd, self._write_port, self._activation_buffer]
        self._row_unit = RowUnit(arch=arch) if arch.row_unit else None
        self.parts += [self._row_unit] if self._row_unit else []
        super().__init__(
            {
                "go": In(1),
                "go_simd": In(1),
                "finish": In(1),
                "instruction": In(layouts.packet(Opcode.SIMD, arch)),
                "work": In(layouts.work()),
                "loads": In(load_bus(arch)),
                "request": Out(stream.Signature(layouts.bus_write(arch))),
                "write_valid": In(arch.bus_words),
                "write": In(layouts.bus_writes(arch)),
                "private_valid": Out(1),
                "private_write": Out(layouts.vector_write(arch)),
                "idle": Out(1),
                "computes": Out(1),
                "waits_for_load": Out(1),
                "pulses": Out(core_pulses(arch)),
            }
        )
        conv, load = layouts.packet(Opcode.CONV, arch), layouts.packet(Opcode.LOAD, arch)
        bits = self.instruction.as_value()
        self._layer = data.View(conv, bits[: conv.size])
        self._loaded = data.View(load, bits[: load.size])
        self._is_row = Cat(self.instruction.operation == each for each in ROWS).any()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.tile_store = store = self._tile_store.instance()
        m.submodules.walker = walker = self._walker.instance()
        queue = self._groups.instance()
        m.submodules["group_queue" if self._switch else "direct_feed"] = queue
        m.submodules.output_stage = output = self._output_stage.instance()
        m.submodules.residual_adder = adder = self._residual_adder.instance()
        m.submodules.simd = simd = self._simd.instance()
        connect(m, flipped(self.loads.tile), store.loads)
        connect(m, flipped(self.loads.taps), simd.taps)
        connect(m, flipped(self.loads.table), simd.table)
        rows = self._place_rows(m)
        fetcher, release = self._feed(
            m, store=store, walker=walker, queue=queue, simd=simd, rows=rows
        )
        macros = self._compute(m, store=store, queue=queue, output=output)
        port = self._write_results(m, store=store, output=output, simd=simd, rows=rows)
        connect(m, output.request, adder.result)
        connect(m, adder.request, port.output)
        buffer = self._connect_buffer(m, port=port, fetcher=fetcher, adder=adder)

        active = Signal()
        with m.If(self.go | self.go_simd):
            m.d.sync += active.eq(1)
        with m.Elif(self.finish):
            m.d.sync += active.eq(0)
        others_idle, reads = simd.idle, simd.reads
        if rows:
            others_idle &= rows.idle
            reads |= rows.reads
        at_rest = ~active | (walker.done & store.empty_walked & fetcher.empty)
        m.d.comb += [
            self.idle.eq(at_rest & output.empty & adder.empty & others_idle),
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
            "residual_sums": adder.result.valid & adder.result.ready & adder.layer.adds,
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
            store.tile_done.eq(walker.tile_done),
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
        of_tile = ["tile_known", "tile", "tile_slot", "tile_row_base"]
        if self._switch:
            of_tile.insert(-1, "tile_mask_base")
            m.d.comb += [
                store.mask_index.eq(walker.mask_index),
                walker.mask.eq(store.mask),
                taker.queue_full.eq(queue.full),
            ]
        for name in of_tile:
            m.d.comb += getattr(walker, name).eq(getattr(store, name))
        if self._switch:
            for name in ("write", "fill", "bytes", "push", "tag", "positions"):
                m.d.comb += getattr(queue, name).eq(getattr(taker, name))
        return fetcher, Value.cast(taker.word_release)

    def _compute(
        self, m: Module, *, store: PartInstance, queue: PartInstance, output: PartInstance
    ) -> list[PartInstance]:
        """Place the macros, and bring rows to all of them."""
        row = self.loads.row
        m.d.comb += store.row_write.eq(row.write)
        write_en, row_index, cells, meta = self._row_for_macros(m, store=store)
        macros = []
        for index in range(self._arch.macros_per_core):
            m.submodules[f"macro_{index}"] = macro = self._macro.instance()
            connect(m, macro.result, output.results[index])
            head = queue.heads[index]
            m.d.comb += [
                store.head_tile[index].eq(head.tag.tile),
                store.head_row[index].eq(head.tag.row),
                macro.head.eq(head),
                macro.head_valid.eq(queue.head_valid[index]),
                macro.head_row_loaded.eq(store.row_loaded[index]),
                macro.head_filter_enable.eq(store.head_filter_enable[index]),
                *([macro.head_double.eq(store.head_double[index])] if self._arch.pairs else []),
                queue.leave[index].eq(macro.leave),
                macro.inhibit.eq(row.write),
                macro.write_en.eq(write_en),
                macro.write_row.eq(row_index),
                macro.write_cells.eq(cells),
                *([] if meta is None else [macro.write_meta.eq(meta)]),
            ]
            macros.append(macro)
        return macros

    def _row_for_macros(
        self, m: Module, *, store: PartInstance
    ) -> tuple[Value, Value, data.View, data.View | None]:
        """Return whether a row enters the arrays, which one, its cells, and its metadata if any."""
        row = self.loads.row
        given = row.meta if self._switch else None
        if self._arch.reads_at_edge:
            # `row.write` inhibits the issue, so that the one port of the arrays is free.
            return row.write, store.row_index, row.cells, given
        # Cycle 0: `row.write` inhibits the issue. Cycle 1: the registered row enters the arrays.
        write_en, row_index = Signal(), Signal.like(store.row_index)
        cells = Signal.like(row.cells)
        meta = None if given is None else Signal.like(given, name="meta")
        m.d.sync += write_en.eq(row.write)
        with m.If(row.write):
            m.d.sync += [
                row_index.eq(store.row_index),
                cells.eq(row.cells),
                *([] if meta is None else [meta.eq(given)]),
            ]
        return write_en, row_index, cells, meta

    def _write_results(
        self,
        m: Module,
        *,
        store: PartInstance,
        output: PartInstance,
        simd: PartInstance,
        rows: PartInstance | None,
    ) -> PartInstance:
        """Connect output stage, SIMD unit and row unit to the write port, and return it."""
        m.submodules.write_port = port = self._write_port.instance()
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
        m.d.comb += [
            output.layer.eq(self._layer),
            store.result_tile.eq(output.result_tile),
            *self._halves(store=store, output=output),
            output.result_group.eq(store.result_group),
            output.result_parameters.eq(store.result_parameters),
            store.tile_end_popped.eq(output.tile_end_popped),
            port.layer.eq(self._layer),
            port.work.eq(self.work),
            self.private_valid.eq(port.private_valid),
            self.private_write.eq(port.private_write),
        ]
        return port

    def _halves(self, *, store: PartInstance, output: PartInstance) -> list[Value]:
        """Return what tells the halves of a result of a pair tile apart."""
        if not self._arch.pairs:
            return []
        return [
            store.result_second.eq(output.result_second),
            output.result_double.eq(store.result_double),
        ]

    def _connect_buffer(
        self, m: Module, *, port: PartInstance, fetcher: PartInstance, adder: PartInstance
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
            # The layer is that of a SIMD step too, whose operation stands at other bits.
            adder.layer.eq(self._layer),
            adder.work.eq(self.work),
            adder.bank_data.eq(buffer.bank_data),
            fetcher.bank_taken.eq(adder.bank_read_en),
            fetcher.bank_data.eq(buffer.bank_data),
            buffer.bank_read_en.eq(fetcher.bank_read_en | adder.bank_read_en),
        ]
        for bank in range(self._arch.banks):
            m.d.comb += buffer.bank_address[bank].eq(
                Mux(adder.bank_read_en[bank], adder.bank_address, fetcher.bank_address[bank])
            )
        return buffer
