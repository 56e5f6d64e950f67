"""Array engine: a layer with weights in one macro.

Tests: `tests/verif/crossbar/test_chip.py`.
"""

from fractions import Fraction

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import PartInstance
from hwgen.crossbar.facts.chip import Chip
from hwgen.crossbar.facts.columns import meeting_lanes, targets_of
from hwgen.crossbar.facts.holdings import Holding
from hwgen.crossbar.facts.levels import CONVERTER_FIELDS
from hwgen.crossbar.facts.loads import COLUMN_FIELDS
from hwgen.crossbar.rtl.array import Array
from hwgen.crossbar.rtl.chain import Chain, sums_of_flit
from hwgen.crossbar.rtl.engine import Engine, held_in, lanes_of, parts_of
from hwgen.crossbar.rtl.joined_loader import loader_of
from hwgen.crossbar.rtl.layouts import flit
from hwgen.crossbar.rtl.sizes import ArraySizes


def array_sizes(chip: Chip, place: int, macro: int) -> ArraySizes:
    """Return the sizes of the array of a layer in a macro."""
    layer, held = chip.layers[place], held_in(chip, place, macro)
    return ArraySizes(
        side=chip.side,
        cell_bits=chip.cell_bits,
        dac_bits=chip.dac_bits,
        adc_bits=chip.adc_bits,
        weight_bits=chip.weight_bits,
        input_bits=chip.activation_bits,
        units=held.units,
        columns=held.conversions,
        adcs=chip.macros[macro].adcs,
        rate=Fraction(chip.adc_samples, chip.adc_clocks),
        targets=(held.copies[1] - held.copies[0]) * layer.layer.out_channels,
        sum_bits=layer.partial_sum_bits,
        part_bits=chip.flit_bits,
        row_elements=min(chip.side, chip.word_elements),
        effects=chip.effects,
        step_bits=chip.step_bits,
        noisy_reads=layer.blocks * chip.bit_steps if chip.read_noise else 0,
        pairs=chip.pairs,
    )


class ArrayEngine(Engine):
    """One layer with weights in one macro: whole copies, or row tiles of one.

    Ports beside those of `Engine`
        converting  out  1                    see `Array`
        analog      out  lanes x analog_bits
        codes       in   lanes x adc_bits
        samples     out  16                   conversions of this clock
        reads       out  16                   crossbars that begin a bit step in this clock
    """

    def __init__(self, *, chip: Chip, place: int, macro: int) -> None:
        layer, held = chip.layers[place], held_in(chip, place, macro)
        self.sizes = sizes = array_sizes(chip, place, macro)
        assert layer.cut is not None
        targets = targets_of(
            layer.cut,
            Holding(macro=macro, copies=range(*held.copies), row_tiles=range(*held.row_tiles)),
        )
        self._incoming = self._outgoing = None
        for travel in chip.travels_of(place, "chain"):
            if chip.macros[macro].node in travel.targets:
                self._incoming = travel
            if chip.macros[macro].node == travel.source:
                self._outgoing = travel
        chained = self._incoming is not None or self._outgoing is not None
        reads = lanes_of(chip, place, macro)
        each = sums_of_flit(chip.flit_bits, sizes.sum_bits)
        self._array = Array(
            sizes=sizes,
            reads=each if chained else reads,
            meeting=meeting_lanes(targets, sizes.lanes),
        )
        super().__init__(
            chip=chip,
            place=place,
            macro=macro,
            loaders=1,
            sum_bits=sizes.sum_bits,
            members=({"link_in": In(flit(chip))} if self._incoming is not None else {})
            | {
                "converting": Out(1),
                "analog": Out(sizes.lanes * sizes.analog_bits),
                "codes": In(sizes.lanes * sizes.adc_bits),
                "samples": Out(16),
                "reads": Out(16),
            },
        )
        self._loader, self._walks = loader_of(self, units=held.units, side=chip.side)
        self.parts = [self._array, self._loader, *self.parts]
        if chained:
            self._chain = Chain(
                chip=chip,
                channels=layer.layer.out_channels,
                sum_bits=sizes.sum_bits,
                receives=self._incoming is not None,
                reads=0 if self._outgoing is not None else reads,
            )
            self.parts.append(self._chain)

    def connect_source(
        self, m: Module, zero: Signal
    ) -> tuple[PartInstance, list[Value], list[data.View]]:
        m.submodules.array = array = self._array.instance()
        m.submodules.loader = loader = self._loader.instance()
        self._connect_load(m, array, loader, zero)
        self._connect_array(m, array)
        self._take_columns(m, array)
        if self._incoming is None and self._outgoing is None:
            return array, [array.late, loader.late], []
        m.submodules.chain = chain = self._chain.instance()
        self._connect_chain(m, chain, array)
        links = [chain.link] if self._outgoing is not None else []
        return chain, [array.late, loader.late, chain.late], links

    def _connect_chain(self, m: Module, chain: PartInstance, array: PartInstance) -> None:
        """Partial sums of the macros of a copy."""
        m.d.comb += [
            chain.go.eq(self.strobes.chain.go),
            chain.half.eq(self.strobes.chain.parity),
            array.read_index.eq(chain.own_index),
            array.read_half.eq(chain.own_half),
            chain.own.eq(array.read_data),
        ]
        if self._incoming is not None:
            m.d.comb += [
                chain.link_in.eq(self.link_in),
                chain.travel_in.eq(self._incoming.id),
            ]
        if self._outgoing is not None:
            m.d.comb += chain.travel_out.eq(self._outgoing.id)

    def _connect_load(
        self, m: Module, array: PartInstance, loader: PartInstance, zero: Signal
    ) -> None:
        """Loads: from the scratchpad to the inputs."""
        strobe = self.strobes.load
        m.d.comb += [
            loader.walk.eq(self._walks),
            loader.go.eq(strobe.go),
            loader.half.eq(strobe.parity),
            loader.zero.eq(zero),
            self.load_want.eq(loader.want),
            self.load_word.eq(loader.word),
            loader.granted.eq(self.load_granted),
            loader.read_data.eq(self.read_data),
        ]
        for name in ("write", "unit", "first", "count", "data"):
            m.d.comb += getattr(array, f"row_{name}").eq(getattr(loader, f"row_{name}"))
        for name in () if self.sizes.pairs else ("write", "unit", "half", "data"):
            m.d.comb += getattr(array, f"sum_{name}").eq(getattr(loader, f"sum_{name}"))

    def _connect_array(self, m: Module, array: PartInstance) -> None:
        """Bit steps and addition."""
        strobes, sizes = self.strobes, self.sizes
        last = (sizes.columns - 1) % sizes.lanes + 1
        m.d.comb += [
            array.multiply.eq(strobes.mvm.go),
            array.multiply_bit.eq(strobes.mvm.bit),
            array.convert.eq(strobes.adc.go),
            array.convert_bit.eq(strobes.adc.bit),
            array.convert_half.eq(strobes.adc.parity),
            array.add.eq(strobes.addition.go),
            array.add_half.eq(strobes.addition.parity),
            array.last_lanes.eq((1 << last) - 1),
            array.codes.eq(self.codes),
            self.converting.eq(array.converting),
            self.analog.eq(array.analog),
            self.samples.eq(Mux(array.converting, Mux(array.ends, last, sizes.lanes), 0)),
            self.reads.eq(Mux(strobes.mvm.go, self.held.crossbars, 0)),
        ]

    def _take_columns(self, m: Module, array: PartInstance) -> None:
        """Store what is loaded of columns; a column is known by its first flit."""
        load, first = self.load, self.load.number == 0
        column = Signal(data.StructLayout(dict(COLUMN_FIELDS)))
        takes, writes = self.loads("column"), Signal()
        with m.If(takes & first):
            m.d.sync += column.eq(load.data)
        m.d.comb += [
            writes.eq(takes & ~first),
            array.cell_write.eq(writes),
            array.cell_column.eq(load.index),
            array.cell_part.eq(load.number - 1),
            array.cell_data.eq(load.data),
            array.lane_write.eq(Mux(writes, 1 << column.lane, 0)),
            array.lane_slot.eq(column.slot),
        ]
        for name in ("flip", "first", "cell_slice", "unit", "target"):
            if name in self.sizes.loaded.members:
                m.d.comb += array.column[name].eq(column[name])
        if self.sizes.effects:
            # Of the last part; lanes keep what comes with it.
            converter = parts_of(CONVERTER_FIELDS, load.data)
            m.d.comb += [
                array.trimmed.eq(converter["trimmed"]),
                array.column.less.eq(converter["less"]),
            ]
