"""Macro: a scratchpad, shared ADCs and an engine for each layer, at one router of the mesh."""

from collections.abc import Sequence
from typing import Any

from amaranth.hdl import Cat, ClockSignal, Const, Module, Mux, Signal, Value
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part, PartInstance
from hwgen.chip.widths import bits_for_index
from hwgen.crossbar.facts.arch_fabric import Region, Travel
from hwgen.crossbar.facts.buildable import check_layer, check_widths
from hwgen.crossbar.facts.chip import Chip
from hwgen.crossbar.facts.levels import LEVEL_STEPS, STEPS_BITS
from hwgen.crossbar.facts.loads import bends, codes_target
from hwgen.crossbar.facts.ports import tile_reads, window_reads, words_of_run
from hwgen.crossbar.facts.routes import load_number
from hwgen.crossbar.rtl.array_engine import ArrayEngine
from hwgen.crossbar.rtl.conversions import Adc
from hwgen.crossbar.rtl.engine import Engine, held_in, load_bus, ring_of
from hwgen.crossbar.rtl.layouts import (
    AT_IO_NODE,
    flit,
    header,
    macro_events,
    macro_store,
    macro_strobes,
)
from hwgen.crossbar.rtl.links import Receiver
from hwgen.crossbar.rtl.memories import ManyReads
from hwgen.crossbar.rtl.operand_engines import EltwiseEngine, PoolEngine
from hwgen.crossbar.rtl.pad import Pad
from hwgen.crossbar.rtl.shifts import any_of
from hwgen.crossbar.rtl.sizes import analog_bits


class Macro(Part):
    """All that one node of the mesh holds but its router.

    Ports
        strobes   in   macro_strobes
        link_in   in   flit           from the router: travels and loads that come here
        link_out  out  flit           to it
        late      out  1              a strobe came before an operation was over
        overflow  out  1              a word came before the one before it was written, or an ADC
                                      was given more than its range
        events    out  macro_events
        store     out  macro_store    a word of results that goes into a ring, for simulations
    Latency  see the engines
    Rate     see the engines
    Errors   ``late``, ``overflow``, for a clock each
    Golden   ``golden.network``
    Source   seed 003, Fig. 2 (b); docs/crossbar-rules.md
    """

    family = "crossbar"

    def __init__(self, *, chip: Chip, macro: int) -> None:
        self._chip, self._macro, self._places = chip, macro, chip.layers_in(macro)
        words = chip.macros[macro].words
        self._engines = [engine_of(chip, place, macro) for place in self._places]
        self._arrivals = arrivals(chip, macro)
        self._receivers = [
            Receiver(chip=chip, words=words, rings=len(rings)) for _, rings in self._arrivals
        ]
        self._samples = max(1, chip.adc_samples // chip.adc_clocks)
        self._analog_bits = analog_bits(
            side=chip.side,
            cell_bits=chip.cell_bits,
            dac_bits=chip.dac_bits,
            adc_bits=chip.adc_bits,
            effects=chip.effects,
            pairs=chip.pairs,
        )
        self._adc = Adc(
            bits=chip.adc_bits,
            analog_bits=self._analog_bits,
            samples=self._samples,
            effects=chip.effects,
            pairs=chip.pairs,
        )
        self._writers = len(self._receivers) + sum(one.merges for one in self._engines)
        self._pad = Pad(
            words=words,
            elements=chip.word_elements,
            bits=chip.activation_bits,
            writers=self._writers,
            readers=sum(len(one.load_want) + one.sends for one in self._engines),
            access_clocks=chip.access_clocks,
        )
        self.parts = [*self._engines, *self._receivers, self._adc, self._pad]
        self._bends = bends(chip, macro)
        if self._bends:
            reads = chip.macros[macro].adcs * self._samples
            self._table = ManyReads(depth=1 << chip.adc_bits, width=STEPS_BITS, reads=reads)
            self.parts.append(self._table)
        super().__init__(
            {
                "strobes": In(macro_strobes(chip, macro)),
                "link_in": In(flit(chip)),
                "link_out": Out(flit(chip)),
                "late": Out(1),
                "overflow": Out(1),
                "events": Out(macro_events()),
                "store": Out(macro_store(chip)),
            }
        )

    @property
    def size_suffix(self) -> str:
        return str(self._macro)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.pad = pad = self._pad.instance()
        engines, load = [], Signal(load_bus(self._chip))
        for place, part in zip(self._places, self._engines, strict=True):
            m.submodules[f"layer_{place}"] = engine = part.instance()
            strobes = getattr(self.strobes, f"layer{place}")
            for name in (one.name for one in self._chip.layers[place].operations):
                if name not in AT_IO_NODE:
                    m.d.comb += engine.strobes[name].eq(strobes[name])
            m.d.comb += [engine.load.eq(load), engine.read_data.eq(pad.read_data)]
            engines.append(engine)
            if "link_in" in engine.signature.members:
                m.d.comb += engine.link_in.eq(self.link_in)
        stores = [
            (place, engine)
            for place, engine, part in zip(self._places, engines, self._engines, strict=True)
            if part.merges
        ]
        for place, engine in stores:
            with m.If(engine.store_granted):
                m.d.comb += [
                    self.store.valid.eq(1),
                    self.store.layer.eq(place),
                    self.store.enables.eq(engine.store_enables),
                    self.store.data.eq(engine.store_data),
                ]
        receivers = self._receive(m)
        arrays = [
            engine
            for engine, part in zip(engines, self._engines, strict=True)
            if isinstance(part, ArrayEngine)
        ]
        above = self._convert(m, arrays, load) if arrays else Const(0)
        self._share_port(m, pad, receivers, engines)
        self._load(m, load)
        links = [engine.link for engine in engines if "link" in engine.signature.members]
        m.d.comb += [
            Value.cast(self.link_out).eq(
                any_of([Const(0), *(Mux(one.valid, Value.cast(one), 0) for one in links)])
            ),
            self.late.eq(any_of([engine.late for engine in engines])),
            self.overflow.eq(
                any_of(
                    [
                        above,
                        more_than_one([one.valid for one in links]),
                        *(r.overflow for r in receivers),
                    ]
                )
            ),
            self.events.conversions.eq(sum_of([Const(0), *(array.samples for array in arrays)])),
            self.events.reads.eq(sum_of([Const(0), *(array.reads for array in arrays)])),
            self.events.port_writes.eq(pad.granted[: self._writers].any()),
            self.events.port_reads.eq(pad.granted[self._writers :].any()),
        ]
        return m

    def _receive(self, m: Module) -> list[PartInstance]:
        """Place a receiver for each travel that comes here."""
        placed = []
        for (travel, rings), part in zip(self._arrivals, self._receivers, strict=True):
            m.submodules[f"receiver_{travel.id}"] = receiver = part.instance()
            mine = travel.source == self._chip.macros[self._macro].node and travel.kind == "send"
            m.d.comb += [
                # Routers send nothing back: a reader beside its provider listens to what leaves.
                receiver.link.eq(self.link_out if mine else self.link_in),
                receiver.travel.eq(travel.id),
                receiver.rings.eq(receiver.rings.shape().const([ring_of(one) for one in rings])),
            ]
            placed.append(receiver)
        return placed

    def _place_table(self, m: Module, load: Any) -> PartInstance:
        """Place and load the table of how far the codes of converters are off."""
        m.submodules.steps = table = self._table.instance()
        mine = load.target == codes_target(self._chip, self._macro)
        m.d.comb += [
            table.clk.eq(ClockSignal()),
            table.write_en.eq(load.valid & mine),
            table.write_index.eq(load.index),
            table.write_data.eq(load.data),
        ]
        return table

    def _bent(
        self,
        m: Module,
        table: PartInstance,
        number: int,
        ideal: PartInstance,
        sums: Sequence[Value],
    ) -> PartInstance:
        """Place a converter that is as far off as the table says at the codes of an ideal one."""
        bits, found = self._chip.adc_bits, []
        m.submodules[f"bent_{number}"] = bent = self._adc.instance()
        for sample, given in enumerate(sums):
            place = number * self._samples + sample
            steps = table.data.word_select(place, STEPS_BITS).as_signed()
            code = ideal.codes.word_select(sample, bits)
            # The table begins with the least code, which of pairs is below 0.
            first = 1 << bits - 1 if self._chip.pairs else 0
            m.d.comb += table.index.word_select(place, bits).eq(code ^ first if first else code)
            found.append((given.as_signed() + steps)[: self._analog_bits])
        m.d.comb += bent.sums.eq(Cat(found))
        return bent

    def _convert(self, m: Module, engines: Sequence[PartInstance], load: Any) -> Value:
        """Place the ADCs; of two layers that share them one converts at a time."""
        adcs, above = self._chip.macros[self._macro].adcs, []
        bits, wide = self._chip.adc_bits, self._analog_bits
        converting = any_of([engine.converting for engine in engines])
        asked = [Mux(engine.converting, engine.analog, 0) for engine in engines]
        # A signal: every ADC would have an expression to itself.
        analog = Signal(adcs * self._samples * wide)
        m.d.comb += analog.eq(any_of(asked))
        codes: dict[int, Value] = {}
        table = self._place_table(m, load) if self._bends else None
        for number in range(adcs):
            m.submodules[f"adc_{number}"] = adc = self._adc.instance()
            lanes = [number + sample * adcs for sample in range(self._samples)]
            sums = [self._coarser(analog.word_select(e, wide)) for e in lanes]
            m.d.comb += adc.sums.eq(Cat(sums))
            if table is not None:
                adc = self._bent(m, table, number, adc, sums)
            for sample, lane in enumerate(lanes):
                codes[lane] = adc.codes.word_select(sample, bits)
            above.append(adc.above)
        for engine in engines:
            m.d.comb += engine.codes.eq(Cat(codes[lane] for lane in range(len(codes))))
        return converting & any_of(above)

    def _coarser(self, given: Value) -> Value:
        """Return a sum in steps of a converter whose code counts several sums, as wide.

        Halfway between two codes the even one is nearer, by the least step of a sum.
        """
        step = self._chip.step_bits
        if not step:
            return given
        is_even = ~given[LEVEL_STEPS + step]
        shifted = (given.as_signed() - is_even) >> step
        return Cat(shifted, shifted[-1].replicate(step))[: self._analog_bits]

    def _share_port(
        self,
        m: Module,
        pad: PartInstance,
        receivers: Sequence[PartInstance],
        engines: Sequence[PartInstance],
    ) -> None:
        """Connect all who use the scratchpad: writers, then readers; first of all what arrives."""
        sends = [
            (e.send_want, e.send_word, e.send_granted)
            for e, part in zip(engines, self._engines, strict=True)
            if part.sends
        ]
        word_bits = bits_for_index(self._chip.macros[self._macro].words)
        loads = [
            (e.load_want[k], e.load_word.word_select(k, word_bits), e.load_granted[k])
            for e in engines
            for k in range(len(e.load_want))
        ]
        merging = [e for e, part in zip(engines, self._engines, strict=True) if part.merges]
        stores = [(e.store_want, e.store_word, e.store_granted) for e in merging]
        arriving = [(r.want, r.word, r.granted) for r in receivers]
        users = [*arriving, *stores, *loads, *sends]
        m.d.comb += [
            pad.want.eq(Cat(want for want, _, _ in users)),
            pad.word.eq(Cat(word for _, word, _ in users)),
            pad.enables.eq(
                Cat(*(r.enables for r in receivers), *(e.store_enables for e in merging))
            ),
            pad.data.eq(Cat(*(r.data for r in receivers), *(e.store_data for e in merging))),
        ]
        m.d.comb += [granted.eq(pad.granted[k]) for k, (_, _, granted) in enumerate(users)]
        accesses = [self._accesses(place) for place in self._places]
        asked = [-1] * len(arriving)
        asked += [
            words for (_, words), part in zip(accesses, self._engines, strict=True) if part.merges
        ]
        asked += [
            reads
            for (reads, _), engine in zip(accesses, engines, strict=True)
            for _ in range(len(engine.load_want))
        ]
        asked += [
            words for (_, words), part in zip(accesses, self._engines, strict=True) if part.sends
        ]
        rank = {
            user: order
            for order, user in enumerate(sorted(range(len(users)), key=asked.__getitem__))
        }
        bits = bits_for_index(len(users))
        m.d.comb += pad.order.eq(sum(rank[user] << (user * bits) for user in range(len(users))))

    def _accesses(self, place: int) -> tuple[int, int]:
        """Return the reads of a load and the words of a block of results, as they are charged.

        Of an addition the reads of both maps, whose loads follow each other at the port.
        """
        chip, layer = self._chip, self._chip.layers[place]
        held, word = held_in(chip, place, self._macro), chip.word_elements
        channels, elements = layer.layer.out_channels, layer.copies * layer.layer.out_channels
        words = words_of_run(elements, channels, chip.word_bits // layer.output_bits)
        if layer.cut is None:
            if layer.layer.kind == "eltwise":
                return 2 * words_of_run(elements, channels, word), words
            reads = window_reads(layer.layer, word, chip.shares_of(place))
            return layer.copies * reads, words
        tiles = tile_reads(layer.layer, layer.cut, word, chip.shares_of(place))
        reads = sum(tiles[tile] for tile in range(*held.row_tiles))
        return (held.copies[1] - held.copies[0]) * reads, words

    def _load(self, m: Module, load: Signal) -> None:
        """Take the packets of what is loaded here."""
        link, head = self.link_in, Signal(header(self._chip))
        mine, target, index = Signal(), Signal.like(load.target), Signal.like(load.index)
        number = Signal.like(load.number)
        m.d.comb += [
            Value.cast(head).eq(link.data),
            load.valid.eq(link.valid & ~link.head & mine),
            load.target.eq(target),
            load.index.eq(index),
            load.number.eq(number),
            load.data.eq(link.data),
        ]
        with m.If(load.valid):
            m.d.sync += number.eq(number + 1)
        with m.If(link.valid & link.head):
            m.d.sync += [
                mine.eq(head.travel == load_number(self._chip, self._macro)),
                target.eq(head.target),
                index.eq(head.index),
                number.eq(0),
            ]


def engine_of(chip: Chip, place: int, macro: int) -> Engine:
    """Return the engine of a layer in a macro."""
    layer = chip.layers[place]
    check_widths(
        activation_bits=chip.activation_bits,
        word_bits=chip.word_bits,
        flit_bits=chip.flit_bits,
        source=chip.name,
    )
    check_layer(layer.layer, chip.name)
    kind = {"pool": PoolEngine, "eltwise": EltwiseEngine}.get(layer.layer.kind, ArrayEngine)
    return kind(chip=chip, place=place, macro=macro)


def arrivals(chip: Chip, macro: int) -> list[tuple[Travel, list[Region]]]:
    """Return what travels to readers in a macro, with the rings into which each goes."""
    node, found = chip.macros[macro].node, []
    for travel in chip.travels:
        if travel.kind not in ("image", "send"):
            continue
        rings = [
            region
            for region in chip.regions
            if (region.macro, region.kind) == (macro, "input")
            and region.provider == travel.layer
            and region.layer in travel.readers
        ]
        if rings and (node in travel.targets or node == travel.source):
            found.append((travel, rings))
    return found


def more_than_one(bits: Sequence[Value]) -> Value:
    """Return whether two bits or more are set."""
    return sum_of([Const(0), *bits]) > 1


def sum_of(terms: Sequence[Value]) -> Value:
    """Return the sum of terms."""
    found = terms[0]
    for term in terms[1:]:
        found = found + term
    return found
