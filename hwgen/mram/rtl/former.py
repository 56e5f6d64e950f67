"""Former: from an input map in a bank to the bit planes of its loads.

Tests: `tests/verif/mram/test_parts.py`.
"""

from typing import NamedTuple

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part, PartInstance
from hwgen.mram.facts.arch import TAPS, Arch
from hwgen.mram.rtl import layouts
from hwgen.mram.rtl.gather import Gather
from hwgen.mram.rtl.row_reader import RowReader
from hwgen.mram.rtl.sender import Sender
from hwgen.mram.rtl.walker import Walker
from hwgen.mram.rtl.window import Window


class Seen(NamedTuple):
    """What the bank is asked for, and what the gather receives; row_take: of the window."""

    read_en: Value
    read_row: Value
    row_take: Value
    valid: Value
    last: Value
    pixels: Value


class Former(Part):
    """Row reader, window, gather and sender, each with its own registers.

    On a chip of any kernels a walker stands beside row reader and window; a record has either.

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
    Golden   ``verif.reference.mram.windows``, ``verif.reference.mram.segments``;
             ``verif.reference.mram.walks``
    Source   project: input side of the schedule
    """

    family = "mram"

    def __init__(self, *, arch: Arch) -> None:
        self._reader = RowReader(arch=arch)
        self._window = Window(arch=arch)
        self._gather = Gather(arch=arch)
        self._sender = Sender(arch=arch)
        self._walker = Walker(arch=arch) if arch.any_kernel else None
        walkers = [self._walker] if self._walker else []
        self.parts = [self._reader, self._window, *walkers, self._gather, self._sender]
        super().__init__(
            {
                "record": In(layouts.record(arch)),
                "go": In(1),
                "read_data": In(arch.array.columns),
                "step_plane": In(1),
                "read_en": Out(1),
                "read_row": Out(arch.bank_row_bits),
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
        seen, goes = self._seen(m, kept, reader=reader, window=window, gather=gather)
        for unit, record, go in (
            (reader, self.record, goes),
            (window, self.record, goes),
            (gather, kept, self.go),
            (sender, kept, self.go),
        ):
            m.d.comb += [unit.record.eq(record), unit.go.eq(go)]
        m.d.comb += [
            reader.move.eq(window.move),
            reader.read_data.eq(self.read_data),
            self.read_en.eq(seen.read_en),
            self.read_row.eq(seen.read_row),
            window.next.eq(reader.next),
            window.full.eq(reader.full),
            window.row_take.eq(seen.row_take),
            gather.valid.eq(seen.valid),
            gather.last.eq(seen.last),
            gather.pixels.eq(seen.pixels),
            gather.accept.eq(sender.accept),
            sender.packet.eq(gather.packet),
            sender.full.eq(gather.full),
            sender.step_plane.eq(self.step_plane),
            self.valid.eq(sender.valid),
            self.plane.eq(sender.plane),
        ]
        return m

    def _seen(
        self,
        m: Module,
        kept: "data.View[data.StructLayout]",
        *,
        reader: PartInstance,
        window: PartInstance,
        gather: PartInstance,
    ) -> tuple[Seen, Value]:
        """Return what goes to bank, window and gather, and when reader and window begin.

        The walker's one pixel stands at all taps.
        """
        of_window = Seen(
            read_en=reader.read_en,
            read_row=reader.read_row,
            row_take=gather.row_take,
            valid=window.valid,
            last=window.last,
            pixels=window.pixels,
        )
        if self._walker is None:
            return of_window, self.go
        m.submodules.walker = walker = self._walker.instance()
        walk = kept.walk
        m.d.comb += [
            walker.record.eq(self.record),
            walker.go.eq(self.go & self.record.walk),
            walker.read_data.eq(self.read_data),
            walker.take.eq(gather.take & walk),
            gather.place.eq(walker.place),
            gather.ends.eq(walker.ends),
        ]
        pixels = (Mux(walk, walker.pixel, window.pixels[tap]) for tap in range(TAPS))
        seen = Seen(
            read_en=reader.read_en | walker.read_en,
            read_row=Mux(walk, walker.read_row, reader.read_row),
            row_take=gather.row_take & ~walk,
            valid=Mux(walk, walker.valid, window.valid),
            last=Mux(walk, walker.last, window.last),
            pixels=Cat(*pixels),
        )
        return seen, self.go & ~self.record.walk
