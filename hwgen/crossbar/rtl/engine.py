"""Engine: all that works for one layer in one macro, from a ring to a ring and to the links.

Tests: `tests/verif/crossbar/test_chip.py`.
"""

from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part, PartInstance
from hwgen.chip.widths import bits_for_index
from hwgen.crossbar.facts.arch_fabric import Held, Region
from hwgen.crossbar.facts.chip import Chip, ChipLayer
from hwgen.crossbar.facts.loads import CHANNEL_FIELDS, KINDS, LIMITS_FIELDS, TABLE_FIELDS, Fields
from hwgen.crossbar.rtl.gather import Gatherer, GatherSender
from hwgen.crossbar.rtl.layouts import INDEX_BITS, TARGET_BITS, flit, layer_strobes
from hwgen.crossbar.rtl.links import Sender
from hwgen.crossbar.rtl.pad import Store
from hwgen.crossbar.rtl.requantizer import LIMITS, Requantizer, limits
from hwgen.crossbar.rtl.results import Results
from hwgen.crossbar.rtl.shifts import any_of
from hwgen.errors import DesignError

ACTIVATED = 8
"""Elements of a clock of one activation unit: `lanes` in the 4 clocks of an operation."""


def load_bus(chip: Chip) -> data.StructLayout:
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


def held_in(chip: Chip, place: int, macro: int) -> Held:
    """Return what a macro holds of a layer."""
    return next(one for one in chip.layers[place].held if one.macro == macro)


def ring_of(region: Region) -> dict[str, int]:
    """Return the constant of a ring, see `hwgen.crossbar.rtl.links.ring`."""
    return {"first": region.first_word, "last": region.first_word + region.words - 1}


class Engine(Part):
    """The common part of all layers: what becomes of sums. Each kind adds where they come from.

    Parameters
    ----------
        chip, place, macro  the chip, the layer, the macro
        loaders             parts that read the scratchpad for a load
        sum_bits            of a sum, signed
        members             ports of the kind
    Ports
        strobes      in   layer_strobes
        load         in   load_bus       what is loaded before the first image
        load_want    out  loaders        reads of the scratchpad, see `Loader`
        load_word    out  loaders x word_bits
        load_granted in   loaders
        store_..., send_...              see `Store`, `Sender`
        read_data    in   word           of the scratchpad
        link         out  flit           what it sends, if it sends
        late         out  1              a strobe came before an operation was over
    Latency  each operation from its strobe on, see the parts
    Rate     a block in the steps of its operations
    Errors   ``late``
    Golden   ``golden.network``
    Source   seed 003, Fig. 2 (b): macro
    """

    family = "crossbar"

    def __init__(
        self,
        *,
        chip: Chip,
        place: int,
        macro: int,
        loaders: int,
        sum_bits: int,
        members: dict[str, Any],
    ) -> None:
        layer, held = chip.layers[place], held_in(chip, place, macro)
        self.chip, self._place, self._macro = chip, place, macro
        self.layer, self.held = layer, held
        self._words = chip.macros[macro].words
        # Whether its sums are whole here; whether results of all macros come together here.
        self.whole = held.results > 0
        self.merges = self.whole and macro == layer.merge_macro
        self.sends = self.merges and layer.operations[-1].name in ("send", "result")
        channels, word = layer.layer.out_channels, chip.word_elements
        self._each = -(-layer.output_bits // chip.activation_bits)
        self._elements = layer.copies * channels * self._each
        lanes = lanes_of(chip, place, macro)
        self._own = (held.copies[1] - held.copies[0]) * channels * self._each
        self._gathers = [
            one
            for one in chip.travels_of(place, "gather")
            if self.merges or one.source == chip.macros[macro].node
        ]
        self.links = self.sends or not self.merges
        self.parts = self._parts(lanes, sum_bits) if self.whole else []
        index = bits_for_index(self._words)
        sends = {"send_want": Out(1), "send_word": Out(index), "send_granted": In(1)}
        stores = {
            "store_want": Out(1),
            "store_word": Out(index),
            "store_enables": Out(word),
            "store_data": Out(word * chip.activation_bits),
            "store_granted": In(1),
        }
        super().__init__(
            {
                "strobes": In(layer_strobes(chip, layer)),
                "load": In(load_bus(chip)),
                "load_want": Out(loaders),
                "load_word": Out(loaders * index),
                "load_granted": In(loaders),
                "read_data": In(word * chip.activation_bits),
                "late": Out(1),
            }
            | (stores if self.merges else {})
            | (sends if self.sends else {})
            | ({"link": Out(flit(chip))} if self.links else {})
            | ({"link_in": In(flit(chip))} if self.listens else {})
            | members
        )

    @property
    def size_suffix(self) -> str:
        return f"{self._place}_in_{self._macro}"

    def _parts(self, lanes: int, sum_bits: int) -> list[Part]:
        """Make what becomes of whole sums."""
        chip, layer = self.chip, self.layer
        word, bits = chip.word_elements, chip.activation_bits
        elements = self._elements if self.merges else self._own
        self._requantizer = Requantizer(
            channels=layer.layer.out_channels,
            copies=self.held.copies[1] - self.held.copies[0],
            lanes=lanes,
            sum_bits=sum_bits,
            bits=layer.output_bits,
            raw=layer.raw,
            table=layer.table,
        )
        self._results = Results(
            chunk=lanes * self._each,
            elements=elements,
            word=word,
            bits=bits,
            gathers=self.listens,
        )
        parts: list[Part] = [self._requantizer, self._results]
        if not self.merges:
            self._gather_sender = GatherSender(chip=chip, elements=elements)
            return [*parts, self._gather_sender]
        self._store = Store(words=self._words, word=word, elements=elements)
        parts.append(self._store)
        if self._gathers:
            self._gatherer = Gatherer(chip=chip, elements=elements, sources=len(self._gathers))
            parts.append(self._gatherer)
        if self.sends:
            self._sender = Sender(chip=chip, words=self._words, elements=elements)
            parts.append(self._sender)
        return parts

    @property
    def listens(self) -> bool:
        """Whether other macros send it parts of its results."""
        return self.merges and bool(self._gathers)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # What is loaded stays over runs, each of which begins with a reset.
        zero = Signal(self.chip.activation_bits, reset_less=True)
        source, late, links = self.connect_source(m, zero)
        own = parts_of(LIMITS_FIELDS, self.load.data)
        with m.If(self.loads("limits")):
            m.d.sync += zero.eq(own["input_zero"])
        if self.whole:
            m.submodules.requantizer = requantizer = self._requantizer.instance()
            m.submodules.results = results = self._results.instance()
            late.append(requantizer.late)
            self._connect_requantizer(m, source, requantizer, results)
            self._take_loads(m, requantizer)
            for part in self._connect_results(m, results):
                late.append(part.late)
                links += [part.link] if "link" in part.signature.members else []
        m.d.comb += self.late.eq(any_of(late))
        if self.links:
            chosen = [Mux(one.valid, Value.cast(one), 0) for one in links]
            m.d.comb += Value.cast(self.link).eq(any_of(chosen))
        return m

    def connect_source(
        self, m: Module, zero: Signal
    ) -> tuple[PartInstance, list[Value], list[data.View]]:
        """Place what sums come from; return what they are read from, errors, and links.

        zero: the zero point of the map that is read
        """
        raise NotImplementedError

    def input_of(self, provider: int | None) -> Region:
        """Return the ring in which the map of a provider lies: its own, or one that is filled."""
        here = [one for one in self.chip.regions if one.macro == self._macro]
        for one in here:
            if one.kind == "input" and (one.layer, one.provider) == (self._place, provider):
                return one
        return next(one for one in here if one.kind == "output" and one.layer == provider)

    def inputs(self) -> list[Region]:
        """Return the rings that are read, one a provider."""
        return [self.input_of(one) for one in self.layer.layer.providers or (None,)]

    def _output(self) -> Region:
        """Return the ring that the layer writes."""
        return next(
            one
            for one in self.chip.regions
            if (one.macro, one.kind, one.layer) == (self._macro, "output", self._place)
        )

    def loads(self, kind: str) -> Value:
        """Return whether a flit of an entry of this layer is loaded now."""
        order = self.chip.layers_in(self._macro).index(self._place)
        number = len(KINDS) * order + KINDS.index(kind)
        return self.load.valid & (self.load.target == number)

    def _connect_requantizer(
        self,
        m: Module,
        source: PartInstance,
        requantizer: PartInstance,
        results: PartInstance,
    ) -> None:
        """From sums to words of results."""
        layer, strobes = self.layer, self.strobes
        activation = strobes.activation
        first, behind = self.held.copies
        channels = layer.layer.out_channels
        last_copies = max(0, min(layer.last_pixels, behind) - first)
        m.d.comb += [
            requantizer.go.eq(activation.go),
            requantizer.half.eq(activation.parity),
            requantizer.blocks.eq(layer.blocks),
            requantizer.last_sums.eq(last_copies * channels),
            source.read_index.eq(requantizer.read_index),
            source.read_half.eq(requantizer.read_half),
            requantizer.sums.eq(source.read_data),
            results.go.eq(activation.go),
            results.blocks.eq(layer.blocks),
            results.valid.eq(requantizer.valid),
            results.data.eq(requantizer.data),
            results.count.eq(requantizer.count * self._each),
            results.last.eq(requantizer.last),
            results.opens.eq(requantizer.opens),
            results.data_half.eq(requantizer.data_half),
        ]
        if self.merges:
            m.d.comb += [
                results.size.eq(self._elements),
                results.last_size.eq(layer.last_pixels * channels * self._each),
                results.lead.eq(first * channels * self._each),
            ]

    def _connect_results(self, m: Module, results: PartInstance) -> list[PartInstance]:
        """From results to the ring, or to the macro that merges; return who can be late."""
        strobes = self.strobes
        if not self.merges:
            m.submodules.gather = gather = self._gather_sender.instance()
            self._connect_gather_sender(m, gather, results)
            return [gather]
        m.submodules.store = store = self._store.instance()
        m.d.comb += [
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
        if self._gathers:
            m.submodules.gatherer = gatherer = self._gatherer.instance()
            self._connect_gatherer(m, gatherer, results)
        if not self.sends:
            return [store]
        m.submodules.sender = sender = self._sender.instance()
        self._connect_sender(m, sender)
        return [store, sender]

    def _connect_gather_sender(
        self, m: Module, gather: PartInstance, results: PartInstance
    ) -> None:
        """Results leave for the macro that merges."""
        layer, travel = self.layer, self._gathers[0]
        first, behind = self.held.copies
        last_copies = max(0, min(layer.last_pixels, behind) - first)
        m.d.comb += [
            gather.go.eq(self.strobes.gather.go),
            gather.half.eq(self.strobes.gather.parity),
            gather.travel.eq(travel.id),
            gather.first_clock.eq(travel.first_clock),
            gather.blocks.eq(layer.blocks),
            gather.elements.eq(self._own),
            gather.last.eq(last_copies * layer.layer.out_channels * self._each),
            results.read_index.eq(gather.read_index),
            results.read_half.eq(gather.read_half),
            gather.read_data.eq(results.read_data),
        ]

    def _connect_gatherer(self, m: Module, gatherer: PartInstance, results: PartInstance) -> None:
        """Results of other macros come."""
        layer = self.layer
        channels = layer.layer.out_channels * self._each
        m.d.comb += [
            gatherer.link.eq(self.link_in),
            gatherer.go.eq(self.strobes.gather.go),
            gatherer.half.eq(self.strobes.gather.parity),
            gatherer.blocks.eq(layer.blocks),
            gatherer.size.eq(self._elements),
            gatherer.last_size.eq(layer.last_pixels * channels),
            results.gathered.eq(gatherer.gathered),
        ]
        macros = {one.node: one.macro for one in self.chip.macros}
        sources = [
            {
                "travel": travel.id,
                "before": channels
                * held_in(self.chip, self._place, macros[travel.source]).copies[0],
            }
            for travel in self._gathers
        ]
        m.d.comb += gatherer.sources.eq(gatherer.sources.shape().const(sources))

    def _constants(self, m: Module, part: PartInstance) -> None:
        """Connect ring and blocks of the layer's own map."""
        layer = self.layer
        m.d.comb += [
            part.ring.eq(part.ring.shape().const(ring_of(self._output()))),
            part.blocks.eq(layer.blocks),
            part.elements.eq(self._elements),
            part.last.eq(layer.last_pixels * layer.layer.out_channels * self._each),
        ]

    def _connect_sender(self, m: Module, sender: PartInstance) -> None:
        """Sends, or the result of the chip."""
        name = self.layer.operations[-1].name
        travel = self.chip.travels_of(self._place, name)[0]
        m.d.comb += [
            sender.go.eq(getattr(self.strobes, name).go),
            sender.half.eq(getattr(self.strobes, name).parity),
            sender.travel.eq(travel.id),
            sender.granted.eq(self.send_granted),
            sender.read_data.eq(self.read_data),
            self.send_want.eq(sender.want),
            self.send_word.eq(sender.word),
        ]
        self._constants(m, sender)

    def _take_loads(self, m: Module, requantizer: PartInstance) -> None:
        """Store what is loaded of channels and of the layer; a channel is known by both flits."""
        load, first = self.load, self.load.number == 0
        bias = Signal(len(requantizer.write_data.bias))
        with m.If(self.loads("channel") & first):
            m.d.sync += bias.eq(load.data)
        scale = parts_of(CHANNEL_FIELDS[1:], load.data)
        m.d.comb += [
            requantizer.write.eq(self.loads("channel") & (load.number == 1)),
            requantizer.write_index.eq(load.index),
            requantizer.write_data.bias.eq(bias),
            requantizer.write_data.multiplier.eq(scale["multiplier"]),
            requantizer.write_data.shift.eq(scale["shift"]),
        ]
        own = parts_of(LIMITS_FIELDS, load.data)
        kept = Signal(limits(self.layer.output_bits), reset_less=True)
        with m.If(self.loads("limits")):
            m.d.sync += [kept[name].eq(own[name]) for name in LIMITS]
        m.d.comb += requantizer.limits.eq(kept)
        if self.layer.table:
            m.d.comb += [
                requantizer.write_table.eq(self.loads("table")),
                requantizer.write_element.eq(load.index),
                requantizer.write_value.eq(parts_of(TABLE_FIELDS, load.data)["value"]),
            ]


def clocks_of(chip: Chip, layer: ChipLayer, name: str) -> int:
    """Return the clocks that an operation of a layer has."""
    return chip.step_clocks * sum(one.busy for one in layer.operations if one.name == name)


def lanes_of(chip: Chip, place: int, macro: int) -> int:
    """Return the elements that the activation units of a layer in a macro take in a clock."""
    layer, held = chip.layers[place], held_in(chip, place, macro)
    each = -(-layer.output_bits // chip.activation_bits)
    lanes = min(ACTIVATED * held.activation, chip.word_elements // each)
    clocks = clocks_of(chip, layer, "activation")
    if held.results * layer.layer.out_channels > lanes * clocks:
        raise DesignError(
            f"{layer.layer.name}: {lanes} lanes of its activation must be through in {clocks} "
            "clocks; make the architecture again with hwgen synthesize"
        )
    return lanes


def parts_of(fields: Fields, word: Value) -> dict[str, Value]:
    """Return the fields of a word by name."""
    found, place = {}, 0
    for name, bits in fields:
        found[name] = word[place : place + bits]
        place += bits
    return found
