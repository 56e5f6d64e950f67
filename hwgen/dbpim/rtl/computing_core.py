"""What every core has: macros behind a queue, their tiles, and the way of their results.

Tests: `tests/verif/dbpim/test_shared_stream.py`.
"""

from typing import Any

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out, connect

from hwgen.chip.rtl.part import Part, PartInstance
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import Opcode
from hwgen.dbpim.rtl import layouts
from hwgen.dbpim.rtl.core_events import core_pulses
from hwgen.dbpim.rtl.direct_feed import DirectFeed
from hwgen.dbpim.rtl.group_queue import GroupQueue
from hwgen.dbpim.rtl.macro import Macro
from hwgen.dbpim.rtl.output_stage import OutputStage
from hwgen.dbpim.rtl.switch import Switch
from hwgen.dbpim.rtl.tile_store import TileStore
from hwgen.dbpim.rtl.write_port import WritePort


class ComputingCore(Part):
    """Base of the cores: parts, ports and connections that do not depend on where words come from.

    instruction: CONV, or SIMD whose fields begin with those of CONV
    ports: of the core beside those that all have
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch, instruction: Opcode, ports: dict[str, Any]) -> None:
        self._arch = arch
        self._tile_store = TileStore(arch=arch)
        # What the macros have their groups from, behind a switch or without.
        self._switch = Switch(arch=arch) if arch.sparse_parts else None
        self._groups: Part = GroupQueue(arch=arch) if self._switch else DirectFeed(arch=arch)
        self._macro = Macro(arch=arch)
        self._output_stage = OutputStage(arch=arch)
        self._write_port = WritePort(arch=arch)
        of_stream = {"blocks": Out(1), "hold": In(1)} if arch.shares_stream else {}
        super().__init__(
            {
                "go": In(1),
                "finish": In(1),
                "instruction": In(layouts.packet(instruction, arch)),
                "work": In(layouts.work()),
                "request": Out(stream.Signature(layouts.bus_write(arch))),
                **ports,
                "idle": Out(1),
                "computes": Out(1),
                "waits_for_load": Out(1),
                "pulses": Out(core_pulses(arch)),
                **of_stream,
            }
        )
        conv = layouts.packet(Opcode.CONV, arch)
        self._layer = data.View(conv, self.instruction.as_value()[: conv.size])

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
        self.guarded(row_index, cells, *([] if meta is None else [meta]))
        m.d.sync += write_en.eq(row.write)
        with m.If(row.write):
            m.d.sync += [
                row_index.eq(store.row_index),
                cells.eq(row.cells),
                *([] if meta is None else [meta.eq(given)]),
            ]
        return write_en, row_index, cells, meta

    def _connect_output(
        self, m: Module, *, store: PartInstance, output: PartInstance, port: PartInstance
    ) -> None:
        """Connect the output stage to layer and tiles, and tell the write port its rows."""
        m.d.comb += [
            output.layer.eq(self._layer),
            store.result_tile.eq(output.result_tile),
            *self._halves(store=store, output=output),
            output.result_group.eq(store.result_group),
            output.result_parameters.eq(store.result_parameters),
            store.tile_end_popped.eq(output.tile_end_popped),
            port.layer.eq(self._layer),
            port.work.eq(self.work),
        ]

    def _connect_switch(
        self,
        m: Module,
        *,
        taker: PartInstance,
        store: PartInstance,
        walker: PartInstance,
        queue: PartInstance,
    ) -> None:
        """Connect walker and tiles, and the switch if there is one."""
        of_tile = ["tile_known", "tile", "tile_slot", "tile_row_base"]
        if self._switch:
            of_tile.insert(-1, "tile_mask_base")
            m.d.comb += [
                store.mask_index.eq(walker.mask_index),
                walker.mask.eq(store.mask),
                taker.queue_full.eq(queue.full),
            ]
        m.d.comb += store.tile_done.eq(walker.tile_done)
        for name in of_tile:
            m.d.comb += getattr(walker, name).eq(getattr(store, name))
        if self._switch:
            for name in ("write", "fill", "bytes", "push", "tag", "positions"):
                m.d.comb += getattr(queue, name).eq(getattr(taker, name))

    def _blocks(self, walker: PartInstance, fetcher: PartInstance) -> Value:
        """Return whether the core walks and cannot take the next word of a shared stream."""
        request = walker.request
        return (walker.walking | request.valid) & ~(request.valid & fetcher.free)

    def _halves(self, *, store: PartInstance, output: PartInstance) -> list[Value]:
        """Return what tells the halves of a result of a pair tile apart."""
        if not self._arch.pairs:
            return []
        return [
            store.result_second.eq(output.result_second),
            output.result_double.eq(store.result_double),
        ]
