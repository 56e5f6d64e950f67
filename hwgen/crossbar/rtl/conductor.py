"""The conductor: the only part of the chip that knows time."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.checks import in_range
from hwgen.chip.rtl.part import Part, PartInstance
from hwgen.chip.widths import bits_for_index
from hwgen.crossbar.facts.chip import Chip, ChipLayer
from hwgen.crossbar.facts.image_io import results
from hwgen.crossbar.facts.operations import PER_BIT
from hwgen.crossbar.facts.order import Key, back, pairs, to_next, travels_in_order, window_ends
from hwgen.crossbar.facts.timing import LAGS
from hwgen.crossbar.rtl import layouts
from hwgen.crossbar.rtl.counters import (
    OperationCounter,
    ProgressCounter,
    WindowCounter,
    constants,
    window_bits,
)

IMAGE_BITS, COUNT_BITS = 16, 32


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
        self._since_bits = since_bits(chip)
        self._pixel_bits = window_bits(chip)
        self._counter = OperationCounter(
            since_bits=self._since_bits, bit_bits=bits_for_index(chip.bit_steps)
        )
        self._window = WindowCounter(bits=self._pixel_bits)
        self._progress = ProgressCounter(bits=self._pixel_bits)
        self.parts = [self._counter, self._window, self._progress]
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
        counters = {}
        for layer in self._chip.layers:
            for operation in layer.operations:
                key = layer.place, operation.name
                counters[key] = counter = self._counter.instance()
                m.submodules[f"layer{layer.place}_{operation.name}"] = counter
        windows, progress = [], []
        for place in range(len(self._chip.layers)):
            windows.append(self._window.instance())
            progress.append(self._progress.instance())
            m.submodules[f"layer{place}_window"] = windows[place]
            m.submodules[f"layer{place}_progress"] = progress[place]
        entered = Signal(IMAGE_BITS, name="images_entered_next")
        through = Cat(each.image == self.images for each in progress).all()
        phase = self._clock(m, through)
        self._images(m, phase, entered)
        ready = {key: counter.ready for key, counter in counters.items()}
        for layer in self._chip.layers:
            own = [counters[layer.place, operation.name] for operation in layer.operations]
            window = windows[layer.place]
            self._chain(m, layer, own)
            m.d.comb += [
                window.constants.eq(
                    constants(window, window_ends(layer.layer, layer.copies, layer.blocks))
                ),
                window.advance.eq(own[0].tick & own[0].start),
                progress[layer.place].done.eq(own[-1].done),
                progress[layer.place].copies.eq(layer.copies),
                progress[layer.place].blocks.eq(layer.blocks - 1),
            ]
            key = layer.place, layer.operations[0].name
            ready[key] = (
                ready[key]
                & (window.image != self.images)
                & self._has_inputs(layer, window, progress, entered)
            )
        self._keep_banks(m, counters, ready)
        self._grant_adcs(m, counters, ready)
        self._grant_links(m, counters, ready)
        for place, (key, counter) in enumerate(counters.items()):
            m.d.comb += [
                counter.tick.eq(self.tick),
                counter.start.eq(ready[key]),
                self.starts[place].eq(counter.start),
            ]
        self._strobe(m, counters, phase)
        for number, travel in enumerate(results(self._chip)):
            m.d.comb += self.whole[number].eq(progress[travel.owner].image)
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

    def _chain(self, m: Module, layer: ChipLayer, counters: list[PartInstance]) -> None:
        """Connect the operations of a layer in their order, and give them their constants."""
        last = len(counters) - 1
        for k, (counter, operation) in enumerate(zip(counters, layer.operations, strict=True)):
            before, behind = counters[max(0, k - 1)], counters[min(last, k + 1)]
            m.d.comb += [
                counter.steps.eq(operation.steps),
                counter.bit_steps.eq(operation.bit_steps - 1),
                counter.period.eq(operation.period),
                counter.to_next.eq(to_next(layer, k)),
                counter.back.eq(back(layer, k)),
                counter.first.eq(k == 0),
                counter.pushed.eq(before.start if k > 0 else 0),
                counter.handed_on.eq(before.over if k > 0 else 0),
                counter.next_empty.eq(behind.empty if k < last else 1),
                counter.next_since.eq(behind.since if k < last else 0),
            ]

    def _has_inputs(
        self, layer: ChipLayer, window: PartInstance, progress: list[PartInstance], entered: Value
    ) -> Value:
        """Return whether all that the next block of a layer reads is there."""
        if not layer.layer.providers:
            return Value.cast(entered != window.image)
        there = []
        for provider in layer.layer.providers:
            own = progress[provider]
            enough = ~window.whole & (own.pixels >= window.need)
            # A reader whose windows leave the end of a map out may be an image ahead of it.
            ahead = (own.image - window.image)[:IMAGE_BITS]
            there.append(Mux(ahead == 0, enough, ~ahead[-1]))
        return Cat(*there).all()

    def _keep_banks(
        self, m: Module, counters: dict[Key, PartInstance], ready: dict[Key, Value]
    ) -> None:
        """Let no third block into the accumulators before the addition has begun with the first."""
        for place, name in counters:
            if name != "mvm":
                continue
            mvm, addition = counters[place, "mvm"], counters[place, "addition"]
            taken = Signal(2, name=f"banks{place}")
            with m.If(self.tick):
                m.d.sync += taken.eq(taken + mvm.start - addition.start)
            ready[place, "mvm"] = ready[place, "mvm"] & ~taken[1]

    def _grant_adcs(
        self, m: Module, counters: dict[Key, PartInstance], ready: dict[Key, Value]
    ) -> None:
        """Let one of a pair convert at a time, the earlier layer first."""
        for layer, partner, apart in pairs(self._chip):
            own: Key = layer.place, "mvm"
            other: Key = partner.place, "mvm"
            if apart > 0:
                just_now = counters[other].start if partner.place < layer.place else 0
                ready[own] = ready[own] & (counters[other].since >= apart) & ~just_now

    def _grant_links(
        self, m: Module, counters: dict[Key, PartInstance], ready: dict[Key, Value]
    ) -> None:
        """Let those on their way go on, and of others the later layer first."""
        order = travels_in_order(self._chip)
        going: dict[Key, Value] = {}
        for key in order:
            layer = self._chip.layers[key[0]]
            index = layer.index_of(key[1])
            assert index is not None
            on_the_way = counters[key].since < layer.operations[index].busy
            going[key] = on_the_way
        for place, key in enumerate(order):
            clashing = [other for other in order if (key, other) in self._chip.conflicts]
            earlier = [counters[other].start for other in clashing if other in order[:place]]
            if clashing:
                ready[key] = (
                    ready[key] & ~Cat(*(going[other] for other in clashing), *earlier).any()
                )

    def _strobe(self, m: Module, counters: dict[Key, PartInstance], phase: Signal) -> None:
        """Send each operation its strobe, in its clock of the first step."""
        reached = {}
        for lag in sorted({LAGS[name] for _, name in counters}):
            reached[lag] = Signal(name=f"lag{lag}")
            fresh = Signal(name=f"fresh{lag}")
            with m.If(self.tick):
                m.d.sync += fresh.eq(1)
            with m.Elif(reached[lag]):
                m.d.sync += fresh.eq(0)
            m.d.comb += reached[lag].eq(fresh & (phase == lag))
        for (place, name), counter in counters.items():
            strobe = self.strobes[f"layer{place}"][name]
            m.d.comb += [
                strobe.go.eq(counter.begins & reached[LAGS[name]]),
                strobe.parity.eq(counter.parity),
            ]
            if name in PER_BIT:
                m.d.comb += strobe.bit.eq(counter.bit_step)


def strobes(chip: Chip) -> data.StructLayout:
    """The strobes of all layers: `layer3` and so on."""
    return data.StructLayout(
        {f"layer{layer.place}": layouts.layer_strobes(chip, layer) for layer in chip.layers}
    )


def since_bits(chip: Chip) -> int:
    """Return the bits that count steps since a start: all ones are more than anybody asks for."""
    most = max(
        max(operation.period, operation.busy)
        for layer in chip.layers
        for operation in layer.operations
    )
    most = max(most, *(apart for _, _, apart in pairs(chip)), 1)
    return (most + 1).bit_length()
