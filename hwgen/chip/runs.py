"""A run of a chip, one start of it: as the cycle model predicts it, as a simulation saw it.

Tests: `tests/mram/model/test_predict.py`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.step import Step

NONE: Mapping[str, Iterable[str]] = {}


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What a cycle model says of one run.

    cycles: from accepted start to done; load: load-stall cycles, in which nothing computes because
        a load is pending
    loading: cycles before the first run in which the weights come in; 0: they come in with each run
    held_clocks: by which steps were longer, of a chip that keeps a schedule
    steps: in the order of the program, those of the chip itself among them
    counters: value of each further counter that the chip has, by the name of its register
    events: how often each event happens; own_events: of each step those that never happen while
        another one runs
    image_cycles: of each image, from the end of the one before it to its own; they add up to
        `cycles`; empty: one image is all of the run
    weight_row_writes: rows of weights that the run writes where they stay from run to run; the load
        of the program is no part of it
    lines: at most so many a simulation writes beside those of stored words
    """

    cycles: int
    load: int
    loading: int = 0
    held_clocks: int = 0
    steps: tuple[Step, ...]
    counters: Mapping[str, int]
    events: Mapping[str, int]
    own_events: Sequence[Mapping[str, int]] = ()
    image_cycles: Sequence[int] = ()
    weight_row_writes: int = 0
    lines: int = 0

    @property
    def compute(self) -> int:
        """Cycles without the load-stall cycles."""
        return self.cycles - self.load


@dataclass(frozen=True, kw_only=True)
class SimulatedRun:
    """What a simulation saw of one run.

    images: indices of the images that ran; the last run has maybe fewer than the program takes
    maps: of each of them, by layer name, (height, width, channels); a map that the chip never
        stores whole is absent
    modes: of each image, by its place in the network; empty: of a family without modes
    cycles, load_cycles, loading, held_clocks, steps, counters, events, image_cycles,
        weight_row_writes: as in a prediction
    step_events: that happened from the end of the step before to the end of each
    written: of each image, by layer name, int64: the cycle in which each element was stored last
    waves: the file of the waves, if requested
    """

    images: tuple[int, ...]
    modes: tuple[int, ...] = ()
    maps: Sequence[Mapping[str, NDArray[Any]]]
    cycles: int
    load_cycles: int
    loading: int = 0
    held_clocks: int = 0
    steps: tuple[Step, ...]
    counters: Mapping[str, int]
    events: Mapping[str, int]
    step_events: Sequence[Mapping[str, int]] = ()
    image_cycles: Sequence[int] = ()
    weight_row_writes: int = 0
    written: Sequence[Mapping[str, NDArray[np.int64]]]
    waves: Path | None

    def written_at(self, image: int, layer: str, element: tuple[int, int, int]) -> int | None:
        """Return the cycle in which (y, x, channel) of a map was written last; None: never."""
        cycles = self.written[self.images.index(image)].get(layer)
        return None if cycles is None or not cycles.size else int(cycles[element]) or None


def largest_of(
    spent: Mapping[str, float], groups: Mapping[str, Iterable[str]] = NONE
) -> str | None:
    """Return the group of causes that takes most; a cause of no group is one, None: nothing spent.

    spent: cycles by cause; groups: causes by the name of each group
    """
    of = {cause: name for name, causes in groups.items() for cause in causes}
    total: Counter[str] = Counter()
    for cause, cycles in spent.items():
        total[of.get(cause, cause)] += cycles  # type: ignore[assignment]
    name, most = max(total.items(), key=lambda item: item[1], default=("", 0))
    return name if most > 0 else None


def summed(parts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Return the sum of counts by name."""
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part)
    return dict(total)
