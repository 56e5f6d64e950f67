"""Engine: all that works for one layer in one macro, from a ring to a ring and to the links."""

from fractions import Fraction

from amaranth.hdl import Const, Module, Mux, Signal
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part, PartInstance
from hwgen.chip.widths import bits_for_index
from hwgen.crossbar.facts.chip_facts import ChipFacts, Held, Region
from hwgen.crossbar.facts.columns import columns_of, meeting_lanes
from hwgen.crossbar.facts.holdings import Holding
from hwgen.crossbar.facts.loads import CHANNEL_FIELDS, COLUMN_FIELDS, KINDS, LIMITS_FIELDS
from hwgen.crossbar.rtl.array import Array
from hwgen.crossbar.rtl.layouts import INDEX_BITS, TARGET_BITS, flit, layer_strobes
from hwgen.crossbar.rtl.loader import WALK, Loader
from hwgen.crossbar.rtl.requantizer import Requantizer, limits
from hwgen.crossbar.rtl.results import Results
from hwgen.crossbar.rtl.sender import Sender
from hwgen.crossbar.rtl.sizes import ArraySizes
from hwgen.crossbar.rtl.store import Store
from hwgen.crossbar.rtl.walks import walk_of

ACTIVATED = 8
"""Elements of a clock of one activation unit: `lanes` in the 4 clocks of an operation."""


def load_bus(chip: ChipFacts) -> data.StructLayout:
    """A flit of a load: of which target and entry, the how manieth of it behind the header."""
    return data.StructLayout(
        {
            "valid": 1,
            "target": TARGET_BITS,
            "index": INDEX_BITS,
            "number": 16,
            "data": chip.flit_bits,
        }
    )


def array_sizes(chip: ChipFacts, place: int, macro: int) -> ArraySizes:
    """Return the sizes of the array of a layer in a macro."""
    layer, held = chip.layers[place], held_in(chip, place, macro)
    copies = held.copies[1] - held.copies[0]
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
        targets=copies * layer.layer.out_channels,
        sum_bits=layer.partial_sum_bits,
        part_bits=chip.flit_bits,
        row_elements=min(chip.side, chip.word_elements),
    )


def held_in(chip: ChipFacts, place: int, macro: int) -> Held:
    """Return what a macro holds of a layer."""
    return next(one for one in chip.layers[place].held if one.macro == macro)


def ring_of(region: Region) -> dict[str, int]:
    """Return the constant of a ring, see `hwgen.crossbar.rtl.receiver.ring`."""
    return {"first": region.first_word, "last": region.first_word + region.words - 1}


class Engine(Part):
    """One layer with weights in one macro that holds whole copies and merges their results.

    Ports
        strobes    in   layer_strobes
        load       in   load_bus       what is loaded before the first image
        load_want, load_word           reads of the scratchpad, see `Loader`
        store_..., send_...            see `Store`, `Sender`
        read_data  in   word           of the scratchpad
        converting out  1              see `Array`
        analog     out  lanes x analog_bits
        codes      in   lanes x adc_bits
        link       out  flit           what it sends
        late       out  1
        samples    out  16             conversions of this clock
        reads      out  16             crossbars that begin a bit step in this clock
    Latency  each operation from its strobe on, see the parts
    Rate     a block in the steps of its operations
    Errors   ``late``: a strobe came before an operation was over
    Golden   ``golden.network``
    Source   seed 003, Fig. 2 (b): macro
    """

    family = "crossbar"

    def __init__(self, *, chip: ChipFacts, place: int, macro: int) -> None:
        layer, held = chip.layers[place], held_in(chip, place, macro)
        self._chip, self._place, self._macro = chip, place, macro
        self._layer, self._held, self._sizes = layer, held, array_sizes(chip, place, macro)
        self._words = chip.macros[macro].words
        self._sends = layer.operations[-1].name in ("send", "result")
        channels, word = layer.layer.out_channels, chip.word_elements
        each = -(-layer.output_bits // chip.activation_bits)
        self._each, self._elements = each, layer.copies * channels * each
        lanes = min(ACTIVATED * held.activation, word // each)
        copies = held.copies[1] - held.copies[0]
        assert layer.cut is not None
        columns = columns_of(
            layer.cut,
            Holding(macro=macro, copies=range(*held.copies), row_tiles=range(*held.row_tiles)),
        )
        self._array = Array(
            sizes=self._sizes, reads=lanes, meeting=meeting_lanes(columns, self._sizes.lanes)
        )
        self._loader = Loader(chip=chip, words=self._words, units=held.units)
        self._requantizer = Requantizer(
            channels=channels,
            copies=copies,
            lanes=lanes,
            sum_bits=layer.partial_sum_bits,
            bits=layer.output_bits,
            raw=layer.raw,
        )
        self._results = Results(
            chunk=lanes * each,
            elements=self._elements,
            word=word,
            bits=chip.activation_bits,
            aligned=False,
        )
        self._store = Store(words=self._words, word=word, elements=self._elements)
        self._sender = Sender(chip=chip, words=self._words, elements=self._elements)
        self.parts = [self._array, self._loader, self._requantizer, self._results, self._store]
        self.parts += [self._sender] if self._sends else []
        sizes, index = self._sizes, bits_for_index(self._words)
        super().__init__(
            {
                "strobes": In(layer_strobes(chip, layer)),
                "load": In(load_bus(chip)),
                "load_want": Out(1),
                "load_word": Out(index),
                "load_granted": In(1),
                "store_want": Out(1),
                "store_word": Out(index),
                "store_enables": Out(word),
                "store_data": Out(word * chip.activation_bits),
                "store_granted": In(1),
                "send_want": Out(1),
                "send_word": Out(index),
                "send_granted": In(1),
                "read_data": In(word * chip.activation_bits),
                "converting": Out(1),
                "analog": Out(sizes.lanes * sizes.analog_bits),
                "codes": In(sizes.lanes * sizes.adc_bits),
                "link": Out(flit(chip)),
                "late": Out(1),
                "samples": Out(16),
                "reads": Out(16),
            }
        )

    @property
    def size_suffix(self) -> str:
        return f"{self._place}_in_{self._macro}"

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # What is loaded stays over runs, each of which begins with a reset.
        zero = Signal(self._chip.activation_bits, reset_less=True)
        m.submodules.array = array = self._array.instance()
        m.submodules.loader = loader = self._loader.instance()
        m.submodules.requantizer = requantizer = self._requantizer.instance()
        m.submodules.results = results = self._results.instance()
        m.submodules.store = store = self._store.instance()
        late = [array.late, loader.late, requantizer.late, store.late]
        self._connect_load(m, array, loader, zero)
        self._connect_array(m, array, loader)
        self._connect_results(m, array, requantizer, results, store)
        self._take_loads(m, array, requantizer, zero)
        if self._sends:
            m.submodules.sender = sender = self._sender.instance()
            self._connect_sender(m, sender)
            late.append(sender.late)
        together = late[0]
        for one in late[1:]:
            together = together | one
        m.d.comb += self.late.eq(together)
        return m

    @property
    def sizes(self) -> ArraySizes:
        """Sizes of its array."""
        return self._sizes

    def _region(self) -> Region:
        """Return the ring that the layer reads: its own, or that of a provider in this macro."""
        providers = self._layer.layer.providers
        provider = providers[0] if providers else None
        here = [one for one in self._chip.regions if one.macro == self._macro]
        for one in here:
            if one.kind == "input" and (one.layer, one.provider) == (self._place, provider):
                return one
        return next(one for one in here if one.kind == "output" and one.layer == provider)

    def _output(self) -> Region:
        """Return the ring that the layer writes."""
        return next(
            one
            for one in self._chip.regions
            if (one.macro, one.kind, one.layer) == (self._macro, "output", self._place)
        )

    def _connect_load(
        self, m: Module, array: PartInstance, loader: PartInstance, zero: Signal
    ) -> None:
        """Loads: from the scratchpad to the inputs."""
        strobe = self.strobes.load
        walk = walk_of(self._chip, self._layer, self._held, self._region())
        m.d.comb += [
            loader.walk.eq(WALK.const(walk)),
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
        for name in ("write", "unit", "half", "data"):
            m.d.comb += getattr(array, f"sum_{name}").eq(getattr(loader, f"sum_{name}"))

    def _connect_array(self, m: Module, array: PartInstance, loader: PartInstance) -> None:
        """Bit steps and addition."""
        strobes, sizes = self.strobes, self._sizes
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
            self.reads.eq(Mux(strobes.mvm.go, self._held.crossbars, 0)),
        ]

    def _connect_results(
        self,
        m: Module,
        array: PartInstance,
        requantizer: PartInstance,
        results: PartInstance,
        store: PartInstance,
    ) -> None:
        """From sums to the ring."""
        layer, strobes = self._layer, self.strobes
        activation = next(
            getattr(strobes, one.name)
            for one in layer.operations
            if one.name in ("activation", "relu", "sigmoid")
        )
        first, behind = self._held.copies
        last_copies = max(0, min(layer.last_pixels, behind) - first)
        m.d.comb += [
            requantizer.go.eq(activation.go),
            requantizer.half.eq(activation.parity),
            requantizer.blocks.eq(layer.blocks),
            requantizer.last_sums.eq(last_copies * layer.layer.out_channels),
            array.read_index.eq(requantizer.read_index),
            array.read_half.eq(requantizer.read_half),
            requantizer.sums.eq(array.read_data),
            results.valid.eq(requantizer.valid),
            results.data.eq(requantizer.data),
            results.count.eq(requantizer.count * self._each),
            results.last.eq(requantizer.last),
            results.opens.eq(requantizer.opens),
            results.data_half.eq(requantizer.data_half),
            results.read_index.eq(store.read_index),
            results.read_half.eq(store.read_half),
            store.go.eq(strobes.store.go),
            store.half.eq(strobes.store.parity),
            store.granted.eq(self.store_granted),
            self.store_want.eq(store.want),
            self.store_word.eq(store.word),
            self.store_enables.eq(store.enables),
            self.store_data.eq(results.read_data),
        ]
        self._constants(m, store)

    def _constants(self, m: Module, part: PartInstance) -> None:
        """Connect ring and blocks of the layer's own map."""
        layer = self._layer
        m.d.comb += [
            part.ring.eq(part.ring.shape().const(ring_of(self._output()))),
            part.blocks.eq(layer.blocks),
            part.elements.eq(self._elements),
            part.last.eq(layer.last_pixels * layer.layer.out_channels * self._each),
        ]

    def _connect_sender(self, m: Module, sender: PartInstance) -> None:
        """Sends, or the result of the chip."""
        name = self._layer.operations[-1].name
        travel = self._chip.travels_of(self._place, name)[0]
        m.d.comb += [
            sender.go.eq(getattr(self.strobes, name).go),
            sender.travel.eq(travel.id),
            sender.granted.eq(self.send_granted),
            sender.read_data.eq(self.read_data),
            self.send_want.eq(sender.want),
            self.send_word.eq(sender.word),
            self.link.eq(sender.link),
        ]
        self._constants(m, sender)

    def _take_loads(
        self, m: Module, array: PartInstance, requantizer: PartInstance, zero: Signal
    ) -> None:
        """Store what is loaded; a column is known by its first flit, a channel by both."""
        order = self._chip.macros[self._macro].layers.index(self._place)
        load, kinds = self.load, {}
        for number, kind in enumerate(KINDS):
            kinds[kind] = Signal(name=f"loads_{kind}")
            m.d.comb += kinds[kind].eq(load.valid & (load.target == len(KINDS) * order + number))
        column = Signal(sum(bits for _, bits in COLUMN_FIELDS))
        bias = Signal(len(load.data))
        fields = parts_of(COLUMN_FIELDS, column)
        first = load.number == 0
        with m.If(kinds["column"] & first):
            m.d.sync += column.eq(load.data)
        with m.If(kinds["channel"] & first):
            m.d.sync += bias.eq(load.data)
        scale = parts_of(CHANNEL_FIELDS[1:], load.data)
        m.d.comb += [
            array.cell_write.eq(kinds["column"] & ~first),
            array.cell_column.eq(load.index),
            array.cell_part.eq(load.number - 1),
            array.cell_data.eq(load.data),
            array.lane_write.eq(Mux(kinds["column"] & ~first, 1 << fields["lane"], 0)),
            array.lane_slot.eq(fields["slot"]),
            requantizer.write.eq(kinds["channel"] & (load.number == 1)),
            requantizer.write_index.eq(load.index),
            requantizer.write_data.bias.eq(bias),
            requantizer.write_data.multiplier.eq(scale["multiplier"]),
            requantizer.write_data.shift.eq(scale["shift"]),
        ]
        for name in ("flip", "first", "cell_slice", "unit", "target"):
            m.d.comb += array.column[name].eq(fields[name])
        own = parts_of(LIMITS_FIELDS, load.data)
        kept = Signal(limits(self._layer.output_bits), reset_less=True)
        with m.If(kinds["limits"]):
            m.d.sync += zero.eq(own["input_zero"])
            m.d.sync += [kept[name].eq(own[name]) for name in ("zero_point", "low", "high")]
        m.d.comb += requantizer.limits.eq(kept)


def parts_of(fields: tuple[tuple[str, int], ...], word: Signal) -> dict[str, Signal]:
    """Return the fields of a word by name."""
    found, place = {}, 0
    for name, bits in fields:
        found[name] = word[place : place + bits]
        place += bits
    return found
