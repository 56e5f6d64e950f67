"""The conductor in counters: in which step each block of each operation starts.

There is no queue and no list of what is to come: at each tick an operation looks at how often it
and its neighbours have started and how long ago, and starts its next block if that may be. The
conductor of the chip (`hwgen.crossbar.rtl.conductor`) does the same with registers.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwgen.crossbar.facts.chip import Chip, ChipLayer
from hwgen.crossbar.facts.layout import last_needed
from hwgen.crossbar.facts.order import back, pairs, to_next, travels_in_order
from hwgen.crossbar.facts.rules import STRICT

Ints = NDArray[np.int64]

LONG_AGO = 1 << 40
"""Steps since a start that never was."""


@dataclass(frozen=True)
class Start:
    """A block starts an operation: `index` is its place among the operations of the layer.

    block: of the stream, counted on over images
    """

    step: int
    layer: int
    index: int
    block: int


def needs_of(layer: ChipLayer, providers: list[ChipLayer]) -> list[list[int]]:
    """Return, for each provider and block, the blocks of the provider that must be through."""
    found = []
    for provider in providers:
        if layer.layer.kind == "fc":
            found.append([provider.blocks] * layer.blocks)
            continue
        last, pixels = last_needed(layer.layer, STRICT), layer.layer.pixels
        ends = [min(pixels, (block + 1) * layer.copies) for block in range(layer.blocks)]
        most = provider.layer.pixels
        found.append([-(-min(last[end - 1], most) // provider.copies) for end in ends])
    return found


class Conductor:
    """The state of a conductor; `tick` is one step.

    images: of the stream; interval: steps from one to the next, of one image without meaning
    """

    def __init__(self, chip: Chip, *, images: int = 1, interval: int = 0) -> None:
        self.step = 0
        self._chip, self._images, self._interval = chip, images, interval
        layers = chip.layers
        lengths = [len(layer.operations) for layer in layers]
        self._first = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
        count = int(self._first[-1])
        self._n, self._since = np.zeros(count, np.int64), np.full(count, LONG_AGO)
        every = [(layer, k) for layer in layers for k in range(len(layer.operations))]
        self._layer = np.array([layer.place for layer, _ in every])
        self._own = np.array([layer.operations[k].period for layer, k in every])
        self._busy = np.array([layer.operations[k].busy for layer, k in every])
        self._to_next = np.array([to_next(layer, k) for layer, k in every])
        self._back = np.array([back(layer, k) for layer, k in every])
        self._total = np.array([images * layer.blocks for layer, _ in every])
        self._begins = np.array([k == 0 for _, k in every])
        self._addition = np.array(
            [
                self._at(layer.place, "addition") if layer.operations[k].name == "mvm" else -1
                for layer, k in every
            ]
        )
        self._needs = [
            needs_of(layer, [layers[p] for p in layer.layer.providers]) for layer in layers
        ]
        keys = travels_in_order(chip)
        self._travels = {key: self._at(*key) for key in keys}
        self._clashing = {
            key: [self._travels[other] for other in keys if (key, other) in chip.conflicts]
            for key in keys
        }
        self._pairs = [
            (self._at(layer.place, "mvm"), self._at(partner.place, "mvm"), apart)
            for layer, partner, apart in pairs(chip)
        ]

    def _at(self, place: int, name: str) -> int:
        """Return where an operation of a layer stands among all."""
        index = self._chip.layers[place].index_of(name)
        assert index is not None
        return int(self._first[place]) + index

    @property
    def is_over(self) -> bool:
        """Whether every block of every operation has started."""
        return bool((self._n == self._total).all())

    @property
    def steps(self) -> int:
        """Steps until all that started is through."""
        return int((self.step - self._since + self._busy).max())

    def tick(self) -> list[Start]:
        """Return what starts in this step, and go on to the next."""
        ready = self._ready()
        self._grant_adcs(ready)
        self._grant_links(ready)
        places = np.flatnonzero(ready)
        starts = [
            Start(
                self.step,
                int(self._layer[place]),
                int(place - self._first[self._layer[place]]),
                int(self._n[place]),
            )
            for place in places
        ]
        self._since[places] = 0
        self._n[places] += 1
        self._since += 1
        self.step += 1
        return starts

    def run(self, most: int | None = None) -> Iterator[Start]:
        """Yield all starts, step after step; those of `most` steps if that is given."""
        while not self.is_over and (most is None or self.step < most):
            yield from self.tick()

    def _ready(self) -> NDArray[np.bool_]:
        """Return what may start but for links and shared ADCs."""
        n, since = self._n, self._since
        before, behind = np.roll(n, 1), np.roll(n, -1)
        handed_on = (before >= n + 2) | (
            (before == n + 1) & (np.roll(since, 1) >= np.roll(self._to_next, 1))
        )
        taken_over = (self._back == 0) | (n == 0) | (
            (behind >= n) & (np.roll(since, -1) >= self._back)
        )  # fmt: skip
        banks = (self._addition < 0) | (n[self._addition] + 2 > n)
        ready = (n < self._total) & (since >= self._own) & taken_over & banks
        ready &= handed_on | self._begins
        for layer in self._chip.layers:
            first = int(self._first[layer.place])
            if ready[first]:
                ready[first] = self._has_inputs(layer, int(n[first]))
        return np.asarray(ready)

    def _has_inputs(self, layer: ChipLayer, place: int) -> bool:
        """Return whether all that a block reads is there."""
        image, block = divmod(place, layer.blocks)
        if not layer.layer.providers:
            return self.step >= image * self._interval
        for provider, needs in zip(layer.layer.providers, self._needs[layer.place], strict=True):
            last = int(self._first[provider + 1]) - 1
            done = self._n[last] - (self._since[last] < self._to_next[last])
            if done < image * self._chip.layers[provider].blocks + needs[block]:
                return False
        return True

    def _grant_adcs(self, ready: NDArray[np.bool_]) -> None:
        """Of a pair one converts at a time, the earlier layer first."""
        for own, other, apart in self._pairs:
            just_now = ready[other] and other < own
            if apart > (0 if just_now else self._since[other]):
                ready[own] = False

    def _grant_links(self, ready: NDArray[np.bool_]) -> None:
        """Those on their way go on; of others the later layer goes first."""
        going = self._since < self._busy
        for key, place in self._travels.items():
            if ready[place]:
                ready[place] = not going[self._clashing[key]].any()
                going[place] |= ready[place]
