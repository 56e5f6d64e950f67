"""The conductor's counters of one layer.

Tests: `tests/verif/crossbar/test_conductor.py`.
"""

from collections.abc import Sequence

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import In, Out, Signature

from hwgen.chip.rtl.part import Part, PartInstance
from hwgen.chip.widths import bits_for_index
from hwgen.crossbar.facts.chip import Chip, ChipLayer
from hwgen.crossbar.facts.operations import PER_BIT, OperationName
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

IMAGE_BITS = 16


class LayerConductor(Part):
    """Counts for a layer which operations may start, what is read next and what is through.

    Ports
        tick          in   1           the last clock of a step: with the next one operations start
        start         in   1 each      the operation starts with tick
        ready         out  1 each      it may start, but for what other layers do
        since         out  since_bits  steps since its last start; all ones: long ago, or never
        reached       in   1 each      it is the clock of the step for strobes of so many clocks lag
        strobes       out  layouts     of the layer: go, and what belongs to it
        window_image  out  16          image of the next block
        need          out  bits        pixels of the input map (from 1) that it needs
        whole         out  1           it needs the whole map, ``need`` has no meaning
        pixels        out  bits        that are through, of the image that is being written
        image         out  16          images that are through
    Latency  1 clock from ``tick & start``
    Rate     a start of each operation a tick
    Errors   none
    Golden   ``hwgen.crossbar.model.conductor``
    Source   docs/crossbar-chip.md, "Conductor"
    """

    family = "crossbar"

    def __init__(self, *, chip: Chip, layer: ChipLayer) -> None:
        self._layer = layer
        bits, self._since_bits = window_bits(chip), since_bits(chip)
        self._counter = OperationCounter(
            since_bits=self._since_bits, bit_bits=bits_for_index(chip.bit_steps)
        )
        self._window = WindowCounter(bits=bits)
        self._progress = ProgressCounter(bits=bits)
        self.parts = [self._counter, self._window, self._progress]
        names = [operation.name for operation in layer.operations]
        flags = Signature(dict.fromkeys(names, Out(1)))
        asked = [name for place, name in asked_for(chip) if place == layer.place]
        # What no other layer asks for has no port.
        since = Signature({name: Out(self._since_bits) for name in asked})
        reads = {"need": Out(bits), "whole": Out(1)} if layer.layer.providers else {}
        read = any(layer.place in each.layer.providers for each in chip.layers)
        super().__init__(
            {
                "tick": In(1),
                "start": In(flags),
                "ready": Out(flags),
                **({"since": Out(since)} if asked else {}),
                "reached": In(Signature({lag_name(name): Out(1) for name in names})),
                "strobes": Out(layouts.layer_strobes(chip, layer)),
                "window_image": Out(IMAGE_BITS),
                **reads,
                **({"pixels": Out(bits)} if read else {}),
                "image": Out(IMAGE_BITS),
            }
        )

    @property
    def size_suffix(self) -> str:
        """The number of the layer."""
        return str(self._layer.place)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        layer = self._layer
        m.submodules.window = window = self._window.instance()
        m.submodules.progress = progress = self._progress.instance()
        counters = []
        for operation in layer.operations:
            counter = self._counter.instance()
            m.submodules[operation.name] = counter
            counters.append(counter)
        self._chain(m, counters)
        ends = window_ends(layer.layer, layer.copies, layer.blocks)
        m.d.comb += [
            window.constants.eq(constants(window, ends)),
            window.advance.eq(self.tick & counters[0].start),
            self.window_image.eq(window.image),
            progress.done.eq(counters[-1].done),
            progress.copies.eq(layer.copies),
            progress.blocks.eq(layer.blocks - 1),
            self.image.eq(progress.image),
        ]
        if hasattr(self, "need"):
            m.d.comb += [self.need.eq(window.need), self.whole.eq(window.whole)]
        if hasattr(self, "pixels"):
            m.d.comb += self.pixels.eq(progress.pixels)
        by_name = {
            operation.name: counter
            for operation, counter in zip(layer.operations, counters, strict=True)
        }
        for name, counter in by_name.items():
            self._connect(m, name, counter)
        if "mvm" in by_name:
            self._keep_banks(m, by_name["mvm"], by_name["addition"])
        return m

    def _chain(self, m: Module, counters: Sequence[PartInstance]) -> None:
        """Connect the operations in their order, and give them their constants."""
        layer, last = self._layer, len(counters) - 1
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

    def _connect(self, m: Module, name: OperationName, counter: PartInstance) -> None:
        """Connect the counter of an operation with the ports, and send its strobe."""
        strobe = self.strobes[name]
        m.d.comb += [
            counter.tick.eq(self.tick),
            counter.start.eq(getattr(self.start, name)),
            getattr(self.ready, name).eq(counter.ready),
            strobe.go.eq(counter.begins & getattr(self.reached, lag_name(name))),
            strobe.parity.eq(counter.parity),
        ]
        if name in PER_BIT:
            m.d.comb += strobe.bit.eq(counter.bit_step)
        if hasattr(self, "since") and hasattr(self.since, name):
            m.d.comb += getattr(self.since, name).eq(counter.since)

    def _keep_banks(self, m: Module, mvm: PartInstance, addition: PartInstance) -> None:
        """Let no third block into the accumulators before the addition has begun with the first."""
        taken = Signal(2, name="banks")
        with m.If(self.tick):
            m.d.sync += taken.eq(taken + mvm.start - addition.start)
        m.d.comb += self.ready.mvm.eq(mvm.ready & ~taken[1])


def lag_name(name: str) -> str:
    """Return the name of the clock of a step in which strobes of an operation are sent."""
    return f"lag_{LAGS[name]}"


def asked_for(chip: Chip) -> list[Key]:
    """Return the operations whose last start other operations ask for, in the chip's order."""
    order = travels_in_order(chip)
    at_links = {other for key in order for other in order if (key, other) in chip.conflicts}
    at_adcs: set[Key] = {(partner.place, "mvm") for _, partner, _ in pairs(chip)}
    return [
        (layer.place, operation.name)
        for layer in chip.layers
        for operation in layer.operations
        if (layer.place, operation.name) in at_links | at_adcs
    ]


def since_bits(chip: Chip) -> int:
    """Return the bits that count steps since a start: all ones are more than anybody asks for."""
    most = max(
        max(operation.period, operation.busy)
        for layer in chip.layers
        for operation in layer.operations
    )
    most = max(most, *(apart for _, _, apart in pairs(chip)), 1)
    return (most + 1).bit_length()
