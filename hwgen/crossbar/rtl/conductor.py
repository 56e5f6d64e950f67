"""The conductor: the only part of the chip that knows time."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.checks import in_range
from hwgen.chip.rtl.part import Part, PartInstance
from hwgen.crossbar.facts.chip import Chip, ChipLayer
from hwgen.crossbar.facts.image_io import results
from hwgen.crossbar.facts.order import Key, pairs, travels_in_order
from hwgen.crossbar.facts.timing import LAGS
from hwgen.crossbar.rtl import layouts
from hwgen.crossbar.rtl.layer_conductor import IMAGE_BITS, LayerConductor

COUNT_BITS = 32


class Conductor(Part):
    """Starts every operation in its step; nothing else on the chip waits for anything.

    The first step begins when the first image is there. In the last clock of a step all counters
    are asked at once which operations begin with the next step; links and shared ADCs are granted
    by who goes first. If an image is due and not there, or results have no room, the step lasts
    longer: its last clock is repeated.

    Ports
        images       in   16       of the run, at least 1
        interval     in   32       steps from one image to the next, at least 1
        image_ready  in   1        one more image than have entered is whole
        room         in   1        what starts in the next step has room where results go
        strobes      out  layouts  of all layers, each `LAGS` clocks behind its tick
        entered      out  1        an image enters with the next step
        images_entered  out  16    so many have
        works        out  1        a step goes on, and is not held
        tick         out  1        a step begins in the next clock
        starts       out  1 each   with tick: operations that start, for traces
        held         out  32       clocks by which steps were longer, behind the first one
        whole        out  16 each  images of each result that are over by the end of this step
        finished     out  1        all operations of all images are over; stays
    Latency  a strobe is LAGS[operation] clocks behind the first clock of its step
    Rate     a step in `step_clocks` clocks
    Errors   none
    Golden   ``hwgen.crossbar.model.conductor``; the schedule of a synthesis
    Source   docs/crossbar-chip.md, "Conductor"
    """

    family = "crossbar"

    def __init__(self, *, chip: Chip) -> None:
        self._chip = chip
        self._layers = [LayerConductor(chip=chip, layer=layer) for layer in chip.layers]
        self.parts = self._layers
        count = sum(len(layer.operations) for layer in chip.layers)
        super().__init__(
            {
                "images": In(IMAGE_BITS),
                "interval": In(COUNT_BITS),
                "image_ready": In(1),
                "room": In(1),
                "strobes": Out(strobes(chip)),
                "entered": Out(1),
                "images_entered": Out(IMAGE_BITS),
                "works": Out(1),
                "tick": Out(1),
                "starts": Out(count),
                "held": Out(COUNT_BITS),
                "whole": Out(data.ArrayLayout(IMAGE_BITS, len(results(chip)))),
                "finished": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        layers = []
        for place, part in enumerate(self._layers):
            layers.append(part.instance())
            m.submodules[f"layer_{place}"] = layers[place]
            m.d.comb += layers[place].tick.eq(self.tick)
        entered = Signal(IMAGE_BITS, name="images_entered_next")
        through = Cat(each.image == self.images for each in layers).all()
        phase = self._clock(m, through)
        self._images(m, phase, entered)
        ready: dict[Key, Value] = {}
        for layer in self._chip.layers:
            own = layers[layer.place]
            for operation in layer.operations:
                ready[layer.place, operation.name] = getattr(own.ready, operation.name)
            key = layer.place, layer.operations[0].name
            ready[key] = (
                ready[key]
                & (own.window_image != self.images)
                & self._has_inputs(layer, layers, entered)
            )
        self._grant_adcs(layers, ready)
        self._grant_links(layers, ready)
        for number, ((place, name), value) in enumerate(ready.items()):
            start = getattr(layers[place].start, name)
            m.d.comb += [start.eq(value), self.starts[number].eq(start)]
        self._strobe(m, layers, phase)
        for number, travel in enumerate(results(self._chip)):
            m.d.comb += self.whole[number].eq(layers[travel.owner].image)
        return m

    def _clock(self, m: Module, through: Value) -> Signal:
        """Count the clocks of a step, hold its last one, and end the run; return the count."""
        last = self._chip.step_clocks - 1
        phase = Signal(range(last + 1), init=last)
        in_range(m, "phase", phase, last)
        m.d.comb += self.finished.eq(through & (phase == last))
        with m.If(self.tick):
            m.d.sync += phase.eq(0)
        with m.Elif(phase != last):
            m.d.sync += phase.eq(phase + 1)
        return phase

    def _images(self, m: Module, phase: Signal, entered: Signal) -> None:
        """Let images enter at their steps; `entered`: how many have, with the one that does now."""
        begun, left, count = Signal(), Signal(COUNT_BITS), self.images_entered
        due, waits = Signal(), Signal()
        at_end = (phase == self._chip.step_clocks - 1) & ~self.finished
        m.d.comb += [
            due.eq((left == 0) & (count != self.images)),
            waits.eq(~self.room | (due & ~self.image_ready)),
            self.tick.eq(at_end & ~waits),
            self.entered.eq(self.tick & due),
            self.works.eq(self.tick | (phase != self._chip.step_clocks - 1)),
            entered.eq(count + due),
        ]
        with m.If(self.tick):
            m.d.sync += [begun.eq(1), count.eq(entered)]
            with m.If(due):
                m.d.sync += left.eq(self.interval - 1)
            with m.Elif(left != 0):
                m.d.sync += left.eq(left - 1)
        with m.If(at_end & waits & begun):
            m.d.sync += self.held.eq(self.held + 1)

    def _has_inputs(self, layer: ChipLayer, layers: list[PartInstance], entered: Value) -> Value:
        """Return whether all that the next block of a layer reads is there."""
        reader = layers[layer.place]
        if not layer.layer.providers:
            return Value.cast(entered != reader.window_image)
        there = []
        for provider in layer.layer.providers:
            own = layers[provider]
            enough = ~reader.whole & (own.pixels >= reader.need)
            # A reader whose windows leave the end of a map out may be an image ahead of it.
            ahead = (own.image - reader.window_image)[:IMAGE_BITS]
            there.append(Mux(ahead == 0, enough, ~ahead[-1]))
        return Cat(*there).all()

    def _grant_adcs(self, layers: list[PartInstance], ready: dict[Key, Value]) -> None:
        """Let one of a pair convert at a time, the earlier layer first."""
        for layer, partner, apart in pairs(self._chip):
            own: Key = layer.place, "mvm"
            other = layers[partner.place]
            just_now = other.start.mvm if partner.place < layer.place else 0
            if apart > 0:
                ready[own] = ready[own] & (other.since.mvm >= apart) & ~just_now

    def _grant_links(self, layers: list[PartInstance], ready: dict[Key, Value]) -> None:
        """Let those on their way go on, and of others the later layer first."""
        order = travels_in_order(self._chip)
        for place, key in enumerate(order):
            clashing = [other for other in order if (key, other) in self._chip.conflicts]
            going = [self._on_the_way(layers, other) for other in clashing]
            earlier = [
                getattr(layers[other[0]].start, other[1])
                for other in clashing
                if other in order[:place]
            ]
            if clashing:
                ready[key] = ready[key] & ~Cat(*going, *earlier).any()

    def _on_the_way(self, layers: list[PartInstance], key: Key) -> Value:
        """Return whether what has started last of an operation still needs its links."""
        layer = self._chip.layers[key[0]]
        index = layer.index_of(key[1])
        assert index is not None
        return Value.cast(getattr(layers[key[0]].since, key[1]) < layer.operations[index].busy)

    def _strobe(self, m: Module, layers: list[PartInstance], phase: Signal) -> None:
        """Tell each layer the clocks of the first step in which its strobes go, and send these."""
        reached = {}
        names = {operation.name for layer in self._chip.layers for operation in layer.operations}
        for lag in sorted({LAGS[name] for name in names}):
            reached[lag] = Signal(name=f"lag_{lag}")
            fresh = Signal(name=f"fresh_{lag}")
            with m.If(self.tick):
                m.d.sync += fresh.eq(1)
            with m.Elif(reached[lag]):
                m.d.sync += fresh.eq(0)
            m.d.comb += reached[lag].eq(fresh & (phase == lag))
        for layer in self._chip.layers:
            own = layers[layer.place]
            for lag in {LAGS[operation.name]: None for operation in layer.operations}:
                m.d.comb += getattr(own.reached, f"lag_{lag}").eq(reached[lag])
            m.d.comb += Value.cast(self.strobes[f"layer{layer.place}"]).eq(Value.cast(own.strobes))


def strobes(chip: Chip) -> data.StructLayout:
    """The strobes of all layers: `layer3` and so on."""
    return data.StructLayout(
        {f"layer{layer.place}": layouts.layer_strobes(chip, layer) for layer in chip.layers}
    )
