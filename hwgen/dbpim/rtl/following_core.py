"""A core that computes with the words that core 0 reads: it has macros, and no maps of its own.

Tests: `tests/verif/dbpim/test_shared_stream.py`.
"""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib.wiring import In, connect, flipped

from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import Opcode
from hwgen.dbpim.rtl import layouts
from hwgen.dbpim.rtl.computing_core import ComputingCore
from hwgen.dbpim.rtl.core_events import macro_pulses
from hwgen.dbpim.rtl.load_bus import weights_bus
from hwgen.dbpim.rtl.tile_walker import TileWalker
from hwgen.dbpim.rtl.word_receiver import WordReceiver


class FollowingCore(ComputingCore):
    """Computes other filters at the positions of core 0, on a chip with one stream of words.

    ``y = requantize(weights @ im2col(x) + bias)`` with the tiles that the loader has sent. It takes
    no part in a SIMD step, and sends every result over the write bus.

    Ports
        go              in      1            start the CONV in `instruction`
        finish          in      1            the step is over in all cores
        instruction     in      CONV         as that of ``Core``
        work            in      work         the fields of this core; it keeps no rows
        loads           in      weights_bus  tiles and their rows
        hold            in      1            a core blocks: no word may begin
        stream          in      stream_word  what core 0 reads
        blocks          out     1            the core walks and cannot take the next word
        request         stream  bus_write    a result for the buffer of core 0, or an answer
        idle            out     1            no work left, all stages empty
        computes        out     1            a macro issues a bit plane
        waits_for_load  out     1            the walker lacks a tile, or a macro a row
        pulses          out     core_pulses  events of this cycle, for benches only
    Latency  that of ``Core``
    Rate     that of ``Core``, with words at the pace of the slowest core
    Errors   none
    Golden   ``golden.network.infer_layer``
    Source   seed 002, V-B and Fig. 6: all switches share the input data
    """

    def __init__(self, *, arch: Arch) -> None:
        self._walker, self._receiver = TileWalker(arch=arch), WordReceiver(arch=arch)
        ports = {"loads": In(weights_bus(arch)), "stream": In(layouts.stream_word(arch))}
        super().__init__(arch=arch, instruction=Opcode.CONV, ports=ports)
        self.parts = [self._tile_store, self._walker, self._receiver]
        self.parts += [self._switch] if self._switch else []
        self.parts += [self._groups, self._macro, self._output_stage, self._write_port]

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.tile_store = store = self._tile_store.instance()
        m.submodules.walker = walker = self._walker.instance()
        m.submodules.receiver = receiver = self._receiver.instance()
        if self._switch is None:
            raise ValueError("a core that follows another one must have a switch")
        m.submodules.switch = switch = self._switch.instance()
        m.submodules.group_queue = queue = self._groups.instance()
        m.submodules.output_stage = output = self._output_stage.instance()
        m.submodules.write_port = port = self._write_port.instance()
        connect(m, flipped(self.loads.tile), store.loads)
        connect(m, walker.request, receiver.request)
        self._connect_switch(m, taker=switch, store=store, walker=walker, queue=queue)
        macros = self._compute(m, store=store, queue=queue, output=output)
        connect(m, output.request, port.output)
        connect(m, port.request, flipped(self.request))
        self._connect_output(m, store=store, output=output, port=port)
        active = Signal()
        with m.If(self.go):
            m.d.sync += active.eq(1)
        with m.Elif(self.finish):
            m.d.sync += active.eq(0)
        m.d.comb += [
            walker.instruction.eq(self._layer),
            walker.work.eq(self.work),
            walker.go.eq(self.go),
            walker.finish.eq(self.finish),
            receiver.hold.eq(self.hold),
            receiver.stream.eq(self.stream),
            receiver.word_release.eq(switch.word_release),
            switch.word.eq(receiver.word),
            switch.word_valid.eq(receiver.word_valid),
            self.blocks.eq(self._blocks(walker, receiver)),
            self.idle.eq(
                (~active | (walker.done & store.empty_walked & receiver.empty)) & output.empty
            ),
            self.computes.eq(Cat(macro.issue for macro in macros).any()),
            self.waits_for_load.eq(
                walker.waits_for_load | (queue.head_valid & ~store.row_loaded).any()
            ),
        ]
        tile = self.loads.tile
        pulses = {
            **macro_pulses(self._arch, macros, queue=queue, store=store),
            "words": switch.word_release,
            "selected_inputs": Mux(switch.word_release, receiver.word.tag.mask, 0),
            "results": output.request.valid & output.request.ready,
            "row_writes": self.loads.row.write.replicate(self._arch.macros_per_core),
            "mask_beats": tile.mask_write,
            "parameter_writes": tile.parameters_write,
        }
        m.d.comb += [self.pulses[name].eq(value) for name, value in pulses.items()]
        return m
