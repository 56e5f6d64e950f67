"""Former: from an input map in a bank to the bit planes of its loads.

Tests: `tests/verif/mram/test_parts.py`.
"""

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.mram.facts.arch import Arch
from hwgen.mram.rtl import layouts
from hwgen.mram.rtl.gather import Gather
from hwgen.mram.rtl.row_reader import RowReader
from hwgen.mram.rtl.sender import Sender
from hwgen.mram.rtl.window import Window


class Former(Part):
    """Row reader, window, gather and sender, each with its own registers.

    Ports
        record      in   record              of a convolution, with ``go``
        go          in   1                   in the cycle before
        read_data   in   columns             content of ``read_row``
        step_plane  in   1                   the ring takes ``plane``; only with ``valid``
        read_en     out  1
        read_row    out  row_bits            of the input map's bank
        valid       out  1                   ``plane`` is there
        plane       out  segments * 9 block  of the inputs of a load, lowest plane first
    Latency  0 from ``read_row`` to ``read_data``; the first read is in the cycle after ``go``
    Rate     one plane in each cycle once a packet is gathered
    Errors   none
    Golden   ``verif.reference.mram.windows``, ``verif.reference.mram.segments``
    Source   project: input side of the schedule
    """

    family = "mram"

    def __init__(self, *, arch: Arch) -> None:
        self._reader = RowReader(arch=arch)
        self._window = Window(arch=arch)
        self._gather = Gather(arch=arch)
        self._sender = Sender(arch=arch)
        self.parts = [self._reader, self._window, self._gather, self._sender]
        super().__init__(
            {
                "record": In(layouts.record(arch)),
                "go": In(1),
                "read_data": In(arch.array.columns),
                "step_plane": In(1),
                "read_en": Out(1),
                "read_row": Out(arch.row_index_bits),
                "valid": Out(1),
                "plane": Out(arch.input_columns),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.row_reader = reader = self._reader.instance()
        m.submodules.window = window = self._window.instance()
        m.submodules.gather = gather = self._gather.instance()
        m.submodules.sender = sender = self._sender.instance()
        kept = Signal.like(self.record)
        self.guarded(kept)
        with m.If(self.go):
            m.d.sync += kept.eq(self.record)
        for unit, record in (
            (reader, self.record),
            (window, self.record),
            (gather, kept),
            (sender, kept),
        ):
            m.d.comb += [unit.record.eq(record), unit.go.eq(self.go)]
        m.d.comb += [
            reader.move.eq(window.move),
            reader.read_data.eq(self.read_data),
            self.read_en.eq(reader.read_en),
            self.read_row.eq(reader.read_row),
            window.next.eq(reader.next),
            window.full.eq(reader.full),
            window.row_take.eq(gather.row_take),
            gather.valid.eq(window.valid),
            gather.last.eq(window.last),
            gather.pixels.eq(window.pixels),
            gather.accept.eq(sender.accept),
            sender.packet.eq(gather.packet),
            sender.full.eq(gather.full),
            sender.step_plane.eq(self.step_plane),
            self.valid.eq(sender.valid),
            self.plane.eq(sender.plane),
        ]
        return m
