"""What answers inputs, held against the file that it was made of, in the runtime of that file.

One function judges a network by golden and a plan by its player. It knows inputs, outputs and steps
alone, and runs no file by itself: `as_given` of `importers.onnx` and `importers.tflite` do.

Tests: `tests/importers/test_judge.py`.
"""

import dataclasses
import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hwgen.network.verdict import Distance, Verdict, said_decibels

Feeds = Mapping[str, NDArray[Any]]
"""Inputs of a call of a file by name, as the file reads them; its states are left out."""
Outputs = Mapping[str, NDArray[Any]]
"""Outputs of a call of a file by name, whole."""

IMAGES = 8
"""Of a judgement, where the time suffices."""
SECONDS = 5.0
"""Of this process, after which no further call begins, of either side."""
OWN_STEPS = 255
"""Of an output without a grid: from zero to its largest value."""
SLACK = 1 / 1024
"""Of a step, by which real numbers may differ that count as equal: functions of float32 do."""
WORSE_DECIBELS = 3.0
"""By which an answer may be further from a float file than the quantized file's is."""
RUNTIMES = {"onnxruntime": ("1.31.1", "1.32.0"), "ai-edge-litert": ("2.3.0",)}
"""Versions by which `scripts/runtimes` judged all files of the tests, by package."""


def said_version(package: str, installed: str) -> str:
    """Return a version of a package, and of a runtime whether hwgen was compared with it."""
    known = RUNTIMES.get(package, (installed,))
    return installed if installed in known else f"{installed} (never compared with hwgen)"


class AsGiven(Protocol):
    """A file in a default session of its runtime, unchanged and with all outputs.

    name: of the runtime, with its version; setting: what of the processor decides sums, empty if
    nothing does; states: by input the output that the next call reads, from zeros on
    """

    name: str
    setting: str

    def __call__(self, feeds: Feeds) -> Outputs:
        """Return all outputs of a call; states are those that the call before left."""

    def reset(self) -> None:
        """Begin anew: states are zeros."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Grid:
    """Steps of an output in real numbers; one is known by its integers without it.

    step: of each element, or one for all; slack: share of a step that counts as equal
    """

    step: Any
    slack: float = SLACK


def judge(
    player: Callable[[Feeds], Outputs],
    given: AsGiven,
    inputs: Sequence[Feeds],
    *,
    file: str,
    grids: Mapping[str, Grid] | None = None,
    real: AsGiven | None = None,
    seconds: float = SECONDS,
    heard: Callable[[Outputs, Outputs], None] = lambda _wanted, _found: None,
) -> Verdict:
    """Return how a player's answers differ from those of a file, call by call.

    player: answers feeds with all outputs of the file, uncut; it keeps its own states from call to
        call, and stands at their beginning
    given: the file; inputs: of one call each, in order; file: its name for the line
    grids: of outputs in real numbers; real: the float file that the given one was quantized from
    seconds: after which no further call begins; the first one always does
    heard: is told of the outputs of each call, the file's and the player's
    """
    given.reset()
    if real is not None:
        real.reset()
    counts, sums, images = Counts(), Sums(), 0
    ends = time.process_time() + seconds
    for feeds in inputs:
        if images and time.process_time() > ends:
            break
        wanted, found = given(feeds), player(feeds)
        heard(wanted, found)
        for name, array in wanted.items():
            ours = np.asarray(found[name]).astype(array.dtype)
            counts.add(name, ours, array, (grids or {}).get(name))
        if real is not None:
            sums.add(real(feeds), found, wanted)
        images += len(next(iter(feeds.values())))
    distances = sums.distances()
    return Verdict(
        file=file,
        runtime=given.name,
        setting=given.setting,
        images=images,
        elements=counts.elements,
        different=sum(counts.different.values()),
        larger=counts.larger,
        steps=counts.steps,
        outputs={name: found for name, found in counts.different.items() if found},
        unforeseen=[said_of_distance(each) for each in distances if is_worse(each)],
        distances=distances,
    )


@dataclasses.dataclass
class Counts:
    """Differences, summed over calls."""

    elements: int = 0
    steps: int = 0
    larger: int = 0
    different: dict[str, int] = dataclasses.field(default_factory=dict)

    def add(self, name: str, found: NDArray[Any], wanted: NDArray[Any], grid: Grid | None) -> None:
        """Count the elements of an output that differ."""
        steps = steps_between(found.reshape(wanted.shape), wanted, grid)
        self.elements += steps.size
        self.steps = max(self.steps, int(steps.max(initial=0)))
        self.larger += int((steps > 1).sum())
        self.different[name] = self.different.get(name, 0) + int(np.count_nonzero(steps))


def steps_between(
    found: NDArray[Any], wanted: NDArray[Any], grid: Grid | None
) -> NDArray[np.float64]:
    """Return by how many steps elements differ, up to the next whole one; 0: they are equal."""
    both = np.asarray(found, np.float64), np.asarray(wanted, np.float64)
    same = (both[0] == both[1]) | (np.isnan(both[0]) & np.isnan(both[1]))
    apart = np.where(same, 0.0, np.abs(both[0] - both[1]))
    step: Any = 1.0
    slack = 0.0
    if wanted.dtype.kind == "f":
        inside = np.abs(both[1][np.isfinite(both[1])])
        step, slack = inside.max(initial=0) / OWN_STEPS or 1.0, SLACK
        if grid is not None:
            step, slack = np.asarray(grid.step, np.float64), grid.slack
    steps = np.nan_to_num(apart / step, nan=np.inf, posinf=np.iinfo(np.int32).max)
    return np.where(steps > slack, np.ceil(steps - slack), 0.0)


@dataclasses.dataclass
class Sums:
    """Of each output the squares of the float file's, and of what two others differ from it."""

    squares: dict[str, list[float]] = dataclasses.field(default_factory=dict)

    def add(self, real: Outputs, ours: Outputs, quantized: Outputs) -> None:
        """Add a call."""
        for name, array in real.items():
            if array.dtype.kind != "f":
                continue
            wide = array.astype(np.float64)
            inside = np.isfinite(wide)
            sums = self.squares.setdefault(name, [0.0, 0.0, 0.0])
            sums[0] += float((wide[inside] ** 2).sum())
            for place, other in enumerate((ours, quantized), 1):
                apart = (np.asarray(other[name]).reshape(wide.shape) - wide)[inside]
                sums[place] += float((apart**2).sum())

    def distances(self) -> list[Distance]:
        """Return the distance of each output that is not zero."""
        return [
            Distance(output=name, ours=decibels(signal, ours), quantized=decibels(signal, other))
            for name, (signal, ours, other) in self.squares.items()
            if signal
        ]


def decibels(signal: float, noise: float) -> float | None:
    """Return 10 log10 of a signal over a noise; None without noise."""
    return 10 * math.log10(signal / noise) if noise else None


def is_worse(distance: Distance) -> bool:
    """Return whether ours is further from the float file than the quantized file's may explain."""
    ours, quantized = distance.ours, distance.quantized
    return ours is not None and (quantized is None or ours < quantized - WORSE_DECIBELS)


def said_of_distance(distance: Distance) -> str:
    """Return the sentence on an output that is further from the float file than it may be."""
    return (
        f"output {distance.output} is {said_decibels(distance.ours)} from the float file, where the"
        f" quantized file's is {said_decibels(distance.quantized)}"
    )
